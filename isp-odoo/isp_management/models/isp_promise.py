from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_guard_mixin import BILLING, ENDING, PROGRAM


class IspPromise(models.Model):
    _name = "isp.promise"
    _description = "Promise to pay"
    _inherit = ["mail.thread", "isp.guard.mixin"]
    _order = "until desc, id desc"
    _rec_name = "until"
    _check_company_auto = True
    _isp_guarded = {"state": PROGRAM, **ENDING}
    _isp_guarded_later = {"customer_id": BILLING, "company_id": PROGRAM}

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("isp.customer", required=True, check_company=True, ondelete="restrict", index=True)
    made_on = fields.Date(required=True, default=lambda self: self.env.company._isp_today())
    until = fields.Date("Pays until", required=True, index=True, tracking=True, help="Last day on which it protects.")
    amount = fields.Monetary()
    user_id = fields.Many2one("res.users", "Taken by", default=lambda self: self.env.user)
    note = fields.Char()
    state = fields.Selection(
        [("running", "Running"), ("kept", "Kept"), ("broken", "Broken"), ("cancelled", "Cancelled")],
        default="running", required=True, tracking=True, index=True,
    )

    _sql_constraints = [("order", "check(until >= made_on)", "A promise does not end before it is made.")]

    @api.onchange("customer_id")
    def _onchange_customer_id(self):
        self.amount = max(self.customer_id.amount_overdue, 0)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("A promise is cancelled, not deleted."))

    def action_cancel(self):
        """Ask why it holds no longer."""
        return self.action_isp_end()
