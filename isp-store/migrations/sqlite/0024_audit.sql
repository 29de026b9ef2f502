-- Who changed what, when and by which command: an entry a commit. Each carries a hash over itself and over the hash before it;
-- the tenant's row has the newest. Nothing is ever changed or removed here.

CREATE TABLE audit_log (
    tenant_id   BLOB    NOT NULL,
    sequence    INTEGER NOT NULL,
    happened_at INTEGER NOT NULL,
    acted_by    TEXT    NOT NULL,
    command     TEXT    NOT NULL,
    changes     TEXT    NOT NULL,
    hash        BLOB    NOT NULL,
    PRIMARY KEY (tenant_id, sequence)
) STRICT;
ALTER TABLE tenants ADD COLUMN audit_sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN audit_hash BLOB;
