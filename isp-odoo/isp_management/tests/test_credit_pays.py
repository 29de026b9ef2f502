"""Money that a customer has with the provider pays the next invoice: nobody is isolated beside it (rule P2)."""

from datetime import date

from odoo import Command
from odoo.tests import tagged

from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestCreditPays(IspNetworkCommon):
    def setUp(self):
        super().setUp()
        self.line = self.new_line(1)
        self.partner = self.line.partner_id

    def run_billing(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()
        return self.line.move_ids.sorted("isp_period_start")

    def deposit(self, amount, partner=None, on=date(2026, 1, 6)):
        """A payment on account, assigned to nothing."""
        payment = self.env["account.payment"].create({
            "payment_type": "inbound", "partner_type": "customer", "partner_id": (partner or self.partner).id, "amount": amount,
            "date": on, "journal_id": self.company_data["default_journal_bank"].id,
        })
        payment.action_post()
        return payment

    def credit(self, partner=None):
        lines = self.env["account.move.line"].search([
            ("partner_id", "=", (partner or self.partner).commercial_partner_id.id), ("parent_state", "=", "posted"),
            ("account_id.account_type", "=", "asset_receivable"),
        ])
        return -sum(lines.mapped("amount_residual"))

    def test_an_overpayment_pays_the_next_invoices_and_nobody_is_isolated(self):
        [first] = self.run_billing("2026-01-05 08:00")
        self.pay(first, 1_005_750, on=date(2026, 1, 10))
        self.assertEqual((first.amount_residual, self.credit()), (0, 728_250))
        moves = self.run_billing("2026-03-05 08:00")
        self.assertEqual(moves.mapped("amount_residual"), [0, 0, 0])
        self.assertEqual(set(moves.mapped("payment_state")) - {"paid", "in_payment"}, set())
        self.assertEqual(self.credit(), 173_250)
        moves = self.run_billing("2026-04-05 08:00")
        self.assertEqual((moves[3].payment_state, moves[3].amount_residual), ("partial", 104_250))
        self.decide("2026-04-14 12:00")
        self.assertEqual(self.line.desired_access, "open")
        messages = self.env["isp.notification"].search([("kind", "=", "payment_received"), ("company_id", "=", self.company.id)])
        self.assertEqual(len(messages), 1, "told once for the payment, not for each invoice")

    def test_a_prepayment_and_a_double_payment(self):
        self.deposit(300_000, on=date(2026, 1, 2))
        [first] = self.run_billing("2026-01-05 08:00")
        self.assertEqual((first.amount_residual, self.credit()), (0, 22_500))
        second = self.run_billing("2026-02-05 08:00")[1]
        self.assertEqual(second.amount_residual, 255_000)
        self.pay(second, 255_000, on=date(2026, 2, 6))
        self.deposit(277_500, on=date(2026, 2, 7))
        third = self.run_billing("2026-03-05 08:00")[2]
        self.assertEqual((third.amount_residual, self.credit()), (0, 0))

    def test_oldest_due_first(self):
        moves = self.run_billing("2026-02-05 08:00")
        self.assertEqual(len(moves), 2)
        self.deposit(300_000, on=date(2026, 2, 20))
        moves = self.run_billing("2026-03-05 08:00")
        self.assertEqual(moves.mapped("amount_residual"), [0, 255_000, 277_500])

    def test_money_on_account_pays_before_anybody_is_isolated(self):
        [first] = self.run_billing("2026-01-05 08:00")
        self.deposit(277_500, on=date(2026, 1, 19))
        self.assertEqual(first.amount_residual, 277_500, "Odoo leaves it to a person")
        self.decide("2026-01-23 12:00")
        self.assertEqual((first.amount_residual, self.line.desired_access), (0, "open"))
        self.assertFalse(self.line.isolation_event_ids)

    def test_a_credit_note_pays_too_and_what_was_written_off_pays_nothing(self):
        [first] = self.run_billing("2026-01-05 08:00")
        self.pay(first, on=date(2026, 1, 10))
        note = self.env["account.move"].create({
            "move_type": "out_refund", "partner_id": self.partner.id, "invoice_date": date(2026, 1, 20),
            "invoice_line_ids": [Command.create({"name": "Kembali", "price_unit": 100_000, "tax_ids": False})],
        })
        note.action_post()
        second = self.run_billing("2026-02-05 08:00")[1]
        self.assertEqual((second.amount_residual, note.amount_residual), (177_500, 0))
        account = self.env["account.account"].create({
            "name": "Beban piutang", "code": "59999998", "account_type": "expense", "company_id": self.company.id,
        })
        second._isp_write_off(account, date(2026, 2, 20), "Hilang")
        entry = second.isp_write_off_ids
        entry.line_ids.remove_move_reconcile()
        third = self.run_billing("2026-03-05 08:00")[2]
        self.assertEqual(third.amount_residual, 277_500)

    def test_each_branch_of_a_company_pays_its_own(self):
        company = self.env["res.partner"].create({"name": "PT Maju", "is_company": True})
        lines = self.env["isp.subscription"]
        for number, city in enumerate(("Bandung", "Garut")):
            branch = self.env["res.partner"].create({
                "name": "Cabang %s" % city, "parent_id": company.id, "type": "other", "mobile": "0812-7777-000%d" % number,
            })
            lines |= self.new_subscription(self.env["isp.customer"].create({"partner_id": branch.id}))
        self.deposit(277_500, lines[0].partner_id, on=date(2026, 1, 2))
        self.run_billing("2026-01-05 08:00")
        self.assertEqual([line.move_ids.amount_residual for line in lines], [0, 277_500])
        # The register names the company, the invoice the branch.
        self.pay(lines[1].move_ids, 300_000, on=date(2026, 1, 6))
        self.run_billing("2026-02-05 08:00")
        self.assertEqual([line.move_ids.sorted("isp_period_start")[1].amount_residual for line in lines], [277_500, 255_000])
        self.deposit(532_500, company, on=date(2026, 2, 6))
        self.run_billing("2026-03-05 08:00")
        for line in lines:
            self.assertEqual(line.move_ids.sorted("isp_period_start").mapped("amount_residual"), [0, 0, 277_500], "the head office's")

    def test_an_instalment_and_an_invoice_of_another_business(self):
        kind = self.env["isp.installation_kind"].create({"name": "PSB", "code": "PSB", "price": 100_000, "tax_ids": False})
        other = self.env["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.partner.id, "invoice_date": date(2026, 1, 1),
            "invoice_line_ids": [Command.create({"name": "Laptop", "price_unit": 5_000_000, "tax_ids": False})],
        })
        other.action_post()
        self.deposit(150_000, on=date(2026, 1, 2))
        fee = self.env["isp.installation_fee"].create({
            "customer_id": self.line.customer_id.id, "subscription_id": self.line.id, "kind_id": kind.id, "date": date(2026, 1, 3),
        })
        fee.with_env(self.at("2026-01-03 08:00")).action_invoice()
        self.assertEqual((fee.payment_status, self.credit() + other.amount_residual), ("paid", 50_000))
        self.assertEqual(other.amount_residual, 5_000_000)
