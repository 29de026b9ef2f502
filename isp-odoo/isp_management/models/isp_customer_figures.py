"""What a customer and a line come to, for the screens: counts and balances of a whole page in one query each."""

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic.money import OWED_FROM

# Each column of the answer, by the name of its field; `c` is the customer, `today` the company's.
CUSTOMER_COLUMNS = """
    SELECT c.id,
        (SELECT count(*) FROM isp_subscription s WHERE s.customer_id = c.id AND s.active) AS subscription_count,
        (SELECT count(*) FROM isp_subscription s WHERE s.customer_id = c.id AND s.active AND s.state = 'active'
            AND s.desired_access = 'isolated') AS isolated_count,
        (SELECT count(*) FROM isp_cpe d WHERE d.customer_id = c.id AND d.active) AS cpe_count,
        (SELECT count(*) FROM isp_notification n WHERE n.customer_id = c.id) AS notification_count,
        (SELECT count(*) FROM isp_isolation_event e WHERE e.customer_id = c.id) AS event_count,
        (SELECT count(*) FROM isp_installation_fee f WHERE f.customer_id = c.id) AS fee_count,
        (SELECT count(*) FROM isp_promise p WHERE p.customer_id = c.id)
            + (SELECT count(*) FROM isp_exemption x WHERE x.customer_id = c.id) AS protection_count,
        (SELECT count(*) FROM account_payment p JOIN account_move pm ON pm.id = p.move_id
            WHERE p.partner_id = c.partner_id AND p.partner_type = 'customer' AND pm.company_id = c.company_id
            AND pm.state = 'posted') AS payment_count,
        coalesce(b.count, 0) AS invoice_count, coalesce(b.due, 0) AS amount_due, coalesce(b.overdue, 0) AS amount_overdue
"""
# What the form of one customer shows of other records, by model, record and field: its lines' packages with the price of today,
# their routers, the province, and how the currency rounds. Each would be a query of its own.
CUSTOMER_SHOWN = """,
        jsonb_build_object(
            'isp.package', (SELECT jsonb_object_agg(k.id, jsonb_build_object(
                    'name', coalesce(k.name->>%(lang)s, k.name->>'en_US'),
                    'price', coalesce((SELECT r.price FROM isp_package_price r WHERE r.package_id = k.id AND r.date_from <= d.today
                        ORDER BY r.date_from DESC LIMIT 1), 0)))
                FROM isp_package k WHERE k.company_id = c.company_id
                    AND k.id IN (SELECT s.package_id FROM isp_subscription s WHERE s.customer_id = c.id)),
            'isp.router', (SELECT jsonb_object_agg(o.id, jsonb_build_object('name', o.name))
                FROM isp_router o WHERE o.id IN (SELECT s.router_id FROM isp_subscription s WHERE s.customer_id = c.id)),
            'res.country.state', (SELECT jsonb_build_object(t.id, jsonb_build_object('name', t.name, 'country_id', t.country_id))
                FROM res_partner a JOIN res_country_state t ON t.id = a.state_id WHERE a.id = c.partner_id),
            'res.country', (SELECT jsonb_build_object(y.id, jsonb_build_object('code', y.code))
                FROM res_partner a JOIN res_country_state t ON t.id = a.state_id JOIN res_country y ON y.id = t.country_id
                WHERE a.id = c.partner_id),
            'res.currency', (SELECT jsonb_build_object(u.id, jsonb_build_object('rounding', u.rounding))
                FROM res_company m JOIN res_currency u ON u.id = m.currency_id WHERE m.id = c.company_id)
        ) AS shown
"""
CUSTOMER_FROM = """
    FROM isp_customer c
    JOIN unnest(%(companies)s, %(days)s) AS d(company_id, today) ON d.company_id = c.company_id
    LEFT JOIN LATERAL (
        SELECT count(*) AS count, sum(m.amount_residual_signed) AS due,
            sum(m.amount_residual_signed) FILTER (WHERE m.invoice_date_due < d.today AND m.amount_residual >= %(from)s) AS overdue
        FROM (
            SELECT * FROM account_move n WHERE n.partner_id = c.partner_id
            UNION ALL
            SELECT n.* FROM isp_subscription s JOIN account_move n ON n.isp_subscription_id = s.id
            WHERE s.customer_id = c.id AND n.partner_id IS DISTINCT FROM c.partner_id
        ) m
        WHERE m.company_id = c.company_id AND m.move_type IN ('out_invoice', 'out_refund') AND m.state = 'posted'
    ) b ON true
    WHERE c.id = ANY(%(ids)s)
"""
LINE_SQL = """
    SELECT s.id,
        (SELECT count(*) FROM account_move m WHERE m.isp_subscription_id = s.id) AS invoice_count,
        (SELECT count(*) FROM isp_cpe d WHERE d.subscription_id = s.id AND d.active) AS cpe_count,
        (SELECT count(*) FROM isp_notification n WHERE n.subscription_id = s.id
            OR (n.subscription_id IS NULL AND n.customer_id = s.customer_id)) AS notification_count,
        (SELECT count(*) FROM isp_isolation_event e WHERE e.subscription_id = s.id) AS event_count,
        (SELECT count(*) FROM account_payment p JOIN account_move pm ON pm.id = p.move_id
            WHERE p.partner_id = s.partner_id AND p.partner_type = 'customer' AND pm.company_id = s.company_id
            AND pm.state = 'posted') AS payment_count,
        coalesce(b.open, 0) AS amount_open, coalesce(b.overdue, 0) AS amount_overdue
    FROM isp_subscription s
    JOIN unnest(%(companies)s, %(days)s) AS d(company_id, today) ON d.company_id = s.company_id
    LEFT JOIN LATERAL (
        SELECT sum(m.amount_residual) AS open, sum(m.amount_residual) FILTER (WHERE m.invoice_date_due < d.today) AS overdue
        FROM (
            SELECT * FROM account_move n WHERE n.isp_subscription_id = s.id
            UNION ALL
            SELECT n.* FROM isp_installation_fee f JOIN account_move n ON n.isp_installation_fee_id = f.id
            WHERE f.subscription_id = s.id AND n.isp_subscription_id IS NULL
        ) m
        WHERE m.company_id = s.company_id AND m.move_type = 'out_invoice' AND m.state = 'posted' AND m.amount_residual >= %(from)s
    ) b ON true
    WHERE s.id = ANY(%(ids)s)
"""


