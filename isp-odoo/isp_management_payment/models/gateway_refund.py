import logging
from datetime import timedelta

from isp_engine import IspError, OutcomeUnknown, gateways

from odoo import _, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.isp_management.logic import transaction
from odoo.addons.isp_management.logic.money import rupiah

from ..const import CHANNELS, KINDS, OWN, REFUNDS
from .payment_provider import DEADLINE

_logger = logging.getLogger(__name__)

# A call whose answer was lost may be on its way so long. Only then a gateway that does not know it is believed.
LOST_AFTER = timedelta(hours=1)
# A gateway's key of a refund has at most so many signs.
KEY = 36


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    def _compute_feature_support_fields(self):
        result = super()._compute_feature_support_fields()
        self.filtered(lambda one: one.code in REFUNDS).support_refund = "partial"
        return result


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _send_refund_request(self, amount_to_refund=None):
        """Let the gateway give back what is the customer's credit of a payment; what pays an invoice is no credit. What is about to be
        asked is committed first, and a lost answer is asked about, never asked for again."""
        if self.provider_code not in (*KINDS, OWN):
            return super()._send_refund_request(amount_to_refund=amount_to_refund)
        self.ensure_one()
        if not self.provider_id.support_refund:
            raise UserError(_("Money is given back at %s itself. What it tells of that is left to a person here.", self.provider_id.name))
        if not self.env.su:
            if not self.env.user.has_group("account.group_account_invoice"):
                raise AccessError(_("Only who writes invoices gives money back."))
            self.payment_id.check_access_rule("write")
        source = self.sudo()
        # Whoever gives back in this moment is waited for.
        self.env.cr.execute("SELECT id FROM payment_transaction WHERE id = %s FOR UPDATE", [source.id])
        left = source._isp_left_to_refund()
        asked = rupiah(amount_to_refund) if amount_to_refund else left
        if not 0 < asked <= left:
            raise UserError(_(
                "%(left)s of this payment is credit and can be given back. What pays an invoice is not: take the invoice back first.", left=left,
            ))
        refund = super(PaymentTransaction, source)._send_refund_request(amount_to_refund=asked)
        refund.isp_asked_at = fields.Datetime.now()
        transaction.commit(self.env)
        gateway, known = source.provider_id._isp_gateway(), source._isp_known_there()
        try:
            told = gateways.refund(gateway, source.reference, refund._isp_key(), asked, deadline=DEADLINE, **known)
        except OutcomeUnknown:
            # It is asked at once, and by the cron job until somebody knows.
            refund._isp_look()
            return refund
        except IspError as error:
            refund._set_error(_("The gateway does not give it back: %s", error))
            transaction.commit(self.env)
            raise UserError(_("The gateway does not give it back: %s", error)) from error
        refund._isp_refund_told(told)
        return refund

    def _isp_key(self):
        """The gateway takes the same key once."""
        return self.reference[-KEY:]

    def _isp_known_there(self):
        return {"provider_id": self.provider_reference or None, "channel": CHANNELS.get(self.payment_method_id.code)}

    def _isp_refunds(self):
        """Refunds that the gateway has, or may have."""
        return self.child_transaction_ids.filtered(lambda one: one.operation == "refund" and one.state in ("draft", "pending", "done"))

    def _isp_left_to_refund(self):
        """What is left of the payment as credit, less what is being given back."""
        going = sum(-one.amount for one in self._isp_refunds() if one.state != "done" or not one.payment_id)
        return rupiah(max(self.payment_id._isp_credit_left() - going, 0))

    def _isp_look(self):
        if self.operation != "refund":
            return super()._isp_look()
        if self.state == "error":
            return True
        source = self.source_transaction_id
        gateway, known = self.provider_id._isp_gateway(), source._isp_known_there()
        self.isp_looked_at = fields.Datetime.now()
        transaction.commit(self.env)
        try:
            told = gateways.refund_status(gateway, source.reference, self._isp_key(), deadline=DEADLINE, **known)
        except IspError as error:
            _logger.info("%s was not asked about a refund: %s", self.provider_id.name, error.code)
            return False
        if told:
            self._isp_refund_told(told)
        elif self.state == "draft" and fields.Datetime.now() - self.isp_asked_at >= LOST_AFTER:
            self._set_error(_("The gateway never got it."))
        return True

    def _isp_refund_told(self, told):
        if told.provider_id:
            self.provider_reference = told.provider_id
        if told.state == "done":
            self._set_done()
            self._isp_finish()
        elif told.state == "refused":
            self._set_error(_("The gateway does not give it back: %s", told.reason))
        elif self.state == "draft":
            self._set_pending()

    def _isp_given_back_as_asked(self, notice):
        """Whether all that a gateway tells it gave back was asked for here; then nothing is booked twice and nobody is told."""
        refunds = self._isp_refunds()
        asked = sum(-one.amount for one in refunds)
        if not refunds or notice.gross > asked:
            return False
        if notice.gross == asked:
            for one in refunds.filtered(lambda one: one.state != "done"):
                one._set_done()
                one._isp_finish()
        return True

    def _create_payment(self, **extra_create_values):
        """What goes back takes the credit of the payment that it is of."""
        if self.provider_code not in KINDS or self.operation != "refund":
            return super()._create_payment(**extra_create_values)
        source = self.source_transaction_id.payment_id
        rest = source._isp_credit_lines()
        account = {"destination_account_id": rest[0].account_id.id} if rest else {}
        values = {**account, "partner_id": source.partner_id.id, "date": self.provider_id.company_id._isp_today(), **extra_create_values}
        payment = super()._create_payment(**values)
        lines = payment.line_ids.filtered(lambda item: item.account_id == payment.destination_account_id and not item.reconciled)
        (lines | rest.filtered(lambda item: item.account_id == payment.destination_account_id)).reconcile()
        return payment


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _isp_credit_lines(self):
        return self.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)

    def _isp_credit_left(self):
        return -sum(self._isp_credit_lines().mapped("amount_residual"))

    def _compute_amount_available_for_refund(self):
        result = super()._compute_amount_available_for_refund()
        for payment in self.filtered(lambda one: one.payment_transaction_id.sudo().provider_code in KINDS):
            payment.amount_available_for_refund = min(payment.amount_available_for_refund, max(payment._isp_credit_left(), 0))
        return result
