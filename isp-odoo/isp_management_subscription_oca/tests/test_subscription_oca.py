from datetime import date

from freezegun import freeze_time
from psycopg2.errors import UniqueViolation

from odoo.exceptions import UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_management.tests.common import IspCommon


@tagged("post_install", "-at_install")
class TestSubscriptionOca(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.pricelist = cls.env["product.pricelist"].create({"name": "IDR", "currency_id": cls.company.currency_id.id})
        cls.monthly = cls.env["sale.subscription.template"].create(
            {"name": "Bulanan", "code": "B", "recurring_rule_type": "months", "recurring_interval": 1}
        )

    def sell(self, template=None, product=None, start=date(2026, 1, 31), **sold):
        return self.env["sale.subscription"].create({
            "partner_id": self.partner_a.id,
            "template_id": (template or self.monthly).id,
            "pricelist_id": self.pricelist.id,
            "company_id": self.company.id,
            "date_start": start,
            "recurring_next_date": start,
            "sale_subscription_line_ids": [(0, 0, {
                "product_id": (product or self.package.product_id).id, "product_uom_qty": 1, "price_unit": 250_000,
                "tax_ids": [(6, 0, self.ppn.ids)], **sold,
            })],
        })

    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()

    def test_a_sold_subscription_becomes_a_line_that_follows_it(self):
        sold = self.sell()
        with freeze_time("2026-01-31 03:00:00"):
            sold.action_isp_subscription()
            line = sold.isp_subscription_id
            self.assertEqual((line.package_id, line.cycle, line.state), (self.package, "monthly", "draft"))
            self.assertEqual(line.partner_id, self.partner_a)
            sold.action_start_subscription()
            self.assertEqual((line.state, line.desired_access, line.billing_day), ("active", "open", 31))
            self.assertEqual(sold.action_isp_subscription()["res_id"], line.id, "a second press opens the same line")
            sold.stage_id = self.env.ref("subscription_oca.subscription_stage_closed")
            self.assertEqual((line.state, line.desired_access), ("terminated", "closed"))

    def test_a_contact_opens_for_who_sells_nothing(self):
        sold = self.sell()
        for group in ("technician", "cashier", "billing", "manager"):
            user = new_test_user(
                self.env, "kontak-" + group, groups="isp_management.group_" + group, company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            with self.subTest(group=group):
                self.assertFalse(user.has_group("sales_team.group_sale_salesman"))
                contact = Form(self.env(user=user)["res.partner"].browse(sold.partner_id.id))
                self.assertEqual(contact.name, sold.partner_id.name)
        seller = new_test_user(
            self.env, "kontak-penjual", groups="isp_management.group_cashier,sales_team.group_sale_salesman",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )
        contact = Form(self.env(user=seller)["res.partner"].browse(sold.partner_id.id))
        self.assertEqual(contact.subscription_count, 1)

    def test_the_isp_bills_it_once_and_keeps_the_31st(self):
        sold = self.sell()
        with freeze_time("2026-01-31 03:00:00"):
            sold.action_start_subscription()
            sold.action_isp_subscription()
        line = sold.isp_subscription_id
        for day in ("2026-01-31", "2026-02-28", "2026-03-31"):
            with freeze_time(day + " 03:00:00"):
                self.env["sale.subscription"].cron_subscription_management()
            self.bill(day + " 10:00")
        self.assertEqual(
            line.move_ids.sorted("isp_period_start").mapped("isp_period_start"),
            [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)],
        )
        self.assertFalse(self.env["account.move"].search([("subscription_id", "=", sold.id)]))
        self.assertFalse(sold.create_invoice(), "also not by hand")

    def test_with_the_setting_oca_writes_the_invoices_and_the_isp_none(self):
        self.company.isp_oca_invoices = True
        sold = self.sell(start=date(2026, 3, 5))
        with freeze_time("2026-03-05 03:00:00"):
            sold.action_start_subscription()
            sold.action_isp_subscription()
            self.env["sale.subscription"].cron_subscription_management()
        line = sold.isp_subscription_id
        self.assertTrue(line.billed_elsewhere)
        self.bill("2026-03-05 10:00")
        self.assertEqual(line.move_ids.subscription_id, sold)
        self.assertEqual((line.move_ids.isp_period_start, line.move_ids.isp_period_end), (date(2026, 3, 5), date(2026, 4, 5)))
        self.assertEqual(line.move_ids.amount_total, 277_500)
        sold.recurring_next_date = date(2026, 3, 5)
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            sold.create_invoice()

    def test_a_subscription_without_a_line_is_left_alone(self):
        sold = self.sell(start=date(2026, 3, 5))
        with freeze_time("2026-03-05 03:00:00"):
            sold.action_start_subscription()
            self.env["sale.subscription"].cron_subscription_management()
        self.assertEqual(len(self.env["account.move"].search([("subscription_id", "=", sold.id)])), 1)

    def test_what_is_no_package_or_no_cycle_is_refused(self):
        with self.assertRaises(UserError):
            self.sell(product=self.product_a).action_isp_subscription()
        weekly = self.monthly.copy({"recurring_rule_type": "weeks"})
        with self.assertRaises(UserError):
            self.sell(template=weekly).action_isp_subscription()
        quarterly = self.monthly.copy({"recurring_interval": 3})
        sold = self.sell(template=quarterly, price_unit=750_000)
        sold.action_isp_subscription()
        self.assertEqual(sold.isp_subscription_id.cycle, "quarterly")
        yearly = self.monthly.copy({"recurring_rule_type": "years"})
        sold = self.sell(template=yearly, price_unit=3_000_000)
        sold.action_isp_subscription()
        self.assertEqual(sold.isp_subscription_id.cycle, "annual")

    def test_what_was_invoiced_before_the_line_is_the_lines_and_not_billed_again(self):
        sold = self.sell(start=date(2026, 1, 5))
        self.company.isp_isolate_after_days = 3
        with freeze_time("2026-01-05 03:00:00"):
            sold.action_start_subscription()
            sold.create_invoice().action_post()
            sold.calculate_recurring_next_date(sold.recurring_next_date)
        self.assertEqual(sold.recurring_next_date, date(2026, 2, 5))
        before = sold.invoice_ids
        self.assertEqual(self.revenue(), {"subscription": 250_000}, "a package's product, whoever invoices it")
        sold.action_isp_subscription()
        line = sold.isp_subscription_id
        self.assertEqual((line.move_ids, line.billed_from), (before, date(2026, 2, 5)))
        self.bill("2026-02-05 10:00")
        self.assertEqual(
            sorted(line.move_ids.mapped("invoice_date")), [date(2026, 1, 5), date(2026, 2, 5)], "January was invoiced already"
        )
        self.assertEqual(self.revenue(), {"subscription": 500_000})
        line.router_id = self.router
        env = self.at("2026-02-10 10:30")
        env["isp.subscription"]._isp_isolation_run(env.company)
        self.assertEqual((line.desired_access, line.isolated_overdue), ("isolated", 277_500), "January's arrears count")

    def test_price_quantity_and_discount_are_kept(self):
        quarterly = self.monthly.copy({"recurring_interval": 3})
        for template, sold, held, discount, total in (
            (self.monthly, {}, 0, 0, 277_500),
            (self.monthly, {"price_unit": 200_000, "product_uom_qty": 2}, 400_000, 0, 444_000),
            (self.monthly, {"price_unit": 200_000, "product_uom_qty": 2, "discount": 10}, 400_000, 10, 399_600),
            (self.monthly, {"discount": 12.5}, 218_750, 0, 242_813),
            (quarterly, {"price_unit": 600_000}, 200_000, 0, 666_000),
        ):
            with self.subTest(sold=sold), freeze_time("2026-03-05 03:00:00"):
                self.story_begins()
                sale = self.sell(template=template, start=date(2026, 3, 5), **sold)
                sale.action_start_subscription()
                sale.action_isp_subscription()
                line = sale.isp_subscription_id
                self.assertEqual((line.held_price, line.discount_value), (held, discount))
                self.bill("2026-03-05 10:00")
                self.assertEqual(line.move_ids.amount_total, total)
        # What is sold otherwise from now on is asked otherwise with the next invoice.
        sale.sale_subscription_line_ids.write({"price_unit": 750_000, "discount": 20})
        self.assertEqual((line.held_price, line.discount_value), (0, 20))
        with self.assertRaisesRegex(UserError, "Change the package there"), self.env.cr.savepoint():
            sale.sale_subscription_line_ids.product_id = self.new_package("HOME-50", 400_000).product_id

    def test_what_the_daily_billing_would_lose_is_refused(self):
        quarterly = self.monthly.copy({"recurring_interval": 3})
        for template, sold in (
            (self.monthly, {"price_unit": 100_000.5}), (self.monthly, {"discount": 100}), (quarterly, {"price_unit": 250_000}),
        ):
            with self.subTest(sold=sold), self.assertRaises(UserError):
                self.sell(template=template, **sold).action_isp_subscription()
        rent = {"product_id": self.product_a.id, "product_uom_qty": 1, "price_unit": 50_000}
        sold = self.sell()
        sold.sale_subscription_line_ids = [(0, 0, rent)]
        with self.assertRaisesRegex(UserError, "would not invoice that"):
            sold.action_isp_subscription()
        self.company.isp_oca_invoices = True
        sold.action_isp_subscription()
        self.assertTrue(sold.isp_subscription_id.billed_elsewhere, "who invoices it loses nothing")
        two = self.sell()
        two.sale_subscription_line_ids = [(0, 0, {**rent, "product_id": self.package.product_id.id})]
        with self.assertRaisesRegex(UserError, "more than one internet line"):
            two.action_isp_subscription()

    def test_several_subscriptions_of_one_customer_are_lines_of_their_own(self):
        with freeze_time("2026-03-05 03:00:00"):
            sold = [self.sell(start=date(2026, 3, 5), price_unit=price) for price in (250_000, 180_000)]
            for one in sold:
                one.action_start_subscription()
                one.action_isp_subscription()
        first, second = (one.isp_subscription_id for one in sold)
        self.assertEqual(first.customer_id, second.customer_id)
        self.assertNotEqual(first, second)
        self.bill("2026-03-05 10:00")
        self.assertEqual([line.move_ids.amount_untaxed for line in (first, second)], [250_000, 180_000])
        sold[1].stage_id = self.env.ref("subscription_oca.subscription_stage_closed")
        self.assertEqual((first.state, second.state), ("active", "terminated"))

    def test_an_order_between_subscription_and_invoice_hands_the_line_on(self):
        self.company.isp_oca_invoices = True
        sold = self.sell(template=self.monthly.copy({"invoicing_mode": "sale_and_invoice"}), start=date(2026, 3, 5))
        with freeze_time("2026-03-05 03:00:00"):
            sold.action_start_subscription()
            sold.action_isp_subscription()
            self.env["sale.subscription"].cron_subscription_management()
        move = sold.sale_order_ids.invoice_ids
        self.assertEqual((move.isp_subscription_id, move.state), (sold.isp_subscription_id, "posted"))
        self.assertEqual((move.isp_period_start, move.isp_period_end), (date(2026, 3, 5), date(2026, 4, 5)))
        self.assertEqual(self.revenue(), {"subscription": 250_000})

    def served(self):
        sold = self.sell(start=date(2026, 3, 5))
        with freeze_time("2026-03-05 03:00:00"):
            sold.action_start_subscription()
            sold.action_isp_subscription()
        return sold, sold.isp_subscription_id

    def test_the_price_of_a_package_that_is_sold_no_more_is_followed(self):
        sold, line = self.served()
        self.package.active = False
        self.package.product_id.name = "Nama Baru"
        sold.sale_subscription_line_ids.price_unit = 300_000
        self.assertEqual((line.held_price, line.package_id), (300_000, self.package))
        self.bill("2026-03-05 10:00")
        self.assertEqual(line.move_ids.amount_untaxed, 300_000)

    def test_nobody_is_served_without_invoices(self):
        """Archived, deleted, or at another interval, the subscription would be invoiced by nobody, or three times over."""
        for elsewhere in (False, True):
            self.company.isp_oca_invoices = elsewhere
            sold, line = self.served()
            with self.assertRaisesRegex(UserError, "End it first"), self.env.cr.savepoint():
                sold.active = False
            with self.assertRaisesRegex(UserError, "End it first"), self.env.cr.savepoint():
                sold.unlink()
            with self.assertRaisesRegex(UserError, "fixed once it is active"), self.env.cr.savepoint():
                sold.template_id = self.monthly.copy({"recurring_interval": 3})
            closed = self.env.ref("subscription_oca.subscription_stage_closed")
            running = sold.stage_id
            sold.stage_id = closed
            self.assertEqual(line.state, "terminated")
            with self.assertRaisesRegex(UserError, "Sell a new subscription"), self.env.cr.savepoint():
                sold.stage_id = running
            sold.active = False
            sold.active = True

    def revenue(self):
        self.env.flush_all()
        found = self.env["isp.report.profit_loss"]._read_group(
            [("company_id", "=", self.company.id), ("revenue", "!=", 0)], ["kind"], ["revenue:sum"]
        )
        return dict(found)
