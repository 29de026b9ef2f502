from odoo import fields, models

from . import sql


class IspReportCustomer(models.Model):
    _name = "isp.report.customer"
    _description = "Customers report"
    _auto = False
    _order = "overdue desc, customer_code"
    _rec_name = "customer_code"
    _depends = {
        "isp.customer": ["partner_id", "company_id", "customer_code", "state", "activated_on", "terminated_on", "active"],
        "isp.subscription": ["customer_id", "package_id", "router_id", "state", "desired_access", "held_price", "held_until"],
        "isp.package.price": ["package_id", "date_from", "price"],
        "res.partner": ["name", "city", "commercial_partner_id"],
        "account.move": ["partner_id", "state"],
        "account.move.line": ["partner_id", "account_id", "date_maturity", "amount_residual", "parent_state"],
    }

    customer_id = fields.Many2one("isp.customer", readonly=True)
    customer_code = fields.Char("Customer ID", readonly=True)
    city = fields.Char(readonly=True)
    state = fields.Selection(
        [("prospect", "Prospect"), ("active", "Active"), ("terminated", "Terminated")], "Status", readonly=True
    )
    activated_on = fields.Date(readonly=True)
    terminated_on = fields.Date(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    package_id = fields.Many2one("isp.package", readonly=True)
    router_id = fields.Many2one("isp.router", readonly=True)
    site = fields.Char(readonly=True)
    customers = fields.Integer(readonly=True)
    line_count = fields.Integer("Active lines", readonly=True)
    isolated_count = fields.Integer("Isolated lines", readonly=True)
    monthly_value = fields.Float("Monthly value", digits=(16, 0), readonly=True)
    owed = fields.Float("Receivable", digits=(16, 0), readonly=True)
    overdue = fields.Float("Arrears", digits=(16, 0), readonly=True)
    credit = fields.Float(digits=(16, 0), readonly=True, help="Paid but not yet allocated to an invoice.")
    days_late = fields.Integer("Days late", readonly=True, group_operator="max")

    @property
    def _table_query(self):
        return """
            WITH today AS (%s), price AS (%s),
            line AS (
                SELECT s.customer_id, min(s.id) FILTER (WHERE s.state IN ('active', 'paused')) AS first_id,
                       count(*) FILTER (WHERE s.state = 'active') AS line_count,
                       count(*) FILTER (WHERE s.state = 'active' AND s.desired_access = 'isolated') AS isolated_count,
                       sum(p.price) FILTER (WHERE s.state = 'active') AS monthly_value
                FROM isp_subscription s JOIN price p ON p.subscription_id = s.id
                WHERE s.active GROUP BY s.customer_id
            ),
            first_of AS (
                SELECT c.company_id, p.commercial_partner_id, min(c.id) AS id
                FROM isp_customer c JOIN res_partner p ON p.id = c.partner_id
                GROUP BY c.company_id, p.commercial_partner_id
            ),
            balance AS (
                SELECT coalesce(own.id, first_of.id) AS customer_id,
                       sum(greatest(l.amount_residual, 0)) AS owed,
                       sum(greatest(-l.amount_residual, 0)) AS credit,
                       sum(greatest(l.amount_residual, 0)) FILTER (WHERE l.date_maturity < t.today) AS overdue,
                       min(l.date_maturity) FILTER (WHERE l.date_maturity < t.today AND l.amount_residual > 0) AS oldest
                FROM account_move_line l
                JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_receivable'
                JOIN account_move m ON m.id = l.move_id
                JOIN today t ON t.company_id = l.company_id
                LEFT JOIN isp_customer own ON own.company_id = l.company_id AND own.partner_id = m.partner_id
                LEFT JOIN first_of ON first_of.company_id = l.company_id AND first_of.commercial_partner_id = l.partner_id
                WHERE l.parent_state = 'posted' AND l.amount_residual <> 0
                GROUP BY coalesce(own.id, first_of.id)
            )
            SELECT c.id, c.id AS customer_id, c.customer_code, partner.city, c.state, c.activated_on, c.terminated_on,
                   c.company_id, company.currency_id, s.package_id, s.router_id, r.location AS site, 1 AS customers,
                   coalesce(line.line_count, 0) AS line_count, coalesce(line.isolated_count, 0) AS isolated_count,
                   coalesce(line.monthly_value, 0) AS monthly_value, coalesce(b.owed, 0) AS owed,
                   coalesce(b.overdue, 0) AS overdue, coalesce(b.credit, 0) AS credit,
                   coalesce(t.today - b.oldest, 0) AS days_late
            FROM isp_customer c
            JOIN today t ON t.company_id = c.company_id
            JOIN res_company company ON company.id = c.company_id
            JOIN res_partner partner ON partner.id = c.partner_id
            LEFT JOIN line ON line.customer_id = c.id
            LEFT JOIN isp_subscription s ON s.id = line.first_id
            LEFT JOIN isp_router r ON r.id = s.router_id
            LEFT JOIN balance b ON b.customer_id = c.id
            WHERE c.active
        """ % (sql.today(self.env["res.company"].sudo().search([])), sql.MONTHLY_PRICE)
