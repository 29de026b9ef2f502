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


def ending(record):
    """That a promise, an exemption or an outage holds no longer, or None."""
    if not record.ended_at:
        return None
    return isp.Ending(record.ending_kind, aware(record.ended_at), record.ended_by_id.name or "", record.ending_reason or "")


def outage(record):
    """An outage as the engine takes it."""
    return isp.Outage(aware(record.since), aware(record.until), ending(record))


def proof(record, invoice):
    """A proof of transfer as far as it is for an invoice, which has this key."""
    return isp.Proof(invoice, aware(record.arrived_at), aware(record.reviewed_at), record.state == "taken_back")


def access_facts(line, invoices, promises=(), exemptions=(), outages=(), proofs=()):
    """The facts about one line (a subscription), with all that may protect it."""
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
        promises=[isp.Promise(promise.made_on, promise.until, ending(promise)) for promise in promises],
        exemptions=[
            isp.Exemption(exemption.since, exemption.until, exemption.reason or "", ending(exemption)) for exemption in exemptions
        ],
        outages=[outage(one) for one in outages],
        proofs=list(proofs),
    )


def event_kind(event):
    """The engine's word for an isolation event."""
    if event.action == "isolate":
        return "isolated_manual" if event.cause == "manual" else "isolated_arrears"
    return "reopened" if event.action == "reopen" else "closed"
