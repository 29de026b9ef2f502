import base64
import logging
import re
import secrets
from datetime import timedelta, timezone

from isp_engine import InvalidValue, IspError, OutcomeUnknown, gateways

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import hmac

from odoo.addons.isp_management.logic import terms_rows, transaction
from odoo.addons.isp_management.logic.access_rows import aware
from odoo.addons.isp_management.logic.money import rupiah

from ..const import ASKED_ABOUT, CHANNELS, KINDS, OWN, PAGE
from .payment_provider import DEADLINE

_logger = logging.getLogger(__name__)

# So long a customer may pay.
VALID = timedelta(hours=24)
# A lost webhook is asked about every few minutes, and every hour when nobody paid at once.
SOON, SOON_AFTER, LATER_AFTER = timedelta(hours=2), timedelta(minutes=5), timedelta(hours=1)
# So many requests a payer may make in an hour: each is a call of the gateway.
AN_HOUR, MOST_AN_HOUR = timedelta(hours=1), 20
# What a gateway was asked and what it said. Odoo's own flows write it as the system; by hand nobody does.
TOLD = {
    "state", "amount", "currency_id", "provider_id", "provider_reference", "reference", "payment_method_id", "partner_id", "invoice_ids",
    "operation", "payment_id", "is_post_processed", "source_transaction_id", "last_state_change", "isp_asked_at", "isp_expires_at",
    "isp_number", "isp_biller", "isp_qris", "isp_url", "isp_request_id", "isp_looked_at", "isp_paid_at", "isp_given_back", "isp_told",
    "isp_fee_told", "isp_fee", "isp_fee_move_id", "isp_fee_booked",
}


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    isp_asked_at = fields.Datetime("Asked of the gateway on", readonly=True, copy=False)
    isp_expires_at = fields.Datetime("To be paid until", readonly=True, copy=False)
    isp_number = fields.Char("Number to pay to", readonly=True, copy=False)
    isp_biller = fields.Char("Company code", readonly=True, copy=False)
    isp_qris = fields.Char("QRIS code", readonly=True, copy=False)
    isp_url = fields.Char("Page of the gateway", readonly=True, copy=False)
    isp_looked_at = fields.Datetime("Asked how it stands on", readonly=True, copy=False)
    isp_paid_at = fields.Datetime("Paid on", readonly=True, copy=False, help="As the gateway says.")
    isp_given_back = fields.Boolean("Given back", readonly=True, copy=False, help="The gateway gave the money back, or a part of it.")
    isp_told = fields.Text("Left to a person", readonly=True, copy=False)

    # Who writes

    @api.model_create_multi
    def create(self, vals_list):
        transactions = super().create(vals_list)
        transactions._isp_check_by_hand()
        return transactions

    def write(self, vals):
        if TOLD & vals.keys():
            self._isp_check_by_hand()
        result = super().write(vals)
        if "provider_id" in vals:
            self._isp_check_by_hand()
        return result

    def _isp_check_by_hand(self):
        """What a gateway says is not made up by whoever takes cash: Odoo lets all who write invoices write this."""
        if not self.env.su and self.sudo().filtered(lambda one: one.provider_code in (*KINDS, OWN)):
            raise AccessError(_("What a gateway says is not written by hand. Register a payment instead."))

    # Asking

    def _get_specific_rendering_values(self, processing_values):
        values = super()._get_specific_rendering_values(processing_values)
        if self.provider_code not in (*KINDS, OWN):
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
        if provider_code not in (*KINDS, OWN):
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
        self._isp_check_offer()
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

    def _isp_check_offer(self):
        """Refuse what Odoo's page does not offer. A browser may send anything: the number of a provider in test mode, where anybody
        pays without money, one of another company, or the amount of an invoice in dollars."""
        provider, invoices = self.provider_id, self.invoice_ids
        offered = [
            self.env["payment.provider"].sudo()._get_compatible_providers(
                company.id, self.partner_id.id, self.amount, currency_id=self.currency_id.id,
            )
            for company in invoices.company_id or provider.company_id
        ]
        # The rest of Odoo takes a provider without a list of currencies for one that takes any.
        taken = provider._get_supported_currencies()
        methods = provider.with_context(active_test=False).payment_method_ids
        if self.currency_id not in taken or self.payment_method_id not in methods or not all(provider in found for found in offered):
            raise ValidationError(_("%s is not offered for this payment.", provider.name))
        if invoices.currency_id - self.currency_id:
            raise ValidationError(_("%s is not offered for this payment.", provider.name))
        if invoices and not invoices.filtered(lambda move: move.state == "draft" or move.state == "posted" and move.amount_residual > 0):
            raise ValidationError(_("There is nothing to pay on this invoice any more."))
        asked = self.sudo().search_count([
            ("provider_code", "in", [*KINDS, OWN]), ("isp_asked_at", ">", fields.Datetime.now() - AN_HOUR),
            "|", ("partner_id", "=", self.partner_id.id), ("invoice_ids", "in", invoices.ids),
        ], limit=MOST_AN_HOUR)
        if asked >= MOST_AN_HOUR:
            raise ValidationError(_("You began many payments. Go on with one of them, or try again in an hour."))

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

    def _isp_stop(self):
        """Let the gateway take no money for what was paid another way; whoever did pay there is heard. False when it could not be asked."""
        self.ensure_one()
        provider, reference = self.provider_id, self.reference
        known = {"provider_id": self.provider_reference or None, "channel": CHANNELS.get(self.payment_method_id.code)}
        gateway = provider._isp_gateway()
        self.isp_looked_at = fields.Datetime.now()
        transaction.commit(self.env)
        try:
            outcome = gateways.cancel(gateway, reference, deadline=DEADLINE, **known)
        except IspError as error:
            _logger.info("%s was not told to stop a request: %s", provider.name, error.code)
            return False
        if outcome == "cancelled":
            self.filtered(lambda one: one.state in ("draft", "pending"))._set_canceled(_("The invoice was paid another way."))
            return True
        # Some have no call for it, and some were faster.
        return self._isp_look()

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
            self._isp_hear_fee(notice)
            self._isp_paid(notice)
        elif notice.state == "pending" and self.state == "draft":
            self._set_pending()
        elif notice.state in ("expired", "cancelled") and self.state in ("draft", "pending", "error"):
            # Money that came is not taken away by what is told late.
            self._set_canceled(extra_allowed_states=("error",))
        elif notice.state == "refunded" and not self._isp_given_back_as_asked(notice):
            self.isp_given_back = True
            self._isp_tell(_("%s says that money was given back. Take the payment back, if it was this one.", self.provider_id.name))

    def _isp_paid(self, notice):
        if self.state == "done":
            return
        if self.isp_given_back:
            # Told in the wrong order: what was given back opens nothing.
            self._isp_tell(_("%s also says that it was paid. Look there what is left of it.", self.provider_id.name))
        elif notice.gross != rupiah(self.amount):
            # Not booked by itself, and not forgotten.
            self._isp_tell(_(
                "%(provider)s says that %(paid)s was paid for %(reference)s, where %(asked)s was asked. Book it by hand.",
                provider=self.provider_id.name, paid=notice.gross, reference=self.reference, asked=rupiah(self.amount),
            ))
        else:
            self.provider_reference = notice.provider_id
            self.isp_paid_at = notice.paid_at and notice.paid_at.astimezone(timezone.utc).replace(tzinfo=None)
            # Money that came late came all the same.
            self._set_done(extra_allowed_states=("cancel",))

    def _isp_tell(self, what):
        """Leave it to the colleagues of the billing: once, also when they have seen to it and the gateway says it again."""
        if what in (self.isp_told or "").splitlines():
            return
        self.isp_told = "\n".join(filter(None, [self.isp_told, what]))
        for record in self.invoice_ids or self.partner_id:
            record.activity_schedule("mail.mail_activity_data_todo", summary=what, user_id=self.company_id._isp_colleague().id)
        self._log_message_on_linked_documents(what)

    def _isp_finish(self):
        """Book it now: the customer waits for the line. What fails is tried again by Odoo's own cron, and a person knows."""
        for done in self.filtered(lambda one: one.state == "done" and not one.is_post_processed):
            transaction.commit(done.env)
            # Whoever books the same in this moment is waited for, and finds it booked.
            done.env.cr.execute("SELECT id FROM payment_transaction WHERE id = %s FOR UPDATE", [done.id])
            done.invalidate_recordset()
            if done.is_post_processed:
                continue
            try:
                with done.env.cr.savepoint():
                    done._finalize_post_processing()
            except UserError as error:
                _logger.warning("a payment of %s is booked later: %s", done.provider_id.name, error)
                done._isp_tell(_("%(reference)s was paid and cannot be booked: %(why)s", reference=done.reference, why=error))
        # What it kept may be told after the payment.
        self._isp_book_fees()

    def _create_payment(self, **extra_create_values):
        """The payment is known by the gateway's own reference, however often it is told (rule P1)."""
        if self.provider_code not in KINDS or self.operation == "refund":
            return super()._create_payment(**extra_create_values)
        company, payments = self.provider_id.company_id, self.env["account.payment"]
        invoices = self._isp_without_cancelled()
        # Who pays for somebody else pays what that one owes.
        partner = invoices.commercial_partner_id if len(invoices.commercial_partner_id) == 1 else self.partner_id.commercial_partner_id
        names = {"isp_provider": self.provider_id._isp_name(), "isp_reference": self.provider_reference or self.reference}
        day = self._isp_day(company)
        known = payments._isp_known(company, partner, self.amount, day, names["isp_provider"], names["isp_reference"], "machine")
        if known:
            # Somebody read it at the gateway and was faster.
            self.payment_id = known
            return known
        owed = invoices.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
        account = {"destination_account_id": owed[0].account_id.id} if owed else {}
        payment = super()._create_payment(**{**names, **account, "partner_id": partner.id, "date": day, **extra_create_values})
        rest = payment.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
        self.env["isp.credit"]._isp_pay_with(rest)
        return payment

    def _isp_without_cancelled(self):
        """The invoices that can be paid: what was paid for one that is cancelled by now is the customer's credit."""
        for move in self.invoice_ids.filtered(lambda one: one.state == "cancel"):
            self.invoice_ids = [fields.Command.unlink(move.id)]
            move.message_post(body=_("%(reference)s was paid for this invoice, which is cancelled: the money is credit.", reference=self.reference))
        return self.invoice_ids

    def _isp_day(self, company):
        """The day on which the customer paid, as the gateway says: who paid in time owes no late fee because a webhook was late."""
        today = company._isp_today()
        day = terms_rows.today(aware(self.isp_paid_at), company.isp_zone) if self.isp_paid_at else today
        closed = day <= company.sudo()._get_user_fiscal_lock_date()
        return today if closed else min(day, today)

    # What got lost

    @api.model
    def _cron_isp_gateways(self):
        """Ask about requests that nobody told of: their webhook may be lost."""
        now, silent = fields.Datetime.now(), set()
        waiting = self.sudo().search([
            ("provider_code", "in", list(KINDS)), ("state", "in", ("draft", "pending", "error")),
            "|", ("isp_asked_at", ">", now - ASKED_ABOUT), "&", ("operation", "=", "refund"), ("state", "in", ("draft", "pending")),
            ("provider_id.isp_key_sealed", "!=", False),
            "|", ("isp_looked_at", "=", False), ("isp_looked_at", "<", now - SOON_AFTER),
            "|", "|", ("isp_looked_at", "=", False), ("isp_asked_at", ">", now - SOON), ("isp_looked_at", "<", now - LATER_AFTER),
        ], order="isp_looked_at nulls first, id", limit=500)

        def look(one):
            # One that does not answer is asked about the rest the next time: each silence lasts many seconds.
            if one.provider_id in silent:
                return
            paid = one.invoice_ids and one.state == "pending" and not any(one.invoice_ids.mapped("amount_residual"))
            if not (one._isp_stop() if paid else one._isp_look()):
                silent.add(one.provider_id)

        transaction.for_each(self.env, waiting, look, "asking a gateway")


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        """Whose invoice a payment of a gateway is for, nobody says by hand."""
        before = self.sudo().transaction_ids if "transaction_ids" in vals and not self.env.su else None
        result = super().write(vals)
        if before is not None:
            ((self.sudo().transaction_ids - before) | (before - self.sudo().transaction_ids)).with_env(self.env)._isp_check_by_hand()
        return result
