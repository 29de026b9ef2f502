"""Late fees and what payments pay, whatever the order in which payments are typed and taken back (rules P4, P7), in the ways in which
people do it in Odoo."""

from datetime import date

from odoo.tests import tagged

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestPaidInTime(IspCommon):
    def setUp(self):
        super().setUp()
        self.company.with_env(self.at("2026-01-04 08:00")).write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000})
        # Billed on 5 January, due on the 15th, the fee's day is the 22nd.
        self.line = self.new_subscription(start=date(2026, 1, 5))
        self.bill("2026-01-05 08:00")
        self.january = self.line.move_ids
        self.assertEqual(self.january.amount_total, 277_500)

    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()

    def pay(self, moment, paid, amount=277_500, moves=None):
        moves = (moves or self.january).filtered(lambda m: m.amount_residual > 0)
        if not moves:
            return self.at(moment)["account.payment"]._isp_receive(
                self.line.partner_id, amount, paid, "bca", "T-%s" % moment, told="person"
            )
        wizard = self.at(moment)["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids)
        return wizard.create({"payment_date": paid, "amount": amount, "group_payment": True})._create_payments()

    def fees(self):
        """Each invoice of the fee: its day, what it charges, and what is left of it."""
        moves = self.env["account.move"].search([("isp_late_fee_of_id", "=", self.january.id)], order="isp_late_fee_nth")
        notes = self.env["account.move"].search([("reversed_entry_id", "in", moves.ids), ("state", "=", "posted")])
        return [
            (m.isp_late_fee_nth, m.invoice_date, m.amount_total, m.amount_total - sum(
                notes.filtered(lambda n, m=m: n.reversed_entry_id == m).mapped("amount_total")))
            for m in moves
        ]

    def credit(self):
        items = self.env["account.move.line"].search([
            ("partner_id", "=", self.line.partner_id.id), ("account_type", "=", "asset_receivable"), ("parent_state", "=", "posted"),
        ])
        return -sum(items.mapped("amount_residual"))

    def test_a_payment_that_is_cancelled_in_its_own_form(self):
        payment = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        self.bill("2026-01-25 08:00")
        self.assertEqual(self.fees(), [], "paid in time")
        payment = payment.with_env(self.at("2026-01-26 09:00"))
        payment.action_draft()
        payment.action_post()
        self.assertEqual(self.fees(), [], "looked at and posted again: nothing happened")
        payment.action_draft()
        payment.action_cancel()
        self.assertEqual(self.fees(), [(0, date(2026, 1, 26), 10_000, 10_000)])
        self.bill("2026-01-28 08:00")
        self.assertEqual(len(self.fees()), 1)
        # The right payment of that day makes it as it was; and when that comes back as well, it is charged again.
        right = self.pay("2026-01-29 09:00", date(2026, 1, 12))
        self.assertEqual((self.fees(), self.credit()), ([(0, date(2026, 1, 26), 10_000, 0)], 0))
        right.with_env(self.at("2026-01-30 09:00"))._isp_take_back("salah rekening")
        self.assertEqual(self.fees(), [(0, date(2026, 1, 26), 10_000, 0), (1, date(2026, 1, 30), 10_000, 10_000)])
        self.assertEqual(self.credit(), -287_500)

    def test_a_payment_whose_entry_is_reversed(self):
        payment = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        self.bill("2026-01-25 08:00")
        payment.move_id.with_env(self.at("2026-01-26 09:00"))._reverse_moves(cancel=True)
        self.assertEqual(self.january.amount_residual, 277_500)
        self.assertEqual(self.fees(), [(0, date(2026, 1, 26), 10_000, 10_000)])

    def test_a_share_is_given_back_once_however_often_it_is_posted(self):
        self.company.write({"isp_late_fee": "percent", "isp_late_fee_percent": 10, "isp_late_fee_minimum": 1_000})
        self.bill("2026-01-25 08:00")
        self.assertEqual(self.fees(), [(0, date(2026, 1, 22), 27_750, 27_750)])
        payment = self.pay("2026-01-26 09:00", date(2026, 1, 20), amount=77_500)
        self.assertEqual(self.fees(), [(0, date(2026, 1, 22), 27_750, 20_000)])
        payment.action_draft()
        payment.action_post()
        items = payment.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        self.env["isp.credit"]._isp_pay_with(items)
        self.assertEqual(self.fees(), [(0, date(2026, 1, 22), 27_750, 20_000)])
        payment.with_env(self.at("2026-01-27 09:00"))._isp_take_back("dobel")
        self.assertEqual(self.fees(), [(0, date(2026, 1, 22), 27_750, 20_000), (1, date(2026, 1, 27), 7_750, 7_750)])

    def test_a_fee_that_a_person_cancelled_is_not_charged_again(self):
        late = self.pay("2026-01-30 09:00", date(2026, 1, 10))
        self.bill("2026-01-30 10:00")
        self.assertEqual(self.fees(), [])
        late.with_env(self.at("2026-01-31 09:00"))._isp_take_back("kosong")
        fee = self.january.isp_late_fee_ids
        fee.button_draft()
        fee.button_cancel()
        again = self.pay("2026-02-01 09:00", date(2026, 1, 10))
        again.with_env(self.at("2026-02-02 09:00"))._isp_take_back("kosong lagi")
        self.assertEqual([(nth, day) for nth, day, *_ in self.fees()], [(0, date(2026, 1, 31))])

    def test_what_was_paid_else_moves_up_and_its_receipts_are_not_sent_again(self):
        first = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        self.bill("2026-02-05 08:00")
        february = self.line.move_ids - self.january
        self.pay("2026-02-06 09:00", date(2026, 2, 6), moves=february)
        said = self.env["isp.notification"].search_count([("kind", "=", "payment_received")])
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertEqual((self.january.amount_residual, february.amount_residual), (0, 277_500))
        self.assertEqual(self.env["isp.notification"].search_count([("kind", "=", "payment_received")]), said)
        # January was late after all: its money came on 6 February.
        self.assertEqual(self.fees(), [(0, date(2026, 2, 7), 10_000, 10_000)])

    def test_a_credit_note_pays_its_own_invoice_when_the_payment_of_it_bounces(self):
        """January was paid when it was given back, so its note paid February. It comes back to January with the bounce."""
        first = self.pay("2026-01-10 09:00", date(2026, 1, 10))
        note = self.january.with_env(self.at("2026-01-11 09:00"))._isp_correct(277_500, "salah tagih")
        self.bill("2026-02-05 08:00")
        february = (self.line.move_ids - self.january).filtered(lambda m: m.move_type == "out_invoice")
        self.assertEqual((self.january.amount_residual, february.amount_residual), (0, 0))
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertEqual((self.january.amount_residual, february.amount_residual), (0, 277_500))
        self.assertEqual((note.amount_residual, self.credit()), (0, -277_500 - sum(fee[3] for fee in self.fees())))

    def test_a_credit_note_of_a_part_comes_back_with_what_its_invoice_takes(self):
        """The note is for Rp77.500, and Rp200.000 of January stay paid by other money."""
        first = self.pay("2026-01-10 09:00", date(2026, 1, 10), amount=77_500)
        self.pay("2026-01-10 10:00", date(2026, 1, 10), amount=200_000)
        self.january.with_env(self.at("2026-01-11 09:00"))._isp_correct(77_500, "salah tagih")
        self.bill("2026-02-05 08:00")
        february = (self.line.move_ids - self.january).filtered(lambda m: m.move_type == "out_invoice")
        self.assertEqual(february.amount_residual, 200_000)
        first.with_env(self.at("2026-02-07 09:00"))._isp_take_back("kosong")
        self.assertEqual((self.january.amount_residual, february.amount_residual), (0, 277_500))

    def test_branches_of_one_company_each_pay_their_own(self):
        """What one branch paid in time does not spare the fee of another."""
        head = self.env["res.partner"].create({"name": "Toko Jaya", "is_company": True})
        branches = [self.line.customer_id, self.new_customer("Cabang")]
        for customer in branches:
            customer.partner_id.parent_id = head
        other = self.new_subscription(start=date(2026, 1, 5), customer=branches[1])
        self.bill("2026-01-05 09:00")
        self.pay("2026-01-10 09:00", date(2026, 1, 10), amount=400_000)
        self.bill("2026-01-25 08:00")
        self.assertEqual(self.fees(), [])
        self.assertTrue(other.move_ids.isp_late_fee_ids, "the other has not paid")
