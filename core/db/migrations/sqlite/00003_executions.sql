-- +goose Up
-- A process that runs agents. Its beat grows while it lives.
CREATE TABLE workers (
    id text NOT NULL PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    beat bigint NOT NULL,
    started_at datetime NOT NULL
);

-- A run that is not at its end has an owner (worker_id) or a job in the queue.
-- The fence grows each time the owner changes; writes of an earlier owner are
-- refused by it.
CREATE TABLE graph_executions (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    graph_id text NOT NULL,
    graph_version integer NOT NULL,
    status text NOT NULL,
    inputs text,
    credential_inputs text,
    nodes_input_masks text,
    preset_id text,
    parent_id text,
    root_id text,
    depth integer NOT NULL,
    is_dry_run boolean NOT NULL,
    context text NOT NULL,
    stats text,
    worker_id text,
    fence bigint NOT NULL,
    takeovers integer NOT NULL DEFAULT 0,
    cancel_requested boolean NOT NULL,
    is_deleted boolean NOT NULL,
    is_shared boolean NOT NULL,
    share_token text,
    shared_at datetime,
    created_at datetime NOT NULL,
    started_at datetime,
    ended_at datetime
);
CREATE INDEX graph_executions_user ON graph_executions (user_id, created_at);
CREATE INDEX graph_executions_graph ON graph_executions (graph_id, user_id, created_at);
CREATE INDEX graph_executions_open ON graph_executions (status, created_at) WHERE status IN ('INCOMPLETE', 'QUEUED', 'RUNNING', 'REVIEW');
CREATE INDEX graph_executions_worker ON graph_executions (worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX graph_executions_parent ON graph_executions (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX graph_executions_share ON graph_executions (share_token) WHERE share_token IS NOT NULL;

-- One run of one node. Pins are the inputs received so far, in order; input is
-- what the block gets. Emitted counts the outputs that are recorded, routed
-- those that have been passed on.
CREATE TABLE node_executions (
    id text NOT NULL PRIMARY KEY,
    graph_exec_id text NOT NULL,
    node_id text NOT NULL,
    block_id text NOT NULL,
    seq integer NOT NULL,
    status text NOT NULL,
    pins text,
    input text,
    emitted integer NOT NULL,
    routed integer NOT NULL,
    stats text,
    added_at datetime NOT NULL,
    queued_at datetime,
    started_at datetime,
    ended_at datetime
) WITHOUT ROWID;
CREATE INDEX node_executions_graph ON node_executions (graph_exec_id, seq);

-- Outputs of a node run, in order: each row holds those of one commit, as
-- [name, value] pairs that start at position first.
CREATE TABLE node_outputs (
    node_exec_id text NOT NULL,
    first integer NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (node_exec_id, first)
) WITHOUT ROWID;

-- Values that blocks keep between runs.
CREATE TABLE stored_values (
    user_id text NOT NULL,
    key text NOT NULL,
    data text NOT NULL,
    node_exec_id text NOT NULL,
    updated_at datetime NOT NULL,
    PRIMARY KEY (user_id, key)
);
