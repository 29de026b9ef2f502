from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import _lt

# Why the engine lets a message wait or drops it.
WHY = {
    "notification.no_phone": _lt("The customer cannot be written to, or does not want it"),
    "notification.too_old": _lt("Too long ago to be told now"),
    "notification.quiet_hours": _lt("Waits for the morning"),
    "notification.paid": _lt("Paid in the meantime"),
    "notification.past_due": _lt("The due date has passed"),
    "notification.isolated_already": _lt("Isolated already: that has a message of its own"),
    "notification.small_debt": _lt("Too little is owed to be isolated for"),
    "notification.no_package": _lt("The customer has no line any more"),
    "notification.no_access": _lt("The customer has no line any more"),
    "notification.router_not_yet": _lt("Waits for the router"),
    "notification.reopened": _lt("Not isolated any more"),
    "notification.not_open": _lt("Not open any more"),
    "notification.no_payment": _lt("The payment is gone"),
    "notification.reversed": _lt("The payment was taken back"),
}


class IspNotification(models.Model):
    _name = "isp.notification"
    _description = "Notification to a customer"
    _order = "id desc"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    customer_id = fields.Many2one("isp.customer", required=True, check_company=True, ondelete="restrict", index=True)
    subscription_id = fields.Many2one("isp.subscription", check_company=True, ondelete="restrict")
    kind = fields.Selection(
        [("due_soon", "Due soon"), ("overdue", "Overdue"), ("isolated", "Isolated"),
         ("payment_received", "Payment received"), ("reopened", "Reopened")],
        required=True, index=True,
    )
    level = fields.Integer(help="The day offset of a reminder.")
    channel = fields.Selection([("whatsapp", "WhatsApp")], default="whatsapp", required=True)
    once_key = fields.Char(
        required=True, copy=False, help="Kind, level and what it is about: one message for each.",
    )
    move_ids = fields.Many2many("account.move", "isp_notification_move_rel", "notification_id", "move_id", "Invoices")
    isolation_event_id = fields.Many2one("isp.isolation_event", check_company=True, ondelete="restrict")
    also_event_ids = fields.Many2many(
        "isp.isolation_event", "isp_notification_event_rel", "notification_id", "event_id", "Also about", readonly=True, copy=False,
        help="What happened to other lines of the customer at the same time, where one statement is for all of them.",
    )
    # At the bank of the company above a branch, it may be that company's.
    payment_id = fields.Many2one("account.payment", ondelete="set null")
    body = fields.Text(readonly=True)
    state = fields.Selection(
        [("queued", "Queued"), ("sending", "Sending"), ("sent", "Sent"), ("delivered", "Delivered"), ("read", "Read"),
         ("failed", "Failed"), ("unknown", "Unknown"), ("dropped", "Dropped")],
        default="queued", required=True, index=True,
    )
    not_before = fields.Datetime(required=True, default=fields.Datetime.now, index=True)
    next_attempt = fields.Datetime(index="btree_not_null")
    attempts = fields.Integer()
    sent_at = fields.Datetime()
    delivered_at = fields.Datetime()
    read_at = fields.Datetime()
    provider_reference = fields.Char(index="btree_not_null")
    error_code = fields.Char()
    error = fields.Char("What was said")
    why = fields.Char("Why not", compute="_compute_why")
    stands_for = fields.Json(readonly=True, copy=False, help="The reminders that this one says: invoice, kind and level of each.")
    template = fields.Char(
        "Text at fault", readonly=True, copy=False, index="btree_not_null", help="The text at Meta, with its language, that has to be put in order."
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(readonly=True, copy=False, help="What it asked for, or said that was paid.")

    _sql_constraints = [
        ("once", "unique(company_id, channel, once_key)", "This message was written already."),
    ]

    @api.depends("kind", "customer_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for message in self:
            message.display_name = "%s, %s" % (kinds.get(message.kind, ""), message.customer_id.display_name)

    @api.depends("error", "error_code")
    @api.depends_context("lang")
    def _compute_why(self):
        for message in self:
            message.why = str(WHY[message.error_code]) if message.error_code in WHY else message.error

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("The log of notifications is kept."))
