-- Which router a wish is for, so that it can be asked whether it answers before its wishes are taken.

ALTER TABLE outbox ADD COLUMN router_id UUID;
UPDATE outbox SET router_id = substring(payload from '"router_id": ?"([0-9a-f-]{36})"')::uuid WHERE topic = 'access';
CREATE INDEX outbox_router ON outbox (tenant_id, router_id, next_attempt)
    WHERE router_id IS NOT NULL AND state IN ('pending', 'claimed', 'attempting');

-- What somebody has taken, which is little, however much waits.
CREATE INDEX outbox_claimed ON outbox (tenant_id, owner) WHERE claimed_until IS NOT NULL;

-- Routers that could not be used: what was due for one by then waits until then, without a change to its rows.
CREATE TABLE router_rests (
    tenant_id   UUID        NOT NULL,
    router_id   UUID        NOT NULL,
    rests_since TIMESTAMPTZ NOT NULL,
    rests_until TIMESTAMPTZ NOT NULL,
    reason      TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, router_id)
);
