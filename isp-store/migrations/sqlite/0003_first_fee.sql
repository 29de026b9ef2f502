-- Installation fees that go with the first periodic invoice.

ALTER TABLE installation_orders ADD COLUMN with_first_invoice INTEGER NOT NULL DEFAULT 0;
CREATE INDEX installation_orders_waiting ON installation_orders (tenant_id, installation_order_id)
    WHERE with_first_invoice;

-- Which fee stands on an invoice with other things, and how much of its total it is.
CREATE TABLE installation_fees (
    tenant_id             BLOB NOT NULL,
    installation_order_id BLOB NOT NULL,
    invoice_id            BLOB NOT NULL,
    amount                INTEGER NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tenant_id, installation_order_id)
) STRICT;
