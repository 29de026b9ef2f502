from datetime import date, datetime

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import IspCommon


class GivenBackCommon(IspCommon):
    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()

    def member(self, group):
        return new_test_user(
            self.env, "nota-%s" % group, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )


@tagged("post_install", "-at_install")
class TestOutageCredit(GivenBackCommon):
    def setUp(self):
        super().setUp()
        self.package = self.new_package("HOME-31", 310_000)
        # January: 31 days at Rp10.000.
        self.first = self.new_subscription(start=date(2026, 1, 1), package_id=self.package.id)
        self.second = self.new_subscription(self.new_customer("Budi"), start=date(2026, 1, 1), package_id=self.package.id)
        elsewhere = self.router.copy({"name": "Garut-1"})
        self.other = self.new_subscription(
            self.new_customer("Dewi"), start=date(2026, 1, 1), package_id=self.package.id, router_id=elsewhere.id
        )
        self.bill("2026-01-01 08:00")
        # 16 January 09:00 to 18 January 21:00 WIB, in UTC.
        self.outage = self.env["isp.outage"].create({
            "name": "Kabel putus", "router_id": self.router.id, "since": datetime(2026, 1, 16, 2),
            "until": datetime(2026, 1, 18, 14),
        })

    def open(self, moment="2026-01-20 08:00", user=None):
        outage = self.outage.with_env(self.at(moment))
        if user:
            outage = outage.with_user(user)
        action = outage.action_give_back()
        return outage.env[action["res_model"]].browse(action["res_id"])

    def test_the_wizard_shows_who_gets_how_much_and_why_and_writes_nothing(self):
        wizard = self.open(user=self.member("billing"))
        self.assertEqual(
            [(row.subscription_id, row.days, row.date_from, row.date_to, row.price, row.amount) for row in wizard.line_ids],
            [(s, "2 of 31 days", date(2026, 1, 16), date(2026, 1, 17), 20_000, 22_200) for s in (self.first, self.second)],
        )
        self.assertIn("60 hours", wizard.why)
        self.assertEqual((wizard.count, wizard.amount), (2, 44_400))
        self.assertFalse(self.env["account.move"].search([("isp_outage_id", "=", self.outage.id)]))

    def test_notes_pay_what_is_open_once(self):
        wizard = self.open(user=self.member("billing"))
        wizard.line_ids[1].chosen = False
        self.assertEqual((wizard.count, wizard.amount), (1, 22_200))
        wizard.action_confirm()
        [note] = self.env["account.move"].search([("isp_outage_id", "=", self.outage.id)])
        invoice = self.first.move_ids.filtered("isp_period_start")
        self.assertEqual((note.move_type, note.state, note.amount_untaxed, note.amount_tax), ("out_refund", "posted", 20_000, 2_200))
        self.assertEqual((note.reversed_entry_id, note.isp_credit_reason), (invoice, "outage"))
        self.assertEqual(note.invoice_line_ids.name, "Outage: Kabel putus, 16/01/2026 - 17/01/2026")
        self.assertEqual((note.isp_credit_start, note.isp_credit_end), (date(2026, 1, 16), date(2026, 1, 18)))
        self.assertEqual((invoice.amount_residual, note.amount_residual), (344_100 - 22_200, 0))
        self.outage.invalidate_recordset()
        self.assertEqual((self.outage.credit_count, self.outage.credit_amount), (1, 22_200))
        again = self.open()
        self.assertEqual(again.line_ids.subscription_id, self.second, "the first has it already")
        again.action_confirm()
        self.assertFalse(self.open().line_ids)
        self.assertIn("lines", self.outage.message_ids[0].body)

    def test_the_oldest_open_invoice_is_paid_first(self):
        self.bill("2026-02-01 08:00")
        january, february = self.first.move_ids.sorted("isp_period_start")
        self.outage.write({"since": datetime(2026, 2, 9, 17), "until": datetime(2026, 2, 11, 17)})
        self.open("2026-02-20 08:00").action_confirm()
        note = self.env["account.move"].search([("reversed_entry_id", "=", february.id)])
        self.assertEqual((note.amount_untaxed, note.amount_residual), (22_143, 0), "2 of 28 days of Rp310.000")
        self.assertEqual((january.amount_residual, february.amount_residual), (344_100 - note.amount_total, 344_100))

    def test_a_paid_invoice_leaves_credit_that_pays_the_next(self):
        invoice = self.first.move_ids
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {"payment_date": date(2026, 1, 5)}
        )._create_payments()
        self.open().action_confirm()
        note = self.env["account.move"].search([("reversed_entry_id", "=", invoice.id)])
        self.assertEqual(note.amount_residual, 22_200)
        self.assertEqual(self.first.customer_id.amount_due, -22_200)

    def test_by_the_hour_and_too_short(self):
        self.outage.until = datetime(2026, 1, 16, 8)
        wizard = self.open()
        self.assertFalse(wizard.line_ids)
        self.assertIn("from 24 hours on", wizard.why)
        self.company.write({"isp_outage_min_hours": 4, "isp_outage_by": "hour"})
        wizard = self.open()
        self.assertEqual(wizard.line_ids.mapped("price"), [2_500, 2_500], "6 of 24 hours of Rp10.000")

    def test_two_wizards_give_back_once(self):
        one, two = self.open(), self.open()
        one.action_confirm()
        with self.assertRaises(UserError):
            two.action_confirm()
        self.assertEqual(self.env["account.move"].search_count([("isp_outage_id", "=", self.outage.id)]), 2)

    def test_only_billing_gives_back_and_only_when_it_is_over(self):
        for group in ("technician", "cashier"):
            with self.assertRaises(AccessError):
                self.open(user=self.member(group))
        self.outage.until = False
        with self.assertRaises(UserError):
            self.open()

    def test_no_message_says_that_somebody_paid(self):
        before = self.env["isp.notification"].search_count([("kind", "=", "payment_received")])
        self.open().action_confirm()
        self.assertEqual(self.env["isp.notification"].search_count([("kind", "=", "payment_received")]), before)


