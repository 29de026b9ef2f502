"""Paying online from the page that the link in a message opens."""

import logging
from urllib.parse import urlencode

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.isp_management.controllers.customer_page import HEADERS, IspCustomerPage

from ..const import PAGE

_logger = logging.getLogger(__name__)


class IspCustomerPayment(IspCustomerPage):
    @http.route("/my/bill/<int:number>/online", type="http", auth="public", methods=["POST"], website=True, sitemap=False)
    def isp_online(self, number, access_token="", lang="", way="", **kwargs):
        customer = self._isp_customer(number, access_token, lang)
        page = customer._isp_page() if customer else {}
        chosen = [pair for pair in page.get("ways", []) if way == "%s-%s" % (pair[0].id, pair[1].id)]
        if not customer or not chosen and page["moves"]:
            return self._isp_answer("isp_management.customer_page_unknown", {"chosen": lang}, 404)
        address, values = "/my/bill/%s" % number, {"access_token": access_token, "said": "nothing", "lang": lang}
        if chosen:
            try:
                begun = customer._isp_begin_payment(*chosen[0], page["moves"])
                begun._get_processing_values()
                address, values = PAGE % begun.id, {"access_token": begun._isp_token(), "lang": lang}
            except UserError as error:
                _logger.info("a payment from a customer's page was not begun: %s", error)
                values["said"] = "busy"
        response = request.redirect("%s?%s" % (address, urlencode({key: value for key, value in values.items() if value})), code=303)
        response.headers.update(HEADERS)
        return response
