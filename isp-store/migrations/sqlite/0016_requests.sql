-- What customers were asked to pay: an amount that only one request has, so that the amount tells who paid.

CREATE TABLE payment_requests (
    tenant_id          BLOB    NOT NULL,
    payment_request_id BLOB    NOT NULL,
    customer_id        BLOB    NOT NULL,
    invoice_id         BLOB   ,
    debt               INTEGER NOT NULL CHECK (debt > 0),
    amount             INTEGER NOT NULL CHECK (amount > debt AND amount < debt + 1000),
    made_at            INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    kept_until         INTEGER NOT NULL,
    closed_at          INTEGER,
    payment_id         BLOB   ,
    -- True until another request may have the amount.
    kept               INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, payment_request_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id),
    CHECK (payment_id IS NULL OR closed_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX payment_requests_amount ON payment_requests (tenant_id, amount) WHERE kept = 1;
CREATE UNIQUE INDEX payment_requests_standing ON payment_requests (tenant_id, customer_id) WHERE closed_at IS NULL;
