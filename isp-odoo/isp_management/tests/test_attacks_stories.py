"""What attackers found in reports and stories of an Odoo with the addon."""

from datetime import date

from odoo import Command, fields
from odoo.api import call_kw
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .network_common import IspNetworkCommon
from .reports_common import IspReportsCommon


@tagged("post_install", "-at_install")
class TestAttacksOnReports(IspReportsCommon):
    def cash(self, month, account):
        self.env.flush_all()
        row = self.seen("cash").search([("company_id", "=", self.company.id), ("date", "=", month), ("account_id", "=", account.id)])
        return dict(opening=row.opening, received=row.received, other=row.other, unknown=row.unknown, moved=row.moved, spent=row.spent, closing=row.closing)

    def tie(self):
        self.env.flush_all()
        for row in self.seen("cash").search([("company_id", "=", self.company.id)]):
            self.assertEqual(row.opening + row.received + row.other + row.unknown + row.moved - row.spent, row.closing)
            [(balance,)] = self.env["account.move.line"]._read_group([
                ("company_id", "=", self.company.id), ("parent_state", "=", "posted"), ("account_id", "=", row.account_id.id),
                ("date", "<", fields.Date.add(row.date, months=1))], [], ["balance:sum"])
            self.assertEqual(row.closing, balance or 0, (row.date, row.account_id.code))

    def entry(self, day, *items):
        move = self.env["account.move"].create({"date": day, "line_ids": [
            Command.create({"account_id": a.id, "balance": b, "partner_id": p and p.id}) for a, b, p in items]})
        move.action_post()
        return move

    def test_a_gateway_settles_less_its_fee(self):
        bank = self.company_data["default_journal_bank"].default_account_id
        way = self.company.account_journal_payment_debit_account_id
        fee = self.company_data["default_account_expense"]
        self.entry(date(2026, 4, 3), (bank, 271_000, None), (fee, 6_500, None), (way, -277_500, None))
        b, w = self.cash(date(2026, 4, 1), bank), self.cash(date(2026, 4, 1), way)
        self.tie()
        self.assertEqual((b["other"] + w["other"], b["spent"] + w["spent"]), (0, 6_500))

    def test_a_deposit_less_a_fee(self):
        bank = self.company_data["default_journal_bank"].default_account_id
        till = self.company_data["default_journal_cash"].default_account_id
        fee = self.company_data["default_account_expense"]
        self.entry(date(2026, 4, 3), (bank, 997_500, None), (fee, 2_500, None), (till, -1_000_000, None))
        b, t = self.cash(date(2026, 4, 1), bank), self.cash(date(2026, 4, 1), till)
        self.tie()
        self.assertEqual((b["other"] + t["other"], b["spent"] + t["spent"]), (0, 2_500))

    def test_the_outstanding_account_is_changed_later(self):
        journal = self.company_data["default_journal_bank"]
        pay = self.env["account.payment"].create({"payment_type": "inbound", "partner_type": "customer", "partner_id": self.siti.partner_id.id, "amount": 70_000, "date": date(2026, 4, 3), "journal_id": journal.id})
        pay.action_post()
        way = pay.line_ids.filtered(lambda item: item.account_type != "asset_receivable").account_id
        self.cash(date(2026, 4, 1), way)
        rec = sum(self.seen("cash").search([("company_id", "=", self.company.id), ("date", "=", date(2026, 4, 1))]).mapped("received"))
        new = way.copy({"code": "11199998"})
        self.company.account_journal_payment_debit_account_id = new
        for line in self.env["account.payment.method.line"].search([("payment_account_id", "=", way.id)]):
            line.payment_account_id = new
        self.env.flush_all()
        self.env.invalidate_all()
        self.cash(date(2026, 4, 1), way)
        rec2 = sum(self.seen("cash").search([("company_id", "=", self.company.id), ("date", "=", date(2026, 4, 1))]).mapped("received"))
        self.assertEqual(rec, rec2)

    def test_slip_refund_expense_deposit(self):
        move = self.sub_budi.move_ids.sorted("invoice_date")[1]
        w = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create({
            "amount": 8_000, "payment_date": date(2026, 2, 12), "isp_slip": True, "isp_reference": "BP-1", "isp_insist": True})
        w._create_payments()
        slip_account = self.company.isp_pph23_journal_id.default_account_id
        self.assertFalse(self.seen("cash").search([("account_id", "=", slip_account.id)]))
        out = self.env["account.payment"].create({"payment_type": "outbound", "partner_type": "customer", "partner_id": self.siti.partner_id.id, "amount": 20_000, "date": date(2026, 3, 1), "journal_id": self.company_data["default_journal_cash"].id})
        out.action_post()
        collector = self.env["isp.collector"].create({"name": "Pak Ujang"})
        w = self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create({
            "amount": 100_000, "payment_date": date(2026, 2, 13), "journal_id": self.company.isp_collector_journal_id.id, "isp_collector_id": collector.id})
        w._create_payments()
        self.env.invalidate_all()
        dep = self.env["isp.deposit.wizard"].browse(collector.action_deposit()["res_id"])
        dep.date = date(2026, 3, 2)
        dep.action_confirm()
        self.env.flush_all()
        self.env.invalidate_all()
        self.tie()
        rows = self.seen("cash").search([("company_id", "=", self.company.id), ("date", "in", (date(2026, 2, 1), date(2026, 3, 1)))])
        for r in rows:
            pass
        march = rows.filtered(lambda r: r.date == date(2026, 3, 1))
        self.assertEqual((sum(march.mapped("moved")), sum(march.mapped("received")), sum(march.mapped("spent"))), (0, -20_000, 0))

    def test_bank_line_joined_a_month_later(self):
        bank = self.company_data["default_journal_bank"]
        pay = self.env["account.payment"].create({"payment_type": "inbound", "partner_type": "customer", "partner_id": self.siti.partner_id.id, "amount": 70_000, "date": date(2026, 4, 30), "journal_id": bank.id})
        pay.action_post()
        line = self.env["account.bank.statement.line"].create({"journal_id": bank.id, "date": date(2026, 5, 1), "payment_ref": "x", "amount": 70_001})
        w = self.env["isp.bank_line.wizard"].create({"line_id": line.id, "customer_id": self.siti.id})
        w.payment_id = pay
        w.action_confirm()
        self.env.flush_all()
        self.env.invalidate_all()
        self.tie()
        way = pay.line_ids.filtered(lambda item: item.account_type != "asset_receivable").account_id
        b, w = self.cash(date(2026, 5, 1), bank.default_account_id), self.cash(date(2026, 5, 1), way)
        self.assertEqual((b["received"], b["moved"], w["moved"]), (1, 70_000, -70_000))


