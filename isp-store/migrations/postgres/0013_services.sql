-- How a line gets onto the network, and its address where it has one. A line that no account serves is known by its address
-- or MAC address, which stands in `username`.

ALTER TABLE subscriptions ADD COLUMN service TEXT NOT NULL DEFAULT 'pppoe'
    CHECK (service IN ('pppoe', 'hotspot', 'static', 'dhcp'));
ALTER TABLE subscriptions ADD COLUMN ip_address TEXT;
CREATE INDEX subscriptions_ip_address ON subscriptions (tenant_id, router_id, ip_address);

-- One name may be left for each service.
ALTER TABLE former_accounts ADD COLUMN service TEXT NOT NULL DEFAULT 'pppoe'
    CHECK (service IN ('pppoe', 'hotspot', 'static', 'dhcp'));
ALTER TABLE former_accounts ADD COLUMN ip_address TEXT;
ALTER TABLE former_accounts DROP CONSTRAINT former_accounts_pkey;
ALTER TABLE former_accounts ADD PRIMARY KEY (tenant_id, subscription_id, router_id, username, service);
CREATE INDEX former_accounts_ip_address ON former_accounts (tenant_id, router_id, ip_address);
