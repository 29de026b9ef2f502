"""What attackers tried on credit notes that come back to their own invoices, and on money that goes again: payments that are deleted, taken
off by hand or of a stranger, notes on other accounts and in parts, closed months, and taxes that nobody asked for."""

from datetime import date

from odoo import Command
from odoo.tests import tagged

from .common import IspCommon

DUE = 277_500


@tagged("post_install", "-at_install")
class TestAttacksNotes(IspCommon):
    def setUp(self):
        super().setUp()
        self.line = self.new_subscription(start=date(2026, 1, 5))
        self.bill("2026-01-05 08:00")
        self.january = self.line.move_ids

    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()

    def decide(self, moment="2026-02-09 12:00"):
        self.at(moment)["isp.subscription"]._cron_isp_isolation()
        self.env.invalidate_all()

    def pay(self, moment, paid, amount=DUE, moves=None):
        wizard = self.at(moment)["account.payment.register"].with_context(
            active_model="account.move", active_ids=(moves or self.january).ids,
        )
        return wizard.create({"payment_date": paid, "amount": amount, "group_payment": True})._create_payments()

    def on_account(self, partner, day):
        """A payment that pays nothing yet."""
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": partner.id, "amount": DUE, "date": day,
            "journal_id": self.company_data["default_journal_bank"].id,
        })
        payment.action_post()
        return payment

    def bank(self, on, moment):
        return self.env["account.bank.statement.line"].create({
            "journal_id": self.company_data["default_journal_bank"].id, "date": on, "payment_ref": "TRF", "amount": DUE,
        }).with_env(self.at(moment))

    def february(self):
        return self.line.move_ids.filtered(lambda m: m.move_type == "out_invoice" and m.isp_period_start == date(2026, 2, 5))

    def note(self, amount=DUE):
        return self.january.with_env(self.at("2026-01-11 09:00"))._isp_correct(amount, "salah tagih")

    def credited(self, amount=DUE):
        """January is paid and given back, so its note pays February."""
        first, note = self.pay("2026-01-10 09:00", date(2026, 1, 10)), self.note(amount)
        self.bill("2026-02-05 08:00")
        return first.with_env(self.at("2026-02-07 09:00")), note, self.february()

    def other_account(self):
        """The receivable account of the contact becomes another one."""
        account = self.line.partner_id.property_account_receivable_id.copy()
        self.line.partner_id.property_account_receivable_id = account
        return account

    def receivable(self, moves):
        return moves.line_ids.filtered(lambda item: item.account_type == "asset_receivable")

    def assertLeft(self, moves, left):
        self.assertEqual([move.amount_residual for move in moves], left)

    # On another account

    def test_a_note_on_another_account_than_its_invoice(self):
        first = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        account = self.other_account()
        note = self.note()
        self.assertEqual(self.receivable(note).account_id, account)
        self.bill("2026-02-05 08:00")
        self.assertLeft((self.january, self.february(), note), [0, 0, 0])
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertLeft((self.january, self.february(), note), [0, DUE, 0])

    def test_a_note_that_paid_an_invoice_on_another_account(self):
        first, note = self.pay("2026-01-10 09:00", date(2026, 1, 10)), self.note()
        self.other_account()
        self.bill("2026-02-05 08:00")
        self.assertLeft((self.january, self.february(), note), [0, 0, 0])
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertLeft((self.january, self.february(), note), [0, DUE, 0])
        transfer = self.env["account.move"].search([("isp_transfer", "=", True), ("company_id", "=", self.company.id)])
        self.assertEqual(transfer.mapped("state"), ["cancel"])

    def test_a_payment_that_paid_a_newer_invoice_on_another_account_moves_up(self):
        first = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        self.on_account(self.line.partner_id, date(2026, 1, 12))
        self.other_account()
        self.bill("2026-02-05 08:00")
        self.assertLeft((self.january, self.february()), [0, 0])
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertLeft((self.january, self.february()), [0, DUE])

    def test_a_late_fee_on_another_account_is_given_back(self):
        """The payment of somebody whose account was changed since the fee could not even be posted."""
        self.company.with_env(self.at("2026-01-04 08:00")).write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000})
        self.bill("2026-01-25 08:00")
        self.other_account()
        self.pay("2026-01-26 09:00", date(2026, 1, 10))
        self.assertLeft((self.january, self.january.isp_late_fee_ids), [0, 0])

    # Parts and more than one

    def test_a_note_that_is_due_in_parts(self):
        first = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        half = {"value": "percent", "value_amount": 50}
        terms = self.env["account.payment.term"].create({"name": "Dua kali", "line_ids": [
            Command.create({**half, "nb_days": 0}), Command.create({**half, "nb_days": 30}),
        ]})
        note = self.env["account.move"].create({
            "move_type": "out_refund", "partner_id": self.line.partner_id.id, "invoice_date": date(2026, 1, 20),
            "invoice_payment_term_id": terms.id, "reversed_entry_id": self.january.id,
            "invoice_line_ids": [Command.create({"name": "Kembali", "price_unit": 250_000, "tax_ids": [Command.set(self.ppn.ids)]})],
        })
        note.action_post()
        self.assertEqual(len(self.receivable(note)), 2)
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertLeft((self.january, note), [0, 0])

    def test_two_notes_of_parts_and_what_they_leave(self):
        first, note, february = self.credited(100_000)
        more = self.january.with_env(self.at("2026-02-06 09:00"))._isp_correct(77_500, "lagi")
        self.assertLeft((self.january, february, note, more), [0, 100_000, 0, 0])
        first._isp_take_back("kosong")
        self.assertLeft((self.january, february, note, more), [100_000, DUE, 0, 0])

    def test_the_payment_of_the_other_invoice_bounces_and_then_that_of_its_own(self):
        first, note, february = self.credited(200_000)
        second = self.pay("2026-02-06 09:00", date(2026, 2, 6), amount=77_500, moves=february)
        second.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertLeft((self.january, february, note), [0, 77_500, 0])
        first._isp_take_back("kosong")
        self.assertLeft((self.january, february, note), [77_500, DUE, 0])

    # What becomes of the note itself

    def test_a_note_that_is_reset_posted_again_and_cancelled(self):
        first, note, february = self.credited()
        note.button_draft()
        self.assertLeft((self.january, february), [0, DUE])
        first._isp_take_back("kosong")
        self.assertLeft((self.january, february), [DUE, DUE])
        note.action_post()
        self.assertLeft((self.january, february, note), [0, DUE, 0])
        note.button_draft()
        note.button_cancel()
        self.assertLeft((self.january, february), [DUE, DUE])

    def test_a_note_that_was_reversed_pays_nothing_any_more(self):
        first, note, february = self.credited()
        note._reverse_moves([{"date": date(2026, 2, 6)}], cancel=True)
        first._isp_take_back("kosong")
        self.assertLeft((self.january, february, note), [DUE, DUE, 0])

    def test_where_a_person_put_a_note_it_stays_while_its_own_invoice_is_paid(self):
        _first, note, february = self.credited()
        self.bill("2026-03-05 08:00")
        march = self.line.move_ids.filtered(lambda m: m.isp_period_start == date(2026, 3, 5) and m.move_type == "out_invoice")
        self.receivable(note).remove_move_reconcile()
        self.receivable(note | march).reconcile()
        second = self.pay("2026-03-06 09:00", date(2026, 3, 6), moves=february)
        second.with_env(self.at("2026-03-07 09:00"))._isp_take_back("kosong")
        self.assertLeft((self.january, february, march, note), [0, DUE, 0, 0])

    def test_where_a_person_put_a_note_it_stays_when_the_run_of_isolation_looks(self):
        """The program brings a note home where nobody said otherwise."""
        first, note, february = self.credited()
        self.receivable(note).remove_move_reconcile()
        self.receivable(note | february).reconcile()
        first.action_draft()
        self.decide()
        self.assertLeft((self.january, february, note), [DUE, 0, 0])
        first.action_cancel()
        self.assertLeft((self.january, february, note), [0, DUE, 0])

    # Closed months and taxes by what is paid

    def test_a_payment_is_reversed_after_its_month_was_closed(self):
        first, note, february = self.credited()
        self.company.fiscalyear_lock_date = date(2026, 2, 6)
        first.move_id._reverse_moves([{"date": date(2026, 2, 7)}], cancel=True)
        self.assertLeft((self.january, february, note), [0, DUE, 0])

    def test_taxes_that_are_due_when_paid(self):
        waits = self.env["account.account"].create({
            "name": "PPN belum dibayar", "code": "2199991", "account_type": "liability_current", "reconcile": True, "company_id": self.company.id,
        })
        self.company.tax_exigibility = True
        self.company.tax_cash_basis_journal_id = self.env["account.journal"].create(
            {"name": "Kas PPN", "code": "CAB2", "type": "general", "company_id": self.company.id}
        )
        tax = self.ppn.copy({"name": "PPN kas", "tax_exigibility": "on_payment", "cash_basis_transition_account_id": waits.id})
        package = self.new_package("KAS", 250_000, tax_ids=[Command.set(tax.ids)])
        self.story_begins()
        self.company.sudo().isp_billed_through = False
        self.line = self.new_subscription(self.new_customer("Kas", mobile="0812-1111-2222"), start=date(2026, 1, 5), package_id=package.id)
        self.bill("2026-01-05 10:00")
        self.january = self.line.move_ids
        first, note, february = self.credited()
        self.company.write({"fiscalyear_lock_date": date(2026, 2, 5), "tax_lock_date": date(2026, 2, 5)})
        first.move_id._reverse_moves([{"date": date(2026, 2, 7)}], cancel=True)
        self.assertLeft((self.january, february, note), [0, DUE, 0])

    # Money that goes without a word

    def test_a_payment_that_is_deleted_is_taken_back_too(self):
        self.company.with_env(self.at("2026-01-04 08:00")).write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000})
        paid = self.pay("2026-01-10 09:00", date(2026, 1, 10)).with_env(self.at("2026-01-26 09:00"))
        self.bill("2026-01-25 08:00")
        self.assertFalse(self.january.isp_late_fee_ids)
        paid.action_draft()
        paid.unlink()
        self.assertEqual(self.january.isp_late_fee_ids.mapped("amount_residual"), [10_000], "it had spared the fee")

    def test_a_write_off_that_is_cancelled_and_then_deleted_is_taken_back_once(self):
        self.company.with_env(self.at("2026-01-04 08:00")).write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000})
        self.january.with_env(self.at("2026-01-12 09:00"))._isp_write_off(
            self.company_data["default_account_expense"], date(2026, 1, 12), "Hilang",
        )
        self.bill("2026-01-25 08:00")
        self.assertFalse(self.january.isp_late_fee_ids)
        entry = self.january.isp_write_off_ids.with_env(self.at("2026-01-26 09:00"))
        entry.button_draft()
        entry.button_cancel()
        fees = self.january.isp_late_fee_ids
        entry.with_context(force_delete=True).unlink()
        self.assertEqual((len(fees), self.january.isp_late_fee_ids, self.january.amount_residual), (1, fees, DUE))

    def test_a_note_comes_back_when_the_payment_is_deleted(self):
        first, note, february = self.credited()
        first.action_draft()
        first.unlink()
        self.assertLeft((self.january, february, note), [0, DUE, 0])

    def test_before_anybody_is_isolated_a_note_comes_back(self):
        """What Odoo takes off without a word of it: a payment that was reset, and that of a stranger; both are no arrears of January."""
        stranger = self.env["res.partner"].create({"name": "Orang lain"})

        def reset(first):
            first.action_draft()

        def of_a_stranger(first):
            first.action_draft()
            first.partner_id = stranger
            first.action_post()
            first.action_draft()
            first.action_cancel()

        for way in (reset, of_a_stranger):
            with self.subTest(way.__name__):
                savepoint = self.env.cr.savepoint()
                first, note, february = self.credited()
                way(first)
                self.decide()
                self.assertLeft((self.january, february, note), [0, DUE, 0])
                self.assertEqual(self.line.desired_access, "open")
                savepoint.close(rollback=True)
                self.env.invalidate_all(flush=False)

    def test_a_payment_that_was_taken_off_by_hand_pays_before_anybody_is_isolated(self):
        first, note, february = self.credited()
        first.line_ids.remove_move_reconcile()
        self.decide()
        self.assertLeft((self.january, february, note), [0, 0, 0])

    def test_a_firm_whose_head_office_paid(self):
        """Nobody knows any more whose the money was that bounced; the note of a branch is that branch's."""
        head = self.env["res.partner"].create({"name": "Toko Jaya", "is_company": True})
        second = self.new_customer("Cabang")
        (self.line.customer_id | second).partner_id.parent_id = head
        other = self.new_subscription(second, start=date(2026, 1, 5))
        self.bill("2026-01-05 09:00")
        first = self.on_account(head, date(2026, 1, 10))
        self.receivable(first.move_id | self.january).reconcile()
        note = self.note()
        self.bill("2026-02-05 08:00")
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.decide()
        self.assertLeft((self.january, self.february(), note), [0, DUE, 0])
        self.assertEqual((self.line.desired_access, other.desired_access), ("open", "isolated"))

    def test_nobody_is_isolated_beside_credit_when_a_promise_ends(self):
        promise = self.env["isp.promise"].with_env(self.at("2026-01-20 09:00")).create(
            {"customer_id": self.line.customer_id.id, "until": date(2026, 1, 26)}
        )
        self.on_account(self.line.partner_id, date(2026, 1, 21))
        promise.with_env(self.at("2026-01-23 12:00"))._isp_end("taken_back", "salah ketik")
        self.assertEqual((self.line.desired_access, self.january.amount_residual), ("open", 0))

    # A line of the bank

    def test_a_line_of_the_bank_that_is_undone_leaves_the_note_to_its_own_invoice(self):
        line = self.bank(date(2026, 1, 10), "2026-02-07 09:00")
        line.sudo()._isp_book(self.line.customer_id)
        note = self.note()
        self.bill("2026-02-05 08:00")
        self.assertLeft((self.january, self.february(), note), [0, 0, 0])
        line.action_undo_reconciliation()
        self.assertLeft((self.january, self.february(), note), [0, DUE, 0])

    def test_a_line_of_the_bank_that_was_another_customer_s(self):
        """The late fee is that of the one who had not paid, whoever was thought to have."""
        self.company.with_env(self.at("2026-01-04 08:00")).write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000})
        other = self.new_subscription(self.new_customer("Lain", mobile="0812-9999-0001"), start=date(2026, 1, 5))
        self.bill("2026-01-05 10:00")
        line = self.bank(date(2026, 1, 10), "2026-01-26 09:00")
        line.sudo()._isp_book(other.customer_id)
        self.bill("2026-01-25 08:00")
        fee = self.january.isp_late_fee_ids
        self.assertEqual((len(fee), len(other.move_ids.isp_late_fee_ids)), (1, 0))
        line.action_undo_reconciliation()
        line.sudo()._isp_book(self.line.customer_id)
        self.assertLeft((self.january, fee), [0, 0])
        self.assertEqual(other.move_ids.isp_late_fee_ids.mapped("amount_residual"), [10_000])

    # Taxes that nobody asked for

    def test_the_taxes_of_an_account_are_not_added_to_what_was_paid(self):
        """An account proposes taxes for bills. In entries of this addon they would be on top of the amount, and on some other account."""
        tax = self.company_data["default_tax_purchase"]
        loss, power = self.env["account.account"].create([
            {
                "name": name, "code": code, "account_type": "expense", "company_id": self.company.id, "tax_ids": [Command.set(tax.ids)],
            } for name, code in (("Beban piutang", "59999998"), ("Listrik", "59999997"))
        ])
        self.january._isp_write_off(loss, date(2026, 2, 20), "Hilang")
        entry = self.january.isp_write_off_ids
        self.assertEqual(sorted(entry.line_ids.mapped("balance")), [-DUE, DUE])
        category = self.env["isp.expense_category"].create({"name": "Listrik", "code": "listrik-x", "account_id": power.id})
        expense = self.env["isp.expense"].create({"date": date(2026, 1, 5), "category_id": category.id, "amount": 100_000, "name": "PLN"})
        expense.action_post()
        self.assertEqual(sorted(expense.move_id.line_ids.mapped("balance")), [-100_000, 100_000])
