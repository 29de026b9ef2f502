"""Meta's webhook: verified over the bytes as they came, throttled, and run as a user who may write the log only."""

import logging
from datetime import timezone

import isp_engine
from isp_engine import whatsapp
from werkzeug.exceptions import TooManyRequests

from odoo import fields, http
from odoo.http import request

from ..logic import webhook

_logger = logging.getLogger(__name__)

# A batch of a thousand statuses is below 1 MB.
LIMIT = 3 * 1024 * 1024


class WhatsAppWebhook(http.Controller):
    @http.route(
        "/isp/whatsapp/<string:key>", type="http", auth="public", methods=["GET"], csrf=False, save_session=False
    )
    def subscribe(self, key, **_query):
        """Meta asks whether this is the webhook that it was told of."""
        query = request.httprequest.query_string.decode("latin-1")
        try:
            _channel, challenge = self._verified(
                key, "verify_token", lambda token: whatsapp.answer_subscription(token, query)
            )
        except isp_engine.NotVerified:
            return self._answer(403)
        return self._answer(200, challenge)

    @http.route(
        "/isp/whatsapp/<string:key>", type="http", auth="public", methods=["POST"], csrf=False, save_session=False
    )
    def receive(self, key, **_form):
        """Status reports. Whatever is in them is believed only when the signature fits the bytes."""
        if (request.httprequest.content_length or 0) > LIMIT:
            return self._answer(413)
        raw = request.httprequest.get_data(cache=True)
        signature = request.httprequest.headers.get("X-Hub-Signature-256")
        now = fields.Datetime.now().replace(tzinfo=timezone.utc)
        try:
            channel, (events, lost) = self._verified(
                key, "app_secret", lambda secret: webhook.receive(secret, signature, raw, now)
            )
        except isp_engine.NotVerified as error:
            return self._answer(400 if error.code == "webhook.malformed" else 401)
        if lost:
            # Meta would send the same body again and again.
            _logger.warning("webhook: %s of %s events could not be read", lost, lost + len(events))
        self._write(channel, events)
        return self._answer(200)

    def _verified(self, key, name, verify):
        """The channel of a key, and what ``verify`` makes of the channel's secret of that name.

        Who is wrong is counted, by address. What is signed is never refused for it: behind a proxy the address is everybody's.
        """
        attempts, address = request.env["isp.webhook_attempt"].sudo(), request.httprequest.remote_addr
        channel = self._channel(key)
        secret = channel._isp_open(name) if channel else False
        try:
            # An empty secret would be everybody's.
            if not (secret or "").strip():
                raise isp_engine.NotVerified("no such webhook", "webhook.unknown")
            return channel, verify(secret)
        except isp_engine.NotVerified as error:
            if error.code == "webhook.malformed":
                _logger.warning("webhook: signed, and no notification")
                raise
            if attempts._isp_blocks(address):
                raise TooManyRequests() from error
            attempts._isp_wrong(address)
            _logger.warning("webhook not believed: %s", error.code)
            raise

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
            if isinstance(event, whatsapp.TemplateEvent) and webhook.storable(event):
                text = "%s (%s)" % (event.event, event.reason) if event.reason else event.event
                env["isp.message_template"].search([
                    ("company_id", "=", channel.company_id.id),
                    ("name", "=", event.name),
                    ("language", "=", event.language),
                ]).write({"meta_status": text})
        channel.write({"last_webhook": now})

    def _answer(self, status, text=""):
        return request.make_response(text, headers=[("Content-Type", "text/plain; charset=utf-8")], status=status)
