"""An amount that only one customer is asked for: the money on the bank account is known by it."""

from datetime import date
from unittest.mock import patch

import isp_engine
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.http import Request
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import IspHttpCase
from .network_common import IspNetworkCommon
from .test_qris import static_code

ISSUED = date(2026, 2, 23)


@tagged("post_install", "-at_install")
class TestPaymentRequests(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.cashier = new_test_user(cls.env, "kasir-minta", groups="isp_management.group_cashier", company_id=cls.company.id)
        cls.technician = new_test_user(cls.env, "teknisi-minta", groups="isp_management.group_technician", company_id=cls.company.id)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.customer = cls.line.customer_id
        cls.move, cls.others_move = cls.bill(cls.line, ISSUED), cls.bill(cls.other, ISSUED)

    def ask(self, record=None, moment="2026-03-10 09:00", user=None):
        record = (record or self.customer).with_env(self.at(moment)).with_user(user or self.cashier)
        return self.env["isp.payment_request"].with_context(**self.at(moment).context).browse(record.action_isp_ask_payment()["res_id"])

    def bank(self, amount, on="2026-03-10", text="TRSF E-BANKING", moment="2026-03-11 08:00", **vals):
        line = self.at(moment)["account.bank.statement.line"].create({
            "journal_id": self.company_data["default_journal_bank"].id, "date": on, "payment_ref": text, "amount": amount, **vals,
        })
        self.env.invalidate_all()
        return line

    def test_two_who_owe_the_same_are_asked_for_different_amounts(self):
        mine, theirs = self.ask(), self.ask(self.other)
        self.assertEqual((mine.debt, mine.amount, theirs.amount), (277_500, 277_501, 277_502))
        self.assertEqual((mine.expires_at - mine.made_at).total_seconds(), 24 * 3600)
        self.assertEqual((mine.kept_until - mine.made_at).total_seconds(), 96 * 3600)
        self.assertEqual(self.ask(moment="2026-03-10 15:00"), mine, "asked again for the same, it is the same")
        self.assertEqual(self.ask(self.move), mine)
        again = self.ask(moment="2026-03-11 10:00")
        self.assertNotEqual(again, mine, "the first has expired")
        self.assertEqual((again.amount, mine.state), (277_501, "cancelled"), "one's own amount tells the same payer")
        self.bill(self.line, date(2026, 3, 5))
        more = self.ask(moment="2026-03-11 11:00")
        self.assertEqual((more.amount, again.state), (555_001, "cancelled"))
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.env.cr.savepoint():
            theirs.sudo().copy({"customer_id": self.customer.id, "state": "cancelled"})

    def test_an_amount_that_somebody_else_gets_meanwhile(self):
        self.ask()
        seen, ask = [], isp_engine.ask_payments

        def before_the_other_was_seen(wishes, now, **kwargs):
            seen.append(list(wishes[0].kept))
            return ask([wishes[0]._replace(kept=[])] if len(seen) == 1 else wishes, now, **kwargs)

        with patch.object(isp_engine, "ask_payments", before_the_other_was_seen):
            theirs = self.ask(self.other)
        self.assertEqual((theirs.amount, len(seen)), (277_502, 2))

    def test_the_code_holds_the_amount(self):
        self.company.isp_qris = static_code()
        asked = self.ask()
        self.assertIn("5406277501", asked.qris)
        self.assertTrue(asked.qris_image)
        later = asked.with_context(**self.at("2026-03-12 09:00").context)
        later.invalidate_recordset()
        self.assertEqual((later.is_expired, later.qris), (True, False))

    def test_the_bank_line_with_the_amount_pays_and_reopens(self):
        self.decide("2026-03-10 10:00")
        self.assertEqual(self.line.desired_access, "isolated")
        asked = self.ask(moment="2026-03-10 11:00")
        self.ask(self.other, "2026-03-10 11:00")
        line = self.bank(277_501)
        self.assertTrue(line.is_reconciled)
        self.assertEqual((line.partner_id, asked.state, asked.payment_move_id), (self.customer.partner_id, "paid", line.move_id))
        self.assertEqual((self.move.amount_residual, self.others_move.amount_residual), (0, 277_500))
        self.assertEqual((self.line.desired_access, self.other.desired_access), ("open", "isolated"))
        rest = line.move_id.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        self.assertEqual(rest.amount_residual, -1, "what is above the debt is credit")
        again = self.bank(277_501)
        self.assertFalse(again.is_reconciled, "a request is paid once")
        self.assertEqual(self.env["isp.notification"].search_count([("kind", "=", "payment_received")]), 1)

    def test_what_is_a_matter_for_a_person(self):
        asked = self.ask()
        self.other.customer_id.customer_code = "P002"
        for line in (
            self.bank(277_500), self.bank(-277_501), self.bank(277_501, on="2026-03-09"), self.bank(277_501, on="2026-03-20"),
            self.bank(277_501, text="TRSF P002 wifi maret"), self.bank(277_501, partner_id=self.other.partner_id.id),
        ):
            self.assertFalse(line.is_reconciled, line.payment_ref)
        self.assertEqual(asked.state, "open")
        asked.with_user(self.cashier).action_cancel()
        self.assertEqual(asked.state, "cancelled")
        late = self.bank(277_501, on="2026-03-12", partner_id=self.customer.partner_id.id)
        self.assertEqual((late.is_reconciled, asked.state), (True, "paid"), "the money of a cancelled one is still that customer's")

    def test_paid_another_way_the_request_is_over(self):
        asked, theirs = self.ask(), self.ask(self.other)
        self.pay(self.move, 100_000, on=date(2026, 3, 10))
        self.assertEqual((asked.state, theirs.state), ("cancelled", "open"))
        self.pay(self.others_move, 277_502, on=date(2026, 3, 10))
        self.assertEqual((theirs.state, self.others_move.amount_residual), ("paid", 0))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_who_may_do_what(self):
        with self.assertRaises(AccessError):
            self.ask(user=self.technician)
        asked = self.ask()
        with self.assertRaises(AccessError):
            asked.with_user(self.technician).read(["amount"])
        with self.assertRaises(AccessError):
            asked.with_user(self.technician).action_cancel()
        with self.assertRaises(AccessError):
            asked.with_user(self.cashier).write({"amount": 1})
        with self.assertRaises(AccessError):
            self.env["isp.payment_request"].with_user(self.cashier).create({
                "company_id": self.company.id, "customer_id": self.customer.id, "debt": 1, "amount": 2, "made_at": "2026-03-10",
                "expires_at": "2026-03-11", "kept_until": "2026-03-13",
            })
        self.pay(self.move)
        with self.assertRaises(UserError) as refused:
            self.ask()
        self.assertEqual(refused.exception.code, "request.nothing_owed")


@tagged("post_install", "-at_install")
class TestPaymentRequestPage(IspHttpCase, IspNetworkCommon):
    def test_a_customer_asks_for_the_own_amount_and_sees_nobody_elses(self):
        line, other = self.new_line(1), self.new_line(2)
        for one in (line, other):
            self.bill(one, ISSUED)
        self.company.isp_qris = static_code()
        new_test_user(
            self.env, "pelanggan-minta", groups="base.group_portal", password="pelanggan-minta", partner_id=line.partner_id.id,
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )
        self.authenticate("pelanggan-minta", "pelanggan-minta")
        page = self.url_open("/my/internet/%s" % line.id)
        self.assertIn("/my/internet/%s/pay" % line.id, page.text)
        token = Request.csrf_token(self)
        page = self.url_open("/my/internet/%s/pay" % line.id, data={"csrf_token": token})
        self.assertIn("isp_asked", page.text)
        self.assertIn("277,501", page.text)
        self.url_open("/my/internet/%s/pay" % other.id, data={"csrf_token": token})
        self.assertEqual(self.env["isp.payment_request"].search([]).mapped("customer_id"), line.customer_id)