class IspFiguresMixin(models.AbstractModel):
    _name = "isp.figures.mixin"
    _description = "Counts and balances of a page in one query"

    _isp_figures_names = ()

    is_overdue = fields.Boolean("Overdue", compute="_compute_figures", search="_search_is_overdue")

    def _isp_figures_sql(self):
        """The query of these records."""
        raise NotImplementedError

    def _isp_figures_shown(self, row):
        """What the answer for a record says of other records."""

    def _compute_figures(self):
        # What the query reads must be in the database; pages are read far more often than they are written.
        for model in ("isp.subscription", "isp.cpe", "isp.notification", "isp.isolation_event", "isp.installation_fee", "isp.promise",
                      "isp.exemption", "account.payment", "account.move", "isp.customer", "isp.package", "isp.package.price", "isp.router",
                      "res.partner"):
            self.env[model].flush_model()
        companies = self.company_id.sudo()
        rows = {}
        if self.ids:
            self.env.cr.execute(self._isp_figures_sql(), {
                "ids": self.ids, "from": OWED_FROM, "companies": companies.ids, "days": [c._isp_today() for c in companies],
                "lang": self.env.lang or "en_US",
            })
            rows = {row["id"]: row for row in self.env.cr.dictfetchall()}
        for record in self:
            row = rows.get(record._origin.id, {})
            record._isp_figures_shown(row)
            for name in self._isp_figures_names:
                record[name] = row.get(name, 0)
            record.is_overdue = record.amount_overdue > 0

    @api.model
    def _isp_overdue_moves(self, late=True):
        """The open invoices of the user's companies, those that are overdue today or all of them."""
        found = self.env["account.move"].sudo()
        for company in self.env.companies:
            found |= found.search([
                ("company_id", "=", company.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
                ("amount_residual", ">=", OWED_FROM), *([("invoice_date_due", "<", company._isp_today())] if late else []),
            ])
        return found

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator not in ("=", "!=") or not isinstance(value, bool):
            raise UserError(_("Overdue is searched as yes or no."))
        found = self._isp_overdue_ids(self._isp_overdue_moves())
        return [("id", "in" if (operator == "=") == value else "not in", found)]


class IspCustomer(models.Model):
    _name = "isp.customer"
    _inherit = ["isp.customer", "isp.figures.mixin"]
    _isp_figures_names = (
        "subscription_count", "isolated_count", "cpe_count", "notification_count", "event_count", "fee_count", "protection_count",
        "payment_count", "invoice_count", "amount_due", "amount_overdue",
    )

    subscription_count = fields.Integer(compute="_compute_figures")
    isolated_count = fields.Integer("Isolated lines", compute="_compute_figures")
    cpe_count = fields.Integer(compute="_compute_figures")
    notification_count = fields.Integer("Number of messages", compute="_compute_figures")
    event_count = fields.Integer("Number of isolation events", compute="_compute_figures")
    fee_count = fields.Integer("Number of installation fees", compute="_compute_figures")
    protection_count = fields.Integer("Promises and exemptions", compute="_compute_figures")
    payment_count = fields.Integer("Number of payments", compute="_compute_figures")
    invoice_count = fields.Integer(compute="_compute_figures")
    # From the ledger, each time: nothing stored says that a customer owes. The invoices of its lines and those that name its
    # contact: branches of one company owe each their own.
    amount_due = fields.Monetary(compute="_compute_figures", groups="isp_management.group_cashier")
    amount_overdue = fields.Monetary(compute="_compute_figures", groups="isp_management.group_cashier")

    def _isp_figures_sql(self):
        return CUSTOMER_COLUMNS + (CUSTOMER_SHOWN if len(self) == 1 else "") + CUSTOMER_FROM

    def _isp_figures_shown(self, row):
        """Kept as if Odoo had read it: what was written and not saved yet stands in its place."""
        for model, records in (row.get("shown") or {}).items():
            for number, values in (records or {}).items():
                record = self.env[model].browse(int(number))
                for name, value in values.items():
                    self.env.cache.insert_missing(record, record._fields[name], [value])

    @api.model
    def _isp_overdue_ids(self, moves):
        owing = moves.isp_subscription_id.customer_id | moves.isp_installation_fee_id.customer_id
        named = self.sudo().with_context(active_test=False).search([("partner_id", "in", moves.partner_id.ids)])
        return (owing | named.filtered(lambda c: c.is_overdue)).ids


class IspSubscription(models.Model):
    _name = "isp.subscription"
    _inherit = ["isp.subscription", "isp.figures.mixin"]
    _isp_figures_names = ("invoice_count", "cpe_count", "notification_count", "event_count", "payment_count", "amount_open", "amount_overdue")

    invoice_count = fields.Integer(compute="_compute_figures")
    cpe_count = fields.Integer("Number of devices", compute="_compute_figures")
    notification_count = fields.Integer("Number of messages", compute="_compute_figures")
    event_count = fields.Integer("Number of isolation events", compute="_compute_figures")
    payment_count = fields.Integer("Number of payments", compute="_compute_figures")
    amount_open = fields.Monetary("Open amount", compute="_compute_figures", groups="isp_management.group_cashier")
    is_owing = fields.Boolean("Owes", compute="_compute_is_owing", search="_search_is_owing")
    amount_overdue = fields.Monetary("Overdue amount", compute="_compute_figures", groups="isp_management.group_cashier")
    site = fields.Char("Site", related="router_id.location", store=True, precompute=True, index=True, help="Where the router of this line stands.")

    def _isp_figures_sql(self):
        return LINE_SQL

    def _compute_figures(self):
        return super(IspSubscription, self.sudo())._compute_figures()

    @api.model
    def search_fetch(self, domain, field_names, *args, **kwargs):
        """The lines of a customer are read with all that is shown of them, and not asked for once more."""
        if self.env.context.get("isp_lines_of_customer"):
            field_names = [
                name for name, field in self._fields.items()
                if field.store and field.column_type and field.prefetch is True and not field.groups
            ]
        return super().search_fetch(domain, field_names, *args, **kwargs)

    def _compute_is_owing(self):
        for line in self.sudo():
            line.is_owing = line.amount_open > 0

    @api.model
    def _search_is_owing(self, operator, value):
        if operator not in ("=", "!=") or not isinstance(value, bool):
            raise UserError(_("Overdue is searched as yes or no."))
        found = self._isp_overdue_ids(self._isp_overdue_moves(late=False))
        return [("id", "in" if (operator == "=") == value else "not in", found)]

    @api.model
    def _isp_overdue_ids(self, moves):
        return (moves.isp_subscription_id | moves.isp_installation_fee_id.subscription_id).ids
