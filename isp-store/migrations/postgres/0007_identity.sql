-- What people type is compared without case: bca and BCA are one bank, P001 and p001 one customer.

-- The two columns of the old key change their meaning, so that no table has to be written anew: identity is provider and
-- reference in small letters; set_aside is empty for the payment that holds it, and the payment's own id for one that is
-- reversed, whose reference is free. Payments of before that differ in case only are all kept: the first of them that is
-- not reversed holds the key.
ALTER TABLE payments RENAME COLUMN provider TO set_aside;
ALTER TABLE payments RENAME COLUMN reference TO identity;
ALTER TABLE payments ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE payments ADD COLUMN reference TEXT NOT NULL DEFAULT '';
UPDATE payments SET provider = set_aside, reference = identity;
UPDATE payments SET set_aside = replace(CAST(payment_id AS TEXT), '-', ''), identity = lower(provider) || ' ' || lower(reference);
CREATE INDEX payments_identity ON payments (tenant_id, identity);
UPDATE payments SET set_aside = '' WHERE (tenant_id, payment_id) IN (
    SELECT tenant_id, payment_id FROM (
        SELECT p.tenant_id, p.payment_id,
            ROW_NUMBER() OVER (PARTITION BY p.tenant_id, p.identity ORDER BY p.received_at, p.payment_id) AS place
        FROM payments p
        WHERE NOT EXISTS (
            SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)
    ) standing WHERE place = 1);

-- What codes and serial numbers are compared by. Rows of before that differ in case only are all kept: the first keeps the
-- plain key, the others have their id in it.
ALTER TABLE sites ADD COLUMN code_key TEXT NOT NULL DEFAULT '';
UPDATE sites SET code_key = lower(code);
UPDATE sites SET code_key = code_key || ' ' || replace(CAST(site_id AS TEXT), '-', '') WHERE (tenant_id, site_id) IN (
    SELECT tenant_id, site_id FROM (
        SELECT tenant_id, site_id, ROW_NUMBER() OVER (PARTITION BY tenant_id, code_key ORDER BY site_id) AS place FROM sites
    ) numbered WHERE place > 1);
CREATE UNIQUE INDEX sites_code_key ON sites (tenant_id, code_key);
ALTER TABLE routers ADD COLUMN code_key TEXT NOT NULL DEFAULT '';
UPDATE routers SET code_key = lower(code);
UPDATE routers SET code_key = code_key || ' ' || replace(CAST(router_id AS TEXT), '-', '') WHERE (tenant_id, router_id) IN (
    SELECT tenant_id, router_id FROM (
        SELECT tenant_id, router_id, ROW_NUMBER() OVER (PARTITION BY tenant_id, code_key ORDER BY router_id) AS place FROM routers
    ) numbered WHERE place > 1);
CREATE UNIQUE INDEX routers_code_key ON routers (tenant_id, code_key);
ALTER TABLE packages ADD COLUMN code_key TEXT NOT NULL DEFAULT '';
UPDATE packages SET code_key = lower(code);
UPDATE packages SET code_key = code_key || ' ' || replace(CAST(package_id AS TEXT), '-', '') WHERE (tenant_id, package_id) IN (
    SELECT tenant_id, package_id FROM (
        SELECT tenant_id, package_id, ROW_NUMBER() OVER (PARTITION BY tenant_id, code_key ORDER BY package_id) AS place FROM packages
    ) numbered WHERE place > 1);
CREATE UNIQUE INDEX packages_code_key ON packages (tenant_id, code_key);
ALTER TABLE customers ADD COLUMN code_key TEXT NOT NULL DEFAULT '';
UPDATE customers SET code_key = lower(code);
UPDATE customers SET code_key = code_key || ' ' || replace(CAST(customer_id AS TEXT), '-', '') WHERE (tenant_id, customer_id) IN (
    SELECT tenant_id, customer_id FROM (
        SELECT tenant_id, customer_id, ROW_NUMBER() OVER (PARTITION BY tenant_id, code_key ORDER BY customer_id) AS place FROM customers
    ) numbered WHERE place > 1);
CREATE UNIQUE INDEX customers_code_key ON customers (tenant_id, code_key);
ALTER TABLE installation_kinds ADD COLUMN code_key TEXT NOT NULL DEFAULT '';
UPDATE installation_kinds SET code_key = lower(code);
UPDATE installation_kinds SET code_key = code_key || ' ' || replace(CAST(installation_kind_id AS TEXT), '-', '') WHERE (tenant_id, installation_kind_id) IN (
    SELECT tenant_id, installation_kind_id FROM (
        SELECT tenant_id, installation_kind_id, ROW_NUMBER() OVER (PARTITION BY tenant_id, code_key ORDER BY installation_kind_id) AS place FROM installation_kinds
    ) numbered WHERE place > 1);
CREATE UNIQUE INDEX installation_kinds_code_key ON installation_kinds (tenant_id, code_key);
ALTER TABLE cpes ADD COLUMN serial_key TEXT NOT NULL DEFAULT '';
UPDATE cpes SET serial_key = lower(serial);
UPDATE cpes SET serial_key = serial_key || ' ' || replace(CAST(cpe_id AS TEXT), '-', '') WHERE (tenant_id, cpe_id) IN (
    SELECT tenant_id, cpe_id FROM (
        SELECT tenant_id, cpe_id, ROW_NUMBER() OVER (PARTITION BY tenant_id, serial_key ORDER BY cpe_id) AS place FROM cpes
    ) numbered WHERE place > 1);
CREATE UNIQUE INDEX cpes_serial_key ON cpes (tenant_id, serial_key);

-- RouterOS tells user names apart by case, people do not: new ones that differ in case only are refused.
CREATE INDEX subscriptions_username_key ON subscriptions (tenant_id, router_id, lower(username));
