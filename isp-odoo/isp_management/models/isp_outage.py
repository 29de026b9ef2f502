from odoo import _, api, fields, models
from odoo.exceptions import UserError


class IspOutage(models.Model):
    _name = "isp.outage"
    _description = "Outage of a router"
    _inherit = ["mail.thread"]
    _order = "since desc, id desc"
    _check_company_auto = True

    name = fields.Char("What happened", required=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    router_id = fields.Many2one("isp.router", required=True, check_company=True, ondelete="restrict", index=True)
    since = fields.Datetime(required=True, default=fields.Datetime.now, tracking=True)
    until = fields.Datetime(tracking=True, help="Empty while it lasts.")
    state = fields.Selection([("open", "Going on"), ("closed", "Over")], compute="_compute_state", store=True, index=True)
    note = fields.Text()

    _sql_constraints = [("order", "check(until is null or until >= since)", "An outage does not end before it starts.")]

    @api.depends("until")
    def _compute_state(self):
        for outage in self:
            outage.state = "closed" if outage.until else "open"

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("An outage is closed, not deleted: it explains why nobody was isolated."))

    def action_close(self):
        self.filtered(lambda o: not o.until).until = fields.Datetime.now()
