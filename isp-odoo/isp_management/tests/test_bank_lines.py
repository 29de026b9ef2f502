"""Money on the bank: nobody's is ever booked to somebody else, and nothing is booked twice."""

import base64
from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .network_common import IspNetworkCommon

ISSUED = date(2026, 2, 23)
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(20)


class BankCommon(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.cashier = new_test_user(cls.env, "kasir-bank", groups="isp_management.group_cashier", company_id=cls.company.id)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.customer, cls.sibling = cls.line.customer_id, cls.other.customer_id
        cls.bank_journal = cls.company_data["default_journal_bank"]

    def ask(self, customer=None, moment="2026-03-10 09:00"):
        customer = (customer or self.customer).with_env(self.at(moment))
        return self.env["isp.payment_request"].with_context(**self.at(moment).context).browse(
            customer.with_user(self.cashier).with_context(isp_now=self.at(moment).context["isp_now"]).action_isp_ask_payment()["res_id"]
        )

    def bank(self, amount, on="2026-03-10", text="TRSF E-BANKING", moment="2026-03-11 08:00", **vals):
        line = self.at(moment)["account.bank.statement.line"].create({
            "journal_id": self.bank_journal.id, "date": on, "payment_ref": text, "amount": amount, **vals,
        })
        self.env.invalidate_all()
        return line

    def proof(self, customer=None, moment="2026-03-10 10:00", **vals):
        return self.at(moment)["isp.proof"].create({
            "customer_id": (customer or self.customer).id, "content": base64.b64encode(PICTURE), "file_name": "struk.png", **vals,
        })

    def accept(self, proof, amount=None, moment="2026-03-10 11:00"):
        wizard = self.env["isp.proof.wizard"].with_context(**self.at(moment).context).create({"proof_id": proof.id, "verdict": "accepted"})
        wizard.reference = "BCA-%s" % proof.id
        if amount:
            wizard.amount = amount
        wizard.action_confirm()
        self.env.invalidate_all()
        return proof.payment_id

    def credit_of(self, customer):
        return -sum(self.env["account.move.line"].search([
            ("partner_id.commercial_partner_id", "=", customer.partner_id.commercial_partner_id.id), ("parent_state", "=", "posted"),
            ("account_type", "=", "asset_receivable"), ("amount_residual", "<", 0),
        ]).mapped("amount_residual"))

    def assert_waits(self, line, doubt, *customers):
        self.assertEqual((line.is_reconciled, line.isp_doubt, line.isp_waits), (False, doubt, True), line.payment_ref)
        self.assertEqual(line.isp_candidate_ids, self.env["isp.customer"].union(*customers), line.payment_ref)

    def whose(self, line, **vals):
        wizard = self.env["isp.bank_line.wizard"].with_user(self.cashier).browse(line.with_user(self.cashier).action_isp_whose()["res_id"])
        wizard.write(vals)
        wizard.action_confirm()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestBankLines(BankCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.move, cls.others_move = cls.bill(cls.line, ISSUED), cls.bill(cls.other, ISSUED)

    def test_a_proof_over_the_debt_and_the_bank_are_one_transfer(self):
        self.ask()
        payment = self.accept(self.proof(), amount=277_500)
        line = self.bank(277_501)
        self.assert_waits(line, "looks_booked", self.customer)
        self.assertEqual((line.isp_payment_id, self.credit_of(self.customer)), (payment, 0))
        self.whose(line)
        self.assertEqual((line.is_reconciled, line.isp_doubt, payment.is_matched), (True, False, True))
        self.assertEqual((self.move.amount_residual, self.credit_of(self.customer)), (0, 1), "the rupiah more is credit")

    def test_a_proof_over_the_amount_asked_is_what_the_bank_tells_of(self):
        asked, proof = self.ask(), self.proof()
        self.assertEqual(proof.amount, 277_501, "who was asked for an own amount sends it")
        payment = self.accept(proof)
        self.assertEqual((asked.state, asked.payment_move_id), ("paid", payment.move_id))
        line = self.bank(277_501)
        self.assertEqual((line.is_reconciled, payment.is_matched, line.isp_doubt), (True, True, False))
        self.assertEqual(self.credit_of(self.customer), 1)
        self.assert_waits(self.bank(277_501), "request_paid", self.customer)

    def test_a_bank_payment_of_the_cashier_and_the_bank_are_one_transfer(self):
        self.ask()
        payment = self.pay(self.move, on=date(2026, 3, 10))
        line = self.bank(277_501)
        self.assert_waits(line, "looks_booked", self.customer)
        self.assertEqual((line.isp_payment_id, self.credit_of(self.customer)), (payment, 0))
        self.whose(line, payment_id=False)
        self.assertEqual(self.credit_of(self.customer), 277_501, "a person said that it is new money")

    def test_cash_and_the_bank_are_two(self):
        self.ask()
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids).create({
            "payment_date": date(2026, 3, 10), "journal_id": self.company_data["default_journal_cash"].id,
        })._create_payments()
        line = self.bank(277_501)
        self.assertEqual((line.is_reconciled, self.credit_of(self.customer)), (True, 277_501))

    def test_the_bank_and_then_a_proof_are_one_transfer(self):
        self.bill(self.line, date(2026, 3, 5))
        self.ask()
        proof = self.proof()
        self.assertTrue(self.bank(555_001).is_reconciled)
        with self.assertRaises(UserError):
            self.accept(proof)
        self.assertEqual((self.credit_of(self.customer), proof.state), (1, "waiting"))

    def test_no_amount_is_asked_that_somebody_else_owes(self):
        owes_one_more = self.bill(self.new_line(3), ISSUED, 250_001)
        self.assertEqual(owes_one_more.amount_residual, 277_501)
        self.assertEqual(self.ask().amount, 277_502)
        stranger = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.partner_a.id, "invoice_date": ISSUED,
            "invoice_line_ids": [Command.create({"name": "Router", "price_unit": 277_503, "tax_ids": [Command.clear()]})],
        })
        stranger.action_post()
        self.assertEqual(self.ask(self.sibling).amount, 277_504)

    def test_credit_of_a_rupiah_asks_nobody_for_anothers_debt(self):
        """As after each payment of an own amount: who has Rp1 of credit owes Rp1 less than all the others."""
        self.move.line_ids.filtered(lambda i: i.account_type == "asset_receivable")
        self.pay(self.move, 1, on=date(2026, 3, 1))
        asked = self.ask()
        self.assertEqual((asked.debt, asked.amount), (277_499, 277_501), "not Rp277,500, which the other owes")

    def test_who_comes_to_owe_the_amount_makes_it_doubtful(self):
        asked, third = self.ask(), self.new_line(3)
        self.bill(third, ISSUED, 250_001)
        self.assert_waits(self.bank(277_501), "another_owes", self.customer, third.customer_id)
        self.assertEqual(asked.state, "open")
        self.assertEqual(self.ask(moment="2026-03-10 12:00").amount, 277_502, "asked again, it is another")

    def test_a_proof_of_another_over_the_amount_makes_it_doubtful(self):
        self.ask()
        self.proof(self.sibling, amount=277_501)
        self.assert_waits(self.bank(277_501), "another_owes", self.customer, self.sibling)

    def test_another_customer_is_named_however_it_is_spelt(self):
        asked = self.ask()
        self.sibling.customer_code = "PLG000174"
        for text in ("PLG 000174", "PLG-000174", "PLG000.174", "TRFPLG000174WIFI", "plg174 wifi", "trf Pelanggan 2", "0812-0000-0002"):
            self.assert_waits(self.bank(277_501, text=text), "names_another", self.customer, self.sibling)
        self.assert_waits(self.bank(277_501, partner_name="PELANGGAN 2"), "names_another", self.customer, self.sibling)
        self.assertEqual(asked.state, "open")
        own = self.bank(277_501, text="TRF %s WIFI 0001741" % self.customer.customer_code)
        self.assertTrue(own.is_reconciled, "the own ID contradicts nothing")

    def test_a_payer_whom_the_bank_names_is_believed(self):
        parent = self.env["res.partner"].create({"name": "Keluarga", "is_company": True})
        (self.customer | self.sibling).partner_id.parent_id = parent
        asked = self.ask()
        stranger = self.env["res.partner"].create({"name": "Toko"})
        for partner in (self.sibling.partner_id, parent, stranger):
            line = self.bank(277_501, partner_id=partner.id)
            self.assert_waits(line, "names_another", self.customer)
            self.assertEqual(line.partner_id, partner)
        self.sibling.partner_id.parent_id = False
        line = self.bank(277_501, partner_id=parent.id)
        self.assertEqual((line.is_reconciled, asked.state), (True, "paid"))

    def test_the_receivable_account_was_changed_after_the_invoice(self):
        old = self.customer.partner_id.property_account_receivable_id
        new = old.copy({"code": "11219999"})
        self.customer.partner_id.property_account_receivable_id = new
        second = self.bill(self.line, date(2026, 3, 5))
        self.assertEqual(second.line_ids.filtered(lambda i: i.account_type == "asset_receivable").account_id, new)
        asked = self.ask()
        self.assertEqual(asked.amount, 555_001)
        line = self.bank(555_001)
        self.assertEqual((line.is_reconciled, asked.state), (True, "paid"))
        self.assertEqual((self.move.amount_residual, second.amount_residual, self.credit_of(self.customer)), (0, 0, 1))
        self.assertEqual(line.move_id.line_ids.account_id & (old | new), old | new)

    def test_a_proof_pays_on_the_account_of_the_invoice(self):
        old = self.customer.partner_id.property_account_receivable_id
        self.customer.partner_id.property_account_receivable_id = old.copy({"code": "11219998"})
        self.accept(self.proof())
        self.assertEqual((self.move.amount_residual, self.credit_of(self.customer)), (0, 0))

    def test_money_in_another_currency_is_for_a_person(self):
        asked = self.ask()
        dollar = self.env.ref("base.USD")
        dollar.active = True
        line = self.bank(277_501, foreign_currency_id=dollar.id, amount_currency=17.5)
        self.assert_waits(line, "currency", self.customer)
        self.assertEqual(asked.state, "open")
        with self.assertRaises(UserError):
            self.whose(line)

    def test_undone_the_request_is_open_again_and_a_person_books_it(self):
        asked, line = self.ask(), self.bank(277_501)
        self.assertEqual((asked.state, self.move.amount_residual), ("paid", 0))
        line.action_undo_reconciliation()
        self.env.invalidate_all()
        self.assertEqual((asked.state, asked.payment_move_id.id, self.move.amount_residual), ("open", False, 277_500))
        self.assert_waits(line, "undone", self.customer)
        self.whose(line)
        self.assertEqual((line.is_reconciled, asked.state, self.move.amount_residual), (True, "paid", 0))

    def test_a_payment_taken_back_leaves_the_request_open(self):
        asked = self.ask()
        payment = self.pay(self.move, 277_501, on=date(2026, 3, 10))
        self.assertEqual(asked.state, "paid")
        payment._isp_take_back("Salah ketik")
        self.env.invalidate_all()
        self.assertEqual(asked.state, "open")
        self.assertTrue(self.bank(277_501).is_reconciled)

    def test_a_booked_line_can_be_deleted_and_comes_again(self):
        asked, line = self.ask(), self.bank(277_501)
        message = self.env["isp.notification"].search([("kind", "=", "payment_received")])
        self.assertEqual(message.payment_move_id, line.move_id)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            line.unlink()
        line.action_undo_reconciliation()
        line.unlink()
        self.env.invalidate_all()
        self.assertEqual((asked.state, self.move.amount_residual), ("open", 277_500))
        self.send("2026-03-11 09:00")
        self.assertEqual((message.state, message.error_code), ("dropped", "notification.no_payment"))
        self.assertTrue(self.bank(277_501).is_reconciled)
        self.assertEqual((asked.state, self.move.amount_residual), ("paid", 0))

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_who_says_whose_it_is(self):
        self.ask()
        line = self.bank(277_501, text="Pelanggan 2")
        technician = new_test_user(self.env, "teknisi-bank", groups="isp_management.group_technician", company_id=self.company.id)
        with self.assertRaises(AccessError):
            line.with_user(technician).action_isp_whose()
        with self.assertRaises(AccessError):
            line.with_user(self.cashier).write({"isp_doubt": False})
        wizard = self.env["isp.bank_line.wizard"].with_user(self.cashier).browse(line.with_user(self.cashier).action_isp_whose()["res_id"])
        form = Form(wizard)
        form.customer_id = self.sibling
        form.save().action_confirm()
        self.env.invalidate_all()
        self.assertEqual((line.is_reconciled, self.others_move.amount_residual, self.move.amount_residual), (True, 0, 277_500))
        with self.assertRaises(UserError):
            line.with_user(self.cashier).action_isp_whose()

    def test_what_nobody_was_asked_for_waits_without_a_word(self):
        self.ask()
        line = self.bank(99_000, text="BUNGA")
        self.assertEqual((line.is_reconciled, line.isp_doubt, line.isp_waits), (False, False, False))
        self.assertFalse(self.env["account.bank.statement.line"].search([("isp_waits", "=", True)]))
        self.whose(line, customer_id=self.customer.id)
        self.assertEqual(self.move.amount_residual, 178_500, "a person books a part of it")

    def wizard(self, line, user=None, **vals):
        user = user or self.cashier
        wizard = self.env["isp.bank_line.wizard"].with_user(user).browse(line.with_user(user).action_isp_whose()["res_id"])
        wizard.write(vals)
        return wizard

    def test_a_payment_goes_with_its_customer(self):
        self.ask()
        payment = self.accept(self.proof(), amount=277_500)
        line = self.bank(277_501)
        wizard = self.wizard(line)
        self.assertEqual((wizard.customer_id, wizard.payment_id, wizard.payment_ids), (self.customer, payment, payment))
        form = Form(wizard)
        form.customer_id = self.sibling
        self.assertFalse(form.payment_id, "it is the other one's")
        form.save().action_confirm()
        self.env.invalidate_all()
        self.assertEqual((self.others_move.amount_residual, payment.is_matched, line.is_reconciled), (0, False, True))

    def test_no_call_books_the_payment_of_another(self):
        self.ask()
        payment = self.accept(self.proof(), amount=277_500)
        line = self.bank(277_501)
        wizard = self.wizard(line, customer_id=self.sibling.id)
        wizard.payment_id = payment
        with self.assertRaisesRegex(UserError, "no transfer of .*Pelanggan 2"):
            wizard.action_confirm()
        self.assertFalse(line.is_reconciled)

    def test_a_payment_on_a_contact_below_the_customer_is_the_customers(self):
        self.ask()
        below = self.env["res.partner"].create({"name": "Bendahara", "parent_id": self.customer.partner_id.id, "type": "invoice"})
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": below.id, "amount": 277_500, "date": date(2026, 3, 10),
            "journal_id": self.bank_journal.id,
        })
        payment.action_post()
        payment.flush_recordset()
        self.env.cr.execute("UPDATE account_payment SET create_date = '2026-03-10 05:00' WHERE id = %s", [payment.id])
        self.env.invalidate_all()
        line = self.bank(277_501)
        self.assert_waits(line, "looks_booked", self.customer)
        self.assertEqual(line.isp_payment_id, payment)

    def test_a_joined_payment_that_is_taken_back_leaves_the_line_to_a_person(self):
        def undo(payment):
            payment.move_id.line_ids.remove_move_reconcile()

        def delete(payment):
            payment.action_draft()
            payment.unlink()

        ways = (lambda payment: payment._isp_take_back("Salah"), lambda payment: payment.action_draft(), undo, delete)
        for way in ways:
            asked = self.ask()
            payment = self.accept(self.proof(), amount=asked.amount)
            line = self.bank(asked.amount)
            self.assertEqual((line.is_reconciled, payment.is_matched), (True, True))
            way(payment)
            self.env.invalidate_all()
            self.assert_waits(line, "undone", self.customer)
            self.assertIn(line, self.env["account.bank.statement.line"].search([("isp_waits", "=", True)]))
            if way is undo:
                payment._isp_take_back("Salah")
            self.whose(line)
            self.assertEqual((line.is_reconciled, self.move.amount_residual), (True, 0))
            line.action_undo_reconciliation()
            line.unlink()
            self.env["isp.proof"].search([]).sudo().write({"state": "taken_back", "sha256": False})
            self.env["isp.payment_request"].sudo().search([]).write({"state": "cancelled", "held": False})
            self.env.invalidate_all()

    def test_a_line_booked_by_hand_and_undone_says_so(self):
        line = self.bank(100_000, text="Setor tunai")
        self.whose(line, customer_id=self.customer.id)
        line.action_undo_reconciliation()
        self.env.invalidate_all()
        self.assert_waits(line, "undone", self.customer)

    def test_a_dialog_of_before_books_nothing_twice(self):
        self.ask()
        dialog = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids).create({
            "payment_date": date(2026, 3, 10), "journal_id": self.bank_journal.id,
        })
        self.assertTrue(self.bank(277_501).is_reconciled)
        with self.assertRaisesRegex(UserError, "open it again"):
            dialog.action_create_payments()
        self.assertEqual(self.credit_of(self.customer), 1)
        # And where a part was paid.
        dialog = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.others_move.ids).create({
            "payment_date": date(2026, 3, 10), "journal_id": self.bank_journal.id,
        })
        self.whose(self.bank(50_000, text="x"), customer_id=self.sibling.id)
        with self.assertRaisesRegex(UserError, "open it again"):
            dialog.action_create_payments()

    def test_money_beyond_what_is_owed_pays_the_request_that_asked_for_it(self):
        asked = self.ask()
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.move.ids).create({
            "payment_date": date(2026, 3, 10), "journal_id": self.company_data["default_journal_cash"].id,
        })._create_payments()
        asked.sudo().write({"state": "open", "closed_at": False})
        line = self.bank(277_501, text="PELANGGAN 2")
        self.whose(line, customer_id=self.customer.id)
        self.assertEqual((asked.state, asked.payment_move_id, self.credit_of(self.customer)), ("paid", line.move_id, 277_501))

    def test_of_several_none_is_proposed(self):
        self.ask()
        line = self.bank(277_501, text="Pelanggan 2")
        self.assert_waits(line, "names_another", self.customer, self.sibling)
        wizard = self.wizard(line)
        self.assertFalse(wizard.customer_id)
        self.assertEqual(wizard.isp_candidate_ids, self.customer | self.sibling)
        with self.assertRaises(UserError):
            wizard.action_confirm()

    def test_what_cannot_be_booked_is_refused_in_words(self):
        with self.assertRaisesRegex(UserError, "Only money that came"):
            self.whose(self.bank(-50_000, text="BIAYA ADM"))
        line = self.bank(277_500)
        line.move_id.button_draft()
        line.move_id.button_cancel()
        with self.assertRaisesRegex(UserError, "not posted"):
            self.whose(line, customer_id=self.customer.id)
        self.assertNotIn(line, self.env["account.bank.statement.line"].search([("isp_waits", "=", True)]))

    def test_money_with_a_fraction_pays_and_the_rest_is_credit(self):
        self.company.currency_id.rounding = 0.01
        line = self.bank(277_500.75)
        self.whose(line, customer_id=self.customer.id)
        self.assertEqual((self.move.amount_residual, line.is_reconciled), (0, True))
        self.assertAlmostEqual(self.credit_of(self.customer), 0.75)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_an_accountant_writes_no_reason(self):
        accountant = new_test_user(self.env, "akuntan-bank", groups="account.group_account_user", company_id=self.company.id)
        line = self.bank(99_000).with_user(accountant)
        with self.assertRaises(AccessError):
            line.write({"isp_doubt": "undone"})
        with self.assertRaises(AccessError):
            line.create({"journal_id": self.bank_journal.id, "amount": 1, "payment_ref": "x", "isp_doubt": "undone"})
        line.write({"payment_ref": "BUNGA MARET"})

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_the_money_of_another_company_is_not_shown(self):
        other = self.company_data_2["company"]
        other.currency_id = self.company.currency_id
        journal = self.company_data_2["default_journal_bank"]
        foreign = self.env["account.bank.statement.line"].with_company(other).create({
            "journal_id": journal.id, "date": date(2026, 3, 10), "payment_ref": "RAHASIA", "amount": 5_000,
        })
        with self.assertRaises(AccessError):
            self.env["isp.bank_line.wizard"].with_user(self.cashier).create({"line_id": foreign.id})
        with self.assertRaises(AccessError):
            self.wizard(self.bank(5_000)).write({"line_id": foreign.id})
        # Nor is it booked to a customer of this one, by somebody who may see both.
        both = new_test_user(
            self.env, "kasir-dua", groups="isp_management.group_cashier", company_id=other.id, company_ids=[Command.set((other | self.company).ids)],
        )
        there = self.env["isp.bank_line.wizard"].with_user(both).with_context(allowed_company_ids=(other | self.company).ids)
        wizard = there.create({"line_id": foreign.id, "customer_id": self.customer.id})
        with self.assertRaisesRegex(UserError, "other bank accounts"):
            wizard.action_confirm()


