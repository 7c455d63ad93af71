-- +goose Up
-- What a user has searched for in the builder. A search keeps its row while its
-- words change.
CREATE TABLE builder_searches (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    query text NOT NULL,
    filters text NOT NULL,
    creators text NOT NULL,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL
);
CREATE INDEX builder_searches_user ON builder_searches (user_id, updated_at);

-- Finds what has ended lately, to count how much each block is used, without
-- reading the inputs beside it.
CREATE INDEX node_executions_ended ON node_executions (ended_at, block_id) WHERE ended_at IS NOT NULL;
