"""A customer's own pages: what is shown, what is reported, and that nobody sees another's."""

from datetime import date, timedelta

from odoo.http import Request
from odoo.tests import new_test_user, tagged

from .common import IspHttpCase
from .network_common import IspNetworkCommon


@tagged("post_install", "-at_install")
class TestPortal(IspNetworkCommon, IspHttpCase):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.line, cls.other = cls.new_line(1), cls.new_line(2)
        cls.technician = new_test_user(
            cls.env, "portal-teknisi", groups="isp_management.group_technician", company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)],
        )
        cls.company.write({"isp_how_to_pay": "BCA 123 456, sebut ID Pelanggan", "isp_field_user_id": cls.technician.id})
        cls.visitor = cls.env["res.users"].with_context(no_reset_password=True).create({
            "name": "Siti", "login": "portal-siti", "password": "portal-siti", "partner_id": cls.line.partner_id.id, "lang": "id_ID",
            "groups_id": [(6, 0, cls.env.ref("base.group_portal").ids)], "company_id": cls.company.id, "company_ids": [(6, 0, cls.company.ids)],
        })

    def page(self, path, **kwargs):
        answer = self.url_open(path, **kwargs)
        self.assertEqual(answer.status_code, 200, path)
        return answer

    def test_a_customer_sees_the_own_line(self):
        move = self.bill(self.line, date(2026, 1, 5))
        theirs = self.bill(self.other, date(2026, 1, 5))
        self.line._isp_by_hand("isolate", "Diminta")
        today = self.company._isp_today()
        self.env["isp.promise"].create({"customer_id": self.line.customer_id.id, "until": today + timedelta(days=3)})
        self.authenticate("portal-siti", "portal-siti")
        home = self.page("/my")
        self.assertIn("/my/internet", home.text)
        every = self.page("/my/internet").text
        self.assertIn(self.line.name, every)
        self.assertNotIn(self.other.name, every)
        own = self.page("/my/internet/%s" % self.line.id).text
        for word in (move.name, "277.500", self.line.customer_id.customer_code, "Diisolir", "BCA 123 456", "Anda berjanji"):
            self.assertIn(word, own)
        self.assertNotIn(theirs.name, own)
        self.assertNotIn("rahasia", own)
        self.assertNotIn(self.line.ppp_username, own)
        self.page(move.get_portal_url())

    def test_nobody_sees_or_reports_for_another(self):
        self.authenticate("portal-siti", "portal-siti")
        for line in (self.other.id, 999_999_999):
            answer = self.page("/my/internet/%s" % line)
            self.assertTrue(answer.url.endswith("/my/internet"), answer.url)
            self.assertNotIn(self.other.name, answer.text)
        messages = len(self.other.message_ids)
        token = Request.csrf_token(self)
        answer = self.page("/my/internet/%s/fault" % self.other.id, data={"description": "mati", "csrf_token": token})
        self.assertTrue(answer.url.endswith("/my/internet"), answer.url)
        self.env.invalidate_all()
        self.assertEqual(len(self.other.message_ids), messages)
        self.assertFalse(self.other.activity_ids)
        # Nor by the model's own doors.
        env = self.env(user=self.visitor)
        for model in ("isp.subscription", "isp.customer", "isp.cpe", "isp.promise", "isp.notification"):
            self.assertFalse(env[model].check_access_rights("read", raise_exception=False), model)

    def test_nobody_without_logging_in(self):
        self.authenticate(None, None)
        self.assertIn("/web/login", self.page("/my/internet/%s" % self.line.id).url)

    def test_a_fault_is_reported(self):
        self.authenticate("portal-siti", "portal-siti")
        token = Request.csrf_token(self)
        answer = self.page("/my/internet/%s/fault" % self.line.id, data={
            "description": "Mati sejak pagi <script>alert(1)</script>", "csrf_token": token,
        })
        self.assertIn("told=yes", answer.url)
        self.env.invalidate_all()
        self.assertIn("Mati sejak pagi", self.line.message_ids[0].body)
        self.assertNotIn("<script>", self.line.message_ids[0].body)
        self.assertEqual(self.line.message_ids[0].author_id, self.visitor.partner_id)
        [activity] = self.line.activity_ids
        self.assertEqual((activity.user_id, activity.activity_type_id), (self.technician, self.env.ref("isp_management.activity_fault")))
        self.assertNotIn("<script>", activity.note)
        for number in range(8):
            self.page("/my/internet/%s/fault" % self.line.id, data={
                "description": "Masih mati %s" % number, "csrf_token": Request.csrf_token(self),
            })
        self.env.invalidate_all()
        self.assertEqual(self.line.activity_ids, activity, "one errand")
        told = self.line.message_ids.filtered(lambda message: message.author_id == self.visitor.partner_id)
        self.assertEqual(len(told), 5, "what says it again and again is not kept")
        answer = self.page("/my/internet/%s/fault" % self.line.id, data={"description": "  ", "csrf_token": Request.csrf_token(self)})
        self.assertIn("told=empty", answer.url)

    def test_installation_and_pickup_are_activities_with_a_checklist(self):
        line = self.line.with_user(self.technician).with_context(lang="id_ID")
        line.action_isp_plan_installation()
        line.action_isp_plan_installation()
        [activity] = self.line.activity_ids
        self.assertEqual(activity.user_id, self.technician)
        self.assertIn("o_checklist", activity.note)
        self.assertGreaterEqual(activity.note.count("<li"), 5)
        with self.assertRaisesRegex(Exception, "pinjam|lent"):
            line.action_isp_plan_pickup()
        self.env["isp.cpe"].create({"customer_id": line.customer_id.id, "subscription_id": line.id, "outdoor_unit": "LHG 5"}).action_install()
        line.action_isp_plan_pickup()
        pickup = self.line.activity_ids - activity
        self.assertIn("LHG 5", pickup.summary)
        activity.with_user(self.technician).action_feedback("Selesai")
        self.assertEqual(self.line.activity_ids, pickup)
