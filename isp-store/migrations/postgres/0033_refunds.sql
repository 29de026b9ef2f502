-- Credit that is paid out to a customer, and the payments that it was left of.

CREATE TABLE refunds (
    tenant_id   UUID NOT NULL,
    refund_id   UUID NOT NULL,
    customer_id UUID NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount > 0),
    paid_from   TEXT NOT NULL CHECK (paid_from IN ('cash', 'bank')),
    paid_on     DATE NOT NULL,
    paid_by     TEXT NOT NULL,
    note        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX refunds_customer ON refunds (tenant_id, customer_id);

CREATE TABLE refund_parts (
    tenant_id  UUID NOT NULL,
    refund_id  UUID NOT NULL,
    payment_id UUID NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (tenant_id, refund_id, payment_id),
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refunds (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
);
