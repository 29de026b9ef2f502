from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_subscription import ACCESS


class IspIsolationEvent(models.Model):
    _name = "isp.isolation_event"
    _description = "Isolation or reopening"
    _order = "decided_at desc, id desc"
    _rec_names_search = ["customer_id"]
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    subscription_id = fields.Many2one(
        "isp.subscription", required=True, check_company=True, ondelete="restrict", index=True
    )
    customer_id = fields.Many2one(related="subscription_id.customer_id", store=True, index=True)
    router_id = fields.Many2one("isp.router", check_company=True, ondelete="restrict", index=True)
    action = fields.Selection(
        [("isolate", "Isolate"), ("reopen", "Reopen"), ("close", "Close")], required=True, index=True
    )
    cause = fields.Selection([("arrears", "Arrears"), ("manual", "By hand")], required=True)
    reason_code = fields.Char("Code", required=True)
    reason = fields.Char()
    overdue = fields.Monetary()
    days_late = fields.Integer()
    decided_at = fields.Datetime(required=True, default=fields.Datetime.now, index=True)
    user_id = fields.Many2one("res.users", "By", default=lambda self: self.env.user)
    desired_access = fields.Selection(ACCESS, required=True)
    state = fields.Selection(
        [("waiting", "Waits for approval"), ("pending", "Pending"), ("done", "Done"), ("superseded", "Superseded")],
        default="pending", required=True, index=True,
    )
    observed_at = fields.Datetime("Router agreed at")
    router_answer = fields.Char()
    attempts = fields.Integer()

    @api.depends("customer_id.name", "action")
    def _compute_display_name(self):
        words = dict(self._fields["action"]._description_selection(self.env))
        for event in self:
            event.display_name = "%s: %s" % (event.customer_id.name, words.get(event.action, ""))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("Isolation events are kept."))
