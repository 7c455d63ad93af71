-- +goose Up
-- What nodes of runs ask people. An id that starts with auto_approve_ says that
-- a node need not ask any more in its run.
CREATE TABLE human_reviews (
    node_exec_id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    graph_exec_id text NOT NULL,
    node_id text NOT NULL,
    graph_id text NOT NULL,
    graph_version integer NOT NULL,
    payload text,
    instructions text,
    editable boolean NOT NULL,
    status text NOT NULL,
    review_message text,
    was_edited boolean,
    processed boolean NOT NULL,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL,
    reviewed_at datetime
) WITHOUT ROWID;
CREATE INDEX human_reviews_run ON human_reviews (graph_exec_id, status);
CREATE INDEX human_reviews_waiting ON human_reviews (user_id, created_at) WHERE status = 'WAITING';
