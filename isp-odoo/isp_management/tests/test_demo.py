from odoo.tests import tagged
from odoo.tools import convert_file

from .common import IspCommon


@tagged("post_install", "-at_install")
class TestDemo(IspCommon):
    def test_the_demo_provider_fills_every_screen(self):
        if not self.env.ref("isp_management.isp_demo_company", raise_if_not_found=False):
            convert_file(self.env, "isp_management", "demo/isp_demo.xml", {}, "init", True, "demo")
        company = self.env.ref("isp_management.isp_demo_company")
        env = self.env(context={**self.env.context, "allowed_company_ids": company.ids})
        own = [("company_id", "=", company.id)]
        self.assertEqual(env["isp.customer"].search_count(own), 24)
        self.assertFalse(env["isp.subscription"].search(own).filtered("billing_error"))
        self.assertGreaterEqual(env["account.move"].search_count([*own, ("isp_subscription_id", "!=", False)]), 40)
        cards = {card["key"]: card["count"] for card in env["isp.dashboard"].data()["cards"]}
        self.assertEqual((cards["active"], cards["isolated"], cards["trouble"]), (23, 3, 1))
        self.assertGreater(cards["overdue"], 0)
        for name in ("customer", "cpe", "package", "finance", "profit_loss"):
            printed = env["isp.report.print"].create({"report": name, "company_id": company.id})
            self.assertGreaterEqual(len(printed._isp_table()["rows"]), 2, name)
        [(receivable,)] = env["isp.report.finance"]._read_group(own, [], ["receivable:sum"])
        [(ledger,)] = env["account.move.line"]._read_group(
            [*own, ("parent_state", "=", "posted"), ("account_type", "=", "asset_receivable")], [], ["balance:sum"]
        )
        self.assertEqual(receivable, ledger)
