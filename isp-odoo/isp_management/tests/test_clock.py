from datetime import date, datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestClock(IspNetworkCommon):
    """A machine whose clock is wrong bills, closes and isolates nobody (rule I9)."""

    def setUp(self):
        super().setUp()
        self.company.isp_clock_days = 45
        self.line = self.new_line(start=date(2026, 1, 15))
        self.run_day("2026-01-15 11:00")
        self.assertEqual(len(self.line.move_ids), 1)

    def run_day(self, moment):
        env = self.at(moment)
        env["isp.billing_run"]._cron_bill()
        env["isp.notification"]._cron_isp_reminders()
        env["isp.subscription"]._cron_isp_isolation()
        env["isp.notification"]._cron_isp_send()
        self.env.invalidate_all()

    def clock(self):
        return self.env["isp.clock"].search([("company_id", "=", self.company.id)])

    def test_a_clock_in_the_past_closes_nobody(self):
        self.run_day("2020-01-01 11:00")
        self.assertEqual((self.line.desired_access, len(self.line.move_ids)), ("open", 1))
        self.assertEqual((self.clock().doubt, self.clock().last_run), ("clock.behind", datetime(2026, 1, 15, 4, 0)))
        self.assertEqual(len(self.clock().activity_ids), 1, "one question, however many crons ask")
        self.assertTrue(self.clock().activity_ids.user_id.has_group("isp_management.group_manager"))
        self.run_day("2026-01-16 11:00")
        self.assertFalse(self.clock().doubt, "the clock was put right")
        self.assertFalse(self.clock().activity_ids)

    def test_a_clock_in_the_future_bills_nothing_until_a_manager_says_so(self):
        self.run_day("2026-03-01 11:00")
        self.assertEqual(len(self.line.move_ids), 2, "45 days ask nobody")
        moment = "2026-04-16 11:00"
        self.run_day(moment)
        self.assertEqual((len(self.line.move_ids), self.clock().doubt, self.clock().days), (2, "clock.ahead", 46))
        with self.assertRaises(UserError):
            self.at(moment)["isp.billing_run"].action_bill_now()
        for group in ("technician", "cashier", "billing"):
            user = new_test_user(self.env, "jam-%s" % group, groups="isp_management.group_%s" % group, company_id=self.company.id)
            with self.assertRaises(AccessError):
                self.clock().with_env(self.at(moment)).with_user(user).action_isp_clock_is_right()
            with self.assertRaises(AccessError):
                self.clock().with_user(user).write({"doubt": False})
        manager = new_test_user(self.env, "jam-manager", groups="isp_management.group_manager", company_id=self.company.id)
        with self.assertRaises(AccessError):
            self.clock().with_user(manager).write({"last_run": "2026-04-16 04:00:00"})
        self.clock().with_env(self.at(moment)).with_user(manager).action_isp_clock_is_right()
        self.assertFalse(self.clock().doubt)
        self.run_day(moment)
        self.assertEqual(len(self.line.move_ids), 4)

    def test_one_company_s_doubt_is_not_the_others(self):
        other = self.company_data_2["company"]
        other.isp_clock_days = 45
        self.assertTrue(other.with_env(self.at("2036-01-01 11:00"))._isp_begin_run(), "a company of another business")
        self.assertFalse(self.env["isp.clock"].search([("company_id", "=", other.id)]))
        self.assertFalse(self.company.with_env(self.at("2036-01-01 11:00"))._isp_begin_run())
        self.assertEqual(self.clock().days, 3_638)

    def test_a_payment_opens_whatever_the_clock_of_the_runs_says(self):
        move = self.line.move_ids
        self.sync("2026-01-15 11:01")
        self.run_day("2026-01-30 11:00")
        self.assertEqual(self.line.desired_access, "isolated")
        self.run_day("2020-01-01 11:00")
        self.pay(move, env=self.at("2026-01-30 12:00"), on=date(2026, 1, 30))
        self.assertEqual(self.line.desired_access, "open")
