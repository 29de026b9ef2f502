"""The page that the link in a message opens. Looking has no effect: programs fetch links for their previews. What is done is a form."""

from urllib.parse import urlencode

from odoo import http
from odoo.http import request

LANGUAGES = {"id": "id_ID", "en": "en_US"}
# A proof has 5 MB at most. A photo that is somewhat larger is told so; whatever is larger than this is not read.
LARGEST_FILE, LARGEST_FORM = 5 << 20, 20 << 20
HEADERS = {
    "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow", "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
                               " frame-ancestors 'none'",
}


class IspCustomerPage(http.Controller):
    @http.route("/my/bill/<int:number>", type="http", auth="public", methods=["GET"], website=True, sitemap=False)
    def isp_page(self, number, access_token="", said="", lang="", **kwargs):
        customer = self._isp_customer(number, access_token, lang)
        # Not `lang`, which is Odoo's own in templates.
        values = {"said": said, "token": access_token, "chosen": lang, "csrf": request.csrf_token()}
        if not customer:
            return self._isp_answer("isp_management.customer_page_unknown", values, 404)
        return self._isp_answer("isp_management.customer_page", {**values, **customer._isp_page()})

    @http.route("/my/bill/<int:number>/<string:what>", type="http", auth="public", methods=["POST"], website=True, sitemap=False,
                max_content_length=LARGEST_FORM)
    def isp_do(self, number, what, access_token="", lang="", days="", file=None, **kwargs):
        customer = self._isp_customer(number, access_token, lang)
        if not customer or what not in ("pay", "proof", "promise"):
            return self._isp_answer("isp_management.customer_page_unknown", {"chosen": lang}, 404)
        if what == "pay":
            said = customer._isp_page_pay()
        elif what == "proof":
            said = customer._isp_page_proof(*sent_file(file))
        else:
            said = customer._isp_page_promise(int(days) if days.isascii() and days.isdigit() and len(days) < 4 else 0)
        response = request.redirect("/my/bill/%s?%s" % (number, urlencode({
            key: value for key, value in (("access_token", access_token), ("said", said), ("lang", lang)) if value
        })), code=303)
        response.headers.update(HEADERS)
        return response

    def _isp_customer(self, number, token, lang):
        """Whose page it is, in the language of the messages unless another one is asked for."""
        customer = request.env["isp.customer"]._isp_by_link(number, token)
        installed = [code for code, _name in request.env["res.lang"].get_installed()]
        wanted = LANGUAGES.get(lang) or LANGUAGES.get(customer.message_language) or "id_ID"
        request.update_context(lang=wanted if wanted in installed else "en_US")
        return customer.with_env(request.env(su=True))

    def _isp_answer(self, template, values, status=200):
        response = request.make_response(request.env["ir.qweb"].sudo()._render(template, values), status=status)
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        response.headers.update(HEADERS)
        return response


def sent_file(file):
    """Name and content of the file of a form, one byte more than a proof may have at most; nothing when none was chosen."""
    read = getattr(file, "read", None)
    return (file.filename or "", read(LARGEST_FILE + 1)) if read else ("", b"")
