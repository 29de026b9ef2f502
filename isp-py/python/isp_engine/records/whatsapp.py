"""Messages, what became of them, and what Meta reports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine._masked import masked
from isp_engine.records.decisions import Key
from isp_engine.records.messages import Content, Demand
from isp_engine.records.reports import Language

TemplateKind: TypeAlias = Literal[
    "due_soon", "overdue", "isolated", "isolated_by_hand", "payment_received", "reopened"
]
Outcome: TypeAlias = Literal[
    "accepted", "held", "retry_after", "recipient_rejected", "config_error", "channel_down", "unknown"
]
Fate: TypeAlias = Literal["sent", "wait", "failed", "unknown"]
DeliveryState: TypeAlias = Literal["queued", "sent", "failed", "delivered", "read"]
StatusWord: TypeAlias = Literal["sent", "delivered", "read", "failed"]


class MessageTemplate(NamedTuple):
    """An operator's own text for one kind and language, as it is registered with Meta.

    ``name`` is the name at Meta. ``body`` has named placeholders, ``{{nama}}``; which there are for a kind says
    :data:`isp_engine.whatsapp.PARAMETERS`. ``positional``: it was registered with ``{{1}}``, ``{{2}}``.
    """

    kind: TemplateKind
    language: Language
    name: str
    body: str
    positional: bool = False


class Sender(NamedTuple):
    """Who asks, and how to pay: at most 60 characters each, and three ways to pay."""

    name: str
    pay_to: Sequence[str] = ()
    contact: str | None = None


class Channel(NamedTuple):
    """A sending number at Meta's Cloud API. The token is masked in ``repr``.

    ``templates`` take the place of the standard ones of their kind and language. With a ``sender`` the standard ones are those that
    name it, everything that is owed and how to pay; they are registered under names of their own. ``base_url`` is another address: a
    simulator, or a proxy of one's own; ``None``: Meta's. ``graph_version``: ``None`` is the engine's default.
    """

    phone_number_id: str
    access_token: str
    base_url: str | None = None
    graph_version: str | None = None
    templates: Sequence[MessageTemplate] = ()
    sender: Sender | None = None

    def __repr__(self) -> str:
        return masked(self, "access_token")


class Message(NamedTuple):
    """A message to send. ``to`` (a mobile number as people write it) and ``name`` are masked in ``repr``.

    ``callback`` names the message for ever, at most 512 characters: it comes back in every status report. ``demand`` is all that
    the customer owes (of :func:`isp_engine.refresh_messages`), for the texts that name it. ``attempts`` is how often it was tried.
    ``link`` is a page of this customer's own: it stands beside the ways to pay, where a text asks for money and names its sender.
    ``repr`` masks it too, for who has it may look.
    """

    key: Key
    callback: str
    to: str
    name: str
    content: Content
    language: Language = "id"
    demand: Demand | None = None
    attempts: int = 0
    link: str | None = None

    def __repr__(self) -> str:
        return masked(self, "to", "name", "link")


class Sent(NamedTuple):
    """What became of one attempt to send.

    * ``accepted``: Meta took it, as ``provider_id``; delivery is reported later
    * ``held``: taken, but Meta holds it for a check of the template
    * ``retry_after``: not taken now; again after so many seconds, for the ``scope``
    * ``recipient_rejected``: never for this recipient
    * ``config_error``: template or request are wrong; a person must act
    * ``channel_down``: the number cannot send now, or Meta is out of reach: nothing was sent; keep the message
    * ``unknown``: it may have gone out: never send it again by itself, a status report settles it

    ``code`` is Meta's number, ``reason`` one line without anything personal, ``retryable`` whether sending it again
    can do no harm. A message that was not ``tried``, because what it needs rests, has the words of the one that met it.

    What to do with it (rule N8) says ``fate``: ``sent``; ``wait`` so many seconds; ``failed`` and ``unknown`` are for a person.
    ``rests`` says who else has to wait: the whole ``channel``, the ``template`` or the ``recipient``. ``template`` is the one, with its
    language, that a person may have to put in order.
    """

    message: Key
    outcome: Outcome
    provider_id: str | None
    retry_after: int | None
    scope: Literal["number", "recipient", "message"] | None
    code: int | None
    reason: str
    retryable: bool
    tried: bool = True
    fate: Fate = "sent"
    wait: int | None = None
    rests: Literal["channel", "template", "recipient"] | None = None
    template: str | None = None


class StatusEvent(NamedTuple):
    """A message of ours moved; unique by ``message_id`` and ``status``. ``callback`` is what it was sent with."""

    message_id: str
    status: StatusWord
    at: datetime
    callback: str | None
    code: int | None
    billable: bool | None
    category: str | None


class InboundEvent(NamedTuple):
    """A customer wrote or pressed a button. ``sender`` and ``text`` are masked in ``repr``.

    ``sender`` is the number in digits, ``None`` when hidden. ``kind`` is ``text``, ``button`` (``text`` is its payload)
    or Meta's word for anything else.
    """

    message_id: str
    at: datetime
    sender: str | None
    kind: str
    text: str | None
    in_reply_to: str | None

    def __repr__(self) -> str:
        return masked(self, "sender", "text")


class TemplateEvent(NamedTuple):
    """Meta approved, rejected, paused, disabled or recategorised a template."""

    name: str
    language: str
    event: str
    reason: str | None


Event: TypeAlias = StatusEvent | InboundEvent | TemplateEvent


class ReportedStatus(NamedTuple):
    """A status that was reported, with Meta's number for a failure."""

    status: StatusWord
    code: int | None = None


class DeliveryFacts(NamedTuple):
    """Where a message had got to, and what was reported since, in any order and however often."""

    key: Key
    statuses: Sequence[ReportedStatus]
    state: DeliveryState = "queued"
    code: int | None = None


class Delivery(NamedTuple):
    """Where a message has got to."""

    key: Key
    state: DeliveryState
    code: int | None


class SentMessage(NamedTuple):
    """A message that the simulated Cloud API took. Personal: masked in ``repr``."""

    message_id: str
    to: str
    callback: str | None
    template: str
    language: str
    parameters: tuple[tuple[str | None, str], ...]
    text: str
    held: bool

    def __repr__(self) -> str:
        return masked(self, "to", "parameters", "text")


class SignedWebhook(NamedTuple):
    """A webhook request as Meta would send it: the ``X-Hub-Signature-256`` header and the bytes that it signs."""

    signature: str
    body: bytes
