from datetime import timedelta

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from ..models.isp_isolation_run import CUTS

# How long an approval holds: the run that it is for, and one more should that fail.
APPROVED_FOR = timedelta(hours=2)


class IspBreakerWizard(models.TransientModel):
    _name = "isp.breaker.wizard"
    _description = "Approve isolations that the breaker holds"
    _inherit = ["isp.show.mixin"]

    router_id = fields.Many2one("isp.router", required=True, readonly=True)
    limit = fields.Integer("Without approval at most", compute="_compute_lines")
    count = fields.Integer("Would be isolated", compute="_compute_lines")
    subscription_ids = fields.Many2many("isp.subscription", string="Lines", compute="_compute_lines")

    @api.depends("router_id")
    def _compute_lines(self):
        for wizard in self:
            wizard.router_id.check_access_rule("read")
            router = wizard.router_id.sudo()
            company = router.company_id
            now, policy = company._isp_now(), company._isp_isolation_policy()
            lines = self.env["isp.subscription"].sudo()
            candidates = lines.search([*lines._isp_candidates(company), ("router_id", "=", router.id)])
            decisions = isp_engine.decide_isolation(candidates._isp_access_facts(now), now, policy=policy)
            wanted = [decision.subscription for decision in decisions if decision.action in CUTS]
            wanted += candidates.filtered(lambda s: s.desired_access == "isolated" and s.router_pending).ids
            wizard.subscription_ids = self.env["isp.subscription"].browse(wanted)
            wizard.count = len(wanted)
            wizard.limit = policy.breaker_limit(router.subscription_count)

    def action_approve(self):
        """Let this router's isolations pass, once; the run that was held back happens now."""
        self.ensure_one()
        if not self.env.user.has_group("isp_management.group_manager"):
            raise AccessError(_("Approving isolations is for the group Manager."))
        router = self.router_id
        router.check_access_rule("write")
        company = router.company_id
        until = company._isp_now().replace(tzinfo=None) + APPROVED_FOR
        router.sudo().write({"breaker_approved_until": until})
        router.message_post(body=_("%(count)s isolations approved by %(user)s.", count=self.count, user=self.env.user.name))
        self.env["isp.subscription"].with_company(company)._isp_isolation_run(company, router)
        router.sudo().write({"breaker_tripped": False, "breaker_waiting": 0})
        router.activity_feedback(["mail.mail_activity_data_todo"])
        router._isp_trigger_sync()
        self.env["isp.subscription"].sudo().search(
            [("router_id", "=", router.id), ("router_pending", "=", True)]
        ).write({"router_next_attempt": False})
        return {"type": "ir.actions.act_window_close"}
