-- Money is whole rupiah. Every key begins with tenant_id, and no sequence is shared by all writers.
-- Columns that end in _sealed hold what the vault sealed; nothing else may read or write them.

CREATE TABLE meta (
    key   TEXT  NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);

-- One row a tenant: its lock, its invoice counter, the position of its billing run.
CREATE TABLE tenants (
    tenant_id        UUID   NOT NULL PRIMARY KEY,
    next_invoice     BIGINT NOT NULL DEFAULT 1,
    billing_position DATE
);

CREATE TABLE sites (
    tenant_id UUID NOT NULL,
    site_id   UUID NOT NULL,
    code      TEXT NOT NULL,
    name      TEXT NOT NULL,
    zone      TEXT NOT NULL CHECK (zone IN ('WIB', 'WITA', 'WIT')),
    PRIMARY KEY (tenant_id, site_id),
    UNIQUE (tenant_id, code)
);

CREATE TABLE routers (
    tenant_id       UUID    NOT NULL,
    router_id       UUID    NOT NULL,
    code            TEXT    NOT NULL,
    site_id         UUID    NOT NULL,
    host            TEXT    NOT NULL,
    port            BIGINT  NOT NULL CHECK (port BETWEEN 1 AND 65535),
    tls             BOOLEAN NOT NULL,
    username        TEXT    NOT NULL,
    password_sealed BYTEA   NOT NULL,
    PRIMARY KEY (tenant_id, router_id),
    UNIQUE (tenant_id, code),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
);

-- prices: [{"from": "2026-01-01", "price": 150000}, ...], oldest first.
CREATE TABLE packages (
    tenant_id  UUID    NOT NULL,
    package_id UUID    NOT NULL,
    code       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    prices     TEXT    NOT NULL,
    tax_mode   TEXT    NOT NULL,
    group_name TEXT    NOT NULL,
    down_kbps  BIGINT  NOT NULL,
    up_kbps    BIGINT  NOT NULL,
    sold       BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, package_id),
    UNIQUE (tenant_id, code)
);

CREATE TABLE customers (
    tenant_id   UUID NOT NULL,
    customer_id UUID NOT NULL,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    nik_sealed  BYTEA,
    nik_index   BYTEA,
    address     TEXT NOT NULL,
    phone       TEXT,
    language    TEXT NOT NULL CHECK (language IN ('id', 'en')),
    PRIMARY KEY (tenant_id, customer_id),
    UNIQUE (tenant_id, code)
);
CREATE INDEX customers_nik ON customers (tenant_id, nik_index) WHERE nik_index IS NOT NULL;

CREATE TABLE subscriptions (
    tenant_id         UUID     NOT NULL,
    subscription_id   UUID     NOT NULL,
    customer_id       UUID     NOT NULL,
    site_id           UUID     NOT NULL,
    router_id         UUID,
    username          TEXT     NOT NULL,
    password_sealed   BYTEA    NOT NULL,
    package_id        UUID     NOT NULL,
    change_package_id UUID,
    change_from       DATE,
    billing_day       SMALLINT NOT NULL CHECK (billing_day BETWEEN 1 AND 31),
    cycle_months      SMALLINT NOT NULL CHECK (cycle_months IN (1, 3, 6, 12)),
    timing            TEXT     NOT NULL CHECK (timing IN ('prepaid', 'postpaid')),
    starts_on         DATE     NOT NULL,
    ends_on           DATE,
    paused_from       DATE,
    held_price        BIGINT,
    held_until        DATE,
    discount_amount   BIGINT,
    discount_percent  SMALLINT,
    discount_until    DATE,
    billed_from       DATE,
    PRIMARY KEY (tenant_id, subscription_id),
    UNIQUE (tenant_id, router_id, username),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id),
    FOREIGN KEY (tenant_id, package_id) REFERENCES packages (tenant_id, package_id),
    FOREIGN KEY (tenant_id, change_package_id) REFERENCES packages (tenant_id, package_id),
    CHECK ((change_package_id IS NULL) = (change_from IS NULL))
);
CREATE INDEX subscriptions_customer ON subscriptions (tenant_id, customer_id, subscription_id);
CREATE INDEX subscriptions_router ON subscriptions (tenant_id, router_id, subscription_id);

CREATE TABLE installation_kinds (
    tenant_id            UUID   NOT NULL,
    installation_kind_id UUID   NOT NULL,
    code                 TEXT   NOT NULL,
    name                 TEXT   NOT NULL,
    price                BIGINT NOT NULL CHECK (price >= 0),
    PRIMARY KEY (tenant_id, installation_kind_id),
    UNIQUE (tenant_id, code)
);

