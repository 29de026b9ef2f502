"""What the decision about a line rests on, as the engine takes it. Works on records or on anything with their fields."""

from datetime import timezone

import isp_engine as isp

from .clock import day_after
from .money import rupiah_owed


def open_invoice(move, key):
    """An open customer invoice in whole rupiah."""
    total = rupiah_owed(move.amount_total)
    return isp.OpenInvoice(
        key, move.invoice_date, move.invoice_date_due, total, max(total - rupiah_owed(move.amount_residual), 0)
    )


def aware(moment):
    """Odoo's naive UTC as an aware moment."""
    return moment.replace(tzinfo=timezone.utc) if moment else None


def access_facts(line, invoices, promise=None, exemption=None, outage=None):
    """The facts about one line (a subscription)."""
    return isp.AccessFacts(
        line.id,
        start=line.activation_date,
        access=line.desired_access,
        invoices=invoices,
        cause=line.access_cause or None,
        isolated_overdue=rupiah_owed(line.isolated_overdue) if line.isolated_overdue else None,
        zone=line.zone,
        # The engine's end is the day after the last one.
        end=day_after(line.end_date) if line.end_date else None,
        paused_from=line.paused_from or None,
        promise=isp.Promise(promise.made_on, promise.until) if promise else None,
        exemption=isp.Exemption(exemption.since, exemption.until, exemption.reason or "") if exemption else None,
        outage=isp.Outage(aware(outage.since), aware(outage.until)) if outage else None,
    )


def event_kind(event):
    """The engine's word for an isolation event."""
    if event.action == "isolate":
        return "isolated_manual" if event.cause == "manual" else "isolated_arrears"
    return "reopened" if event.action == "reopen" else "closed"


def covering(records, day, start, end="until"):
    """Of promises or exemptions the one that protects longest on a day, or None."""
    protecting = [record for record in records if record[start] <= day <= record[end]]
    return max(protecting, key=lambda record: record[end], default=None)
