-- Days are counted from 1970-01-01, moments in microseconds from its beginning in UTC.
-- Money is whole rupiah. Every key begins with tenant_id, and no sequence is shared by all writers.
-- Columns that end in _sealed hold what the vault sealed; nothing else may read or write them.

CREATE TABLE meta (
    key   TEXT  NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- One row a tenant: its lock, its invoice counter, the position of its billing run.
CREATE TABLE tenants (
    tenant_id        BLOB   NOT NULL PRIMARY KEY,
    next_invoice     INTEGER NOT NULL DEFAULT 1,
    billing_position INTEGER
) STRICT;

CREATE TABLE sites (
    tenant_id BLOB NOT NULL,
    site_id   BLOB NOT NULL,
    code      TEXT NOT NULL,
    name      TEXT NOT NULL,
    zone      TEXT NOT NULL CHECK (zone IN ('WIB', 'WITA', 'WIT')),
    PRIMARY KEY (tenant_id, site_id),
    UNIQUE (tenant_id, code)
) STRICT;

CREATE TABLE routers (
    tenant_id       BLOB    NOT NULL,
    router_id       BLOB    NOT NULL,
    code            TEXT    NOT NULL,
    site_id         BLOB    NOT NULL,
    host            TEXT    NOT NULL,
    port            INTEGER  NOT NULL CHECK (port BETWEEN 1 AND 65535),
    tls             INTEGER NOT NULL,
    username        TEXT    NOT NULL,
    password_sealed BLOB   NOT NULL,
    PRIMARY KEY (tenant_id, router_id),
    UNIQUE (tenant_id, code),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
) STRICT;

-- prices: [{"from": "2026-01-01", "price": 150000}, ...], oldest first.
CREATE TABLE packages (
    tenant_id  BLOB    NOT NULL,
    package_id BLOB    NOT NULL,
    code       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    prices     TEXT    NOT NULL,
    tax_mode   TEXT    NOT NULL,
    group_name TEXT    NOT NULL,
    down_kbps  INTEGER  NOT NULL,
    up_kbps    INTEGER  NOT NULL,
    sold       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, package_id),
    UNIQUE (tenant_id, code)
) STRICT;

CREATE TABLE customers (
    tenant_id   BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    nik_sealed  BLOB,
    nik_index   BLOB,
    address     TEXT NOT NULL,
    phone       TEXT,
    language    TEXT NOT NULL CHECK (language IN ('id', 'en')),
    PRIMARY KEY (tenant_id, customer_id),
    UNIQUE (tenant_id, code)
) STRICT;
CREATE INDEX customers_nik ON customers (tenant_id, nik_index) WHERE nik_index IS NOT NULL;

CREATE TABLE subscriptions (
    tenant_id         BLOB     NOT NULL,
    subscription_id   BLOB     NOT NULL,
    customer_id       BLOB     NOT NULL,
    site_id           BLOB     NOT NULL,
    router_id         BLOB,
    username          TEXT     NOT NULL,
    password_sealed   BLOB    NOT NULL,
    package_id        BLOB     NOT NULL,
    change_package_id BLOB,
    change_from       INTEGER,
    billing_day       INTEGER NOT NULL CHECK (billing_day BETWEEN 1 AND 31),
    cycle_months      INTEGER NOT NULL CHECK (cycle_months IN (1, 3, 6, 12)),
    timing            TEXT     NOT NULL CHECK (timing IN ('prepaid', 'postpaid')),
    starts_on         INTEGER     NOT NULL,
    ends_on           INTEGER,
    paused_from       INTEGER,
    held_price        INTEGER,
    held_until        INTEGER,
    discount_amount   INTEGER,
    discount_percent  INTEGER,
    discount_until    INTEGER,
    billed_from       INTEGER,
    PRIMARY KEY (tenant_id, subscription_id),
    UNIQUE (tenant_id, router_id, username),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id),
    FOREIGN KEY (tenant_id, package_id) REFERENCES packages (tenant_id, package_id),
    FOREIGN KEY (tenant_id, change_package_id) REFERENCES packages (tenant_id, package_id),
    CHECK ((change_package_id IS NULL) = (change_from IS NULL))
) STRICT;
CREATE INDEX subscriptions_customer ON subscriptions (tenant_id, customer_id, subscription_id);
CREATE INDEX subscriptions_router ON subscriptions (tenant_id, router_id, subscription_id);

CREATE TABLE installation_kinds (
    tenant_id            BLOB   NOT NULL,
    installation_kind_id BLOB   NOT NULL,
    code                 TEXT   NOT NULL,
    name                 TEXT   NOT NULL,
    price                INTEGER NOT NULL CHECK (price >= 0),
    PRIMARY KEY (tenant_id, installation_kind_id),
    UNIQUE (tenant_id, code)
) STRICT;

