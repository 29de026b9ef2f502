"""What a gateway keeps of a payment is a cost, booked once when it tells it."""

from datetime import date, datetime, timedelta, timezone

from isp_engine.gateways import GatewayNotice

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .test_gateways import LOGS, GatewayCommon

FEE_LOG = "odoo.addons.isp_management_payment.models.gateway_fee"


@tagged("post_install", "-at_install")
class TestGatewayFees(GatewayCommon):
    def setUp(self):
        super().setUp()
        self.account = self.env["account.account"].create({
            "name": "Biaya gateway", "code": "690901", "account_type": "expense", "company_id": self.company.id,
        })
        for provider in self.providers.values():
            provider.isp_fee_account_id = self.account

    def paid(self, code="isp_tripay", fee=2_000, move=None, told=True):
        """A payment of an invoice that the gateway tells, with its fee."""
        transaction = self.ask(code, move=move)
        self.gateways[code].pay(transaction.reference, int(transaction.amount), datetime.now(timezone.utc), fee=fee)
        if told:
            self.assertEqual(self.webhook(transaction).status_code, 200)
        return transaction

    def tell(self, transaction, fee, state="paid"):
        """A notice that the gateway sends once more."""
        notice = GatewayNotice(
            transaction.reference, transaction.provider_reference or "T-1", state, int(transaction.amount), 0, fee,
            datetime.now(timezone.utc), None, True,
        )
        with mute_logger(*LOGS, FEE_LOG):
            transaction._isp_heard(transaction.provider_id, notice)

    def entries(self, transaction):
        return self.env["account.move"].search([("isp_gateway_fee_of_id", "=", transaction.id)])

    def booked(self, transaction):
        """The entry of a fee, as accounts and balances; what is left on the account of money on its way."""
        entry = self.entries(transaction)
        payment = transaction.payment_id
        on_its_way = payment._seek_for_lines()[0]
        self.assertEqual(payment.amount, transaction.amount, "the payment is booked gross")
        self.assertEqual((entry.state, entry.date, entry.company_id), ("posted", payment.date, payment.company_id))
        self.assertEqual(
            sorted((item.account_id.id, item.balance) for item in entry.line_ids),
            sorted([(self.account.id, transaction.isp_fee), (on_its_way.account_id.id, -transaction.isp_fee)]),
        )
        return on_its_way.amount_residual

    def test_told_and_told_again_it_is_one_entry_and_the_rest_waits_for_the_bank(self):
        for number, code in enumerate(("isp_tripay", "isp_duitku")):
            transaction = self.paid(code, move=self.bill(self.other, date(2026, 2, 23) + timedelta(days=number)))
            for _time in range(2):
                self.webhook(transaction)
            self.assertEqual(len(self.entries(transaction)), 1, code)
            self.assertEqual((transaction.isp_fee, transaction.isp_net), (2_000, 275_500), code)
            self.assertEqual(self.booked(transaction), 275_500, code)
            self.assertEqual(transaction.invoice_ids.amount_residual, 0, code)
        result = self.env["isp.report.profit_loss"].search([("account_id", "=", self.account.id)])
        self.assertEqual(result.mapped(lambda row: (row.kind, row.side, row.cost)), [("gateway_fee", "2_cost", 2_000)] * 2)
        # Taken back by the accountant it leaves the result, and is not booked again.
        entry = self.entries(transaction)
        entry._reverse_moves([{"date": entry.date}], cancel=True)
        self.webhook(transaction)
        result = self.env["isp.report.profit_loss"].search([("account_id", "=", self.account.id)])
        self.assertEqual((sum(result.mapped("cost")), set(result.mapped("kind"))), (2_000, {"gateway_fee"}))

    def test_the_printed_result_has_it_among_the_costs(self):
        self.paid()
        today = self.company._isp_today()
        wizard = self.env["isp.report.print"].create({
            "report": "profit_loss", "date_from": today.replace(day=1), "date_to": today, "company_id": self.company.id,
        })
        rows = [(style, *cells) for style, cells in wizard._isp_table_profit_loss()["rows"]]
        costs = rows[next(at for at, row in enumerate(rows) if row[:2] == ("section", "Costs")):]
        self.assertIn(("normal", "Fees of gateways", 2_000, 2_000), costs)

    def test_told_after_the_payment(self):
        transaction = self.ask("isp_tripay")
        self.tell(transaction, None)
        self.assertEqual((transaction.state, transaction.isp_fee_told, bool(self.entries(transaction))), ("done", False, False))
        self.tell(transaction, 2_000)
        self.assertEqual(self.booked(transaction), 275_500)
        self.tell(transaction, 2_000)
        self.assertEqual(len(self.entries(transaction)), 1)
        self.assertFalse(transaction.isp_told)

    def test_another_fee_later_is_left_to_a_person(self):
        transaction = self.paid()
        for _time in range(2):
            self.tell(transaction, 3_500)
        self.assertEqual(self.booked(transaction), 275_500)
        self.assertEqual(len(transaction.isp_told.splitlines()), 1)
        self.assertIn("3500", transaction.isp_told)

    def test_none_told_and_nothing_kept_book_nothing(self):
        absent = self.paid("isp_midtrans")
        self.assertEqual((absent.state, absent.isp_fee_told, absent.isp_net), ("done", False, absent.amount))
        nothing = self.paid("isp_tripay", fee=0, move=self.bill(self.other, date(2026, 2, 23)))
        self.assertEqual((nothing.state, nothing.isp_fee_told, nothing.isp_fee), ("done", True, 0))
        self.assertFalse(self.entries(absent | nothing[:0]) | self.entries(nothing))

    def test_without_an_account_it_is_known_and_not_booked(self):
        self.providers["isp_tripay"].isp_fee_account_id = False
        transaction = self.paid()
        self.assertEqual((transaction.isp_fee, bool(self.entries(transaction)), transaction.isp_told), (2_000, False, False))

    def test_what_cannot_be_booked_stops_no_payment(self):
        self.company.isp_cost_journal_id = False
        self.env["account.journal"].search([("type", "=", "general"), ("company_id", "=", self.company.id)]).active = False
        with mute_logger(FEE_LOG):
            transaction = self.paid()
        self.assertEqual((transaction.state, transaction.invoice_ids.amount_residual), ("done", 0))
        self.assertFalse(self.entries(transaction))
        self.assertIn("journal", transaction.isp_told)

    def test_where_the_amount_was_another_one_nothing_is_booked(self):
        transaction = self.ask("isp_tripay")
        self.gateways["isp_tripay"].pay(transaction.reference, 100_000, datetime.now(timezone.utc), fee=2_000)
        self.webhook(transaction)
        self.assertEqual((transaction.state, transaction.isp_fee, bool(self.entries(transaction))), ("pending", 2_000, False))

    def test_a_payment_that_is_taken_back_leaves_the_fee(self):
        transaction = self.paid()
        transaction.payment_id._isp_take_back("Dibatalkan pelanggan")
        self.webhook(transaction)
        self.assertEqual((len(self.entries(transaction)), self.entries(transaction).state), (1, "posted"))

    def test_in_a_closed_month_it_is_booked_in_the_next_open_one(self):
        transaction = self.ask("isp_tripay")
        self.tell(transaction, None)
        transaction.payment_id.move_id.flush_recordset()
        self.company.fiscalyear_lock_date = transaction.payment_id.date
        self.tell(transaction, 2_000)
        self.assertEqual(self.entries(transaction).state, "posted")
        self.assertGreater(self.entries(transaction).date, transaction.payment_id.date)

    def test_in_another_currency_than_the_books(self):
        dollar = self.env.ref("base.USD")
        dollar.active = True
        self.env["res.currency.rate"].create({
            "name": date(2020, 1, 1), "currency_id": dollar.id, "rate": 1 / 16_000, "company_id": self.company.id,
        })
        transaction = self.begin("isp_tripay", amount=10)
        transaction.write({"currency_id": dollar.id, "invoice_ids": False, "isp_fee_told": True, "isp_fee": 0.5})
        transaction._set_done()
        transaction._finalize_post_processing()
        entry = self.entries(transaction)
        self.assertEqual(
            sorted(entry.line_ids.mapped(lambda item: (item.currency_id, item.amount_currency, item.balance)), key=lambda row: row[1]),
            [(dollar, -0.5, -8_000), (dollar, 0.5, 8_000)],
        )
        self.assertEqual(transaction.payment_id._seek_for_lines()[0].amount_residual_currency, 9.5)

    def test_of_a_branch_it_is_booked_where_the_payment_is(self):
        branch = self.env["res.company"].create({
            "name": "Cabang", "parent_id": self.company.id, "country_id": self.company.account_fiscal_country_id.id,
        })
        self.env.cr.precommit.run()
        self.env.user.company_ids |= branch
        here = self.env(context={**self.env.context, "allowed_company_ids": (branch | self.company).ids})
        journal = here["account.journal"].create({"name": "Tagihan cabang", "code": "CBG", "type": "sale", "company_id": branch.id})
        move = here["account.move"].create({
            "move_type": "out_invoice", "partner_id": self.customer.partner_id.id, "company_id": branch.id, "journal_id": journal.id,
            "invoice_date": date(2026, 2, 23), "invoice_line_ids": [Command.create({
                "name": "Internet", "price_unit": 250_000, "tax_ids": [Command.set(self.ppn.ids)],
                "account_id": self.company_data["default_account_revenue"].id,
            })],
        })
        move.action_post()
        # The branch's own provider, with the bank and the account of the company above it.
        settings, own = self.gateways["isp_tripay"].settings, self.providers["isp_tripay"].copy({"company_id": branch.id, "name": "Tripay Cabang"})
        own.write({"isp_key": settings.key, "isp_webhook_key": settings.webhook_key, "isp_base_url": settings.base_url})
        own.write({
            "isp_merchant": settings.merchant, "isp_email": settings.email, "state": "test", "isp_fee_account_id": self.account.id,
            "journal_id": self.company_data["default_journal_bank"].id,
        })
        self.providers["isp_tripay"] = own
        transaction = self.paid(move=move)
        self.assertEqual((transaction.state, move.amount_residual, transaction.company_id), ("done", 0, branch))
        self.assertEqual(self.booked(transaction), 275_500)

    def test_the_account_is_one_of_costs_and_no_cashier_writes_a_fee(self):
        with self.assertRaisesRegex(ValidationError, "no account of costs"):
            self.providers["isp_tripay"].isp_fee_account_id = self.company_data["default_account_revenue"]
        transaction = self.paid()
        cashier = new_test_user(
            self.env, "kasir-biaya", groups="isp_management.group_cashier", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for vals in ({"isp_fee": 1}, {"isp_fee_told": False}, {"isp_fee_booked": False}, {"isp_fee_move_id": False}):
            with self.assertRaises(AccessError):
                transaction.with_user(cashier).write(vals)

    def test_the_account_proposes_a_tax_and_nobody_is_charged_one(self):
        self.account.tax_ids = self.company_data["default_tax_purchase"]
        self.assertEqual(self.booked(self.paid()), 275_500)

    def test_an_account_that_was_closed_is_told_once_and_booked_when_it_is_opened(self):
        self.account.deprecated = True
        transaction = self.ask("isp_tripay")
        for _time in range(2):
            self.tell(transaction, 2_000)
        self.assertEqual((transaction.state, transaction.invoice_ids.amount_residual, bool(self.entries(transaction))), ("done", 0, False))
        self.assertEqual((len(transaction.isp_told.splitlines()), "deprecated" in transaction.isp_told), (1, True))
        self.account.deprecated = False
        self.tell(transaction, 2_000)
        self.assertEqual(self.booked(transaction), 275_500)

    def test_the_bank_came_first_and_in_full(self):
        """Whoever joined the line of the bank with all of the payment: the fee is booked, and waits on the account for a person."""
        transaction = self.ask("isp_tripay")
        self.tell(transaction, None)
        on_its_way = transaction.payment_id._seek_for_lines()[0]
        line = self.env["account.bank.statement.line"].sudo().create({
            "journal_id": transaction.payment_id.journal_id.id, "date": date(2026, 3, 1), "payment_ref": "TRIPAY", "amount": 277_500,
        })
        _liquidity, suspense, _others = line._seek_for_lines()
        suspense.account_id = on_its_way.account_id
        (suspense + on_its_way).reconcile()
        self.tell(transaction, 2_000)
        self.assertEqual(self.entries(transaction).line_ids.filtered(lambda i: i.account_id == on_its_way.account_id).amount_residual, -2_000)

    def test_a_payment_that_was_reset_or_deleted_gets_no_entry(self):
        transaction = self.ask("isp_tripay")
        self.tell(transaction, None)
        payment = transaction.payment_id
        payment.action_draft()
        self.tell(transaction, 2_000)
        self.assertFalse(self.entries(transaction))
        payment.action_post()
        self.tell(transaction, 2_000)
        self.assertEqual(len(self.entries(transaction)), 1)
        other = self.ask("isp_tripay", move=self.bill(self.other, date(2026, 2, 23)))
        self.tell(other, None)
        other.payment_id.action_draft()
        other.payment_id.unlink()
        self.tell(other, 2_000)
        self.assertEqual((other.state, other.isp_fee, bool(self.entries(other))), ("done", 2_000, False))

    def test_a_fee_above_the_payment_and_one_below_nothing_are_not_believed(self):
        for number, fee in enumerate((277_501, 1_000_000_000, -5)):
            transaction = self.ask("isp_tripay", move=self.bill(self.other, date(2026, 2, 23) + timedelta(days=number)))
            self.gateways["isp_tripay"].pay(transaction.reference, int(transaction.amount), datetime.now(timezone.utc), fee=fee)
            self.assertEqual(self.webhook(transaction).status_code, 400, fee)
            self.assertEqual((transaction.state, transaction.isp_fee_told, bool(self.entries(transaction))), ("pending", False, False))

    def test_told_of_another_amount_and_then_of_the_right_one(self):
        transaction = self.ask("isp_tripay")
        self.gateways["isp_tripay"].pay(transaction.reference, 100_000, datetime.now(timezone.utc), fee=2_000)
        self.webhook(transaction)
        self.tell(transaction, 2_500)
        self.assertEqual((transaction.state, self.booked(transaction)), ("done", 275_500))
        self.assertIn("2500", transaction.isp_told, "a person looks which is right")

    def test_nobody_says_by_hand_that_an_entry_is_a_fee(self):
        """It decides about a line of the result, and Odoo lets whoever writes invoices write it."""
        transaction = self.paid()
        entry, other = self.entries(transaction), self.env["account.move"].create({"move_type": "entry"})
        for group in (
            "base.group_portal", "base.group_user", "isp_management.group_cashier", "isp_management.group_technician",
            "isp_management.group_billing", "isp_management.group_manager", "account.group_account_invoice", "account.group_account_manager",
        ):
            user = new_test_user(
                self.env, "biaya-%s" % group.replace(".", "-"), groups=group, company_id=self.company.id,
                company_ids=[Command.set(self.company.ids)],
            )
            here = self.env(user=user)
            for what in (
                lambda: entry.with_env(here).write({"isp_gateway_fee_of_id": False}),
                lambda: other.with_env(here).write({"isp_gateway_fee_of_id": transaction.id}),
                lambda: here["account.move"].create({"move_type": "entry", "isp_gateway_fee_of_id": transaction.id}),
                lambda: transaction.with_env(here).write({"isp_fee": 1}),
                lambda: here["payment.provider"].browse(self.providers["isp_tripay"].id).write({"isp_fee_account_id": False}),
            ):
                with self.subTest(group), self.assertRaises(AccessError), self.env.cr.savepoint():
                    what()
        self.assertEqual((entry.isp_gateway_fee_of_id, bool(other.isp_gateway_fee_of_id)), (transaction, False))
