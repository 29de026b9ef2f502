-- Who had a name or an address before is read from the index alone, as on SQLite.
DROP INDEX former_accounts_router;
DROP INDEX former_accounts_ip_address;
CREATE INDEX former_accounts_router ON former_accounts (tenant_id, router_id, username, subscription_id);
CREATE INDEX former_accounts_ip_address ON former_accounts (tenant_id, router_id, ip_address, subscription_id);
