"""What waits to be said, as the engine takes it, and what a status means. Needs no Odoo."""

from datetime import datetime, time, timedelta, timezone

import isp_engine as isp

from .access_rows import aware, open_invoice
from .money import rupiah_owed
from .policy import ZONE_HOURS

# What Meta reported, as the log's states and back. "held" counts as sent: Meta has it.
STATES = {"queued": "sent", "sent": "sent", "failed": "failed", "delivered": "delivered", "read": "read"}
ENGINE_STATES = {"failed": "failed", "delivered": "delivered", "read": "read", "sent": "sent"}


def message_line(line, package, told):
    """A line that a message is about; ``told`` when the message tells of what happened to it last."""
    agreed = not line._isp_complete() or not line.router_id or line.observed_access == line.desired_access
    return isp.MessageLine(
        package, line.desired_access, line.access_cause or None, aware(line.isolated_since) if line.isolated_since else None,
        told=told, confirmed=agreed,
    )


def message_payment(entry, zone):
    """The payment that a message names, by its journal entry. Its day is the customer's; the hour does not matter."""
    received = entry.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable" and line.credit)
    noon = datetime.combine(entry.date, time(12), timezone(timedelta(hours=ZONE_HOURS[zone])))
    return isp.MessagePayment(
        rupiah_owed(sum(received.mapped("credit"))), entry.ref or entry.name, noon, reversed=entry.state != "posted",
    )


def queued_message(row, owed, lines, zone, statements=(), served=()):
    """A row of the log with what it is looked at with; ``owed`` are all open invoices of the customer, ``served`` the facts about all
    lines, by which the engine knows on which day one is isolated."""
    customer, entry = row.customer_id, row.payment_move_id
    return isp.QueuedMessage(
        row.id, row.kind, aware(row.not_before), [open_invoice(move, move.name) for move in owed],
        about=row.move_ids.mapped("name"), lines=lines, payment=message_payment(entry, zone) if entry else None,
        reachable=bool(customer.whatsapp_number and customer.whatsapp_allowed), zone=zone,
        statements=statements, served=list(served),
    )
