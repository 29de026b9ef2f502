-- Who changed what, when and by which command: an entry a commit. Each carries a hash over itself and over the hash before it;
-- the tenant's row has the newest. Nothing is ever changed or removed here.

CREATE TABLE audit_log (
    tenant_id   UUID        NOT NULL,
    sequence    BIGINT      NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL,
    acted_by    TEXT        NOT NULL,
    command     TEXT        NOT NULL,
    changes     TEXT        NOT NULL,
    hash        BYTEA       NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
);
ALTER TABLE tenants ADD COLUMN audit_sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN audit_hash BYTEA;
