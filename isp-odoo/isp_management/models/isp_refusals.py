"""What the engine refuses, in the user's words; the code goes along (`refusals.py`)."""

from odoo import _, api, models

from ..refusals import Refusal


class IspRefusals(models.AbstractModel):
    _name = "isp.refusals"
    _description = "What the engine refuses, in words"

    @api.model
    def _isp_words(self):
        return {
            "value.empty": _("Write down the reason: somebody will ask."),
            "value.not_positive": _("The amount must be more than zero."),
            "value.bad_code": _("The provider may hold only letters, digits and . _ - / @"),
            "calendar.empty_period": _("It ends before it begins."),
            "payment.mismatch": _("This reference is known with another customer or amount."),
            "payment.reserved_provider": _("This provider's name is kept for credit notes and write-offs."),
            "payment.paid_in_future": _("This day has not begun yet, so nothing can have been paid on it."),
            "payment.paid_long_ago": _("This day is more than a year ago. Tick that it is meant so, if it is."),
            "promise.too_long": _("The promise runs longer than the settings allow."),
            "promise.too_many": _("The customer has made as many promises in this period as the settings allow."),
            "access.nothing_to_do": _("No line is in that state."),
            "invoice.more_than_left": _("The amount is more than what is left of the invoice."),
            "installation.clash": _("Another installation of the line is invoiced on one of these days."),
            "store.not_found": _("Nothing is unpaid here."),
            "store.duplicate": _("It was taken back already."),
        }

    @api.model
    def _isp_refuse(self, code, words=None):
        """The exception for a code of the engine; what has no words here is said in the engine's."""
        return Refusal(code, words or self._isp_words().get(code) or code)

    @api.model
    def _isp_allowed(self, answer):
        """An answer of the engine, unless it is why a wish is refused."""
        if isinstance(answer, Exception):
            text = self._isp_words().get(answer.code) or str(answer)
            raise Refusal(answer.code, text) from answer
        return answer
