-- A provider that is being moved between databases, or was; used on PostgreSQL only. Both databases have the same tables.

CREATE TABLE moves (
    tenant_id BLOB    NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('leaving', 'left', 'arriving')),
    other     TEXT    NOT NULL,
    begun_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id)
) STRICT;
