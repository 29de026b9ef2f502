from odoo import fields, models

MONTHS = {"months": 1, "years": 12}


class SaleSubscription(models.Model):
    _name = "sale.subscription"
    _inherit = ["sale.subscription", "isp.subscription.source"]

    def _isp_sold(self):
        return self.sale_subscription_line_ids

    def _isp_months(self):
        template = self.template_id
        return MONTHS.get(template.recurring_rule_type, 0) * template.recurring_interval

    def _isp_start(self):
        return self.date_start

    def _isp_is_running(self):
        return self.stage_id.type == "in_progress"

    def _isp_is_closed(self):
        return self.stage_id.type == "post"

    def _isp_billed_elsewhere(self):
        return self.company_id.isp_oca_invoices

    def _isp_invoices(self):
        return self.invoice_ids | self.sale_order_ids.invoice_ids

    def _isp_next_date(self):
        return self.recurring_next_date

    def write(self, values):
        if values.get("active") is False:
            self._isp_check_unserved()
        result = super().write(values)
        if "template_id" in values:
            self._isp_check_cycle()
        if "stage_id" in values:
            self._isp_follow()
        return result

    def generate_invoice(self):
        """A line that the ISP billing invoices is not invoiced here a second time: only the date moves on."""
        ours = self.filtered(lambda s: s.isp_subscription_id and not s.isp_subscription_id.billed_elsewhere)
        for subscription in ours:
            subscription.recurring_next_date = fields.Date.add(
                subscription.recurring_next_date, months=subscription._isp_months()
            )
        if self - ours:
            return super(SaleSubscription, self - ours).generate_invoice()
        return None

    def create_invoice(self):
        if self.isp_subscription_id and not self.isp_subscription_id.billed_elsewhere:
            return self.env["account.move"]
        return super().create_invoice()

    def _prepare_account_move(self, line_ids):
        return {**super()._prepare_account_move(line_ids), **self._isp_invoice_vals()}

    def _isp_invoice_vals(self):
        """What says that an invoice is a line's, and for which period."""
        if not self.isp_subscription_id:
            return {}
        start = self.recurring_next_date
        return {
            "isp_subscription_id": self.isp_subscription_id.id,
            "isp_period_start": start,
            "isp_period_end": fields.Date.add(start, months=self._isp_months()),
        }

    def manual_invoice(self):
        if self.isp_subscription_id and not self.isp_subscription_id.billed_elsewhere:
            return self.isp_subscription_id.action_view_invoices()
        return super().manual_invoice()
