"""Whether the clock can be right, before a run writes anything (rule I9): the engine says, a manager decides."""

import logging

import isp_engine
import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..logic.access_rows import aware
from .isp_guard_mixin import MANAGER, PROGRAM

_logger = logging.getLogger(__name__)

# The last run is written down to this precision, so that the crons of every minute do not wait for one row.
PRECISION_SECONDS = 600
CRONS = ("cron_bill", "cron_isolation", "cron_reminders", "cron_send")


class IspClock(models.Model):
    _name = "isp.clock"
    _description = "Clock of the runs"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.guard.mixin"]
    _rec_name = "company_id"
    _isp_guarded = {"company_id": PROGRAM, "last_run": PROGRAM, "doubt": PROGRAM, "doubted_at": PROGRAM, "days": PROGRAM}

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    last_run = fields.Datetime(readonly=True)
    doubt = fields.Selection(
        [("clock.behind", "Before the last run"), ("clock.ahead", "Long after the last run")], readonly=True, tracking=True,
    )
    doubted_at = fields.Datetime("The clock said", readonly=True)
    days = fields.Integer("Days between", readonly=True)

    _sql_constraints = [("company_unique", "unique(company_id)", "A company has one clock.")]

    @api.model
    def _isp_of(self, company):
        clock = self.sudo().search([("company_id", "=", company.id)], limit=1)
        return clock or self.sudo().create({"company_id": company.id})

    @api.model
    def _isp_begin(self, company):
        """True when a run of this moment may write. Else nothing is written but the doubt, and a manager is asked."""
        lines = self.env["isp.subscription"].sudo().with_context(active_test=False)
        if not lines.search_count([("company_id", "=", company.id)], limit=1):
            # A company of another business has no runs.
            return True
        clock, now = self._isp_of(company), company._isp_now()
        doubt = isp_engine.check_clock(
            aware(clock.last_run) if clock.last_run else None, now, policy=company._isp_clock_policy()
        )
        if doubt:
            clock._isp_doubted(doubt, now)
            return False
        if clock.doubt:
            # The clock was put right: nobody has to decide any more.
            clock._isp_settle(now, _("The clock agrees with the last run again."))
        elif not clock.last_run or (now - aware(clock.last_run)).total_seconds() >= PRECISION_SECONDS:
            clock._isp_keep(now)
        return True

    def _isp_keep(self, now):
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                self.last_run = now.replace(tzinfo=None)
                self.flush_recordset()
        except psycopg2.errors.SerializationFailure:
            # Another run has just written its moment, which is as good.
            self.invalidate_recordset()

    def _isp_doubted(self, doubt, now):
        self.ensure_one()
        if self.doubt == doubt.code and self.doubted_at and abs(self.doubted_at - now.replace(tzinfo=None)).days < 1:
            return
        _logger.warning("no run of company %s: %s, %s days from the last one", self.company_id.id, doubt.code, doubt.days)
        known = self.doubt
        self.write({"doubt": doubt.code, "doubted_at": now.replace(tzinfo=None), "days": doubt.days})
        if not known:
            managers = self.env.ref(MANAGER).users.filtered(
                lambda u: self.company_id in u.company_ids and not u.share and u.active
            )
            self.activity_schedule(
                "mail.mail_activity_data_todo", summary=_("Is the clock of the server right?"),
                note=_("Nothing is billed, reminded or isolated until somebody has looked: a wrong clock would bill a year at once, or close"
                       " every line."),
                user_id=(managers - self.env.ref("base.user_root"))[:1].id or self.env.uid,
            )

    def _isp_settle(self, now, why):
        self.write({"last_run": now.replace(tzinfo=None), "doubt": False, "doubted_at": False, "days": 0})
        self.activity_feedback(["mail.mail_activity_data_todo"], feedback=why)

    def action_isp_clock_is_right(self):
        """A manager says that the clock is right: this moment is that of the last run, also when it lies before it."""
        for clock in self:
            if not self.env.user.has_group(MANAGER):
                raise AccessError(_("Whether the clock is right is for the group Manager to say."))
            clock.check_access_rights("read")
            clock.check_access_rule("read")
            clock.sudo()._isp_settle(clock.company_id._isp_now(), _("%s says that the clock is right.", self.env.user.name))
        for name in CRONS:
            self.env.ref("isp_management.%s" % name).sudo()._trigger()
        return {"type": "ir.actions.client", "tag": "soft_reload"}


class ResCompany(models.Model):
    _inherit = "res.company"

    def _isp_begin_run(self):
        """True when a run of now may write (rule I9); who asks for one himself is told why not."""
        self.ensure_one()
        return self.env["isp.clock"]._isp_begin(self)

    def _isp_check_clock(self):
        """Refuse what a person starts while the clock is doubted."""
        if not self._isp_begin_run():
            raise UserError(_(
                "The clock of the server does not follow the last run, so nothing is billed or isolated. Put it right, or have a manager"
                " say that it is right: Configuration, Clock of the runs."
            ))
