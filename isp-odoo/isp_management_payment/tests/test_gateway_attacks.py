"""Somebody wants the line without the money, the money twice, or the keys; and gateways do what gateways do."""

import json
import math
from datetime import date, datetime, timedelta, timezone
from unittest.mock import patch

from isp_engine import IspError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..const import KINDS, WEBHOOK
from .test_gateways import ISSUED, LOGS, GatewayCommon

PAYMENT = "odoo.addons.payment.models.payment_transaction"


@tagged("post_install", "-at_install")
class TestGatewayDoor(GatewayCommon):
    """What comes to the address of a webhook, and to the page of a payment."""

    def told(self, provider, body, headers=None, **kwargs):
        self.env.flush_all()
        with mute_logger(*LOGS):
            answer = self.url_open(WEBHOOK % provider, data=body, headers=headers or {}, **kwargs)
        self.env.invalidate_all()
        return answer.status_code

    def test_ten_times_and_out_of_order_it_is_one_payment(self):
        for number, code in enumerate(KINDS):
            move = self.bill(self.other, ISSUED + timedelta(days=number))
            transaction = self.ask(code, move=move)
            gateway = self.gateways[code]
            early = gateway.webhook(transaction.reference)
            self.pay_at(transaction)
            for _time in range(10):
                self.assertEqual(self.webhook(transaction).status_code, 200)
            # What was sent first comes last.
            headers, body = early
            self.assertEqual(self.told(transaction.provider_id.id, body, dict(headers)), 200)
            gateway.set(transaction.reference, "expired")
            with mute_logger(PAYMENT):
                self.assertEqual(self.webhook(transaction).status_code, 200)
            self.assertEqual((transaction.state, move.amount_residual), ("done", 0), code)
            self.assertEqual(self.env["account.payment"].search_count([("payment_transaction_id", "=", transaction.id)]), 1, code)

    def test_a_byte_an_account_or_a_kind_that_is_another(self):
        second = self.providers["isp_midtrans"].copy({"name": "Midtrans 2"})
        for number, code in enumerate(KINDS):
            transaction = self.ask(code, move=self.bill(self.other, ISSUED + timedelta(days=number)))
            self.pay_at(transaction)
            headers, body = self.gateways[code].webhook(transaction.reference)
            headers = dict(headers)
            for place in range(0, len(body), max(1, len(body) // 40)):
                flipped = body[:place] + bytes([body[place] ^ 1]) + body[place + 1:]
                with self.subTest(code=code, place=place):
                    status = self.told(transaction.provider_id.id, flipped, headers)
                    self.assertIn(status, (200, 400, 401))
            # The gateway was asked about whatever was believed, and says that it is paid: then it is.
            before = self.env["account.payment"].search_count([("payment_transaction_id", "=", transaction.id)])
            self.assertLessEqual(before, 1)
            others = [provider for other, provider in self.providers.items() if other != code]
            for other in [*others, second]:
                self.assertIn(self.told(other.id, body, headers), (400, 401, 404, 503), (code, other.code))
            for junk, kind in (
                (b"x" * 300_000, "application/json"), (b"[" * 100_000, "application/json"), (b" ", "application/json"), (b"a=b&a=c", "text/plain"),
                (b"a=%zz", "application/x-www-form-urlencoded"), (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
                ("{\"order_id\": NaN}".encode(), "application/json"), (b"null", "application/json"), (b"\xff\xfe\x00", ""),
            ):
                with self.subTest(code=code, kind=kind, size=len(junk)):
                    self.assertIn(self.told(transaction.provider_id.id, junk, {**headers, "Content-Type": kind}), (200, 400, 401, 411, 413))
            self.assertEqual(self.url_open(WEBHOOK % transaction.provider_id.id).status_code, 405)

    def test_ten_megabytes_are_turned_away(self):
        provider = self.providers["isp_midtrans"].id
        for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            self.assertEqual(self.told(provider, b"a=" + b"x" * (10 << 20), {"Content-Type": kind}), 413, kind)

    def test_a_key_twice_in_the_body_deceives_nobody(self):
        transaction = self.ask("isp_tripay")
        self.pay_at(transaction)
        headers, body = self.gateways["isp_tripay"].webhook(transaction.reference)
        doubled = body.replace(b"{", b'{"status":"UNPAID",', 1)
        self.assertEqual(self.told(transaction.provider_id.id, doubled, dict(headers)), 401)
        self.assertEqual(transaction.state, "pending")

    def test_numbers_that_no_row_has(self):
        for number in (0, 999_999_999, 2**31, 2**63, 10**30):
            self.assertEqual(self.told(number, b"{}"), 404, number)
            self.assertEqual(self.url_open("/payment/isp/pay/%s?access_token=x" % number).status_code, 404, number)
        transaction = self.ask()
        for token in ("%C3%A9", "%00", "a" * 5_000, ""):
            self.assertEqual(self.url_open("/payment/isp/pay/%s?access_token=%s" % (transaction.id, token)).status_code, 404, token)

    def test_the_page_is_in_no_search_engine(self):
        transaction = self.ask()
        page = self.url_open("/payment/isp/pay/%s?access_token=%s" % (transaction.id, transaction._isp_token()))
        self.assertIn("noindex", page.headers.get("X-Robots-Tag", ""))

    def test_a_provider_that_is_off_still_hears_of_what_it_asked_for(self):
        transaction = self.ask()
        self.pay_at(transaction)
        transaction.provider_id.state = "disabled"
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0))
        # Asked is nobody any more.
        with self.assertRaises(ValidationError), mute_logger(*LOGS):
            self.ask(move=self.bill(self.other, ISSUED))

    def test_and_is_asked_about_lost_webhooks(self):
        transaction = self.ask("isp_duitku")
        self.pay_at(transaction)
        transaction.provider_id.state = "disabled"
        self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0))

    def test_nothing_of_keys_in_logs_answers_and_chatter(self):
        keys = [value for gateway in self.gateways.values() for value in (gateway.settings.key, gateway.settings.webhook_key) if value]
        with self.assertLogs("odoo", "DEBUG") as logs:
            for number, code in enumerate(KINDS):
                transaction = self.ask(code, move=self.bill(self.other, ISSUED + timedelta(days=number)))
                self.gateways[code].fail("html", code=500)
                transaction._isp_look()
                self.pay_at(transaction)
                headers, body = self.gateways[code].webhook(transaction.reference)
                for what in (body, body[:-3]):
                    answer = self.url_open(WEBHOOK % transaction.provider_id.id, data=what, headers=dict(headers))
                    self.assertFalse([key for key in keys if key in answer.text])
        told = "\n".join(logs.output) + "\n".join(self.env["mail.message"].search([], order="id desc", limit=200).mapped("body"))
        # What is typed into the settings is a statement of SQL; it is sealed there, and not in the log.
        self.assertFalse([key for key in keys if key in told])


