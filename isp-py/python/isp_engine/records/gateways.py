"""Payment gateways: what one is told, and what it says."""

from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine._masked import masked
from isp_engine.records.decisions import Money

GatewayKind: TypeAlias = Literal["midtrans", "xendit", "tripay", "duitku"]
PayChannel: TypeAlias = Literal[
    "qris", "va-bca", "va-bni", "va-bri", "va-mandiri", "va-permata", "va-cimb", "va-bsi", "alfamart", "indomaret", "page"
]
NoticeState: TypeAlias = Literal["pending", "paid", "expired", "cancelled", "refunded"]
CancelOutcome: TypeAlias = Literal["cancelled", "cannot", "too_late"]
RefundState: TypeAlias = Literal["pending", "done", "refused"]


class GatewaySettings(NamedTuple):
    """One account at a gateway. The keys are masked in ``repr``.

    ``name`` is what the books call it. ``key`` makes requests (server key, secret key, API key), ``webhook_key`` checks webhooks
    where that is another one: Xendit's callback token, Tripay's private key. Tripay and Duitku need the code of the
    ``merchant`` and an ``email`` of the provider, so that none of a customer is given away. ``callback_url`` is where webhooks
    go, for gateways that are told with each request; ``base_url`` another address of the API, such as a simulator's.
    """

    name: str
    kind: GatewayKind
    key: str
    sandbox: bool = False
    merchant: str = ""
    webhook_key: str = ""
    email: str = ""
    callback_url: str | None = None
    base_url: str | None = None

    def __repr__(self) -> str:
        return masked(self, "key", "webhook_key")


class GatewayAsk(NamedTuple):
    """What a gateway is to collect, under a ``reference`` of yours that is used once. ``description`` is what for, without
    personal data; ``payer`` is the name that the customer reads at the bank, masked in ``repr``."""

    reference: str
    amount: Money
    channel: PayChannel
    description: str
    payer: str
    expires_at: datetime

    def __repr__(self) -> str:
        return masked(self, "payer")


class GatewayAnswer(NamedTuple):
    """With what the customer pays: a ``number`` (virtual account, bill with the company code ``biller``, code for a shop), the text
    of a ``qris`` code, or a page at ``url``. ``fee`` is what the gateway keeps, where it tells."""

    provider_id: str | None
    number: str | None
    biller: str | None
    qris: str | None
    url: str | None
    expires_at: datetime | None
    fee: Money | None


class GatewayRefund(NamedTuple):
    """What a gateway says of a refund: ``pending`` until it has brought the money to the customer, ``done``, or ``refused`` with
    its own word for why."""

    state: RefundState
    provider_id: str | None
    reason: str


class GatewayNotice(NamedTuple):
    """What a gateway says of a request. ``gross`` is what counts for the customer, without ``payer_fee``, which was paid on top;
    ``fee`` is what the gateway keeps of it. Act on it only when it is ``sure``; else ask ``status``."""

    reference: str
    provider_id: str
    state: NoticeState
    gross: Money
    payer_fee: Money
    fee: Money | None
    paid_at: datetime | None
    channel: str | None
    sure: bool


class GatewayTransaction(NamedTuple):
    """What a simulated gateway was asked to collect, and what became of it."""

    reference: str
    id: str
    asked: Money
    paid: Money
    method: str
    state: NoticeState
