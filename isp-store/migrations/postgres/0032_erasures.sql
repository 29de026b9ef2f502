-- That a customer's personal data was erased: when, by whom, why. Nothing of the person is written from then on.

CREATE TABLE erasures (
    tenant_id   UUID NOT NULL,
    customer_id UUID NOT NULL,
    erased_at   TIMESTAMPTZ NOT NULL,
    erased_by   TEXT NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
