//! The tables that rows are inserted into, with their columns in the order in which rows are written.

use isp_core::ports::StoreError;

/// A table as far as inserting needs it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// How many columns make its primary key; they come first.
    pub(crate) key: usize,
    /// Its columns.
    pub(crate) columns: &'static [&'static str],
    /// What a row that is there already is called.
    pub(crate) duplicate: &'static str,
}

impl Table {
    /// Inserts rows, `{rows}` standing for them.
    pub(crate) fn insert_sql(&self) -> String {
        format!("INSERT INTO {} ({}) VALUES {{rows}}", self.name, self.columns.join(", "))
    }

    /// Inserts rows, or replaces those with the same primary key.
    ///
    /// What a code is compared by stays as it is while only its case changes: that of a row which differed from another one
    /// in case only, before that was refused, is not plain (see migration 7).
    pub(crate) fn upsert_sql(&self) -> String {
        let (key, rest) = self.columns.split_at(self.key);
        let set: Vec<String> = rest
            .iter()
            .map(|c| match c.strip_suffix("_key") {
                Some(of) => format!(
                    "{c} = CASE WHEN lower({0}.{of}) = lower(excluded.{of}) THEN {0}.{c} ELSE excluded.{c} END",
                    self.name
                ),
                None => format!("{c} = excluded.{c}"),
            })
            .collect();
        format!("{} ON CONFLICT ({}) DO UPDATE SET {}", self.insert_sql(), key.join(", "), set.join(", "))
    }
}

/// Says which key a duplicate broke.
pub(crate) fn named(error: StoreError, table: &Table) -> StoreError {
    match error {
        StoreError::Duplicate { .. } => StoreError::Duplicate { what: table.duplicate },
        other => other,
    }
}

macro_rules! tables {
    ($($name:ident: $table:literal, $key:literal, $duplicate:literal, [$($column:literal),* $(,)?];)*) => {
        $(pub(crate) static $name: Table =
            Table { name: $table, key: $key, columns: &[$($column),*], duplicate: $duplicate };)*
        /// All of them.
        #[cfg(test)]
        pub(crate) static ALL: &[&Table] = &[$(&$name),*];
    };
}

