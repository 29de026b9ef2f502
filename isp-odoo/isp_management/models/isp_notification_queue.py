"""What customers are to hear: written once, by key, in the transaction of what it is about (or by cron)."""

from collections import defaultdict

import isp_engine
from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.tools import mute_logger

from ..logic import access_rows, terms_rows, transaction
from ..logic.money import OWED_FROM

REMINDERS = ("due_soon", "overdue")


class IspNotification(models.Model):
    _inherit = "isp.notification"

    payment_move_id = fields.Many2one("account.move", "Payment entry", readonly=True, ondelete="set null", index="btree_not_null")

    @api.model
    def _isp_queue(self, company, kind, customer, subject, *, level=0, not_before=None, **vals):
        """Write a message unless its key is there already; returns it, or nothing.

        ``subject`` says what it is about. Another process may write the same key at the same time: the database
        decides which of the two is the message.
        """
        return self._isp_queue_all(
            company, [{"kind": kind, "customer": customer, "subject": subject, "level": level, "not_before": not_before, **vals}]
        )

    @api.model
    def _isp_queue_all(self, company, wishes):
        """The same for many messages of one company, each as keywords of ``_isp_queue``."""
        rows = {}
        for wish in wishes:
            customer, kind, not_before = wish.pop("customer"), wish["kind"], wish.pop("not_before", None)
            if not_before is None:
                not_before = company._isp_dunning_policy().next_sending(kind, self._isp_zone(customer), company._isp_now())
            key = "%s:%s:%s" % (kind, wish.get("level", 0), wish.pop("subject"))
            rows.setdefault(key, {
                **wish, "company_id": company.id, "customer_id": customer.id, "once_key": key,
                "not_before": not_before.replace(tzinfo=None),
            })
        messages = self.sudo()
        there = messages.search_fetch(
            [("company_id", "=", company.id), ("channel", "=", "whatsapp"), ("once_key", "in", list(rows))], ["once_key"]
        )
        rows = [row for key, row in rows.items() if key not in set(there.mapped("once_key"))]
        written = self._isp_create_once(rows)
        if written:
            self._isp_trigger_send()
        return written

    @api.model
    def _isp_create_once(self, rows):
        messages = self.sudo()
        if not rows:
            return messages
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                return messages.create(rows)
        except IntegrityError:
            # Another process wrote one of them in this moment.
            if len(rows) == 1:
                return messages
            return messages.concat(*(self._isp_create_once([row]) for row in rows))

    @api.model
    def _isp_zone(self, customer):
        """The zone of a customer: that of the first line."""
        line = customer.sudo().subscription_ids.sorted("id")[:1]
        return line.zone or customer.company_id.isp_zone

    @api.model
    def _isp_trigger_send(self):
        data = self.env.cr.precommit.data
        if not data.get("isp_send_triggered"):
            data["isp_send_triggered"] = True
            self.env.ref("isp_management.cron_send").sudo()._trigger()

    # Reminders

    @api.model
    def _cron_isp_reminders(self):
        """Write the reminders that are due (rules N1 to N5)."""
        transaction.for_each(
            self.env, self.env["res.company"].sudo().search([]),
            lambda company: company._isp_begin_run() and self.sudo().with_company(company)._isp_reminders(company), "reminders",
        )

    @api.model
    def _isp_reminders(self, company):
        """Returns how many were written."""
        moves = self._isp_owed(company)
        customers = self.env["isp.customer"].sudo().search([("company_id", "=", company.id), ("id", "in", list(moves))])
        every = self.env["account.move"].browse([move.id for found in moves.values() for move in found])
        notified = self._isp_notified(company, every)
        facts = [
            isp_engine.DunningFacts(
                customer.id,
                [access_rows.open_invoice(move, move.id) for move in moves[customer.id]],
                [isp_engine.Notified(move.id, kind, level) for move in moves[customer.id] for kind, level in notified[move.id]],
                reachable=bool(customer.whatsapp_number and customer.whatsapp_allowed),
                zone=self._isp_zone(customer),
            )
            for customer in customers
        ]
        wishes = []
        for due in isp_engine.due_reminders(facts, company._isp_now(), policy=company._isp_dunning_policy()):
            customer = self.env["isp.customer"].browse(due.customer)
            subject = ",".join(str(key.invoice) for key in sorted(due.keys) if (key.kind, key.level) == (due.kind, due.level))
            wishes.append({
                "kind": due.kind, "customer": customer, "subject": subject, "level": due.level, "not_before": due.not_before,
                "move_ids": [(6, 0, due.invoices)], "stands_for": [list(key) for key in due.keys],
            })
        return len(self._isp_queue_all(company, wishes))

    @api.model
    def _isp_owed(self, company, customers=None):
        """Open invoices of the provider's services by customer, oldest first: branches of one company hear of their own."""
        found = defaultdict(list)
        for move in self.env["account.move"].sudo().search([
            ("company_id", "=", company.id),
            ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"),
            ("amount_residual", ">=", OWED_FROM),
            *self._isp_ours(customers),
        ], order="invoice_date_due, invoice_date, id"):
            found[(move.isp_subscription_id or move.isp_installation_fee_id).customer_id.id].append(move)
        return found

    @api.model
    def _isp_ours(self, customers):
        if customers is None:
            return ["|", ("isp_subscription_id", "!=", False), ("isp_installation_fee_id", "!=", False)]
        return [
            "|", ("isp_subscription_id.customer_id", "in", customers.ids),
            ("isp_installation_fee_id.customer_id", "in", customers.ids),
        ]

    @api.model
    def _isp_notified(self, company, moves):
        """Which reminders were written about each invoice."""
        found = defaultdict(list)
        written = self.sudo().search(
            [("company_id", "=", company.id), ("kind", "in", REMINDERS), ("move_ids", "in", moves.ids)]
        )
        for message in written:
            # Those of earlier versions say only their own.
            for move, kind, level in message.stands_for or [(move.id, message.kind, message.level) for move in message.move_ids]:
                found[move].append((kind, level))
        return found


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    message_language = fields.Selection(
        [("id", "Indonesian"), ("en", "English")], "Language of messages", default="id", required=True
    )


