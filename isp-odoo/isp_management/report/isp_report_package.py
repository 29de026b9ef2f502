from odoo import fields, models

from . import sql


class IspReportPackage(models.Model):
    _name = "isp.report.package"
    _description = "Packages report"
    _auto = False
    _order = "package_id, id"
    _rec_name = "package_id"
    _depends = {
        "isp.package": ["name", "company_id", "speed_down", "active"],
        "isp.package.price": ["package_id", "date_from", "price"],
        "isp.subscription": [
            "package_id", "customer_id", "router_id", "state", "cycle", "desired_access", "activation_date", "held_price",
            "held_until", "active",
        ],
    }

    package_id = fields.Many2one("isp.package", readonly=True)
    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    customer_id = fields.Many2one("isp.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    router_id = fields.Many2one("isp.router", readonly=True)
    site = fields.Char(readonly=True)
    state = fields.Selection(
        [("draft", "New"), ("active", "Active"), ("paused", "Paused"), ("terminated", "Terminated")], readonly=True
    )
    cycle = fields.Selection(
        [("monthly", "Monthly"), ("quarterly", "Quarterly"), ("semiannual", "Half-yearly"), ("annual", "Yearly")],
        readonly=True,
    )
    desired_access = fields.Selection(
        [("open", "Open"), ("isolated", "Isolated"), ("closed", "Closed")], "Wanted access", readonly=True
    )
    activation_date = fields.Date("First day of service", readonly=True)
    active_count = fields.Integer("Active", readonly=True)
    isolated_count = fields.Integer("Isolated", readonly=True, help="Of the active ones.")
    paused_count = fields.Integer("Paused", readonly=True)
    terminated_count = fields.Integer("Terminated", readonly=True)
    monthly_value = fields.Float("Monthly value", digits=(16, 0), readonly=True, help="Of the active subscriptions, without PPN.")

    @property
    def _table_query(self):
        return """
            WITH today AS (%s), price AS (%s)
            SELECT coalesce(s.id * 2, p.id * 2 + 1) AS id, p.id AS package_id, s.id AS subscription_id, s.customer_id,
                   p.company_id, company.currency_id, s.router_id, r.location AS site, s.state, s.cycle, s.desired_access,
                   s.activation_date,
                   CASE WHEN s.state = 'active' THEN 1 ELSE 0 END AS active_count,
                   CASE WHEN s.state = 'active' AND s.desired_access = 'isolated' THEN 1 ELSE 0 END AS isolated_count,
                   CASE WHEN s.state = 'paused' THEN 1 ELSE 0 END AS paused_count,
                   CASE WHEN s.state = 'terminated' THEN 1 ELSE 0 END AS terminated_count,
                   CASE WHEN s.state = 'active' THEN price.price ELSE 0 END AS monthly_value
            FROM isp_package p
            JOIN res_company company ON company.id = p.company_id
            LEFT JOIN isp_subscription s ON s.package_id = p.id AND s.active
            LEFT JOIN price ON price.subscription_id = s.id
            LEFT JOIN isp_router r ON r.id = s.router_id
            WHERE p.active OR s.id IS NOT NULL
        """ % (sql.today(self.env["res.company"].sudo().search([])), sql.MONTHLY_PRICE)
