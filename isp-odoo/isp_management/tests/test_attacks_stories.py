"""What attackers found in reports and stories of an Odoo with the addon."""

from datetime import date

from odoo import Command, fields
from odoo.api import call_kw
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

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
        for old in moves[:2]:
            old.button_draft()
            with self.assertRaisesRegex(UserError, "Duplicate the invoice"):
                old.unlink()
            old.button_cancel()
            with self.assertRaisesRegex(UserError, "Duplicate the invoice"):
                self.rpc("billing", "account.move", "action_isp_bill_again", old.ids)
        # What the billing still knows comes again as it was.
        moves[2].button_draft()
        moves[2].button_cancel()
        self.rpc("billing", "account.move", "action_isp_bill_again", moves[2].ids)
        self.run_bill("2026-04-06 08:00")
        posted = line.move_ids.filtered(lambda m: m.state == "posted").sorted("isp_period_start")
        self.assertEqual(posted.mapped("amount_untaxed"), [100_000, 400_000])

    def test_credit_on_another_receivable_account_isolates_nobody(self):
        line, other = self.new_line(1), self.new_line(2)
        first = self.bill(line, date(2026, 1, 5))
        self.pay(first, 600_000)
        old = line.partner_id.property_account_receivable_id
        line.partner_id.property_account_receivable_id = old.copy({"code": "11219997"})
        second = self.bill(line, date(2026, 2, 5))
        self.bill(other, date(2026, 2, 5))
        for _run in range(2):
            self.decide("2026-04-20 12:00")
        self.assertEqual((second.amount_residual, line.desired_access, other.desired_access), (277_500, "open", "isolated"))
        told = line.customer_id.activity_ids.filtered(lambda activity: old.code in (activity.summary or ""))
        self.assertEqual(len(told), 1, "a person moves it, and is told once")

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

