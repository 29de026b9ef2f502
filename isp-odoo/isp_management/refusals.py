"""Refusals that carry the engine's code: people read the words, programs and the suite of cases compare the code."""

from odoo.exceptions import UserError


class Refusal(UserError):
    """Says what is wrong with a wish, in the user's language; ``code`` is one of the engine's, see `docs/errors.md`."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
        # What Odoo hands to the web client and to callers by RPC beside the words. The client knows Odoo's own classes by name
        # only: without this one it would show the sentence as a fault of the server, with a traceback.
        self.context = {"isp_code": code, "exception_class": "odoo.exceptions.UserError"}
