"""Sending: facts checked at the moment, "sending" committed, the engine called, the outcome committed."""

import logging
import re
from collections import defaultdict
from datetime import timedelta

import isp_engine
from isp_engine import whatsapp

from odoo import _, api, models
from odoo.exceptions import UserError

from ..logic import notices, transaction, webhook
from ..logic.access_rows import aware

_logger = logging.getLogger(__name__)

# Messages that one call takes; the rest follows in the next.
BATCH = 100
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
            lambda channel: channel.company_id._isp_begin_run()
            and self.sudo().with_company(channel.company_id)._isp_send(channel), "sending",
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
        rows = self.sudo().search([
            ("company_id", "=", company.id),
            ("channel", "=", "whatsapp"),
            ("state", "=", "queued"),
            ("not_before", "<=", now),
            "|", ("next_attempt", "=", False), ("next_attempt", "<=", now),
        ], order="id", limit=BATCH)
        messages = rows._isp_ready(company, now, there)
        # From here to the next statement no transaction is open.
        transaction.commit(self.env)
        if not messages:
            return len(rows)
        sent = whatsapp.send(there, messages)
        now = company._isp_now().replace(tzinfo=None)
        for message, outcome in zip(self.sudo().browse([outcome.message for outcome in sent]), sent, strict=True):
            message._isp_sent(outcome, now)
        channel._isp_heard(sent, now)
        transaction.commit(self.env)
        return len(rows)

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

    def _isp_ready(self, company, now, there):
        """Look at each once more, and mark what leaves as on its way; the rest waits or is dropped, with the reason."""
        looks = isp_engine.refresh_messages(
            self._isp_queued_facts(company), aware(now), policy=company._isp_dunning_policy(),
            isolation=company._isp_isolation_policy(),
        )
        messages = []
        for row, look in zip(self, looks, strict=True):
            code = "notification.%s" % look.reason
            if look.action == "drop":
                row.write({"state": "dropped", "error_code": code, "error": look.reason, "template": False})
            elif look.action == "later":
                row.write({"next_attempt": look.at.replace(tzinfo=None), "error_code": code, "error": look.reason})
            else:
                messages += row._isp_on_its_way(look, now, there)
        return messages

    def _isp_queued_facts(self, company):
        """What these messages are looked at with, a row a message."""
        owed = self._isp_owed(company, self.customer_id)
        statements = self.env["isp.statement"]._isp_of(self.customer_id)
        served = self._isp_served(company)
        return [
            notices.queued_message(
                row, owed[row.customer_id.id], row._isp_lines(), self._isp_zone(row.customer_id), statements[row.customer_id.id],
                served[row.customer_id.id],
            )
            for row in self
        ]

    def _isp_served(self, company):
        """The facts about all lines of these customers that a decision is taken about, by customer."""
        lines = self.customer_id.sudo().with_context(active_test=False).subscription_ids.filtered(
            lambda line: line.state != "draft" and line.activation_date
        )
        found = defaultdict(list)
        for line, facts in zip(lines, lines._isp_access_facts(company._isp_now()), strict=True):
            found[line.customer_id.id].append(facts)
        return found

    def _isp_lines(self):
        """The lines that a message is about, the one that it names first."""
        self.ensure_one()
        # A package is named by what customers know it as.
        if self.subscription_id:
            events = self.isolation_event_id | self.also_event_ids
            lines = self.subscription_id | self.also_event_ids.subscription_id
            return [notices.message_line(line, line.package_id.name, line._isp_last_event() in events) for line in lines]
        about = self.move_ids.isp_subscription_id | self.move_ids.isp_installation_fee_id.subscription_id
        lines = about or self.customer_id.subscription_ids.filtered(lambda s: s.state != "draft")
        found = [notices.message_line(line, line.package_id.name, False) for line in lines.sorted("id")]
        return found or [isp_engine.MessageLine(_("Installation"))]

    def _isp_on_its_way(self, look, now, there):
        """The message, when it can be made into a text."""
        customer = self.customer_id
        message = whatsapp.Message(
            self.id, self._isp_callback(), customer.whatsapp_number, customer.name, look.content, customer.message_language,
            look.demand, self.attempts, customer._isp_link_of_message(self.kind) if there.sender else None,
        )
        try:
            body = whatsapp.preview([message], templates=there.templates, sender=there.sender)[0]
        except isp_engine.InvalidValue as error:
            self.write({"state": "failed", "error_code": error.code, "error": str(error)})
            return []
        # Many read the log, and whoever has the link sees the page.
        body = body.replace(message.link.rpartition("=")[2], "***") if message.link else body
        self.write({
            "state": "sending", "body": body, "sent_at": now, "error_code": False, "error": False, "next_attempt": False,
            "amount": getattr(look.content, "amount", 0),
        })
        return [message]

    # After

    def _isp_sent(self, sent, now):
        """Write down what became of one attempt, or of one that was not made because the channel rests."""
        self.ensure_one()
        if self.state != "sending":
            # A status report was faster than this line; it knows more.
            if sent.provider_id and not self.provider_reference:
                self.provider_reference = sent.provider_id
            return
        code = "whatsapp.%s" % sent.code if sent.code else "whatsapp.%s" % sent.outcome
        vals = {"attempts": self.attempts + sent.tried, "template": sent.template or False}
        if sent.fate == "sent":
            held = sent.outcome == "held"
            vals.update(
                state="sent", sent_at=now, provider_reference=sent.provider_id, error_code=code if held else False,
                error=sent.reason if held else False,
            )
        elif sent.fate == "wait":
            # One that was not tried is the first again, when only the channel rests.
            again = now + timedelta(seconds=sent.wait) if sent.tried or sent.wait else False
            vals.update(state="queued", sent_at=False, next_attempt=again, error_code=code, error=sent.reason)
        elif sent.fate == "unknown":
            vals.update(state="unknown", error_code="port.unknown", error=sent.reason)
        else:
            vals.update(state="failed", error_code=code, error=sent.reason)
        self.write(vals)

    def action_isp_send_again(self):
        """A person decides that an unknown or failed message goes out once more."""
        if not self.env.user.has_group("isp_management.group_manager"):
            raise UserError(_("Sending again is for the group Manager: the customer may get the message twice."))
        self.check_access_rights("read")
        self.check_access_rule("read")
        for message in self.sudo().filtered(lambda m: m.state in ("unknown", "failed")):
            message.write({"state": "queued", "next_attempt": False, "attempts": 0, "template": False})
        self._isp_trigger_send()
        return True

    @api.model
    def _isp_stopped_domain(self, company, name=None):
        """The messages that a text at fault stopped; of one name at Meta, in all its languages."""
        domain = [("company_id", "=", company.id), ("state", "in", ("queued", "failed")), ("template", "!=", False)]
        return [*domain, ("template", "=like", "%s/%%" % name.replace("_", "\\_"))] if name else domain

    @api.model
    def _isp_retry_stopped(self, company, name=None):
        """Everything that a text stopped goes again, once it is in order at Meta; returns how many messages. What is no longer
        true or too old is dropped as it leaves."""
        if not self.env.user.has_group("isp_management.group_billing"):
            raise UserError(_("Sending again is for the group Billing."))
        stopped = self.sudo().search(self._isp_stopped_domain(company, name))
        stopped.write({"state": "queued", "next_attempt": False, "template": False, "attempts": 0})
        self._isp_trigger_send()
        return len(stopped)

    def action_isp_drop(self):
        """A person decides that a message does not go out."""
        self.check_access_rule("read")
        if not self.env.user.has_group("isp_management.group_billing"):
            raise UserError(_("Dropping messages is for the group Billing."))
        self.sudo().filtered(lambda m: m.state in ("queued", "unknown")).write(
            {"state": "dropped", "error_code": "notification.by_hand", "error": _("Dropped by %s", self.env.user.name)}
        )
        return True

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
