-- An expense may be paid with PPh 23 that customers kept back. SQLite cannot change a check, so the table is written anew.
CREATE TABLE expenses_now (
    tenant_id  BLOB    NOT NULL,
    expense_id BLOB    NOT NULL,
    spent_on   INTEGER NOT NULL,
    category   TEXT    NOT NULL,
    amount     INTEGER NOT NULL,
    note       TEXT    NOT NULL,
    site_id    BLOB,
    paid_from  TEXT    NOT NULL DEFAULT 'cash' CHECK (paid_from IN ('cash', 'bank', 'gateway', 'pph23')),
    PRIMARY KEY (tenant_id, expense_id),
    FOREIGN KEY (tenant_id, site_id) REFERENCES sites (tenant_id, site_id)
) STRICT;
INSERT INTO expenses_now (tenant_id, expense_id, spent_on, category, amount, note, site_id, paid_from)
    SELECT tenant_id, expense_id, spent_on, category, amount, note, site_id, paid_from FROM expenses;
DROP TABLE expenses;
ALTER TABLE expenses_now RENAME TO expenses;
