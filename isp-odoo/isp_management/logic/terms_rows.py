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
# Kinds of lines: of an installation fee that goes with another invoice, and what is no price.
FEE = ("installation", "installation_ppn")
UNTAXED = ("ppn", "installation_ppn", "rounding")
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


def items_of(move, fee):
    """The items of a document that sell something: those of an installation fee that goes with it, or the others."""
    return move.invoice_line_ids.filtered(lambda item: item.display_type == "product" and bool(item.isp_installation_fee_id) == fee)


def is_included(move):
    """Whether the prices of a document contain their PPN."""
    return any(items_of(move, False).tax_ids.mapped("price_include"))


def prices_without_ppn(move):
    """The prices of which PPN is rounded each by itself: of what a document sells, and of the fee that goes with it."""
    return [sum(items.mapped("price_subtotal")) for items in (items_of(move, False), items_of(move, True)) if items]


def lines_of(move, taxed):
    """What a document charges or gives back, by kind: in prices as they are entered, or with ``taxed`` as price and PPN. An
    installation fee that goes with it always has its PPN apart, as the engine has it."""
    kind = "late_fee" if move.isp_late_fee_of_id else "installation" if move.isp_installation_fee_id else "subscription"
    change, included = move.isp_charge == "change", is_included(move) and not taxed
    amounts = {kind: 0, "credit": 0}
    for item in items_of(move, False):
        price = item.price_total if included and item.tax_ids.filtered("price_include") else item.price_subtotal
        amounts["credit" if change and item.price_subtotal < 0 else kind] += price
    fees = items_of(move, True)
    if fees:
        amounts["installation"] = amounts.get("installation", 0) + sum(fees.mapped("price_subtotal"))
    amounts = {name: whole(amount) for name, amount in amounts.items()}
    if taxed:
        amounts["installation_ppn"] = whole(sum(item.price_total - item.price_subtotal for item in fees))
        amounts["ppn"] = whole(move.amount_total) - sum(amounts.values())
    return [isp.InvoiceLine(name, amount) for name, amount in amounts.items() if amount]


def prices_of(note, move):
    """What a credit note of the engine gives back of an invoice, as prices are entered there: (price, of the fee on it) pairs."""
    fees = items_of(move, True)
    parts = [(False, [line for line in note.lines if not (fees and line.kind in FEE)])]
    if fees:
        parts.append((True, [line for line in note.lines if line.kind in FEE]))
    found = []
    for of_fee, lines in parts:
        with_ppn = any(items_of(move, of_fee).tax_ids.mapped("price_include"))
        price = sum(line.amount for line in lines if with_ppn or line.kind not in UNTAXED)
        if price:
            found.append((price, of_fee))
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


def zone_of(move):
    """The zone in which an invoice's day begins."""
    return (move.isp_subscription_id or move.isp_installation_fee_id.subscription_id).zone or move.company_id.isp_zone


def fee_charged(fee, notes):
    """A late fee with what was given back of it. One that was cancelled, or was reset, keeps its place: nothing of it is left."""
    total, posted = whole(fee.amount_total), fee.state == "posted"
    return isp.FeeCharged(
        fee.id, fee.invoice_date or fee.date, total, whole(fee.amount_tax),
        sum(whole(note.amount_total) for note in notes) if posted else total,
        sum(whole(note.amount_total) for note in notes if note.isp_paid_in_time),
    )


def charge(move, package, notes, late_fees, taxed):
    """The engine's charge of an invoice for days of service. ``notes`` are its credit notes, ``late_fees`` the fee on it and each time
    that it was charged again, with their own.

    A cancelled invoice, or one that was reset, keeps its days until a person decides: nothing of it is charged.
    """
    lines = lines_of(move, taxed)
    period = (move.isp_period_start, move.isp_period_end)
    issued = move.invoice_date or move.date
    back = given(move, notes, taxed)
    if move.state != "posted":
        back = [isp.NoteGiven("correction", *period, issued, lines)]
    # A fee was for the same days.
    fees = [
        isp.LateCharge(of.id, lines_of(of, taxed), [
            note._replace(period_start=period[0], period_end=period[1])
            for note in given(move, fee_notes, taxed)
        ])
        for of, fee_notes in late_fees
    ]
    return isp.LineCharge(
        move.id, "adjustment" if move.isp_charge else "subscription", package, *period, issued, lines, back, fees
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
