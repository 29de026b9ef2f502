"""Meta's webhook: verified over the bytes as they came, throttled, and run as a user who may write the log only."""

import logging
import threading
import time
from collections import OrderedDict

import isp_engine
from isp_engine import whatsapp

from odoo import fields, http
from odoo.http import request

_logger = logging.getLogger(__name__)

# A batch of a thousand statuses is below 1 MB.
LIMIT = 3 * 1024 * 1024
# Requests that were not believed, by address: more than so many in so many seconds are not looked at.
BAD_REQUESTS, SECONDS, ADDRESSES = 20, 60, 1000


class Throttle:
    """Counts what was not believed, in this process. Meta's own requests are signed and never counted."""

    def __init__(self, most=BAD_REQUESTS, seconds=SECONDS, addresses=ADDRESSES):
        self.most, self.seconds, self.addresses = most, seconds, addresses
        self._bad = OrderedDict()
        self._lock = threading.Lock()

    def blocks(self, address, now):
        """Whether this address has been wrong too often."""
        with self._lock:
            since, count = self._bad.get(address, (now, 0))
            return now - since < self.seconds and count >= self.most

    def wrong(self, address, now):
        """Remember that a request of this address was not believed."""
        with self._lock:
            since, count = self._bad.pop(address, (now, 0))
            if now - since >= self.seconds:
                since, count = now, 0
            self._bad[address] = (since, count + 1)
            while len(self._bad) > self.addresses:
                self._bad.popitem(last=False)


throttle = Throttle()


class WhatsAppWebhook(http.Controller):
    @http.route(
        "/isp/whatsapp/<string:key>", type="http", auth="public", methods=["GET"], csrf=False, save_session=False
    )
    def subscribe(self, key, **_query):
        """Meta asks whether this is the webhook that it was told of."""
        address = request.httprequest.remote_addr
        if throttle.blocks(address, time.monotonic()):
            return self._answer(429)
        channel = self._channel(key)
        token = channel._isp_open("verify_token") if channel else False
        query = request.httprequest.query_string.decode("latin-1")
        try:
            if not token:
                raise isp_engine.NotVerified("no such webhook", "webhook.subscription_refused")
            return self._answer(200, whatsapp.answer_subscription(token, query))
        except isp_engine.NotVerified:
            throttle.wrong(address, time.monotonic())
            return self._answer(403)

    @http.route(
        "/isp/whatsapp/<string:key>", type="http", auth="public", methods=["POST"], csrf=False, save_session=False
    )
    def receive(self, key, **_form):
        """Status reports. Whatever is in them is believed only when the signature fits the bytes."""
        address = request.httprequest.remote_addr
        if throttle.blocks(address, time.monotonic()):
            return self._answer(429)
        if (request.httprequest.content_length or 0) > LIMIT:
            return self._answer(413)
        raw = request.httprequest.get_data(cache=True)
        channel = self._channel(key)
        secret = channel._isp_open("app_secret") if channel else False
        signature = request.httprequest.headers.get("X-Hub-Signature-256")
        try:
            if not secret:
                raise isp_engine.NotVerified("no such webhook", "webhook.signature_mismatch")
            events = whatsapp.receive(secret, signature, raw)
        except isp_engine.NotVerified as error:
            throttle.wrong(address, time.monotonic())
            _logger.warning("webhook not believed: %s", error.code)
            return self._answer(400 if error.code == "webhook.malformed" else 401)
        self._write(channel, events)
        return self._answer(200)

    def _env(self):
        user = request.env.ref("isp_management.user_webhook").sudo()
        return request.env(user=user.id, su=False, context={"allowed_company_ids": user.company_ids.ids})

    def _channel(self, key):
        # The key is hidden from every user; only whether it is right may be asked.
        found = request.env["isp.channel"].sudo().search([("webhook_key", "=", key)], limit=1)
        return self._env()["isp.channel"].browse(found.id)

    def _write(self, channel, events):
        now = fields.Datetime.now()
        statuses = [event for event in events if isinstance(event, whatsapp.StatusEvent)]
        env = channel.env
        env["isp.notification"]._isp_reported(channel.company_id, statuses, now)
        for event in events:
            if isinstance(event, whatsapp.TemplateEvent):
                text = "%s (%s)" % (event.event, event.reason) if event.reason else event.event
                env["isp.message_template"].search([
                    ("company_id", "=", channel.company_id.id),
                    ("name", "=", event.name),
                    ("language", "=", event.language),
                ]).write({"meta_status": text})
        channel.write({"last_webhook": now})

    def _answer(self, status, text=""):
        return request.make_response(text, headers=[("Content-Type", "text/plain; charset=utf-8")], status=status)
