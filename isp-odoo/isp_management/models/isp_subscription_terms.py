"""What a person, a bridge or a cron may ask of a line: to begin, to pause, to go on, to end, another package, another billing day."""

from collections import defaultdict

import isp_engine

from odoo import _, api, fields, models
from odoo.tools.misc import format_date, formatLang

from ..logic import access_rows, terms_rows
from .isp_guard_mixin import BILLING, PROGRAM, TECHNICIAN
from .isp_terms import STATES

END_REASONS = [
    ("moved", "Moved away"), ("price", "Too expensive"), ("service", "Not content with the service"), ("other_provider", "Another provider"),
    ("arrears", "Did not pay"), ("other", "Something else"),
]
# Periods that are looked through at once when a line moves in that was served before; the engine's most.
MOVING_IN = 120


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    service_from = fields.Date(
        "Periods from", readonly=True, copy=False, help="First day of service, or of service after a pause: its periods hang on it.",
    )
    charged_until = fields.Date(
        "Settled before", readonly=True, copy=False, tracking=True,
        help="Set by a change of terms: days before this one are settled, and the next period begins here at the earliest.",
    )
    old_package_id = fields.Many2one(
        "isp.package", "Package before", readonly=True, copy=False, check_company=True, ondelete="restrict",
        help="Periods that started before the change are billed with it.",
    )
    changed_on = fields.Date("Package changed on", readonly=True, copy=False)
    end_reason = fields.Selection(END_REASONS, "Reason of the end", readonly=True, copy=False, tracking=True)

    def _isp_forbidden(self, guarded):
        """Once a line is in service its terms change by the wizards, which ask the engine."""
        forbidden = super()._isp_forbidden(guarded)
        if self.filtered(lambda s: s.state != "draft"):
            forbidden.update(super()._isp_forbidden(dict.fromkeys(("package_id", "billing_day", "end_date"), PROGRAM)))
        return forbidden

    # What is wished

    def action_activate(self):
        """Service starts: billed from the first day on, and wanted open on the router from that day on."""
        lines = self._isp_may_write(TECHNICIAN, BILLING)
        for line in lines:
            if line.state != "draft":
                raise self.env["isp.refusals"]._isp_refuse("access.nothing_to_do", _("%s is not new.", line.display_name))
            start = line.activation_date or line._isp_today()
            if not (line.activation_date and line.billing_day):
                line.write({"activation_date": start, "billing_day": line.billing_day or start.day})
            if not line.billed_from:
                line.billed_from = line._isp_bill_from()
        lines._isp_change_terms(lambda line: None)
        lines.customer_id.filtered(lambda c: c.state != "active").action_activate()
        nowhere = lines.filtered(lambda line: not line.router_id)
        if not nowhere:
            return True
        return {
            "type": "ir.actions.client", "tag": "display_notification",
            "params": {
                "type": "warning", "sticky": True, "title": _("No router"),
                "message": _(
                    "%s is billed from now on, and no router opens it: choose the router of the line.", ", ".join(nowhere.mapped("display_name"))
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_pause(self):
        """A pause (cuti) from today on: access and billing stop."""
        self._isp_may_write(BILLING)._isp_change_terms(lambda line: isp_engine.PauseLine(line._isp_today()))
        return True

    def action_resume(self):
        """Service goes on today."""
        self._isp_may_write(BILLING)._isp_change_terms(lambda line: isp_engine.ResumeLine(line._isp_today()))
        return True

    def action_terminate(self):
        """The line ends now: closed at once, and yesterday was its last day. For another day there is the wizard."""
        self._isp_may_write(BILLING)._isp_change_terms(lambda line: isp_engine.EndLine(
            line.activation_date if line._isp_standing() == "pending" else line._isp_today()
        ))
        return True

    def action_isp_terms(self):
        """Open the wizard that shows what a wish comes to; ``isp_terms`` in the context says which."""
        return self.env["isp.terms.wizard"]._isp_open_for(self, self.env.context.get("isp_terms"))

    def action_change_package(self):
        """Open the wizard for another package."""
        return self.env["isp.terms.wizard"]._isp_open_for(self, "package")

    def _isp_change_terms(self, wish_of, shown=None, note=None):
        """Ask the engine what ``wish_of(line)`` comes to and write all of it, in this transaction.

        ``shown`` is the fingerprint of what a person saw and confirms: False is returned when it is not so any more, and nothing
        is written. Whoever calls has looked at who may.
        """
        terms, user = self.env["isp.terms"], self.env.user
        for company in self.company_id:
            lines = self.sudo().filtered(lambda s, company=company: s.company_id == company)
            for line in lines.filtered(lambda s: s.state != "draft"):
                terms._isp_lock(line)
            pairs = [(line, wish_of(line)) for line in lines]
            for line, wish in pairs:
                if wish and line.state == "draft":
                    raise self.env["isp.refusals"]._isp_refuse("subscription.not_serving", _("%s is not in service.", line.display_name))
            begun = defaultdict(list)
            for (line, wish), change in zip(pairs, terms._isp_decide(company, pairs), strict=True):
                if not wish and getattr(change, "code", None) == "package.no_price":
                    # It begins; that it cannot be billed yet the billing says each day (rule B8).
                    terms._isp_begin(line, "reopen" if line._isp_standing() == "in_service" else None, begun=begun)
                    continue
                if not isinstance(change, isp_engine.TermsChange):
                    raise self.env["isp.refusals"]._isp_refusal_of(change) from change
                if shown and shown != change.fingerprint:
                    return False
                written = terms._isp_write(line, change, user=user, begun=begun)
                if wish:
                    line._message_log(body=line._isp_told(wish, change, *written, note), author_id=user.partner_id.id)
            for vals, alike in begun.items():
                lines.browse(alike).write(dict(vals))
        return True

    # What it is told, and what it is

    def _isp_today(self):
        """Today at the line."""
        self.ensure_one()
        return terms_rows.today(self.company_id._isp_now(), self.zone)

    def _isp_standing(self):
        """The engine's word for where the line stands: `pending`, `paused`, `terminated`, or what its access rests on."""
        self.ensure_one()
        facts = access_rows.access_facts(self, [])
        return isp_engine.decide_isolation([facts], self.company_id._isp_now())[0].reason

    def _isp_state_follows(self):
        """The state is what the engine says of this day."""
        for line in self:
            state = STATES.get(line._isp_standing(), "active")
            if line.state != state:
                line.state = state

    @api.model
    def _isp_planned_changes(self):
        """Lines of the company whose day of a planned change has come: the package follows, and their routers hear of it."""
        company = self.env.company
        self.sudo().search([
            ("company_id", "=", company.id), ("state", "!=", "draft"), ("change_date", "<=", company._isp_today()),
        ])._isp_planned_changes_of()

    def _isp_planned_changes_of(self):
        for line in self.sudo().filtered("next_package_id"):
            if line._isp_plan_has_come():
                line.write({
                    "old_package_id": line.package_id.id,
                    "changed_on": line.change_date,
                    "package_id": line.next_package_id.id,
                    "next_package_id": False,
                    "change_date": False,
                })

    def _isp_plan_has_come(self):
        """Whether the planned package runs by now: its day is the engine's."""
        self.ensure_one()
        return bool(self.next_package_id and self.filtered_domain([("change_date", "<=", self._isp_today())]))

    def _isp_bill_from(self):
        """From when on a line is invoiced that starts now: its first day, but of a line that was served for long only the period
        that is due, and not a year at once. Who wants the others says so in "Bill from" before."""
        self.ensure_one()
        start, mark, count, last = self.activation_date, None, 0, None
        package = isp_engine.Package(self.package_id.id, [isp_engine.Price(start, 1)], "exclusive")
        line = isp_engine.Subscription(
            key=self.id, package=self.package_id.id, start=start, day=self.billing_day, cycle=self.cycle, timing=self.timing, zone=self.zone,
        )
        while True:
            plan = isp_engine.plan_billing(
                [line._replace(billed_from=mark)], [package], self.company_id._isp_now(),
                policy=isp_engine.BillingPolicy(catch_up_periods=MOVING_IN), tax=isp_engine.TaxPolicy(pkp=False),
            )
            count, last = count + len(plan.invoices), plan.invoices[-1] if plan.invoices else last
            if not plan.problems:
                break
            # More is due than one plan tells: it says from which day on.
            mark = plan.billed_from[0].billed_from
        if count < 2:
            return start
        self._message_log(body=_(
            "Service began on %(start)s, and invoices are written from the period of %(first)s on. For earlier periods set \"Bill from\".",
            start=format_date(self.env, start), first=format_date(self.env, last.period_start),
        ))
        return last.period_end if self.timing == "postpaid" else last.period_start

    def _isp_told(self, wish, change, moves, notes, note=None):
        """What was changed, for the line's history."""
        self.ensure_one()
        day = format_date(self.env, change.since)
        texts = {
            isp_engine.NextPackage: _("Package from %(day)s on: %(package)s.", day=day, package=self._isp_package_of(wish)),
            isp_engine.PackageAtOnce: _("Package changed at once, from %(day)s on: %(package)s.", day=day, package=self._isp_package_of(wish)),
            isp_engine.MoveBillingDay: _("Billed on day %(number)s; whole periods from %(day)s on.", number=self.billing_day, day=day),
            isp_engine.PauseLine: _("Paused from %s on.", day),
            isp_engine.ResumeLine: _("In service again from %s on.", day),
            isp_engine.EndLine: _("Ended: %s is the first day without service.", day),
        }
        text = texts[type(wish)]
        if isinstance(wish, isp_engine.NextPackage) and not change.subscription.change:
            text = _("The planned change of package was withdrawn.")
        for documents, words in ((moves, _("Invoiced: %s.")), (notes, _("Given back: %s."))):
            if documents:
                total = sum(documents.mapped("amount_total"))
                text += " " + words % formatLang(self.env, total, currency_obj=self.currency_id)
        return text + (" " + note if note else "")

    def _isp_package_of(self, wish):
        return self.env["isp.package"].browse(getattr(wish, "package", None) or []).display_name or ""