@tagged("post_install", "-at_install")
class TestWhileIsolated(GivenBackCommon):
    def setUp(self):
        super().setUp()
        self.package = self.new_package("HOME-31", 310_000)
        self.line = self.new_subscription(start=date(2026, 1, 1), package_id=self.package.id)
        self.bill("2026-01-01 08:00")

    def isolate(self, moment):
        self.line.with_env(self.at(moment))._isp_want("isolate", "overdue_too_long", overdue=1)

    def reopen(self, moment):
        self.line.with_env(self.at(moment))._isp_want("reopen", "paid")

    def periods(self):
        moves = self.line.move_ids.filtered("isp_period_start").sorted("isp_period_start")
        return [m.isp_period_start.isoformat() for m in moves]

    def notes(self):
        return [
            (m.isp_credit_start.isoformat(), m.isp_credit_end.isoformat(), m.amount_untaxed)
            for m in self.line.move_ids.filtered(lambda m: m.isp_credit_reason == "isolation").sorted("isp_credit_start")
        ]

    def test_as_always(self):
        self.isolate("2026-01-20 10:00")
        self.bill("2026-02-01 08:00")
        self.assertEqual((self.periods(), self.notes()), (["2026-01-01", "2026-02-01"], []))

    def test_left_out(self):
        self.company.isp_while_isolated = "skip"
        self.isolate("2026-01-20 10:00")
        self.bill("2026-02-01 08:00")
        self.assertEqual(self.periods(), ["2026-01-01"])
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual((run.skipped_count, run.invoice_count), (1, 0))
        self.assertIn("01/02/2026 - 28/02/2026", self.line.message_ids[0].body)
        self.bill("2026-02-02 08:00")
        self.reopen("2026-02-10 08:00")
        self.bill("2026-03-01 08:00")
        self.assertEqual(self.periods(), ["2026-01-01", "2026-03-01"], "what was left out stays out")

    def test_given_back(self):
        self.company.isp_while_isolated = "prorate"
        self.isolate("2026-01-16 10:00")
        self.reopen("2026-01-20 15:00")
        self.bill("2026-01-25 08:00")
        self.assertEqual(self.notes(), [], "when it is billed next")
        self.bill("2026-02-01 08:00")
        self.assertEqual(self.notes(), [("2026-01-17", "2026-01-20", 30_000)])
        note = self.line.move_ids.filtered("isp_credit_reason")
        self.assertEqual((note.state, note.move_type, note.amount_tax), ("posted", "out_refund", 3_300))
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual((run.credit_count, run.invoice_count), (1, 1))
        self.bill("2026-02-01 09:00")
        self.bill("2026-03-01 08:00")
        self.assertEqual(len(self.notes()), 1)

    def test_given_back_when_it_ends(self):
        self.company.isp_while_isolated = "prorate"
        self.isolate("2026-01-26 10:00")
        self.change_terms(self.line, "2026-01-30 08:00", "end", last_day=date(2026, 1, 30), reason="arrears")
        self.bill("2026-01-31 08:00")
        self.assertEqual(self.notes(), [("2026-01-27", "2026-01-31", 40_000)])
