"""What the engine refuses, in the user's words; the code goes along (`refusals.py`)."""

from odoo import _, api, models
from odoo.exceptions import UserError

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
            "subscription.not_serving": _("The line does not serve on that day: it is paused, ended or not begun, or it ends already."),
            "subscription.day_ahead": _("This cannot be said ahead: choose today or a day of the past."),
            "subscription.changed_today": _("Its package was changed at once today already. Tomorrow it may be changed again."),
            "subscription.changed_later": _("The line was changed from a later day on: choose that day or one after it."),
            "subscription.change_planned": _(
                "Days of the planned package are invoiced already. Change the package at once, or after them."
            ),
            "subscription.given_back_today": _("The days from here on were given back today. Choose the next day."),
            "subscription.changed_since": _("Something changed since the effect was shown. Look at it again."),
            "package.unknown": _("This package is none of the company's."),
            "package.no_price": _("The package has no price, or none on that day."),
            "billing.catch_up_limit": _("More periods are due than a run may bill. Run the billing first."),
            "terms.mixed_ppn": _(
                "One package's price contains its PPN and the other's does not, and they differ by less than that. Plan the change for the"
                " next period."
            ),
            "payment.mismatch": _("This reference is known with another customer or amount."),
            "payment.reserved_provider": _("This provider's name is kept for credit notes and write-offs."),
            "payment.slip_above_debt": _(
                "The slip is for more than the customer owes: the rest would be credit that nobody paid in. Tick that it is meant so, if the "
                "invoice was paid in full."
            ),
            "payment.slip_odd": _(
                "This is neither about 2 % nor about 4 % of the price without PPN. Tick that it is meant so, if the slip says so."
            ),
            "payment.slip_twice": _(
                "With the slips that were taken before, this is more than the tax on these invoices. Is it the same slip under another number?"
                " Tick that it is meant so, if it is another."
            ),
            "payment.paid_in_future": _("This day has not begun yet, so nothing can have been paid on it."),
            "value.implausible": _("This amount looks like a slip of the keyboard. Tick that it is meant so, if it is."),
            "payment.paid_long_ago": _("This day is more than a year ago. Tick that it is meant so, if it is."),
            "promise.too_long": _("The promise runs longer than the settings allow."),
            "promise.too_many": _("The customer has made as many promises in this period as the settings allow."),
            "proof.too_large": _("The file is larger than 5 MB."),
            "proof.kind": _("The file is no JPEG, PNG, WEBP or PDF, whatever its name says."),
            "proof.too_many": _("Five proofs of this customer wait for review already. Review them first."),
            "proof.reviewed": _("The proof was reviewed before."),
            "proof.booked": _(
                "A payment of this customer has the same amount and may be this very transfer. Write its provider and reference here, "
                "and nothing is booked twice. Tick that it is meant so, if the customer paid twice."
            ),
            "proof.settled": _(
                "The invoices of this proof are paid already, so the money would be credit. Tick that it is meant so, if it came all the "
                "same, or reject the proof."
            ),
            "request.nothing_owed": _("Nothing is owed here."),
            "access.nothing_to_do": _("No line is in that state."),
            "invoice.more_than_left": _("The amount is more than what is left of the invoice."),
            "installation.fee_terms": _("A fee that goes with the first invoice is paid in one part."),
            "installation.first_invoice_issued": _("The first invoice of the line is issued. Invoice the fee by itself."),
            "installation.clash": _("Another installation of the line is invoiced on one of these days."),
            "store.not_found": _("Nothing is unpaid here."),
            "store.duplicate": _("It was taken back already."),
        }

    @api.model
    def _isp_refuse(self, code, words=None):
        """The exception for a code of the engine, in these words or those of the table."""
        return Refusal(code, words or self._isp_words().get(code) or code)

    @api.model
    def _isp_refusal_of(self, answer):
        """The exception for the engine's own: what has no words in the table is said in the engine's."""
        if not hasattr(answer, "code"):
            return UserError(_("This is not possible: %s", answer))
        return self._isp_refuse(answer.code, self._isp_words().get(answer.code) or _("This is not possible: %s", answer))

    @api.model
    def _isp_allowed(self, answer):
        """An answer of the engine, unless it is why a wish is refused."""
        if isinstance(answer, Exception):
            raise self._isp_refusal_of(answer) from answer
        return answer
