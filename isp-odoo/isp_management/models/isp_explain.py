"""Why a line is open or isolated, now or at any moment of the past (rule I7): the engine's sentence, from the facts of that moment."""

from collections import defaultdict
from types import SimpleNamespace

import isp_engine

from odoo import _, models
from odoo.exceptions import UserError

from ..logic import access_rows, terms_rows
from ..logic.money import whole
from .isp_isolation_run import WANTED


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def _isp_explain(self, language="id", at=None):
        """One sentence and its evidence, from the facts of an aware moment; of now when none is given."""
        self.ensure_one()
        # What follows is read as the system: of a line that the user may read.
        self.check_access_rights("read")
        self.check_access_rule("read")
        line = self.sudo()
        now = line.company_id._isp_now()
        if at and at > now:
            raise UserError(_("That moment is still to come: what will be is not known."))
        begins = line.activation_date
        if not begins or (at and terms_rows.today(at, line.zone) < begins):
            raise UserError(_("%s was not in service then.", line.display_name) if begins and at else _("%s was never in service.", line.display_name))
        events = line.isolation_event_ids.sorted(lambda e: (e.decided_at, e.id))
        events = events.filtered(lambda e: access_rows.aware(e.decided_at) <= at) if at else events
        event = events[-1:]
        told = isp_engine.AccessEvent(
            access_rows.aware(event.decided_at),
            access_rows.event_kind(event),
            event.user_id.name if event.cause == "manual" else "engine",
            # The engine knows its own reasons by their codes.
            event.reason or event.reason_code or "",
            whole(event.overdue),
        ) if event else None
        seen = line.observed_access if line.observed_access in ("open", "isolated", "closed") else None
        seen_at = access_rows.aware(line.observed_at)
        if at and seen_at and seen_at > at:
            seen = seen_at = None
        of_then = line._isp_access_facts_at(at, events) if at else line._isp_access_facts(now, key="name")[0]
        policy = line.company_id._isp_isolation_policy()
        dpps = self.env["account.payment"]._isp_dpps(line.company_id, line.customer_id.partner_id)
        facts = isp_engine.ExplainFacts(of_then, told, seen, seen_at, dpps)
        [why] = isp_engine.explain([facts], at or now, policy=policy, language=language)
        return why

    def _isp_access_facts_at(self, at, events):
        """The engine's facts as they were at a moment: what was issued, paid, promised and decided by then. A payment counts from
        the day on which it was paid."""
        self.ensure_one()
        today = terms_rows.today(at, self.zone)
        moves = self.env["account.move"].sudo().search([
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("invoice_date", "<=", today),
            "|", ("isp_subscription_id", "=", self.id), ("isp_installation_fee_id.subscription_id", "=", self.id),
        ], order="invoice_date_due, invoice_date, id")
        invoices = []
        for move in moves:
            partials = move.line_ids.filtered(lambda item: item.account_type == "asset_receivable").matched_credit_ids
            paid = sum(partials.filtered(lambda partial: partial.credit_move_id.date <= today).mapped("amount"))
            of_then = SimpleNamespace(
                invoice_date=move.invoice_date, invoice_date_due=move.invoice_date_due, amount_total=move.amount_total,
                amount_residual=move.amount_total - paid,
            )
            row = access_rows.open_invoice(of_then, move.name)
            if row.total > row.paid:
                invoices.append(row)
        customer, router = [("customer_id", "=", self.customer_id.id)], [("router_id", "=", self.router_id.id), ("router_id", "!=", False)]
        said = self.env["isp.ending.mixin"]._isp_said()
        return access_rows.access_facts(
            self._isp_line_at(events), invoices,
            self._isp_by_then("isp.promise", [*customer, *said, ("made_on", "<=", today)], at),
            self._isp_by_then("isp.exemption", [*customer, *said, ("since", "<=", today)], at),
            self._isp_by_then("isp.outage", [*router, ("since", "<=", at.replace(tzinfo=None))], at),
        )

    def _isp_by_then(self, model, domain, at):
        """Records of what protects, whose endings were not said before a moment."""
        found = []
        for record in self.env[model].sudo().search(domain):
            values = {name: record[name] for name in ("made_on", "until", "since", "reason") if name in record._fields}
            ended = record.ended_at and access_rows.aware(record.ended_at) <= at
            found.append(SimpleNamespace(**values, **{
                name: record[name] if ended else False for name in ("ended_at", "ended_by_id", "ending_kind", "ending_reason")
            }))
        return found

    def _isp_line_at(self, events):
        """The line with the access that was wanted after these events."""
        access = defaultdict(lambda: False, desired="closed")
        for event in events:
            if event.action == "isolate":
                access.update(desired="isolated", cause=event.cause, overdue=event.overdue)
            else:
                # Reopening for a part keeps what was overdue, so that the rest has its own grace.
                access.update(desired=WANTED[event.action], cause=False, overdue=access["overdue"] if event.action == "reopen" else 0)
        return SimpleNamespace(
            id=self.id, activation_date=self.activation_date, zone=self.zone, end_date=self.end_date, paused_from=self.paused_from,
            desired_access=access["desired"], access_cause=access["cause"], isolated_overdue=access["overdue"],
        )

    def action_isp_explain(self):
        self.ensure_one()
        wizard = self.env["isp.explain.wizard"].create({"subscription_id": self.id})
        return wizard._isp_show(_("Why this access?"))
