from datetime import date

import isp_engine
import psycopg2

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestLateFees(IspCommon):
    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()

    def setUp(self):
        super().setUp()
        # Billed on 5 January, due on the 15th, the fee's day is the 22nd.
        self.line = self.new_subscription(start=date(2026, 1, 5))
        self.bill("2026-01-05 08:00")
        self.invoice = self.line.move_ids

    def set_policy(self, moment="2026-01-06 08:00", **vals):
        company = self.company.with_env(self.at(moment))
        company.write({"isp_late_fee": "fixed", "isp_late_fee_amount": 10_000, **vals})

    def pay(self, amount, day):
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=self.invoice.ids).create(
            {"amount": amount, "payment_date": day}
        )._create_payments()

    def fees(self):
        moves = self.env["account.move"].search([("isp_late_fee_of_id", "=", self.invoice.id)])
        return [(m.invoice_date, m.invoice_date_due, m.amount_untaxed, m.amount_tax) for m in moves]

    def test_charged_once_on_its_day(self):
        self.set_policy()
        self.bill("2026-01-21 23:59")
        self.assertEqual(self.fees(), [])
        self.bill("2026-01-22 00:30")
        self.assertEqual(self.fees(), [(date(2026, 1, 22), date(2026, 2, 1), 10_000, 0)])
        fee = self.invoice.isp_late_fee_ids
        self.assertEqual((fee.state, fee.isp_subscription_id, fee.isp_period_start), ("posted", self.line, False))
        self.assertEqual(fee.invoice_line_ids.name, "Late fee on %s" % self.invoice.name)
        self.assertEqual(fee.invoice_line_ids.product_id, self.company.isp_late_fee_product_id)
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)], limit=1)
        self.assertEqual((run.late_fee_count, run.amount_total, run.state), (1, 10_000, "done"))
        self.bill("2026-01-22 09:00")
        self.bill("2026-01-30 09:00")
        self.assertEqual(len(self.fees()), 1)
        self.assertEqual(self.company.isp_late_fee_through, date(2026, 1, 30))

    def test_a_late_run_dates_it_on_the_day_that_was_missed(self):
        self.set_policy()
        self.bill("2026-01-30 08:00")
        self.assertEqual(self.fees()[0][:2], (date(2026, 1, 22), date(2026, 2, 1)))

    def test_nothing_of_the_time_before_the_policy_was_set(self):
        self.bill("2026-01-25 08:00")
        self.set_policy("2026-01-26 08:00")
        self.bill("2026-01-26 09:00")
        self.assertEqual(self.fees(), [])
        # Off for a while, then on again: what fell in between is not charged either.
        self.bill("2026-02-05 08:00")
        self.company.isp_late_fee = "none"
        self.bill("2026-02-23 08:00")
        self.set_policy("2026-02-24 08:00")
        self.bill("2026-02-24 09:00")
        self.assertFalse(self.env["account.move"].search([("isp_late_fee_of_id", "!=", False)]))

    def test_a_payment_before_the_day_spares_it_also_when_the_run_is_late(self):
        self.set_policy()
        self.pay(277_500, date(2026, 1, 21))
        self.bill("2026-01-30 08:00")
        self.assertEqual(self.fees(), [])

    def test_a_payment_on_the_day_does_not(self):
        self.set_policy()
        self.pay(277_500, date(2026, 1, 22))
        self.bill("2026-01-30 08:00")
        self.assertEqual(len(self.fees()), 1)

    def test_a_share_of_what_is_unpaid_with_ppn(self):
        self.set_policy(isp_late_fee="percent", isp_late_fee_percent=2, isp_late_fee_minimum=1_000, isp_late_fee_ppn=True)
        self.pay(77_500, date(2026, 1, 20))
        self.bill("2026-01-22 08:00")
        self.assertEqual(self.fees(), [(date(2026, 1, 22), date(2026, 2, 1), 4_000, 440)])

    def test_it_is_shown_before_it_is_charged(self):
        self.assertFalse(self.invoice.isp_late_fee_notice)
        self.set_policy()
        shown = self.invoice.with_env(self.at("2026-01-16 08:00"))
        self.assertIn("10,000", shown.isp_late_fee_notice)
        self.assertIn("01/22/2026", shown.isp_late_fee_notice)
        self.bill("2026-01-22 08:00")
        self.invoice.invalidate_recordset()
        self.assertFalse(self.invoice.with_env(self.at("2026-01-23 08:00")).isp_late_fee_notice)

    def test_a_late_fee_bears_none(self):
        self.set_policy()
        self.bill("2026-01-22 08:00")
        self.bill("2026-02-20 08:00")
        fee = self.invoice.isp_late_fee_ids
        self.assertEqual(len(fee), 1)
        self.assertFalse(fee.isp_late_fee_ids)

    def test_one_fee_of_an_invoice_is_a_rule_of_the_database(self):
        self.set_policy()
        self.bill("2026-01-22 08:00")
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env["account.move"].create({"move_type": "out_invoice", "isp_late_fee_of_id": self.invoice.id})

    def test_one_that_cannot_be_written_is_reported_and_tried_again(self):
        self.set_policy()
        product = self.company._isp_late_fee_product()
        account = product.product_tmpl_id.get_product_accounts()["income"]
        account.deprecated = True
        with mute_logger("odoo.addons.isp_management.models.isp_billing_run"):
            self.bill("2026-01-22 08:00")
        self.assertEqual(self.fees(), [])
        self.assertTrue(self.line.billing_error)
        self.assertEqual(self.company.isp_late_fee_through, date(2026, 1, 21))
        account.deprecated = False
        self.bill("2026-01-23 08:00")
        self.assertEqual(self.fees()[0][0], date(2026, 1, 22))

    def test_the_settings_are_the_engines(self):
        self.assertIsNone(self.company._isp_late_fee_policy())
        self.set_policy(isp_late_fee_days=3)
        self.assertEqual(self.company._isp_late_fee_policy(), isp_engine.LateFeePolicy(after_days=3, fixed=10_000))
        for name, value in (("isp_late_fee_amount", 0), ("isp_late_fee_days", 0), ("isp_outage_min_hours", -1)):
            with self.assertRaises(ValidationError, msg=name):
                self.company[name] = value
        self.assertEqual(self.company._isp_outage_policy(), isp_engine.OutagePolicy())

    def test_it_is_a_kind_of_its_own_in_profit_and_loss(self):
        self.set_policy()
        self.bill("2026-01-22 08:00")
        rows = self.env["isp.report.profit_loss"].search([("company_id", "=", self.company.id)])
        self.assertEqual({row.kind: row.revenue for row in rows}, {"subscription": 250_000, "late_fee": 10_000})
