from odoo import fields, models

from . import sql

# What is not revenue is a cost.
REVENUE = ("subscription", "installation", "late_fee", "other_income")
KINDS = [
    ("subscription", "Subscriptions"),
    ("installation", "Installation fees"),
    ("late_fee", "Late fees"),
    ("other_income", "Other income"),
    ("device", "Devices"),
    ("expense", "Expenses"),
    ("bad_debt", "Bad debts"),
    ("other_cost", "Other costs"),
]


class IspReportProfitLoss(models.Model):
    """Every posted journal item on an income or expense account, once: the sum is the books' own result."""

    _name = "isp.report.profit_loss"
    _description = "Profit and loss"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "account.move": [
            "state", "reversed_entry_id", "isp_subscription_id", "isp_installation_fee_id", "isp_late_fee_of_id",
            "isp_write_off_of_id",
        ],
        "account.move.line": ["isp_installation_fee_id", "balance", "date", "account_id", "product_id", "partner_id", "parent_state", "company_id"],
        "account.account": ["account_type"],
        "isp.subscription": ["package_id", "router_id"],
        "isp.installation_fee": ["subscription_id"],
        "isp.router": ["location"],
        "isp.package": ["product_id"],
        "isp.expense": ["move_id", "category_id"],
        "isp.device_history": ["move_id", "cpe_id"],
    }

    date = fields.Date(readonly=True)
    # Its values are in the order in which books are read, because a pivot sorts by them.
    side = fields.Selection([("1_revenue", "Revenue"), ("2_cost", "Costs")], readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    category_id = fields.Many2one("isp.expense_category", readonly=True)
    package_id = fields.Many2one("isp.package", readonly=True)
    router_id = fields.Many2one("isp.router", readonly=True)
    site = fields.Char(readonly=True)
    account_id = fields.Many2one("account.account", readonly=True)
    move_id = fields.Many2one("account.move", "Journal entry", readonly=True)
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    revenue = fields.Float(digits=(16, 0), readonly=True)
    cost = fields.Float(digits=(16, 0), readonly=True)
    result = fields.Float(digits=(16, 0), readonly=True)

    def _isp_costs(self):
        """The kinds of costs that other addons book, each with the SQL that knows an item `l` of it."""
        return []

    @property
    def _table_query(self):
        return """
            WITH x AS (%s), sold AS (%s)
            SELECT l.id, l.date, %s AS kind, x.category_id,
                   coalesce(CASE WHEN p.product_id = l.product_id THEN p.id END, sold.package_id,
                            CASE WHEN x.subscription_id IS NOT NULL THEN x.package_id END) AS package_id,
                   CASE WHEN a.internal_group = 'income' THEN '1_revenue' ELSE '2_cost' END AS side,
                   x.router_id, r.location AS site, l.account_id, l.move_id, l.partner_id, l.company_id,
                   l.company_currency_id AS currency_id,
                   CASE WHEN a.account_type IN ('income', 'income_other') THEN -l.balance ELSE 0 END AS revenue,
                   CASE WHEN a.account_type IN ('income', 'income_other') THEN 0 ELSE l.balance END AS cost,
                   -l.balance AS result
            FROM account_move_line l
            JOIN account_account a ON a.id = l.account_id AND a.internal_group IN ('income', 'expense')
            JOIN x ON x.move_id = l.move_id
            LEFT JOIN isp_package p ON p.id = x.package_id
            LEFT JOIN sold ON sold.product_id = l.product_id
            LEFT JOIN isp_router r ON r.id = x.router_id
            WHERE l.parent_state = 'posted' AND l.balance <> 0
        """ % (sql.SUBJECT, sql.PACKAGE_OF_PRODUCT, sql.kind(self._isp_costs()))
