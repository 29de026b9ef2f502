"""That something recorded holds no longer. The record stays as it was said; who ended it, when and why stands beside it."""

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic import access_rows
from .isp_guard_mixin import BILLING, CASHIER, ENDING, TECHNICIAN


class IspEndingMixin(models.AbstractModel):
    _name = "isp.ending.mixin"
    _description = "Something that can be ended or taken back"

    ending_kind = fields.Selection(
        [("ended", "Ended"), ("taken_back", "Recorded by mistake")], "How it ended", readonly=True, copy=False, tracking=True
    )
    ended_at = fields.Datetime(readonly=True, copy=False)
    ended_by_id = fields.Many2one("res.users", "Ended by", readonly=True, copy=False)
    ending_reason = fields.Char("Why it ended", readonly=True, copy=False, tracking=True)

    # The endings that a record of this kind can have.
    _isp_endings = ("ended", "taken_back")
    # Who may end it.
    _isp_ended_by = ()

    @api.model
    def _isp_said(self):
        """Leaves out what was cancelled by an earlier version, which knew neither when nor why."""
        return ["|", ("state", "!=", "cancelled"), ("ended_at", "!=", False)]

    def action_isp_end(self):
        """Ask how it ended and why."""
        self.ensure_one()
        self._isp_may_write(*self._isp_ended_by)
        wizard = self.env["isp.ending.wizard"].create({"res_model": self._name, "record_id": self.id, "kind": self._isp_endings[0]})
        return wizard._isp_show(_("End or take back"))

    def _isp_end(self, kind, reason):
        """Write that it holds no longer, and let access follow at once."""
        self.ensure_one()
        record = self._isp_may_write(*self._isp_ended_by)
        if kind not in self._isp_endings:
            raise UserError(_("%s cannot end like that.", self.display_name))
        now = record.company_id._isp_now()
        wish = isp_engine.EndingWish(record.id, kind, now, self.env.user.name, (reason or "").strip(), access_rows.ending(record))
        [ending] = isp_engine.end_records([wish])
        if isinstance(ending, isp_engine.InvalidValue):
            words = {
                "record.ended": _("%s was ended before.", self.display_name),
                "value.empty": _("Write down the reason: the customer will ask."),
            }
            raise self.env["isp.refusals"]._isp_refuse(ending.code, words.get(ending.code)) from ending
        record.write({
            "ending_kind": ending.kind, "ended_at": ending.at.replace(tzinfo=None), "ended_by_id": self.env.uid,
            "ending_reason": ending.reason, **record._isp_ended_vals(),
        })
        record._isp_protected()._isp_follow()
        return ending

    def _isp_ended_vals(self):
        return {}

    def _isp_protected(self):
        """The lines that it protected, to be decided about at once."""
        return self.env["isp.subscription"]


class IspPromise(models.Model):
    _name = "isp.promise"
    _inherit = ["isp.promise", "isp.ending.mixin"]
    _isp_ended_by = (CASHIER,)

    def _isp_ended_vals(self):
        return {"state": "cancelled"}

    def _isp_protected(self):
        return self.customer_id.subscription_ids


class IspExemption(models.Model):
    _name = "isp.exemption"
    _inherit = ["isp.exemption", "isp.ending.mixin"]
    _isp_ended_by = (BILLING,)

    def _isp_ended_vals(self):
        return {"state": "cancelled"}

    def _isp_protected(self):
        return self.customer_id.subscription_ids


class IspOutage(models.Model):
    _name = "isp.outage"
    # One that is over has its end in "until"; the next run lets access follow, under its breaker.
    _inherit = ["isp.outage", "isp.guard.mixin", "isp.ending.mixin"]
    _isp_endings = ("taken_back",)
    _isp_ended_by = (TECHNICIAN,)
    _isp_guarded = ENDING
