import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_guard_mixin import BILLING, ENDING, PROGRAM


class IspExemption(models.Model):
    _name = "isp.exemption"
    _description = "Exemption from isolation"
    _inherit = ["mail.thread", "isp.guard.mixin"]
    _order = "until desc, id desc"
    _rec_name = "reason"
    _check_company_auto = True
    _isp_guarded = {"state": PROGRAM, "user_id": PROGRAM, **ENDING}
    _isp_guarded_later = {"customer_id": BILLING, "company_id": PROGRAM}

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    customer_id = fields.Many2one("isp.customer", required=True, check_company=True, ondelete="restrict", index=True)
    since = fields.Date(required=True, default=lambda self: self.env.company._isp_today())
    until = fields.Date(required=True, index=True, tracking=True)
    reason = fields.Char(required=True, tracking=True)
    user_id = fields.Many2one("res.users", "Granted by", default=lambda self: self.env.user)
    state = fields.Selection(
        [("running", "Running"), ("cancelled", "Cancelled")], default="running", required=True, tracking=True, index=True
    )

    _sql_constraints = [("order", "check(until >= since)", "An exemption does not end before it starts.")]

    @api.model_create_multi
    def create(self, vals_list):
        # Before the row is there: the database says the same in its own words.
        for vals in vals_list:
            given = {**self.default_get(["since"]), **vals}
            self._isp_check(fields.Date.to_date(given.get("since")), fields.Date.to_date(given.get("until")), given.get("reason"))
        return super().create(vals_list)

    @api.constrains("since", "until", "reason")
    def _check_terms(self):
        for exemption in self:
            self._isp_check(exemption.since, exemption.until, exemption.reason)

    @api.model
    def _isp_check(self, since, until, reason):
        """It has a reason, and ends after it begins: the engine says (rule I2)."""
        if since and until:
            [answer] = isp_engine.check_exemptions([isp_engine.Exemption(since, until, reason or "")])
            self.env["isp.refusals"]._isp_allowed(answer)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("An exemption is cancelled, not deleted."))

    def action_cancel(self):
        """Ask why it holds no longer."""
        return self.action_isp_end()
