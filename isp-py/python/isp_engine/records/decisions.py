"""Billing, PPN, reminders and payments.

A :data:`Key` is the caller's own name for a row, an ``int`` or a ``str``; the engine only hands it back. Money that
goes in is an ``int`` or a :class:`~decimal.Decimal` without fraction; money that comes out is an ``int`` of rupiah.
A day is a ``datetime.date`` on the customer's calendar and never a ``datetime``. Periods are half-open: ``end`` is
the day after the last day.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

Key: TypeAlias = int | str
Money: TypeAlias = int | Decimal
Zone: TypeAlias = Literal["WIB", "WITA", "WIT"]
Cycle: TypeAlias = Literal["monthly", "quarterly", "semiannual", "annual"]
Timing: TypeAlias = Literal["prepaid", "postpaid"]
TaxMode: TypeAlias = Literal["exclusive", "inclusive"]
LineKind: TypeAlias = Literal[
    "subscription", "installation", "late_fee", "discount", "credit", "ppn", "rounding", "installation_ppn"
]
ChargeKind: TypeAlias = Literal["subscription", "adjustment"]
CreditReason: TypeAlias = Literal["package_change", "pause", "termination", "outage", "isolation", "correction"]
Access: TypeAlias = Literal["open", "isolated", "closed"]
Cause: TypeAlias = Literal["arrears", "manual"]
Action: TypeAlias = Literal["keep", "isolate", "reopen", "close"]
ReminderKind: TypeAlias = Literal["due_soon", "overdue"]
Reason: TypeAlias = Literal[
    "nothing_overdue",
    "within_grace",
    "small_debt",
    "overdue_too_long",
    "before_hour",
    "day_not_allowed",
    "promised",
    "exempt",
    "site_outage",
    "proof_waiting",
    "still_overdue",
    "isolated_by_hand",
    "reopened_by_hand",
    "paid",
    "paid_enough",
    "pending",
    "paused",
    "terminated",
    "in_service",
]


# Packages and PPN


class Price(NamedTuple):
    """A price for one month of service, from a day on."""

    since: date
    amount: Money


class Package(NamedTuple):
    """A package (*paket*) with its dated prices, in any order."""

    key: Key
    prices: Sequence[Price]
    tax_mode: TaxMode = "exclusive"


class TaxRule(NamedTuple):
    """PPN from a day on: ``percent`` of ``base_numerator / base_denominator`` of the price."""

    since: date
    base_numerator: int
    base_denominator: int
    percent: int


class Taxable(NamedTuple):
    """A price whose PPN is asked for, and the day that decides the rule."""

    price: Money
    on: date
    mode: TaxMode = "exclusive"


class Taxed(NamedTuple):
    """The tax side of a price: ``dpp + ppn + rounding == total``, to the rupiah.

    ``base`` is the amount that the rate of the day is taken of: *DPP nilai lain*, 11/12 of ``dpp``, since 2025; 0 for a
    provider that charges no PPN.
    """

    dpp: int
    ppn: int
    rounding: int
    total: int
    base: int


# Billing


class PackageChange(NamedTuple):
    """Another package, for periods that start on ``since`` or later."""

    package: Key
    since: date


class HeldPrice(NamedTuple):
    """A monthly price that the customer holds, for periods that start before ``until``; ``None``: for ever."""

    price: Money
    until: date | None = None


class Discount(NamedTuple):
    """Rupiah per month or percent (1 to 100) off, for periods that start before ``until``; ``None``: for ever."""

    kind: Literal["amount", "percent"]
    value: Money
    until: date | None = None


class IsolatedSpan(NamedTuple):
    """A time in which a line was isolated; ``until`` is ``None`` while it is. Both moments are aware."""

    since: datetime
    until: datetime | None = None


class Subscription(NamedTuple):
    """What billing needs to know of a subscription (*langganan*).

    ``day`` is the billing day, 1 to 31; ``end`` the day after the last day of service; ``paused_from`` the first day
    of a pause (*cuti*). ``billed_from`` says from which day on to bill it, whatever the position of the run: set it
    for a new subscription and keep what :class:`BillingPlan` gives back. ``isolated`` matters to a policy with
    ``while_isolated="skip"`` alone. Days before ``charged_until`` are settled: keep what :class:`TermsChange` gives back.
    """

    key: Key
    package: Key
    start: date
    day: int
    cycle: Cycle = "monthly"
    timing: Timing = "prepaid"
    zone: Zone = "WIB"
    billed_from: date | None = None
    end: date | None = None
    paused_from: date | None = None
    change: PackageChange | None = None
    held_price: HeldPrice | None = None
    discount: Discount | None = None
    isolated: Sequence[IsolatedSpan] = ()
    charged_until: date | None = None


class InvoiceLine(NamedTuple):
    """A line of an invoice. ``days`` of ``of_days`` were billed when it is prorated, else both are ``None``."""

    kind: LineKind
    amount: int
    days: int | None = None
    of_days: int | None = None


class Invoice(NamedTuple):
    """An invoice (*tagihan*) to write; unique by ``(subscription, period_start)``. Its lines add up to ``total``."""

    subscription: Key
    package: Key
    period_start: date
    period_end: date
    issue_date: date
    due_date: date
    lines: tuple[InvoiceLine, ...]
    dpp: int
    ppn: int
    total: int


class BilledFrom(NamedTuple):
    """The new ``billed_from`` of a subscription, to be written with its invoices."""

    subscription: Key
    billed_from: date | None


class Problem(NamedTuple):
    """A subscription that could not be billed, or not for all periods that are due; the rest of the run goes on."""

    subscription: Key
    code: str
    message: str


class SkippedPeriod(NamedTuple):
    """A period that is not billed because the line is isolated, under ``while_isolated="skip"``."""

    subscription: Key
    period_start: date
    period_end: date


class InvoicedFee(NamedTuple):
    """An installation fee that stands on the invoice of a period, ``total`` of it with PPN.

    Without ``period_start`` the line ended before it had an invoice, and the fee is one of its own ``on`` that day; see
    :func:`installation_fees`.
    """

    key: Key
    subscription: Key
    period_start: date | None
    on: date
    total: int


class BillingPlan(NamedTuple):
    """What a billing run has to write. ``next_position`` holds when all pages of the run are written."""

    invoices: list[Invoice]
    billed_from: list[BilledFrom]
    problems: list[Problem]
    next_position: date
    skipped: list[SkippedPeriod]
    fees: list[InvoicedFee]


# Late fees and credit notes


class NoteGiven(NamedTuple):
    """What a credit note gave back of a charge for some of its days, and why."""

    reason: CreditReason
    period_start: date
    period_end: date
    issue_date: date
    lines: Sequence[InvoiceLine]


class LateInvoice(NamedTuple):
    """An invoice for a period of service, and what was unpaid of it when the day of its late fee began.

    ``given`` are the notes about the period that begins on ``period_start``.
    """

    key: Key
    due_date: date
    unpaid: Money
    zone: Zone = "WIB"
    period_start: date | None = None
    given: Sequence[NoteGiven] = ()


class LateFee(NamedTuple):
    """A late fee (*denda*) on an invoice, dated ``on``; ``due`` when it is to be charged, else it is coming. Its invoice
    is to be paid by ``due_date``."""

    invoice: Key
    on: date
    dpp: int
    ppn: int
    total: int
    due: bool
    due_date: date


class GivenBack(NamedTuple):
    """What a credit note gave back of an invoice for some of its days; ``same_outage``: for the outage in question."""

    period_start: date
    period_end: date
    lines: Sequence[InvoiceLine]
    same_outage: bool = False


class Charge(NamedTuple):
    """An invoice for days of service, with all that was given back of it."""

    key: Key
    period_start: date
    period_end: date
    lines: Sequence[InvoiceLine]
    given: Sequence[GivenBack] = ()
    zone: Zone = "WIB"


class IsolatedFacts(NamedTuple):
    """The invoices of one line, when it was isolated, its first day of service, and its mark: the day from which it is to be billed."""

    charges: Sequence[Charge]
    isolated: Sequence[IsolatedSpan]
    start: date
    billed_from: date | None = None


class CreditNote(NamedTuple):
    """What to give back of a ``charge`` for days of it, at its own prices and PPN. The lines add up to ``total``."""

    charge: Key
    period_start: date
    period_end: date
    lines: tuple[InvoiceLine, ...]
    dpp: int
    ppn: int
    total: int


# Changes of terms


class LateCharge(NamedTuple):
    """The late fee on a charge, with all that was given back of it."""

    key: Key
    lines: Sequence[InvoiceLine]
    given: Sequence[NoteGiven] = ()


class LineCharge(NamedTuple):
    """An invoice for days of service of a line, with all that was given back of it, the late fee on it, and each time that the fee
    was charged again.

    Leave out what was cancelled. There is one of a ``kind`` for a first day.
    """

    key: Key
    kind: ChargeKind
    package: Key
    period_start: date
    period_end: date
    issue_date: date
    lines: Sequence[InvoiceLine]
    given: Sequence[NoteGiven] = ()
    late_fees: Sequence[LateCharge] = ()


class NextPackage(NamedTuple):
    """Another package from the first day on that was not charged for the present one."""

    package: Key


class PackageAtOnce(NamedTuple):
    """Another package from ``since`` on: today or a day of the past."""

    package: Key
    since: date


class MoveBillingDay(NamedTuple):
    """Another billing day, 1 to 31, said on ``since``: today or a day of the past."""

    day: int
    since: date


class PauseLine(NamedTuple):
    """A pause (*cuti*) from ``since`` on: today or a day of the past."""

    since: date


class ResumeLine(NamedTuple):
    """The end of a pause: ``since`` is the first day of service, today or a day of the past."""

    since: date


class EndLine(NamedTuple):
    """The end of a line: ``end`` is the day after the last day of service, ahead, today or in the past."""

    end: date


Wish: TypeAlias = NextPackage | PackageAtOnce | MoveBillingDay | PauseLine | ResumeLine | EndLine


class TermsFacts(NamedTuple):
    """A line, a wish about it (``None``: it begins), all that it was charged for days of service, and its access so far."""

    subscription: Subscription
    wish: Wish | None = None
    charges: Sequence[LineCharge] = ()
    access: Access = "open"


class TermsInvoice(NamedTuple):
    """An invoice of a change: for a ``subscription`` period or a part of one, or an ``adjustment`` of days charged before."""

    kind: ChargeKind
    invoice: Invoice


class TermsNote(NamedTuple):
    """What to give back of a ``charge``, or of the ``invoice`` at that place among those of the same change.

    It settles what is open of that invoice first; the rest is the customer's credit.
    """

    charge: Key | None
    invoice: int | None
    reason: CreditReason
    period_start: date
    period_end: date
    lines: tuple[InvoiceLine, ...]
    dpp: int
    ppn: int
    total: int


class TermsChange(NamedTuple):
    """What a wish comes to: write all of it in one transaction, or nothing.

    ``subscription`` holds the new terms, ``since`` the first day on which they show: of the new package, of the first whole
    period of a new billing day, of the pause, of service after it, or the day after the last one. ``access`` is what
    happens to access now. ``next`` is the next invoice as things stand, which is not written now. ``fingerprint`` names facts and
    result: another one at confirming means that they are not what was shown.
    """

    subscription: Subscription
    since: date
    invoices: tuple[TermsInvoice, ...]
    notes: tuple[TermsNote, ...]
    access: Literal["reopen", "close", "regroup"] | None
    next: TermsInvoice | None
    charged: int
    given_back: int
    fingerprint: str


# Open invoices, reminders, payments


class OpenInvoice(NamedTuple):
    """An issued invoice and what was paid of it."""

    key: Key
    issue_date: date
    due_date: date
    total: Money
    paid: Money = 0


class Notified(NamedTuple):
    """A reminder that was written already; ``level`` is its day offset."""

    invoice: Key
    kind: ReminderKind
    level: int


class DunningFacts(NamedTuple):
    """All that reminding one customer rests on. ``reachable``: there is a number to write to."""

    customer: Key
    invoices: Sequence[OpenInvoice]
    notified: Sequence[Notified] = ()
    reachable: bool = True
    zone: Zone = "WIB"


class Reminder(NamedTuple):
    """One message to send, about one or more invoices.

    ``keys`` are the reminders that it stands for, one for each invoice, kind and level; remember them as ``Notified``.
    """

    customer: Key
    kind: ReminderKind
    level: int
    invoices: tuple[Key, ...]
    not_before: datetime
    keys: tuple[Notified, ...] = ()


class Credit(NamedTuple):
    """A payment or credit note with money left, and when it was recorded. ``note_of`` is the invoice that a note was given for."""

    payment: Key
    left: Money
    since: datetime | None = None
    note_of: Key | None = None


class PaidPart(NamedTuple):
    """What a payment or credit note pays of an invoice, not what write-offs settle. ``note_of`` is the invoice that a note was given
    for: it comes back to that one first."""

    invoice: Key
    payment: Key
    amount: Money
    note_of: Key | None = None


class AllocationFacts(NamedTuple):
    """The open invoices of one customer, and the payments to spread over them, in the order of use.

    Give ``paid`` when a payment was taken back: what payments pay of which invoices; ``invoices`` are these invoices, too.
    """

    customer: Key
    invoices: Sequence[OpenInvoice]
    credit: Sequence[Credit]
    paid: Sequence[PaidPart] = ()


class Allocation(NamedTuple):
    """The part of a payment that pays an invoice; below zero when it goes to another one."""

    customer: Key
    payment: Key
    invoice: Key
    amount: int
