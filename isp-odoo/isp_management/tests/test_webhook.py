import hashlib
import hmac
import json
import logging
import time
from datetime import date, datetime, timezone
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import IspHttpCase
from .network_common import IspNetworkCommon

NOW = datetime(2026, 3, 2, 2, 5, tzinfo=timezone.utc)
CONTROLLER = "odoo.addons.isp_management.controllers.whatsapp"
ATTEMPTS = "odoo.addons.isp_management.models.isp_webhook_attempt"
_logger = logging.getLogger(__name__)


@tagged("post_install", "-at_install")
class TestWebhook(IspNetworkCommon, IspHttpCase):
    def setUp(self):
        super().setUp()
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
        self.startPatcher(patch(ATTEMPTS + ".MOST", 3))
        self.send("2026-03-02 09:01")
        body, signature = self.report("read")
        codes = [self.post(body, "sha256=" + "0" * 64) for _ in range(5)]
        self.assertEqual(codes, [401, 401, 401, 429, 429])
        self.assertEqual(self.reminder.state, "sent")
        self.assertEqual(self.post(body, signature), 200, "behind a proxy the address is Meta's, too")
        self.assertEqual(self.reminder.state, "read")
        self.assertEqual(self.post(body, "sha256=" + "0" * 64), 429)
        query = "?hub.mode=subscribe&hub.challenge=1&hub.verify_token="
        self.assertEqual(self.url_open(self.path + query + "salah").status_code, 429)
        self.assertEqual(self.url_open(self.path + query + "kata-kunci").status_code, 200)

    def signed(self, body):
        """A body as Meta would send it, whatever is in it."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return raw, "sha256=" + hmac.new(self.meta.app_secret.encode(), raw, hashlib.sha256).hexdigest()

    @mute_logger(CONTROLLER)
    def test_one_odd_event_loses_no_neighbour(self):
        self.send("2026-03-02 09:01")
        body = json.loads(self.report("read")[0])
        statuses = body["entry"][0]["changes"][0]["value"]["statuses"]
        good = statuses[0]
        odd = [
            {**good, "timestamp": "1772416800000"}, {**good, "timestamp": "-1"}, {**good, "timestamp": str(2**40)},
            {**good, "timestamp": 5}, {**good, "timestamp": None}, {**good, "timestamp": {"a": [1]}}, {**good, "timestamp": "9" * 40},
            {**good, "status": {"a": [1, {"b": None}]}}, {**good, "status": "danced"}, {**good, "id": 7}, {**good, "id": "a\0b"},
            {**good, "errors": "x"}, {"nothing": 1}, "text", None, 7, [], [[good]],
            {**good, "id": "x", "biz_opaque_callback_data": "%s:%s" % (
                self.env["ir.config_parameter"].sudo().get_param("database.uuid"), 10**30)},
            {**good, "id": "x", "biz_opaque_callback_data": "%s:²" % (
                self.env["ir.config_parameter"].sudo().get_param("database.uuid"))},
        ]
        reference = good["id"]
        for at, event in enumerate(odd):
            self.reminder.sudo().write({"state": "sent", "read_at": False, "provider_reference": reference})
            self.env.flush_all()
            statuses[:] = [event, good]
            self.assertEqual(self.post(*self.signed(body)), 200, "%s: %s" % (at, event))
            self.assertEqual((self.reminder.state, self.reminder.read_at.year > 2015), ("read", True), "%s: %s" % (at, event))
        entry = body["entry"][0]
        statuses[:] = [good]
        for neighbour in (None, 5, {}, {"changes": None}, {"changes": [None]}, {"changes": [{"value": 5, "field": "messages"}]},
                          {"id": "1", "changes": [{"field": "messages", "value": {"statuses": {"a": 1}}}]}):
            self.reminder.sudo().write({"state": "sent"})
            self.env.flush_all()
            self.assertEqual(self.post(*self.signed({**body, "entry": [neighbour, entry]})), 200, neighbour)
            self.assertEqual(self.reminder.state, "read", neighbour)

    @mute_logger(CONTROLLER)
    def test_a_moment_in_milliseconds_is_that_moment_and_an_impossible_one_is_now(self):
        self.send("2026-03-02 09:01")
        body = json.loads(self.report("read")[0])
        status = body["entry"][0]["changes"][0]["value"]["statuses"][0]
        status["timestamp"] += "000"
        self.assertEqual(self.post(*self.signed(body)), 200)
        self.assertEqual(self.reminder.read_at, NOW.replace(tzinfo=None))
        for odd in ("-1", str(2**40)):
            self.reminder.sudo().write({"state": "sent", "read_at": False})
            self.env.flush_all()
            status["timestamp"] = odd
            self.assertEqual(self.post(*self.signed(body)), 200)
            self.assertLess(abs((datetime.utcnow() - self.reminder.read_at).total_seconds()), 120)

    @mute_logger(CONTROLLER)
    def test_what_is_signed_and_no_notification_is_a_bad_request(self):
        for raw in (b"null", b"[]", b"7", b"[" * 200_000, b"\xff\xfe", b'{"object": "page", "entry": []}',
                    b'{"object": "whatsapp_business_account", "entry": "x"}', b'{"entry": [{}]}'):
            self.assertEqual(self.post(*self.signed(raw)), 400, raw[:50])
        attempts = self.env["isp.webhook_attempt"].sudo()
        self.assertFalse(attempts.search_count([]), "who signs is not counted among the wrong")

    @mute_logger(CONTROLLER)
    def test_an_empty_secret_verifies_nothing(self):
        self.send("2026-03-02 09:01")
        body = self.report("read")[0]
        for empty in (False, "", " "):
            self.channel.write({"app_secret": empty, "verify_token": empty})
            self.env.flush_all()
            for key in (b"", b" "):
                signature = "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()
                self.assertEqual(self.post(body, signature), 401, (empty, key))
            for word in ("", "%20"):
                query = "?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + word
                self.assertEqual(self.url_open(self.path + query).status_code, 403, (empty, word))
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

    def test_the_throttle_is_shared_and_forgets(self):
        self.startPatcher(patch(ATTEMPTS + ".MOST", 2))
        attempts = self.env["isp.webhook_attempt"].sudo()
        for _ in range(2):
            self.assertFalse(attempts._isp_blocks("192.0.2.1"))
            attempts._isp_wrong("192.0.2.1")
        self.assertTrue(attempts._isp_blocks("192.0.2.1"))
        self.assertFalse(attempts._isp_blocks("192.0.2.2"), "another address")
        self.env.cr.execute("UPDATE isp_webhook_attempt SET at = at - interval '59 seconds'")
        self.assertTrue(attempts._isp_blocks("192.0.2.1"))
        self.env.cr.execute("UPDATE isp_webhook_attempt SET at = at - interval '2 seconds'")
        self.assertFalse(attempts._isp_blocks("192.0.2.1"))
        attempts._gc_attempts()
        self.assertFalse(attempts.search_count([("address", "like", "192.0.2.")]))

    def test_a_flood_costs_one_look_at_an_index(self):
        """A hundred thousand rows of other addresses, and one that floods: the question stays one short query."""
        attempts = self.env["isp.webhook_attempt"].sudo()
        self.env.cr.execute("""
            INSERT INTO isp_webhook_attempt (address, at)
            SELECT '10.' || n %% 250 || '.' || n / 250 || '.1', now() AT TIME ZONE 'UTC' FROM generate_series(1, %s) n
        """, [100_000])
        for _ in range(25):
            attempts._isp_wrong("192.0.2.9")
        self.env.cr.execute("ANALYZE isp_webhook_attempt")
        with self.assertQueryCount(1):
            self.assertTrue(attempts._isp_blocks("192.0.2.9"))
        started = time.perf_counter()
        for _ in range(500):
            attempts._isp_blocks("192.0.2.9")
        each = (time.perf_counter() - started) / 500
        _logger.info("a blocked request costs %.2f ms of the database", each * 1000)
        self.assertLess(each, 0.02)
