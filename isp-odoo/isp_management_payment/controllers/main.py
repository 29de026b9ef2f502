import logging
from urllib.parse import urlencode

from isp_engine import InvalidValue, NotVerified, gateways

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import consteq

from ..const import KINDS, OWN, PAGE, WEBHOOK

_logger = logging.getLogger(__name__)

STATUS = {"webhook.signature_missing": 401, "webhook.signature_mismatch": 401, "webhook.not_set_up": 503}
# A notice has some kilobytes.
LARGEST = 1 << 18


class IspGateway(http.Controller):
    @http.route(WEBHOOK % "<int:provider_id>", type="http", auth="public", methods=["POST"], csrf=False, save_session=False,
                max_content_length=LARGEST)
    def isp_webhook(self, provider_id, **kwargs):
        """A gateway tells of a payment. It is answered when what it told is in the books, or will be by the next question."""
        provider = found("payment.provider", provider_id)
        if not provider or not provider._isp_hears():
            return request.make_response("", status=404)
        length = request.httprequest.content_length
        if length is None or length > LARGEST:
            return request.make_response("", status=413 if length else 411)
        body = raw_body()
        try:
            gateway = provider._isp_gateway()
            notice = gateways.receive(gateway, list(request.httprequest.headers.items()), body)
        except NotVerified as error:
            _logger.warning("a webhook of %s is not believed: %s", provider.name, error.code)
            return request.make_response(error.code, status=STATUS.get(error.code, 400))
        except (InvalidValue, UserError) as error:
            _logger.error("%s cannot read its webhooks: %s", provider.name, error)
            return request.make_response("", status=503)
        if notice:
            env = request.env["payment.transaction"].sudo()
            if not env._isp_heard(provider, notice) and env.search_count([("reference", "=", notice.reference)], limit=1):
                # The gateway could not be asked just now: let it tell again.
                return request.make_response("", status=503)
        return request.make_response(gateways.acknowledgement(gateway), status=200)

    @http.route(PAGE % "<int:transaction_id>", type="http", auth="public", methods=["GET"], website=True, sitemap=False)
    def isp_page(self, transaction_id, access_token="", **kwargs):
        """With what to pay: a code or a number, and whether it came. Works without JavaScript."""
        asked = found("payment.transaction", transaction_id)
        # As bytes: what somebody types may be no ASCII.
        if not asked or asked.provider_code not in (*KINDS, OWN) or not consteq(asked._isp_token().encode(), (access_token or "").encode()):
            raise request.not_found()
        response = request.render("isp_management_payment.pay", {
            "transaction": asked, "waits": asked.state in ("draft", "pending"), "image": asked._isp_qris_image(),
            "invoices": asked.invoice_ids,
        })
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response


def found(model, number):
    """The record of a number in an address, as the system; none when no row can have the number."""
    records = request.env[model].sudo()
    return records.browse(number).exists() if 0 < number < 2**31 else records


def raw_body():
    """The bytes as they came. Odoo reads a form before anybody else can: Duitku's, whose signature is over its fields, is written again."""
    if request.httprequest.mimetype == "application/x-www-form-urlencoded":
        return urlencode(list(request.httprequest.form.items(multi=True))).encode()
    return request.httprequest.get_data()
