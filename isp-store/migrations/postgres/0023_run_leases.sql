-- Who has the right to be a provider's only run, and until when by the clock of this database. A number tells each holder from
-- the ones before, so that one who lost the right cannot commit.

CREATE TABLE run_leases (
    tenant_id  UUID        NOT NULL,
    holder     UUID        NOT NULL,
    held_until TIMESTAMPTZ NOT NULL,
    fence      BIGINT      NOT NULL,
    PRIMARY KEY (tenant_id)
);
