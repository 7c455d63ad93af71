-- +goose Up
-- Keys that have sealed rows. Each holds a value sealed with itself, so that a
-- start with another key of the same name is noticed.
CREATE TABLE encryption_keys (
    name text NOT NULL PRIMARY KEY,
    sealed text NOT NULL,
    created_at datetime NOT NULL
) WITHOUT ROWID;

-- What users connected and what the platform provisioned for them. Public is
-- what lists show; everything secret is in sealed. Ids come from clients, so
-- they are unique per user only.
CREATE TABLE credentials (
    user_id text NOT NULL,
    id text NOT NULL,
    provider text NOT NULL,
    type text NOT NULL,
    title text,
    is_managed boolean NOT NULL,
    public text NOT NULL,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    key_name text NOT NULL,
    sealed text NOT NULL,
    PRIMARY KEY (user_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX credentials_managed ON credentials (user_id, provider) WHERE is_managed;
CREATE INDEX credentials_user ON credentials (user_id, created_at);
CREATE INDEX credentials_key ON credentials (key_name);
