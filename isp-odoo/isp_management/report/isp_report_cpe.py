from odoo import fields, models

from ..models.isp_cpe import OWNERSHIP


class IspReportCpe(models.Model):
    _name = "isp.report.cpe"
    _description = "CPE report"
    _auto = False
    _order = "to_return desc, name"
    _depends = {
        "isp.cpe": [
            "name", "company_id", "customer_id", "subscription_id", "outdoor_unit", "router", "serial", "ip_address",
            "ownership", "state", "value", "installed_on", "returned_on", "active",
        ],
        "isp.customer": ["state"],
        "isp.subscription": ["router_id"],
        "isp.device_history": ["cpe_id", "kind", "cost"],
    }

    name = fields.Char("Number", readonly=True)
    cpe_id = fields.Many2one("isp.cpe", "CPE", readonly=True)
    customer_id = fields.Many2one("isp.customer", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    router_id = fields.Many2one("isp.router", "MikroTik router", readonly=True)
    site = fields.Char(readonly=True)
    outdoor_unit = fields.Char("Outdoor unit", readonly=True)
    router = fields.Char(readonly=True)
    serial = fields.Char(readonly=True)
    ip_address = fields.Char("IP address", readonly=True)
    ownership = fields.Selection(OWNERSHIP, readonly=True)
    state = fields.Selection(
        [("stock", "In stock"), ("installed", "Installed"), ("returned", "Returned"), ("lost", "Lost")], readonly=True
    )
    installed_on = fields.Date(readonly=True)
    devices = fields.Integer(readonly=True)
    replaced_count = fields.Integer("Times replaced", readonly=True)
    cost = fields.Float("Replacement cost", digits=(16, 0), readonly=True)
    value = fields.Float("Value of lent devices", digits=(16, 0), readonly=True)
    to_return = fields.Boolean("To be returned", readonly=True, help="Lent to a customer who has left.")
    value_to_return = fields.Float("Value to be returned", digits=(16, 0), readonly=True)

    @property
    def _table_query(self):
        return """
            WITH history AS (
                SELECT cpe_id, count(*) FILTER (WHERE kind = 'replaced') AS replaced_count, sum(cost) AS cost
                FROM isp_device_history GROUP BY cpe_id
            ), device AS (
                SELECT d.*, coalesce(d.ownership = 'lent' AND d.state = 'installed' AND c.state = 'terminated', false) AS to_return
                FROM isp_cpe d LEFT JOIN isp_customer c ON c.id = d.customer_id
                WHERE d.active
            )
            SELECT d.id, d.id AS cpe_id, d.name, d.customer_id, d.company_id, company.currency_id, s.router_id,
                   r.location AS site, d.outdoor_unit, d.router, d.serial, d.ip_address, d.ownership, d.state,
                   d.installed_on, 1 AS devices, coalesce(h.replaced_count, 0) AS replaced_count,
                   coalesce(h.cost, 0) AS cost,
                   CASE WHEN d.ownership = 'lent' THEN coalesce(d.value, 0) ELSE 0 END AS value, d.to_return,
                   CASE WHEN d.to_return THEN coalesce(d.value, 0) ELSE 0 END AS value_to_return
            FROM device d
            JOIN res_company company ON company.id = d.company_id
            LEFT JOIN isp_subscription s ON s.id = d.subscription_id
            LEFT JOIN isp_router r ON r.id = s.router_id
            LEFT JOIN history h ON h.cpe_id = d.id
        """
