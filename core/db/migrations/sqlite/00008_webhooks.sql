-- +goose Up
-- A subscription of a user at a vendor. There is a row from before the request
-- that registers it until the vendor has confirmed that it is gone.
CREATE TABLE webhooks (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    provider text NOT NULL,
    credentials_id text NOT NULL,
    webhook_type text NOT NULL,
    resource text NOT NULL,
    events text,
    config text,
    provider_webhook_id text NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    last_error text NOT NULL,
    retired_at datetime,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhooks_user ON webhooks (user_id, credentials_id);

-- A delivery that was accepted. Of those with the same id, or the same replay
-- key, there is one.
CREATE TABLE webhook_deliveries (
    id text NOT NULL PRIMARY KEY,
    webhook_id text NOT NULL,
    user_id text NOT NULL,
    provider text NOT NULL,
    event_type text NOT NULL,
    delivery_id text,
    replay_key text,
    size bigint NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    round integer NOT NULL,
    last_error text NOT NULL,
    runs text,
    received_at datetime NOT NULL,
    next_at datetime NOT NULL,
    done_at datetime,
    payload text NOT NULL -- last: lists do not read it
);
CREATE UNIQUE INDEX webhook_deliveries_delivery ON webhook_deliveries (webhook_id, delivery_id) WHERE delivery_id IS NOT NULL;
CREATE UNIQUE INDEX webhook_deliveries_replay ON webhook_deliveries (webhook_id, replay_key) WHERE replay_key IS NOT NULL;
CREATE INDEX webhook_deliveries_state ON webhook_deliveries (state, id);
CREATE INDEX webhook_deliveries_user ON webhook_deliveries (user_id, id);
CREATE INDEX webhook_deliveries_webhook ON webhook_deliveries (webhook_id, id);
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (next_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (state, done_at) WHERE state <> 'pending';

-- Inputs of an agent that a user saved, to run it by hand or, with a webhook, by
-- outside events.
CREATE TABLE presets (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    graph_id text NOT NULL,
    graph_version integer NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    inputs text NOT NULL,
    credentials text NOT NULL,
    is_active boolean NOT NULL,
    webhook_id text,
    is_deleted boolean NOT NULL,
    created_at datetime NOT NULL,
    updated_at datetime NOT NULL
) WITHOUT ROWID;
CREATE INDEX presets_user ON presets (user_id, graph_id, created_at);
CREATE INDEX presets_webhook ON presets (webhook_id) WHERE webhook_id IS NOT NULL;
