-- +goose Up
-- What is still to be done at a vendor for the credential that the platform
-- provisions for a user. There is a row from before the first request to the
-- vendor until the result is stored, so nothing that may exist there is ever
-- forgotten.
CREATE TABLE managed_tasks (
    user_id text NOT NULL,
    provider text NOT NULL,
    action text NOT NULL,
    fence bigint NOT NULL,
    claimed boolean NOT NULL,
    attempts integer NOT NULL,
    last_error text NOT NULL,
    next_at timestamptz(3),
    again_at timestamptz(3),
    queued boolean NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    PRIMARY KEY (user_id, provider)
);
CREATE INDEX managed_tasks_next ON managed_tasks (next_at);

-- Set when the platform has begun to revoke a managed credential: nobody can
-- use it any more, and the row goes when the vendor has confirmed.
ALTER TABLE credentials ADD COLUMN revoked_at timestamptz(3);
