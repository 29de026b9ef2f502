"""What is asked before and after: why a line was isolated on a day of the past, and what another policy would do."""

from datetime import date, datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestLooking(IspNetworkCommon):
    def setUp(self):
        super().setUp()
        self.company.write({"isp_isolate_on_weekends": True, "isp_public_holidays": "none", "isp_isolate_at": 0})
        self.line = self.new_line(1)
        self.move = self.bill(self.line, date(2026, 1, 5))

    def why(self, asked_on, at=None):
        wizard = self.at(asked_on)["isp.explain.wizard"].create({
            "subscription_id": self.line.id, "moment": at and datetime.strptime(at, "%Y-%m-%d %H:%M"),
        })
        return wizard.sentence, wizard.evidence

    def test_any_moment_of_the_past_is_told_from_its_facts(self):
        # Due on 15 January, isolated on the 21st, paid on the 25th; asked in March.
        promise = self.at("2026-01-10 09:00")["isp.promise"].create({"customer_id": self.line.customer_id.id, "until": date(2026, 1, 17)})
        self.decide("2026-01-21 10:00")
        self.assertEqual(self.line.desired_access, "isolated")
        self.pay(self.move, env=self.at("2026-01-25 09:00"), on=date(2026, 1, 25))
        self.assertEqual(self.line.desired_access, "open")
        now = "2026-03-01 09:00"
        sentence, evidence = self.why(now, "2026-01-12 05:00")
        self.assertIn("277.500", evidence)
        self.assertNotIn("diisolir sejak", sentence)
        sentence, evidence = self.why(now, "2026-01-23 05:00")
        self.assertIn("21/01/2026", sentence)
        self.assertIn("diisolir" if "diisolir" in sentence else "isolated", sentence)
        self.assertIn(self.move.name, evidence)
        sentence, evidence = self.why(now, "2026-01-26 05:00")
        self.assertNotIn(self.move.name, evidence, "paid by then")
        self.assertEqual(self.why(now)[0], self.why(now, "2026-03-01 02:00")[0], "the same sentence for now")
        self.assertIn(str(promise.until.day), self.why(now, "2026-01-16 05:00")[1])
        for moment in ("2026-01-04 05:00", "2026-03-02 05:00"):
            with self.assertRaises(UserError):
                self.why(now, moment)

    def test_a_policy_is_tried_before_it_is_taken(self):
        other = self.new_line(2)
        self.bill(other, date(2026, 1, 5), amount=90_000)
        env = self.at("2026-01-16 09:00")
        wizard = env["isp.policy.wizard"].browse(env["isp.policy.wizard"].with_company(self.company).action_isp_open()["res_id"])
        wizard.write({"isp_isolate_after_days": 10, "isp_isolate_from": 100_000})
        wizard.action_show()
        rows = {row.subscription_id: (row.action, str(row.day_now), str(row.day_then)) for row in wizard.line_ids}
        self.assertEqual(rows, {
            self.line: ("isolate", "2026-01-20", "2026-01-25"), other: ("isolate", "2026-01-20", "False"),
        })
        self.assertEqual((wizard.count_now, wizard.count_then, wizard.amount_then), (2, 1, 277_500))
        self.assertEqual((self.line.desired_access, self.company.isp_isolate_after_days), ("open", 5), "nothing happened")
        wizard.isp_reopen_when_paid_percent = 0
        with self.assertRaises(UserError):
            wizard.action_show()
        wizard.isp_reopen_when_paid_percent = 100
        wizard.action_take()
        self.assertEqual((self.company.isp_isolate_after_days, self.company.isp_isolate_from), (10, 100_000))
        billing = new_test_user(self.env, "coba-billing", groups="isp_management.group_billing", company_id=self.company.id,
                                company_ids=[(6, 0, self.company.ids)])
        with self.assertRaises(AccessError):
            env["isp.policy.wizard"].with_user(billing).action_isp_open()
