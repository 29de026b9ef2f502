from odoo import fields, models

MONTHS = {"month": 1, "year": 12}


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "isp.subscription.source"]

    def _isp_sold(self):
        return self.order_line.filtered(lambda line: not line.display_type)

    def _isp_months(self):
        return MONTHS.get(self.plan_id.billing_period_unit, 0) * self.plan_id.billing_period_value

    def _isp_start(self):
        return self.start_date

    def _isp_is_running(self):
        return self.subscription_state in ("3_progress", "4_paused")

    def _isp_is_closed(self):
        return self.subscription_state == "6_churn"

    def _isp_billed_elsewhere(self):
        # Enterprise invoices what it sold; the line's invoices are known by the period they carry.
        return True

    def _isp_invoices(self):
        return self.invoice_ids

    def _isp_next_date(self):
        return self.next_invoice_date

    def write(self, vals):
        result = super().write(vals)
        if "plan_id" in vals:
            self._isp_check_cycle()
        if "subscription_state" in vals:
            self._isp_follow()
        if "order_line" in vals:
            self._isp_keep_price()
        return result

    def _prepare_invoice(self):
        values = super()._prepare_invoice()
        if self.isp_subscription_id:
            values["isp_subscription_id"] = self.isp_subscription_id.id
        if self.isp_subscription_id and self.next_invoice_date:
            values.update(
                isp_period_start=self.next_invoice_date,
                isp_period_end=fields.Date.add(self.next_invoice_date, months=self._isp_months()),
            )
        return values