@tagged("post_install", "-at_install")
class TestGatewayMoney(GatewayCommon):
    """What becomes of the money, whatever happens around it."""

    def payment(self, transaction):
        return self.env["account.payment"].search([("payment_transaction_id", "=", transaction.id)])

    def credit(self, payment):
        return -sum(payment.line_ids.filtered(lambda item: item.account_type == "asset_receivable").mapped("amount_residual"))

    def told(self, needle):
        return self.env["mail.activity"].search([("summary", "ilike", needle)])

    def test_two_tabs_both_paid_the_second_is_credit(self):
        first, second = self.ask(), self.ask("isp_tripay")
        for transaction in (first, second):
            self.pay_at(transaction)
            self.webhook(transaction)
        self.assertEqual((first.state, second.state, self.move.amount_residual), ("done", "done", 0))
        self.assertEqual([self.credit(self.payment(one)) for one in (first, second)], [0, 277_500])

    def test_the_invoice_is_cancelled_meanwhile(self):
        transaction = self.ask()
        self.move.button_draft()
        self.move.button_cancel()
        self.pay_at(transaction)
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual((transaction.state, transaction.is_post_processed, self.move.state), ("done", True, "cancel"))
        self.assertEqual(self.credit(self.payment(transaction)), 277_500)

    def test_the_invoice_is_a_draft_again(self):
        transaction = self.ask()
        self.move.button_draft()
        self.pay_at(transaction)
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual((transaction.state, transaction.is_post_processed), ("done", True))
        self.assertEqual(self.move.amount_residual + self.credit(self.payment(transaction)), 277_500 if self.move.state == "draft" else 0)

    def test_a_credit_note_took_the_invoice_back(self):
        transaction = self.ask()
        self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=self.move.ids).create({
            "reason": "salah", "journal_id": self.move.journal_id.id,
        }).reverse_moves()
        refund = self.move.reversal_move_id
        refund.action_post()
        (self.move + refund).line_ids.filtered(lambda i: i.account_type == "asset_receivable" and not i.reconciled).reconcile()
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual((transaction.state, transaction.is_post_processed), ("done", True))
        self.assertEqual(self.credit(self.payment(transaction)), 277_500)

    def test_somebody_booked_it_by_hand_before_it_was_told(self):
        transaction = self.ask()
        self.pay_at(transaction)
        reference = self.gateways["isp_midtrans"].transactions()[0].id
        payment = self.env["account.payment"].sudo().with_company(self.company)._isp_receive(
            self.move.partner_id, 277_500, date(2026, 3, 10), "midtrans", reference, told="person",
        )
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual((transaction.state, transaction.is_post_processed, transaction.payment_id), ("done", True, payment))
        self.assertEqual((self.move.amount_residual, self.credit(payment)), (0, 0))

    def test_another_amount_is_told_once_however_often_it_is_asked_about(self):
        transaction = self.ask()
        self.pay_at(transaction, 100_000)
        messages = len(self.move.message_ids)
        for _time in range(5):
            transaction.isp_looked_at = False
            self.env["payment.transaction"]._cron_isp_gateways()
            self.env.invalidate_all()
            self.told("100000").unlink() if _time == 3 else None
        self.assertEqual(len(self.move.message_ids), messages + 1, "said once")
        self.assertFalse(self.told("100000"), "what somebody has seen to is no task again")
        self.assertEqual((transaction.state, self.move.amount_residual), ("pending", 277_500))

    def test_given_back_before_it_was_told_as_paid(self):
        transaction = self.ask("isp_tripay")
        self.pay_at(transaction)
        headers, body = self.gateways["isp_tripay"].webhook(transaction.reference)
        self.gateways["isp_tripay"].set(transaction.reference, "refunded")
        self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual(self.webhook(transaction, lambda _body: body, headers).status_code, 200)
        self.assertEqual((transaction.state, self.move.amount_residual), ("pending", 277_500), "money that was given back opens nothing")
        self.assertEqual(len(self.told("given back")), 1)

    def test_given_back_after_it_was_booked_a_person_takes_it_back(self):
        transaction = self.ask()
        self.pay_at(transaction)
        self.webhook(transaction)
        self.gateways["isp_midtrans"].set(transaction.reference, "refunded")
        for _time in range(3):
            self.webhook(transaction)
        self.assertEqual(len(self.told("given back")), 1)
        payment = self.payment(transaction)
        payment._isp_take_back("dikembalikan")
        self.assertEqual(self.move.amount_residual, 277_500)
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual((self.move.amount_residual, self.payment(transaction)), (277_500, payment), "and it is not booked again")

    def test_who_pays_for_another_pays_for_that_one(self):
        friend = self.env["res.partner"].create({"name": "Tetangga"})
        transaction = self.ask(amount=300_000)
        transaction.partner_id = friend
        self.pay_at(transaction)
        self.webhook(transaction)
        payment = self.payment(transaction)
        self.assertEqual((payment.partner_id, self.move.amount_residual), (self.move.partner_id, 0))
        self.assertEqual(self.credit(payment), 22_500)

    def test_the_customer_has_another_receivable_account_by_now(self):
        account = self.move.partner_id.property_account_receivable_id.copy()
        transaction = self.ask()
        self.move.partner_id.property_account_receivable_id = account
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 0))

    def test_found_late_it_was_paid_in_time(self):
        transaction = self.ask()
        paid = datetime.now(timezone.utc) - timedelta(days=2)
        self.gateways["isp_midtrans"].pay(transaction.reference, 277_500, paid)
        self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        self.assertEqual(self.payment(transaction).date, (paid + timedelta(hours=7)).date())

    def test_who_asks_how_it_stands_asks_less_often_by_and_by(self):
        transaction = self.ask()
        calls = []
        kind = type(transaction)
        with patch.object(kind, "_isp_look", lambda one: calls.append(one) or True):
            for asked, looked, times in ((1, 2, 0), (1, 6, 1), (180, 30, 0), (180, 61, 1), (5 * 24 * 60, 600, 0)):
                now = fields.Datetime.now()
                transaction.write({"isp_asked_at": now - timedelta(minutes=asked), "isp_looked_at": now - timedelta(minutes=looked)})
                calls.clear()
                self.env["payment.transaction"]._cron_isp_gateways()
                self.assertEqual(len(calls), times, (asked, looked))

    def test_paid_another_way_the_gateway_takes_nothing_more(self):
        stopped, kept = self.ask(), self.ask("isp_tripay")
        self.pay(self.move, on=date(2026, 3, 10))
        self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        # Tripay has no call for it: its code ends by itself.
        self.assertEqual((stopped.state, kept.state), ("cancel", "pending"))
        self.assertEqual(self.gateways["isp_midtrans"].transactions()[0].state, "cancelled")
        self.assertIn("another way", stopped.state_message)
        # Who was faster than that is heard.
        again = self.ask(move=self.bill(self.other, ISSUED))
        self.pay(again.invoice_ids, on=date(2026, 3, 10))
        self.pay_at(again)
        self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        self.assertEqual((again.state, self.credit(self.payment(again))), ("done", 277_500))

    def test_money_is_not_sent_back_from_here(self):
        transaction = self.ask()
        self.pay_at(transaction)
        self.webhook(transaction)
        # It pays an invoice: there is no credit to give back.
        self.assertFalse(self.payment(transaction).amount_available_for_refund)
        with self.assertRaisesRegex(UserError, "What pays an invoice is not"):
            transaction.sudo().action_refund(1_000)
        self.assertFalse(self.gateways["isp_midtrans"].given_back(transaction.reference))

    def test_nothing_is_asked_for_what_is_paid(self):
        self.pay(self.move, on=date(2026, 3, 10))
        with self.assertRaisesRegex(ValidationError, "nothing to pay"):
            self.ask(amount=277_500)
        self.assertFalse(self.gateways["isp_midtrans"].transactions())

    def test_a_part_pays_a_part(self):
        transaction = self.ask(amount=100_000)
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual((transaction.state, self.move.amount_residual), ("done", 177_500))

    def test_credit_of_before_is_left_alone_and_more_than_owed_is_credit(self):
        transaction = self.ask(amount=500_000)
        self.pay_at(transaction)
        self.webhook(transaction)
        self.assertEqual((self.move.amount_residual, self.credit(self.payment(transaction))), (0, 222_500))

    def test_what_cannot_be_booked_is_told_to_a_person(self):
        transaction = self.ask()
        self.pay_at(transaction)
        kind = type(self.env["payment.transaction"])
        with patch.object(kind, "_create_payment", side_effect=UserError("tahun buku ditutup")):
            for _time in range(2):
                self.assertEqual(self.webhook(transaction).status_code, 200)
        self.assertEqual((transaction.state, transaction.is_post_processed), ("done", False))
        self.assertEqual(len(self.told("tahun buku ditutup")), 1)
        # What Odoo's cron does for each.
        transaction._finalize_post_processing()
        self.assertEqual((transaction.is_post_processed, self.move.amount_residual), (True, 0))

    def test_a_gateway_that_hangs_holds_nobody_else_up(self):
        waiting = [self.ask() for _time in range(3)]
        other = self.ask("isp_duitku", move=self.bill(self.other, ISSUED))
        self.pay_at(other)
        before = self.gateways["isp_midtrans"].requests()
        self.gateways["isp_midtrans"].fail("html", code=502, times=99)
        with mute_logger(*LOGS):
            self.env["payment.transaction"]._cron_isp_gateways()
        self.env.invalidate_all()
        self.assertEqual(other.state, "done")
        self.assertEqual(self.gateways["isp_midtrans"].requests(), before + 1, "asked once, and left alone for this time")
        self.assertEqual([one.state for one in waiting], ["pending"] * 3)

    def test_the_gateway_is_down(self):
        self.gateways["isp_midtrans"].close()
        transaction = self.begin()
        with self.assertRaisesRegex(ValidationError, "gateway"), mute_logger(*LOGS):
            transaction._get_processing_values()
        self.assertEqual(transaction.state, "error")
        self.assertNotIn("127.0.0.1", transaction.state_message)


