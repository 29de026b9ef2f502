"""Changes of terms: what the wizard shows in rupiah is what is done, and each served day is charged once."""

from datetime import date
from unittest.mock import patch

import isp_engine

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestTerms(IspCommon):
    def setUp(self):
        super().setUp()
        self.fast = self.new_package("HOME-50", 500_000)
        self.line = self.new_subscription(start=date(2026, 1, 1))

    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()
        self.env.invalidate_all()

    def opened(self, moment, kind, **vals):
        line = self.line.with_env(self.at(moment)).with_context(isp_terms=kind)
        wizard = line.env["isp.terms.wizard"].browse(line.action_isp_terms()["res_id"])
        wizard.write(vals)
        return wizard

    def invoices(self):
        return [
            (str(m.isp_period_start), str(m.isp_period_end), round(m.amount_total), m.isp_charge or "")
            for m in self.line.move_ids.filtered(lambda m: m.move_type == "out_invoice" and m.state == "posted").sorted("id")
        ]

    def notes(self):
        return [
            (str(m.isp_credit_start), str(m.isp_credit_end), round(m.amount_total), m.isp_credit_reason)
            for m in self.line.move_ids.filtered(lambda m: m.move_type == "out_refund").sorted("id")
        ]

    def test_a_package_at_once_shows_and_writes_the_difference(self):
        self.bill("2026-01-01 08:00")
        wizard = self.opened("2026-01-11 09:00", "package", package_id=self.fast.id, at_once="now")
        # 21 of 31 days: Rp338.710 for the new one less Rp169.355, with PPN.
        self.assertIn("187.984", str(wizard.effect).replace(",", "."))
        self.assertIn("01/11/2026 - 01/31/2026", wizard.effect)
        self.assertIn("01/21/2026", wizard.effect, "when it is due")
        self.assertFalse(wizard.refused)
        wizard.action_confirm()
        self.assertEqual(self.invoices()[1:], [("2026-01-11", "2026-02-01", 187_984, "change")])
        adjustment = self.line.move_ids.filtered("isp_charge")
        self.assertEqual(adjustment.invoice_line_ids.product_id, self.fast.product_id | self.package.product_id)
        self.assertEqual(sorted(adjustment.invoice_line_ids.mapped("price_unit")), [-169_355, 338_710])
        self.assertEqual((self.line.package_id, self.line.access_agrees), (self.fast, False))
        self.assertIn("Invoiced", self.line.message_ids[0].body)
        self.bill("2026-02-01 08:00")
        self.assertEqual(self.invoices()[2:], [("2026-02-01", "2026-03-01", 555_000, "")])
        with self.assertRaisesRegex(UserError, "today already"):
            self.change_terms(self.line, "2026-01-11 10:00", "package", package_id=self.package.id, at_once="now")

    def test_what_changed_since_it_was_shown_is_shown_again(self):
        self.bill("2026-01-01 08:00")
        self.company.isp_credit_on_pause = True
        wizard = self.opened("2026-01-31 09:00", "pause")
        shown = wizard.fingerprint
        self.company.isp_issue_lead_days = 2
        self.bill("2026-01-31 09:10")
        again = wizard.action_confirm()
        self.assertEqual((again["res_id"], wizard.stale, self.line.state, self.notes()), (wizard.id, True, "active", []))
        self.assertNotEqual(wizard.fingerprint, shown)
        # February was invoiced meanwhile: it comes back whole.
        self.assertIn("277", wizard.effect)
        wizard.action_confirm()
        self.assertEqual(self.line.state, "paused")
        self.assertEqual(self.notes(), [
            ("2026-01-31", "2026-02-01", 8_952, "pause"), ("2026-02-01", "2026-03-01", 277_500, "pause"),
        ])

    def test_a_pause_gives_back_and_its_own_invoice_is_settled_first(self):
        self.company.isp_credit_on_pause = True
        other = self.new_subscription(self.line.customer_id, start=date(2025, 12, 20))
        self.bill("2026-01-01 08:00")
        older, own = other.move_ids.sorted("id")[0], self.line.move_ids
        self.assertLess(older.invoice_date_due, own.invoice_date_due)
        wizard = self.opened("2026-01-11 09:00", "pause")
        self.assertIn("187", wizard.effect)
        self.assertFalse(self.notes(), "shown is not done")
        wizard.action_confirm()
        self.assertEqual(self.notes(), [("2026-01-11", "2026-02-01", 187_984, "pause")])
        self.assertEqual((own.amount_residual, older.amount_residual), (277_500 - 187_984, 277_500))
        self.assertEqual((self.line.state, self.line.desired_access, self.line.access_reason), ("paused", "closed", "paused"))
        self.change_terms(self.line, "2026-01-21 09:00", "resume")
        self.bill("2026-01-21 10:00")
        self.assertEqual((self.line.state, self.line.desired_access), ("active", "open"))
        self.assertEqual(self.invoices()[1:], [("2026-01-21", "2026-02-01", 98_468, "")])
        self.assertFalse(self.env["isp.notification"].search([("subscription_id", "=", self.line.id)]))

    def test_a_resumption_in_mid_period_is_billed_up_to_the_next_billing_day(self):
        """The line of the engine's story: resumed on 21 March, billed on day 10."""
        line = self.new_subscription(self.new_customer("Maret"), start=date(2026, 1, 10), package_id=self.new_package("H", 150_000).id)
        self.bill("2026-01-10 08:00")
        self.change_terms(line, "2026-02-10 07:00", "pause")
        self.bill("2026-03-20 08:00")
        self.change_terms(line, "2026-03-21 09:00", "resume")
        self.bill("2026-03-21 10:00")
        last = line.move_ids.sorted("isp_period_start")[-1]
        self.assertEqual((str(last.isp_period_start), str(last.isp_period_end), last.amount_total), ("2026-03-21", "2026-04-10", 107_419))
        self.bill("2026-04-10 08:00")
        last = line.move_ids.sorted("isp_period_start")[-1]
        self.assertEqual((str(last.isp_period_start), last.amount_total), ("2026-04-10", 166_500))

    def test_an_end_ahead_today_and_said_afterwards(self):
        self.bill("2026-01-01 08:00")
        self.bill("2026-02-01 08:00")
        ahead = self.opened("2026-02-03 09:00", "end", last_day=date(2026, 2, 20))
        with self.assertRaisesRegex(UserError, "reason"):
            ahead.action_confirm()
        ahead.reason = "moved"
        self.assertIn("Nothing is invoiced or given back now", ahead.effect)
        ahead.action_confirm()
        self.assertEqual((self.line.state, self.line.desired_access, self.line.end_date), ("active", "open", date(2026, 2, 20)))
        # Said anew, for a day that has passed: February was never served.
        after = self.opened("2026-02-04 09:00", "end", last_day=date(2026, 1, 31), reason="moved", note="kata tetangga")
        self.assertIn("277", after.effect)
        after.action_confirm()
        self.assertEqual((self.line.state, self.line.desired_access, self.line.end_reason), ("terminated", "closed", "moved"))
        self.assertEqual(self.notes(), [("2026-02-01", "2026-03-01", 277_500, "termination")])
        self.assertEqual(self.line.move_ids.filtered(lambda m: str(m.isp_period_start) == "2026-02-01").amount_residual, 0)
        self.assertIn("kata tetangga", self.line.message_ids[0].body)
        self.bill("2026-03-05 08:00")
        self.assertEqual(len(self.invoices()), 2)

    def test_a_late_fee_of_a_period_that_was_never_served_comes_back(self):
        self.company.write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000, "isp_late_fee_days": 7})
        self.company.sudo().isp_late_fee_through = date(2026, 1, 1)
        self.bill("2026-01-01 08:00")
        self.bill("2026-01-19 08:00")
        self.assertTrue(self.line.move_ids.isp_late_fee_of_id)
        self.change_terms(self.line, "2026-01-20 08:00", "end", last_day=date(2025, 12, 31), reason="other")
        self.assertEqual(sorted(total for *_, total, _reason in self.notes()), [10_000, 277_500])
        self.assertEqual(sum(self.line.move_ids.mapped("amount_residual")), 0)

    def test_a_billing_day_moves_with_a_short_period(self):
        self.bill("2026-01-01 08:00")
        wizard = self.opened("2026-01-10 09:00", "day", billing_day=20)
        # 1 to 19 February: 19 of 31 days of 20 January to 20 February.
        self.assertIn("02/01/2026 - 02/19/2026", wizard.effect)
        wizard.action_confirm()
        self.assertEqual((self.line.billing_day, self.line.charged_until), (20, date(2026, 2, 1)))
        self.bill("2026-02-01 08:00")
        self.bill("2026-02-20 08:00")
        self.assertEqual([days[:2] for days in self.invoices()], [
            ("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-02-20"), ("2026-02-20", "2026-03-20"),
        ])

    def test_a_planned_package_is_withdrawn_with_the_held_price(self):
        self.line.held_price = 200_000
        self.bill("2026-01-01 08:00")
        self.change_terms(self.line, "2026-01-10 09:00", "package", package_id=self.fast.id)
        self.assertEqual((self.line.next_package_id, self.line.change_date, self.line.held_until), (
            self.fast, date(2026, 2, 1), date(2026, 2, 1),
        ))
        self.opened("2026-01-12 09:00", "package").action_withdraw()
        self.assertFalse(self.line.next_package_id or self.line.change_date or self.line.held_until)
        self.bill("2026-02-01 08:00")
        self.assertEqual(self.invoices()[1][2], 222_000)

    def test_a_first_day_ahead_opens_then(self):
        line = self.new_subscription(self.new_customer("Nanti"), start=date(2026, 3, 10), activate=False)
        line.with_env(self.at("2026-03-05 09:00")).action_activate()
        self.assertEqual((line.state, line.desired_access, line._isp_explain().reason), ("active", "closed", "pending"))

    def test_prices_with_and_without_their_ppn(self):
        """Rp150.000 and PPN against Rp222.000 that contain it, and Rp55.000 that contain it."""
        included = self.ppn.copy({"name": "PPN in the price", "price_include": True, "include_base_amount": True})
        big, low, same = (self.new_package(code, price, tax_ids=[Command.set(included.ids)]) for code, price in (
            ("BIG", 222_000), ("LOW", 55_000), ("SAME", 160_000),
        ))
        home = self.new_package("HOME", 150_000)
        for package, paid in ((big, 37_597), (low, -75_532)):
            line = self.new_subscription(self.new_customer(package.code), start=date(2026, 1, 1), package_id=home.id)
            self.bill("2026-01-01 08:00")
            self.company.sudo().isp_billed_through = False
            self.change_terms(line, "2026-01-11 09:00", "package", package_id=package.id, at_once="now")
            last = line.move_ids.sorted("id")[-1]
            self.assertEqual(last.amount_total_signed, paid)
        line = self.new_subscription(self.new_customer("Sama"), start=date(2026, 1, 1), package_id=home.id)
        self.bill("2026-01-01 08:00")
        # Rp160.000 with PPN are less than Rp150.000 and PPN, and look like more.
        wizard = line.with_env(self.at("2026-01-11 09:00")).with_context(isp_terms="package").action_isp_terms()["res_id"]
        wizard = self.at("2026-01-11 09:00")["isp.terms.wizard"].browse(wizard)
        wizard.write({"package_id": same.id, "at_once": "now"})
        self.assertIn("contains its PPN", wizard.refused)
        with self.assertRaises(UserError):
            wizard.action_confirm()
        self.assertEqual(line.package_id, home)

    def test_all_of_a_change_is_written_or_nothing(self):
        self.company.isp_credit_on_pause = True
        self.bill("2026-01-01 08:00")
        wizard = self.opened("2026-01-11 09:00", "pause")
        with patch.object(type(self.line), "_isp_want", side_effect=UserError("putus")), self.assertRaisesRegex(UserError, "putus"):
            with self.env.cr.savepoint():
                wizard.action_confirm()
        self.env.invalidate_all()
        self.assertEqual((self.line.state, self.line.paused_from, self.notes()), ("active", False, []))

    def test_a_run_that_planned_before_a_change_bills_what_is_so_now(self):
        run = type(self.env["isp.billing_run"])
        original = run._write_batch

        def changed_meanwhile(of, company, batch, planned):
            with patch.object(run, "_write_batch", original):
                self.change_terms(self.line, "2026-02-01 07:00", "pause")
            return original(of, company, batch, planned)

        self.bill("2026-01-01 08:00")
        with patch.object(run, "_write_batch", changed_meanwhile):
            self.bill("2026-02-01 08:00")
        self.assertEqual(len(self.invoices()), 1, "a line in a pause is not billed")

    def test_a_cancelled_period_is_left_out_of_what_is_charged(self):
        self.company.isp_credit_on_termination = True
        self.bill("2026-01-01 08:00")
        self.line.move_ids.button_draft()
        self.line.move_ids.button_cancel()
        self.change_terms(self.line, "2026-01-11 09:00", "end", last_day=date(2026, 1, 10), reason="other")
        self.assertEqual((self.notes(), self.line.state, len(self.line.move_ids)), ([], "terminated", 1))

    def test_a_line_that_another_module_invoices_is_not_invoiced_here(self):
        self.line.sudo().billed_elsewhere = True
        self.change_terms(self.line, "2026-06-10 09:00", "pause")
        self.change_terms(self.line, "2026-06-20 09:00", "resume")
        self.assertEqual((self.line.state, self.line.desired_access), ("active", "open"))
        self.line.with_env(self.at("2026-06-21 09:00")).action_terminate()
        self.assertEqual((self.line.state, len(self.line.move_ids)), ("terminated", 0))

    def test_refusals_are_in_words_and_carry_their_code(self):
        self.bill("2026-01-01 08:00")
        with self.assertRaises(UserError) as raised:
            self.line.with_env(self.at("2026-01-10 09:00")).action_resume()
        self.assertIsInstance(raised.exception.__cause__, isp_engine.InvalidValue)
        self.assertEqual(raised.exception.__cause__.code, "subscription.not_serving")
        wizard = self.opened("2026-01-10 09:00", "pause", since=date(2026, 1, 20))
        self.assertIn("cannot be said ahead", wizard.refused)
        self.assertFalse(wizard.effect)

    def test_the_form_in_indonesian_and_as_a_person_who_may_not(self):
        user = self.env["res.users"].with_context(no_reset_password=True).create({
            "name": "Teknisi", "login": "teknisi-terms", "lang": "id_ID",
            "groups_id": [Command.set(self.env.ref("isp_management.group_technician").ids)],
        })
        with self.assertRaises(AccessError):
            self.line.with_user(user).with_context(isp_terms="pause").action_isp_terms()
        self.bill("2026-01-01 08:00")
        wizard = self.opened("2026-01-10 09:00", "pause")
        self.assertIn("Tidak ada yang ditagih", wizard.with_context(lang="id_ID").effect)
