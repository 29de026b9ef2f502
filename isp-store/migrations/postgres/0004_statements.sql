-- One document for the subscriptions of a customer.

ALTER TABLE tenants ADD COLUMN next_statement BIGINT NOT NULL DEFAULT 1;
ALTER TABLE customers ADD COLUMN invoicing TEXT NOT NULL DEFAULT 'per_subscription'
    CHECK (invoicing IN ('per_subscription', 'per_customer'));
CREATE INDEX customers_invoicing ON customers (tenant_id, customer_id) WHERE invoicing = 'per_customer';

-- Holds the invoices of the customer with the same two days.
CREATE TABLE statements (
    tenant_id    UUID NOT NULL,
    statement_id UUID NOT NULL,
    customer_id  UUID NOT NULL,
    issue_date   DATE NOT NULL,
    due_date     DATE NOT NULL,
    number       BIGINT NOT NULL CHECK (number > 0),
    PRIMARY KEY (tenant_id, statement_id),
    UNIQUE (tenant_id, number)
);
CREATE INDEX statements_customer ON statements (tenant_id, customer_id, due_date);
