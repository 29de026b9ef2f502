-- What is recorded can be corrected.

-- That a record holds no longer, by whom and why. The records themselves stay.
CREATE TABLE endings (
    tenant_id BLOB NOT NULL,
    record_id BLOB NOT NULL,
    record    TEXT NOT NULL CHECK (record IN ('promise', 'exemption', 'outage', 'expense', 'installation')),
    kind      TEXT NOT NULL CHECK (kind IN ('ended', 'taken_back')),
    ended_at  INTEGER NOT NULL,
    ended_by  TEXT NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, record_id, record)
) STRICT;

-- A user name is unique on its router among the lines that have no end; src/subscription.rs compares the others by their
-- days of service. SQLite cannot drop a constraint, so the table is written anew.
CREATE TABLE subscriptions_now (
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
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id),
    FOREIGN KEY (tenant_id, package_id) REFERENCES packages (tenant_id, package_id),
    FOREIGN KEY (tenant_id, change_package_id) REFERENCES packages (tenant_id, package_id),
    CHECK ((change_package_id IS NULL) = (change_from IS NULL))
) STRICT;
INSERT INTO subscriptions_now (tenant_id, subscription_id, customer_id, site_id, router_id, username, password_sealed,
        package_id, change_package_id, change_from, billing_day, cycle_months, timing, starts_on, ends_on, paused_from,
        held_price, held_until, discount_amount, discount_percent, discount_until, billed_from)
    SELECT tenant_id, subscription_id, customer_id, site_id, router_id, username, password_sealed,
        package_id, change_package_id, change_from, billing_day, cycle_months, timing, starts_on, ends_on, paused_from,
        held_price, held_until, discount_amount, discount_percent, discount_until, billed_from
    FROM subscriptions;
DROP TABLE subscriptions;
ALTER TABLE subscriptions_now RENAME TO subscriptions;
CREATE INDEX subscriptions_customer ON subscriptions (tenant_id, customer_id, subscription_id);
CREATE INDEX subscriptions_router ON subscriptions (tenant_id, router_id, subscription_id);
CREATE INDEX subscriptions_username ON subscriptions (tenant_id, router_id, username);
CREATE INDEX subscriptions_username_key ON subscriptions (tenant_id, router_id, lower(username));
CREATE UNIQUE INDEX subscriptions_served ON subscriptions (tenant_id, router_id, username) WHERE ends_on IS NULL;

-- User names that lines had before they moved or were renamed; closed_at once the router said that the account is closed.
CREATE TABLE former_accounts (
    tenant_id       BLOB NOT NULL,
    subscription_id BLOB NOT NULL,
    router_id       BLOB NOT NULL,
    username        TEXT NOT NULL,
    left_at         INTEGER NOT NULL,
    closed_at       INTEGER,
    PRIMARY KEY (tenant_id, subscription_id, router_id, username),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id),
    FOREIGN KEY (tenant_id, router_id) REFERENCES routers (tenant_id, router_id)
) STRICT;
CREATE INDEX former_accounts_router ON former_accounts (tenant_id, router_id, username);

-- A correcting entry may take a cost back.
CREATE TABLE device_history_now (
    tenant_id         BLOB   NOT NULL,
    device_history_id BLOB   NOT NULL,
    customer_id       BLOB   NOT NULL,
    cpe_id            BLOB   NOT NULL,
    happened_on       INTEGER   NOT NULL,
    action            TEXT   NOT NULL CHECK (action IN ('installed', 'replaced', 'returned', 'corrected')),
    device            TEXT   NOT NULL,
    reason            TEXT   NOT NULL,
    ownership         TEXT   NOT NULL,
    officer           TEXT   NOT NULL,
    cost              INTEGER NOT NULL CHECK (cost >= 0 OR action = 'corrected'),
    PRIMARY KEY (tenant_id, device_history_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, customer_id),
    FOREIGN KEY (tenant_id, cpe_id) REFERENCES cpes (tenant_id, cpe_id)
) STRICT;
INSERT INTO device_history_now (tenant_id, device_history_id, customer_id, cpe_id, happened_on, action, device, reason,
        ownership, officer, cost)
    SELECT tenant_id, device_history_id, customer_id, cpe_id, happened_on, action, device, reason,
        ownership, officer, cost
    FROM device_history;
DROP TABLE device_history;
ALTER TABLE device_history_now RENAME TO device_history;
CREATE INDEX device_history_customer ON device_history (tenant_id, customer_id, happened_on);
