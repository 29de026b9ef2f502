from datetime import date

from odoo.modules.neutralize import get_neutralization_queries
from odoo.tests import tagged

from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestNeutralize(IspNetworkCommon):
    def test_a_copied_database_reaches_no_router_and_no_phone(self):
        line = self.new_line()
        self.bill(line, date(2026, 2, 23))
        self.assertTrue(line.customer_id._isp_page_token())
        self.at("2026-03-02 09:00")["isp.notification"]._cron_isp_reminders()
        message = self.env["isp.notification"].search([("company_id", "=", self.company.id)])
        self.env.flush_all()
        queries = list(get_neutralization_queries(["isp_management"]))
        self.assertEqual(len(queries), 1, "Odoo finds the file of the module")
        self.env.cr.execute(queries[0])
        self.env.invalidate_all()
        self.assertEqual(self.router.host, "neutralized.invalid")
        self.assertFalse(self.router.sudo().password_sealed)
        self.assertFalse(self.channel.sudo().access_token_sealed or self.channel.sudo().app_secret_sealed)
        self.assertEqual(message.state, "dropped")
        self.assertFalse(line.customer_id.page_token)
        ours = self.env["ir.model.data"].search([("module", "=", "isp_management"), ("model", "=", "ir.cron")])
        crons = self.env["ir.cron"].with_context(active_test=False).browse(ours.mapped("res_id"))
        self.assertTrue(crons)
        self.assertFalse(any(crons.mapped("active")))
        before = self.simulated.counters(), self.meta.requests()
        self.sync("2026-03-02 09:01")
        self.send("2026-03-02 09:01")
        self.assertEqual((self.simulated.counters(), self.meta.requests()), before)
        self.assertIn(self.router.last_error_code, ("router.no_password", False))
