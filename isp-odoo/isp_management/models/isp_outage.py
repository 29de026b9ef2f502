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
    duration = fields.Float("Duration (hours)", compute="_compute_duration", store=True)
    credit_ids = fields.One2many("account.move", "isp_outage_id", "Credit notes")
    credit_count = fields.Integer("Number of credit notes", compute="_compute_credit")
    credit_amount = fields.Monetary("Given back", compute="_compute_credit")
    currency_id = fields.Many2one(related="company_id.currency_id")

    _sql_constraints = [("order", "check(until is null or until >= since)", "An outage does not end before it starts.")]

    @api.depends("until")
    def _compute_state(self):
        for outage in self:
            outage.state = "closed" if outage.until else "open"

    @api.depends("since", "until")
    def _compute_duration(self):
        for outage in self:
            outage.duration = (outage.until - outage.since).total_seconds() / 3600 if outage.until and outage.since else 0

    def _compute_credit(self):
        groups = self.env["account.move"].sudo()._read_group(
            [("isp_outage_id", "in", self.ids), ("state", "=", "posted")], ["isp_outage_id"], ["__count", "amount_total:sum"]
        )
        found = {outage.id: (count, amount) for outage, count, amount in groups}
        for outage in self:
            outage.credit_count, outage.credit_amount = found.get(outage.id, (0, 0))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("An outage is closed, not deleted: it explains why nobody was isolated."))

    def action_close(self):
        self.filtered(lambda o: not o.until).until = fields.Datetime.now()
        return True

    def action_give_back(self):
        """Show who would get how much back for this outage (restitusi)."""
        self.ensure_one()
        return self.env["isp.outage.credit.wizard"]._isp_open_for(self)

    def action_view_credits(self):
        self.ensure_one()
        title = _("Given back for %s", self.name)
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_invoice_action")
        return {
            **action, "name": title, "display_name": title, "domain": [("isp_outage_id", "=", self.id)],
            "context": {"default_move_type": "out_refund", "create": False}, "target": "current",
        }