tables! {
    SITES: "sites", 2, "site.code", [
        "tenant_id", "site_id", "code", "name", "zone", "code_key", "latitude", "longitude",
        "archived",
    ];
    ROUTERS: "routers", 2, "router.code", [
        "tenant_id", "router_id", "code", "site_id", "host", "port", "tls", "username", "password_sealed", "code_key",
        "archived",
    ];
    ROUTER_MACHINES: "router_machines", 2, "router_machine", [
        "tenant_id", "router_id", "identity", "serial", "since", "said_by",
    ];
    PACKAGES: "packages", 2, "package.code", [
        "tenant_id", "package_id", "code", "name", "prices", "tax_mode", "group_name", "down_kbps", "up_kbps", "sold",
        "code_key",
    ];
    CUSTOMERS: "customers", 2, "customer.code", [
        "tenant_id", "customer_id", "code", "name", "nik_sealed", "nik_index", "address", "phone", "language",
        "invoicing", "code_key", "latitude", "longitude",
    ];
    SUBSCRIPTIONS: "subscriptions", 2, "subscription.username", [
        "tenant_id", "subscription_id", "customer_id", "site_id", "router_id", "username", "password_sealed",
        "package_id", "change_package_id", "change_from", "billing_day", "cycle_months", "timing", "starts_on",
        "ends_on", "paused_from", "held_price", "held_until", "discount_amount", "discount_percent", "discount_until",
        "billed_from", "charged_until", "service", "ip_address",
    ];
    FORMER_ACCOUNTS: "former_accounts", 5, "former_account", [
        "tenant_id", "subscription_id", "router_id", "username", "service", "ip_address", "left_at", "closed_at",
    ];
    INSTALLATION_KINDS: "installation_kinds", 2, "installation_kind.code", [
        "tenant_id", "installation_kind_id", "code", "name", "price", "code_key",
    ];
    INSTALLATION_ORDERS: "installation_orders", 2, "installation_order.id", [
        "tenant_id", "installation_order_id", "customer_id", "subscription_id", "installation_kind_id", "fee",
        "installed_on", "instalments", "with_first_invoice", "instalment_step",
    ];
    INSTALLATION_FEES: "installation_fees", 2, "installation_fee.id", [
        "tenant_id", "installation_order_id", "invoice_id", "amount",
    ];
    INSTALMENTS: "instalments", 2, "instalment.id", ["tenant_id", "invoice_id", "installation_order_id", "due_on"];
    CPES: "cpes", 2, "cpe.serial", [
        "tenant_id", "cpe_id", "serial", "customer_id", "outdoor_unit", "router", "ip", "username", "password_sealed",
        "ownership", "value", "installed", "serial_key",
    ];
    DEVICE_HISTORY: "device_history", 2, "device_history.id", [
        "tenant_id", "device_history_id", "customer_id", "cpe_id", "happened_on", "action", "device", "reason",
        "ownership", "officer", "cost", "paid_from",
    ];
    EXPENSES: "expenses", 2, "expense.id", [
        "tenant_id", "expense_id", "spent_on", "category", "amount", "note", "site_id", "paid_from",
    ];
    PROMISES: "promises", 2, "promise.id", [
        "tenant_id", "promise_id", "customer_id", "made_on", "until_day", "taken_by",
    ];
    EXEMPTIONS: "exemptions", 2, "exemption.id", [
        "tenant_id", "exemption_id", "customer_id", "from_day", "until_day", "reason", "granted_by",
    ];
    PROOFS: "proofs", 2, "proof.id", [
        "tenant_id", "proof_id", "customer_id", "amount", "arrived_at", "taken_by", "file_name", "file_kind", "file_size",
        "sha256",
    ];
    PROOF_INVOICES: "proof_invoices", 3, "proof.id", ["tenant_id", "proof_id", "invoice_id"];
    PROOF_FILES: "proof_files", 2, "proof.id", ["tenant_id", "proof_id", "content_sealed"];
    PROOF_REVIEWS: "proof_reviews", 2, "proof.review", [
        "tenant_id", "proof_id", "state", "payment_id", "reviewed_at", "reviewed_by", "reason",
    ];
    OUTAGES: "outages", 2, "outage.id", ["tenant_id", "outage_id", "site_id", "from_at", "until_at", "note"];
    ENDINGS: "endings", 3, "record.ending", [
        "tenant_id", "record_id", "record", "kind", "ended_at", "ended_by", "reason",
    ];
    INVOICES: "invoices", 2, "invoice.id", [
        "tenant_id", "invoice_id", "number", "customer_id", "subscription_id", "site_id", "package_id", "kind",
        "period_start", "period_end", "issue_date", "due_date", "dpp", "ppn", "total", "paid", "lines",
    ];
    STATEMENTS: "statements", 2, "statement.id", [
        "tenant_id", "statement_id", "customer_id", "issue_date", "due_date", "number",
    ];
    PAYMENTS: "payments", 2, "payment.reference", [
        "tenant_id", "payment_id", "customer_id", "provider", "reference", "amount", "left_over", "paid_at",
        "received_at", "channel", "collector", "identity", "set_aside",
    ];
    PAYMENT_REQUESTS: "payment_requests", 2, "payment_request", [
        "tenant_id", "payment_request_id", "customer_id", "invoice_id", "debt", "amount", "made_at", "expires_at",
        "kept_until", "closed_at", "payment_id", "kept",
    ];
    GATEWAY_REQUESTS: "gateway_requests", 2, "gateway_request", [
        "tenant_id", "payment_request_id", "customer_id", "invoice_id", "document_id", "gateway", "channel", "reference",
        "known_as", "amount", "made_at", "expires_at", "state", "provider_id", "pay_number", "pay_biller", "pay_qris",
        "pay_url", "fee", "payment_id", "poll_at", "note", "revision",
    ];
    PAYOUTS: "payouts", 2, "payout.id", [
        "tenant_id", "payout_id", "gateway", "net", "fee", "paid_on", "booked_by", "note",
    ];
    BANK_FILES: "bank_files", 2, "bank_file", [
        "tenant_id", "bank_file_id", "format", "account", "first_day", "last_day", "imported_at", "imported_by",
    ];
    MUTATIONS: "mutations", 2, "mutation", [
        "tenant_id", "mutation_id", "account", "format", "bank", "happened_on", "amount", "told", "balance",
        "bank_file_id", "may_correct_id", "state", "revision",
    ];
    MUTATION_TELLINGS: "mutation_tellings", 2, "mutation_telling", [
        "tenant_id", "telling_id", "mutation_id", "source", "told", "balance",
    ];
    PAYER_ALIASES: "payer_aliases", 2, "payer_alias", ["tenant_id", "mutation_id", "words", "customer_id"];
    WEBHOOKS: "webhooks", 2, "webhook.id", [
        "tenant_id", "webhook_id", "source", "received_at", "headers", "body", "state", "tries", "next_try",
        "claimed_until", "owner", "note",
    ];
    ERASURES: "erasures", 2, "erasure", ["tenant_id", "customer_id", "erased_at", "erased_by", "reason"];
    PAGE_LINKS: "page_links", 2, "page_link", ["tenant_id", "page_link_id", "hash", "customer_id", "made_at"];
    CREDIT_NOTES: "credit_notes", 2, "credit_note.id", [
        "tenant_id", "credit_note_id", "number", "invoice_id", "customer_id", "subscription_id", "site_id", "package_id",
        "reason", "period_start", "period_end", "issue_date", "issued_at", "dpp", "ppn", "total", "lines", "note",
        "written_by",
    ];
    WRITE_OFFS: "write_offs", 2, "write_off.id", [
        "tenant_id", "payment_id", "invoice_id", "reason", "written_by",
    ];
    REFUNDS: "refunds", 2, "refund.id", [
        "tenant_id", "refund_id", "customer_id", "amount", "paid_from", "paid_on", "paid_by", "note",
    ];
    REFUND_PARTS: "refund_parts", 3, "refund.id", ["tenant_id", "refund_id", "payment_id", "amount"];
    GATEWAY_REFUNDS: "gateway_refunds", 2, "gateway_refund", [
        "tenant_id", "refund_id", "gateway", "payment_id", "reference", "state", "provider_id", "asked_at", "poll_at",
        "note", "revision",
    ];
    DEPOSITS: "deposits", 2, "deposit.id", [
        "tenant_id", "deposit_id", "collector", "amount", "kept_in", "deposited_on", "taken_by", "note",
    ];
    REVERSALS: "payment_reversals", 2, "payment.reversal", [
        "tenant_id", "payment_id", "reversed_at", "reason", "reversed_by",
    ];
    ALLOCATIONS: "allocations", 3, "allocation.id", [
        "tenant_id", "payment_id", "position", "invoice_id", "amount", "allocated_at",
    ];
    ACCESS_EVENTS: "access_events", 2, "access_event.id", [
        "tenant_id", "access_event_id", "subscription_id", "happened_at", "kind", "decided_by", "reason", "overdue",
        "revision",
    ];
    OUTBOX: "outbox", 2, "outbox.id", [
        "tenant_id", "outbox_id", "topic", "customer_id", "router_id", "state", "attempts", "next_attempt", "payload",
        "note",
    ];
    NOTIFICATION_KEYS: "notification_keys", 4, "notification.key", [
        "tenant_id", "subject", "kind", "level", "outbox_id",
    ];
    SUMS: "sums", 7, "sums", [
        "tenant_id", "book", "day", "kind", "account", "package_id", "site_id", "amount",
    ];
    JOURNAL_ENTRIES: "journal_entries", 2, "journal.id", ["tenant_id", "journal_entry_id", "booked_on", "kind"];
    JOURNAL_LINES: "journal_lines", 3, "journal.id", [
        "tenant_id", "journal_entry_id", "line", "booked_on", "kind", "account", "amount", "package_id", "site_id",
    ];
}
