"""WhatsApp through Meta's Cloud API: messages out, webhooks in.

Meta has no key against sending twice. So :func:`send` tries each message once and tells what became of it; ``unknown``
is an outcome of its own that nothing may repeat by itself, and the status reports settle it by ``callback``. A webhook is
believed only when its signature fits the bytes that came; statuses may come twice and in any order.
"""

from isp_engine._isp_engine import (
    PARAMETERS,
    SENDER_PARAMETERS,
    answer_subscription,
)
from isp_engine._isp_engine import (
    fold_statuses as fold,
)
from isp_engine._isp_engine import (
    preview_messages as preview,
)
from isp_engine._isp_engine import (
    receive_webhook as receive,
)
from isp_engine._isp_engine import (
    send_messages as send,
)
from isp_engine._isp_engine import (
    template_registrations as registrations,
)
from isp_engine._isp_engine import (
    verify_webhook as verify,
)
from isp_engine.records import (
    Channel,
    Delivery,
    DeliveryFacts,
    DueSoon,
    InboundEvent,
    Isolated,
    Message,
    MessageTemplate,
    Overdue,
    PaymentReceived,
    Reopened,
    ReportedStatus,
    Sender,
    Sent,
    StatusEvent,
    TemplateEvent,
)

__all__ = [
    "PARAMETERS",
    "Channel",
    "Delivery",
    "DeliveryFacts",
    "DueSoon",
    "InboundEvent",
    "Isolated",
    "Message",
    "MessageTemplate",
    "Overdue",
    "PaymentReceived",
    "Reopened",
    "ReportedStatus",
    "SENDER_PARAMETERS",
    "Sender",
    "Sent",
    "StatusEvent",
    "TemplateEvent",
    "answer_subscription",
    "fold",
    "preview",
    "receive",
    "registrations",
    "send",
    "verify",
]
