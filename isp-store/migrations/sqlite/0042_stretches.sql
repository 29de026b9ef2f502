-- What customers owe is little, however much they were invoiced.
CREATE INDEX invoices_owed ON invoices (tenant_id, customer_id) WHERE total > paid;
