from datetime import date

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .common import IspCommon


class DebtsCommon(IspCommon):
    def setUp(self):
        super().setUp()
        self.line = self.new_subscription(start=date(2026, 1, 5))
        self.at("2026-02-05 08:00")["isp.billing_run"]._cron_bill()
        self.moves = self.line.move_ids.sorted("isp_period_start")

    def member(self, group):
        return new_test_user(
            self.env, "utang-%s" % group, groups="isp_management.group_%s" % group, company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )


@tagged("post_install", "-at_install")
class TestWriteOff(DebtsCommon):
    def setUp(self):
        super().setUp()
        self.account = self.env["account.account"].create({
            "name": "Beban piutang tak tertagih", "code": "59999999", "account_type": "expense", "company_id": self.company.id,
        })

    def wizard(self, user=None, moves=None):
        moves = moves or self.moves
        action = (moves.with_user(user) if user else moves).action_isp_write_off()
        return self.env[action["res_model"]].with_user(user or self.env.user).browse(action["res_id"])

    def test_it_is_a_cost_settles_the_invoices_and_says_why(self):
        wizard = self.wizard(self.member("manager"))
        self.assertEqual(wizard.amount, 2 * 277_500)
        wizard.write({"account_id": self.account.id, "reason": " Pindah rumah "})
        wizard.action_confirm()
        self.assertEqual(self.moves.mapped("amount_residual"), [0, 0])
        self.assertEqual(self.moves.mapped("isp_written_off"), [277_500, 277_500])
        entry = self.moves[0].isp_write_off_ids
        self.assertEqual((entry.state, entry.move_type, entry.isp_write_off_reason), ("posted", "entry", "Pindah rumah"))
        cost = entry.line_ids.filtered(lambda item: item.account_id == self.account)
        self.assertEqual(cost.balance, 277_500)
        self.assertIn("Pindah rumah", self.moves[0].message_ids[0].body)
        self.assertEqual(self.company.isp_bad_debt_account_id, self.account, "proposed the next time")
        self.assertEqual(self.line.customer_id.amount_due, 0)
        self.assertFalse(self.env["isp.notification"].search([("kind", "=", "payment_received")]), "nobody paid")
        row = self.env["isp.report.profit_loss"].search([("move_id", "=", entry.id)])
        self.assertEqual((row.kind, row.cost, row.package_id, row.router_id), ("bad_debt", 277_500, self.package, self.router))
        finance = self.env["isp.report.finance"].search([("company_id", "=", self.company.id)])
        self.assertEqual((sum(finance.mapped("collected")), sum(finance.mapped("receivable"))), (0, 0))

    def test_it_can_be_taken_back_and_done_again(self):
        self.company.isp_bad_debt_account_id = self.account
        move = self.moves[0]
        wizard = self.wizard(moves=move)
        wizard.reason = "Tidak ketemu"
        wizard.action_confirm()
        with self.assertRaises(AccessError):
            move.with_user(self.member("billing")).action_isp_take_back()
        move.action_isp_take_back()
        self.assertEqual((move.amount_residual, move.isp_written_off, move.payment_state), (277_500, 0, "not_paid"))
        with self.assertRaises(UserError):
            move.action_isp_take_back()
        again = self.wizard(moves=move)
        again.reason = "Sudah pasti"
        again.action_confirm()
        self.assertEqual((move.amount_residual, move.isp_written_off, len(move.isp_write_off_ids)), (0, 277_500, 2))
        self.assertEqual(sum(self.env["account.move.line"].search([("account_id", "=", self.account.id)]).mapped("balance")), 277_500)

    def test_only_the_rest_and_only_with_a_reason_and_an_account(self):
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.moves[0].ids).create(
            {"amount": 200_000}
        )._create_payments()
        wizard = self.wizard(moves=self.moves[0])
        self.assertEqual(wizard.amount, 77_500)
        wizard.account_id = self.account
        with self.assertRaises(UserError):
            wizard.action_confirm()
        wizard.write({"reason": "Sisa kecil", "account_id": False})
        with self.assertRaises(UserError):
            wizard.action_confirm()
        wizard.account_id = self.account
        wizard.action_confirm()
        self.assertEqual(self.moves[0].isp_written_off, 77_500)
        with self.assertRaises(UserError):
            self.wizard(moves=self.moves[0])

    def test_it_is_for_the_manager(self):
        for group in ("technician", "cashier", "billing"):
            with self.assertRaises(AccessError):
                self.wizard(self.member(group))

    def isolated(self):
        self.company.isp_bad_debt_account_id = self.account
        self.line._isp_want("isolate", "overdue_too_long", overdue=555_000)
        self.line.sudo().observed_access = "isolated"
        self.line.isolation_event_ids.sudo().state = "done"

    def decide(self, moment):
        self.at(moment)["isp.subscription"]._cron_isp_isolation()
        self.env.invalidate_all()

    def test_settled_is_not_paid_who_writes_off_decides(self):
        self.isolated()
        wizard = self.wizard(self.member("manager"))
        wizard.reason = "Damai"
        self.assertEqual(wizard.isolated_count, 1)
        wizard.action_confirm()
        self.decide("2026-03-01 12:00")
        self.assertEqual((self.line.desired_access, self.line.access_cause), ("isolated", "manual"))
        self.assertEqual(self.line.access_reason_text, "Given up, not paid")
        self.assertEqual(self.line.isolation_event_ids.mapped("state"), ["done", "done"], "the router need not hear of it")
        told = self.env["isp.notification"].search([("kind", "in", ("isolated", "reopened"))])
        self.assertEqual(
            (told.mapped("kind"), told.isolation_event_id), (["isolated"], self.line._isp_last_event()), "of the isolation, and no other"
        )
        # Taken back it is owed, and a payment reopens.
        told.sudo().state = "sent"
        self.moves.action_isp_take_back()
        self.assertEqual(self.env["isp.notification"].search([("kind", "in", ("isolated", "reopened"))]), told, "it was told once")
        self.assertEqual((self.line.desired_access, self.line.access_cause), ("isolated", "arrears"))
        for move in self.moves:
            self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
                {})._create_payments()
        self.assertEqual(self.line.desired_access, "open")

    def test_who_writes_off_may_reopen(self):
        self.isolated()
        wizard = self.wizard(self.member("manager"))
        wizard.write({"reason": "Damai", "reopen": True})
        wizard.action_confirm()
        self.assertEqual((self.line.desired_access, self.line.access_reason_text), ("open", "Given up: Damai"))
        self.decide("2026-03-01 12:00")
        self.assertEqual(self.line.desired_access, "open")

    def entry(self, account, amount):
        receivable = self.moves.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        entry = self.env["account.move"].create({"move_type": "entry", "date": date(2026, 2, 20), "line_ids": [
            Command.create({"account_id": account.id, "balance": amount, "partner_id": self.line.partner_id.id}),
            Command.create({"account_id": receivable.account_id.id, "balance": -amount, "partner_id": self.line.partner_id.id}),
        ]})
        entry.action_post()
        (receivable + entry.line_ids.filtered(lambda item: item.account_id == receivable.account_id)).reconcile()

    def test_an_entry_to_a_cost_is_no_payment_and_one_to_the_till_is(self):
        self.isolated()
        self.entry(self.account, 555_000)
        self.assertEqual((set(self.moves.mapped("payment_state")), self.line.desired_access), ({"paid"}, "isolated"))
        self.decide("2026-03-01 12:00")
        self.assertEqual(self.line.desired_access, "isolated")

    def test_an_entry_at_the_till_is_a_payment(self):
        self.isolated()
        self.entry(self.company_data["default_journal_cash"].default_account_id, 555_000)
        self.assertEqual(self.line.desired_access, "open")

    def test_a_credit_note_asks_for_nothing_any_more(self):
        self.isolated()
        for move in self.moves:
            move._reverse_moves([{"date": date(2026, 2, 20), "ref": "Salah tagih"}], cancel=True)
        self.decide("2026-02-21 12:00")
        self.assertEqual(self.line.desired_access, "open")


