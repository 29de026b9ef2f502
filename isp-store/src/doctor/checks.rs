//! What must be true of every row, each as a statement that finds the rows of which it is not.

/// A question to the database.
pub(super) struct Check {
    /// What is wrong when it finds rows.
    pub(super) code: &'static str,
    /// The tables that it asks.
    pub(super) tables: &'static [&'static str],
    /// Gives the ids of what is wrong, as `id`. `{now}`, `{today}` and the like stand for moments, see [`super::moments`].
    pub(super) sql: &'static str,
}

const fn check(code: &'static str, tables: &'static [&'static str], sql: &'static str) -> Check {
    Check { code, tables, sql }
}

/// Sums, numbers, states and times.
pub(super) const CHECKS: &[Check] = &[
    check(
        "ledger.unbalanced",
        &["journal_lines"],
        "SELECT journal_entry_id AS id FROM journal_lines GROUP BY tenant_id, journal_entry_id HAVING SUM(amount) <> 0",
    ),
    check(
        "ledger.empty_entry",
        &["journal_entries", "journal_lines"],
        "SELECT e.journal_entry_id AS id FROM journal_entries e WHERE NOT EXISTS (SELECT 1 FROM journal_lines l
            WHERE l.tenant_id = e.tenant_id AND l.journal_entry_id = e.journal_entry_id)",
    ),
    check(
        "ledger.receivable",
        &["tenants", "journal_lines", "invoices"],
        "SELECT t.tenant_id AS id FROM tenants t WHERE
            (SELECT COALESCE(SUM(l.amount), 0) FROM journal_lines l
                WHERE l.tenant_id = t.tenant_id AND l.account = 'receivable')
            <> (SELECT COALESCE(SUM(i.total - i.paid), 0) FROM invoices i WHERE i.tenant_id = t.tenant_id)",
    ),
    check(
        "ledger.credit",
        &["tenants", "journal_lines", "payments"],
        "SELECT t.tenant_id AS id FROM tenants t WHERE
            (SELECT COALESCE(SUM(-l.amount), 0) FROM journal_lines l
                WHERE l.tenant_id = t.tenant_id AND l.account = 'customer_credit')
            <> (SELECT COALESCE(SUM(p.left_over), 0) FROM payments p WHERE p.tenant_id = t.tenant_id)",
    ),
    // A price that contains PPN may differ by a line of rounding, `R1`; see encode.rs.
    check(
        "invoice.sum",
        &["invoices"],
        "SELECT invoice_id AS id FROM invoices WHERE total <> dpp + ppn
            AND ' ' || lines || ' ' NOT LIKE '% R' || CAST(total - dpp - ppn AS TEXT) || ' %'",
    ),
    check(
        "invoice.paid",
        &["invoices", "allocations"],
        "SELECT i.invoice_id AS id FROM invoices i LEFT JOIN (
                SELECT tenant_id, invoice_id, SUM(amount) AS paid FROM allocations GROUP BY tenant_id, invoice_id) a
            ON a.tenant_id = i.tenant_id AND a.invoice_id = i.invoice_id
            WHERE i.paid <> COALESCE(a.paid, 0)",
    ),
    check(
        "payment.left",
        &["payments", "allocations", "payment_reversals", "refund_parts", "endings"],
        "SELECT p.payment_id AS id FROM payments p LEFT JOIN (
                SELECT tenant_id, payment_id, SUM(amount) AS used FROM allocations GROUP BY tenant_id, payment_id) a
            ON a.tenant_id = p.tenant_id AND a.payment_id = p.payment_id
            WHERE p.left_over <> CASE WHEN EXISTS (SELECT 1 FROM payment_reversals r
                    WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)
                THEN 0 ELSE p.amount - COALESCE(a.used, 0) - COALESCE((SELECT SUM(f.amount) FROM refund_parts f
                    WHERE f.tenant_id = p.tenant_id AND f.payment_id = p.payment_id AND NOT EXISTS (SELECT 1 FROM endings e
                        WHERE e.tenant_id = f.tenant_id AND e.record_id = f.refund_id AND e.record = 'refund')), 0) END",
    ),
    check(
        "invoice.number_twice",
        &["invoices"],
        "SELECT i.invoice_id AS id FROM invoices i JOIN (
                SELECT tenant_id, number FROM invoices GROUP BY tenant_id, number HAVING COUNT(*) > 1) d
            ON d.tenant_id = i.tenant_id AND d.number = i.number",
    ),
    check(
        "invoice.period_twice",
        &["invoices"],
        "SELECT i.invoice_id AS id FROM invoices i JOIN (
                SELECT tenant_id, period_start, subscription_id, kind FROM invoices
                GROUP BY tenant_id, period_start, subscription_id, kind HAVING COUNT(*) > 1) d
            ON d.tenant_id = i.tenant_id AND d.period_start = i.period_start
                AND d.subscription_id = i.subscription_id AND d.kind = i.kind",
    ),
    check(
        "payment.twice",
        &["payments"],
        "SELECT p.payment_id AS id FROM payments p JOIN (
                SELECT tenant_id, set_aside, identity FROM payments
                GROUP BY tenant_id, set_aside, identity HAVING COUNT(*) > 1) d
            ON d.tenant_id = p.tenant_id AND d.set_aside = p.set_aside AND d.identity = p.identity",
    ),
    check(
        "invoice.counter",
        &["tenants", "invoices"],
        "SELECT t.tenant_id AS id FROM tenants t
            WHERE t.next_invoice <= (SELECT MAX(i.number) FROM invoices i WHERE i.tenant_id = t.tenant_id)",
    ),
    check(
        "access.ahead",
        &["service_access"],
        "SELECT subscription_id AS id FROM service_access WHERE observed_revision > revision",
    ),
    check(
        "outbox.old",
        &["outbox", "router_rests"],
        "SELECT o.outbox_id AS id FROM outbox o
                LEFT JOIN router_rests r ON r.tenant_id = o.tenant_id AND r.router_id = o.router_id
            WHERE o.state = 'pending' AND o.next_attempt < {a_day_ago}
                AND (r.rests_since IS NULL OR r.rests_since < o.next_attempt OR r.rests_until < {a_day_ago})",
    ),
    check("outbox.failed", &["outbox"], "SELECT outbox_id AS id FROM outbox WHERE state = 'failed'"),
    check("outbox.unknown", &["outbox"], "SELECT outbox_id AS id FROM outbox WHERE state = 'unknown'"),
    check(
        "claim.stuck",
        &["outbox"],
        "SELECT outbox_id AS id FROM outbox WHERE state IN ('claimed', 'attempting')
            AND (claimed_until IS NULL OR claimed_until < {an_hour_ago})",
    ),
    check(
        "claim.far",
        &["outbox"],
        "SELECT outbox_id AS id FROM outbox WHERE state IN ('claimed', 'attempting') AND claimed_until > {in_two_hours}",
    ),
    check("hold.far", &["router_holds"], "SELECT router_id AS id FROM router_holds WHERE held_until > {in_two_hours}"),
    check("clock.ahead", &["tenants"], "SELECT tenant_id AS id FROM tenants WHERE last_run_at > {in_an_hour}"),
    check(
        "run.missed",
        &["tenants", "subscriptions"],
        "SELECT t.tenant_id AS id FROM tenants t WHERE last_run_at < {two_days_ago} AND EXISTS (
            SELECT 1 FROM subscriptions s WHERE s.tenant_id = t.tenant_id AND s.ends_on IS NULL)",
    ),
    check(
        "audit.head",
        &["tenants", "audit_log"],
        "SELECT t.tenant_id AS id FROM tenants t
            WHERE t.audit_sequence <> (SELECT COALESCE(MAX(a.sequence), 0) FROM audit_log a WHERE a.tenant_id = t.tenant_id)
            OR (t.audit_sequence > 0 AND NOT EXISTS (SELECT 1 FROM audit_log a WHERE a.tenant_id = t.tenant_id
                AND a.sequence = t.audit_sequence AND a.hash = t.audit_hash))",
    ),
    check(
        "position.ahead",
        &["tenants"],
        "SELECT tenant_id AS id FROM tenants WHERE billing_position > {in_sixty_days}",
    ),
];

