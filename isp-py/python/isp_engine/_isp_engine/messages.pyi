"""Reminders and notices, their sending by WhatsApp, and what comes back."""

from collections.abc import Sequence
from datetime import datetime

from isp_engine._isp_engine.policies import DunningPolicy, IsolationPolicy
from isp_engine.records import (
    Channel,
    Delivery,
    DeliveryFacts,
    DunningFacts,
    Event,
    JoinedNotice,
    Message,
    MessageLook,
    MessageTemplate,
    Notice,
    QueuedMessage,
    Reminder,
    Sender,
    Sent,
)

def due_reminders(
    customers: Sequence[DunningFacts], now: datetime, *, policy: DunningPolicy | None = None
) -> list[Reminder]: ...
def join_notices(notices: Sequence[Notice], now: datetime) -> list[JoinedNotice]: ...
def refresh_messages(
    messages: Sequence[QueuedMessage],
    now: datetime,
    *,
    policy: DunningPolicy | None = None,
    isolation: IsolationPolicy | None = None,
) -> list[MessageLook]: ...
def send_messages(
    channel: Channel, messages: Sequence[Message], *, deadline: float | None = None
) -> list[Sent]: ...
def preview_messages(
    messages: Sequence[Message],
    *,
    templates: Sequence[MessageTemplate] | None = None,
    sender: Sender | None = None,
) -> list[str]: ...
def template_registrations(
    templates: Sequence[MessageTemplate] | None = None, *, sender: bool = False
) -> list[str]: ...
def verify_webhook(app_secret: str, signature: str | None, body: bytes) -> None: ...
def receive_webhook(app_secret: str, signature: str | None, body: bytes) -> list[Event]: ...
def answer_subscription(verify_token: str, query: str) -> str: ...
def fold_statuses(messages: Sequence[DeliveryFacts]) -> list[Delivery]: ...
