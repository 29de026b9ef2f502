from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.isp_guard_mixin import BILLING


class IspCorrectionWizard(models.TransientModel):
    _name = "isp.correction.wizard"
    _description = "Give back a part of an invoice that was wrong"
    _inherit = ["isp.show.mixin"]

    move_id = fields.Many2one("account.move", "Invoice", required=True)
    currency_id = fields.Many2one(related="move_id.currency_id")
    amount = fields.Monetary("Amount with PPN")
    reason = fields.Char()

    @api.model
    def _isp_open_for(self, moves):
        if not self.env.user.has_group(BILLING):
            raise AccessError(_("Correcting invoices is for the group Billing."))
        if len(moves) != 1 or moves.move_type != "out_invoice" or moves.state != "posted":
            raise UserError(_("Correct one posted invoice at a time."))
        return self.create({"move_id": moves.id})._isp_show(_("Correct"))

    def action_confirm(self):
        self.ensure_one()
        note = self.move_id._isp_correct(self.amount, self.reason)
        return {
            "type": "ir.actions.act_window", "res_model": "account.move", "res_id": note.id, "view_mode": "form",
        }
