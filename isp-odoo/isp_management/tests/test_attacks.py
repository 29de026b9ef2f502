"""What attackers found in the money of an Odoo with the addon: each did what it should not, and does not any more."""

from datetime import date, timedelta

from odoo import Command
from odoo.api import call_kw
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .test_bank_lines import ISSUED, BankCommon, BranchesCommon


@tagged("post_install", "-at_install")
class TestAttacksOnMoney(BankCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.move, cls.others_move = cls.bill(cls.line, ISSUED), cls.bill(cls.other, ISSUED)
        cls.users = {
            g: new_test_user(cls.env, "serang-%s" % g, groups="isp_management.group_%s" % g, company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
            for g in ("technician", "cashier", "billing", "manager")
        }
        cls.users["accountant"] = new_test_user(cls.env, "serang-acc", groups="account.group_account_user", company_id=cls.company.id)
        cls.expense = cls.company_data["default_account_expense"]

    def rpc(self, group, model, method, *args, context=None, **kwargs):
        env = self.env(user=self.users[group], context={"allowed_company_ids": self.company.ids})
        result = call_kw(env[model], method, [*args], {**kwargs, "context": {**env.context, **(context or {})}})
        env.flush_all()
        self.env.invalidate_all()
        return result

    def test_two_registers_as_the_web_client(self):
        """The dialog is a new record until its button is pressed."""
        dialog = Form(self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids))
        self.assertEqual(dialog.amount, 277_500)
        self.whose(self.bank(50_000, text="x"), customer_id=self.customer.id)
        self.assertEqual(self.move.amount_residual, 227_500)
        with self.assertRaises(UserError):
            dialog.save().action_create_payments()
        self.assertEqual(self.credit_of(self.customer), 0)

    def test_two_registers_partial_cash(self):
        one = Form(self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids))
        two = Form(self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids))
        one.amount = 200_000
        two.amount = 200_000
        one.save().action_create_payments()
        with self.assertRaises(UserError):
            two.save().action_create_payments()

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_context_default_doubt(self):
        with self.assertRaises(AccessError):
            line = self.rpc("accountant", "account.bank.statement.line", "create", {
                "journal_id": self.bank_journal.id, "date": "2026-03-10", "payment_ref": "x", "amount": 5,
            }, context={"default_isp_doubt": "undone", "default_isp_candidate_ids": [Command.set(self.sibling.ids)]})
            self.env["account.bank.statement.line"].browse(line)

    def test_the_label_of_a_booked_line_is_edited(self):
        self.ask()
        line = self.bank(277_501)
        self.assertTrue(line.is_reconciled)
        try:
            self.rpc("accountant", "account.bank.statement.line", "write", line.ids, {"payment_ref": "TRSF E-BANKING 2"})
        except (AccessError, UserError):
            return
        self.assertEqual((line.is_reconciled or line.isp_waits, self.move.amount_residual), (True, 0))

    def test_line_joined_then_line_deleted_or_reset(self):
        asked = self.ask()
        payment = self.accept(self.proof(), amount=asked.amount)
        line = self.bank(asked.amount)
        self.assertTrue(payment.is_matched)
        line.move_id.button_draft()
        self.env.invalidate_all()
        line.move_id.action_post()
        self.env.invalidate_all()
        self.assertTrue(payment.is_matched or line.isp_waits or not line.is_reconciled)

    def test_join_where_the_bank_keeps_its_fee(self):
        """A transfer of Rp277.500 arrives as Rp271.000: the person cannot join, and new money is booked twice."""
        payment = self.accept(self.proof())
        line = self.bank(271_000, text="x")
        with self.assertRaises(UserError):
            self.whose(line, customer_id=self.customer.id, payment_id=payment.id)

    def test_credit_note_and_bank_line(self):
        """The customer has an open credit note posted after the request: the amount is more than owed."""
        self.ask()
        note = self.move._reverse_moves([{"date": date(2026, 3, 10), "invoice_date": date(2026, 3, 10)}])
        note.invoice_line_ids.price_unit = 100_000
        note.action_post()
        self.env.invalidate_all()
        self.bank(277_501)
        self.assertEqual(self.move.amount_residual, 0)
        self.assertEqual(self.credit_of(self.customer), 111_001)

    def test_cashier_edits_and_deletes_a_waiting_line(self):
        self.ask()
        line = self.bank(277_501, text="Pelanggan 2")
        with mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"):
            for method, args in (("write", ({"amount": 1},)), ("unlink", ())):
                with self.subTest(method), self.assertRaises(AccessError), self.env.cr.savepoint():
                    self.rpc("cashier", "account.bank.statement.line", method, line.ids, *args)
            for method in ("button_draft", "button_cancel"):
                with self.subTest(method), self.assertRaises(AccessError), self.env.cr.savepoint():
                    self.rpc("cashier", "account.move", method, line.move_id.ids)

    def test_cashier_undoes_a_booked_line(self):
        self.ask()
        line = self.bank(277_501)
        with mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc("cashier", "account.bank.statement.line", "action_undo_reconciliation", line.ids)
        # All of it is credit:
        line2 = self.bank(60_000, text="x")
        self.whose(line2, customer_id=self.customer.id)
        with mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc("cashier", "account.bank.statement.line", "action_undo_reconciliation", line2.ids)

    def test_a_cashier_books_a_waiting_line_on_a_cost(self):
        self.ask()
        line = self.bank(277_501, text="Pelanggan 2")
        suspense = line._seek_for_lines()[1]
        with self.assertRaises(UserError), mute_logger("odoo.addons.base.models.ir_model"):
            self.rpc("cashier", "account.move", "write", line.move_id.ids, {"line_ids": [Command.update(suspense.id, {"account_id": self.expense.id})]},
                     context={"skip_account_move_synchronization": True})

    def test_two_registers_of_all(self):
        one = Form(self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids))
        two = Form(self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids))
        one.save().action_create_payments()
        with self.assertRaises(UserError):
            two.save().action_create_payments()

    def test_a_cashier_cancels_a_waiting_line_and_nobody_sees_it(self):
        self.ask()
        line = self.bank(277_501, text="Pelanggan 2")
        with self.assertRaises(UserError), mute_logger("odoo.addons.base.models.ir_model"):
            self.rpc("cashier", "account.move", "button_draft", line.move_id.ids)
            self.rpc("cashier", "account.move", "button_cancel", line.move_id.ids)

    def test_a_prepayment_on_a_contact_below(self):
        below = self.env["res.partner"].create({"name": "Bendahara", "parent_id": self.customer.partner_id.id, "type": "invoice"})
        self.pay(self.move, on=date(2026, 3, 1))
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": below.id, "amount": 277_500, "date": date(2026, 3, 10),
            "journal_id": self.bank_journal.id,
        })
        payment.action_post()
        second = self.bill(self.line, date(2026, 3, 23))
        self.decide("2026-05-20 12:00")
        self.assertEqual((second.amount_residual, self.line.desired_access), (0, "open"))

    def test_bill_again_and_the_cancelled_one_is_posted_again(self):
        self.move.button_draft()
        self.move.button_cancel()
        self.rpc("billing", "account.move", "action_isp_bill_again", self.move.ids)
        self.bill(self.line, ISSUED)
        with self.assertRaises(UserError):
            self.rpc("billing", "account.move", "button_draft", self.move.ids)
            self.rpc("billing", "account.move", "action_post", self.move.ids)

    def isolated(self):
        self.decide("2026-04-20 12:00")
        self.assertEqual(self.line.desired_access, "isolated")

    def test_a_rupiah_in_the_till_and_the_rest_to_a_cost(self):
        self.isolated()
        receivable = self.move.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        till = self.company_data["default_journal_cash"].default_account_id
        entry = self.env["account.move"].with_user(self.users["billing"]).create({"move_type": "entry", "date": date(2026, 4, 20), "line_ids": [
            Command.create({"account_id": till.id, "balance": 1, "partner_id": self.line.partner_id.id}),
            Command.create({"account_id": self.expense.id, "balance": 277_499, "partner_id": self.line.partner_id.id}),
            Command.create({"account_id": receivable.account_id.id, "balance": -277_500, "partner_id": self.line.partner_id.id}),
        ]})
        with self.assertRaises(AccessError):
            entry.action_post()
        # A manager may, and it is no payment all the same.
        entry.with_user(self.users["manager"]).action_post()
        (receivable + entry.sudo().line_ids.filtered(lambda i: i.account_id == receivable.account_id)).with_user(self.users["manager"]).reconcile()
        self.env.invalidate_all()
        self.assertEqual((self.move.payment_state in ("paid", "in_payment"), self.line.desired_access), (True, "isolated"))

    def test_billing_gives_up_by_the_items_of_a_bank_line(self):
        self.isolated()
        line = self.bank(1, text="x", on="2026-04-20")
        receivable = self.move.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        suspense = line._seek_for_lines()[1]
        for group in ("accountant", "billing"):
            with self.assertRaises(AccessError, msg=group), self.env.cr.savepoint():
                self.rpc(group, "account.move", "write", line.move_id.ids, {"line_ids": [
                    Command.update(suspense.id, {"account_id": receivable.account_id.id, "partner_id": self.line.partner_id.id, "debit": 0, "credit": 277_500, "amount_currency": -277_500}),
                    Command.create({"account_id": self.expense.id, "debit": 277_499, "amount_currency": 277_499, "currency_id": self.company.currency_id.id, "name": "x"}),
                ]}, context={"skip_account_move_synchronization": True, "force_delete": True})
                self.rpc(group, "account.move.line", "reconcile", (receivable + suspense).ids)


