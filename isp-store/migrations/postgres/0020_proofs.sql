-- Proofs of transfer: what is known of each, the invoices it is for, its sealed file, and what a person said about it.

CREATE TABLE proofs (
    tenant_id   UUID NOT NULL,
    proof_id    UUID NOT NULL,
    customer_id UUID NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount > 0),
    arrived_at  TIMESTAMPTZ NOT NULL,
    taken_by    TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    file_kind   TEXT NOT NULL CHECK (file_kind IN ('jpeg', 'png', 'webp', 'pdf')),
    file_size   BIGINT NOT NULL CHECK (file_size > 0),
    sha256      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX proofs_of_customer ON proofs (tenant_id, customer_id);

CREATE TABLE proof_invoices (
    tenant_id  UUID NOT NULL,
    proof_id   UUID NOT NULL,
    invoice_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, proof_id, invoice_id),
    FOREIGN KEY (tenant_id, proof_id) REFERENCES proofs (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, invoice_id) REFERENCES invoices (tenant_id, invoice_id)
);

CREATE TABLE proof_files (
    tenant_id      UUID NOT NULL,
    proof_id       UUID NOT NULL,
    content_sealed BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, proof_id) REFERENCES proofs (tenant_id, proof_id)
);

CREATE TABLE proof_reviews (
    tenant_id   UUID NOT NULL,
    proof_id    UUID NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('accepted', 'rejected', 'taken_back')),
    payment_id  UUID CHECK ((payment_id IS NOT NULL) = (state = 'accepted')),
    reviewed_at TIMESTAMPTZ NOT NULL,
    reviewed_by TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, proof_id),
    FOREIGN KEY (tenant_id, proof_id) REFERENCES proofs (tenant_id, proof_id)
);
