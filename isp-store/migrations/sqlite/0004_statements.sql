-- One document for the subscriptions of a customer.

ALTER TABLE tenants ADD COLUMN next_statement INTEGER NOT NULL DEFAULT 1;
ALTER TABLE customers ADD COLUMN invoicing TEXT NOT NULL DEFAULT 'per_subscription'
    CHECK (invoicing IN ('per_subscription', 'per_customer'));
CREATE INDEX customers_invoicing ON customers (tenant_id, customer_id) WHERE invoicing = 'per_customer';

-- Holds the invoices of the customer with the same two days.
CREATE TABLE statements (
    tenant_id    BLOB NOT NULL,
    statement_id BLOB NOT NULL,
    customer_id  BLOB NOT NULL,
    issue_date   INTEGER NOT NULL,
    due_date     INTEGER NOT NULL,
    number       INTEGER NOT NULL CHECK (number > 0),
    PRIMARY KEY (tenant_id, statement_id),
    UNIQUE (tenant_id, number)
) STRICT;
CREATE INDEX statements_customer ON statements (tenant_id, customer_id, due_date);
