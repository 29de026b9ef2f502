-- Sums of the books, kept up by each commit, so that a report need not read every row again (docs/decisions/19-sums-kept-in-the-commit.md).
-- book: 'journal', by month, kind of entry, account, package and site; 'documents', by their sort, some by month; 'open', by due day,
-- package and site. day: the first day of a month, the due day, or 1970-01-01 for what is told apart by no day. A package or site of
-- zeros is none: a key takes no null.

CREATE TABLE sums (
    tenant_id  UUID   NOT NULL,
    book       TEXT   NOT NULL CHECK (book IN ('journal', 'documents', 'open')),
    day        DATE   NOT NULL,
    kind       TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    package_id UUID   NOT NULL,
    site_id    UUID   NOT NULL,
    amount     BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, book, day, kind, account, package_id, site_id)
);

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT tenant_id, 'journal', booked_on - CAST(EXTRACT(DAY FROM booked_on) AS INTEGER) + 1, kind, account,
        COALESCE(package_id, '00000000-0000-0000-0000-000000000000'), COALESCE(site_id, '00000000-0000-0000-0000-000000000000'),
        CAST(SUM(amount) AS BIGINT)
    FROM journal_lines GROUP BY 1, 3, 4, 5, 6, 7;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT tenant_id, 'documents', issue_date - CAST(EXTRACT(DAY FROM issue_date) AS INTEGER) + 1, 'invoices', 'receivable',
        CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST(SUM(total) AS BIGINT)
    FROM invoices GROUP BY 1, 3;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT tenant_id, 'documents', issue_date - CAST(EXTRACT(DAY FROM issue_date) AS INTEGER) + 1, 'invoices', 'ppn_payable',
        CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST(-SUM(ppn) AS BIGINT)
    FROM invoices GROUP BY 1, 3;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT tenant_id, 'documents', DATE '1970-01-01', 'credit', 'customer_credit',
        CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST(-SUM(left_over) AS BIGINT)
    FROM payments GROUP BY 1;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT p.tenant_id, 'documents', DATE '1970-01-01',
        CASE p.channel WHEN 'credit_note' THEN 'credit_notes' ELSE 'payments' END,
        CASE WHEN p.channel = 'cash' AND p.collector IS NOT NULL THEN 'collector' WHEN p.channel = 'pph23' THEN 'pph23_prepaid'
            WHEN p.channel = 'credit_note' THEN 'customer_credit' ELSE p.channel END,
        CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST('00000000-0000-0000-0000-000000000000' AS UUID),
        CAST(SUM(CASE p.channel WHEN 'credit_note' THEN -p.amount ELSE p.amount END) AS BIGINT)
    FROM payments p WHERE NOT EXISTS (
        SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)
    GROUP BY 1, 4, 5;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT x.tenant_id, 'documents', DATE '1970-01-01', 'expenses', x.category,
        CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST(SUM(x.amount) AS BIGINT)
    FROM expenses x WHERE NOT EXISTS (
        SELECT 1 FROM endings e WHERE e.tenant_id = x.tenant_id AND e.record_id = x.expense_id AND e.record = 'expense')
    GROUP BY 1, 5;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT tenant_id, 'documents', DATE '1970-01-01', 'devices', 'device_cost',
        CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST('00000000-0000-0000-0000-000000000000' AS UUID), CAST(SUM(cost) AS BIGINT)
    FROM device_history GROUP BY 1;

INSERT INTO sums (tenant_id, book, day, kind, account, package_id, site_id, amount)
    SELECT tenant_id, 'open', due_date, 'invoices', 'receivable', package_id, site_id, CAST(SUM(total - paid) AS BIGINT)
    FROM invoices WHERE total > paid GROUP BY 1, 3, 6, 7;

-- Lists are read a page at a time in the order of the bytes, whatever order of letters the database was made with.
CREATE INDEX customers_bytes ON customers (tenant_id, code COLLATE "C");
CREATE INDEX cpes_bytes ON cpes (tenant_id, serial COLLATE "C");