CREATE TABLE installation_orders (
    tenant_id             BLOB     NOT NULL,
    installation_order_id BLOB     NOT NULL,
    customer_id           BLOB     NOT NULL,
    subscription_id       BLOB     NOT NULL,
    installation_kind_id  BLOB     NOT NULL,
    fee                   INTEGER   NOT NULL CHECK (fee >= 0),
    installed_on          INTEGER     NOT NULL,
    instalments           INTEGER NOT NULL CHECK (instalments BETWEEN 1 AND 12),
    PRIMARY KEY (tenant_id, installation_order_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, installation_kind_id) REFERENCES installation_kinds (tenant_id, installation_kind_id)
) STRICT;
CREATE INDEX installation_orders_customer ON installation_orders (tenant_id, customer_id);

-- The schedule of an order, kept beside it so that what is due can be found by its day.
CREATE TABLE instalments (
    tenant_id             BLOB     NOT NULL,
    invoice_id            BLOB     NOT NULL,
    installation_order_id BLOB     NOT NULL,
    due_on                INTEGER     NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id)
) STRICT;
CREATE INDEX instalments_due ON instalments (tenant_id, due_on);
CREATE INDEX instalments_order ON instalments (tenant_id, installation_order_id);

CREATE TABLE cpes (
    tenant_id       BLOB    NOT NULL,
    cpe_id          BLOB    NOT NULL,
    serial          TEXT    NOT NULL,
    customer_id     BLOB    NOT NULL,
    outdoor_unit    TEXT,
    router          TEXT,
    ip              TEXT,
    username        TEXT,
    password_sealed BLOB,
    ownership       TEXT    NOT NULL CHECK (ownership IN ('owned', 'lent')),
    value           INTEGER  NOT NULL,
    installed       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, cpe_id),
    UNIQUE (tenant_id, serial),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE INDEX cpes_customer ON cpes (tenant_id, customer_id);

CREATE TABLE device_history (
    tenant_id         BLOB   NOT NULL,
    device_history_id BLOB   NOT NULL,
    customer_id       BLOB   NOT NULL,
    cpe_id            BLOB   NOT NULL,
    happened_on       INTEGER   NOT NULL,
    action            TEXT   NOT NULL CHECK (action IN ('installed', 'replaced', 'returned')),
    device            TEXT   NOT NULL,
    reason            TEXT   NOT NULL,
    ownership         TEXT   NOT NULL,
    officer           TEXT   NOT NULL,
    cost              INTEGER NOT NULL CHECK (cost >= 0),
    PRIMARY KEY (tenant_id, device_history_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, cpe_id) REFERENCES cpes (tenant_id, cpe_id)
) STRICT;
CREATE INDEX device_history_customer ON device_history (tenant_id, customer_id, happened_on);

CREATE TABLE expenses (
    tenant_id  BLOB   NOT NULL,
    expense_id BLOB   NOT NULL,
    spent_on   INTEGER   NOT NULL,
    category   TEXT   NOT NULL,
    amount     INTEGER NOT NULL,
    note       TEXT   NOT NULL,
    site_id    BLOB,
    PRIMARY KEY (tenant_id, expense_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
) STRICT;

CREATE TABLE promises (
    tenant_id   BLOB NOT NULL,
    promise_id  BLOB NOT NULL,
    customer_id BLOB NOT NULL,
    made_on     INTEGER NOT NULL,
    until_day   INTEGER NOT NULL,
    taken_by    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, promise_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE INDEX promises_customer ON promises (tenant_id, customer_id);

CREATE TABLE exemptions (
    tenant_id    BLOB NOT NULL,
    exemption_id BLOB NOT NULL,
    customer_id  BLOB NOT NULL,
    from_day     INTEGER NOT NULL,
    until_day    INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    granted_by   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, exemption_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id)
) STRICT;
CREATE INDEX exemptions_customer ON exemptions (tenant_id, customer_id);

CREATE TABLE outages (
    tenant_id BLOB        NOT NULL,
    outage_id BLOB        NOT NULL,
    site_id   BLOB        NOT NULL,
    from_at   INTEGER NOT NULL,
    until_at  INTEGER,
    note      TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, outage_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
) STRICT;
CREATE INDEX outages_site ON outages (tenant_id, site_id);

-- Without foreign keys: each would cost more than half of what writing an invoice costs.
-- The unique key is in the order in which a billing run writes. lines: see src/encode.rs.
-- kind: 1 subscription, 2 installation, 3 late fee.
CREATE TABLE invoices (
    tenant_id       BLOB     NOT NULL,
    invoice_id      BLOB     NOT NULL,
    number          INTEGER   NOT NULL CHECK (number > 0),
    customer_id     BLOB     NOT NULL,
    subscription_id BLOB     NOT NULL,
    site_id         BLOB     NOT NULL,
    package_id      BLOB     NOT NULL,
    kind            INTEGER NOT NULL CHECK (kind IN (1, 2, 3)),
    period_start    INTEGER     NOT NULL,
    period_end      INTEGER     NOT NULL,
    issue_date      INTEGER     NOT NULL,
    due_date        INTEGER     NOT NULL,
    dpp             INTEGER   NOT NULL,
    ppn             INTEGER   NOT NULL,
    total           INTEGER   NOT NULL,
    paid            INTEGER   NOT NULL,
    lines           TEXT     NOT NULL,
    PRIMARY KEY (tenant_id, invoice_id),
    UNIQUE (tenant_id, period_start, subscription_id, kind),
    CHECK (paid >= 0 AND paid <= total)
) STRICT;
CREATE INDEX invoices_open ON invoices (tenant_id, due_date, customer_id) WHERE total > paid;
CREATE INDEX invoices_customer ON invoices (tenant_id, customer_id, issue_date);

CREATE TABLE payments (
    tenant_id   BLOB        NOT NULL,
    payment_id  BLOB        NOT NULL,
    customer_id BLOB        NOT NULL,
    provider    TEXT        NOT NULL,
    reference   TEXT        NOT NULL,
    amount      INTEGER      NOT NULL CHECK (amount > 0),
    left_over   INTEGER      NOT NULL,
    paid_at     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, payment_id),
    UNIQUE (tenant_id, provider, reference),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    CHECK (left_over >= 0 AND left_over <= amount)
) STRICT;
CREATE INDEX payments_customer ON payments (tenant_id, customer_id, payment_id);
CREATE INDEX payments_credit ON payments (tenant_id, customer_id) WHERE left_over > 0;