CREATE TABLE installation_orders (
    tenant_id             UUID     NOT NULL,
    installation_order_id UUID     NOT NULL,
    customer_id           UUID     NOT NULL,
    subscription_id       UUID     NOT NULL,
    installation_kind_id  UUID     NOT NULL,
    fee                   BIGINT   NOT NULL CHECK (fee >= 0),
    installed_on          DATE     NOT NULL,
    instalments           SMALLINT NOT NULL CHECK (instalments BETWEEN 1 AND 12),
    PRIMARY KEY (tenant_id, installation_order_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, installation_kind_id) REFERENCES installation_kinds (tenant_id, installation_kind_id)
);
CREATE INDEX installation_orders_customer ON installation_orders (tenant_id, customer_id);

-- The schedule of an order, kept beside it so that what is due can be found by its day.
CREATE TABLE instalments (
    tenant_id             UUID     NOT NULL,
    invoice_id            UUID     NOT NULL,
    installation_order_id UUID     NOT NULL,
    due_on                DATE     NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id)
);
CREATE INDEX instalments_due ON instalments (tenant_id, due_on);
CREATE INDEX instalments_order ON instalments (tenant_id, installation_order_id);

CREATE TABLE cpes (
    tenant_id       UUID    NOT NULL,
    cpe_id          UUID    NOT NULL,
    serial          TEXT    NOT NULL,
    customer_id     UUID    NOT NULL,
    outdoor_unit    TEXT,
    router          TEXT,
    ip              TEXT,
    username        TEXT,
    password_sealed BYTEA,
    ownership       TEXT    NOT NULL CHECK (ownership IN ('owned', 'lent')),
    value           BIGINT  NOT NULL,
    installed       BOOLEAN NOT NULL,
    PRIMARY KEY (tenant_id, cpe_id),
    UNIQUE (tenant_id, serial),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX cpes_customer ON cpes (tenant_id, customer_id);

CREATE TABLE device_history (
    tenant_id         UUID   NOT NULL,
    device_history_id UUID   NOT NULL,
    customer_id       UUID   NOT NULL,
    cpe_id            UUID   NOT NULL,
    happened_on       DATE   NOT NULL,
    action            TEXT   NOT NULL CHECK (action IN ('installed', 'replaced', 'returned')),
    device            TEXT   NOT NULL,
    reason            TEXT   NOT NULL,
    ownership         TEXT   NOT NULL,
    officer           TEXT   NOT NULL,
    cost              BIGINT NOT NULL CHECK (cost >= 0),
    PRIMARY KEY (tenant_id, device_history_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, cpe_id) REFERENCES cpes (tenant_id, cpe_id)
);
CREATE INDEX device_history_customer ON device_history (tenant_id, customer_id, happened_on);

CREATE TABLE expenses (
    tenant_id  UUID   NOT NULL,
    expense_id UUID   NOT NULL,
    spent_on   DATE   NOT NULL,
    category   TEXT   NOT NULL,
    amount     BIGINT NOT NULL,
    note       TEXT   NOT NULL,
    site_id    UUID,
    PRIMARY KEY (tenant_id, expense_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
);

CREATE TABLE promises (
    tenant_id   UUID NOT NULL,
    promise_id  UUID NOT NULL,
    customer_id UUID NOT NULL,
    made_on     DATE NOT NULL,
    until_day   DATE NOT NULL,
    taken_by    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, promise_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX promises_customer ON promises (tenant_id, customer_id);

CREATE TABLE exemptions (
    tenant_id    UUID NOT NULL,
    exemption_id UUID NOT NULL,
    customer_id  UUID NOT NULL,
    from_day     DATE NOT NULL,
    until_day    DATE NOT NULL,
    reason       TEXT NOT NULL,
    granted_by   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, exemption_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
);
CREATE INDEX exemptions_customer ON exemptions (tenant_id, customer_id);

CREATE TABLE outages (
    tenant_id UUID        NOT NULL,
    outage_id UUID        NOT NULL,
    site_id   UUID        NOT NULL,
    from_at   TIMESTAMPTZ NOT NULL,
    until_at  TIMESTAMPTZ,
    note      TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, outage_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
);
CREATE INDEX outages_site ON outages (tenant_id, site_id);

-- Without foreign keys: each would cost more than half of what writing an invoice costs.
-- The unique key is in the order in which a billing run writes. lines: see src/encode.rs.
-- kind: 1 subscription, 2 installation, 3 late fee.
CREATE TABLE invoices (
    tenant_id       UUID     NOT NULL,
    invoice_id      UUID     NOT NULL,
    number          BIGINT   NOT NULL CHECK (number > 0),
    customer_id     UUID     NOT NULL,
    subscription_id UUID     NOT NULL,
    site_id         UUID     NOT NULL,
    package_id      UUID     NOT NULL,
    kind            SMALLINT NOT NULL CHECK (kind IN (1, 2, 3)),
    period_start    DATE     NOT NULL,
    period_end      DATE     NOT NULL,
    issue_date      DATE     NOT NULL,
    due_date        DATE     NOT NULL,
    dpp             BIGINT   NOT NULL,
    ppn             BIGINT   NOT NULL,
    total           BIGINT   NOT NULL,
    paid            BIGINT   NOT NULL,
    lines           TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id),
    UNIQUE (tenant_id, period_start, subscription_id, kind),
    CHECK (paid >= 0 AND paid <= total)
);
CREATE INDEX invoices_open ON invoices (tenant_id, due_date, customer_id) WHERE total > paid;
CREATE INDEX invoices_customer ON invoices (tenant_id, customer_id, issue_date);

CREATE TABLE payments (
    tenant_id   UUID        NOT NULL,
    payment_id  UUID        NOT NULL,
    customer_id UUID        NOT NULL,
    provider    TEXT        NOT NULL,
    reference   TEXT        NOT NULL,
    amount      BIGINT      NOT NULL CHECK (amount > 0),
    left_over   BIGINT      NOT NULL,
    paid_at     TIMESTAMPTZ NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, payment_id),
    UNIQUE (tenant_id, provider, reference),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    CHECK (left_over >= 0 AND left_over <= amount)
);
CREATE INDEX payments_customer ON payments (tenant_id, customer_id, payment_id);
CREATE INDEX payments_credit ON payments (tenant_id, customer_id) WHERE left_over > 0;

CREATE TABLE payment_reversals (
    tenant_id   UUID        NOT NULL,
    payment_id  UUID        NOT NULL,
    reversed_at TIMESTAMPTZ NOT NULL,
    reason      TEXT        NOT NULL,
    reversed_by TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
);

CREATE TABLE allocations (
    tenant_id    UUID        NOT NULL,
    payment_id   UUID        NOT NULL,
    position     BIGINT      NOT NULL,
    invoice_id   UUID        NOT NULL,
    amount       BIGINT      NOT NULL,
    allocated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, position),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
);
CREATE INDEX allocations_invoice ON allocations (tenant_id, invoice_id);

