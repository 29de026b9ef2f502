-- Credit notes, write-offs, collectors, and the channel of payments.

ALTER TABLE tenants ADD COLUMN next_credit_note INTEGER NOT NULL DEFAULT 1;

-- What is there was booked as cash, whatever its provider.
ALTER TABLE payments ADD COLUMN channel TEXT NOT NULL DEFAULT 'cash'
    CHECK (channel IN ('cash', 'bank', 'gateway', 'credit_note', 'write_off'));
ALTER TABLE payments ADD COLUMN collector TEXT;
CREATE INDEX payments_collector ON payments (tenant_id, collector) WHERE collector IS NOT NULL;

ALTER TABLE expenses ADD COLUMN paid_from TEXT NOT NULL DEFAULT 'cash' CHECK (paid_from IN ('cash', 'bank', 'gateway'));

-- What was paid of an invoice after some moment, for late fees.
CREATE INDEX allocations_moment ON allocations (tenant_id, allocated_at);

-- lines: as those of invoices.
CREATE TABLE credit_notes (
    tenant_id       BLOB NOT NULL,
    credit_note_id  BLOB NOT NULL,
    number          INTEGER NOT NULL CHECK (number > 0),
    invoice_id      BLOB NOT NULL,
    customer_id     BLOB NOT NULL,
    subscription_id BLOB NOT NULL,
    site_id         BLOB NOT NULL,
    package_id      BLOB NOT NULL,
    reason          TEXT NOT NULL,
    period_start    INTEGER NOT NULL,
    period_end      INTEGER NOT NULL,
    issue_date      INTEGER NOT NULL,
    issued_at       INTEGER NOT NULL,
    dpp             INTEGER NOT NULL,
    ppn             INTEGER NOT NULL,
    total           INTEGER NOT NULL CHECK (total > 0),
    lines           TEXT NOT NULL,
    note            TEXT NOT NULL,
    written_by      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, credit_note_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE INDEX credit_notes_invoice ON credit_notes (tenant_id, invoice_id);
CREATE INDEX credit_notes_customer ON credit_notes (tenant_id, customer_id, credit_note_id);

-- What is said about a payment that is a write-off.
CREATE TABLE write_offs (
    tenant_id   BLOB NOT NULL,
    payment_id  BLOB NOT NULL,
    invoice_id  BLOB NOT NULL,
    reason      TEXT NOT NULL,
    written_by  TEXT NOT NULL,
    PRIMARY KEY (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
) STRICT;

CREATE TABLE deposits (
    tenant_id   BLOB NOT NULL,
    deposit_id  BLOB NOT NULL,
    collector   TEXT NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount > 0),
    kept_in     TEXT NOT NULL CHECK (kept_in IN ('cash', 'bank')),
    deposited_on INTEGER NOT NULL,
    taken_by    TEXT NOT NULL,
    note        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, deposit_id)
) STRICT;

-- kind: 1 subscription, 2 installation, 3 late fee, 4 adjustment.
-- SQLite cannot change a check, so the table is written anew.
CREATE TABLE invoices_now (
    tenant_id       BLOB     NOT NULL,
    invoice_id      BLOB     NOT NULL,
    number          INTEGER   NOT NULL CHECK (number > 0),
    customer_id     BLOB     NOT NULL,
    subscription_id BLOB     NOT NULL,
    site_id         BLOB     NOT NULL,
    package_id      BLOB     NOT NULL,
    kind            INTEGER NOT NULL CHECK (kind IN (1, 2, 3, 4)),
    period_start    INTEGER     NOT NULL,
    period_end      INTEGER     NOT NULL,
    issue_date      INTEGER     NOT NULL,
    due_date        INTEGER     NOT NULL,
    dpp             INTEGER   NOT NULL,
    ppn             INTEGER   NOT NULL,
    total           INTEGER   NOT NULL,
    paid            INTEGER   NOT NULL,
    lines           TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id),
    UNIQUE (tenant_id, period_start, subscription_id, kind),
    CHECK (paid >= 0 AND paid <= total)
) STRICT;
INSERT INTO invoices_now SELECT * FROM invoices;
DROP TABLE invoices;
ALTER TABLE invoices_now RENAME TO invoices;
CREATE INDEX invoices_open ON invoices (tenant_id, due_date, customer_id) WHERE total > paid;
CREATE INDEX invoices_customer ON invoices (tenant_id, customer_id, issue_date);
