from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _prepare_invoice(self):
        """In the mode "Sale order & Invoice" an order stands between the subscription and its invoice."""
        return {**super()._prepare_invoice(), **self.order_subscription_id._isp_invoice_vals()}
