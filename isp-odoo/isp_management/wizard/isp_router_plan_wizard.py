from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.isp_router_sync import difference


class IspRouterPlanWizard(models.TransientModel):
    _name = "isp.router.plan.wizard"
    _description = "What would change on a router"
    _inherit = ["isp.show.mixin"]

    router_id = fields.Many2one("isp.router", required=True, readonly=True)
    text = fields.Text("Difference", readonly=True)
    isolates = fields.Integer("Lines that would be isolated", readonly=True)
    limit = fields.Integer("Without approval at most", readonly=True)
    needs_approval = fields.Boolean(compute="_compute_needs_approval")
    approve = fields.Boolean("Isolate them all the same")
    line_ids = fields.One2many("isp.router.plan.line", "wizard_id", "Changes", readonly=True)

    @api.depends("isolates", "limit")
    def _compute_needs_approval(self):
        for wizard in self:
            wizard.needs_approval = wizard.isolates > wizard.limit

    @api.model
    def _isp_open_for(self, router):
        """Compare, then show; the router is asked outside any transaction."""
        router.check_access_rights("write")
        router.check_access_rule("write")
        company = router.company_id
        router = router.with_company(company)
        router._isp_log_sending(_("Comparison"))
        plan = router._isp_compare().get(router.id)
        if plan is None or plan.error:
            raise UserError(_("%(router)s does not answer: %(error)s", router=router.name, error=router.last_error))
        wizard = self.create({
            "router_id": router.id,
            "text": plan.text,
            "isolates": plan.isolates,
            "limit": plan.limit,
            "line_ids": [
                (0, 0, {
                    "what": step.what,
                    "name": step.name,
                    "subscription_id": step.account or False,
                    "action": step.action,
                    "difference": difference(step),
                    "isolates": step.isolates,
                })
                for step in plan.steps
                if step.action not in ("keep", "absent") or step.ends_sessions
            ],
        })
        return wizard._isp_show(_("What would change on %s", router.name))

    def action_apply(self):
        """Make it so, and read it back."""
        self.ensure_one()
        if self.approve and not self.env.user.has_group("isp_management.group_manager"):
            raise AccessError(_("Approving isolations is for the group Manager."))
        router = self.router_id.with_company(self.router_id.company_id)
        router.check_access_rights("write")
        router.check_access_rule("write")
        router._isp_log_sending(_("Changes made"))
        lines = router._isp_wanted_lines().filtered(lambda s: s._isp_complete())
        router._isp_sync(lines, approved=self.approve)
        if router.state == "trouble":
            raise UserError(_("%(router)s does not answer: %(error)s", router=router.name, error=router.last_error))
        return {"type": "ir.actions.client", "tag": "soft_reload"}


class IspRouterPlanLine(models.TransientModel):
    _name = "isp.router.plan.line"
    _description = "A change on a router"
    _order = "id"

    wizard_id = fields.Many2one("isp.router.plan.wizard", required=True, ondelete="cascade")
    what = fields.Selection([("profile", "Profile"), ("account", "Account")])
    name = fields.Char()
    subscription_id = fields.Many2one("isp.subscription")
    action = fields.Selection(
        [("keep", "Session ends"), ("absent", "None"), ("create", "New"), ("change", "Change"), ("conflict", "In the way")]
    )
    difference = fields.Char()
    isolates = fields.Boolean()
