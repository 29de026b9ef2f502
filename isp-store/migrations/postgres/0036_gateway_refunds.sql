-- Refunds that payment gateways were asked for. A refund can be paid out of what a gateway holds.

ALTER TABLE refunds DROP CONSTRAINT refunds_paid_from_check;
ALTER TABLE refunds ADD CONSTRAINT refunds_paid_from_check CHECK (paid_from IN ('cash', 'bank', 'gateway'));

CREATE TABLE gateway_refunds (
    tenant_id   UUID        NOT NULL,
    refund_id   UUID        NOT NULL,
    gateway     TEXT        NOT NULL,
    payment_id  UUID        NOT NULL,
    reference   TEXT        NOT NULL,
    state       TEXT        NOT NULL CHECK (state IN ('attempting', 'unknown', 'pending', 'done', 'refused')),
    provider_id TEXT,
    asked_at    TIMESTAMPTZ NOT NULL,
    poll_at     TIMESTAMPTZ,
    note        TEXT        NOT NULL,
    revision    BIGINT      NOT NULL,
    PRIMARY KEY (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refunds (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
);
CREATE INDEX gateway_refunds_payment ON gateway_refunds (tenant_id, payment_id);
CREATE INDEX gateway_refunds_poll ON gateway_refunds (tenant_id, poll_at) WHERE poll_at IS NOT NULL;
