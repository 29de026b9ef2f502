"""Whether a context may say what time it is: in tests and checks only. Over RPC a caller sends any context that he likes,
and who could move the clock could isolate or spare everybody."""

import threading

from odoo.tools import config

# Set by programs that boot Odoo themselves to live a story (`checks/boot.py`); a server never does.
story = False


def may_be_set():
    """True inside Odoo's tests, and in a process that was started to play a story."""
    return story or bool(config["test_enable"]) or bool(getattr(threading.current_thread(), "testing", False))
