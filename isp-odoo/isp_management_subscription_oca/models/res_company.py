from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_oca_invoices = fields.Boolean(
        "subscription_oca invoices internet lines",
        help="Off: the daily ISP billing writes the invoices of linked subscriptions, which catches up missed days and keeps"
        " the 31st. On: subscription_oca writes them, and only their payment matters here.",
    )
