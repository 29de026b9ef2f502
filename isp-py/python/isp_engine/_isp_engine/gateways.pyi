"""Payment gateways: asking, settling, refunds and webhooks."""

from collections.abc import Sequence
from datetime import datetime

from isp_engine.records import (
    CancelOutcome,
    GatewayAnswer,
    GatewayAsk,
    GatewayNotice,
    GatewayRefund,
    GatewaySettings,
    PayChannel,
)

def ask_gateway(
    gateway: GatewaySettings, ask: GatewayAsk, now: datetime, *, deadline: float | None = None
) -> GatewayAnswer: ...
def gateway_status(
    gateway: GatewaySettings,
    reference: str,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> GatewayNotice | None: ...
def cancel_at_gateway(
    gateway: GatewaySettings,
    reference: str,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> CancelOutcome: ...
def refund_at_gateway(
    gateway: GatewaySettings,
    reference: str,
    key: str,
    amount: int,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> GatewayRefund: ...
def gateway_refund_status(
    gateway: GatewaySettings,
    reference: str,
    key: str,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> GatewayRefund | None: ...
def receive_gateway_webhook(
    gateway: GatewaySettings, headers: Sequence[tuple[str, str]], body: bytes
) -> GatewayNotice | None: ...
def gateway_acknowledgement(gateway: GatewaySettings) -> str: ...
