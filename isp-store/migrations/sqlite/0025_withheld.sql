-- PPh 23 that a customer kept back settles invoices too, by its slip. Each customer numbers its own slips: set_aside then holds the
-- customer's id for the one that stands. SQLite cannot change a check, so the table is written anew.
CREATE TABLE payments_now (
    tenant_id   BLOB    NOT NULL,
    payment_id  BLOB    NOT NULL,
    customer_id BLOB    NOT NULL,
    set_aside   TEXT    NOT NULL,
    identity    TEXT    NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount > 0),
    left_over   INTEGER NOT NULL,
    paid_at     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    channel     TEXT    NOT NULL DEFAULT 'cash'
        CHECK (channel IN ('cash', 'bank', 'gateway', 'pph23', 'credit_note', 'write_off')),
    collector   TEXT,
    provider    TEXT    NOT NULL DEFAULT '',
    reference   TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, payment_id),
    UNIQUE (tenant_id, set_aside, identity),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    CHECK (left_over >= 0 AND left_over <= amount)
) STRICT;
INSERT INTO payments_now (tenant_id, payment_id, customer_id, set_aside, identity, amount, left_over, paid_at, received_at,
        channel, collector, provider, reference)
    SELECT tenant_id, payment_id, customer_id, set_aside, identity, amount, left_over, paid_at, received_at,
        channel, collector, provider, reference
    FROM payments;
DROP TABLE payments;
ALTER TABLE payments_now RENAME TO payments;
CREATE INDEX payments_customer ON payments (tenant_id, customer_id, payment_id);
CREATE INDEX payments_credit ON payments (tenant_id, customer_id) WHERE left_over > 0;
CREATE INDEX payments_collector ON payments (tenant_id, collector) WHERE collector IS NOT NULL;
CREATE INDEX payments_identity ON payments (tenant_id, identity);
