-- +goose Up
-- Deletions of accounts. A finished one stays as the record that it was done,
-- and refuses tokens from before it.
CREATE TABLE account_deletions (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    email text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz(3) NOT NULL,
    state text NOT NULL,
    steps text NOT NULL,
    attempts bigint NOT NULL,
    finished_at timestamptz(3)
);
CREATE INDEX account_deletions_user ON account_deletions (user_id);
CREATE UNIQUE INDEX account_deletions_pending ON account_deletions (user_id) WHERE state = 'pending';
