-- What is recorded can be corrected.

-- That a record holds no longer, by whom and why. The records themselves stay.
CREATE TABLE endings (
    tenant_id UUID NOT NULL,
    record_id UUID NOT NULL,
    record    TEXT NOT NULL CHECK (record IN ('promise', 'exemption', 'outage', 'expense', 'installation')),
    kind      TEXT NOT NULL CHECK (kind IN ('ended', 'taken_back')),
    ended_at  TIMESTAMPTZ NOT NULL,
    ended_by  TEXT NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, record_id, record)
);

-- A user name is unique on its router among the lines that have no end; src/subscription.rs compares the others by their
-- days of service.
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_tenant_id_router_id_username_key;
CREATE INDEX subscriptions_username ON subscriptions (tenant_id, router_id, username);
CREATE UNIQUE INDEX subscriptions_served ON subscriptions (tenant_id, router_id, username) WHERE ends_on IS NULL;

-- User names that lines had before they moved or were renamed; closed_at once the router said that the account is closed.
CREATE TABLE former_accounts (
    tenant_id       UUID NOT NULL,
    subscription_id UUID NOT NULL,
    router_id       UUID NOT NULL,
    username        TEXT NOT NULL,
    left_at         TIMESTAMPTZ NOT NULL,
    closed_at       TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, subscription_id, router_id, username),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id)
);
CREATE INDEX former_accounts_router ON former_accounts (tenant_id, router_id, username);

-- A correcting entry may take a cost back.
ALTER TABLE device_history DROP CONSTRAINT device_history_action_check;
ALTER TABLE device_history ADD CONSTRAINT device_history_action_check
    CHECK (action IN ('installed', 'replaced', 'returned', 'corrected'));
ALTER TABLE device_history DROP CONSTRAINT device_history_cost_check;
ALTER TABLE device_history ADD CONSTRAINT device_history_cost_check CHECK (cost >= 0 OR action = 'corrected');