CREATE TABLE payment_reversals (
    tenant_id   BLOB        NOT NULL,
    payment_id  BLOB        NOT NULL,
    reversed_at INTEGER NOT NULL,
    reason      TEXT        NOT NULL,
    reversed_by TEXT        NOT NULL,
    PRIMARY KEY (tenant_id, payment_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
) STRICT;

CREATE TABLE allocations (
    tenant_id    BLOB        NOT NULL,
    payment_id   BLOB        NOT NULL,
    position     INTEGER      NOT NULL,
    invoice_id   BLOB        NOT NULL,
    amount       INTEGER      NOT NULL,
    allocated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, position),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, payment_id)
) STRICT;
CREATE INDEX allocations_invoice ON allocations (tenant_id, invoice_id);

CREATE TABLE service_access (
    tenant_id         BLOB   NOT NULL,
    subscription_id   BLOB   NOT NULL,
    desired           TEXT   NOT NULL CHECK (desired IN ('open', 'isolated', 'closed')),
    cause             TEXT   CHECK (cause IN ('arrears', 'manual')),
    isolated_at       INTEGER,
    isolated_overdue  INTEGER,
    revision          INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    observed_access   TEXT,
    observed_revision INTEGER,
    observed_at       INTEGER,
    observed_answer   TEXT,
    PRIMARY KEY (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id)
) STRICT;

CREATE TABLE access_events (
    tenant_id       BLOB        NOT NULL,
    access_event_id BLOB        NOT NULL,
    subscription_id BLOB        NOT NULL,
    happened_at     INTEGER NOT NULL,
    kind            TEXT        NOT NULL,
    decided_by      TEXT        NOT NULL,
    reason          TEXT        NOT NULL,
    overdue         INTEGER      NOT NULL,
    revision        INTEGER      NOT NULL,
    PRIMARY KEY (tenant_id, access_event_id),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id)
) STRICT;
CREATE INDEX access_events_subscription ON access_events (tenant_id, subscription_id, revision);

CREATE TABLE outbox (
    tenant_id     BLOB        NOT NULL,
    outbox_id     BLOB        NOT NULL,
    topic         TEXT        NOT NULL CHECK (topic IN ('access', 'message')),
    customer_id   BLOB,
    state         TEXT        NOT NULL,
    attempts      INTEGER      NOT NULL,
    next_attempt  INTEGER NOT NULL,
    claimed_until INTEGER,
    payload       TEXT        NOT NULL,
    note          TEXT        NOT NULL,
    provider_id   TEXT,
    finished_at   INTEGER,
    PRIMARY KEY (tenant_id, outbox_id)
) STRICT;
CREATE INDEX outbox_due ON outbox (tenant_id, topic, next_attempt)
    WHERE state IN ('pending', 'claimed', 'attempting');
CREATE INDEX outbox_customer ON outbox (tenant_id, customer_id) WHERE customer_id IS NOT NULL;

-- Rule N2: what a message is about makes it be written once.
CREATE TABLE notification_keys (
    tenant_id BLOB     NOT NULL,
    subject   BLOB     NOT NULL,
    kind      TEXT     NOT NULL,
    level     INTEGER   NOT NULL,
    outbox_id BLOB     NOT NULL,
    PRIMARY KEY (tenant_id, subject, kind, level)
) STRICT;

CREATE TABLE journal_entries (
    tenant_id        BLOB NOT NULL,
    journal_entry_id BLOB NOT NULL,
    booked_on        INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    PRIMARY KEY (tenant_id, journal_entry_id)
) STRICT;

CREATE TABLE journal_lines (
    tenant_id        BLOB   NOT NULL,
    journal_entry_id BLOB   NOT NULL,
    line             INTEGER NOT NULL,
    booked_on        INTEGER   NOT NULL,
    kind             TEXT   NOT NULL,
    account          TEXT   NOT NULL,
    amount           INTEGER NOT NULL,
    package_id       BLOB,
    site_id          BLOB,
    PRIMARY KEY (tenant_id, journal_entry_id, line)
) STRICT;
CREATE INDEX journal_lines_day ON journal_lines (tenant_id, booked_on);
