"""A customer pays an invoice through a gateway: asked once, booked once, whoever tells and however often."""

from datetime import date, datetime, timedelta, timezone
from unittest.mock import patch

from isp_engine.testing import SimulatedGateway

from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.isp_management.tests.network_common import IspNetworkCommon

from ..const import KINDS

ISSUED = date(2026, 2, 23)
LOGS = ("odoo.addons.isp_management_payment.controllers.main", "odoo.addons.isp_management_payment.models.payment_transaction")


class GatewayCommon(IspNetworkCommon, HttpCase):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.customer = cls.line.customer_id
        cls.move = cls.bill(cls.line, ISSUED)
        cls.idr = cls.company.currency_id

    def setUp(self):
        super().setUp()
        self.gateways, self.providers = {}, {}
        for code, kind in KINDS.items():
            gateway = SimulatedGateway(kind)
            self.addCleanup(gateway.close)
            settings = gateway.settings
            provider = self.env["payment.provider"].sudo().search([("code", "=", code)], limit=1).copy({"company_id": self.company.id})
            provider.write({
                "isp_key": settings.key, "isp_webhook_key": settings.webhook_key, "isp_merchant": settings.merchant,
                "isp_email": settings.email, "isp_base_url": settings.base_url,
            })
            provider.state = "test"
            provider.journal_id = self.company_data["default_journal_bank"]
            self.gateways[code], self.providers[code] = gateway, provider

    def begin(self, code="isp_midtrans", method="qris", move=None, amount=None):
        """What Odoo's payment page does when a customer chose a provider and a method."""
        move = move or self.move
        method = self.env["payment.method"].with_context(active_test=False).search([("code", "=", method)], limit=1)
        transaction = self.env["payment.transaction"].sudo().create({
            "provider_id": self.providers[code].id, "payment_method_id": method.id, "amount": amount or move.amount_residual,
            "currency_id": self.idr.id, "partner_id": move.partner_id.id, "operation": "online_redirect",
            "invoice_ids": [(6, 0, move.ids)], "reference": self.env["payment.transaction"].sudo()._compute_reference(
                code, invoice_ids=[(6, 0, move.ids)],
            ),
        })
        return transaction

    def ask(self, code="isp_midtrans", method="qris", **kwargs):
        transaction = self.begin(code, method, **kwargs)
        values = transaction._get_processing_values()
        self.assertIn("/payment/isp/pay/%s" % transaction.id, values["redirect_form_html"])
        return transaction

    def webhook(self, transaction, change=None, headers=None):
        code = transaction.provider_code
        sent, body = self.gateways[code].webhook(transaction.reference)
        self.env.flush_all()
        with mute_logger(*LOGS):
            answer = self.url_open(
                "/payment/isp/webhook/%s" % transaction.provider_id.id, data=change(body) if change else body, headers=dict(headers or sent)
            )
        self.env.invalidate_all()
        return answer

    def pay_at(self, transaction, amount=None):
        self.gateways[transaction.provider_code].pay(
            transaction.reference, amount or int(transaction.amount), datetime.now(timezone.utc), fee=2_000
        )


