-- +goose Up
-- Set while the vendor does not accept the refresh token any more, until the
-- user has connected the account again.
ALTER TABLE credentials ADD COLUMN reconnect_at timestamptz(3);

-- Sign-ins that users have begun at vendors. The token is known to the browser
-- only; sealed holds the PKCE verifier and the scopes.
CREATE TABLE oauth_states (
    token_hash text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    provider text NOT NULL,
    created_at timestamptz(3) NOT NULL,
    expires_at timestamptz(3) NOT NULL,
    sealed text NOT NULL
);
CREATE INDEX oauth_states_user ON oauth_states (user_id, created_at);
CREATE INDEX oauth_states_expiry ON oauth_states (expires_at);
