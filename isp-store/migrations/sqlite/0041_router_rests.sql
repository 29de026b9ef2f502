-- Which router a wish is for, so that it can be asked whether it answers before its wishes are taken.

ALTER TABLE outbox ADD COLUMN router_id BLOB;
UPDATE outbox SET router_id = unhex(replace(substr(payload, instr(payload, '"router_id":"') + 13, 36), '-', ''))
    WHERE topic = 'access' AND instr(payload, '"router_id":"') > 0;
CREATE INDEX outbox_router ON outbox (tenant_id, router_id, next_attempt)
    WHERE router_id IS NOT NULL AND state IN ('pending', 'claimed', 'attempting');

-- What somebody has taken, which is little, however much waits.
CREATE INDEX outbox_claimed ON outbox (tenant_id, owner) WHERE claimed_until IS NOT NULL;

-- Routers that could not be used: what was due for one by then waits until then, without a change to its rows.
CREATE TABLE router_rests (
    tenant_id   BLOB    NOT NULL,
    router_id   BLOB    NOT NULL,
    rests_since INTEGER NOT NULL,
    rests_until INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, router_id)
) STRICT;
