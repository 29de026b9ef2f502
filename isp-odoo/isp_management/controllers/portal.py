"""What a customer sees of the own lines after logging in, and how a fault is reported."""

from odoo import http
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

from .customer_page import LARGEST_FORM, sent_file

# What somebody types is cut to this; a log is no place for books.
FAULT_AT_MOST = 1000


class IspPortal(CustomerPortal):
    def _isp_lines(self):
        """The lines of whoever is logged in, and of nobody else: read as the system, within this."""
        partner = request.env.user.partner_id.commercial_partner_id
        return request.env["isp.subscription"].sudo().search([
            ("partner_id.commercial_partner_id", "=", partner.id), ("state", "!=", "draft"),
        ])

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        if "isp_line_count" in counters:
            values["isp_line_count"] = len(self._isp_lines())
        return values

    @http.route("/my/internet", type="http", auth="user", website=True)
    def isp_lines(self, **kwargs):
        return request.render("isp_management.portal_lines", {"page_name": "isp_lines", "lines": self._isp_lines()})

    @http.route("/my/internet/<int:line_id>", type="http", auth="user", website=True)
    def isp_line(self, line_id, told=None, **kwargs):
        line = self._isp_lines().filtered(lambda one: one.id == line_id)
        if not line:
            return request.redirect("/my/internet")
        today = line.company_id._isp_today()
        invoices = line.move_ids.filtered(lambda m: m.state == "posted" and m.move_type == "out_invoice")
        return request.render("isp_management.portal_line", {
            "page_name": "isp_line", "line": line, "told": told, "today": today,
            "owing": invoices.filtered("amount_residual"),
            "invoices": invoices.sorted(lambda m: (m.invoice_date, m.id), reverse=True)[:24],
            "asked": line.customer_id._isp_request(), "said": told,
            "proofs": request.env["isp.proof"].sudo().search([("customer_id", "=", line.customer_id.id)], limit=5),
            "promise": line.customer_id._isp_promised(today),
        })

    @http.route("/my/internet/<int:line_id>/pay", type="http", auth="user", methods=["POST"], website=True)
    def isp_pay(self, line_id, **kwargs):
        """An amount that nobody else is asked for, so that the money is known by it."""
        line = self._isp_lines().filtered(lambda one: one.id == line_id)
        if not line:
            return request.redirect("/my/internet")
        if line.env["isp.proof"]._isp_open_of(line.customer_id):
            line.env["isp.payment_request"]._isp_ask(line.customer_id)
        return request.redirect("/my/internet/%s" % line.id)

    @http.route("/my/internet/<int:line_id>/proof", type="http", auth="user", methods=["POST"], website=True, max_content_length=LARGEST_FORM)
    def isp_proof(self, line_id, file=None, **kwargs):
        """A proof of transfer: while it waits for review the line is not isolated."""
        line = self._isp_lines().filtered(lambda one: one.id == line_id)
        if not line:
            return request.redirect("/my/internet")
        said = line.customer_id._isp_page_proof(*sent_file(file), by=request.env.user)
        return request.redirect("/my/internet/%s?told=%s" % (line.id, said))

    @http.route("/my/internet/<int:line_id>/fault", type="http", auth="user", methods=["POST"], website=True)
    def isp_fault(self, line_id, description="", **kwargs):
        line = self._isp_lines().filtered(lambda one: one.id == line_id)
        description = (description or "").strip()[:FAULT_AT_MOST]
        if not line:
            return request.redirect("/my/internet")
        if not description:
            return request.redirect("/my/internet/%s?told=empty" % line.id)
        line._isp_fault_reported(description, request.env.user.partner_id)
        return request.redirect("/my/internet/%s?told=yes" % line.id)
