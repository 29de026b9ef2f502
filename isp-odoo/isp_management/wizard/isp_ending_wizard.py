from odoo import _, api, fields, models
from odoo.exceptions import UserError

MODELS = ("isp.promise", "isp.exemption", "isp.outage")


class IspEndingWizard(models.TransientModel):
    _name = "isp.ending.wizard"
    _description = "End something recorded, or take it back"
    _inherit = ["isp.show.mixin"]

    res_model = fields.Selection(
        [("isp.promise", "Promise"), ("isp.exemption", "Exemption"), ("isp.outage", "Outage")], "What", required=True, readonly=True
    )
    record_id = fields.Many2oneReference(model_field="res_model", required=True, readonly=True)
    record_name = fields.Char("Which", compute="_compute_record")
    may_end = fields.Boolean(compute="_compute_record")
    kind = fields.Selection(
        [("ended", "It held until now"), ("taken_back", "It was recorded by mistake")], "How", required=True, default="ended"
    )
    reason = fields.Char()

    @api.depends("res_model", "record_id")
    def _compute_record(self):
        for wizard in self:
            record = self._isp_record(wizard)
            wizard.record_name = record.display_name
            wizard.may_end = "ended" in record._isp_endings

    @api.model
    def _isp_record(self, wizard):
        record = self.env[wizard.res_model].browse(wizard.record_id)
        record.check_access_rule("read")
        return record

    def action_confirm(self):
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(_("Write down the reason: the customer will ask."))
        self._isp_record(self)._isp_end(self.kind, self.reason)
        return {"type": "ir.actions.act_window_close"}
