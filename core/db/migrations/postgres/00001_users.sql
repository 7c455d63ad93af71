-- +goose Up
CREATE TABLE users (
    id text NOT NULL PRIMARY KEY,
    email text NOT NULL,
    email_verified boolean NOT NULL DEFAULT true,
    name text,
    created_at timestamptz(3) NOT NULL,
    updated_at timestamptz(3) NOT NULL,
    metadata text NOT NULL DEFAULT '{}',
    stripe_customer_id text,
    top_up_config text,
    max_emails_per_day integer NOT NULL DEFAULT 3,
    notify_on_agent_run boolean NOT NULL DEFAULT true,
    notify_on_zero_balance boolean NOT NULL DEFAULT true,
    notify_on_low_balance boolean NOT NULL DEFAULT true,
    notify_on_block_execution_failed boolean NOT NULL DEFAULT true,
    notify_on_continuous_agent_error boolean NOT NULL DEFAULT true,
    notify_on_daily_summary boolean NOT NULL DEFAULT true,
    notify_on_weekly_summary boolean NOT NULL DEFAULT true,
    notify_on_monthly_summary boolean NOT NULL DEFAULT true,
    notify_on_agent_approved boolean NOT NULL DEFAULT true,
    notify_on_agent_rejected boolean NOT NULL DEFAULT true,
    timezone text NOT NULL DEFAULT 'not-set'
);

-- One account per address, however its letters are written.
CREATE UNIQUE INDEX users_email ON users (lower(email));
