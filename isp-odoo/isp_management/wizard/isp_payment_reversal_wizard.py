from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from ..models.isp_guard_mixin import BILLING


class IspPaymentReversalWizard(models.TransientModel):
    _name = "isp.payment.reversal.wizard"
    _description = "Take a payment back that bounced or was typed wrongly"
    _inherit = ["isp.show.mixin"]

    payment_id = fields.Many2one("account.payment", required=True)
    reason = fields.Char()

    @api.model
    def _isp_open_for(self, payments):
        if not self.env.user.has_group(BILLING):
            raise AccessError(_("Taking payments back is for the group Billing."))
        payments.ensure_one()
        return self.create({"payment_id": payments.id})._isp_show(_("Take back"))

    def action_confirm(self):
        self.ensure_one()
        if not self.env.user.has_group(BILLING):
            raise AccessError(_("Taking payments back is for the group Billing."))
        self.payment_id._isp_take_back(self.reason)
        return {"type": "ir.actions.act_window_close"}


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def action_isp_take_back(self):
        return self.env["isp.payment.reversal.wizard"]._isp_open_for(self)
