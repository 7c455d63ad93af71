-- +goose Up
CREATE TABLE graphs (
    id text NOT NULL,
    version integer NOT NULL,
    user_id text NOT NULL,
    is_active boolean NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    instructions text,
    recommended_schedule_cron text,
    forked_from_id text,
    forked_from_version integer,
    nodes text NOT NULL,
    links text NOT NULL,
    created_at timestamptz(3) NOT NULL,
    PRIMARY KEY (id, version)
);
CREATE INDEX graphs_user ON graphs (user_id, is_active, version);

-- A user's list of agents: one row per version of a graph that is in it.
CREATE TABLE library_agents (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    graph_id text NOT NULL,
    graph_version integer NOT NULL,
    is_created_by_user boolean NOT NULL,
    use_graph_is_active_version boolean NOT NULL,
    is_archived boolean NOT NULL,
    is_deleted boolean NOT NULL,
    settings text,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    UNIQUE (user_id, graph_id, graph_version)
);
