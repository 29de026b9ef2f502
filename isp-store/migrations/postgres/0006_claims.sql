-- Who claimed a row of the outbox, and how often it was claimed: only the last one writes its outcome.
-- The template is that for which the last attempt failed.

ALTER TABLE outbox ADD COLUMN owner UUID;
ALTER TABLE outbox ADD COLUMN fence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN template TEXT;
CREATE INDEX outbox_template ON outbox (tenant_id, template) WHERE template IS NOT NULL;

-- Who may write to a router. A row stays when the right is given back, so that its fence only rises.
CREATE TABLE router_holds (
    tenant_id  UUID        NOT NULL,
    router_id  UUID        NOT NULL,
    owner      UUID        NOT NULL,
    held_until TIMESTAMPTZ NOT NULL,
    fence      BIGINT      NOT NULL,
    PRIMARY KEY (tenant_id, router_id)
);
