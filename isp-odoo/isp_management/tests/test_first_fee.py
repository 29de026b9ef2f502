"""An installation fee that goes with the first invoice of a line: one document, one payment, and apart in the books."""

from datetime import date, datetime

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestFirstFee(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        # January: 31 days at Rp10.000.
        cls.package = cls.new_package("HOME-31", 310_000)
        cls.kind = cls.env["isp.installation_kind"].create(
            {"name": "Fiber", "code": "FO", "price": 500_000, "tax_ids": [(6, 0, cls.ppn.ids)]}
        )
        cls.line = cls.new_subscription(start=date(2026, 1, 1))
        cls.fee = cls.new_fee(cls.line)

    @classmethod
    def new_fee(cls, line, **vals):
        fee = cls.env["isp.installation_fee"].create({
            "customer_id": line.customer_id.id, "subscription_id": line.id, "kind_id": cls.kind.id, "date": date(2026, 1, 1),
            "with_first_invoice": True, **vals,
        })
        fee.action_invoice()
        return fee

    def bill(self, moment="2026-01-01 08:00"):
        self.at(moment)["isp.billing_run"]._cron_bill()
        return self.line.move_ids.filtered(lambda m: m.move_type == "out_invoice")

    def items(self, move):
        return [
            (item.price_subtotal, round(item.price_total), item.isp_installation_fee_id)
            for item in move.invoice_line_ids.filtered(lambda item: item.display_type == "product")
        ]

    def pay(self, move, amount):
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
            {"amount": amount, "payment_date": date(2026, 1, 5)}
        )._create_payments()

    def test_it_waits_stands_on_the_first_invoice_and_on_no_other(self):
        self.assertEqual((self.fee.state, self.fee.amount_with_ppn, self.fee.invoice_count), ("waiting", 555_000, 0))
        move = self.bill()
        no_fee = self.fee.browse()
        self.assertEqual(self.items(move), [(310_000, 344_100, no_fee), (500_000, 555_000, self.fee)])
        self.assertEqual((move.state, move.amount_total, move.amount_tax), ("posted", 899_100, 89_100))
        self.assertEqual((self.fee.state, self.fee.first_move_id, self.fee.amount_with_ppn), ("invoiced", move, 555_000))
        self.assertEqual(self.fee.action_view_invoices()["domain"], [("id", "in", move.ids)])
        self.bill("2026-01-01 12:00")
        moves = self.bill("2026-02-01 08:00")
        self.assertEqual(moves.sorted("invoice_date").mapped("amount_total"), [899_100, 344_100])
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)])
        self.assertEqual(sum(run.mapped("tax_differences")), 0, "PPN of the fee is rounded by itself")

    def test_it_is_paid_as_the_invoice_is(self):
        move = self.bill()
        self.pay(move, 449_550)
        self.assertEqual((self.fee.payment_status, self.fee.amount_paid), ("partly_paid", 277_500))
        self.pay(move, 449_550)
        self.assertEqual((self.fee.payment_status, self.fee.amount_paid), ("paid", 555_000))

    def test_profit_and_loss_tells_it_from_the_service(self):
        move = self.bill()
        self.env.flush_all()
        rows = self.env["isp.report.profit_loss"].search([("move_id", "=", move.id)])
        found = {row.kind: (row.revenue, row.package_id) for row in rows}
        self.assertEqual(found, {"subscription": (310_000, self.package), "installation": (500_000, self.package)})

    def test_days_that_come_back_leave_it_out(self):
        move = self.bill()
        outage = self.env["isp.outage"].create({
            "name": "Kabel putus", "router_id": self.router.id, "since": datetime(2026, 1, 16, 2), "until": datetime(2026, 1, 18, 14),
        }).with_env(self.at("2026-01-20 08:00"))
        action = outage.action_give_back()
        outage.env[action["res_model"]].browse(action["res_id"]).action_confirm()
        [note] = move.reversal_move_id
        self.assertEqual(note.amount_total, 22_200, "two days of service at Rp10.000")
        self.assertFalse(note.invoice_line_ids.isp_installation_fee_id)
        self.company.isp_credit_on_termination = True
        self.change_terms(self.line, "2026-01-21 09:00", "end", last_day=date(2026, 1, 21), reason="moved")
        self.assertEqual(sum(move.reversal_move_id.mapped("amount_total")), 22_200 + 111_000, "and ten days after the end")

    def test_a_correction_is_of_all_of_it(self):
        move = self.bill()
        note = move.with_env(self.at("2026-01-05 09:00"))._isp_correct(89_910, "salah harga")
        self.assertEqual((note.amount_total, note.amount_untaxed), (89_910, 81_000))
        self.assertEqual(self.items(note), [(31_000, 34_410, self.fee.browse()), (50_000, 55_500, self.fee)])
        rest = move.with_env(self.at("2026-01-06 09:00"))._isp_correct(809_190, "semuanya")
        self.assertEqual(self.items(rest), [(279_000, 309_690, self.fee.browse()), (450_000, 499_500, self.fee)])

    def test_a_line_that_ends_before_has_it_as_an_invoice_of_its_own(self):
        line = self.new_subscription(self.new_customer("Budi"), start=date(2026, 1, 1), timing="postpaid", billed_from=date(2026, 3, 1))
        fee = self.new_fee(line)
        self.change_terms(line, "2026-01-10 09:00", "end", last_day=date(2026, 1, 19), reason="moved")
        self.bill("2026-01-19 08:00")
        self.assertEqual(fee.state, "waiting")
        self.bill("2026-01-25 08:00")
        fee_moves = fee.move_ids
        self.assertEqual((fee.state, fee_moves.amount_total, fee_moves.invoice_date), ("invoiced", 555_000, date(2026, 1, 20)))
        self.bill("2026-01-26 08:00")
        self.assertEqual(fee.move_ids, fee_moves)

    def test_what_is_billed_again_takes_it_along(self):
        move = self.bill()
        move.button_draft()
        move.button_cancel()
        move.action_isp_bill_again()
        self.assertEqual((self.fee.state, self.fee.first_move_id), ("waiting", move.browse()))
        again = self.bill("2026-01-02 08:00") - move
        self.assertEqual((again.amount_total, self.fee.first_move_id), (899_100, again))

    def test_what_takes_an_invoices_place_bears_it(self):
        move = self.bill()
        wizard = self.env["account.move.reversal"].with_context(active_model="account.move", active_ids=move.ids).create(
            {"journal_id": move.journal_id.id, "date": date(2026, 1, 3)}
        )
        wizard.modify_moves()
        new = wizard.new_move_ids
        self.assertEqual((self.fee.first_move_id, new.invoice_line_ids.isp_installation_fee_id), (new, self.fee))
        self.assertEqual(move.reversal_move_id.invoice_line_ids.isp_installation_fee_id, self.fee)

    def test_a_fee_that_is_cancelled_while_a_run_works_is_not_charged(self):
        run = self.env["isp.billing_run"]
        plan, written = type(run)._plan, []

        def planned(self_, *args):
            answer = plan(self_, *args)
            if not written:
                written.append(answer)
                self.fee.action_cancel()
            return answer

        self.patch(type(run), "_plan", planned)
        move = self.bill()
        self.assertEqual((move.amount_total, self.fee.state), (344_100, "cancelled"))

    def test_what_cannot_be_is_refused(self):
        other = self.new_subscription(self.new_customer("Budi"), start=date(2026, 1, 1))
        with self.assertRaises(UserError) as refused:
            self.new_fee(other, instalments=3)
        self.assertEqual(refused.exception.code, "installation.fee_terms")
        self.bill()
        with self.assertRaises(UserError) as refused:
            self.new_fee(other)
        self.assertEqual(refused.exception.code, "installation.first_invoice_issued")
        with self.assertRaises(ValidationError):
            self.env["isp.installation_fee"].create(
                {"customer_id": other.customer_id.id, "kind_id": self.kind.id, "with_first_invoice": True}
            )
        with self.assertRaises(UserError):
            self.fee.action_cancel()
