"""Nobody gives money away, or hides that it came in, by Odoo's own buttons or by plain RPC: tried as each group would."""

from datetime import date

from odoo import Command, fields
from odoo.api import call_kw
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon

GROUPS = ("technician", "cashier", "billing", "manager")


@tagged("post_install", "-at_install")
class TestBooksGuard(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.users = {
            group: new_test_user(
                cls.env, "buku-%s" % group, groups="isp_management.group_%s" % group, company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            )
            for group in GROUPS
        }
        cls.line = cls.new_line(1)
        cls.move = cls.bill(cls.line, date(2026, 1, 5))
        cls.cash = cls.company_data["default_journal_cash"]
        cls.expense = cls.company_data["default_account_expense"]

    def as_(self, group, **context):
        return self.env(user=self.users[group], context={"allowed_company_ids": self.company.ids, **context})

    def rpc(self, group, model, method, *args, context=None, **kwargs):
        env = self.as_(group)
        result = call_kw(env[model], method, [*args], {**kwargs, "context": {**env.context, **(context or {})}})
        env.flush_all()
        return result

    def refused(self, model, method, *args, context=None, by=AccessError, groups=("cashier",)):
        for group in groups:
            with self.subTest(group=group, model=model, method=method, args=args), self.assertRaises(by), self.env.cr.savepoint():
                self.rpc(group, model, method, *args, context=context)
            self.env.invalidate_all()

    def paid(self, group="cashier", **vals):
        register = self.as_(group)["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids)
        return register.create({"payment_date": date(2026, 1, 10), "journal_id": self.cash.id, **vals})._create_payments()

    def test_a_cashier_takes_cash_and_keeps_it_in_the_books(self):
        payment = self.paid(amount=100_000)
        self.assertEqual(self.move.amount_residual, 177_500, "taking cash is what a cashier is for")
        for method in ("action_draft", "action_cancel"):
            self.refused("account.payment", method, payment.ids)
        for method in ("button_draft", "button_cancel"):
            self.refused("account.move", method, payment.move_id.ids)
        for vals in ({"amount": 1}, {"date": "2099-01-01"}, {"isp_reference": "lain"}, {"partner_id": self.users["cashier"].partner_id.id}):
            self.refused("account.payment", "write", payment.ids, vals)
        item = payment.move_id.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
        self.refused("account.move.line", "remove_move_reconcile", item.ids)
        self.refused("account.partial.reconcile", "unlink", item.matched_debit_ids.ids)
        self.refused("account.payment", "unlink", payment.ids, by=UserError, groups=GROUPS[1:])
        self.refused("account.move", "unlink", payment.move_id.ids, by=UserError, groups=GROUPS[1:], context={"force_delete": True})
        self.assertEqual((payment.state, payment.amount, self.move.amount_residual), ("posted", 100_000, 177_500))
        # Who may take it back does so, by the wizard and by Odoo's own buttons.
        self.rpc("billing", "account.payment", "action_draft", payment.ids)
        self.assertEqual(self.move.amount_residual, 277_500)

    def test_a_posted_invoice_says_what_it_said(self):
        item = self.move.invoice_line_ids
        for vals in (
            {"invoice_date_due": "2099-12-31"}, {"amount_residual": 0}, {"payment_state": "paid"}, {"state": "draft"}, {"state": "cancel"},
            {"amount_total": 1}, {"partner_id": self.users["cashier"].partner_id.id}, {"invoice_line_ids": [Command.clear()]},
            {"invoice_line_ids": [Command.update(item.id, {"price_unit": 1})]}, {"line_ids": [Command.clear()]},
        ):
            self.refused("account.move", "write", self.move.ids, vals)
        for vals in ({"price_unit": 1}, {"discount": 100}, {"quantity": 0}, {"date_maturity": "2099-12-31"}, {"amount_residual": 0}):
            self.refused("account.move.line", "write", item.ids, vals)
        self.assertEqual((self.move.state, self.move.amount_residual, str(self.move.invoice_date_due)), ("posted", 277_500, "2026-01-15"))
        self.rpc("billing", "account.move", "write", self.move.ids, {"invoice_date_due": "2026-01-20"})
        self.assertEqual(str(self.move.invoice_date_due), "2026-01-20")

    def test_a_cashier_gives_nothing_away(self):
        register = {"active_model": "account.move", "active_ids": self.move.ids}
        gift = {
            "payment_date": "2026-01-10", "journal_id": self.cash.id, "amount": 1, "isp_insist": True, "payment_difference_handling": "reconcile",
            "writeoff_account_id": self.expense.id,
        }
        for group in ("cashier", "billing"):
            wizard = self.rpc(group, "account.payment.register", "create", gift, context=register)
            self.refused("account.payment.register", "action_create_payments", [wizard], context=register, groups=(group,))
        self.assertEqual(self.move.amount_residual, 277_500)
        note = {
            "move_type": "out_refund", "partner_id": self.line.partner_id.id, "invoice_date": "2026-01-10",
            "invoice_line_ids": [Command.create({"name": "x", "price_unit": 250_000, "tax_ids": []})],
        }
        mine = self.rpc("cashier", "account.move", "create", note)
        self.refused("account.move", "action_post", [mine])
        receivable = self.move.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
        entry = {
            "move_type": "entry", "date": "2026-01-10", "line_ids": [
                Command.create({"account_id": account.id, "balance": balance, "partner_id": self.line.partner_id.id})
                for account, balance in ((self.expense, 277_500), (receivable.account_id, -277_500))
            ],
        }
        mine = self.rpc("cashier", "account.move", "create", entry)
        self.refused("account.move", "action_post", [mine])
        out = {
            "payment_type": "outbound", "partner_type": "customer", "partner_id": self.line.partner_id.id, "amount": 250_000,
            "journal_id": self.cash.id,
        }
        mine = self.rpc("cashier", "account.payment", "create", out)
        self.refused("account.payment", "action_post", [mine])
        self.assertEqual(self.move.amount_residual, 277_500)
        note = self.rpc("billing", "account.move", "create", note)
        self.rpc("billing", "account.move", "action_post", [note])
        self.assertEqual(self.env["account.move"].browse(note).state, "posted", "the billing gives back")

    def test_other_business_is_odoos_own(self):
        other = self.env["res.partner"].create({"name": "Toko kabel"})
        invoice = self.rpc("cashier", "account.move", "create", {
            "move_type": "out_invoice", "partner_id": other.id, "invoice_date": "2026-01-10",
            "invoice_line_ids": [Command.create({"name": "Kabel", "price_unit": 50_000, "tax_ids": []})],
        })
        self.rpc("cashier", "account.move", "action_post", [invoice])
        self.rpc("cashier", "account.move", "button_draft", [invoice])
        self.rpc("cashier", "account.move", "unlink", [invoice])

    def test_what_the_runs_have_come_to_is_theirs(self):
        for name in ("isp_billed_through", "isp_late_fee_through"):
            self.refused("res.company", "write", self.company.ids, {name: "2099-01-01"}, groups=GROUPS)
        self.rpc("manager", "res.company", "write", self.company.ids, {"isp_late_fee": "fixed"})
        self.assertTrue(self.company.isp_late_fee_through)

    def test_who_promised_and_who_granted_is_who_it_was(self):
        today = self.company._isp_today()
        promise = self.rpc("cashier", "isp.promise", "create", {"customer_id": self.line.customer_id.id, "until": fields.Date.to_string(today)})
        self.refused("isp.promise", "write", [promise], {"user_id": self.users["manager"].id}, groups=GROUPS[1:])
        self.refused("isp.promise", "create", [{
            "customer_id": self.line.customer_id.id, "until": "2026-01-09", "made_on": "2026-01-09", "user_id": self.users["manager"].id,
        }])
        self.refused("isp.promise", "create", [{
            "customer_id": self.line.customer_id.id, "made_on": "2099-12-31", "until": "2099-12-31",
        }], by=UserError, groups=GROUPS[1:])
        self.assertEqual(self.env["isp.promise"].browse(promise).user_id, self.users["cashier"])
