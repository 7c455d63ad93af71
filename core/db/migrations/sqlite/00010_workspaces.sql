-- +goose Up
-- What the files of a user take. It is changed in the transaction that changes
-- the files, so that the limit holds for uploads at the same time.
CREATE TABLE workspaces (
    user_id text NOT NULL PRIMARY KEY,
    used_bytes bigint NOT NULL,
    file_count integer NOT NULL,
    created_at datetime NOT NULL
) WITHOUT ROWID;

-- A file of a user. Its content is an object of the bucket, which is there as
-- long as the state is not 'writing', and is removed before the row.
CREATE TABLE workspace_files (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    path text NOT NULL,
    name text NOT NULL,
    mime_type text NOT NULL,
    size_bytes bigint NOT NULL,
    checksum text NOT NULL,
    state text NOT NULL,
    expires_at datetime,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX workspace_files_path ON workspace_files (user_id, path) WHERE state = 'live';
CREATE INDEX workspace_files_user ON workspace_files (user_id, created_at);
CREATE INDEX workspace_files_unsettled ON workspace_files (state, updated_at) WHERE state <> 'live';
CREATE INDEX workspace_files_expiry ON workspace_files (expires_at) WHERE expires_at IS NOT NULL;
