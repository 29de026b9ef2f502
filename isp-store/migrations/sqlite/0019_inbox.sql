-- What came in from outside, as it arrived, until it was read. Bodies hold personal data and are forgotten after some days.

CREATE TABLE webhooks (
    tenant_id     BLOB NOT NULL,
    webhook_id    BLOB NOT NULL,
    source        TEXT NOT NULL,
    received_at   INTEGER NOT NULL,
    headers       TEXT NOT NULL,
    body          BLOB NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'read', 'unread')),
    tries         INTEGER NOT NULL,
    next_try      INTEGER NOT NULL,
    claimed_until INTEGER,
    owner         BLOB,
    note          TEXT NOT NULL,
    PRIMARY KEY (tenant_id, webhook_id)
) STRICT;
CREATE INDEX webhooks_waiting ON webhooks (tenant_id, next_try) WHERE state = 'waiting';
CREATE INDEX webhooks_received ON webhooks (tenant_id, received_at);

-- What was heard of a message after it was sent: 0 nothing, 1 sent, 2 failed, 3 delivered, 4 read.
ALTER TABLE outbox ADD COLUMN heard INTEGER NOT NULL DEFAULT 0;

-- Who wants no messages.
CREATE TABLE opt_outs (
    tenant_id   BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    since       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE INDEX customers_phone ON customers (tenant_id, phone) WHERE phone IS NOT NULL;

-- Links to the pages of customers; of a token only its hash is kept.
CREATE TABLE page_links (
    tenant_id    BLOB NOT NULL,
    page_link_id BLOB NOT NULL,
    hash         BLOB NOT NULL,
    customer_id  BLOB NOT NULL,
    made_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, page_link_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE UNIQUE INDEX page_links_hash ON page_links (tenant_id, hash);
CREATE INDEX page_links_customer ON page_links (tenant_id, customer_id);