@tagged("post_install", "-at_install")
class TestCollectors(DebtsCommon):
    def setUp(self):
        super().setUp()
        self.asep = self.env["isp.collector"].create({"name": "Pak Asep", "area": "Sukamaju"})
        self.journal = self.company.isp_collector_journal_id
        self.line.collector_id = self.asep
        self.office = self.company_data["default_journal_cash"]

    def take(self, move, user=None, **vals):
        register = self.env["account.payment.register"].with_user(user or self.env.user).with_context(
            active_model="account.move", active_ids=move.ids
        )
        return register.create({"journal_id": self.journal.id, **vals})._create_payments()

    def deposit(self, amount, journal=None, user=None):
        asep = self.asep.with_user(user or self.env.user)
        asep.invalidate_recordset()
        action = asep.action_deposit()
        wizard = asep.env[action["res_model"]].browse(action["res_id"])
        wizard.write({"amount": amount, "journal_id": (journal or self.office).id, "note": "KW-7"})
        wizard.action_confirm()

    def holds(self):
        self.env.invalidate_all()
        return self.asep.collected, self.asep.deposited, self.asep.holds

    def ledger(self):
        lines = self.env["account.move.line"].search([
            ("account_id", "=", self.journal.default_account_id.id), ("parent_state", "=", "posted")
        ])
        return sum(lines.mapped("balance"))

    def test_the_first_collector_makes_the_journal_and_its_account(self):
        self.assertEqual(self.journal.type, "cash")
        lines = self.journal.inbound_payment_method_line_ids | self.journal.outbound_payment_method_line_ids
        self.assertEqual(lines.payment_account_id, self.journal.default_account_id)
        self.env["isp.collector"].create({"name": "Bu Tati"})
        self.assertEqual(self.company.isp_collector_journal_id, self.journal)

    def test_cash_is_in_hand_until_the_deposit(self):
        cashier = self.member("cashier")
        self.assertEqual((self.asep.to_collect, self.asep.subscription_count), (555_000, 1))
        payment = self.take(self.moves[0], cashier)
        self.assertEqual(payment.isp_collector_id, self.asep, "the line says who collects there")
        self.assertEqual(self.moves[0].payment_state, "paid")
        self.assertEqual((self.holds(), self.ledger()), ((277_500, 0, 277_500), 277_500))
        self.assertEqual(self.asep.to_collect, 277_500)
        self.take(self.moves[1], cashier)
        self.deposit(500_000, user=cashier)
        self.assertEqual((self.holds(), self.ledger()), ((555_000, 500_000, 55_000), 55_000))
        transfer = self.env["account.payment"].search([("isp_collector_id", "=", self.asep.id), ("is_internal_transfer", "=", True)])
        self.assertEqual(transfer.paired_internal_transfer_payment_id.journal_id, self.office)
        self.assertEqual(transfer.ref, "Deposit of Pak Asep KW-7")
        self.assertFalse(transfer.paired_internal_transfer_payment_id.isp_collector_id)
        self.deposit(55_000, self.company_data["default_journal_bank"])
        self.assertEqual((self.holds(), self.ledger()), ((555_000, 555_000, 0), 0))
        with self.assertRaises(UserError):
            self.asep.action_deposit()

    def test_nobody_hands_over_more_than_there_is(self):
        self.take(self.moves[0])
        for amount in (277_501, 0, -1):
            with self.assertRaises(UserError):
                self.deposit(amount)
        self.assertEqual(self.holds(), (277_500, 0, 277_500))

    def test_a_payment_that_is_taken_back_is_no_cash(self):
        payment = self.take(self.moves[0])
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual((self.holds(), self.ledger()), ((0, 0, 0), 0))
        self.assertEqual(self.asep.to_collect, 555_000)

    def test_cash_without_a_name_is_refused_and_a_name_without_the_journal_too(self):
        self.line.collector_id = False
        with self.assertRaises(UserError):
            self.take(self.moves[0])
        with self.assertRaises(UserError):
            self.env["account.payment"].create({
                "payment_type": "inbound", "partner_id": self.line.partner_id.id, "amount": 1_000,
                "journal_id": self.office.id, "isp_collector_id": self.asep.id,
            }).action_post()

    def test_a_collector_who_logs_in_is_proposed(self):
        user = self.member("cashier")
        tati = self.env["isp.collector"].create({"name": "Bu Tati", "user_id": user.id})
        payment = self.take(self.moves[0], user)
        self.assertEqual(payment.isp_collector_id, tati)

    def test_the_register_asks_for_a_collector_only_for_their_cash(self):
        register = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.moves[0].ids)
        with Form(register) as form:
            form.journal_id = self.office
            self.assertFalse(form.isp_takes_collector)
            form.journal_id = self.journal
            self.assertTrue(form.isp_takes_collector)
            self.assertEqual(form.isp_collector_id, self.asep)

    def test_one_with_cash_in_hand_is_not_archived_nor_one_who_took_any_deleted(self):
        self.take(self.moves[0])
        with self.assertRaises(ValidationError):
            self.asep.active = False
        with self.assertRaises(UserError):
            self.asep.unlink()
        self.deposit(277_500)
        self.asep.active = False
        self.assertFalse(self.asep.active)

    def test_the_report_is_the_cash_in_hand(self):
        self.take(self.moves[0])
        self.deposit(100_000)
        rows = self.env["isp.report.collector"].with_user(self.member("cashier")).search([("collector_id", "=", self.asep.id)])
        self.assertEqual(sorted((r.collected, r.deposited) for r in rows), [(0, 100_000), (277_500, 0)])
        self.assertEqual(sum(rows.mapped("holds")), self.ledger())

    def test_a_technician_takes_no_deposit(self):
        self.take(self.moves[0])
        with self.assertRaises(AccessError):
            self.deposit(1_000, user=self.member("technician"))
