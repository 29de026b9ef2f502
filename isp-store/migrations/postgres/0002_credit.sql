-- Credit notes, write-offs, collectors, and the channel of payments.

ALTER TABLE tenants ADD COLUMN next_credit_note BIGINT NOT NULL DEFAULT 1;

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
    tenant_id       UUID NOT NULL,
    credit_note_id  UUID NOT NULL,
    number          BIGINT NOT NULL CHECK (number > 0),
    invoice_id      UUID NOT NULL,
    customer_id     UUID NOT NULL,
    subscription_id UUID NOT NULL,
    site_id         UUID NOT NULL,
    package_id      UUID NOT NULL,
    reason          TEXT NOT NULL,
    period_start    DATE NOT NULL,
    period_end      DATE NOT NULL,
    issue_date      DATE NOT NULL,
    issued_at       TIMESTAMPTZ NOT NULL,
    dpp             BIGINT NOT NULL,
    ppn             BIGINT NOT NULL,
    total           BIGINT NOT NULL CHECK (total > 0),
    lines           TEXT NOT NULL,
    note            TEXT NOT NULL,
    written_by      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, credit_note_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX credit_notes_invoice ON credit_notes (tenant_id, invoice_id);
CREATE INDEX credit_notes_customer ON credit_notes (tenant_id, customer_id, credit_note_id);

-- What is said about a payment that is a write-off.
CREATE TABLE write_offs (
    tenant_id   UUID NOT NULL,
    payment_id  UUID NOT NULL,
    invoice_id  UUID NOT NULL,
    reason      TEXT NOT NULL,
    written_by  TEXT NOT NULL,
    PRIMARY KEY (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
);

CREATE TABLE deposits (
    tenant_id   UUID NOT NULL,
    deposit_id  UUID NOT NULL,
    collector   TEXT NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount > 0),
    kept_in     TEXT NOT NULL CHECK (kept_in IN ('cash', 'bank')),
    deposited_on DATE NOT NULL,
    taken_by    TEXT NOT NULL,
    note        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, deposit_id)
);

-- kind: 1 subscription, 2 installation, 3 late fee, 4 adjustment.
ALTER TABLE invoices DROP CONSTRAINT invoices_kind_check;
ALTER TABLE invoices ADD CONSTRAINT invoices_kind_check CHECK (kind IN (1, 2, 3, 4));
