from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestInstallation(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.kind = cls.env["isp.installation_kind"].create(
            {"name": "Wireless", "code": "WL", "price": 500_000, "tax_ids": [(6, 0, cls.ppn.ids)]}
        )

    def pay(self, move, amount):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({"amount": amount, "payment_date": move.invoice_date})._create_payments()

    def new_fee(self, **vals):
        return self.env["isp.installation_fee"].create({
            "customer_id": self.new_customer().id, "kind_id": self.kind.id, "date": date(2026, 1, 31), **vals,
        })

    def test_the_parts_add_up_and_keep_the_day(self):
        fee = self.new_fee(instalments=3)
        self.assertEqual((fee.amount, fee.amount_with_ppn), (500_000, 555_000), "with PPN the parts sum to it, too")
        fee.with_env(self.at("2026-01-31 09:00")).action_invoice()
        moves = fee.move_ids.sorted("isp_instalment")
        self.assertEqual(
            [(move.invoice_date, move.amount_untaxed, move.amount_total) for move in moves],
            [(date(2026, 1, 31), 166_700, 185_037), (date(2026, 2, 28), 166_700, 185_037), (date(2026, 3, 31), 166_600, 184_926)],
        )
        self.assertEqual(fee.amount_with_ppn, 555_000)

    def test_an_invoice_is_not_due_before_it_is_written_b2(self):
        fee = self.new_fee(instalments=3)
        fee.with_env(self.at("2026-02-20 09:00")).action_invoice()
        self.assertEqual(
            [move.invoice_date_due for move in fee.move_ids.sorted("isp_instalment")],
            [date(2026, 2, 20), date(2026, 3, 10), date(2026, 4, 10)],
        )

    def test_the_payment_status_follows_the_invoice(self):
        fee = self.new_fee()
        self.assertEqual((fee.amount, fee.payment_status, fee.state), (500_000, "unpaid", "draft"))
        fee.with_env(self.at("2026-01-31 09:00")).action_invoice()
        self.assertEqual(fee.state, "invoiced")
        move = fee.move_ids
        self.assertEqual((move.state, move.amount_total, move.invoice_origin), ("posted", 555_000, fee.name))
        self.assertEqual(move.invoice_date_due, date(2026, 2, 10))
        self.pay(move, 100_000)
        self.assertEqual((fee.payment_status, fee.amount_paid), ("partly_paid", 100_000))
        self.pay(move, 455_000)
        self.assertEqual((fee.payment_status, fee.amount_paid), ("paid", 555_000))
        with self.assertRaises(UserError):
            fee.action_invoice()
        with self.assertRaises(UserError):
            fee.action_cancel()

    def test_a_reversed_payment_opens_the_fee_again(self):
        fee = self.new_fee()
        fee.action_invoice()
        self.pay(fee.move_ids, 555_000)
        self.assertEqual(fee.payment_status, "paid")
        fee.move_ids.line_ids.filtered(lambda line: line.account_type == "asset_receivable").remove_move_reconcile()
        self.assertEqual(fee.payment_status, "unpaid")

    def test_instalments_are_invoiced_month_by_month(self):
        fee = self.new_fee(instalments=3)
        fee.with_env(self.at("2026-01-31 09:00")).action_invoice()
        moves = fee.move_ids.sorted("isp_instalment")
        self.assertEqual(moves.mapped("invoice_date"), [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)])
        self.assertEqual(moves.mapped("state"), ["posted", "draft", "draft"])
        self.assertEqual(moves.mapped("auto_post"), ["no", "at_date", "at_date"])
        self.assertEqual(sum(moves.mapped("amount_untaxed")), 500_000)
        self.pay(moves[0], moves[0].amount_total)
        self.assertEqual(fee.payment_status, "partly_paid", "two parts are still to come")
        self.env["account.move"]._autopost_draft_entries()
        for move in moves[1:]:
            self.assertEqual(move.state, "posted")
            self.pay(move, move.amount_total)
        self.assertEqual(fee.payment_status, "paid")


@tagged("post_install", "-at_install")
class TestCosts(IspCommon):
    def result(self):
        """Profit and loss of the books: what Odoo's own ledger says."""
        [(balance,)] = self.env["account.move.line"]._read_group(
            [("company_id", "=", self.company.id), ("parent_state", "=", "posted"),
             ("account_id.internal_group", "in", ("income", "expense"))],
            [], ["balance:sum"],
        )
        return -balance

    def test_expenses_and_device_costs_are_in_the_ledger(self):
        before = self.result()
        account = self.company_data["default_account_expense"].copy({"code": "51999", "name": "Bandwidth"})
        category = self.env["isp.expense_category"].create({"name": "Bandwidth", "code": "BW", "account_id": account.id})
        expense = self.env["isp.expense"].create({
            "name": "Bandwidth Maret", "category_id": category.id, "amount": 1_500_000, "date": date(2026, 3, 1),
        })
        expense.action_post()
        self.assertEqual((expense.state, expense.move_id.state), ("posted", "posted"))
        debit = expense.move_id.line_ids.filtered("debit")
        self.assertEqual((debit.account_id, debit.debit, expense.move_id.date), (account, 1_500_000, date(2026, 3, 1)))
        self.assertEqual(self.result() - before, -1_500_000)
        with self.assertRaises(UserError):
            expense.amount = 1
        with self.assertRaises(UserError):
            expense.unlink()

        cpe = self.env["isp.cpe"].create({"customer_id": self.new_customer().id, "outdoor_unit": "LHG 5"})
        history = self.env["isp.device_history"].create({
            "customer_id": cpe.customer_id.id, "cpe_id": cpe.id, "kind": "replaced", "device": "LHG 5", "reason": "petir",
            "ownership": "lent", "cost": 750_000, "date": date(2026, 3, 2),
        })
        self.assertEqual(history.move_id.state, "posted")
        self.assertEqual(self.result() - before, -2_250_000)

        expense.action_cancel()
        self.assertEqual(expense.state, "cancelled")
        self.assertEqual(self.result() - before, -750_000)
