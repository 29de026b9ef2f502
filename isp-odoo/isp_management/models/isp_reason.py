"""The engine's reasons in the user's language: codes are for programs."""

from odoo import api, fields, models
from odoo.tools.translate import _lt

REASONS = {
    "nothing_overdue": _lt("Nothing is overdue"),
    "within_grace": _lt("Overdue, still within the grace"),
    "small_debt": _lt("Too little overdue to isolate"),
    "overdue_too_long": _lt("Overdue for too long"),
    "before_hour": _lt("Too early in the day"),
    "day_not_allowed": _lt("Weekend or holiday"),
    "promised": _lt("Promised to pay"),
    "exempt": _lt("Exempt"),
    "site_outage": _lt("Outage of the router"),
    "proof_waiting": _lt("A proof of transfer waits"),
    "still_overdue": _lt("Still overdue"),
    "isolated_by_hand": _lt("Isolated by hand"),
    "reopened_by_hand": _lt("Reopened by hand"),
    "paid": _lt("Paid"),
    "settled_not_paid": _lt("Given up, not paid"),
    "paid_enough": _lt("Enough was paid"),
    "pending": _lt("Not in service yet"),
    "paused": _lt("Paused"),
    "terminated": _lt("Terminated"),
    "in_service": _lt("In service"),
    "isolation.arrears": _lt("Overdue for too long"),
}


class IspIsolationEvent(models.Model):
    _inherit = "isp.isolation_event"

    reason_text = fields.Char("Why", compute="_compute_reason_text")

    @api.depends("reason", "reason_code")
    @api.depends_context("lang")
    def _compute_reason_text(self):
        for event in self:
            event.reason_text = event.reason or str(REASONS.get(event.reason_code, event.reason_code))


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    access_reason_text = fields.Char("Why", compute="_compute_access_reason_text")

    @api.depends("access_reason")
    @api.depends_context("lang")
    def _compute_access_reason_text(self):
        for line in self:
            line.access_reason_text = str(REASONS.get(line.access_reason, line.access_reason or ""))
