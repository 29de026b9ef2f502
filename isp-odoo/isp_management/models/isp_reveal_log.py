from odoo import _, api, fields, models
from odoo.exceptions import UserError


class IspRevealLog(models.Model):
    _name = "isp.reveal_log"
    _description = "Reveal or use of an encrypted value"
    _order = "id desc"
    _rec_name = "res_name"

    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    res_model = fields.Char("Model", required=True, readonly=True, index=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", required=True, readonly=True)
    res_name = fields.Char("Name", readonly=True)
    field_name = fields.Char("Field", required=True, readonly=True)
    reason = fields.Char(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True, index=True)

    @api.model
    def _record(self, record, name, reason):
        company = record.company_id if "company_id" in record._fields else self.env.company
        return self.sudo().create({
            "user_id": self.env.user.id,
            "res_model": record._name,
            "res_id": record.id,
            "res_name": record.display_name,
            "field_name": name,
            "reason": reason or False,
            "company_id": company.id,
        })

    def write(self, vals):
        if vals:
            raise UserError(_("The log of reveals cannot be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("The log of reveals cannot be deleted."))