@tagged("post_install", "-at_install")
class TestAttacksOnBranches(BranchesCommon):
    def setUp(self):
        super().setUp()
        self.both = new_test_user(self.env, "serang-kasir", groups="isp_management.group_cashier", company_id=self.company.id,
                                  company_ids=[Command.set((self.branch | self.company).ids)])
        # A contact that existed before it became a customer of the branch.
        self.there.partner_id.company_id = False

    def rpc(self, model, method, *args, context=None, **kwargs):
        env = self.env(user=self.both, context={"allowed_company_ids": (self.company | self.branch).ids})
        result = call_kw(env[model], method, [*args], {**kwargs, "context": {**env.context, **(context or {})}})
        env.flush_all()
        self.env.invalidate_all()
        return result

    def test_a_cashier_deletes_a_prepayment_of_a_branchs_customer_at_the_bank_above(self):
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": self.there.partner_id.id, "amount": 1_000_000,
            "date": date(2026, 3, 10), "journal_id": self.company_data["default_journal_cash"].id,
        })
        payment.action_post()
        self.env.invalidate_all()
        for method in ("action_draft", "action_cancel"):
            with self.subTest(method), self.assertRaises(AccessError), self.env.cr.savepoint(), mute_logger("odoo.addons.base.models.ir_model"):
                self.rpc("account.payment", method, payment.ids)
        with self.assertRaises(UserError), self.env.cr.savepoint(), mute_logger("odoo.addons.base.models.ir_model"):
            self.rpc("account.payment", "unlink", payment.ids)

    def test_bank_line_of_branch_customer_undone_by_cashier(self):
        at = self.at("2026-03-10 09:00")
        there = at["isp.payment_request"]._isp_ask(self.there.with_env(at))
        line = self.bank(there.amount)
        self.assertTrue(line.is_reconciled)
        extra = self.bank(60_000, text="x")
        w = self.env["isp.bank_line.wizard"].with_user(self.both).with_context(allowed_company_ids=(self.company | self.branch).ids).create({"line_id": extra.id, "customer_id": self.there.id})
        w.action_confirm()
        self.env.invalidate_all()
        with self.assertRaises(UserError), self.env.cr.savepoint(), mute_logger("odoo.addons.base.models.ir_model"):
            self.rpc("account.move", "button_draft", extra.move_id.ids)

    def test_credit_above_pays_the_branchs_next_invoice(self):
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": self.there.partner_id.id, "amount": 277_500,
            "date": date(2026, 3, 10), "journal_id": self.company_data["default_journal_cash"].id,
        })
        payment.action_post()
        self.env.invalidate_all()
        env = self.env(context={**self.env.context, "allowed_company_ids": (self.branch | self.company).ids})
        env["isp.subscription"].with_context(**self.at("2026-04-20 12:00").context)._cron_isp_isolation()
        self.env.invalidate_all()
        self.assertEqual((self.far_move.amount_residual, self.far.desired_access), (0, "open"))

    def test_a_proof_where_only_the_company_above_has_a_bank(self):
        proof = self.proof(self.there, company_id=self.branch.id)
        self.accept(proof)
        self.assertEqual(self.far_move.amount_residual, 0)

    def test_another_line_of_the_branch(self):
        here = self.env(context={**self.env.context, "allowed_company_ids": (self.branch | self.company).ids})
        other = here["isp.customer"].create({"name": "Orang Lain", "mobile": "0812-0000-0078", "customer_code": "CBG000175", "company_id": self.branch.id})
        line = here["isp.subscription"].create({
            "customer_id": other.id, "package_id": self.far.package_id.id, "router_id": self.far.router_id.id, "activation_date": date(2026, 1, 5),
            "billed_from": date(2026, 1, 5), "company_id": self.branch.id, "ppp_username": "lain", "ppp_password": "rahasia",
        })
        line.action_activate()
        move = self.far_move.copy({"partner_id": other.partner_id.id, "invoice_date": ISSUED, "invoice_date_due": ISSUED + timedelta(days=10)})
        move.write({"isp_subscription_id": line.id, "isp_period_start": ISSUED})
        move.invoice_date_due = ISSUED + timedelta(days=10)
        move.action_post()
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": self.there.partner_id.id, "amount": 277_500,
            "date": date(2026, 3, 10), "journal_id": self.company_data["default_journal_cash"].id,
        })
        payment.action_post()
        with mute_logger("odoo.addons.isp_management.logic.transaction"):
            self.decide("2026-04-20 12:00")
        self.assertEqual((line.desired_access, self.far.desired_access), ("isolated", "open"))

    def test_the_next_invoice_of_who_prepaid_above(self):
        self.env(context={**self.env.context, "allowed_company_ids": (self.branch | self.company).ids})
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": self.there.partner_id.id, "amount": 900_000,
            "date": date(2026, 3, 10), "journal_id": self.company_data["default_journal_cash"].id,
        })
        payment.action_post()
        move = self.far_move.copy({"invoice_date": date(2026, 3, 23)})
        move.write({"isp_subscription_id": self.far.id, "isp_period_start": date(2026, 3, 23)})
        move.action_post()
        self.assertEqual(move.amount_residual, 0)
