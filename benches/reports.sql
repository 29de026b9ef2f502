-- A provider with many customers and months in PostgreSQL, for `scripts/measure_reports`: written by statements, as years of runs would take
-- hours. :months says how many, :first is the first day of the first month, :tenant whose.
--
-- Customers and lines are there already. Of the invoices, one in twenty is not paid, of the last month one in three. Each payment pays one
-- invoice. The journal holds an entry a day for invoices and one for each payment, as the program books them.
\set ON_ERROR_STOP on
SET work_mem = '64MB';
-- Each row names what is there; looking it up once more takes half of the time.
SET session_replication_role = replica;

CREATE TEMP TABLE goods AS
    SELECT package_id, 150000 + 50000 * (ROW_NUMBER() OVER (ORDER BY code) - 1) AS price FROM packages WHERE tenant_id = :'tenant';
CREATE TEMP TABLE lines AS
    SELECT ROW_NUMBER() OVER (ORDER BY c.code) AS n, s.customer_id, s.subscription_id, s.site_id, s.router_id, s.package_id, g.price,
        s.billing_day::int AS day
    FROM subscriptions s JOIN customers c ON c.tenant_id = s.tenant_id AND c.customer_id = s.customer_id
        JOIN goods g ON g.package_id = s.package_id
    WHERE s.tenant_id = :'tenant';
CREATE TEMP TABLE bills AS
    SELECT l.n, m, l.customer_id, l.subscription_id, l.site_id, l.package_id, l.price, l.price * 11 / 100 AS ppn,
        md5('i' || l.n || '.' || m)::uuid AS invoice_id, md5('p' || l.n || '.' || m)::uuid AS payment_id,
        (:'first'::date + m * INTERVAL '1 month')::date + l.day - 1 AS issued,
        CASE WHEN m = :months - 1 THEN (l.n % 3) <> 0 ELSE ((l.n + m) % 20) <> 0 END AS paid
    FROM lines l CROSS JOIN generate_series(0, :months - 1) AS s (m);

UPDATE service_access a SET desired = 'isolated', cause = 'arrears' FROM lines l
    WHERE a.tenant_id = :'tenant' AND a.subscription_id = l.subscription_id AND l.n % 20 = 0;
INSERT INTO cpes (tenant_id, cpe_id, serial, customer_id, router, ownership, value, installed, serial_key)
    SELECT :'tenant'::uuid, md5('d' || n)::uuid, 'SN' || lpad(n::text, 8, '0'), customer_id, 'ONT', 'lent', 250000, TRUE,
        'sn' || lpad(n::text, 8, '0')
    FROM lines;
INSERT INTO invoices (tenant_id, invoice_id, number, customer_id, subscription_id, site_id, package_id, kind, period_start, period_end,
        issue_date, due_date, dpp, ppn, total, paid, lines)
    SELECT :'tenant'::uuid, invoice_id, ROW_NUMBER() OVER (ORDER BY issued, n), customer_id, subscription_id, site_id, package_id, 1, issued,
        (issued + INTERVAL '1 month')::date, issued, issued + 10, price, ppn, price + ppn, CASE WHEN paid THEN price + ppn ELSE 0 END,
        'S' || price || ' P' || ppn
    FROM bills;
INSERT INTO payments (tenant_id, payment_id, customer_id, provider, reference, amount, left_over, paid_at, received_at, channel, identity,
        set_aside)
    SELECT :'tenant'::uuid, payment_id, customer_id, 'bank', 'T-' || n || '-' || m, price + ppn, 0, issued + 5, issued + 5, 'bank',
        'bank t-' || n || '-' || m, ''
    FROM bills WHERE paid;
INSERT INTO allocations (tenant_id, payment_id, position, invoice_id, amount, allocated_at)
    SELECT :'tenant'::uuid, payment_id, 1, invoice_id, price + ppn, issued + 5 FROM bills WHERE paid;
INSERT INTO journal_entries (tenant_id, journal_entry_id, booked_on, kind)
    SELECT :'tenant'::uuid, md5('j' || issued)::uuid, issued, 'invoices' FROM bills GROUP BY issued
    UNION ALL SELECT :'tenant'::uuid, md5('q' || n || '.' || m)::uuid, issued + 5, 'payment' FROM bills WHERE paid;
INSERT INTO journal_lines (tenant_id, journal_entry_id, line, booked_on, kind, account, amount, package_id, site_id)
    SELECT :'tenant'::uuid, md5('j' || issued)::uuid, ROW_NUMBER() OVER (PARTITION BY issued), issued, 'invoices', account, SUM(amount)::bigint, package_id,
        site_id
    FROM bills CROSS JOIN LATERAL (VALUES ('receivable', price + ppn), ('revenue_subscription', -price), ('ppn_payable', -ppn)) v (account, amount)
    GROUP BY issued, account, package_id, site_id
    UNION ALL SELECT :'tenant'::uuid, md5('q' || n || '.' || m)::uuid, v.line, issued + 5, 'payment', v.account, v.amount, package_id, site_id
    FROM bills CROSS JOIN LATERAL (VALUES (1, 'bank', price + ppn), (2, 'receivable', -price - ppn)) v (line, account, amount) WHERE paid;
UPDATE tenants SET next_invoice = (SELECT MAX(number) + 1 FROM invoices WHERE tenant_id = :'tenant'),
        billing_position = (:'first'::date + :months * INTERVAL '1 month')::date - 1
    WHERE tenant_id = :'tenant';
