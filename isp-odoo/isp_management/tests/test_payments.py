"""Payments with a reference, corrections, and what is refused with a code: as people do it by wizards, and programs by RPC."""

from datetime import date

from odoo.exceptions import AccessError, UserError
from odoo.http import serialize_exception
from odoo.tests import new_test_user, tagged

from ..refusals import Refusal
from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestPayments(IspNetworkCommon):
    def setUp(self):
        super().setUp()
        self.line = self.new_line(1)
        self.at("2026-01-05 08:00")["isp.billing_run"]._cron_bill()
        self.move = self.line.move_ids
        self.payments = self.at("2026-01-20 09:00")["account.payment"]

    def register(self, move, moment="2026-01-20 09:00", **vals):
        wizard = self.at(moment)["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
            {"payment_date": date(2026, 1, 19), "isp_provider": "BCA", "isp_reference": "Trx-77", **vals}
        )
        return wizard._create_payments()

    def refusal(self, code, do, *args, **kwargs):
        with self.assertRaises(Refusal) as refused, self.env.cr.savepoint():
            do(*args, **kwargs)
        self.assertEqual(refused.exception.code, code)
        return refused.exception

    def test_the_same_reference_is_one_payment(self):
        first = self.register(self.move, amount=100_000)
        self.assertEqual((first.isp_provider, first.isp_reference, self.move.amount_residual), ("BCA", "Trx-77", 177_500))
        again = self.register(self.move, amount=100_000, isp_provider="bca", isp_reference=" TRX-77 ")
        self.assertEqual((again, self.move.amount_residual), (first, 177_500), "shown, not booked again")
        told = self.payments._isp_receive(self.line.partner_id, 100_000, date(2026, 1, 19), "bca", "trx-77")
        self.assertEqual(told, first)
        self.refusal("payment.mismatch", self.register, self.move, amount=100_001)
        other = self.register(self.move, amount=100_000, isp_reference="Trx-78")
        self.assertNotEqual(other, first)
        self.assertEqual(self.move.amount_residual, 77_500)

    def test_a_day_that_was_mistyped_is_asked_about(self):
        """Also of cash, which has no reference: by the button of the dialog."""
        def press(day, **vals):
            register = self.at("2026-01-20 09:00")["account.payment.register"].with_context(
                active_model="account.move", active_ids=self.move.ids
            ).create({"payment_date": day, **vals})
            return register.action_create_payments()

        self.refusal("payment.paid_in_future", press, date(2062, 1, 19))
        self.refusal("payment.paid_long_ago", press, date(1999, 1, 19))
        self.refusal("value.implausible", press, date(2026, 1, 19), amount=277)
        self.assertEqual(self.move.amount_residual, 277_500)
        press(date(1999, 1, 19), isp_insist=True)
        self.assertEqual(self.move.amount_residual, 0)

    def test_without_a_provider_the_journal_is_it(self):
        first = self.register(self.move, amount=100_000, isp_provider=False)
        self.assertTrue(first.isp_identity.endswith(" trx-77"))
        self.assertEqual(self.register(self.move, amount=100_000, isp_provider=first.journal_id.code), first)

    def test_a_slip_of_tax_settles_and_is_no_money(self):
        """PPh 23 that a firm kept back (rule P9): 2 % of Rp250.000 are missing; the slip is in a journal of its own."""
        slip = dict(isp_provider=False, isp_reference="BP 0001", isp_slip=True)
        self.register(self.move, amount=272_500)
        self.assertIn("PPh 23", " ".join(self.line.with_env(self.payments.env)._isp_explain().evidence))
        self.refusal("payment.slip_odd", self.register, self.move, **slip, amount=4_000)
        self.refusal("payment.slip_above_debt", self.register, self.move, **slip, amount=10_000)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.register(self.move, **{**slip, "isp_reference": " "}, amount=5_000)
        before = self.env["isp.notification"].search([])
        paid = self.register(self.move, **slip, amount=5_000)
        journal = self.company.isp_pph23_journal_id
        self.assertEqual((paid.journal_id, journal.default_account_id.account_type, paid.isp_provider), (journal, "asset_prepayments", "pph23"))
        self.assertEqual((self.move.amount_residual, self.move.payment_state), (0, "paid"))
        self.assertEqual(paid.move_id.line_ids.filtered(lambda i: i.account_id == journal.default_account_id).debit, 5_000)
        self.assertEqual(self.env["isp.notification"].search([]), before, "no money came, so there is no receipt")
        again = self.payments._isp_receive(self.line.partner_id, 5_000, date(2026, 1, 19), "PPh23", "bp0001 ", told="person")
        self.assertEqual(again, paid, "the same slip")
        self.env.flush_all()
        report = self.env["isp.report.finance"].search([("company_id", "=", self.company.id)])
        self.assertEqual((sum(report.mapped("collected")), sum(report.mapped("withheld"))), (272_500, 5_000))
        paid._isp_take_back("salah")
        self.assertEqual(self.move.amount_residual, 5_000)

    def test_the_same_tax_under_another_number_is_asked_about(self):
        """2 % of Rp250.000 are kept back by one slip; a second one would be more than the tax (rule P9)."""
        slip = dict(isp_provider=False, isp_slip=True, amount=5_000)
        first = self.register(self.move, **slip, isp_reference="BP 0001")
        self.refusal("payment.slip_twice", self.register, self.move, **slip, isp_reference="BP 0002")
        receive = (self.payments._isp_receive, self.line.partner_id, 5_000, date(2026, 1, 19), "pph23", "BP 0002")
        self.refusal("payment.slip_twice", *receive, told="person")
        self.assertEqual(self.move.amount_residual, 272_500)
        first._isp_take_back("nomor salah")
        self.register(self.move, **slip, isp_reference="BP 0002")
        self.assertEqual(self.move.amount_residual, 272_500)

    def test_a_slip_is_booked_in_its_journal_alone(self):
        journal = self.company._isp_pph23_journal()
        vals = {"payment_type": "inbound", "partner_type": "customer", "partner_id": self.line.partner_id.id, "amount": 5_000}
        for bad in (
            {"journal_id": journal.id}, {"journal_id": journal.id, "isp_provider": "bca", "isp_reference": "1"},
            {"isp_provider": "PPh23", "isp_reference": "1"},
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.payments.create({**vals, **bad}).action_post()
        made = self.payments._isp_receive(self.line.partner_id, 5_000, date(2026, 1, 19), "pph23", "BP-9", told="person")
        other = self.new_line(2)
        self.at("2026-01-05 08:00")["isp.billing_run"]._cron_bill()
        theirs = self.payments._isp_receive(other.partner_id, 5_000, date(2026, 1, 19), "pph23", "BP-9", told="person")
        self.assertNotEqual(made, theirs, "each customer numbers its own slips")

    def test_what_no_reference_names_is_never_one(self):
        first = self.register(self.move, amount=100_000, isp_reference=False)
        second = self.register(self.move, amount=100_000, isp_reference=False)
        self.assertNotEqual(first, second)
        self.assertFalse(first.isp_identity)

    def test_one_that_was_taken_back_leaves_its_reference_free(self):
        first = self.register(self.move, amount=277_500)
        self.assertEqual(self.move.amount_residual, 0)
        action = first.action_isp_take_back()
        wizard = first.env[action["res_model"]].browse(action["res_id"])
        self.refusal("value.empty", wizard.action_confirm)
        wizard.reason = "Giro kosong"
        wizard.action_confirm()
        self.assertEqual((first.state, self.move.amount_residual), ("cancel", 277_500))
        self.refusal("store.duplicate", wizard.action_confirm)
        # A gateway that says it once more means the one that bounced; a person means another.
        told = self.payments._isp_receive(self.line.partner_id, 277_500, date(2026, 1, 19), "bca", "trx-77")
        self.assertEqual((told, self.move.amount_residual), (first, 277_500))
        second = self.register(self.move, amount=277_500)
        self.assertNotEqual(second, first)
        self.assertEqual(self.move.amount_residual, 0)

    def test_a_cashier_takes_no_payment_back(self):
        first = self.register(self.move, amount=277_500)
        cashier = new_test_user(self.env, "cashier-x", groups="isp_management.group_cashier", company_id=self.company.id)
        with self.assertRaises(AccessError):
            first.with_user(cashier).action_isp_take_back()

    def test_a_day_that_cannot_be_is_asked(self):
        error = self.refusal("payment.paid_in_future", self.register, self.move, amount=277_500, payment_date=date(2026, 1, 22))
        self.assertEqual(serialize_exception(error)["context"], {
            "isp_code": "payment.paid_in_future", "exception_class": "odoo.exceptions.UserError",
        })
        self.refusal("payment.paid_long_ago", self.register, self.move, amount=277_500, payment_date=date(2024, 12, 31))
        self.refusal("payment.reserved_provider", self.register, self.move, amount=1_000, isp_provider="Write-Off")
        paid = self.register(self.move, amount=277_500, payment_date=date(2024, 12, 31), isp_insist=True)
        self.assertEqual((paid.date, self.move.amount_residual), (date(2024, 12, 31), 0))

    def test_a_payment_of_before_takes_the_late_fee_back(self):
        self.company.with_env(self.at("2026-01-06 08:00")).write({
            "isp_late_fee": "fixed", "isp_late_fee_amount": 10_000, "isp_late_fee_days": 7, "isp_late_fee_ppn": True,
        })
        self.at("2026-01-23 08:00")["isp.billing_run"]._cron_bill()
        fee = self.move.isp_late_fee_ids
        self.assertEqual((fee.invoice_date, fee.amount_total), (date(2026, 1, 22), 11_100))
        # A part that leaves something unpaid leaves a fixed fee as it is.
        self.register(self.move, "2026-01-24 09:00", amount=77_500, payment_date=date(2026, 1, 20))
        self.assertEqual(fee.amount_residual, 11_100)
        self.register(self.move, "2026-01-24 09:00", amount=200_000, payment_date=date(2026, 1, 21), isp_reference="Trx-79")
        self.assertEqual((self.move.amount_residual, fee.amount_residual), (0, 0))
        note = self.env["account.move"].search([("reversed_entry_id", "=", fee.id)])
        self.assertEqual((note.amount_untaxed, note.amount_total, note.isp_credit_reason), (10_000, 11_100, "correction"))

    def test_a_correction_is_given_back_once_a_day(self):
        move = self.move.with_env(self.at("2026-01-20 09:00"))
        note = move._isp_correct(77_500, "Salah tagih")
        self.assertEqual((note.amount_total, note.amount_untaxed, note.isp_credit_reason), (77_500, 69_820, "correction"))
        self.assertEqual(self.move.amount_residual, 200_000)
        self.assertEqual(move._isp_correct(77_500, "Salah tagih"), note)
        self.refusal("invoice.more_than_left", move._isp_correct, 200_001, "Lagi")
        self.refusal("value.empty", move._isp_correct, 10_000, " ")
        cashier = new_test_user(self.env, "cashier-y", groups="isp_management.group_cashier", company_id=self.company.id)
        with self.assertRaises(AccessError):
            move.with_user(cashier)._isp_correct(10_000, "Lagi")

    def test_promises_are_limited_by_the_settings(self):
        promise = {"customer_id": self.line.customer_id.id, "made_on": date(2026, 1, 20)}
        promises = self.env["isp.promise"]
        self.refusal("promise.too_long", promises.create, {**promise, "until": date(2026, 2, 4)})
        self.refusal("calendar.empty_period", promises.create, {**promise, "until": date(2026, 1, 19)})
        first = promises.create({**promise, "until": date(2026, 1, 22)})
        self.refusal("promise.too_long", first.write, {"until": date(2026, 2, 4)})
        again = {**promise, "made_on": date(2026, 1, 25), "until": date(2026, 1, 26)}
        self.refusal("promise.too_many", promises.create, again)
        self.company.isp_promise_per_period = 2
        promises.create(again)

    def test_an_exemption_needs_a_reason_that_says_something(self):
        exemption = {"customer_id": self.line.customer_id.id, "since": date(2026, 1, 20), "until": date(2026, 2, 20)}
        self.refusal("value.empty", self.env["isp.exemption"].create, {**exemption, "reason": "  "})
        self.refusal("calendar.empty_period", self.env["isp.exemption"].create, {**exemption, "until": date(2026, 1, 1), "reason": "x"})
