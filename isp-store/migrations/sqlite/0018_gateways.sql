-- What payment gateways were asked to collect, and what they paid out.

CREATE TABLE gateway_requests (
    tenant_id          BLOB    NOT NULL,
    payment_request_id BLOB    NOT NULL,
    customer_id        BLOB    NOT NULL,
    invoice_id         BLOB   ,
    -- The invoice, or the customer where it is about everything owed.
    document_id        BLOB    NOT NULL,
    gateway            TEXT    NOT NULL,
    channel            TEXT    NOT NULL,
    reference          TEXT    NOT NULL,
    -- The reference in small letters and without blanks, as it is compared.
    known_as           TEXT    NOT NULL,
    amount             INTEGER  NOT NULL CHECK (amount > 0),
    made_at            INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN
        ('attempting', 'unknown', 'open', 'cancelling', 'expired', 'cancelled', 'paid')),
    provider_id        TEXT,
    pay_number         TEXT,
    pay_biller         TEXT,
    pay_qris           TEXT,
    pay_url            TEXT,
    fee                INTEGER  CHECK (fee >= 0),
    payment_id         BLOB   ,
    poll_at            INTEGER,
    note               TEXT    NOT NULL,
    revision           INTEGER  NOT NULL,
    PRIMARY KEY (tenant_id, payment_request_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id),
    CHECK (payment_id IS NULL OR state = 'paid')
) STRICT;
CREATE UNIQUE INDEX gateway_requests_reference ON gateway_requests (tenant_id, gateway, known_as);
CREATE UNIQUE INDEX gateway_requests_live ON gateway_requests (tenant_id, document_id, gateway, channel)
    WHERE state IN ('attempting', 'unknown', 'open');
CREATE INDEX gateway_requests_customer ON gateway_requests (tenant_id, customer_id);
CREATE INDEX gateway_requests_payment ON gateway_requests (tenant_id, payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX gateway_requests_poll ON gateway_requests (tenant_id, poll_at) WHERE poll_at IS NOT NULL;

CREATE TABLE payouts (
    tenant_id BLOB   NOT NULL,
    payout_id BLOB   NOT NULL,
    gateway   TEXT   NOT NULL,
    net       INTEGER NOT NULL CHECK (net > 0),
    fee       INTEGER NOT NULL CHECK (fee >= 0),
    paid_on   INTEGER NOT NULL,
    booked_by TEXT   NOT NULL,
    note      TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, payout_id)
) STRICT;
