-- Who gets one document for all lines is asked of each page of a billing run, and is hardly anybody.
CREATE INDEX customers_together ON customers (tenant_id, customer_id) WHERE invoicing = 'per_customer';
