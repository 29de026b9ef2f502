-- What customers were asked to pay: an amount that only one request has, so that the amount tells who paid.

CREATE TABLE payment_requests (
    tenant_id          UUID    NOT NULL,
    payment_request_id UUID    NOT NULL,
    customer_id        UUID    NOT NULL,
    invoice_id         UUID   ,
    debt               BIGINT  NOT NULL CHECK (debt > 0),
    amount             BIGINT  NOT NULL CHECK (amount > debt AND amount < debt + 1000),
    made_at            TIMESTAMPTZ NOT NULL,
    expires_at         TIMESTAMPTZ NOT NULL,
    kept_until         TIMESTAMPTZ NOT NULL,
    closed_at          TIMESTAMPTZ,
    payment_id         UUID   ,
    -- True until another request may have the amount.
    kept               BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, payment_request_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id),
    CHECK (payment_id IS NULL OR closed_at IS NOT NULL)
);
CREATE UNIQUE INDEX payment_requests_amount ON payment_requests (tenant_id, amount) WHERE kept;
CREATE UNIQUE INDEX payment_requests_standing ON payment_requests (tenant_id, customer_id) WHERE closed_at IS NULL;
