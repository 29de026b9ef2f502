"""Sending: facts checked at the moment, "sending" committed, the engine called, the outcome committed."""

import logging
import re
from datetime import timedelta

import isp_engine
from isp_engine import whatsapp

from odoo import _, api, models
from odoo.exceptions import UserError

from ..logic import notices, transaction, webhook
from ..logic.access_rows import aware
from ..logic.money import OWED_FROM, rupiah_owed
from ..logic.policy import ZONE_HOURS
from ..logic.retry import wait_after

_logger = logging.getLogger(__name__)

# Messages that one call takes; the rest follows in the next.
BATCH = 100
# A message that Meta refuses for now is given up after so many attempts.
ATTEMPTS = 12
# A message of which nothing was written down for so long may have gone out: nobody sends it again.
LOST_AFTER = timedelta(minutes=15)
CALLBACK = re.compile("[0-9]{1,10}")


class IspNotification(models.Model):
    _inherit = "isp.notification"

    def _isp_callback(self):
        """What Meta gives back with every status; names the message for ever."""
        self.ensure_one()
        return "%s:%s" % (self.env["ir.config_parameter"].sudo().get_param("database.uuid"), self.id)

    @api.model
    def _cron_isp_send(self):
        """Send what is queued, company by company."""
        transaction.for_each(
            self.env, self.env["isp.channel"].sudo().search([]),
            lambda channel: self.sudo().with_company(channel.company_id)._isp_send(channel), "sending",
        )

    @api.model
    def _isp_send(self, channel):
        """Send what is due through one number; a number that another process is using is left to it.

        Returns how many were tried.
        """
        if not transaction.try_lock(self.env, transaction.LOCK_CHANNEL, channel.id):
            return 0
        try:
            tried = 0
            while True:
                batch = self._isp_send_batch(channel)
                tried += batch
                if batch < BATCH or channel.state == "trouble":
                    return tried
        finally:
            transaction.unlock(self.env, transaction.LOCK_CHANNEL, channel.id)

    @api.model
    def _isp_send_batch(self, channel):
        company = channel.company_id
        now = company._isp_now().replace(tzinfo=None)
        self._isp_give_up_lost(company, now)
        there = channel._isp_engine_channel()
        if there is None:
            return 0
        messages = []
        for row in self.sudo().search([
            ("company_id", "=", company.id),
            ("channel", "=", "whatsapp"),
            ("state", "=", "queued"),
            ("not_before", "<=", now),
            "|", ("next_attempt", "=", False), ("next_attempt", "<=", now),
        ], order="id", limit=BATCH):
            message = row._isp_prepare(now, there.templates)
            if message is not None:
                messages.append(message)
        # From here to the next statement no transaction is open.
        transaction.commit(self.env)
        if not messages:
            return 0
        sent = whatsapp.send(there, messages)
        now = company._isp_now().replace(tzinfo=None)
        for outcome in sent:
            self.sudo().browse(outcome.message)._isp_sent(outcome, channel, now)
        transaction.commit(self.env)
        return len(messages)

    @api.model
    def _isp_give_up_lost(self, company, now):
        """Messages on the way when a process died: they may have gone out."""
        lost = self.sudo().search(
            [("company_id", "=", company.id), ("state", "=", "sending"), ("sent_at", "<", now - LOST_AFTER)]
        )
        lost.write({
            "state": "unknown",
            "error_code": "port.unknown",
            "error": "Odoo stopped while the message was on its way",
        })

    # Before

    def _isp_prepare(self, now, templates):
        """Check the facts and mark the message as on its way; drops it, with the reason, when they do not hold."""
        self.ensure_one()
        customer = self.customer_id
        why = self._isp_stale()
        if not why and not customer.whatsapp_number:
            why = ("customer.no_number", "no mobile number")
        if not why and not customer.whatsapp_allowed:
            why = ("customer.not_allowed", "the customer does not want WhatsApp")
        if why:
            self.write({"state": "dropped", "error_code": why[0], "error": why[1]})
            return None
        hours = ZONE_HOURS[self.company_id.isp_zone]
        allowed = notices.next_allowed(self.kind, aware(now), hours, self.company_id._isp_dunning_policy())
        if allowed > aware(now):
            self.next_attempt = allowed.replace(tzinfo=None)
            return None
        message = whatsapp.Message(
            self.id, self._isp_callback(), customer.whatsapp_number, customer.name, self._isp_content(),
            customer.message_language,
        )
        try:
            body = whatsapp.preview([message], templates=templates)[0]
        except isp_engine.InvalidValue as error:
            self.write({"state": "failed", "error_code": error.code, "error": str(error)})
            return None
        self.write({
            "state": "sending", "attempts": self.attempts + 1, "body": body, "sent_at": now,
            "error_code": False, "error": False, "next_attempt": False,
        })
        return message

    def _isp_open_now(self):
        return self.move_ids.filtered(lambda m: m.state == "posted" and m.amount_residual >= OWED_FROM)

    def _isp_stale(self):
        """Why the message is not true any more, or nothing (rule N3)."""
        self.ensure_one()
        today = self.company_id._isp_today()
        if self.kind in ("due_soon", "overdue"):
            owed = self._isp_open_now()
            if not owed:
                return "notification.paid", "paid in the meantime"
            if self.kind == "due_soon" and max(owed.mapped("invoice_date_due")) < today:
                return "notification.late", "the due date has passed"
            if self.kind == "overdue" and min(owed.mapped("invoice_date_due")) >= today:
                return "notification.not_due", "the due date was moved"
        line = self.subscription_id
        if self.kind == "isolated" and not line.desired_access == line.observed_access == "isolated":
            return "notification.reopened", "not isolated any more"
        if self.kind == "reopened" and not line.desired_access == line.observed_access == "open":
            return "notification.not_open", "not open any more"
        if self.kind == "payment_received" and self.payment_move_id.state != "posted":
            return "notification.reversed", "the payment was taken back"
        return None

    def _isp_content(self):
        """What the message says, from the facts of now."""
        self.ensure_one()
        company = self.company_id
        if self.kind in ("due_soon", "overdue"):
            owed = self._isp_open_now().sorted(lambda m: (m.invoice_date_due, m.id))
            lines = owed.isp_subscription_id | owed.isp_installation_fee_id.subscription_id
            package = ", ".join(lines.package_id.mapped("name")) or _("Installation")
            amount, due = sum(rupiah_owed(move.amount_residual) for move in owed), owed[0].invoice_date_due
            numbers = owed.mapped("name")
            if self.kind == "due_soon":
                return whatsapp.DueSoon(package, numbers, amount, due)
            isolation = notices.isolation_day(due, company._isp_isolation_policy())
            late = (company._isp_today() - due).days
            return whatsapp.Overdue(package, numbers, amount, due, late, max(isolation, company._isp_today()))
        if self.kind == "payment_received":
            entry = self.payment_move_id
            received = entry.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable" and line.credit)
            still = self.env["account.move"].sudo()._read_group(
                [("company_id", "=", company.id), *self.customer_id._isp_open_domain()], [], ["amount_residual:sum"]
            )[0][0]
            return whatsapp.PaymentReceived(
                rupiah_owed(sum(received.mapped("credit"))), entry.ref or entry.name, entry.date, rupiah_owed(still or 0)
            )
        line = self.subscription_id
        since = aware(self.isolation_event_id.observed_at) + timedelta(hours=ZONE_HOURS[company.isp_zone])
        if self.kind == "isolated":
            amount = 0 if line.access_cause == "manual" else sum(
                rupiah_owed(move.amount_residual) for move in line._isp_open_moves()[line.id]
                if move.invoice_date_due < company._isp_today()
            )
            return whatsapp.Isolated(line.package_id.name, amount, since.date())
        return whatsapp.Reopened(line.package_id.name, since.date())

    # After

    def _isp_sent(self, sent, channel, now):
        """Write down what became of one attempt."""
        self.ensure_one()
        if self.state != "sending":
            # A status report was faster than this line; it knows more.
            if sent.provider_id and not self.provider_reference:
                self.provider_reference = sent.provider_id
            return
        code = "whatsapp.%s" % sent.code if sent.code else "whatsapp.%s" % sent.outcome
        if sent.outcome in ("accepted", "held"):
            self.write({
                "state": "sent", "sent_at": now, "provider_reference": sent.provider_id,
                "error_code": code if sent.outcome == "held" else False,
                "error": sent.reason if sent.outcome == "held" else False,
            })
            channel.sudo().write({"state": "ok", "last_sent": now, "last_error": False, "last_error_code": False})
        elif sent.outcome == "retry_after" and self.attempts < ATTEMPTS:
            wait = max(timedelta(seconds=sent.retry_after), wait_after(self.attempts))
            self._isp_requeue(code, sent.reason, now + wait)
        elif sent.outcome == "channel_down":
            self._isp_requeue(code, sent.reason, now + wait_after(self.attempts))
            channel.sudo().write({"state": "trouble", "last_error": sent.reason, "last_error_code": code})
        elif sent.outcome == "unknown":
            self.write({"state": "unknown", "error_code": "port.unknown", "error": sent.reason})
        else:
            self.write({"state": "failed", "error_code": code, "error": sent.reason})

    def _isp_requeue(self, code, reason, moment):
        self.write({"state": "queued", "sent_at": False, "next_attempt": moment, "error_code": code, "error": reason})

    def action_isp_send_again(self):
        """A person decides that an unknown or failed message goes out once more."""
        if not self.env.user.has_group("isp_management.group_manager"):
            raise UserError(_("Sending again is for the group Manager: the customer may get the message twice."))
        self.check_access_rights("read")
        self.check_access_rule("read")
        for message in self.sudo().filtered(lambda m: m.state in ("unknown", "failed")):
            message.write({"state": "queued", "next_attempt": False, "attempts": 0})
        self._isp_trigger_send()

    def action_isp_drop(self):
        """A person decides that a message does not go out."""
        self.check_access_rule("read")
        if not self.env.user.has_group("isp_management.group_billing"):
            raise UserError(_("Dropping messages is for the group Billing."))
        self.sudo().filtered(lambda m: m.state in ("queued", "unknown")).write(
            {"state": "dropped", "error_code": "notification.by_hand", "error": _("Dropped by %s", self.env.user.name)}
        )

    # Status reports

    @api.model
    def _isp_reported(self, company, events, now):
        """Fold Meta's reports into the log, whatever their order and however often; returns how many messages moved.

        Runs as the webhook's user: it may write the log, and nothing else.
        """
        prefix = "%s:" % self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        by_message = {}
        for event in events:
            # PostgreSQL has no text with a NUL in it.
            message = webhook.storable(event) and self._isp_message_of(company, event, prefix)
            if message:
                by_message.setdefault(message, []).append(event)
        facts = [
            whatsapp.DeliveryFacts(
                message.id,
                [whatsapp.ReportedStatus(event.status, event.code) for event in found],
                notices.ENGINE_STATES.get(message.state, "queued"),
            )
            for message, found in by_message.items()
        ]
        moved = 0
        for delivery in whatsapp.fold(facts):
            message = self.browse(delivery.key)
            if message.state == "dropped":
                continue
            found = by_message[message]
            state = notices.STATES[delivery.state]
            vals = {}
            if message.state != state:
                vals["state"] = state
                if state == "failed":
                    vals.update(error_code="whatsapp.%s" % (delivery.code or "failed"), error="not delivered")
                else:
                    vals.update(error_code=False, error=False)
            if not message.provider_reference:
                vals["provider_reference"] = found[0].message_id
            for word, name in (("delivered", "delivered_at"), ("read", "read_at")):
                at = min((event.at for event in found if event.status == word), default=None)
                if at and not message[name]:
                    vals[name] = at.replace(tzinfo=None)
            if vals:
                message.write(vals)
                moved += 1
        return moved

    @api.model
    def _isp_message_of(self, company, event, prefix):
        domain = [("company_id", "=", company.id)]
        if event.callback and event.callback.startswith(prefix):
            number = event.callback[len(prefix):]
            # No id is larger than PostgreSQL's integer.
            if CALLBACK.fullmatch(number) and int(number) < 2**31:
                return self.search([*domain, ("id", "=", int(number))])
        return self.search([*domain, ("provider_reference", "=", event.message_id)], limit=1)
