"""Days as the engine and Odoo have them, and whether a context may say what time it is: in tests and checks only. Over RPC a caller sends any context that he likes,
and who could move the clock could isolate or spare everybody."""

import threading
from datetime import timedelta

from odoo.tools import config

# Set by programs that boot Odoo themselves to live a story (`checks/boot.py`); a server never does.
story = False


def may_be_set():
    """True inside Odoo's tests, and in a process that was started to play a story."""
    return story or bool(config["test_enable"]) or bool(getattr(threading.current_thread(), "testing", False))


# Odoo keeps the last day of a span, because people read it so; the engine the day after it.
def day_after(last):
    """The engine's end of a span, from its last day."""
    return last + timedelta(days=1)


def last_day(end):
    """The last day of a span, from the engine's end of it."""
    return end - timedelta(days=1)


def local_day(moment, hours):
    """The day of an aware moment in a zone, ``hours`` ahead of UTC."""
    return (moment + timedelta(hours=hours)).date()
