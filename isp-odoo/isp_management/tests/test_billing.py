from datetime import date
from unittest.mock import patch

import isp_engine
import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import IspCommon

RUN = "odoo.addons.isp_management.models.isp_billing_run"


@tagged("post_install", "-at_install")
class TestBilling(IspCommon):
    def bill(self, moment):
        self.at(moment)["isp.billing_run"]._cron_bill()

    def billed(self, subscription):
        moves = self.env["account.move"].search([("isp_subscription_id", "=", subscription.id)], order="isp_period_start")
        return [(m.isp_period_start.isoformat(), int(m.amount_untaxed), int(m.amount_tax)) for m in moves]

    def test_a_month_is_billed_posted_and_due(self):
        subscription = self.new_subscription(start=date(2026, 3, 5))
        self.bill("2026-03-05 08:00")
        move = subscription.move_ids
        self.assertEqual(len(move), 1)
        self.assertEqual((move.state, move.payment_state), ("posted", "not_paid"))
        self.assertEqual((move.amount_untaxed, move.amount_tax, move.amount_total), (250_000, 27_500, 277_500))
        self.assertEqual((move.invoice_date, move.invoice_date_due), (date(2026, 3, 5), date(2026, 3, 15)))
        self.assertEqual((move.isp_period_start, move.isp_period_end), (date(2026, 3, 5), date(2026, 4, 5)))
        self.assertEqual(move.invoice_line_ids.name, "HOME-20, 05/03/2026 - 04/04/2026")
        self.assertEqual(move.partner_id, subscription.partner_id)
        self.assertRegex(move.name, r"^INV/2026/\d{5}$")
        self.assertEqual(move.payment_reference, move.name)
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)])
        self.assertEqual((run.state, run.invoice_count, run.amount_total), ("done", 1, 277_500))
        self.assertEqual((run.problem_count, run.slow_count, run.tax_differences), (0, 0, 0))
        self.assertEqual(self.company.isp_billed_through, date(2026, 3, 5))

    def test_before_seven_in_jakarta_it_is_the_new_day_already(self):
        subscription = self.new_subscription(start=date(2026, 3, 5))
        self.bill("2026-03-04 23:59")
        self.assertFalse(subscription.move_ids)
        self.bill("2026-03-05 00:30")
        self.assertEqual(subscription.move_ids.invoice_date, date(2026, 3, 5))
        self.assertEqual(subscription.move_ids.state, "posted")

    def test_the_31st_comes_back_after_february(self):
        subscription = self.new_subscription(start=date(2026, 1, 31))
        for moment in ("2026-01-31 08:00", "2026-02-28 08:00", "2026-03-30 08:00", "2026-03-31 08:00", "2026-04-30 08:00"):
            self.bill(moment)
        self.assertEqual(
            [start for start, _net, _tax in self.billed(subscription)],
            ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"],
        )

    def test_quarterly_from_the_31st(self):
        subscription = self.new_subscription(start=date(2026, 1, 31), cycle="quarterly")
        self.bill("2026-11-01 08:00")
        self.assertEqual(
            self.billed(subscription),
            [("2026-01-31", 750_000, 82_500), ("2026-04-30", 750_000, 82_500), ("2026-07-31", 750_000, 82_500),
             ("2026-10-31", 750_000, 82_500)],
        )

    def test_missed_days_are_caught_up_once(self):
        subscription = self.new_subscription(start=date(2026, 1, 5))
        self.bill("2026-01-05 08:00")
        self.bill("2026-04-20 08:00")
        self.assertEqual([start for start, *_ in self.billed(subscription)], ["2026-01-05", "2026-02-05", "2026-03-05", "2026-04-05"])
        self.bill("2026-04-20 09:00")
        self.bill("2026-04-21 08:00")
        self.assertEqual(len(subscription.move_ids), 4)
        dates = subscription.move_ids.sorted("isp_period_start").mapped("invoice_date")
        self.assertEqual(dates[1], date(2026, 2, 5), "a late run does not move what was due")

    def test_more_than_twelve_periods_are_reported_and_billed_by_the_next_run(self):
        subscription = self.new_subscription(start=date(2025, 1, 5))
        self.bill("2026-03-10 08:00")
        self.assertEqual(len(subscription.move_ids), 12)
        self.assertTrue(subscription.billing_error)
        self.assertEqual(subscription.billed_from, date(2026, 1, 5))
        self.bill("2026-03-11 08:00")
        self.assertEqual(len(subscription.move_ids), 15)
        self.assertFalse(subscription.billing_error)

    def test_postpaid_discount_held_price_and_end(self):
        postpaid = self.new_subscription(start=date(2026, 1, 10), timing="postpaid")
        discount = self.new_subscription(
            start=date(2026, 1, 10), discount_kind="percent", discount_value=10, discount_until=date(2026, 2, 1)
        )
        held = self.new_subscription(start=date(2026, 1, 10), held_price=200_000)
        ending = self.new_subscription(start=date(2026, 1, 10), end_date=date(2026, 2, 23))
        self.bill("2026-02-10 08:00")
        self.assertEqual(self.billed(postpaid), [("2026-01-10", 250_000, 27_500)])
        self.assertEqual(postpaid.move_ids.invoice_date, date(2026, 2, 10))
        self.assertEqual(self.billed(discount), [("2026-01-10", 225_000, 24_750), ("2026-02-10", 250_000, 27_500)])
        self.assertEqual(self.billed(held)[0], ("2026-01-10", 200_000, 22_000))
        self.assertEqual(self.billed(ending)[1], ("2026-02-10", 125_000, 13_750))
        last = ending.move_ids.sorted("isp_period_start")[1]
        self.assertIn("14 of 28 days", last.invoice_line_ids.name)

    def test_a_postpaid_line_pays_the_days_up_to_its_end_whenever_that_is_said(self):
        # Ended before and after the run of that day, and some days later.
        before, after, late = (self.new_subscription(start=date(2026, 1, 10), timing="postpaid") for _ in range(3))
        self.bill("2026-02-10 08:00")
        self.bill("2026-02-16 08:00")
        self.change_terms(before, "2026-02-17 07:00", "end", last_day=date(2026, 2, 17), reason="moved")
        self.bill("2026-02-17 08:00")
        self.change_terms(after, "2026-02-17 14:00", "end", last_day=date(2026, 2, 17), reason="moved")
        self.bill("2026-02-20 08:00")
        self.change_terms(late, "2026-02-20 14:00", "end", last_day=date(2026, 2, 17), reason="moved")
        self.bill("2026-02-21 08:00")
        self.bill("2026-04-20 08:00")
        # 8 of 28 days: the end is the last day.
        expected = [("2026-01-10", 250_000, 27_500), ("2026-02-10", 71_429, 7_857)]
        for line in (before, after, late):
            self.assertEqual(self.billed(line), expected)
            self.assertFalse(line.billed_from)

    def test_a_paused_subscription_is_not_billed_and_goes_on_after(self):
        subscription = self.new_subscription(start=date(2026, 1, 5))
        self.bill("2026-01-05 08:00")
        subscription.with_env(self.at("2026-01-20 08:00")).action_pause()
        self.bill("2026-03-10 08:00")
        subscription.with_env(self.at("2026-03-20 08:00")).action_resume()
        self.bill("2026-03-20 09:00")
        self.bill("2026-04-10 08:00")
        # Paid until 5 February, resumed on 20 March: 16 of 31 days up to the next billing day.
        self.assertEqual([(start, net) for start, net, _tax in self.billed(subscription)], [
            ("2026-01-05", 250_000), ("2026-03-20", 129_032), ("2026-04-05", 250_000),
        ])

    def decide(self, moment):
        self.at(moment)["isp.subscription"]._cron_isp_isolation()
        self.env.invalidate_all()

    def plan(self, line, package, day, moment):
        self.change_terms(line, moment, "package", package_id=package.id)
        self.assertEqual(line.change_date, day)

    def test_a_planned_package_becomes_the_package_and_a_second_plan_bills_it(self):
        faster, fastest = self.new_package("HOME-50", 400_000), self.new_package("HOME-100", 600_000)
        line = self.new_subscription(start=date(2026, 1, 5))
        self.bill("2026-01-05 08:00")
        self.plan(line, faster, date(2026, 2, 5), "2026-01-20 08:00")
        self.decide("2026-02-04 12:00")
        self.assertEqual((line.package_id, line.monthly_price), (self.package, 250_000))
        # The cron of access is ahead of the billing's, and behind it the next month.
        self.decide("2026-02-05 00:10")
        self.assertEqual((line.package_id, line.next_package_id.id, line.change_date), (faster, False, False))
        self.assertEqual(line._isp_package_now(), faster)
        self.bill("2026-02-05 01:00")
        self.plan(line, fastest, date(2026, 3, 5), "2026-02-10 08:00")
        self.bill("2026-03-05 01:00")
        self.decide("2026-03-05 01:10")
        self.assertEqual(line.package_id, fastest)
        self.bill("2026-04-05 01:00")
        self.assertEqual([net for _start, net, _tax in self.billed(line)], [250_000, 400_000, 600_000, 600_000])
        self.assertEqual(line._isp_package_now(), fastest, "the router keeps the new one")

    def test_a_postpaid_period_is_billed_with_the_package_that_it_began_with(self):
        faster, fastest = self.new_package("HOME-50", 400_000), self.new_package("HOME-100", 600_000)
        line = self.new_subscription(start=date(2026, 1, 5), timing="postpaid")
        self.plan(line, faster, date(2026, 2, 5), "2026-01-20 08:00")
        self.decide("2026-02-05 00:10")
        self.assertEqual(line.package_id, faster)
        self.bill("2026-02-05 01:00")
        self.assertEqual(self.billed(line), [("2026-01-05", 250_000, 27_500)])
        self.plan(line, fastest, date(2026, 3, 5), "2026-02-10 08:00")
        self.decide("2026-03-05 00:10")
        self.bill("2026-03-05 01:00")
        self.decide("2026-03-05 01:10")
        self.bill("2026-04-05 01:00")
        self.assertEqual([net for _start, net, _tax in self.billed(line)], [250_000, 400_000, 600_000])

    def test_two_changes_in_what_one_run_catches_up(self):
        faster, fastest = self.new_package("HOME-50", 400_000), self.new_package("HOME-100", 600_000)
        for timing in ("prepaid", "postpaid"):
            line = self.new_subscription(self.new_customer(timing), start=date(2026, 1, 5), timing=timing)
            self.plan(line, faster, date(2026, 2, 5), "2026-01-20 08:00")
            self.decide("2026-02-05 00:10")
            # Nothing was billed yet, and the next change is planned.
            self.plan(line, fastest, date(2026, 3, 5), "2026-02-10 08:00")
            self.decide("2026-03-05 00:10")
            for moment in ("2026-04-06 01:00", "2026-04-07 01:00", "2026-05-05 01:00"):
                self.bill(moment)
                self.decide(moment)
            months = [net for _start, net, _tax in self.billed(line)]
            self.assertEqual(months[:4], [250_000, 400_000, 600_000, 600_000], timing)
            self.assertEqual((line.package_id, len(months)), (fastest, 5 if timing == "prepaid" else 4))
            self.company.sudo().isp_billed_through = False
            self.story_begins()

    def test_a_change_of_package_holds_from_its_period_on(self):
        faster = self.new_package("HOME-50", 400_000)
        subscription = self.new_subscription(start=date(2026, 1, 5))
        self.change_terms(subscription, "2026-01-20 08:00", "package", package_id=faster.id)
        self.bill("2026-02-05 08:00")
        self.assertEqual([net for _start, net, _tax in self.billed(subscription)], [250_000, 400_000])

    def test_one_bad_subscription_is_named_and_the_others_are_billed(self):
        good = [self.new_subscription(start=date(2026, 3, 5)) for _ in range(5)]
        no_price = self.new_package("EMPTY", 100_000)
        no_price.price_ids.unlink()
        unpriced = self.new_subscription(start=date(2026, 3, 5), package_id=no_price.id)
        broken = self.new_subscription(self.new_customer("Tanpa akun"), start=date(2026, 3, 5))
        writer = type(self.env["isp.invoice_writer"])
        original = writer._plain_vals

        def refuse(self, draft):
            if draft["partner"] == broken.partner_id:
                raise ValueError("no receivable account")
            return original(self, draft)

        with patch.object(writer, "_plain_vals", refuse), mute_logger(RUN):
            self.bill("2026-03-05 08:00")
        for subscription in good:
            self.assertEqual(len(subscription.move_ids), 1)
            self.assertFalse(subscription.billing_error)
        self.assertFalse(unpriced.move_ids | broken.move_ids)
        self.assertTrue(unpriced.billing_error_code)
        self.assertEqual(broken.billing_error, "no receivable account")
        self.assertEqual(broken.billed_from, date(2026, 3, 5))
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)])
        self.assertEqual((run.invoice_count, run.problem_count), (5, 2))
        numbers = sorted(m.sequence_number for m in self.env["account.move"].search([("isp_subscription_id", "in", [s.id for s in good])]))
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 5)), "a failure leaves no hole in the numbers")

        self.env["isp.package.price"].create({"package_id": no_price.id, "date_from": date(2026, 1, 1), "price": 100_000})
        self.bill("2026-03-20 08:00")
        self.assertEqual(self.billed(unpriced), [("2026-03-05", 100_000, 11_000)])
        self.assertEqual(self.billed(broken), [("2026-03-05", 250_000, 27_500)])
        self.assertFalse(unpriced.billing_error or broken.billing_error)

    def test_pages_and_batches_bill_everyone_once(self):
        subscriptions = [self.new_subscription(start=date(2026, 2, 5)) for _ in range(11)]
        with patch(RUN + ".PAGE", 4), patch(RUN + ".BATCH", 3):
            self.bill("2026-03-05 08:00")
            self.bill("2026-03-05 09:00")
        for subscription in subscriptions:
            self.assertEqual([start for start, *_ in self.billed(subscription)], ["2026-02-05", "2026-03-05"])
        names = self.env["account.move"].search([("isp_subscription_id", "in", [s.id for s in subscriptions])]).mapped("name")
        self.assertEqual(len(set(names)), 22)

    def test_a_run_cut_off_by_time_triggers_itself_and_goes_on(self):
        subscriptions = [self.new_subscription(start=date(2026, 3, 5)) for _ in range(5)]
        triggers = self.env["ir.cron.trigger"].search_count([])
        with patch(RUN + ".BATCH", 2), patch(RUN + ".SECONDS", -1):
            self.bill("2026-03-05 08:00")
            self.assertEqual(sum(len(s.move_ids) for s in subscriptions), 2)
            self.assertFalse(self.company.isp_billed_through)
            self.assertGreater(self.env["ir.cron.trigger"].search_count([]), triggers)
        self.bill("2026-03-05 08:10")
        self.assertEqual([len(s.move_ids) for s in subscriptions], [1] * 5)

    def test_each_company_is_billed_in_its_own_books(self):
        here = self.new_subscription(start=date(2026, 3, 5))
        other = self.company_data_2["company"]
        env = self.env(context={**self.env.context, "allowed_company_ids": other.ids})
        customer = env["isp.customer"].create({"name": "Lain", "company_id": other.id})
        package = env["isp.package"].create({
            "name": "Lain", "code": "HOME-20", "price": 100_000, "speed_down": 1, "speed_up": 1, "user_group": "x",
            "company_id": other.id, "tax_ids": [(6, 0, other.account_sale_tax_id.ids)],
        })
        there = env["isp.subscription"].create({
            "customer_id": customer.id, "package_id": package.id, "company_id": other.id,
            "activation_date": date(2026, 3, 5), "billed_from": date(2026, 3, 5),
        })
        there.action_activate()
        self.bill("2026-03-05 08:00")
        self.assertEqual(here.move_ids.company_id, self.company)
        self.assertEqual(there.move_ids.company_id, other)
        self.assertEqual(there.move_ids.line_ids.account_id.company_id, other)
        self.assertEqual(there.move_ids.journal_id.company_id, other)

    def test_a_period_that_another_run_billed_is_not_billed_again(self):
        subscription = self.new_subscription(start=date(2026, 3, 5))
        self.bill("2026-03-05 08:00")
        self.company.sudo().isp_billed_through = False
        subscription.billed_from = date(2026, 3, 5)
        self.bill("2026-03-05 08:00")
        self.assertEqual(len(subscription.move_ids), 1)
        self.assertEqual(self.env["isp.billing_run"].search([("company_id", "=", self.company.id)], limit=1).known_count, 1)

    def test_the_database_refuses_a_second_invoice_for_a_period(self):
        subscription = self.new_subscription(start=date(2026, 3, 5))
        self.bill("2026-03-05 08:00")
        move = subscription.move_ids
        with self.assertRaises(psycopg2.errors.UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            move.copy({"isp_subscription_id": subscription.id, "isp_period_start": move.isp_period_start})

    def test_inclusive_prices_and_odd_amounts_are_left_to_odoo(self):
        inclusive = self.ppn.copy({"name": "PPN inclusive", "price_include": True})
        subscription = self.new_subscription(
            start=date(2026, 3, 5), package_id=self.new_package("INC", 277_500, tax_ids=[(6, 0, inclusive.ids)]).id
        )
        free = self.new_subscription(start=date(2026, 3, 5), discount_kind="percent", discount_value=100)
        self.bill("2026-03-05 08:00")
        self.assertEqual(self.billed(subscription), [("2026-03-05", 250_000, 27_500)])
        self.assertEqual((free.move_ids.amount_total, free.move_ids.payment_state), (0, "paid"))

    def test_ppn_that_differs_from_the_law_is_counted(self):
        strange = self.ppn.copy({"name": "10%", "amount": 10})
        self.new_subscription(
            start=date(2026, 3, 5), package_id=self.new_package("TEN", 250_000, tax_ids=[(6, 0, strange.ids)]).id
        )
        self.bill("2026-03-05 08:00")
        run = self.env["isp.billing_run"].search([("company_id", "=", self.company.id)])
        self.assertEqual(run.tax_differences, 1)

    def test_locked_journals_and_dates_go_the_long_way(self):
        subscription = self.new_subscription(start=date(2026, 2, 5))
        self.company.sudo().fiscalyear_lock_date = date(2026, 2, 28)
        self.bill("2026-03-05 08:00")
        february, march = subscription.move_ids.sorted("isp_period_start")
        self.assertEqual(february.invoice_date, date(2026, 2, 5))
        self.assertGreater(february.date, date(2026, 2, 28), "Odoo moves the accounting date out of the locked period")
        self.assertEqual(march.date, date(2026, 3, 5))
        self.assertEqual({february.state, march.state}, {"posted"})

    def test_terms_are_fixed_once_active(self):
        subscription = self.new_subscription(start=date(2026, 3, 5))
        subscription.write({"billing_day": 5, "cycle": "monthly"})
        with self.assertRaises(UserError):
            subscription.cycle = "quarterly"

    def test_only_billing_runs_the_billing(self):
        self.new_subscription(start=date(2026, 3, 5))
        for group, allowed in (("technician", False), ("cashier", False), ("billing", True), ("manager", True)):
            user = new_test_user(
                self.env, "bill_" + group, groups="isp_management.group_" + group, company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            runs = self.at("2026-03-05 08:00")["isp.billing_run"].with_user(user)
            if allowed:
                runs.action_bill_now()
            else:
                with self.assertRaises(AccessError):
                    runs.action_bill_now()
        self.assertEqual(self.env["account.move"].search_count([("isp_subscription_id", "!=", False), ("company_id", "=", self.company.id)]), 1)

    def test_the_plan_is_the_engines(self):
        self.assertTrue(callable(isp_engine.plan_billing))
        subscription = self.new_subscription(start=date(2026, 3, 5))
        with patch("isp_engine.plan_billing", wraps=isp_engine.plan_billing) as planned:
            self.bill("2026-03-05 08:00")
        keys = [row.key for call in planned.call_args_list for row in call.args[0]]
        self.assertEqual(keys.count(subscription.id), 1)
