"""Days as the engine and Odoo have them, and whether a context may say what time it is: in tests and checks only. Over RPC a caller sends any context that he likes,
and who could move the clock could isolate or spare everybody."""

import contextlib
import contextvars
import threading
from datetime import timedelta, timezone

from odoo.tools import config

# Set by programs that boot Odoo themselves to live a story (`checks/boot.py`); a server never does.
story = False


def may_be_set():
    """True inside Odoo's tests, and in a process that was started to play a story."""
    return story or bool(config["test_enable"]) or bool(getattr(threading.current_thread(), "testing", False))


# The moment that code of ours lives through: the demo provider's past. No caller over RPC reaches it.
_moment = contextvars.ContextVar("isp_moment", default=None)


@contextlib.contextmanager
def at(moment):
    """What is done inside is done at a moment, naive UTC as Odoo has it."""
    token = _moment.set(moment.replace(tzinfo=timezone.utc))
    try:
        yield
    finally:
        _moment.reset(token)


def given():
    """The aware moment that :func:`at` names, if any."""
    return _moment.get()


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
