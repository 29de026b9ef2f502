"""What another isolation policy would do: whom it isolates on which day, and whom it opens, before anybody decides for it.

The engine decides about the lines as they are, day by day; nobody pays meanwhile, and nothing is written."""

from datetime import timedelta, timezone

import isp_engine

from odoo import Command, _, api, fields, models
from odoo.exceptions import AccessError

from ..logic import policy
from ..models.isp_guard_mixin import MANAGER

# The company's settings that the wizard may try other values of.
SETTINGS = (
    "isp_isolate_after_days", "isp_isolate_on_weekends", "isp_public_holidays", "isp_isolate_from",
    "isp_reopen_when_paid_percent",
)
DAYS = 31


class IspPolicyWizard(models.TransientModel):
    _name = "isp.policy.wizard"
    _description = "What another isolation policy would do"
    _inherit = ["isp.show.mixin"]

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    isp_isolate_after_days = fields.Integer("Isolate after (days overdue)")
    isp_isolate_on_weekends = fields.Boolean("Isolate on Saturday and Sunday")
    isp_public_holidays = fields.Selection(
        lambda self: self.env["res.company"]._fields["isp_public_holidays"]._description_selection(self.env),
        "Isolate on public holidays", required=True,
    )
    isp_isolate_from = fields.Monetary("Isolate from (overdue)")
    isp_reopen_when_paid_percent = fields.Integer("Reopen when paid (percent)")
    line_ids = fields.One2many("isp.policy.line", "wizard_id", "Lines that differ", readonly=True)
    shown = fields.Boolean(readonly=True)
    count_now = fields.Integer("Isolated with the settings of now", readonly=True)
    count_then = fields.Integer("Isolated with these", readonly=True)
    amount_then = fields.Monetary("Overdue of those", readonly=True)

    @api.model
    def action_isp_open(self):
        """The wizard with what the company has now."""
        self._isp_check_manager()
        company = self.env.company
        wizard = self.create({"company_id": company.id, **{name: company[name] for name in SETTINGS}})
        return wizard._isp_show(_("Try another isolation policy"), "extra-large")

    @api.model
    def _isp_check_manager(self):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(_("The settings are for the group Manager."))

    def action_show(self):
        """Ask the engine what these values come to, over the days ahead."""
        self.ensure_one()
        self._isp_check_manager()
        company = self.company_id
        holidays = self.env["isp.holiday"].sudo().search([("company_id", "in", (False, company.id))]).mapped("date")
        try:
            wanted = policy.isolation(_Settings(company, self), holidays)
        except ValueError as error:
            raise self.env["isp.refusals"]._isp_refuse("value.range", _("This setting is not possible: %s", error)) from error
        lines = self.env["isp.subscription"].sudo().search(
            [("company_id", "=", company.id), ("state", "=", "active"), ("activation_date", "!=", False)]
        )
        now = company._isp_now()
        facts = lines._isp_access_facts(now)
        before = self._isp_days(facts, now, company._isp_isolation_policy())
        after = self._isp_days(facts, now, wanted)
        rows = []
        for line in lines:
            was, will = before.get(line.id), after.get(line.id)
            if was and (not will or will[0] != was[0] or will[1] != was[1]) or will and not was:
                rows.append({
                    "subscription_id": line.id, "action": (will or was)[1], "day_now": was and was[0], "day_then": will and will[0],
                    "overdue": (will or was)[2],
                })
        isolated = [found for found in after.values() if found[1] == "isolate"]
        self.write({
            "line_ids": [Command.clear(), *(Command.create(row) for row in rows)], "shown": True,
            "count_now": sum(found[1] == "isolate" for found in before.values()), "count_then": len(isolated),
            "amount_then": sum(found[2] for found in isolated),
        })
        return self._isp_show(_("Try another isolation policy"), "extra-large")

    def _isp_days(self, facts, now, tried):
        """The first day on which each line is isolated or reopened: (day, action, overdue) by line."""
        found, waiting = {}, {row.subscription: row for row in facts}
        # In the last minute of a day every hour that a policy may name is over.
        local = now.astimezone(timezone(timedelta(hours=policy.ZONE_HOURS[self.company_id.isp_zone])))
        moment = local.replace(hour=23, minute=59)
        for _ahead in range(DAYS):
            for decision in isp_engine.decide_isolation(list(waiting.values()), moment, policy=tried):
                if decision.action in ("isolate", "reopen"):
                    found[decision.subscription] = (moment.date(), decision.action, decision.overdue)
                    del waiting[decision.subscription]
            moment += timedelta(hours=24)
        return found

    def action_take(self):
        """These become the company's settings."""
        self.ensure_one()
        self._isp_check_manager()
        self.company_id.write({name: self[name] for name in SETTINGS})
        return {"type": "ir.actions.act_window_close"}


class IspPolicyLine(models.TransientModel):
    _name = "isp.policy.line"
    _description = "A line that another policy treats otherwise"
    _order = "day_then, id"

    wizard_id = fields.Many2one("isp.policy.wizard", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    action = fields.Selection([("isolate", "Isolate"), ("reopen", "Reopen")], "What happens", readonly=True)
    overdue = fields.Monetary(readonly=True)
    day_now = fields.Date("With the settings of now", readonly=True, help="Empty: not within 31 days.")
    day_then = fields.Date("With these", readonly=True, help="Empty: not within 31 days.")


class _Settings:
    """A company, with the values that are tried in place of its own."""

    def __init__(self, company, tried):
        self.company, self.tried = company, tried

    def __getattr__(self, name):
        return (self.tried if name in SETTINGS else self.company)[name]