class IspIsolationEvent(models.Model):
    _inherit = "isp.isolation_event"

    notification_ids = fields.One2many("isp.notification", "isolation_event_id", "Messages")

    def _isp_announce(self):
        """It was decided: the customer hears of it when the router has confirmed, and not at night. What one statement isolated
        is said once, and so are all lines of its customer that are reopened at once."""
        kinds = {"isolate": "isolated", "reopen": "reopened"}
        # Who begins or leaves a pause waits for no message that says so.
        told = self.filtered(lambda e: e.action in kinds and e.reason_code != "in_service")
        for company in told.company_id:
            now, policy = company._isp_now(), company._isp_dunning_policy()
            own = told.filtered(lambda e, company=company: e.company_id == company)
            statements = self.env["isp.statement"]._isp_of(own.customer_id)
            moves = own.subscription_id._isp_open_moves() if any(statements.values()) else {}
            notices = [
                isp_engine.Notice(
                    event.id, event.customer_id.id, kinds[event.action],
                    [access_rows.open_invoice(move, move.id) for move in moves.get(event.subscription_id.id, ())],
                    statements[event.customer_id.id], event.subscription_id.zone,
                )
                for event in own
            ]
            wishes = []
            for joined in isp_engine.join_notices(notices, now):
                first, *others = self.browse(joined.notices)
                kind, zone = kinds[first.action], first.subscription_id.zone
                subject = "event-%s" % first.id
                if joined.statement:
                    subject = "%s-%s" % (joined.statement, terms_rows.today(now, zone))
                wishes.append({
                    "kind": kind, "customer": first.customer_id, "subject": subject, "not_before": policy.next_sending(kind, zone, now),
                    "subscription_id": first.subscription_id.id, "isolation_event_id": first.id,
                    "also_event_ids": [(6, 0, [event.id for event in others])],
                })
            self.env["isp.notification"]._isp_queue_all(company, wishes)

    def _isp_confirmed(self):
        """The router has said so: what waited for that is looked at now."""
        waiting = self.env["isp.notification"].sudo().search([
            ("state", "=", "queued"), ("error_code", "=", "notification.router_not_yet"),
            "|", ("isolation_event_id", "in", self.ids), ("also_event_ids", "in", self.ids),
        ])
        if waiting:
            waiting.write({"next_attempt": False})
            self.env["isp.notification"]._isp_trigger_send()


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._isp_payments_came()
        partials._isp_reopen_for_a_part()
        return partials

    def _isp_reopen_for_a_part(self):
        """By policy a share of what was overdue opens, in the transaction of the payment too (rules I4, P5). What was given up
        brings nothing: who gave it up decides."""
        paid = self.sudo().filtered(lambda p: p.credit_move_id.move_id._isp_brings_something())
        moves = paid.debit_move_id.move_id
        lines = moves.isp_subscription_id | moves.isp_installation_fee_id.subscription_id
        if lines:
            lines._isp_reopen_paid()

    def _isp_payments_came(self):
        """Money was counted towards a service's invoice: the customer is told once for each payment."""
        customers = self.env["isp.customer"].sudo()
        messages = self.env["isp.notification"]
        for partial in self.sudo():
            invoice, paid_by = partial.debit_move_id.move_id, partial.credit_move_id.move_id
            ours = invoice.isp_subscription_id or invoice.isp_installation_fee_id
            if invoice.move_type != "out_invoice" or not ours or paid_by.is_invoice(include_receipts=True):
                continue
            # Nobody paid what was written off, and a slip of tax is no money.
            if paid_by.isp_write_off_of_id or paid_by.journal_id == paid_by.company_id.isp_pph23_journal_id:
                continue
            customer = ours.customer_id or customers.search(
                [("company_id", "=", invoice.company_id.id), ("partner_id", "=", invoice.partner_id.id)], limit=1
            )
            if customer:
                messages._isp_queue(
                    invoice.company_id, "payment_received", customer, "move-%s" % paid_by.id,
                    payment_move_id=paid_by.id, payment_id=paid_by.payment_id.id,
                )
