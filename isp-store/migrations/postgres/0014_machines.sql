-- The machine that serves the lines of a router: the first that answered there, or the one that a person said is right.

CREATE TABLE router_machines (
    tenant_id UUID        NOT NULL,
    router_id UUID        NOT NULL,
    identity  TEXT        NOT NULL,
    serial    TEXT,
    since     TIMESTAMPTZ NOT NULL,
    said_by   TEXT,
    PRIMARY KEY (tenant_id, router_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id)
);