@tagged("post_install", "-at_install")
class TestGatewayPeople(GatewayCommon):
    """Who may do and see what."""

    def through_the_portal(self, provider, method="qris", move=None, amount=None, **more):
        """What a browser sends, which anybody may send by hand."""
        move = move or self.move
        method = self.env["payment.method"].with_context(active_test=False).search([("code", "=", method)], limit=1)
        token = move._portal_ensure_token()
        self.env.flush_all()
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 0, "params": {
            "access_token": token, "provider_id": provider.id, "payment_method_id": method.id, "token_id": None,
            "amount": move.amount_residual if amount is None else amount, "flow": "redirect", "tokenization_requested": False,
            "landing_route": "/my", **more,
        }})
        with mute_logger("odoo.http", "odoo.sql_db", *LOGS):
            answer = self.url_open("/invoice/transaction/%s" % move.id, data=body, headers={"Content-Type": "application/json"})
        self.env.invalidate_all()
        return answer.json()

    def publish(self, code="isp_midtrans", state="test"):
        provider = self.providers[code]
        provider.write({"is_published": True, "state": state})
        provider.payment_method_ids.active = True
        return provider

    def test_a_customer_pays_through_what_is_offered(self):
        answer = self.through_the_portal(self.publish())
        self.assertIn("redirect_form_html", answer.get("result", {}), answer)
        self.assertEqual(len(self.gateways["isp_midtrans"].transactions()), 1)

    def test_a_customer_pays_through_nothing_else(self):
        """In test mode anybody pays with no money at all."""
        hidden = self.providers["isp_midtrans"]
        self.assertFalse(hidden.is_published)
        settings = self.gateways["isp_tripay"].settings
        foreign = self.providers["isp_tripay"].copy({"company_id": self.env["res.company"].create({"name": "Lain"}).id})
        foreign.write({
            "isp_key": settings.key, "isp_webhook_key": settings.webhook_key, "isp_merchant": settings.merchant, "isp_email": settings.email,
            "isp_base_url": settings.base_url, "is_published": True, "state": "test",
        })
        off = self.publish("isp_duitku")
        off.state = "disabled"
        for provider in (hidden, foreign, off):
            answer = self.through_the_portal(provider)
            self.assertIn("error", answer, provider.code)
        self.assertFalse([one for gateway in self.gateways.values() for one in gateway.transactions()])

    def test_dollars_are_no_rupiah(self):
        provider = self.publish()
        usd = self.env.ref("base.USD")
        usd.active = True
        move = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.move.partner_id.id, "currency_id": usd.id,
            "invoice_line_ids": [(0, 0, {"name": "Modem", "price_unit": 100, "tax_ids": [(6, 0, [])]})],
        })
        move.action_post()
        self.assertIn("error", self.through_the_portal(provider, move=move))
        self.assertFalse(self.gateways["isp_midtrans"].transactions())

    def test_amounts_that_are_none(self):
        provider = self.publish()
        for amount in (0, -277_500, 277_500.5, 1e18, math.nan, math.inf, "277500", None, True):
            answer = self.through_the_portal(provider, amount=amount) if amount is not None else self.through_the_portal(provider, amount=False)
            with self.subTest(amount=amount):
                if "error" not in answer:
                    self.assertIn(amount, ("277500", True, 277_500.5))
        asked = [one.asked for one in self.gateways["isp_midtrans"].transactions()]
        # Odoo rounds to the currency's coin: the rupiah above the bill is credit.
        self.assertFalse([one for one in asked if one not in (277_500, 277_501, 1)], asked)

    def test_a_token_of_another_invoice_opens_none(self):
        provider = self.publish()
        other = self.bill(self.other, ISSUED)
        for token in (other._portal_ensure_token(), "", "x", None):
            self.assertIn("error", self.through_the_portal(provider, access_token=token))

    def test_nobody_asks_a_gateway_without_end(self):
        provider = self.publish()
        answers = [self.through_the_portal(provider, amount=1_000 + number) for number in range(25)]
        self.assertIn("error", answers[-1])
        self.assertLessEqual(len(self.gateways["isp_midtrans"].transactions()), 20)
        # Another customer is not held up by it.
        self.assertIn("result", self.through_the_portal(provider, move=self.bill(self.other, ISSUED)))

    def test_whoever_takes_cash_makes_no_payment_of_a_gateway(self):
        transaction = self.ask()
        for group in ("isp_management.group_cashier", "isp_management.group_billing", "isp_management.group_manager"):
            user = new_test_user(self.env, "orang-%s" % group, groups=group, company_id=self.company.id)
            own = transaction.with_user(user)
            for vals in ({"state": "done"}, {"amount": 1}, {"provider_reference": "x"}, {"isp_asked_at": "2026-01-01 00:00:00"}, {"partner_id": user.partner_id.id}):
                with self.assertRaises(AccessError, msg=(group, vals)):
                    own.write(vals)
            with self.assertRaises(AccessError):
                own.invoice_ids = [(5, 0, 0)]
            with self.assertRaises(AccessError):
                own.copy({"state": "done", "reference": "palsu-%s" % group})
        self.assertEqual((transaction.state, transaction.amount), ("pending", 277_500))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_who_reads_keys(self):
        provider, transaction = self.providers["isp_tripay"], self.ask("isp_tripay")
        secrets = ["isp_key", "isp_key_sealed", "isp_webhook_key", "isp_webhook_key_sealed", "isp_merchant", "isp_email", "isp_base_url"]
        groups = ["base.group_portal", "base.group_public", "base.group_user", *(
            "isp_management.group_%s" % name for name in ("technician", "cashier", "billing", "manager")
        )]
        for group in groups:
            user = new_test_user(self.env, "kunci-%s" % group, groups=group, company_id=self.company.id)
            for name in secrets:
                for call in (
                    lambda: provider.with_user(user).read([name]), lambda: provider.with_user(user).search_read([], [name]),
                    lambda: provider.with_user(user).search([(name, "like", "a")]), lambda: provider.with_user(user).export_data([name]),
                    lambda: transaction.with_user(user).read_group([], ["id"], ["provider_id.%s" % name]),
                    lambda: transaction.with_user(user).search([("provider_id.%s" % name, "like", "a")]),
                    lambda: provider.with_user(user).isp_reveal(name),
                ):
                    with self.assertRaisesRegex((ValueError, UserError), "", msg=(group, name)):
                        call()
            if group in ("base.group_portal", "base.group_public", "base.group_user", "isp_management.group_technician"):
                with self.assertRaises(AccessError):
                    transaction.with_user(user).read(["isp_qris", "isp_url"])
        self.assertFalse([value for value in provider.read(secrets)[0].values() if "simulated" in str(value) and "@" not in str(value) and "http" not in str(value)])

    def test_a_key_goes_to_no_other_address(self):
        provider = self.providers["isp_midtrans"]
        with self.assertRaisesRegex(UserError, "key"):
            provider.isp_base_url = "https://example.com"
        provider.write({"isp_base_url": "https://example.com", "isp_key": "SB-Mid-server-lain"})
        with self.assertRaisesRegex(UserError, "key"):
            provider.isp_base_url = False

    def test_a_copied_database_asks_no_gateway(self):
        transaction = self.ask()
        self.env.flush_all()
        for query in get_neutralization_queries(["isp_management_payment", "payment"]):
            self.env.cr.execute(query)
        self.env.invalidate_all()
        before = [gateway.requests() for gateway in self.gateways.values()]
        self.assertFalse([one for provider in self.providers.values() for one in provider.read(["isp_key_sealed", "isp_webhook_key_sealed"])[0].values() if one and one != provider.id])
        with mute_logger("odoo.addons.isp_management.logic.transaction", *LOGS):
            self.env["payment.transaction"]._cron_isp_gateways()
            with self.assertRaisesRegex((UserError, IspError), ""):
                self.begin()._get_processing_values()
        self.assertEqual([gateway.requests() for gateway in self.gateways.values()], before)
        self.assertEqual(transaction.state, "pending")
        cron = self.env.ref("isp_management_payment.cron_gateways")
        self.assertFalse(cron.active)

    def test_of_another_environment(self):
        for code, key in (("isp_midtrans", "SB-Mid-server-x"), ("isp_tripay", "DEV-x")):
            with self.assertRaisesRegex(ValidationError, "environment"):
                self.providers[code].write({"isp_key": key, "state": "enabled"})
