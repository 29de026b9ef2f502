-- Proofs of transfer: what is known of each, the invoices it is for, its sealed file, and what a person said about it.

CREATE TABLE proofs (
    tenant_id   BLOB NOT NULL,
    proof_id    BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    amount      INTEGER NOT NULL CHECK (amount > 0),
    arrived_at  INTEGER NOT NULL,
    taken_by    TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    file_kind   TEXT NOT NULL CHECK (file_kind IN ('jpeg', 'png', 'webp', 'pdf')),
    file_size   INTEGER NOT NULL CHECK (file_size > 0),
    sha256      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE INDEX proofs_of_customer ON proofs (tenant_id, customer_id);

CREATE TABLE proof_invoices (
    tenant_id  BLOB NOT NULL,
    proof_id   BLOB NOT NULL,
    invoice_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, proof_id, invoice_id),
    FOREIGN KEY (tenant_id, proof_id) REFERENCES proofs (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, invoice_id)
) STRICT;

CREATE TABLE proof_files (
    tenant_id      BLOB NOT NULL,
    proof_id       BLOB NOT NULL,
    content_sealed BLOB NOT NULL,
    PRIMARY KEY (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, proof_id) REFERENCES proofs (tenant_id, proof_id)
) STRICT;

CREATE TABLE proof_reviews (
    tenant_id   BLOB NOT NULL,
    proof_id    BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('accepted', 'rejected', 'taken_back')),
    payment_id  BLOB CHECK ((payment_id IS NOT NULL) = (state = 'accepted')),
    reviewed_at INTEGER NOT NULL,
    reviewed_by TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, proof_id) REFERENCES proofs (tenant_id, proof_id)
) STRICT;