CREATE TABLE service_access (
    tenant_id         UUID   NOT NULL,
    subscription_id   UUID   NOT NULL,
    desired           TEXT   NOT NULL CHECK (desired IN ('open', 'isolated', 'closed')),
    cause             TEXT   CHECK (cause IN ('arrears', 'manual')),
    isolated_at       TIMESTAMPTZ,
    isolated_overdue  BIGINT,
    revision          BIGINT NOT NULL,
    version           BIGINT NOT NULL,
    observed_access   TEXT,
    observed_revision BIGINT,
    observed_at       TIMESTAMPTZ,
    observed_answer   TEXT,
    PRIMARY KEY (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id)
);

CREATE TABLE access_events (
    tenant_id       UUID        NOT NULL,
    access_event_id UUID        NOT NULL,
    subscription_id UUID        NOT NULL,
    happened_at     TIMESTAMPTZ NOT NULL,
    kind            TEXT        NOT NULL,
    decided_by      TEXT        NOT NULL,
    reason          TEXT        NOT NULL,
    overdue         BIGINT      NOT NULL,
    revision        BIGINT      NOT NULL,
    PRIMARY KEY (tenant_id, access_event_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id)
);
CREATE INDEX access_events_subscription ON access_events (tenant_id, subscription_id, revision);

CREATE TABLE outbox (
    tenant_id     UUID        NOT NULL,
    outbox_id     UUID        NOT NULL,
    topic         TEXT        NOT NULL CHECK (topic IN ('access', 'message')),
    customer_id   UUID,
    state         TEXT        NOT NULL,
    attempts      BIGINT      NOT NULL,
    next_attempt  TIMESTAMPTZ NOT NULL,
    claimed_until TIMESTAMPTZ,
    payload       TEXT        NOT NULL,
    note          TEXT        NOT NULL,
    provider_id   TEXT,
    finished_at   TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, outbox_id)
);
CREATE INDEX outbox_due ON outbox (tenant_id, topic, next_attempt)
    WHERE state IN ('pending', 'claimed', 'attempting');
CREATE INDEX outbox_customer ON outbox (tenant_id, customer_id) WHERE customer_id IS NOT NULL;

-- Rule N2: what a message is about makes it be written once.
CREATE TABLE notification_keys (
    tenant_id UUID     NOT NULL,
    subject   UUID     NOT NULL,
    kind      TEXT     NOT NULL,
    level     BIGINT   NOT NULL,
    outbox_id UUID     NOT NULL,
    PRIMARY KEY (tenant_id, subject, kind, level)
);

CREATE TABLE journal_entries (
    tenant_id        UUID NOT NULL,
    journal_entry_id UUID NOT NULL,
    booked_on        DATE NOT NULL,
    kind             TEXT NOT NULL,
    PRIMARY KEY (tenant_id, journal_entry_id)
);

CREATE TABLE journal_lines (
    tenant_id        UUID   NOT NULL,
    journal_entry_id UUID   NOT NULL,
    line             BIGINT NOT NULL,
    booked_on        DATE   NOT NULL,
    kind             TEXT   NOT NULL,
    account          TEXT   NOT NULL,
    amount           BIGINT NOT NULL,
    package_id       UUID,
    site_id          UUID,
    PRIMARY KEY (tenant_id, journal_entry_id, line)
);
CREATE INDEX journal_lines_day ON journal_lines (tenant_id, booked_on);
