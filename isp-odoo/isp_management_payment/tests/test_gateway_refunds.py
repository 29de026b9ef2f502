"""What is a customer's credit goes back through the gateway that it came through: asked once, booked once."""

from datetime import date, timedelta
from unittest.mock import patch

from isp_engine import gateways

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_gateways import LOGS, GatewayCommon

REFUND = "odoo.addons.isp_management_payment.models.gateway_refund"


@tagged("post_install", "-at_install")
class TestGatewayRefunds(GatewayCommon):
    def setUp(self):
        super().setUp()
        self.gateway = self.gateways["isp_midtrans"]
        # The invoice is paid at the counter, and what the customer pays at the gateway as well is all credit.
        self.paid = self.ask()
        self.pay(self.move, on=date(2026, 3, 10))
        self.pay_at(self.paid)
        self.webhook(self.paid)
        self.payment = self.paid.payment_id
        self.assertEqual((self.paid.state, self.payment._isp_credit_left()), ("done", 277_500))

    def refund(self, amount=None):
        self.paid.sudo().action_refund(amount)
        return self.paid.child_transaction_ids.sorted("id")[-1:]

    def test_credit_goes_back_in_parts_and_webhooks_book_nothing_twice(self):
        self.assertEqual(self.payment.amount_available_for_refund, 277_500)
        refund = self.refund(77_500)
        self.assertEqual((refund.state, refund.amount, refund.payment_id.payment_type), ("done", -77_500, "outbound"))
        self.assertEqual((refund.payment_id.amount, refund.payment_id.source_payment_id), (77_500, self.payment))
        self.assertTrue(all(refund.payment_id.line_ids.filtered(lambda item: item.account_type == "asset_receivable").mapped("reconciled")))
        self.assertEqual((self.payment._isp_credit_left(), self.payment.amount_available_for_refund), (200_000, 200_000))
        for _time in range(2):
            self.assertEqual(self.webhook(self.paid).status_code, 200)
        self.assertFalse(self.paid.isp_given_back or self.paid.isp_told)
        with self.assertRaisesRegex(UserError, "200.?000"):
            self.refund(200_001)
        self.refund()
        self.webhook(self.paid)
        self.assertEqual((self.gateway.given_back(self.paid.reference), self.payment._isp_credit_left()), (277_500, 0))
        self.assertEqual(len(self.env["account.payment"].search([("source_payment_id", "=", self.payment.id)])), 2)
        self.assertFalse(self.paid.isp_told)

    def test_the_wizard_of_odoo_gives_back_and_others_may_not(self):
        officer = new_test_user(self.env, "kasir-refund", "account.group_account_invoice", company_id=self.company.id)
        wizard = self.env["payment.refund.wizard"].with_user(officer).create({"payment_id": self.payment.id, "amount_to_refund": 50_000})
        self.assertEqual((wizard.support_refund, wizard.amount_available_for_refund), ("partial", 277_500))
        wizard.action_refund()
        self.assertEqual(self.gateway.given_back(self.paid.reference), 50_000)
        reader = new_test_user(self.env, "pembaca-refund", "account.group_account_readonly", company_id=self.company.id)
        with self.assertRaises(AccessError):
            self.paid.with_user(reader)._send_refund_request(1_000)
        self.assertEqual(self.gateway.given_back(self.paid.reference), 50_000)

    @mute_logger(*LOGS, REFUND)
    def test_a_lost_answer_is_asked_about_and_never_asked_for_again(self):
        self.gateway.fail_refund("reply_lost")
        refund = self.refund(77_500)
        self.assertEqual((refund.state, self.gateway.given_back(self.paid.reference)), ("done", 77_500))
        self.gateway.fail_refund("reset")
        lost = self.refund(50_000)
        self.assertEqual((lost.state, self.payment._isp_credit_left()), ("draft", 200_000))
        # It may still be on its way: nobody gives it back a second time.
        with self.assertRaisesRegex(UserError, "150.?000"):
            self.refund(200_000)
        self.env["payment.transaction"]._cron_isp_gateways()
        self.assertEqual(lost.state, "draft")
        later = fields.Datetime.now() + timedelta(hours=2)
        with patch.object(fields.Datetime, "now", lambda: later):
            self.env["payment.transaction"]._cron_isp_gateways()
        self.assertEqual((lost.state, self.gateway.given_back(self.paid.reference)), ("error", 77_500))
        self.assertEqual(self.refund().amount, -200_000)

    def test_what_the_gateway_refuses_stays_credit(self):
        self.gateway.settle_refunds(balance=1_000)
        with self.assertRaisesRegex(UserError, "Insufficient balance"):
            self.refund(50_000)
        refused = self.paid.child_transaction_ids
        self.assertEqual((refused.state, bool(refused.payment_id), self.payment._isp_credit_left()), ("error", False, 277_500))

    def test_more_than_was_asked_for_is_left_to_a_person(self):
        self.refund(77_500)
        notice = gateways.status(self.gateway.settings, self.paid.reference, channel="qris")
        self.assertEqual((notice.state, notice.gross), ("refunded", 77_500))
        self.paid._handle_notification_data("isp_midtrans", {"isp_notice": notice})
        self.assertFalse(self.paid.isp_told)
        for _time in range(2):
            self.paid._handle_notification_data("isp_midtrans", {"isp_notice": notice._replace(gross=77_501)})
        self.assertEqual((self.paid.isp_given_back, len(self.paid.isp_told.splitlines())), (True, 1))
