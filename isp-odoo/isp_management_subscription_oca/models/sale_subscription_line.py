from odoo import api, models

SOLD = {"product_id", "product_uom_qty", "price_unit", "discount"}


class SaleSubscriptionLine(models.Model):
    _inherit = "sale.subscription.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.sale_subscription_id._isp_keep_price()
        return lines

    def write(self, values):
        result = super().write(values)
        if SOLD & values.keys():
            self.sale_subscription_id._isp_keep_price()
        return result

    def unlink(self):
        subscriptions = self.sale_subscription_id
        result = super().unlink()
        subscriptions._isp_keep_price()
        return result
