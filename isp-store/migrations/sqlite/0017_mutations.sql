-- What banks tell of the provider's accounts, and whose it is.

CREATE TABLE bank_files (
    tenant_id    BLOB    NOT NULL,
    bank_file_id BLOB    NOT NULL,
    format       TEXT    NOT NULL,
    account      TEXT    NOT NULL,
    first_day    INTEGER NOT NULL,
    last_day     INTEGER NOT NULL,
    imported_at  INTEGER NOT NULL,
    imported_by  TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, bank_file_id)
) STRICT;

CREATE TABLE mutations (
    tenant_id    BLOB    NOT NULL,
    mutation_id  BLOB    NOT NULL,
    account      TEXT    NOT NULL,
    format       TEXT    NOT NULL,
    happened_on  INTEGER NOT NULL,
    amount       INTEGER NOT NULL,
    told         TEXT    NOT NULL,
    balance      INTEGER,
    bank_file_id BLOB    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('unmatched', 'matched', 'ignored', 'taken_back')),
    revision     INTEGER NOT NULL,
    payment_id   BLOB   ,
    booked       INTEGER NOT NULL DEFAULT 0,
    clue         TEXT,
    marked_at    INTEGER,
    marked_by    TEXT,
    reason       TEXT,
    PRIMARY KEY (tenant_id, mutation_id),
    FOREIGN KEY (tenant_id, bank_file_id) REFERENCES bank_files (tenant_id, bank_file_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id),
    CHECK ((state = 'matched') = (payment_id IS NOT NULL))
) STRICT;
CREATE INDEX mutations_day ON mutations (tenant_id, account, happened_on);
CREATE INDEX mutations_waiting ON mutations (tenant_id, mutation_id) WHERE amount > 0 AND state IN ('unmatched', 'taken_back');
-- A payment is one mutation.
CREATE UNIQUE INDEX mutations_payment ON mutations (tenant_id, payment_id) WHERE payment_id IS NOT NULL;

-- Words by which a person said whose a mutation is.
CREATE TABLE payer_aliases (
    tenant_id   BLOB    NOT NULL,
    mutation_id BLOB    NOT NULL,
    words       TEXT    NOT NULL,
    customer_id BLOB    NOT NULL,
    PRIMARY KEY (tenant_id, mutation_id),
    FOREIGN KEY (tenant_id, mutation_id) REFERENCES mutations (tenant_id, mutation_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
