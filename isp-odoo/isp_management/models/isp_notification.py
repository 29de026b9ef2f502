from odoo import _, api, fields, models
from odoo.exceptions import UserError


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
    payment_id = fields.Many2one("account.payment", check_company=True, ondelete="restrict")
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
    error = fields.Char("Why not")

    _sql_constraints = [
        ("once", "unique(company_id, channel, once_key)", "This message was written already."),
    ]

    @api.depends("kind", "customer_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for message in self:
            message.display_name = "%s, %s" % (kinds.get(message.kind, ""), message.customer_id.display_name)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("The log of notifications is kept."))