@tagged("post_install", "-at_install")
class TestGateways(GatewayCommon):
    def test_paid_through_each_gateway_the_invoice_is_paid_once(self):
        for number, code in enumerate(KINDS):
            move = self.bill(self.other, ISSUED + timedelta(days=number))
            transaction = self.ask(code, move=move)
            self.assertEqual((transaction.state, bool(transaction.isp_qris or transaction.isp_url)), ("pending", True), code)
            self.pay_at(transaction)
            for _time in range(3):
                self.assertEqual(self.webhook(transaction).status_code, 200, code)
            self.assertEqual((transaction.state, move.payment_state in ("paid", "in_payment"), move.amount_residual), ("done", True, 0), code)
            payments = self.env["account.payment"].search([("payment_transaction_id", "=", transaction.id)])
            self.assertEqual(payments.mapped(lambda p: (p.isp_provider, p.amount)), [(KINDS[code], 277_500)])
            self.assertTrue(payments.isp_reference)
            self.assertEqual(len(self.gateways[code].transactions()), 1, "asked once")

    def test_paid_the_isolated_line_opens(self):
        self.line._isp_by_hand("isolate", "Diminta")
        self.line.sudo().write({"access_cause": "arrears"})
        transaction = self.ask()
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual(self.line.desired_access, "open")

    def test_what_is_given_back_at_the_gateway_itself_is_told_once(self):
        transaction = self.ask("isp_tripay")
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertFalse(self.providers["isp_tripay"].support_refund)
        with self.assertRaisesRegex(UserError, "at Tripay itself"):
            transaction.sudo().action_refund(transaction.amount)
        self.assertFalse(transaction.child_transaction_ids)
        # What was given back there is told once, and the payment stays until a person takes it back.
        self.gateways["isp_tripay"].set(transaction.reference, "refunded")
        self.webhook(transaction)
        self.webhook(transaction)
        self.assertTrue(transaction.isp_given_back)
        self.assertEqual(len(transaction.isp_told.splitlines()), 1)
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0))

    def test_what_is_not_believed_changes_nothing(self):
        for code in KINDS:
            transaction = self.ask(code)
            self.pay_at(transaction, 100_000)
            sent, _body = self.gateways[code].webhook(transaction.reference)
            for change, headers in (
                (lambda body: body.replace(transaction.reference.encode(), b"INV/OTHER"), sent),
                (lambda body: body[:-5], sent), (lambda body: b"0", sent), (lambda body: b"\xff" * 50, sent), (None, {"Content-Type": "application/json"}),
            ):
                answer = self.webhook(transaction, change, headers)
                self.assertIn(answer.status_code, (200, 400, 401, 411), code)
                self.assertEqual(transaction.state, "pending", (code, answer.status_code))

    def test_another_amount_is_left_to_a_person(self):
        transaction = self.ask("isp_tripay")
        self.pay_at(transaction, 100_000)
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.webhook(transaction)
        self.assertEqual((transaction.state, self.move.amount_residual), ("pending", 277_500))
        self.assertEqual(len(self.move.activity_ids.filtered(lambda a: "100000" in (a.summary or ""))), 1)

    def test_a_lost_webhook_is_found_by_asking(self):
        transaction = self.ask()
        self.pay_at(transaction)
        self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0))
        self.assertEqual(self.webhook(transaction).status_code, 200, "and then it comes all the same")
        self.assertEqual(self.env["account.payment"].search_count([("payment_transaction_id", "=", transaction.id)]), 1)

    def test_a_lost_answer_is_not_asked_for_again(self):
        self.gateways["isp_midtrans"].fail("reply_lost")
        transaction = self.begin()
        with self.assertRaisesRegex(ValidationError, "Try again"), mute_logger(*LOGS):
            transaction._get_processing_values()
        self.assertEqual(transaction.state, "error")
        again = self.ask()
        self.assertNotEqual(again.reference, transaction.reference)
        references = [one.reference for one in self.gateways["isp_midtrans"].transactions()]
        self.assertEqual(references.count(transaction.reference), 1)
        # Should anybody have paid the first all the same, it is found.
        self.pay_at(transaction)
        self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        self.assertEqual(transaction.state, "done")

    def test_expired_and_then_paid_late_it_counts(self):
        transaction = self.ask()
        gateway = self.gateways["isp_midtrans"]
        gateway.set(transaction.reference, "expired")
        self.webhook(transaction)
        self.assertEqual(transaction.state, "cancel")
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0))
        gateway.set(transaction.reference, "expired")
        self.webhook(transaction)
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0), "what is told late takes nothing away")

    def test_paid_another_way_meanwhile_it_is_credit(self):
        transaction = self.ask()
        self.pay(self.move, on=date(2026, 3, 10))
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual(transaction.state, "done")
        payment = self.env["account.payment"].search([("payment_transaction_id", "=", transaction.id)])
        self.assertEqual(-sum(payment.line_ids.filtered(lambda i: i.account_type == "asset_receivable").mapped("amount_residual")), 277_500)
        second = self.bill(self.line, date(2026, 3, 25))
        self.assertEqual(second.amount_residual, 0, "it pays the next invoice")

    def test_the_page_shows_with_what_to_pay_and_nothing_of_anybody(self):
        transaction = self.ask(method="bank_bca")
        self.env.flush_all()
        page = self.url_open("/payment/isp/pay/%s?access_token=%s" % (transaction.id, transaction._isp_token()))
        self.assertEqual(page.status_code, 200)
        self.assertIn(transaction.isp_number, page.text)
        self.assertIn("http-equiv=\"refresh\"", page.text)
        self.assertNotIn(self.customer.name, page.text)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        for wrong in ("", "?access_token=x", "?access_token=%s" % self.begin()._isp_token()):
            self.assertEqual(self.url_open("/payment/isp/pay/%s%s" % (transaction.id, wrong)).status_code, 404)
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertIn("Your payment came", self.url_open("/payment/isp/pay/%s?access_token=%s" % (transaction.id, transaction._isp_token())).text)

    def test_the_gateway_learns_no_name(self):
        asked = []
        with patch("odoo.addons.isp_management_payment.models.payment_transaction.gateways.ask", side_effect=lambda *args, **kwargs: asked.append(args) or exit_now()):
            with self.assertRaises(ValidationError), mute_logger(*LOGS):
                self.begin()._get_processing_values()
        [(_gateway, ask, _now)] = asked
        self.assertEqual(ask.payer, self.customer.customer_code)
        self.assertNotIn(self.customer.name, "%s %s %s" % (ask.reference, ask.description, ask.payer))

    def test_a_provider_that_cannot_work_is_not_switched_on(self):
        provider = self.env["payment.provider"].sudo().search([("code", "=", "isp_tripay")], limit=1).copy({"company_id": self.company.id})
        with self.assertRaisesRegex(ValidationError, "no key"):
            provider.state = "test"
        provider.write({"isp_key": "DEV-x", "state": "disabled"})
        with self.assertRaises(ValidationError):
            provider.state = "test"
        midtrans = self.providers["isp_midtrans"]
        with self.assertRaisesRegex(ValidationError, "environment"):
            midtrans.state = "enabled"

    def test_keys_and_mode_are_saved_at_once(self):
        settings = self.gateways["isp_tripay"].settings
        provider = self.env["payment.provider"].sudo().search([("code", "=", "isp_tripay")], limit=1).copy({"company_id": self.company.id})
        provider.write({
            "state": "test", "isp_key": settings.key, "isp_webhook_key": settings.webhook_key, "isp_merchant": settings.merchant,
            "isp_email": settings.email,
        })
        self.assertEqual(provider.state, "test")
        midtrans = self.providers["isp_midtrans"]
        midtrans.write({"state": "enabled", "isp_key": "Mid-server-x", "isp_base_url": False})
        self.assertEqual(midtrans.state, "enabled")
        with self.assertRaisesRegex(ValidationError, "environment"):
            midtrans.write({"isp_key": "SB-Mid-server-x", "name": "Midtrans 2"})

    def test_keys_are_sealed_and_for_the_administrator(self):
        provider = self.providers["isp_midtrans"]
        self.assertNotIn("simulated", provider.isp_key)
        self.assertNotIn("simulated", provider.sudo().isp_key_sealed)
        manager = new_test_user(self.env, "gerbang-manajer", groups="isp_management.group_manager", company_id=self.company.id)
        self.assertFalse({"isp_key", "isp_key_sealed", "isp_webhook_key"} & set(provider.with_user(manager).fields_get()))

    def test_who_is_not_a_gateway_is_not_heard(self):
        transaction = self.ask()
        self.assertEqual(self.url_open("/payment/isp/webhook/999999", data=b"{}").status_code, 404)
        transaction.provider_id.state = "disabled"
        transaction.isp_asked_at -= timedelta(days=5)
        self.env.flush_all()
        self.assertEqual(self.webhook(transaction).status_code, 404)


def exit_now():
    from isp_engine import Refused

    raise Refused("no", "gateway.refused")
