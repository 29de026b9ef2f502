"""Payment gateways of Indonesia: Midtrans, Xendit, Tripay and Duitku.

:func:`ask` asks one to collect, once; a lost answer is settled by :func:`status` with your own reference, never by asking for the
money again. :func:`refund` gives money back under a key of yours, and :func:`refund_status` settles it in the same way. A webhook is believed only when its signature fits the bytes that came, and acted upon only when it is ``sure``.
"""

from isp_engine._isp_engine import (
    ask_gateway as ask,
)
from isp_engine._isp_engine import (
    cancel_at_gateway as cancel,
)
from isp_engine._isp_engine import (
    gateway_acknowledgement as acknowledgement,
)
from isp_engine._isp_engine import (
    gateway_refund_status as refund_status,
)
from isp_engine._isp_engine import (
    gateway_status as status,
)
from isp_engine._isp_engine import (
    receive_gateway_webhook as receive,
)
from isp_engine._isp_engine import (
    refund_at_gateway as refund,
)
from isp_engine.records import (
    GatewayAnswer,
    GatewayAsk,
    GatewayNotice,
    GatewayRefund,
    GatewaySettings,
)

__all__ = [
    "GatewayAnswer",
    "GatewayAsk",
    "GatewayNotice",
    "GatewayRefund",
    "GatewaySettings",
    "acknowledgement",
    "ask",
    "cancel",
    "receive",
    "refund",
    "refund_status",
    "status",
]
