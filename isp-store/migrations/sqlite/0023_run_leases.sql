-- Who has the right to be a provider's only run, and until when by the clock of this database. A number tells each holder from
-- the ones before, so that one who lost the right cannot commit.

CREATE TABLE run_leases (
    tenant_id  BLOB    NOT NULL,
    holder     BLOB    NOT NULL,
    held_until INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;
