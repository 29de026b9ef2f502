from odoo import _, api, fields, models
from odoo.exceptions import AccessError


class IspIsolationWizard(models.TransientModel):
    _name = "isp.isolation.wizard"
    _description = "Isolate or reopen by hand"
    _inherit = ["isp.show.mixin"]

    subscription_ids = fields.Many2many("isp.subscription", string="Subscriptions", required=True)
    action = fields.Selection([("isolate", "Isolate"), ("reopen", "Reopen")], required=True)
    currency_id = fields.Many2one(related="subscription_ids.company_id.currency_id")
    overdue = fields.Monetary(compute="_compute_overdue")
    reason = fields.Char()
    promise_until = fields.Date(
        "Promised to pay until", help="Until then the line is not isolated again for what is overdue now."
    )

    @api.depends("subscription_ids")
    def _compute_overdue(self):
        for wizard in self:
            wizard.overdue = sum(wizard.subscription_ids.customer_id.mapped("amount_overdue"))

    @api.model
    def _isp_open_for(self, lines, action):
        wizard = self.create({"subscription_ids": [(6, 0, lines.ids)], "action": action})
        return wizard._isp_show(_("Isolate by hand") if action == "isolate" else _("Reopen by hand"))

    def action_confirm(self):
        self.ensure_one()
        if not self.env.user.has_group("isp_management.group_billing"):
            raise AccessError(_("Isolating and reopening by hand is for the group Billing."))
        reason = (self.reason or "").strip()
        if not reason:
            raise self.env["isp.refusals"]._isp_refuse("value.empty", _("Write down the reason: the customer will ask."))
        lines = self.subscription_ids
        lines.check_access_rule("read")
        if self.action == "reopen" and self.promise_until:
            for customer in lines.customer_id:
                self.env["isp.promise"].create({
                    "customer_id": customer.id,
                    "company_id": customer.company_id.id,
                    "made_on": customer.company_id._isp_today(),
                    "until": self.promise_until,
                    "note": reason,
                })
        lines._isp_by_hand(self.action, reason)
        return {"type": "ir.actions.act_window_close"}
