-- A provider that is being moved between databases, or was: here it leaves, has left, or arrives. Whoever writes for a provider looks
-- here first, so that no two databases take its rows at once.

CREATE TABLE moves (
    tenant_id UUID        NOT NULL,
    state     TEXT        NOT NULL CHECK (state IN ('leaving', 'left', 'arriving')),
    other     TEXT        NOT NULL,
    begun_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id)
);
