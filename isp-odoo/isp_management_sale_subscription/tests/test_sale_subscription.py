"""Against `checks/stand_in/sale_subscription`, which has the field names of Odoo Enterprise's module that public code shows. That the
bridge fits these names is tested here; that Enterprise behaves like this is not."""

from datetime import date

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.isp_management.tests.common import IspCommon


@tagged("post_install", "-at_install")
class TestSaleSubscription(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.plan = cls.env["sale.subscription.plan"].create({"name": "Bulanan", "billing_period_unit": "month"})
        cls.company.isp_isolate_after_days = 3

    def sell(self, plan=None, **sold):
        order = self.env["sale.order"].create({
            "partner_id": self.partner_a.id, "company_id": self.company.id, "plan_id": (plan or self.plan).id,
            "start_date": date(2026, 1, 31),
            "order_line": [Command.create({
                "product_id": self.package.product_id.id, "product_uom_qty": 1, "price_unit": 250_000,
                "tax_id": [Command.set(self.ppn.ids)], **sold,
            })],
        })
        order.action_confirm()
        order.action_isp_subscription()
        return order

    def test_a_sold_subscription_becomes_a_line_that_follows_it(self):
        order = self.sell()
        line = order.isp_subscription_id
        self.assertEqual((line.package_id, line.cycle, line.state, line.billing_day), (self.package, "monthly", "active", 31))
        self.assertEqual((line.partner_id, line.billed_elsewhere, line.desired_access), (self.partner_a, True, "open"))
        order.pause_subscription()
        self.assertEqual(line.state, "active", "a pause of the invoices does not cut the customer off")
        order.subscription_state = "6_churn"
        self.assertEqual((line.state, line.desired_access), ("terminated", "closed"))

    def test_its_invoices_carry_the_line_and_the_period_and_isolate_it(self):
        order = self.sell()
        line = order.isp_subscription_id
        line.router_id = self.router
        moves = order._create_recurring_invoice() | order._create_recurring_invoice()
        self.at("2026-03-01 10:00")["isp.billing_run"]._cron_bill()
        self.assertEqual(line.move_ids, moves, "Enterprise invoices, and the daily billing does not")
        self.assertEqual(
            moves.sorted("invoice_date").mapped(lambda move: (move.isp_period_start, move.isp_period_end)),
            [(date(2026, 1, 31), date(2026, 2, 28)), (date(2026, 2, 28), date(2026, 3, 28))],
        )
        env = self.at("2026-03-12 10:00")
        env["isp.subscription"]._isp_isolation_run(env.company)
        self.assertEqual((line.desired_access, line.isolated_overdue), ("isolated", sum(moves.mapped("amount_residual"))))
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids).create(
            {"group_payment": True, "payment_date": date(2026, 3, 12)}
        )._create_payments()
        self.assertEqual(line.desired_access, "open")

    def test_what_was_invoiced_before_the_line_is_the_lines(self):
        order = self.env["sale.order"].create({
            "partner_id": self.partner_a.id, "company_id": self.company.id, "plan_id": self.plan.id, "start_date": date(2026, 1, 5),
            "order_line": [Command.create({"product_id": self.package.product_id.id, "price_unit": 250_000})],
        })
        order.action_confirm()
        before = order._create_recurring_invoice()
        order.action_isp_subscription()
        self.assertEqual(order.isp_subscription_id.move_ids, before)

    def test_price_quantity_discount_and_several_orders_are_kept(self):
        yearly = self.plan.copy({"name": "Tahunan", "billing_period_unit": "year"})
        orders = [
            self.sell(price_unit=200_000, product_uom_qty=2, discount=10), self.sell(plan=yearly, price_unit=2_400_000), self.sell(),
        ]
        lines = [order.isp_subscription_id for order in orders]
        self.assertEqual(
            [(line.held_price, line.discount_value, line.cycle) for line in lines],
            [(400_000, 10, "monthly"), (200_000, 0, "annual"), (0, 0, "monthly")],
        )
        self.assertEqual(len({line.customer_id for line in lines}), 1)
        orders[2].order_line.price_unit = 300_000
        orders[2].order_line = [Command.update(orders[2].order_line.id, {"discount": 20})]
        self.assertEqual((lines[2].held_price, lines[2].discount_value), (300_000, 20))

    def test_another_interval_or_a_second_beginning_is_refused(self):
        order = self.sell()
        with self.assertRaisesRegex(UserError, "fixed once it is active"), self.env.cr.savepoint():
            order.plan_id = self.plan.copy({"billing_period_value": 3})
        self.package.active = False
        order.order_line = [Command.update(order.order_line.id, {"price_unit": 300_000})]
        self.assertEqual(order.isp_subscription_id.held_price, 300_000)
        order.subscription_state = "6_churn"
        self.assertEqual(order.isp_subscription_id.state, "terminated")
        with self.assertRaisesRegex(UserError, "Sell a new subscription"), self.env.cr.savepoint():
            order.subscription_state = "3_progress"

    def test_what_is_no_package_or_no_cycle_is_refused(self):
        with self.assertRaises(UserError):
            self.sell(product_id=self.product_a.id)
        with self.assertRaises(UserError):
            self.sell(plan=self.plan.copy({"billing_period_unit": "week"}))
