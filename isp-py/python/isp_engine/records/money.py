"""Payments that somebody tells of, debts that are given up, corrections, installation fees and promises."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine.records.decisions import Access, Cause, Charge, Cycle, InvoiceLine, Key, Money, NoteGiven, Zone

Told: TypeAlias = Literal["person", "insisting", "machine"]
ReceivedOutcome: TypeAlias = Literal["new", "known", "taken_back"]
MoneyDoubt: TypeAlias = Literal[
    "nobody", "several", "names_another", "another_owes", "looks_booked", "request_paid", "other_amount", "not_sure",
    "customer_gone", "written_anew", "comes_back",
]
Hand: TypeAlias = Literal["isolate", "reopen"]


# Payments


class KnownPayment(NamedTuple):
    """A payment that is known by the same provider and reference."""

    key: Key
    customer: Key
    amount: Money
    paid_at: datetime
    reversed: bool = False


class Withholding(NamedTuple):
    """An invoice that a slip of PPh 23 may be for: its price without PPN, what slips that stand settle of it already, and whether
    something of it is unpaid."""

    dpp: Money
    withheld: Money = 0
    open: bool = True


class PaymentNotice(NamedTuple):
    """A payment as a ``person``, one who is ``insisting`` on its day, or a ``machine`` tells of it.

    ``known`` are the payments with the same provider and reference (:func:`payment_identity`), oldest first. ``owed`` is what the
    customer owes, in all or on an invoice: a person who pays just that is not asked whether so little, or so much, is meant.

    A provider ``pph23`` is a slip of PPh 23 that the customer kept back. ``owed`` is then all that the customer owes, and
    ``invoices`` are the customer's, oldest first, without late fees: the slip should be about 2 % or 4 % of some of them, and with the
    slips before it no more than that.
    """

    key: Key
    customer: Key
    provider: str
    reference: str
    amount: Money
    paid_at: datetime
    told: Told = "person"
    known: Sequence[KnownPayment] = ()
    owed: Money = 0
    invoices: Sequence[Withholding] = ()


class ReceivedPayment(NamedTuple):
    """What a notice comes to: a ``new`` payment, or the ``payment`` that is ``known`` or was ``taken_back``: then nothing is
    written. ``identity`` is what it is known by."""

    notice: Key
    outcome: ReceivedOutcome
    payment: Key | None
    identity: str


class RequestWish(NamedTuple):
    """A debt that a customer is to be asked for with an amount of its own. ``kept`` are the amounts between the debt and Rp999 more
    that are not free: those of other customers' requests, those of the customer's own that were paid or were over another debt, and
    the sums that other customers owe (``sums_owed``), because they are asked for these as they are."""

    key: Key
    debt: Money
    kept: Sequence[Money] = ()


class PaymentRequest(NamedTuple):
    """What a customer is asked for: ``amount`` is the debt and Rp1 to Rp999, which become credit. It is shown until ``expires_at``;
    no other request gets the amount before ``kept_until``."""

    wish: Key
    debt: Money
    amount: Money
    expires_at: datetime
    kept_until: datetime


class OwedDebt(NamedTuple):
    """What is open of an invoice of a customer."""

    customer: Key
    issue_date: date
    due_date: date
    amount: Money


class OwedSum(NamedTuple):
    """A sum that a customer may be paying: the oldest debt, the two oldest, and so on to all; any one; or those of one statement."""

    customer: Key
    amount: int


class Transfer(NamedTuple):
    """A payment of the customer that somebody booked as a transfer, and that no bank has told of yet."""

    key: Key
    amount: Money
    on: date
    booked_at: datetime


class AskedPayment(NamedTuple):
    """A request that was made before; one that was ``cancelled`` still says whose money it is. Money for one that was ``paid``, or
    whose customer has paid by one of the ``transfers`` since, may be what the bank tells of that payment."""

    key: Key
    customer: Key
    amount: Money
    made_at: datetime
    kept_until: datetime
    paid: bool = False
    cancelled: bool = False
    transfers: Sequence[Transfer] = ()


class BankPayer(NamedTuple):
    """A customer, by the ID, the name and the phone number that may stand in the bank's text."""

    customer: Key
    code: str
    name: str = ""
    phone: str = ""


class BankMoney(NamedTuple):
    """Money that came to an account: how much, on which day, and what the bank wrote.

    ``said`` are the customers that the payer is who the bank or a person names: ``None`` where nobody does, nobody or several where
    that contact is not one customer. ``owed_by`` are the customers who owe just this amount (``sums_owed``)."""

    key: Key
    amount: Money
    on: date
    text: str = ""
    said: Sequence[Key] | None = None
    owed_by: Sequence[Key] = ()


class MoneyMatch(NamedTuple):
    """What becomes of money: it pays the ``request``, or it is the ``payment`` that is booked already. Where neither is sure, ``doubt``
    says why the request of this amount is left to a person, and ``payment`` what it looks like; ``None`` where nobody was asked for
    the amount. ``candidates`` are the customers whose it may be, the surest first."""

    money: Key
    request: Key | None
    payment: Key | None
    doubt: MoneyDoubt | None
    candidates: Sequence[Key]


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


# Late fees by when payments were made


class FeeCharged(NamedTuple):
    """The invoice of a late fee. ``back`` was given back of it; of that, ``for_payments`` because a payment became known later that
    was made in time. What a person gave back is not charged again."""

    key: Key
    on: date
    total: Money
    ppn: Money = 0
    back: Money = 0
    for_payments: Money = 0


class BilledInvoice(NamedTuple):
    """An invoice of a customer. One for a period of service, which begins on ``period_start``, bears a late fee, unless ``given``
    gives its days back from the first on. ``fees`` are its fee and each time that it was charged again, in that order."""

    key: Key
    issue_date: date
    due_date: date
    total: Money
    zone: Zone = "WIB"
    period_start: date | None = None
    given: Sequence[NoteGiven] = ()
    fees: Sequence[FeeCharged] = ()


class Came(NamedTuple):
    """Money of a customer: a payment that stands, with all of it, or what a note or a write-off was used for, ``only`` for that
    invoice."""

    payment: Key
    at: datetime
    amount: Money
    only: Key | None = None


class LateFeeFacts(NamedTuple):
    """All invoices of a customer, those of late fees among them, all money as it came, and the ``payment`` that is asked about."""

    invoices: Sequence[BilledInvoice]
    money: Sequence[Came]
    payment: Key | None = None


class FeeBack(NamedTuple):
    """What is given back, with PPN, of the ``fee`` on an ``invoice``."""

    invoice: Key
    fee: Key
    amount: int


class FeeAgain(NamedTuple):
    """A late fee on an ``invoice`` that is due because a payment was taken back. It was charged ``nth`` times before."""

    invoice: Key
    nth: int
    on: date
    dpp: int
    ppn: int
    total: int
    due_date: date


class UnpaidWhenLate(NamedTuple):
    """What was unpaid of an invoice when the day of its late fee began."""

    invoice: Key
    unpaid: int


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
