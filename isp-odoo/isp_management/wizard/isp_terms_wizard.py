"""One wizard for every change of terms: it shows what the engine says that a wish comes to, and writes it when that is still so."""

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date, formatLang

from ..logic.clock import day_after, last_day
from ..models.isp_guard_mixin import BILLING
from ..models.isp_subscription_terms import END_REASONS

KINDS = [("package", "Change the package"), ("day", "Change the billing day"), ("pause", "Pause"), ("resume", "Resume"), ("end", "End")]
INPUTS = ("kind", "package_id", "at_once", "billing_day", "since", "last_day")


class IspTermsWizard(models.TransientModel):
    _name = "isp.terms.wizard"
    _description = "Change the terms of a line"
    _inherit = ["isp.show.mixin"]

    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    company_id = fields.Many2one(related="subscription_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    old_package_id = fields.Many2one(related="subscription_id.package_id", string="Package now")
    old_price = fields.Monetary(related="subscription_id.monthly_price", string="Price now")
    old_day = fields.Integer(related="subscription_id.billing_day", string="Billing day now")
    planned_id = fields.Many2one(related="subscription_id.next_package_id", string="Planned package")
    planned_on = fields.Date(related="subscription_id.change_date", string="Planned for")
    package_id = fields.Many2one("isp.package", "New package", domain="[('company_id', '=', company_id), ('id', '!=', old_package_id)]")
    new_price = fields.Monetary(related="package_id.price", string="New price")
    at_once = fields.Selection(
        [("next", "From the next period"), ("now", "At once")], "When", default="next", required=True,
        help="At once, the days that are left of what was invoiced are charged at the new price.",
    )
    billing_day = fields.Integer("New billing day", help="1 to 31; in a shorter month its last day.")
    since = fields.Date("From", help="Today, or a day of the past that is said now.")
    last_day = fields.Date("Last day of service", help="Ahead, today, or a day of the past that is said now.")
    reason = fields.Selection(END_REASONS)
    note = fields.Char()
    effect = fields.Html(compute="_compute_effect", sanitize=False)
    refused = fields.Char(compute="_compute_effect")
    # What was shown: sent back by the form, and compared when it is confirmed.
    fingerprint = fields.Char(compute="_compute_fingerprint", store=True, readonly=False)
    stale = fields.Boolean(readonly=True)

    @api.model
    def _isp_open_for(self, subscription, kind):
        subscription.ensure_one()
        subscription._isp_may_write(BILLING)
        # Whoever calls without a button says no kind.
        kind = kind if kind in dict(KINDS) else "package"
        today = subscription._isp_today()
        wizard = self.create({
            "subscription_id": subscription.id, "kind": kind, "since": today, "last_day": today,
            "package_id": subscription.next_package_id.id, "billing_day": subscription.billing_day,
        })
        titles = {
            "package": _("Change the package of %s", subscription.display_name),
            "day": _("Change the billing day of %s", subscription.display_name),
            "pause": _("Pause %s", subscription.display_name),
            "resume": _("Resume %s", subscription.display_name),
            "end": _("End %s", subscription.display_name),
        }
        return wizard._isp_show(titles[kind])

    # What is shown

    def _isp_wish(self):
        """The wish that the fields say, or None while something is missing."""
        self.ensure_one()
        if self.kind == "package" and self.package_id and self.at_once == "next":
            return isp_engine.NextPackage(self.package_id.id)
        if self.kind == "package" and self.package_id and self.since:
            return isp_engine.PackageAtOnce(self.package_id.id, self.since)
        if self.kind == "day" and self.billing_day and self.since:
            return isp_engine.MoveBillingDay(self.billing_day, self.since)
        if self.kind == "pause" and self.since:
            return isp_engine.PauseLine(self.since)
        if self.kind == "resume" and self.since:
            return isp_engine.ResumeLine(self.since)
        if self.kind == "end" and self.last_day:
            return isp_engine.EndLine(day_after(self.last_day))
        return None

    def _isp_answer(self):
        """What the engine says: a change, a refusal, or None while something is missing."""
        wish, line = self._isp_wish(), self.subscription_id
        if not wish or not line:
            return None
        line._isp_may_write(BILLING)
        try:
            return self.env["isp.terms"]._isp_decide(line.company_id, [(line.sudo(), wish)])[0]
        except isp_engine.InvalidValue as error:
            return error

    @api.depends(*INPUTS)
    def _compute_fingerprint(self):
        for wizard in self:
            wizard.fingerprint = getattr(wizard._isp_answer(), "fingerprint", False)

    @api.depends(*INPUTS)
    def _compute_effect(self):
        for wizard in self:
            answer = wizard._isp_answer()
            wizard.effect = wizard.refused = False
            if isinstance(answer, isp_engine.TermsChange):
                values = wizard._isp_effect(answer)
                wizard.effect = self.env["ir.qweb"]._render("isp_management.terms_effect", values)
            elif answer is not None:
                wizard.refused = str(self.env["isp.refusals"]._isp_refusal_of(answer))

    def _isp_effect(self, change):
        """What the form shows of a change, in rupiah and in words."""
        line, terms = self.subscription_id.sudo(), self.env["isp.terms"]

        def days(of):
            return " - ".join(format_date(self.env, day) for day in sorted({of.period_start, last_day(of.period_end)}))

        def money(amount):
            return formatLang(self.env, amount, currency_obj=self.currency_id)

        def document(of, text):
            return {
                "what": text, "days": days(of.invoice), "amount": money(terms._isp_invoice_total(line, of)),
                "issued": format_date(self.env, of.invoice.issue_date), "due": format_date(self.env, of.invoice.due_date),
            }

        charged = [terms._isp_invoice_total(line, of) for of in change.invoices]
        given = [terms._isp_note_total(line, note, change) for note in change.notes]
        return {
            "invoices": [document(of, _("Adjustment") if of.kind == "adjustment" else _("Invoice")) for of in change.invoices],
            "notes": [
                {"what": _("Credit note"), "of": self._isp_of(note), "days": days(note), "amount": money(amount)}
                for note, amount in zip(change.notes, given)
            ],
            "charged": money(sum(charged)) if charged else None,
            "given_back": money(sum(given)) if given else None,
            "next": document(change.next, _("Next invoice")) if change.next else None,
            "ends": not change.next and self.kind == "end",
            "sentences": [self._isp_since_text(change), self._isp_access_text(change)],
        }

    def _isp_of(self, note):
        return self.env["account.move"].sudo().browse(note.charge).name if note.charge else _("of the invoice above")

    def _isp_since_text(self, change):
        day = format_date(self.env, change.since)
        withdrawn = self.kind == "package" and self.at_once == "next" and not change.subscription.change
        return {
            "package": _("The planned change is withdrawn.") if withdrawn else _("The new package and its price hold from %s on.", day),
            "day": _("The first whole period of the new billing day begins on %s.", day),
            "pause": _("The line is paused from %s on.", day),
            "resume": _("The line serves again from %s on.", day),
            "end": _("%s is the first day without service.", day),
        }[self.kind]

    def _isp_access_text(self, change):
        if change.access == "close":
            return _("The router closes the line at once. No message goes to the customer.")
        if change.access == "reopen":
            return _("The router opens the line at once. No message goes to the customer.")
        if change.access == "regroup":
            return _("The router gives the new speed at once. No message goes to the customer.")
        if self.kind == "package" and change.subscription.change:
            return _("The router gives the new speed on that day. No message goes to the customer.")
        if self.kind == "end":
            return _("The router closes the line on that day. No message goes to the customer.")
        return _("Nothing changes on the router. No message goes to the customer.")

    # What is done

    def action_confirm(self):
        self.ensure_one()
        wish = self._isp_wish()
        if not wish:
            raise UserError(_("Choose the new package.") if self.kind == "package" else _("Something is missing: look at the fields."))
        if self.kind == "end" and not self.reason:
            raise UserError(_("Why does the line end? Choose a reason."))
        line = self.subscription_id._isp_may_write(BILLING)
        if not line.with_env(self.env)._isp_change_terms(lambda line: wish, shown=self.fingerprint or None, note=self._isp_why()):
            # Shown anew, with what changed meanwhile; nothing is written.
            self.write({"stale": True, "fingerprint": self._isp_answer().fingerprint})
            return self._isp_show(_("Look again: something changed meanwhile"))
        if self.kind == "end":
            line.end_reason = self.reason
        return {"type": "ir.actions.act_window_close"}

    def _isp_why(self):
        reasons = dict(self._fields["reason"]._description_selection(self.env))
        return " ".join(text for text in (reasons.get(self.reason) if self.kind == "end" else None, self.note) if text)

    def action_withdraw(self):
        """The planned package is not wanted any more."""
        self.ensure_one()
        line = self.subscription_id._isp_may_write(BILLING)
        line.with_env(self.env)._isp_change_terms(lambda line: isp_engine.NextPackage(line.package_id.id), note=self.note)
        return {"type": "ir.actions.act_window_close"}