class BranchesCommon(BankCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.branch = cls.env["res.company"].create({
            "name": "Cabang", "parent_id": cls.company.id, "country_id": cls.company.account_fiscal_country_id.id,
        })
        # What Odoo does when the branch is saved: its accounts are those of the company above it.
        cls.env.cr.precommit.run()
        cls.env.user.company_ids |= cls.branch
        cls.cashier.company_ids |= cls.branch
        cls.branch.write({"isp_clock_days": 3_650, "isp_customer_lang": "en_US"})
        here = cls.env(context={**cls.env.context, "allowed_company_ids": (cls.branch | cls.company).ids})
        cls.there = here["isp.customer"].create({
            "name": "Orang Cabang", "mobile": "0812-0000-0077", "customer_code": "CBG000174", "company_id": cls.branch.id,
        })
        router = here["isp.router"].create({"name": "Cabang-1", "host": "127.0.0.1", "username": "isp", "password": "x", "company_id": cls.branch.id})
        package = here["isp.package"].create({
            "name": "C-20", "code": "C-20", "price": 250_000, "speed_down": 20_000, "speed_up": 10_000, "user_group": "C",
            "tax_ids": [Command.set(cls.ppn.ids)], "company_id": cls.branch.id,
        })
        cls.far = here["isp.subscription"].create({
            "customer_id": cls.there.id, "package_id": package.id, "router_id": router.id, "activation_date": date(2026, 1, 5),
            "billed_from": date(2026, 1, 5), "company_id": cls.branch.id, "ppp_username": "cabang", "ppp_password": "rahasia",
        })
        cls.far.action_activate()
        journal = here["account.journal"].create({"name": "Tagihan cabang", "code": "CBG", "type": "sale", "company_id": cls.branch.id})
        cls.move = cls.bill(cls.line, ISSUED)
        cls.far_move = here["account.move"].create({
            "move_type": "out_invoice", "partner_id": cls.there.partner_id.id, "company_id": cls.branch.id, "journal_id": journal.id,
            "invoice_date": ISSUED, "invoice_date_due": ISSUED + timedelta(days=10), "isp_subscription_id": cls.far.id,
            "isp_period_start": ISSUED,
            "invoice_line_ids": [Command.create({
                "product_id": package.product_id.id, "price_unit": 250_000, "tax_ids": [Command.set(cls.ppn.ids)],
                "account_id": cls.company_data["default_account_revenue"].id,
            })],
        })
        cls.far_move.action_post()


@tagged("post_install", "-at_install")
class TestBankOfBranches(BranchesCommon):
    def test_who_shares_a_bank_is_asked_for_different_amounts_and_pays_the_own_debt(self):
        at = self.at("2026-03-10 09:00")
        here, there = (at["isp.payment_request"]._isp_ask(customer.with_env(at)) for customer in (self.customer, self.there))
        self.assertEqual((here.amount, there.amount), (277_501, 277_502))
        self.assert_waits(self.bank(277_501, text="CBG 000174"), "names_another", self.customer, self.there)
        line = self.bank(277_502)
        self.assertEqual((line.is_reconciled, there.state), (True, "paid"), line.move_id.message_ids.mapped("body"))
        self.assertEqual((self.far_move.amount_residual, self.move.amount_residual), (0, 277_500))
        self.assertTrue(self.bank(277_501).is_reconciled)
        self.assertEqual((here.state, self.move.amount_residual), ("paid", 0))

    def test_who_may_not_see_the_branch_says_whose_the_rest_is(self):
        at = self.at("2026-03-10 09:00")
        for customer in (self.customer, self.there):
            at["isp.payment_request"]._isp_ask(customer.with_env(at))
        line = self.bank(277_501, text="CBG 000174")
        self.assert_waits(line, "names_another", self.customer, self.there)
        here = new_test_user(self.env, "kasir-pusat", groups="isp_management.group_cashier", company_id=self.company.id)
        wizard = self.env["isp.bank_line.wizard"].with_user(here).browse(line.with_user(here).action_isp_whose()["res_id"])
        shown = wizard.web_read({"company_ids": {"fields": {"display_name": {}}}, "isp_candidate_ids": {"fields": {"display_name": {}}}})
        self.assertEqual([one["id"] for one in shown[0]["company_ids"]], self.company.ids)
        self.assertEqual([one["id"] for one in shown[0]["isp_candidate_ids"]], self.customer.ids)
        self.assertFalse(wizard.customer_id, "there is another whom this user does not see")
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            wizard.customer_id = self.there
            wizard.action_confirm()

    def contact_of_the_branch_alone(self):
        self.there.partner_id.company_id = self.branch
        at = self.at("2026-03-10 09:00")
        return at["isp.payment_request"]._isp_ask(self.there.with_env(at))

    def test_a_contact_of_the_branch_alone_pays_once(self):
        asked = self.contact_of_the_branch_alone()
        self.env["account.journal"].create({"name": "Bank cabang", "code": "BCB", "type": "bank", "company_id": self.branch.id})
        proof = self.proof(self.there, company_id=self.branch.id)
        line = self.bank(asked.amount)
        self.assertEqual((line.is_reconciled, asked.state, line.partner_id.id), (True, "paid", False))
        with self.assertRaisesRegex(UserError, "may be this very transfer"):
            self.accept(proof, amount=asked.amount)
        self.assertEqual((proof.state, self.credit_of(self.there)), ("waiting", 1))
        line.action_undo_reconciliation()
        self.env.invalidate_all()
        self.assert_waits(line, "undone", self.there)

    def test_a_branch_without_a_bank_is_told_so(self):
        self.contact_of_the_branch_alone()
        proof = self.proof(self.there, company_id=self.branch.id)
        with self.assertRaisesRegex(UserError, "has no bank or cash journal"):
            self.accept(proof)
