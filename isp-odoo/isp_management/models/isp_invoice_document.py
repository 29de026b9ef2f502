"""What the provider's invoices say besides what Odoo prints."""

from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_how_to_pay = fields.Text(
        "How to pay", translate=True, help="Printed on the invoices of customers: accounts, QRIS, counters, what to quote.",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_how_to_pay = fields.Text(related="company_id.isp_how_to_pay", readonly=False)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _isp_invoiced_customer(self):
        """The customer that an invoice of the provider is for; nobody for other invoices."""
        self.ensure_one()
        return self.isp_subscription_id.customer_id or self.isp_installation_fee_id.customer_id
