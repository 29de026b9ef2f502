import hashlib
import hmac
from datetime import date, datetime, timezone

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..controllers import whatsapp as controller
from .network_common import IspNetworkCommon

NOW = datetime(2026, 3, 2, 2, 5, tzinfo=timezone.utc)
CONTROLLER = "odoo.addons.isp_management.controllers.whatsapp"


@tagged("post_install", "-at_install")
class TestWebhook(IspNetworkCommon, HttpCase):
    def setUp(self):
        super().setUp()
        controller.throttle = controller.Throttle()
        line = self.new_line()
        self.bill(line, date(2026, 2, 23))
        self.at("2026-03-02 09:00")["isp.notification"]._cron_isp_reminders()
        self.reminder = self.env["isp.notification"].search([("company_id", "=", self.company.id)])
        self.path = "/isp/whatsapp/%s" % self.channel.sudo().webhook_key

    def post(self, body, signature, path=None):
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        response = self.url_open(path or self.path, data=body, headers=headers)
        self.env.invalidate_all()
        return response.status_code

    def report(self, *words, code=None):
        reference = self.sent()[-1].message_id
        webhook = self.meta.status_webhook([(reference, word) for word in words], NOW, code=code)
        return webhook.body, webhook.signature

    def test_statuses_come_twice_and_in_any_order(self):
        self.send("2026-03-02 09:01")
        self.assertEqual(self.reminder.state, "sent")
        self.assertEqual(self.post(*self.report("read", "sent", "delivered")), 200)
        self.assertEqual((self.reminder.state, self.reminder.read_at), ("read", datetime(2026, 3, 2, 2, 5)))
        for words in (["delivered"], ["sent"], ["read"], ["delivered"]):
            self.assertEqual(self.post(*self.report(*words)), 200)
        self.assertEqual((self.reminder.state, self.reminder.delivered_at), ("read", datetime(2026, 3, 2, 2, 5)))
        self.assertTrue(self.channel.last_webhook)

    def test_a_report_settles_what_was_unknown(self):
        self.meta.fail("reply_lost")
        self.send("2026-03-02 09:01")
        self.assertEqual(self.reminder.state, "unknown")
        self.assertEqual(self.post(*self.report("delivered")), 200)
        self.assertEqual((self.reminder.state, self.reminder.error), ("delivered", False))
        self.assertEqual(self.reminder.provider_reference, self.sent()[-1].message_id)

    def test_a_failure_is_shown_with_its_code(self):
        self.send("2026-03-02 09:01")
        self.post(*self.report("failed", code=131026))
        self.assertEqual((self.reminder.state, self.reminder.error_code), ("failed", "whatsapp.131026"))
        self.post(*self.report("delivered"))
        self.assertEqual(self.reminder.state, "delivered", "a phone that shows it is stronger evidence")

    @mute_logger(CONTROLLER)
    def test_what_is_not_signed_is_not_believed(self):
        self.send("2026-03-02 09:01")
        body, signature = self.report("read")
        for given in (None, "", "sha256=" + "0" * 64, signature[7:]):
            self.assertEqual(self.post(body, given), 401)
        self.assertEqual(self.post(body + b" ", signature), 401)
        self.assertEqual(self.post(body, signature, "/isp/whatsapp/unknown"), 401)
        self.assertEqual(self.reminder.state, "sent")
        junk = b"{}"
        signed = "sha256=" + hmac.new(self.meta.app_secret.encode(), junk, hashlib.sha256).hexdigest()
        self.assertEqual(self.post(junk, signed), 400)
        self.assertEqual(self.post(body, signature), 200)
        self.assertEqual(self.reminder.state, "read")

    @mute_logger(CONTROLLER)
    def test_who_is_wrong_too_often_is_not_looked_at(self):
        controller.throttle = controller.Throttle(most=3)
        self.send("2026-03-02 09:01")
        body, signature = self.report("read")
        codes = [self.post(body, "sha256=" + "0" * 64) for _ in range(5)]
        self.assertEqual(codes, [401, 401, 401, 429, 429])
        self.assertEqual(self.post(body, signature), 429)
        self.assertEqual(self.reminder.state, "sent")

    @mute_logger(CONTROLLER)
    def test_meta_subscribes_with_the_word_that_was_agreed(self):
        query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
        answer = self.url_open(self.path + query + "kata-kunci")
        self.assertEqual((answer.status_code, answer.text), (200, "1158201444"))
        self.assertEqual(self.url_open(self.path + query + "salah").status_code, 403)
        self.assertEqual(self.url_open("/isp/whatsapp/unknown" + query + "kata-kunci").status_code, 403)

    def test_the_webhook_user_may_write_the_log_and_nothing_else(self):
        user = self.env.ref("isp_management.user_webhook")
        self.assertFalse(user.active)
        self.assertFalse(user.has_group("base.group_user"))
        own = self.env(user=user.id, context={"allowed_company_ids": user.company_ids.ids})
        self.assertEqual(own["isp.notification"].search([("id", "=", self.reminder.id)]), self.reminder)
        for model in ("isp.customer", "isp.subscription", "isp.router", "account.move", "isp.reveal_log"):
            with self.assertRaises(AccessError, msg=model), mute_logger("odoo.addons.base.models.ir_model"):
                own[model].search([], limit=1).read(["id"])
                own[model].check_access_rights("read")
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            own["isp.notification"].create({})

    def test_throttle_forgets(self):
        throttle = controller.Throttle(most=2, seconds=10, addresses=3)
        for _ in range(2):
            throttle.wrong("a", 0)
        self.assertTrue(throttle.blocks("a", 9))
        self.assertFalse(throttle.blocks("a", 10))
        self.assertFalse(throttle.blocks("b", 0))
        for address in "bcd":
            throttle.wrong(address, 0)
        self.assertFalse(throttle.blocks("a", 1), "the oldest is forgotten, so that memory has an end")
