"""Messages that wait: what each is looked at with before it leaves, and what it says then."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine.records.decisions import Access, Cause, Key, Money, OpenInvoice, Zone
from isp_engine.records.isolation import AccessFacts, Proof

NotificationKind: TypeAlias = Literal["due_soon", "overdue", "isolated", "payment_received", "reopened"]
NoticeKind: TypeAlias = Literal["isolated", "reopened"]
LookAction: TypeAlias = Literal["send", "later", "drop"]
LookReason: TypeAlias = Literal[
    "no_phone", "too_old", "quiet_hours", "paid", "past_due", "isolated_already", "small_debt", "no_package", "no_access",
    "router_not_yet", "reopened", "not_open", "no_payment", "reversed",
]  # fmt: skip


class DueSoon(NamedTuple):
    """Something falls due: ``amount`` is the sum of all that is open, ``due_date`` the earliest that the message is about."""

    package: str
    invoices: Sequence[str]
    amount: Money
    due_date: date


class Overdue(NamedTuple):
    """Something is overdue; on ``isolation_date`` the line may be isolated."""

    package: str
    invoices: Sequence[str]
    amount: Money
    due_date: date
    days_late: int
    isolation_date: date


class Isolated(NamedTuple):
    """The line is isolated; ``amount`` is what to pay to reopen it, 0 when it was isolated by hand."""

    package: str
    amount: Money
    since: date


class PaymentReceived(NamedTuple):
    """A payment came in; ``still_open`` is what is open afterwards."""

    amount: Money
    reference: str
    paid_on: date
    still_open: Money


class Reopened(NamedTuple):
    """The line is open again."""

    package: str
    since: date


Content: TypeAlias = DueSoon | Overdue | Isolated | PaymentReceived | Reopened


class Owed(NamedTuple):
    """One document that is owed, by the number that the customer knows."""

    number: str
    amount: Money
    due_date: date


class Demand(NamedTuple):
    """All that a customer owes at a moment, oldest first (rule N6).

    ``overdue`` is the part that is past its due date: with it paid, nobody is in arrears. ``isolation_date`` is the first day on
    which a line of the customer is isolated if nothing is paid, ``None`` when none is: too little is owed, a protection has no end,
    the line has ended, is paused or is isolated. ``isolated``: a line is isolated for arrears and stays so until they are paid.
    """

    owed: Sequence[Owed]
    total: Money
    overdue: Money
    isolation_date: date | None
    isolated: bool


class MessageLine(NamedTuple):
    """A line that a message is about. ``access`` is what is wanted of it, ``None`` when the message names no line.

    ``told``: the message tells of the very event that last isolated or reopened it. ``confirmed``: the router has said so, or
    there is none.
    """

    package: str
    access: Access | None = None
    cause: Cause | None = None
    isolated_at: datetime | None = None
    told: bool = False
    confirmed: bool = True


class MessagePayment(NamedTuple):
    """The payment that a message names."""

    amount: Money
    reference: str
    paid_at: datetime
    reversed: bool = False


class Statement(NamedTuple):
    """The invoices of one customer that are issued and due on the same days, as one document; ``key`` is its number as shown."""

    key: Key
    issue_date: date
    due_date: date


class Notice(NamedTuple):
    """A notice about a line that was isolated or reopened: the open invoices of the line, and the customer's statements."""

    key: Key
    customer: Key
    kind: NoticeKind
    invoices: Sequence[OpenInvoice] = ()
    statements: Sequence[Statement] = ()
    zone: Zone = "WIB"


class JoinedNotice(NamedTuple):
    """Notices that are said as one, and the statement that isolated their lines."""

    notices: tuple[Key, ...]
    statement: Key | None


class QueuedMessage(NamedTuple):
    """A message that waits, with what it is looked at with.

    ``not_before`` is the earliest moment at which it might have left: its age counts from there. ``invoices`` are all open ones
    of the customer, keyed by the numbers that the message shows, as are ``statements``; ``about`` names those that a reminder was
    written for. ``served`` are all lines of the customer as :func:`decide_isolation` takes them: the day of isolation that a message
    names is the first on which it would isolate one of them. ``None`` where they are not known: then all invoices count as those of one
    line that is open and that nothing protects but ``proofs``, their proofs of transfer, which count then only.
    """

    key: Key
    kind: NotificationKind
    not_before: datetime
    invoices: Sequence[OpenInvoice] = ()
    about: Sequence[Key] = ()
    lines: Sequence[MessageLine] = ()
    payment: MessagePayment | None = None
    reachable: bool = True
    zone: Zone = "WIB"
    statements: Sequence[Statement] = ()
    proofs: Sequence[Proof] = ()
    served: Sequence[AccessFacts] | None = None


class MessageLook(NamedTuple):
    """What to do with a message now: ``send`` this, look again ``later`` (``at``), or ``drop`` it, with the reason."""

    message: Key
    action: LookAction
    reason: LookReason | None
    at: datetime | None
    content: Content | None
    demand: Demand | None
