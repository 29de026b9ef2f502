-- What banks tell of the provider's accounts, and whose it is.

CREATE TABLE bank_files (
    tenant_id    UUID    NOT NULL,
    bank_file_id UUID    NOT NULL,
    format       TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    first_day    DATE    NOT NULL,
    last_day     DATE    NOT NULL,
    imported_at  TIMESTAMPTZ NOT NULL,
    imported_by  TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, bank_file_id)
);

CREATE TABLE mutations (
    tenant_id    UUID    NOT NULL,
    mutation_id  UUID    NOT NULL,
    account      TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    happened_on  DATE    NOT NULL,
    amount       BIGINT  NOT NULL,
    told         TEXT    NOT NULL,
    balance      BIGINT ,
    bank_file_id UUID    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('unmatched', 'matched', 'ignored', 'taken_back')),
    revision     BIGINT  NOT NULL,
    payment_id   UUID   ,
    booked       BOOLEAN NOT NULL DEFAULT FALSE,
    clue         TEXT,
    marked_at    TIMESTAMPTZ,
    marked_by    TEXT,
    reason       TEXT,
    PRIMARY KEY (tenant_id, mutation_id),
    FOREIGN KEY (tenant_id, bank_file_id) REFERENCES bank_files (tenant_id, bank_file_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id),
    CHECK ((state = 'matched') = (payment_id IS NOT NULL))
);
CREATE INDEX mutations_day ON mutations (tenant_id, account, happened_on);
CREATE INDEX mutations_waiting ON mutations (tenant_id, mutation_id) WHERE amount > 0 AND state IN ('unmatched', 'taken_back');
-- A payment is one mutation.
CREATE UNIQUE INDEX mutations_payment ON mutations (tenant_id, payment_id) WHERE payment_id IS NOT NULL;

-- Words by which a person said whose a mutation is.
CREATE TABLE payer_aliases (
    tenant_id   UUID    NOT NULL,
    mutation_id UUID    NOT NULL,
    words       TEXT    NOT NULL,
    customer_id UUID    NOT NULL,
    PRIMARY KEY (tenant_id, mutation_id),
    FOREIGN KEY (tenant_id, mutation_id) REFERENCES mutations (tenant_id, mutation_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
