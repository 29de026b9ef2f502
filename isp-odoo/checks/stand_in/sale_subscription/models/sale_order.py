"""Written from names in public code. How Enterprise itself works is not known here: what a test shows with it is that the bridge fits
these names."""

from dateutil.relativedelta import relativedelta

from odoo import fields, models


class SaleSubscriptionPlan(models.Model):
    _name = "sale.subscription.plan"
    _description = "Plan"

    name = fields.Char(required=True)
    billing_period_value = fields.Integer(default=1, required=True)
    billing_period_unit = fields.Selection([("week", "Weeks"), ("month", "Months"), ("year", "Years")], default="month", required=True)

    @property
    def billing_period(self):
        return relativedelta(**{"%ss" % self.billing_period_unit: self.billing_period_value})


class SaleOrder(models.Model):
    _inherit = "sale.order"

    is_subscription = fields.Boolean(compute="_compute_is_subscription", store=True)
    plan_id = fields.Many2one("sale.subscription.plan")
    subscription_state = fields.Selection([
        ("1_draft", "Quotation"), ("2_renewal", "Renewal quotation"), ("3_progress", "In progress"), ("4_paused", "Paused"),
        ("5_renewed", "Renewed"), ("6_churn", "Churned"), ("7_upsell", "Upsell"),
    ])
    start_date = fields.Date()
    next_invoice_date = fields.Date()
    last_invoice_date = fields.Date()
    end_date = fields.Date()

    def _compute_is_subscription(self):
        for order in self:
            order.is_subscription = bool(order.plan_id)

    def action_confirm(self):
        result = super().action_confirm()
        for order in self.filtered("plan_id"):
            start = order.start_date or fields.Date.today()
            order.write({"subscription_state": "3_progress", "start_date": start, "next_invoice_date": order.next_invoice_date or start})
        return result

    def pause_subscription(self):
        self.write({"subscription_state": "4_paused"})

    def _create_recurring_invoice(self, batch_size=30):
        """An invoice of each order that is due, posted; then the next date."""
        moves = self.env["account.move"]
        for order in self[:batch_size].filtered(lambda o: o.subscription_state == "3_progress"):
            vals = order._prepare_invoice()
            vals["invoice_date"] = order.next_invoice_date
            vals["invoice_line_ids"] = [
                fields.Command.create(line._prepare_invoice_line(quantity=line.product_uom_qty)) for line in order.order_line
            ]
            move = self.env["account.move"].create(vals)
            move.action_post()
            order.write({
                "last_invoice_date": order.next_invoice_date,
                "next_invoice_date": order.next_invoice_date + order.plan_id.billing_period,
            })
            moves |= move
        return moves
