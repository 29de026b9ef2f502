"""From a line and what it was invoiced to the engine's facts about its terms, and from its answer to fields. Works on records or on
anything with their fields; no rule is here."""

from datetime import date

import isp_engine as isp

from . import billing_rows
from .clock import last_day, local_day
from .money import whole
from .policy import ZONE_HOURS

# Reasons of credit notes that the engine knows; what a person reversed is a correction.
REASONS = ("package_change", "pause", "termination", "outage", "isolation")
# A day that no billing comes to: for a line that another module invoices.
NEVER = date(2199, 1, 1)


def today(now, zone):
    """The day of a moment at a line."""
    return local_day(now, ZONE_HOURS[zone])


def subscription(line):
    """The engine's subscription of a record; raises ValueError when it makes no sense there."""
    return billing_rows.of_row([value_of(line, name) for name in billing_rows.COLUMNS])


def value_of(line, name):
    """A column's value as the database has it."""
    value = line[name]
    if name == "id":
        return value
    if name.endswith("_id"):
        return value.id or None
    return value or None


def is_included(move):
    """Whether the prices of a document contain their PPN."""
    return any(move.invoice_line_ids.tax_ids.mapped("price_include"))


def lines_of(move, taxed):
    """What a document charges or gives back for its days: in prices as they are entered, or with ``taxed`` as price and PPN."""
    items = move.invoice_line_ids.filtered(lambda item: item.display_type == "product")
    kind = "late_fee" if move.isp_late_fee_of_id else "subscription"
    change = move.isp_charge == "change"
    amounts = {kind: 0, "credit": 0}
    for item in items:
        price = item.price_total if item.tax_ids.filtered("price_include") and not taxed else item.price_subtotal
        amounts["credit" if change and item.price_subtotal < 0 else kind] += price
    found = [isp.InvoiceLine(name, whole(amount)) for name, amount in amounts.items() if amount]
    if taxed and move.amount_tax:
        found.append(isp.InvoiceLine("ppn", whole(move.amount_tax)))
    return found


def given(move, notes, taxed):
    """What credit notes gave back of an invoice."""
    return [
        isp.NoteGiven(
            note.isp_credit_reason if note.isp_credit_reason in REASONS else "correction",
            note.isp_credit_start or move.isp_period_start, note.isp_credit_end or move.isp_period_end, note.invoice_date or note.date,
            lines_of(note, taxed),
        )
        for note in notes
    ]


def charge(move, package, notes, late_fee, taxed):
    """The engine's charge of an invoice for days of service. ``notes`` are its credit notes, ``late_fee`` the fee on it with its
    own, or None.

    A cancelled invoice, or one that was reset, keeps its days until a person decides: nothing of it is charged.
    """
    lines = lines_of(move, taxed)
    period = (move.isp_period_start, move.isp_period_end)
    issued = move.invoice_date or move.date
    back = given(move, notes, taxed)
    if move.state != "posted":
        back = [isp.NoteGiven("correction", *period, issued, lines)]
    fee = None
    if late_fee:
        of, fee_notes = late_fee
        # The fee was for the same days.
        fee = isp.LateCharge(of.id, lines_of(of, taxed), [
            note._replace(period_start=period[0], period_end=period[1])
            for note in given(move, fee_notes, taxed)
        ])
    return isp.LineCharge(
        move.id, "adjustment" if move.isp_charge else "subscription", package, *period, issued, lines, back, fee
    )


def charge_word(of):
    """The word that is kept for a `TermsInvoice`: days that were charged before are a ``change`` of their price, or ``served``
    after all."""
    if of.kind == "subscription":
        return False
    return "change" if any(line.kind == "credit" for line in of.invoice.lines) else "served"


def values(line, terms):
    """The fields of a record that new terms give another value; a planned package is `next_package_id` until its day has come."""
    change = terms.change
    if change and line.old_package_id.id == terms.package and (line.package_id.id, line.changed_on) == (change.package, change.since):
        # It came to pass, and nothing about it is new.
        package = {}
    else:
        package = {
            "package_id": terms.package,
            "next_package_id": change.package if change else False,
            "change_date": change.since if change else False,
            "old_package_id": False,
            "changed_on": False,
        }
    held = terms.held_price
    found = {
        **package,
        "service_from": terms.start,
        "billing_day": terms.day,
        "billed_from": terms.billed_from or False,
        "charged_until": terms.charged_until or False,
        "end_date": last_day(terms.end) if terms.end else False,
        "paused_from": terms.paused_from or False,
        "held_price": held.price if held else 0,
        "held_until": (held.until or False) if held else False,
    }
    return {
        name: value for name, value in found.items()
        if (line[name].id if name.endswith("_id") else line[name]) != value
    }
