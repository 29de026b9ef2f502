import importlib.util
import os

from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.isp_management.tests.common import IspCommon


@tagged("post_install", "-at_install")
class TestByRpc(IspCommon, HttpCase):
    def test_the_example_lives_a_line(self):
        path = os.path.join(os.path.dirname(__file__), "..", "..", "by_rpc.py")
        spec = importlib.util.spec_from_file_location("by_rpc", path)
        by_rpc = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(by_rpc)
        self.env["isp.package"].search([("id", "!=", self.package.id)]).active = False
        user = new_test_user(
            self.env, "program", groups="isp_management.group_manager", company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )
        user.password = "sandi-program"
        key, told, refused = by_rpc.live(self.base_url(), self.env.cr.dbname, user.login, "sandi-program")
        line = self.env["isp.subscription"].browse(key)
        self.env.invalidate_all()
        self.assertIn(line.move_ids.payment_state, ("paid", "in_payment"))
        self.assertEqual((line.state, line.desired_access, line.access_cause), ("active", "isolated", "manual"))
        self.assertIn("Pindah", told)
        self.assertIn("has no open invoice", refused)
