import base64
import logging
import re
import secrets
from datetime import timedelta

from isp_engine import InvalidValue, IspError, OutcomeUnknown, gateways

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import hmac

from odoo.addons.isp_management.logic import transaction
from odoo.addons.isp_management.logic.access_rows import aware
from odoo.addons.isp_management.logic.money import rupiah

from ..const import CHANNELS, KINDS, PAGE
from .payment_provider import DEADLINE

_logger = logging.getLogger(__name__)

# So long a customer may pay, and so long a lost webhook is asked about.
VALID, ASKED_ABOUT = timedelta(hours=24), timedelta(days=4)


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    isp_asked_at = fields.Datetime("Asked of the gateway on", readonly=True, copy=False)
    isp_expires_at = fields.Datetime("To be paid until", readonly=True, copy=False)
    isp_number = fields.Char("Number to pay to", readonly=True, copy=False)
    isp_biller = fields.Char("Company code", readonly=True, copy=False)
    isp_qris = fields.Char("QRIS code", readonly=True, copy=False)
    isp_url = fields.Char("Page of the gateway", readonly=True, copy=False)
    isp_looked_at = fields.Datetime("Asked how it stands on", readonly=True, copy=False)

    # Asking

    def _get_specific_rendering_values(self, processing_values):
        values = super()._get_specific_rendering_values(processing_values)
        if self.provider_code not in KINDS:
            return values
        self._isp_ask()
        token = self._isp_token()
        return {**values, "api_url": PAGE % self.id, "access_token": token}

    def _isp_token(self):
        """Whoever has it sees the page of this payment, and no other."""
        return hmac(self.env(su=True), "isp_gateway_page", (self.id, self.reference))

    @api.model
    def _compute_reference(self, provider_code, prefix=None, separator="-", **kwargs):
        """A reference of letters, digits and dashes, since gateways take no others; used once, also by a copy of this database."""
        if provider_code not in KINDS:
            return super()._compute_reference(provider_code, prefix=prefix, separator=separator, **kwargs)
        prefix = prefix or self.sudo()._compute_reference_prefix(provider_code, separator, **kwargs) or "ISP"
        plain = re.sub(r"[^A-Za-z0-9]+", "-", prefix).strip("-")[:30]
        return super()._compute_reference(provider_code, prefix="%s-%s" % (plain, secrets.token_hex(4)), separator=separator, **kwargs)

    def _isp_ask(self):
        """Ask the gateway to collect, once: what is about to be asked is committed first, and a lost answer is never asked for again."""
        self.ensure_one()
        if self.isp_asked_at:
            return
        channel = CHANNELS.get(self.payment_method_id.code)
        if not channel:
            raise ValidationError(_("%s is not paid through this gateway.", self.payment_method_id.name))
        try:
            amount = rupiah(self.amount)
        except ValueError as error:
            raise ValidationError(_("A gateway takes whole rupiah.")) from error
        now = fields.Datetime.now()
        gateway = self.provider_id._isp_gateway()
        ask = gateways.GatewayAsk(
            self.reference, amount, channel, _("Invoice"), self._isp_payer(), aware(now + VALID),
        )
        self.write({"isp_asked_at": now, "isp_expires_at": now + VALID})
        transaction.commit(self.env)
        try:
            answer = gateways.ask(gateway, ask, aware(now), deadline=DEADLINE)
        except OutcomeUnknown as error:
            # Nobody was shown a code for it. Another try has another reference.
            self._set_error(_("The gateway did not answer. Try again."))
            transaction.commit(self.env)
            raise ValidationError(_("The gateway did not answer. Try again.")) from error
        except (IspError, InvalidValue) as error:
            self._set_error(_("The gateway does not take it: %s", error))
            transaction.commit(self.env)
            raise ValidationError(_("The gateway does not take it: %s", error)) from error
        self.write({
            "provider_reference": answer.provider_id, "isp_number": answer.number, "isp_biller": answer.biller, "isp_qris": answer.qris,
            "isp_url": answer.url,
            **({"isp_expires_at": answer.expires_at.replace(tzinfo=None)} if answer.expires_at else {}),
        })
        self._set_pending()

    def _isp_payer(self):
        """Who pays, as the bank shows it: the customer ID, which is no name."""
        customer = self.env["isp.customer"].sudo().search([
            ("company_id", "=", self.company_id.id), ("partner_id", "in", (self.partner_id | self.partner_id.commercial_partner_id).ids),
        ], limit=1)
        return customer.customer_code or self.reference

    def _isp_qris_image(self):
        code = self.sudo().isp_qris
        return code and base64.b64encode(self.env["ir.actions.report"].sudo().barcode("QR", code, width=300, height=300))

    # Hearing of it

    @api.model
    def _isp_heard(self, provider, notice):
        """What a gateway says of one of our requests: believed when it is sure, else the gateway is asked. Returns the transaction."""
        found = self.sudo().search([("provider_id", "=", provider.id), ("reference", "=", notice.reference)], limit=1)
        if not found:
            _logger.warning("%s tells of a reference that nobody asked under", provider.name)
            return found
        if not notice.sure:
            return found if found._isp_look() else found.browse()
        found._handle_notification_data(provider.code, {"isp_notice": notice})
        found._isp_finish()
        return found

    def _isp_look(self):
        """Ask the gateway how this stands; False when it could not be asked."""
        self.ensure_one()
        provider, reference = self.provider_id, self.reference
        gateway = provider._isp_gateway()
        known = {"provider_id": self.provider_reference or None, "channel": CHANNELS.get(self.payment_method_id.code)}
        self.isp_looked_at = fields.Datetime.now()
        transaction.commit(self.env)
        try:
            notice = gateways.status(gateway, reference, deadline=DEADLINE, **known)
        except IspError as error:
            _logger.info("%s was not asked about a request: %s", provider.name, error.code)
            return False
        if notice:
            self._handle_notification_data(provider.code, {"isp_notice": notice})
            self._isp_finish()
        return True

    def _get_tx_from_notification_data(self, provider_code, notification_data):
        found = super()._get_tx_from_notification_data(provider_code, notification_data)
        if provider_code not in KINDS or len(found) == 1:
            return found
        reference = notification_data["isp_notice"].reference
        return self.search([("reference", "=", reference), ("provider_code", "=", provider_code)], limit=1)

    def _process_notification_data(self, notification_data):
        super()._process_notification_data(notification_data)
        if self.provider_code not in KINDS:
            return
        # Whoever tells the same in this moment is waited for, and finds it told.
        self.env.cr.execute("SELECT id FROM payment_transaction WHERE id = %s FOR UPDATE", [self.id])
        self.invalidate_recordset(["state"])
        notice = notification_data["isp_notice"]
        if notice.state == "paid":
            if notice.gross != rupiah(self.amount):
                self._isp_other_amount(notice)
                return
            self.provider_reference = notice.provider_id
            # Money that came late came all the same.
            self._set_done(extra_allowed_states=("cancel",))
        elif notice.state == "pending":
            self._set_pending()
        elif notice.state in ("expired", "cancelled"):
            # Money that came is not taken away by what is told late.
            if self.state != "done":
                self._set_canceled()
        elif notice.state == "refunded":
            self._isp_tell(_("%s says that money was given back. Take the payment back, if it was this one.", self.provider_id.name))

    def _isp_other_amount(self, notice):
        """Another amount was paid than was asked for: it is not booked by itself, and not forgotten."""
        self._isp_tell(_(
            "%(provider)s says that %(paid)s was paid for %(reference)s, where %(asked)s was asked. Book it by hand.",
            provider=self.provider_id.name, paid=notice.gross, reference=self.reference, asked=rupiah(self.amount),
        ))

    def _isp_tell(self, what):
        """Leave it to the colleagues of the billing, once."""
        for move in self.invoice_ids:
            if what not in move.activity_ids.mapped("summary"):
                move.activity_schedule("mail.mail_activity_data_todo", summary=what, user_id=self.company_id._isp_colleague().id)
        self._log_message_on_linked_documents(what)

    def _isp_finish(self):
        """Book it now: the customer waits for the line. What fails is tried again by Odoo's own cron."""
        for done in self.filtered(lambda one: one.state == "done" and not one.is_post_processed):
            transaction.commit(done.env)
            try:
                with done.env.cr.savepoint():
                    done._finalize_post_processing()
            except UserError as error:
                _logger.warning("a payment of %s is booked later: %s", done.provider_id.name, error)

    def _create_payment(self, **extra_create_values):
        """The payment is known by the gateway's own reference, however often it is told (rule P1)."""
        if self.provider_code not in KINDS:
            return super()._create_payment(**extra_create_values)
        names = {"isp_provider": self.provider_id._isp_name(), "isp_reference": self.provider_reference or self.reference}
        payment = super()._create_payment(**{**names, **extra_create_values})
        rest = payment.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
        self.env["isp.credit"]._isp_pay_with(rest)
        return payment

    # What got lost

    @api.model
    def _cron_isp_gateways(self):
        """Ask about requests that nobody told of: their webhook may be lost."""
        now = fields.Datetime.now()
        waiting = self.sudo().search([
            ("provider_code", "in", list(KINDS)), ("state", "in", ("draft", "pending", "error")), ("isp_asked_at", ">", now - ASKED_ABOUT),
            ("provider_id.state", "!=", "disabled"),
            "|", ("isp_looked_at", "=", False), ("isp_looked_at", "<", now - timedelta(minutes=5)),
        ], order="isp_looked_at nulls first, id", limit=500)
        transaction.for_each(self.env, waiting, lambda one: one._isp_look(), "asking a gateway")
