from datetime import date, datetime

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon

ISSUED = date(2026, 2, 23)  # due on Thursday 5 March: isolated from Tuesday the 10th on


@tagged("post_install", "-at_install")
class TestProtections(IspNetworkCommon):
    """Promises, exemptions and outages: the zone of the line decides, and each can be ended and taken back (rule I2)."""

    def setUp(self):
        super().setUp()
        self.line = self.new_line()
        self.bill(self.line, ISSUED)
        self.sync("2026-03-01 09:00")

    def end(self, record, moment, kind, reason, user=None):
        env = self.at(moment)
        record = record.with_env(env).with_user(user) if user else record.with_env(env)
        wizard = record.env["isp.ending.wizard"].browse(record.action_isp_end()["res_id"])
        wizard.write({"kind": kind, "reason": reason})
        wizard.action_confirm()
        self.env.invalidate_all()

    def promise(self, **vals):
        return self.env["isp.promise"].create({
            "customer_id": self.line.customer_id.id, "made_on": date(2026, 3, 9), "until": date(2026, 3, 20), **vals,
        })

    def test_a_promise_that_is_taken_back_protects_no_longer_and_says_who_and_why(self):
        promise = self.promise()
        self.decide("2026-03-10 10:00")
        self.assertEqual(self.line.desired_access, "open")
        cashier = new_test_user(self.env, "kasir-janji", groups="isp_management.group_cashier", company_id=self.company.id)
        with self.assertRaises(UserError):
            self.end(promise, "2026-03-10 11:00", "taken_back", " ", cashier)
        self.end(promise, "2026-03-10 11:00", "taken_back", "salah pelanggan", cashier)
        self.assertEqual(
            (promise.state, promise.ending_kind, promise.ended_at, promise.ended_by_id, promise.ending_reason),
            ("cancelled", "taken_back", datetime(2026, 3, 10, 4, 0), cashier, "salah pelanggan"),
        )
        self.assertEqual(self.line.desired_access, "isolated", "access follows at once")
        with self.assertRaises(UserError):
            self.end(promise, "2026-03-10 12:00", "ended", "lagi")

    def test_an_exemption_ends_early_for_billing_only(self):
        exemption = self.env["isp.exemption"].create({
            "customer_id": self.line.customer_id.id, "since": date(2026, 3, 1), "until": date(2026, 3, 31), "reason": "rumah dinas",
        })
        self.decide("2026-03-10 10:00")
        cashier = new_test_user(self.env, "kasir-bebas", groups="isp_management.group_cashier", company_id=self.company.id)
        with self.assertRaises(AccessError):
            self.end(exemption, "2026-03-10 11:00", "ended", "pindah", cashier)
        self.assertEqual(self.line.desired_access, "open")
        self.end(exemption, "2026-03-10 11:00", "ended", "pindah")
        self.assertEqual((exemption.state, self.line.desired_access), ("cancelled", "isolated"))

    def test_an_outage_without_an_end_within_a_day_and_by_mistake(self):
        outage = self.env["isp.outage"].create({
            "name": "Listrik padam", "router_id": self.router.id, "since": datetime(2026, 3, 10, 1, 0),
        })
        self.decide("2026-03-10 10:00")
        self.assertEqual(self.line.desired_access, "open")
        outage.until = datetime(2026, 3, 10, 4, 0)
        self.decide("2026-03-10 10:59")
        self.assertEqual(self.line.desired_access, "open")
        self.decide("2026-03-10 11:00")
        self.assertEqual(self.line.desired_access, "isolated", "it was over at 11:00")
        other = self.env["isp.outage"].create({
            "name": "Salah router", "router_id": self.router.id, "since": datetime(2026, 3, 8), "until": datetime(2026, 3, 12),
        })
        wizard = self.env["isp.ending.wizard"].browse(other.action_isp_end()["res_id"])
        self.assertEqual((wizard.kind, wizard.may_end, wizard.record_name), ("taken_back", False, "Salah router"))
        self.end(other, "2026-03-12 12:00", "taken_back", "router lain")
        wizard = self.env["isp.outage.credit.wizard"].browse(other.action_give_back()["res_id"])
        self.assertFalse(wizard.line_ids)
        self.assertIn("by mistake", wizard.with_context(lang="en_US").why)
        with self.assertRaises(UserError):
            outage._isp_end("ended", "itu ada di kolom sampai")

    def test_the_zone_of_the_line_decides(self):
        east = self.new_line(2, zone="WIT")
        self.bill(east, ISSUED)
        for line in (self.line, east):
            self.env["isp.promise"].create({
                "customer_id": line.customer_id.id, "made_on": date(2026, 3, 9), "until": date(2026, 3, 10),
            })
        # 22:30 of the 10th in Jakarta is half past midnight of the 11th in Jayapura.
        why = {line: line.with_env(self.at("2026-03-10 22:30"))._isp_explain().reason for line in (self.line, east)}
        self.assertEqual(why[self.line], "promised")
        self.assertNotEqual(why[east], "promised")

    def test_what_an_earlier_version_cancelled_stays_cancelled(self):
        promise = self.promise()
        promise.sudo().state = "cancelled"
        self.decide("2026-03-10 10:00")
        self.assertEqual(self.line.desired_access, "isolated")

    def test_nobody_writes_an_ending_by_hand(self):
        technician = new_test_user(self.env, "teknisi-gangguan", groups="isp_management.group_technician", company_id=self.company.id)
        outage = self.env["isp.outage"].create({"name": "Padam", "router_id": self.router.id, "since": datetime(2026, 3, 10)})
        with self.assertRaises(AccessError):
            outage.with_user(technician).write({"ended_at": "2026-03-10 00:00:00"})
        self.end(outage, "2026-03-10 11:00", "taken_back", "salah catat", technician)
        self.assertEqual(outage.ended_by_id, technician)