/// A row that must be of the customer of another one: its table, its id, the column by which it names the other one, and the table of that.
pub(super) const OF_ONE: &[(&str, &str, &str, &str)] = &[
    ("invoices", "invoice_id", "subscription_id", "subscriptions"),
    ("credit_notes", "credit_note_id", "invoice_id", "invoices"),
    ("installation_orders", "installation_order_id", "subscription_id", "subscriptions"),
    ("payment_requests", "payment_request_id", "invoice_id", "invoices"),
    ("gateway_requests", "payment_request_id", "invoice_id", "invoices"),
];

/// A row that binds two others, which must be of one customer: its table, and of each of the two the column and the table.
pub(super) const BIND: &[(&str, [(&str, &str); 2])] = &[
    ("allocations", [("payment_id", "payments"), ("invoice_id", "invoices")]),
    ("refund_parts", [("payment_id", "payments"), ("refund_id", "refunds")]),
];

/// A row that must name another one: its table, its id, the column, and the table that it names and by
/// which column.
pub(super) const NAMED: &[(&str, &str, &str, &str, &str)] = &[
    ("subscriptions", "subscription_id", "customer_id", "customers", "customer_id"),
    ("subscriptions", "subscription_id", "package_id", "packages", "package_id"),
    ("subscriptions", "subscription_id", "site_id", "sites", "site_id"),
    ("subscriptions", "subscription_id", "router_id", "routers", "router_id"),
    ("service_access", "subscription_id", "subscription_id", "subscriptions", "subscription_id"),
    ("access_events", "access_event_id", "subscription_id", "subscriptions", "subscription_id"),
    ("invoices", "invoice_id", "customer_id", "customers", "customer_id"),
    ("invoices", "invoice_id", "subscription_id", "subscriptions", "subscription_id"),
    ("invoices", "invoice_id", "package_id", "packages", "package_id"),
    ("payments", "payment_id", "customer_id", "customers", "customer_id"),
    ("allocations", "payment_id", "payment_id", "payments", "payment_id"),
    ("allocations", "payment_id", "invoice_id", "invoices", "invoice_id"),
    ("payment_reversals", "payment_id", "payment_id", "payments", "payment_id"),
    ("credit_notes", "credit_note_id", "invoice_id", "invoices", "invoice_id"),
    ("write_offs", "payment_id", "invoice_id", "invoices", "invoice_id"),
    ("statements", "statement_id", "customer_id", "customers", "customer_id"),
    ("installation_orders", "installation_order_id", "customer_id", "customers", "customer_id"),
    ("instalments", "invoice_id", "installation_order_id", "installation_orders", "installation_order_id"),
    ("cpes", "cpe_id", "customer_id", "customers", "customer_id"),
    ("journal_lines", "journal_entry_id", "journal_entry_id", "journal_entries", "journal_entry_id"),
    ("outbox", "outbox_id", "customer_id", "customers", "customer_id"),
    ("payment_requests", "payment_request_id", "customer_id", "customers", "customer_id"),
    ("gateway_requests", "payment_request_id", "customer_id", "customers", "customer_id"),
    ("gateway_refunds", "refund_id", "payment_id", "payments", "payment_id"),
    ("mutation_tellings", "telling_id", "mutation_id", "mutations", "mutation_id"),
    ("mutations", "mutation_id", "may_correct_id", "mutations", "mutation_id"),
    ("page_links", "page_link_id", "customer_id", "customers", "customer_id"),
];
