-- Refunds that payment gateways were asked for. A refund can be paid out of what a gateway holds. SQLite cannot change a check, so the
-- table is written anew.
CREATE TABLE refunds_now (
    tenant_id   BLOB NOT NULL,
    refund_id   BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount > 0),
    paid_from   TEXT NOT NULL CONSTRAINT refunds_paid_from_check CHECK (paid_from IN ('cash', 'bank', 'gateway')),
    paid_on     INTEGER NOT NULL,
    paid_by     TEXT NOT NULL,
    note        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
INSERT INTO refunds_now (tenant_id, refund_id, customer_id, amount, paid_from, paid_on, paid_by, note)
    SELECT tenant_id, refund_id, customer_id, amount, paid_from, paid_on, paid_by, note FROM refunds;
DROP TABLE refunds;
ALTER TABLE refunds_now RENAME TO refunds;
CREATE INDEX refunds_customer ON refunds (tenant_id, customer_id);

CREATE TABLE gateway_refunds (
    tenant_id   BLOB    NOT NULL,
    refund_id   BLOB    NOT NULL,
    gateway     TEXT    NOT NULL,
    payment_id  BLOB    NOT NULL,
    reference   TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('attempting', 'unknown', 'pending', 'done', 'refused')),
    provider_id TEXT,
    asked_at    INTEGER NOT NULL,
    poll_at     INTEGER,
    note        TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, refund_id) REFERENCES refunds (tenant_id, refund_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
) STRICT;
CREATE INDEX gateway_refunds_payment ON gateway_refunds (tenant_id, payment_id);
CREATE INDEX gateway_refunds_poll ON gateway_refunds (tenant_id, poll_at) WHERE poll_at IS NOT NULL;
