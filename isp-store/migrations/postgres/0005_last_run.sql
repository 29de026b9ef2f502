-- The moment of the last run (rule I9). A database from before takes it from its newest decision: the day of an
-- invoice for a period, less a day because that is no moment, or what the engine last did to a line.

ALTER TABLE tenants ADD COLUMN last_run_at TIMESTAMPTZ;

UPDATE tenants SET last_run_at = (
    SELECT MAX(at) FROM (
        SELECT CAST(MAX(i.issue_date) - 1 AS TIMESTAMP) AT TIME ZONE 'UTC' AS at FROM invoices i
        WHERE i.tenant_id = tenants.tenant_id AND i.kind = 1
        UNION ALL
        SELECT MAX(e.happened_at) FROM access_events e
        WHERE e.tenant_id = tenants.tenant_id AND e.decided_by = 'engine') AS known);
