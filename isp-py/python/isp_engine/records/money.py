"""Payments that somebody tells of, debts that are given up, corrections, installation fees and promises."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine.records.decisions import Access, Cause, Charge, Cycle, InvoiceLine, Key, Money

Told: TypeAlias = Literal["person", "insisting", "machine"]
ReceivedOutcome: TypeAlias = Literal["new", "known", "taken_back"]
Hand: TypeAlias = Literal["isolate", "reopen"]


# Payments


class KnownPayment(NamedTuple):
    """A payment that is known by the same provider and reference."""

    key: Key
    customer: Key
    amount: Money
    paid_at: datetime
    reversed: bool = False


class PaymentNotice(NamedTuple):
    """A payment as a ``person``, one who is ``insisting`` on its day, or a ``machine`` tells of it.

    ``known`` are the payments with the same provider and reference (:func:`payment_identity`), oldest first.
    """

    key: Key
    customer: Key
    provider: str
    reference: str
    amount: Money
    paid_at: datetime
    told: Told = "person"
    known: Sequence[KnownPayment] = ()


class ReceivedPayment(NamedTuple):
    """What a notice comes to: a ``new`` payment, or the ``payment`` that is ``known`` or was ``taken_back``: then nothing is
    written. ``identity`` is what it is known by."""

    notice: Key
    outcome: ReceivedOutcome
    payment: Key | None
    identity: str


class PaidEarlier(NamedTuple):
    """A payment that was made before the day of a late fee and became known after it.

    ``fee`` is the fee with all that was given back of it and ``on`` its day; ``unpaid`` what was known to be unpaid of the late
    invoice when that day began, and ``amount`` what the payment pays of it.
    """

    fee: Charge
    on: date
    unpaid: Money
    paid_at: datetime
    amount: Money


class WriteOffWish(NamedTuple):
    """An invoice that is given up, what is open of it, who decides it, and why."""

    invoice: Key
    open: Money
    by: str
    reason: str


class WriteOff(NamedTuple):
    """How much of an invoice is given up."""

    invoice: Key
    amount: int


class Correction(NamedTuple):
    """A correction of an invoice that was written: its day, and how much with PPN."""

    on: date
    amount: Money


class CorrectionWish(NamedTuple):
    """A part of an invoice that was wrong, with PPN. ``before`` are the corrections that it had."""

    charge: Charge
    amount: Money
    on: date
    reason: str
    before: Sequence[Correction] = ()


# Installation fees


class InstallationFee(NamedTuple):
    """An installation fee (PSB) before PPN, from its day on in 1 to 12 monthly instalments.

    ``taken`` are the days on which other installations of the line are invoiced; ``first_invoice_issued`` matters to a fee that
    is to go ``with_first_invoice`` alone. Parts are whole hundreds but for the last, which takes the rest: with PPN they sum to the
    fee, too.
    """

    key: Key
    fee: Money
    on: date
    instalments: int = 1
    with_first_invoice: bool = False
    first_invoice_issued: bool = False
    taken: Sequence[date] = ()


class FeePart(NamedTuple):
    """An invoice for a part of an installation fee; ``number`` counts from 1. The lines add up to ``total``."""

    number: int
    on: date
    due_date: date
    lines: tuple[InvoiceLine, ...]
    dpp: int
    ppn: int
    total: int


class FeeSchedule(NamedTuple):
    """The invoices that an installation fee becomes; none when it goes with the first periodic invoice."""

    key: Key
    parts: tuple[FeePart, ...]


class FirstFee(NamedTuple):
    """An installation fee, before PPN, that goes with the first periodic invoice of a subscription."""

    key: Key
    subscription: Key
    fee: Money


# Promises, and what is done by hand


class Grid(NamedTuple):
    """The periods of a line: its first day of service, its billing day and its cycle."""

    start: date
    day: int
    cycle: Cycle = "monthly"


class PromiseWish(NamedTuple):
    """A promise to pay that somebody wants to make, the lines of the customer, and the days on which the promises were made that
    count: not those that were taken back."""

    made_on: date
    until: date
    lines: Sequence[Grid] = ()
    made: Sequence[date] = ()


class HandFacts(NamedTuple):
    """A line, and what is wanted of it so far."""

    subscription: Key
    access: Access
    cause: Cause | None = None
