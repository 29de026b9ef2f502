-- How a line gets onto the network, and its address where it has one. A line that no account serves is known by its address
-- or MAC address, which stands in `username`.

ALTER TABLE subscriptions ADD COLUMN service TEXT NOT NULL DEFAULT 'pppoe'
    CHECK (service IN ('pppoe', 'hotspot', 'static', 'dhcp'));
ALTER TABLE subscriptions ADD COLUMN ip_address TEXT;
CREATE INDEX subscriptions_ip_address ON subscriptions (tenant_id, router_id, ip_address);

-- One name may be left for each service.
CREATE TABLE former_accounts_now (
    tenant_id       BLOB NOT NULL,
    subscription_id BLOB NOT NULL,
    router_id       BLOB NOT NULL,
    username        TEXT NOT NULL,
    left_at         INTEGER NOT NULL,
    closed_at       INTEGER,
    service         TEXT NOT NULL DEFAULT 'pppoe' CHECK (service IN ('pppoe', 'hotspot', 'static', 'dhcp')),
    ip_address      TEXT,
    PRIMARY KEY (tenant_id, subscription_id, router_id, username, service),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id)
) STRICT;
INSERT INTO former_accounts_now (tenant_id, subscription_id, router_id, username, left_at, closed_at)
    SELECT tenant_id, subscription_id, router_id, username, left_at, closed_at FROM former_accounts;
DROP TABLE former_accounts;
ALTER TABLE former_accounts_now RENAME TO former_accounts;
CREATE INDEX former_accounts_router ON former_accounts (tenant_id, router_id, username);
CREATE INDEX former_accounts_ip_address ON former_accounts (tenant_id, router_id, ip_address);
