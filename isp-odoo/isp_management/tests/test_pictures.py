"""The pictures of the first screen and the map: their numbers."""

from datetime import date

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestPictures(IspNetworkCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.first, cls.second, cls.third = cls.new_line(1), cls.new_line(2), cls.new_line(3)

    def pictures(self, moment="2026-03-20 09:00", user=None):
        env = self.at(moment)
        data = env["isp.dashboard"].with_user(user or env.user).data()
        return {picture["key"]: picture for picture in data["pictures"]}

    def bars(self, picture):
        return {bar["label"]: bar["value"] for bar in picture["bars"]}

    def test_recurring_revenue_is_what_lines_pay(self):
        self.second.write({"held_price": 200_000})
        self.third.write({"discount_kind": "percent", "discount_value": 10, "discount_until": date(2026, 4, 1)})
        mrr = self.pictures()["mrr"]
        self.assertEqual(mrr["figure"], 250_000 + 200_000 + 225_000)
        self.assertEqual(self.bars(mrr), {"HOME-20": 675_000})
        self.assertEqual(self.pictures("2026-04-02 09:00")["mrr"]["figure"], 700_000, "the discount is over")
        self.third.sudo().write({"discount_kind": "amount", "discount_value": 999_999_999, "discount_until": False})
        self.assertEqual(self.pictures()["mrr"]["figure"], 450_000, "nobody pays less than nothing")

    def test_arrears_by_age(self):
        for issued in (date(2026, 3, 5), date(2026, 2, 20), date(2026, 1, 1)):
            self.bill(self.first, issued)
        self.pay(self.bill(self.second, date(2026, 1, 1)))
        ageing = self.pictures()["ageing"]
        self.assertEqual(self.bars(ageing), {"1-7": 277_500, "8-30": 277_500, "31-60": 0, "> 60": 277_500})
        self.assertEqual(ageing["figure"], 832_500)
        self.assertEqual([bar["percent"] for bar in ageing["bars"]], [100, 100, 0, 100])

    def test_what_ended_and_was_isolated(self):
        self.second.sudo().write({"state": "terminated", "end_date": date(2026, 2, 10), "billed_from": False})
        self.third.with_env(self.at("2026-03-19 09:00"))._isp_by_hand("isolate", "Diminta")
        pictures = self.pictures()
        self.assertEqual((pictures["churn"]["figure"], self.bars(pictures["churn"])["02/2026"]), (1, 1))
        self.assertTrue(pictures["churn"]["note"])
        self.assertEqual((pictures["isolations"]["figure"], self.bars(pictures["isolations"])["19/03"]), (1, 1))
        self.assertEqual(self.bars(pictures["routers"]), {"Bandung-1": 2})

    def test_money_is_for_those_who_handle_it(self):
        user = new_test_user(
            self.env, "gambar-teknisi", groups="isp_management.group_technician", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assertEqual(set(self.pictures(user=user)), {"churn", "isolations", "routers"})

    def test_books_that_round_to_cents_are_told_to_the_manager(self):
        dashboard = self.env["isp.dashboard"]
        self.company.currency_id.rounding = 1
        self.assertEqual(dashboard.data()["notices"], [])
        self.env.cr.execute("UPDATE res_currency SET rounding = 0.01 WHERE id = %s", [self.company.currency_id.id])
        self.env.invalidate_all()
        [notice] = dashboard.data()["notices"]
        self.assertIn("0.01", notice)

    def test_the_map(self):
        self.router.location = "Menara Sukamaju"
        self.first.customer_id.write({"partner_latitude": -7.2, "partner_longitude": 107.9})
        self.second.customer_id.write({"partner_latitude": -7.3, "partner_longitude": 107.8})
        self.second._isp_by_hand("isolate", "Diminta")
        found = self.env["isp.dashboard"].with_company(self.company).map_data()
        tones = {dot["id"]: (dot["tone"], dot["site"]) for dot in found["dots"]}
        self.assertEqual(tones, {
            self.first.customer_id.id: ("success", "Menara Sukamaju"), self.second.customer_id.id: ("danger", "Menara Sukamaju"),
        })
        self.assertEqual((found["without"], found["sites"]), (1, ["Menara Sukamaju"]))
        nobody = new_test_user(self.env, "peta-lain", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.env["isp.dashboard"].with_user(nobody).map_data()
