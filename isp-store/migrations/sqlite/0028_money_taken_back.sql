-- Deposits of collectors, payouts of gateways and refunds (migration 33) can be taken back. SQLite cannot change a constraint, so the table is written anew.
CREATE TABLE endings_now (
    tenant_id BLOB NOT NULL,
    record_id BLOB NOT NULL,
    record    TEXT NOT NULL CONSTRAINT endings_record_check
        CHECK (record IN ('promise', 'exemption', 'outage', 'expense', 'installation', 'deposit', 'payout', 'refund')),
    kind      TEXT NOT NULL CHECK (kind IN ('ended', 'taken_back')),
    ended_at  INTEGER NOT NULL,
    ended_by  TEXT NOT NULL,
    reason    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, record_id, record)
) STRICT;
INSERT INTO endings_now (tenant_id, record_id, record, kind, ended_at, ended_by, reason)
    SELECT tenant_id, record_id, record, kind, ended_at, ended_by, reason FROM endings;
DROP TABLE endings;
ALTER TABLE endings_now RENAME TO endings;
