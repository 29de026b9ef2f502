"""The provider's own QRIS code on what asks for money: made of the static code of the shop, with the amount that is still open. The payer's
app shows the amount and lets nobody change it."""

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..logic.money import rupiah_owed


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_qris = fields.Char(
        "Static QRIS code", help="The text of your own static code, as any scanner of codes shows it. With it, invoices, statements and the"
        " customer's page show a code with the open amount. The money comes without a name: match it by its amount.",
    )
    isp_qris_shop = fields.Char("Shop in the QRIS code", compute="_compute_isp_qris_shop")
    isp_request_hours = fields.Integer(
        "Hours of a payment request", default=24, help="So long a customer is shown an own amount. It is kept three days longer.",
    )

    _sql_constraints = [
        ("isp_request_hours_range", "CHECK (isp_request_hours BETWEEN 1 AND 8760)", "A payment request is shown for 1 to 8760 hours."),
    ]

    @api.depends("isp_qris")
    def _compute_isp_qris_shop(self):
        for company in self:
            try:
                company.isp_qris_shop = isp_engine.qris_shop(company.isp_qris) if company.isp_qris else False
            except isp_engine.InvalidValue:
                # Being typed; saving says what is wrong.
                company.isp_qris_shop = False

    @api.constrains("isp_qris")
    def _check_isp_qris(self):
        for company in self.filtered("isp_qris"):
            try:
                isp_engine.qris_shop(company.isp_qris)
            except isp_engine.InvalidValue as error:
                raise ValidationError(_("This is no static QRIS code: %s", error)) from error

    def _isp_qris_asking(self, amount):
        """The code that asks for an amount, or nothing without a code of the company's or for what QRIS does not take."""
        self.ensure_one()
        code = self.sudo().isp_qris
        try:
            return isp_engine.qris_asking(code, max(rupiah_owed(amount), 0)) if code else False
        except isp_engine.InvalidValue:
            return False


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_qris = fields.Char(related="company_id.isp_qris", readonly=False)
    isp_qris_shop = fields.Char(related="company_id.isp_qris_shop")
    isp_request_hours = fields.Integer(related="company_id.isp_request_hours", readonly=False)


class AccountMove(models.Model):
    _inherit = "account.move"

    def _isp_qris(self):
        """The code that pays what is open of these invoices, of one company."""
        moves = self.filtered(lambda m: m.move_type == "out_invoice" and m.state == "posted")
        return moves.company_id._isp_qris_asking(sum(moves.mapped("amount_residual"))) if moves else False
