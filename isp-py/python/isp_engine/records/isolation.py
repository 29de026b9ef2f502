"""Isolation: what protects a line, what is decided, and whether the clock can be right."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine.records.decisions import Access, Action, Cause, Key, Money, OpenInvoice, Reason, Zone

EndingKind: TypeAlias = Literal["ended", "taken_back"]
HolidayKind: TypeAlias = Literal["national", "joint_leave"]
FileKind: TypeAlias = Literal["jpeg", "png", "webp", "pdf"]
ProofVerdict: TypeAlias = Literal["accepted", "rejected", "taken_back"]


class Ending(NamedTuple):
    """That a record holds no longer: ``ended`` (it held until ``at``) or ``taken_back`` (it was a mistake), with who said so
    and why."""

    kind: EndingKind
    at: datetime
    by: str
    reason: str


class EndingWish(NamedTuple):
    """Somebody says that a promise, an exemption or an outage holds no longer; ``known`` is the ending that it has already."""

    key: Key
    kind: EndingKind
    at: datetime
    by: str
    reason: str
    known: Ending | None = None


class Promise(NamedTuple):
    """A promise to pay (*janji bayar*); ``until`` is the last day on which it protects."""

    made_on: date
    until: date
    ending: Ending | None = None


class Exemption(NamedTuple):
    """An exemption from isolation, from its first to its last day; ``reason`` is for :func:`explain`."""

    since: date
    until: date
    reason: str = ""
    ending: Ending | None = None


class Outage(NamedTuple):
    """A recorded outage of the site; ``until`` is ``None`` while it lasts. Both moments are aware."""

    since: datetime
    until: datetime | None = None
    ending: Ending | None = None


class Proof(NamedTuple):
    """When a proof of transfer (*bukti transfer*) of one invoice waited: from ``arrived_at`` until ``reviewed_at``, or still.

    A proof of several invoices is one row for each. ``taken_back``: the review said that it was recorded by mistake.
    """

    invoice: Key
    arrived_at: datetime
    reviewed_at: datetime | None = None
    taken_back: bool = False


class ProofWish(NamedTuple):
    """A file that a customer sends as a proof of transfer: ``owed`` is what is open of the invoices that it is for, ``amount``
    what the customer says (``None``: all of it), ``waiting`` how many proofs of the customer wait already. Who is ``sure`` of an odd
    amount is not asked."""

    name: str
    content: bytes
    owed: Money
    amount: Money | None = None
    waiting: int = 0
    sure: bool = False


class ProofFile(NamedTuple):
    """What is known of the file of a proof, and over how much the proof is."""

    name: str
    kind: FileKind
    media_type: str
    size: int
    sha256: str
    amount: int


class ReviewWish(NamedTuple):
    """What somebody says about a proof; ``reviewed``: somebody did before."""

    verdict: ProofVerdict
    by: str
    reason: str = ""
    reviewed: bool = False


class OtherPayment(NamedTuple):
    """A payment of the customer in money that stands and belongs to no proof; ``name`` is told in a question."""

    name: str
    amount: Money
    paid_at: datetime


class TransferWish(NamedTuple):
    """The money of a proof that is accepted: ``open`` is what is still open of the proof's invoices."""

    amount: Money
    paid_at: datetime
    open: Money
    others: Sequence[OtherPayment] = ()


class AccessFacts(NamedTuple):
    """All that the decision about one line rests on.

    ``access`` and ``cause`` are what is wanted so far; ``isolated_overdue`` is what was overdue when the present
    isolation began, or the one it was last reopened from. ``promises``, ``exemptions``, ``outages`` and ``proofs`` are all that
    there are, whatever their days: the zone of the line decides which of them hold. ``promise``, ``exemption`` and ``outage`` are the old
    names, for one each; they go with the next version.
    """

    subscription: Key
    start: date
    access: Access
    invoices: Sequence[OpenInvoice] = ()
    cause: Cause | None = None
    isolated_overdue: Money | None = None
    zone: Zone = "WIB"
    end: date | None = None
    paused_from: date | None = None
    promise: Promise | None = None
    exemption: Exemption | None = None
    outage: Outage | None = None
    promises: Sequence[Promise] = ()
    exemptions: Sequence[Exemption] = ()
    outages: Sequence[Outage] = ()
    proofs: Sequence[Proof] = ()


class Decision(NamedTuple):
    """What should happen to a line now, why, and the arrears it was decided on."""

    subscription: Key
    action: Action
    reason: Reason
    overdue: int
    days_late: int


class PublicHoliday(NamedTuple):
    """A day on which nobody is isolated, unless the policy says otherwise: a national holiday or joint leave (*cuti bersama*).
    ``estimated``: it waits for the sighting of the moon, and may still move."""

    date: date
    kind: HolidayKind
    name: str
    estimated: bool


class ClockDoubt(NamedTuple):
    """Why the moment of a run is doubted: ``clock.behind`` or ``clock.ahead`` of the run before, of ``last``, by so many days."""

    code: Literal["clock.behind", "clock.ahead"]
    last: datetime
    days: int
