-- A report of a past day reads the history of a page of devices, and a glance at the day counts the payments of that day.
CREATE INDEX device_history_cpe ON device_history (tenant_id, cpe_id);
CREATE INDEX payments_paid ON payments (tenant_id, paid_at);
