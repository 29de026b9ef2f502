-- What came in from outside, as it arrived, until it was read. Bodies hold personal data and are forgotten after some days.

CREATE TABLE webhooks (
    tenant_id     UUID NOT NULL,
    webhook_id    UUID NOT NULL,
    source        TEXT NOT NULL,
    received_at   TIMESTAMPTZ NOT NULL,
    headers       TEXT NOT NULL,
    body          BYTEA NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'read', 'unread')),
    tries         BIGINT NOT NULL,
    next_try      TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    owner         UUID,
    note          TEXT NOT NULL,
    PRIMARY KEY (tenant_id, webhook_id)
);
CREATE INDEX webhooks_waiting ON webhooks (tenant_id, next_try) WHERE state = 'waiting';
CREATE INDEX webhooks_received ON webhooks (tenant_id, received_at);

-- What was heard of a message after it was sent: 0 nothing, 1 sent, 2 failed, 3 delivered, 4 read.
ALTER TABLE outbox ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;

-- Who wants no messages.
CREATE TABLE opt_outs (
    tenant_id   UUID NOT NULL,
    customer_id UUID NOT NULL,
    since       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX customers_phone ON customers (tenant_id, phone) WHERE phone IS NOT NULL;

-- Links to the pages of customers; of a token only its hash is kept.
CREATE TABLE page_links (
    tenant_id    UUID NOT NULL,
    page_link_id UUID NOT NULL,
    hash         BYTEA NOT NULL,
    customer_id  UUID NOT NULL,
    made_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, page_link_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE UNIQUE INDEX page_links_hash ON page_links (tenant_id, hash);
CREATE INDEX page_links_customer ON page_links (tenant_id, customer_id);