@tagged("post_install", "-at_install")
class TestAttacksOnStories(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.users = {
            g: new_test_user(cls.env, "serang2-%s" % g, groups="isp_management.group_%s" % g, company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)])
            for g in ("technician", "cashier", "billing", "manager")
        }
        cls.users["accountant"] = new_test_user(cls.env, "serang2-acc", groups="account.group_account_user", company_id=cls.company.id)
        cls.cheaper = cls.new_package("HOME-5", 100_000)

    def rpc(self, group, model, method, *args, context=None, **kwargs):
        env = self.env(user=self.users[group], context={"allowed_company_ids": self.company.ids})
        result = call_kw(env[model], method, [*args], {**kwargs, "context": {**env.context, **(context or {})}})
        env.flush_all()
        self.env.invalidate_all()
        return result

    def run_bill(self, moment):
        self.story_begins()
        self.at(moment)["isp.billing_run"]._cron_bill()
        self.env.invalidate_all()

    def test_an_old_invoice_is_deleted_after_the_planned_change(self):
        line = self.new_line(1)
        for m in ("2026-01-05 08:00", "2026-02-05 08:00"):
            self.run_bill(m)
        self.change_terms(line, "2026-02-10 09:00", "package", package_id=self.cheaper.id, at_once="next")
        for m in ("2026-03-05 08:00", "2026-04-05 08:00"):
            self.at(m)["isp.subscription"]._cron_isp_isolation()
            self.run_bill(m)
        moves = line.move_ids.sorted("isp_period_start")
        feb = moves[1]
        self.assertEqual(feb.amount_untaxed, 250_000)
        feb.button_draft()
        feb.name = "/"
        feb.with_context(force_delete=True).unlink()
        self.env.invalidate_all()
        self.run_bill("2026-04-06 08:00")
        moves = line.move_ids.sorted("isp_period_start")
        self.assertEqual(moves.mapped("amount_untaxed"), [250_000, 250_000, 100_000, 100_000])

    def test_the_billing_frees_a_reference(self):
        line = self.new_line(1)
        move = self.bill(line, date(2026, 1, 5))
        def reg():
            return self.env["account.payment.register"].with_user(self.users["cashier"]).with_context(active_model="account.move", active_ids=move.ids).create({"payment_date": "2026-01-10", "amount": 100_000, "isp_reference": "REF-1"})
        pay = reg()._create_payments()
        with self.assertRaises(UserError):
            self.rpc("billing", "account.payment", "write", pay.ids, {"isp_stands": False})
            reg()._create_payments()

    def test_two_changes_and_an_old_invoice_again(self):
        line = self.new_line(1)
        third = self.new_package("HOME-9", 400_000)
        for moment in ("2026-01-05 08:00", "2026-02-05 08:00"):
            self.run_bill(moment)
        self.change_terms(line, "2026-02-10 09:00", "package", package_id=self.cheaper.id, at_once="next")
        self.at("2026-03-05 07:00")["isp.subscription"]._cron_isp_isolation()
        self.run_bill("2026-03-05 08:00")
        self.change_terms(line, "2026-03-10 09:00", "package", package_id=third.id, at_once="next")
        self.at("2026-04-05 07:00")["isp.subscription"]._cron_isp_isolation()
        self.run_bill("2026-04-05 08:00")
        moves = line.move_ids.sorted("isp_period_start")
        self.assertEqual(moves.mapped("amount_untaxed"), [250_000, 250_000, 100_000, 400_000])
        due = moves[0].invoice_date_due
        for old in moves[:2]:
            old.button_draft()
            with self.assertRaisesRegex(UserError, "Cancel the invoice instead"):
                old.unlink()
            old.button_cancel()
            with self.assertRaises(AccessError):
                self.rpc("cashier", "account.move", "action_isp_bill_again", old.ids)
            self.rpc("billing", "account.move", "action_isp_bill_again", old.ids)
            with self.assertRaises(UserError):
                self.rpc("billing", "account.move", "action_isp_bill_again", old.ids)
        # What the billing still knows comes again as it was.
        moves[2].button_draft()
        moves[2].button_cancel()
        self.rpc("billing", "account.move", "action_isp_bill_again", moves[2].ids)
        self.assertFalse(line.left_out)
        for moment in ("2026-04-06 08:00", "2026-04-07 08:00"):
            self.run_bill(moment)
        posted = line.move_ids.filtered(lambda m: m.state == "posted").sorted("isp_period_start")
        self.assertEqual(posted.mapped("amount_untaxed"), [250_000, 250_000, 100_000, 400_000])
        self.assertEqual((posted[0].isp_period_start, posted[0].isp_period_end), (date(2026, 1, 5), date(2026, 2, 5)))
        self.assertEqual((posted[0].invoice_date_due, posted[0].amount_total), (due, 277_500))
        self.assertEqual(self.company.isp_pkp, True)

    def test_an_old_invoice_again_of_who_is_no_pkp_any_more(self):
        line = self.new_line(1)
        self.run_bill("2026-01-05 08:00")
        [old] = line.move_ids
        for package in (self.new_package("HOME-8", 300_000), self.new_package("HOME-9", 400_000)):
            line.sudo().write({"package_id": package.id, "old_package_id": False})
        self.company.isp_pkp = False
        old.button_draft()
        old.button_cancel()
        self.rpc("billing", "account.move", "action_isp_bill_again", old.ids)
        again = line.move_ids - old
        self.assertEqual((again.state, again.amount_untaxed, again.amount_tax, again.isp_period_start), ("posted", 250_000, 0, date(2026, 1, 5)))

    def beside(self):
        """A line that owes beside credit on the account that its contact had before, another line that owes, and that account."""
        line, other = self.new_line(1), self.new_line(2)
        first = self.bill(line, date(2026, 1, 5))
        self.pay(first, 600_000)
        old = line.partner_id.property_account_receivable_id
        line.partner_id.property_account_receivable_id = old.copy({"code": "11219997"})
        return line, other, first, old

    def test_credit_on_another_receivable_account_pays(self):
        line, other, first, old = self.beside()
        second = self.bill(line, date(2026, 2, 5))
        self.bill(other, date(2026, 2, 5))
        for _run in range(2):
            self.decide("2026-04-20 12:00")
        self.assertEqual((second.amount_residual, line.desired_access, other.desired_access), (0, "open", "isolated"))
        self.assertIn(second.payment_state, ("paid", "in_payment"))
        self.assertFalse(line.customer_id.activity_ids)
        [entry] = self.env["account.move"].search([("isp_transfer", "=", True)])
        self.assertEqual(
            sorted((item.account_id == old, item.balance, item.partner_id == line.partner_id, item.reconciled) for item in entry.line_ids),
            [(False, -277_500, True, True), (True, 277_500, True, True)],
        )
        # What is left is on its account, and pays a part of the next.
        third = self.bill(line, date(2026, 3, 5))
        self.assertEqual(third.amount_residual, 277_500 - 45_000)
        self.assertEqual(self.env["account.move"].search_count([("isp_transfer", "=", True)]), 2)
        with self.assertRaises(AccessError):
            self.rpc("cashier", "account.move", "button_draft", entry.ids)
        with self.assertRaises(AccessError):
            self.rpc("billing", "account.move", "write", entry.ids, {"isp_transfer": False})

    def test_the_payment_behind_a_moved_credit_is_taken_back(self):
        for locked in (False, True):
            with self.subTest(locked=locked), self.env.cr.savepoint() as point:
                line, _other, first, _old = self.beside()
                second = self.bill(line, date(2026, 2, 5))
                [entry] = self.env["account.move"].search([("isp_transfer", "=", True)])
                payment = first.line_ids.matched_credit_ids.credit_move_id.payment_id
                if locked:
                    entry.journal_id.restrict_mode_hash_table = True
                    entry.sudo().inalterable_hash = "x"
                payment._isp_take_back("Bounced")
                self.env.invalidate_all()
                self.assertEqual((first.amount_residual, second.amount_residual), (277_500, 277_500))
                self.assertEqual(entry.state, "posted" if locked else "cancel")
                receivable = self.env["account.move.line"].search([
                    ("partner_id", "=", line.partner_id.id), ("parent_state", "=", "posted"), ("account_type", "=", "asset_receivable"),
                ])
                self.assertEqual(sum(receivable.mapped("balance")), 555_000)
                self.assertFalse(receivable.filtered(lambda item: not item.reconciled and item.move_id.move_type == "entry"))
                point.rollback()
                self.env.invalidate_all(flush=False)

    def test_the_invoice_that_a_moved_credit_paid_is_taken_back(self):
        line, _other, _first, _old = self.beside()
        second = self.bill(line, date(2026, 2, 5))
        second.button_draft()
        second.button_cancel()
        [entry] = self.env["account.move"].search([("isp_transfer", "=", True)])
        self.assertEqual(entry.state, "posted", "the credit is on the account of the next invoice")
        third = self.bill(line, date(2026, 3, 5))
        self.assertEqual((third.amount_residual, self.env["account.move"].search_count([("isp_transfer", "=", True)])), (0, 1))

    def test_a_moved_credit_counts_from_the_day_of_its_payment(self):
        """Late fees follow from when it was paid, and once."""
        line, _other, first, _old = self.beside()
        second = self.bill(line, date(2026, 2, 5))
        [facts] = line.customer_id._isp_books()
        came = [(money.amount, str(money.at)[:10]) for money in facts.money]
        payment = first.line_ids.matched_credit_ids.credit_move_id.payment_id
        self.assertEqual([amount for amount, _day in came], [600_000])
        self.assertEqual(came[0][1], str(payment.date))
        self.assertEqual(second.amount_residual, 0)

    def test_credit_that_cannot_be_moved_isolates_nobody_and_is_told(self):
        line, other, _first, old = self.beside()
        self.bill(other, date(2026, 2, 5))
        old.deprecated = True
        with mute_logger("odoo.addons.isp_management.models.isp_credit_transfer"):
            second = self.bill(line, date(2026, 2, 5))
            for _run in range(2):
                self.decide("2026-04-20 12:00")
        self.assertEqual((second.amount_residual, line.desired_access, other.desired_access), (277_500, "open", "isolated"))
        told = line.customer_id.activity_ids.filtered(lambda activity: old.code in (activity.summary or ""))
        self.assertEqual(len(told), 1, "a person moves it, and is told once")

    def test_credit_in_dollars_is_not_moved(self):
        line, _other, first, old = self.beside()
        first.line_ids.remove_move_reconcile()
        second = self.bill(line, date(2026, 2, 5))
        self.assertFalse(self.env["account.move"].search_count([("isp_transfer", "=", True), ("currency_id", "!=", self.company.currency_id.id)]))
        dollars = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": line.partner_id.id, "amount": 100,
            "currency_id": self.env.ref("base.USD").id, "date": date(2026, 2, 6), "journal_id": self.company_data["default_journal_bank"].id,
            "destination_account_id": old.id,
        })
        dollars.action_post()
        self.env["isp.credit"]._isp_pay_with(dollars.line_ids.filtered(lambda item: item.account_type == "asset_receivable"), second)
        self.assertFalse(dollars.line_ids.filtered("reconciled"))

    def test_the_price_is_of_its_day(self):
        line = self.new_line(1)
        self.run_bill("2026-02-05 08:00")
        self.package.with_env(self.at("2026-03-01 08:00")).price = 300_000
        self.run_bill("2026-03-05 08:00")
        feb = line.move_ids.sorted("isp_period_start")[1]
        feb.button_draft()
        feb.name = "/"
        feb.with_context(force_delete=True).unlink()
        self.run_bill("2026-03-06 08:00")
        moves = line.move_ids.sorted("isp_period_start")
        self.assertEqual(moves.mapped("amount_untaxed"), [250_000, 250_000, 300_000])

    def test_a_technician_gives_the_contact_to_another_company(self):
        line, _other = self.new_line(1), self.new_line(2)
        self.run_bill("2026-01-05 08:00")
        with self.assertRaises(UserError):
            self.rpc("technician", "res.partner", "write", line.partner_id.ids, {"company_id": self.company_data_2["company"].id})
            self.run_bill("2026-02-05 08:00")

