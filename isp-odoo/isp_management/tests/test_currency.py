"""Prices are rupiah. Books in another currency, as a fresh Odoo has them, would ask for as many dollars."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger


@tagged("post_install", "-at_install")
class TestCurrency(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Odoo Baru", "country_id": cls.env.ref("base.us").id})
        cls.env["account.chart.template"].try_loading("generic_coa", company=cls.company, install_demo=False)
        cls.env.user.write({
            "company_ids": [Command.link(cls.company.id)], "groups_id": [Command.link(cls.env.ref("isp_management.group_manager").id)],
        })
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.company = cls.company.with_env(cls.env)
        cls.package = cls.env["isp.package"].create({
            "name": "Rumah 20", "code": "R20", "price": 150_000, "speed_down": 20_000, "speed_up": 10_000, "user_group": "R20",
        })
        cls.customer = cls.env["isp.customer"].create({"name": "Siti Rahayu", "mobile": "0812-3456-7890"})
        cls.line = cls.env["isp.subscription"].create({"customer_id": cls.customer.id, "package_id": cls.package.id})

    def notices(self):
        return self.env["isp.dashboard"].data()["notices"]

    @mute_logger("odoo.addons.isp_management.models.isp_billing_run")
    def test_dollars_are_not_asked_for(self):
        self.assertEqual((self.company.currency_id.name, self.package.tax_ids.amount), ("USD", 15))
        self.line.action_activate()
        self.env["isp.billing_run"].action_bill_now()
        self.assertFalse(self.line.move_ids)
        self.assertEqual(self.line.billing_error_code, "odoo.currency")
        self.assertIn("set its currency to IDR", self.line.billing_error)
        self.assertIn(self.line.billing_error, self.notices())
        fee = self.env["isp.installation_fee"].create({
            "customer_id": self.customer.id, "subscription_id": self.line.id, "date": self.company._isp_today(), "with_first_invoice": False,
            "kind_id": self.env["isp.installation_kind"].create({"name": "Pasang baru", "code": "PSB", "price": 100_000}).id,
        })
        with self.assertRaisesRegex(UserError, "kept in USD") as refused:
            fee.action_invoice()
        self.assertEqual(refused.exception.context["isp_code"], "odoo.currency")
        # What was left out waits, and comes with the right currency; who is no PKP adds no tax of the chart either.
        self.company.write({"currency_id": self.env.ref("base.IDR").id, "isp_pkp": False})
        self.env["isp.billing_run"].action_bill_now()
        fee.action_invoice()
        self.assertFalse(self.line.billing_error)
        self.assertFalse([notice for notice in self.notices() if "IDR" in notice and "kept in" in notice])
        invoices = self.line.move_ids | fee.move_ids
        self.assertEqual(sorted(invoices.mapped("amount_total")), [100_000, 150_000])
        self.assertEqual((sum(invoices.mapped("amount_tax")), invoices.currency_id.name), (0, "IDR"))

    def test_a_line_without_a_router_says_so(self):
        told = self.line.action_activate()
        self.assertEqual((told["tag"], told["params"]["type"]), ("display_notification", "warning"))
        self.assertIn(self.line.name, told["params"]["message"])
        router = self.env["isp.router"].create({"name": "Menara", "host": "127.0.0.1", "username": "isp", "password": "rahasia"})
        self.assertIs(self.line.copy({"router_id": router.id, "name": "/"}).action_activate(), True)
        with self.assertRaisesRegex(UserError, "is not new") as refused:
            self.line.action_activate()
        self.assertEqual(refused.exception.context["isp_code"], "access.nothing_to_do")
