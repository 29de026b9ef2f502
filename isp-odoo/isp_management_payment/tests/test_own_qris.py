"""The provider's own QRIS on Odoo's payment page: an own amount, known by the bank's line, booked once."""

from datetime import timedelta

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_management.tests.network_common import IspNetworkCommon
from odoo.addons.isp_management.tests.test_qris import static_code

from ..const import OWN


@tagged("post_install", "-at_install")
class TestOwnQris(IspNetworkCommon, HttpCase):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.today = cls.company._isp_today()
        cls.move = cls.bill(cls.line, cls.today - timedelta(days=15))
        cls.theirs = cls.bill(cls.other, cls.today - timedelta(days=15))
        cls.bank = cls.company_data["default_journal_bank"]
        cls.company.isp_qris = static_code()
        cls.provider = cls.env["payment.provider"].sudo().search([("code", "=", OWN)], limit=1).copy({"company_id": cls.company.id})
        cls.provider.write({"state": "enabled", "is_published": True})
        cls.qris = cls.env.ref("payment.payment_method_qris")

    def begin(self, move=None, amount=None):
        move = move or self.move
        transactions = self.env["payment.transaction"].sudo()
        return transactions.create({
            "provider_id": self.provider.id, "payment_method_id": self.qris.id, "amount": amount or move.amount_residual,
            "currency_id": self.company.currency_id.id, "partner_id": move.partner_id.id, "operation": "online_redirect",
            "invoice_ids": [(6, 0, move.ids)], "reference": transactions._compute_reference(OWN, invoice_ids=[(6, 0, move.ids)]),
        })

    def ask(self, move=None, **kwargs):
        transaction = self.begin(move, **kwargs)
        transaction._get_processing_values()
        return transaction

    def page(self, transaction):
        self.env.flush_all()
        return self.url_open("/payment/isp/pay/%s?access_token=%s" % (transaction.id, transaction._isp_token())).text

    def money(self, amount):
        """A line of the bank's file, as it is imported."""
        line = self.env["account.bank.statement.line"].create({
            "journal_id": self.bank.id, "date": self.today, "payment_ref": "QRIS", "amount": amount,
        })
        self.env.invalidate_all()
        return line

    def test_the_amount_says_who_paid_and_it_is_booked_once(self):
        first, second = self.ask(), self.ask(self.theirs)
        self.assertEqual((first.state, second.state), ("pending", "pending"))
        self.assertNotEqual(first.amount, second.amount)
        self.assertTrue(self.move.amount_residual < first.amount <= self.move.amount_residual + 999)
        text = self.page(first)
        self.assertIn("data:image/png", text)
        self.assertIn("http-equiv=\"refresh\"", text)
        self.line.sudo().write({"desired_access": "isolated", "access_cause": "arrears"})
        bank = self.money(first.amount)
        self.assertTrue(bank.is_reconciled)
        self.assertEqual((first.state, first.is_post_processed, self.move.amount_residual, self.line.desired_access), ("done", True, 0, "open"))
        self.assertEqual((second.state, self.theirs.amount_residual), ("pending", 277_500))
        self.assertFalse(self.env["account.payment"].search([("payment_transaction_id", "=", first.id)]), "the bank's line is the payment")
        self.assertIn("Your payment came", self.page(first))
        # What Odoo's cron would do with it.
        first._finalize_post_processing()
        self.assertFalse(self.env["account.payment"].search([("payment_transaction_id", "=", first.id)]))

    def test_two_tabs_show_one_amount(self):
        first, second = self.ask(), self.ask()
        self.assertEqual((first.amount, first.isp_request_id), (second.amount, second.isp_request_id))
        self.money(first.amount)
        self.assertEqual((first.state, second.state), ("cancel", "done"))

    def test_paid_another_way_it_is_over(self):
        transaction = self.ask()
        self.pay(self.move)
        self.env.invalidate_all()
        self.assertEqual(transaction.state, "cancel")
        with self.assertRaisesRegex(ValidationError, "nothing to pay"):
            self.ask(amount=277_500)

    def test_what_it_does_not_take(self):
        with self.assertRaisesRegex(ValidationError, "whole"):
            self.ask(amount=100_000)
        stranger = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.env["res.partner"].create({"name": "Toko"}).id,
            "invoice_line_ids": [(0, 0, {"name": "Kabel", "price_unit": 50_000, "tax_ids": [(6, 0, [])]})],
        })
        stranger.action_post()
        with self.assertRaisesRegex(ValidationError, "one customer"):
            self.ask(stranger)
        large = self.bill(self.line, self.today - timedelta(days=1), amount=20_000_000)
        with self.assertRaisesRegex(ValidationError, "amount"):
            self.ask(large)
        self.provider.state = "disabled"
        self.company.isp_qris = False
        with self.assertRaisesRegex(ValidationError, "static QRIS"):
            self.provider.state = "enabled"

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_nobody_says_by_hand_that_it_came(self):
        transaction = self.ask()
        cashier = new_test_user(self.env, "qris-kasir", groups="isp_management.group_cashier", company_id=self.company.id)
        for vals in ({"state": "done"}, {"amount": 1}, {"isp_request_id": False}):
            with self.assertRaises(AccessError):
                transaction.with_user(cashier).write(vals)

    def test_money_that_is_taken_back_is_asked_for_again(self):
        transaction = self.ask()
        bank = self.money(transaction.amount)
        self.assertEqual(transaction.state, "done")
        bank.action_undo_reconciliation()
        self.env.invalidate_all()
        self.assertEqual((transaction.state, self.move.amount_residual), ("pending", 277_500))
