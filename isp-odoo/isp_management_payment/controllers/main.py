import logging
from urllib.parse import urlencode

from isp_engine import InvalidValue, NotVerified, gateways

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.isp_management.controllers.customer_page import LANGUAGES
from odoo.addons.isp_management.models.isp_customer_page import TIME_ZONES

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
    def isp_page(self, transaction_id, access_token="", lang="", **kwargs):
        """With what to pay: a code or a number, and whether it came. Works without JavaScript."""
        asked = found("payment.transaction", transaction_id)
        # As bytes: what somebody types may be no ASCII.
        if not asked or asked.provider_code not in (*KINDS, OWN) or not consteq(asked._isp_token().encode(), (access_token or "").encode()):
            raise request.not_found()
        if request.env.user._is_public():
            # Who came by a link in a message logs in nowhere: it is the language of that page, else the payer's.
            installed = [code for code, _name in request.env["res.lang"].get_installed()]
            wanted = LANGUAGES.get(lang) or asked.partner_id.lang
            request.update_context(lang=wanted if wanted in installed else request.env.lang)
        zone = asked.company_id.isp_zone
        response = request.render("isp_management_payment.pay", {
            "transaction": asked, "waits": asked.state in ("draft", "pending"), "image": asked._isp_qris_image(),
            "invoices": asked.invoice_ids.sorted(lambda move: (move.invoice_date_due, move.id)), "token": access_token,
            "zone": zone, "tz_name": TIME_ZONES[zone],
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
