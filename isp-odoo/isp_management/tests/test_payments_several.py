"""Payments of several invoices at once: of one customer, who paid once, and of several customers, who paid each."""

from datetime import date

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ..refusals import Refusal
from .network_common import IspNetworkCommon

NOW = "2026-03-10 10:00"


@tagged("post_install", "-at_install")
class TestPaymentsSeveral(IspNetworkCommon):
    def setUp(self):
        super().setUp()
        self.line = self.new_line(1)
        self.overdue = self.bill(self.line, date(2026, 2, 23))
        self.fresh = self.bill(self.line, date(2026, 3, 5))
        self.moves = self.overdue | self.fresh

    def dialog(self, moves, **vals):
        """The dialog as a person sees it: every field that is filled in is shown."""
        register = Form(self.at(NOW)["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids))
        for name, value in {"payment_date": date(2026, 3, 10), **vals}.items():
            register[name] = value
        return register.save()

    def press(self, moves, **vals):
        """The payments that the button makes."""
        before = self.payments()
        self.dialog(moves, **vals).action_create_payments()
        return self.payments() - before

    def payments(self):
        return self.env["account.payment"].search([("company_id", "=", self.company.id)])

    def receipts(self, line=None):
        return self.env["isp.notification"].search([
            ("customer_id", "=", (line or self.line).customer_id.id), ("kind", "=", "payment_received"),
        ])

    def left(self, moves):
        self.env.invalidate_all()
        return moves.mapped("amount_residual")

    def test_one_customer_pays_all_of_it_at_once(self):
        self.decide(NOW)
        self.assertEqual(self.line.desired_access, "isolated")
        register = self.line.with_env(self.at(NOW)).action_isp_pay()
        self.assertEqual(register["res_model"], "account.payment.register")
        dialog = Form(self.at(NOW)["account.payment.register"].with_context(**register["context"]))
        self.assertTrue(dialog.group_payment)
        self.assertEqual(dialog.amount, 555_000, "the dialog shows what is owed")
        paid = self.press(self.moves, isp_provider="bca", isp_reference="FT-1")
        self.assertEqual((len(paid), paid.amount, paid.isp_reference), (1, 555_000, "FT-1"))
        self.assertEqual((self.left(self.moves), self.line.desired_access), ([0, 0], "open"))
        self.assertEqual(self.receipts().payment_id, paid)
        self.assertEqual(len(self.receipts()), 1)

    def test_one_customer_pays_a_part(self):
        """The oldest invoice is paid first, so the line opens; the rest stays on the one that is not due."""
        self.decide(NOW)
        paid = self.press(self.moves, amount=400_000, isp_reference="FT-1")
        self.assertEqual((len(paid), paid.amount, self.left(self.overdue), self.left(self.fresh)), (1, 400_000, [0], [155_000]))
        self.assertEqual((self.line.desired_access, len(self.receipts())), ("open", 1))

    def test_without_a_reference_it_is_one_payment_too(self):
        paid = self.press(self.moves)
        self.assertEqual((len(paid), paid.amount, paid.isp_identity, len(self.receipts())), (1, 555_000, False, 1))

    def test_an_invoice_that_was_written_by_hand_is_paid_with_the_others(self):
        by_hand = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.line.partner_id.id, "invoice_date": date(2026, 3, 1),
            "invoice_line_ids": [(0, 0, {"name": "Kabel", "quantity": 1, "price_unit": 50_000, "tax_ids": []})],
        })
        by_hand.action_post()
        paid = self.press(self.moves | by_hand, isp_reference="FT-1")
        self.assertEqual((paid.mapped("amount"), self.left(self.moves | by_hand)), ([605_000], [0, 0, 0]))

    def test_invoices_of_no_customer_stay_as_odoo_has_them(self):
        partner = self.env["res.partner"].create({"name": "Toko"})
        moves = self.env["account.move"].create([{
            "move_type": "out_invoice", "partner_id": partner.id, "invoice_date": date(2026, 3, 1),
            "invoice_line_ids": [(0, 0, {"name": "Kabel", "quantity": 1, "price_unit": price, "tax_ids": []})],
        } for price in (50_000, 60_000)])
        moves.action_post()
        self.assertFalse(self.dialog(moves).group_payment)
        self.assertEqual(sorted(self.press(moves).mapped("amount")), [50_000, 60_000])

    def test_the_same_reference_twice(self):
        first = self.press(self.moves, amount=300_000, isp_reference="FT-1")
        self.assertFalse(self.press(self.moves, amount=300_000, isp_reference="ft-1 "), "shown, not booked again")
        self.assertEqual(len(first), 1)
        other = self.new_line(2)
        theirs = self.bill(other, date(2026, 2, 23)) | self.bill(other, date(2026, 3, 5))
        for moves, amount in ((self.moves, 200_000), (theirs, 300_000)):
            with self.subTest(amount=amount), self.assertRaises(Refusal) as refused, self.env.cr.savepoint():
                self.press(moves, amount=amount, isp_reference="FT-1")
            self.assertEqual(refused.exception.code, "payment.mismatch")
        self.assertEqual((sum(self.left(self.moves)), self.left(theirs)), (255_000, [277_500, 277_500]))

    def test_a_reference_is_not_shared_by_several_payments(self):
        """Somebody takes the tick away: a person is told, and nothing is half-written."""
        before = self.payments()
        for vals in ({}, {"isp_slip": True}):
            with self.subTest(**vals), self.assertRaisesRegex(UserError, "one payment, and here 2 would"), self.env.cr.savepoint():
                self.press(self.moves, group_payment=False, isp_reference="FT-1", **vals)
            self.assertEqual((self.payments(), self.left(self.moves), len(self.receipts())), (before, [277_500, 277_500], 0))
        paid = self.press(self.moves, group_payment=False)
        self.assertEqual((paid.mapped("amount"), self.left(self.moves)), ([277_500, 277_500], [0, 0]))

    def test_several_customers_pay_each(self):
        """One with one invoice, one with two: a payment and a receipt for each customer."""
        other, third = self.new_line(2), self.new_line(3)
        moves = self.moves | self.bill(other, date(2026, 2, 23)) | self.bill(third, date(2026, 3, 5), 100_000)
        dialog = self.dialog(moves)
        self.assertFalse(dialog.can_edit_wizard)
        paid = self.press(moves)
        self.assertEqual(
            {payment.partner_id: payment.amount for payment in paid},
            {self.line.partner_id: 555_000, other.partner_id: 277_500, third.partner_id: 111_000},
        )
        self.assertEqual((len(paid), paid.filtered("isp_identity"), set(self.left(moves))), (3, paid.browse(), {0}))
        for line in (self.line, other, third):
            self.assertEqual(len(self.receipts(line)), 1)

    def test_several_customers_with_one_invoice_each(self):
        other = self.new_line(2)
        moves = self.overdue | self.bill(other, date(2026, 2, 23))
        for day, code in ((date(2062, 3, 10), "payment.paid_in_future"), (date(1999, 3, 10), "payment.paid_long_ago")):
            with self.subTest(code), self.assertRaises(Refusal) as refused, self.env.cr.savepoint():
                self.press(moves, payment_date=day)
            self.assertEqual(refused.exception.code, code, "the day was typed")
        self.assertEqual(set(self.left(moves)), {277_500})
        self.assertEqual(len(self.press(moves)), 2)
        self.assertEqual(set(self.left(moves)), {0})

    def test_several_customers_share_no_reference(self):
        other = self.new_line(2)
        moves = self.overdue | self.bill(other, date(2026, 2, 23))
        dialog = self.dialog(moves)
        for vals in ({"isp_reference": "FT-1"}, {"isp_slip": True, "isp_reference": "BP-1"}, {"isp_slip": True}):
            with self.subTest(**vals), self.assertRaisesRegex(UserError, "one payment, and here 2 would"), self.env.cr.savepoint():
                dialog.write(vals)
                dialog.action_create_payments()
            dialog.invalidate_recordset()
        self.assertEqual(set(self.left(moves)), {277_500})

    def test_each_invoice_by_itself_where_a_person_says_so(self):
        other = self.new_line(2)
        moves = self.moves | self.bill(other, date(2026, 2, 23))
        paid = self.press(moves, group_payment=False)
        self.assertEqual((paid.mapped("amount"), set(self.left(moves))), ([277_500] * 3, {0}))
