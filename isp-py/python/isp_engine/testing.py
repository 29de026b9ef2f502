"""A MikroTik router, Meta's Cloud API and payment gateways on loopback ports, for tests and demonstrations without hardware.

They speak the real protocols over real sockets, fail on demand, and show what they hold::

    with SimulatedRouter() as router, SimulatedWhatsApp() as meta:
        ...
        router.down()
        meta.fail("reply_lost")
"""

from isp_engine._isp_engine import SimulatedGateway, SimulatedRouter, SimulatedWhatsApp
from isp_engine.records import GatewayTransaction, SentMessage, SignedWebhook, SimulatedProfile, SimulatedSecret, SimulatedSession

__all__ = [
    "GatewayTransaction",
    "SentMessage",
    "SignedWebhook",
    "SimulatedGateway",
    "SimulatedProfile",
    "SimulatedRouter",
    "SimulatedSecret",
    "SimulatedSession",
    "SimulatedWhatsApp",
]
