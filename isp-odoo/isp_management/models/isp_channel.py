import secrets

from isp_engine import whatsapp

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_sealed_mixin import MASK


class IspChannel(models.Model):
    _name = "isp.channel"
    _description = "WhatsApp number"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.sealed.mixin"]
    _order = "name, id"
    _check_company_auto = True
    _isp_sealed = {
        "access_token": ("access_token_sealed", "isp_management.group_manager"),
        "app_secret": ("app_secret_sealed", "isp_management.group_manager"),
        "verify_token": ("verify_token_sealed", "isp_management.group_manager"),
    }

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    phone_number_id = fields.Char("Phone number ID", required=True, tracking=True, help="Meta's ID of the number, not the number.")
    base_url = fields.Char("Address", tracking=True, help="Empty: Meta. Another address for a proxy of your own, or a simulator.")
    graph_version = fields.Char("Graph version", help="Empty: the one that the engine was tested with.")
    access_token = fields.Char(compute="_compute_sealed", inverse="_inverse_sealed")
    access_token_sealed = fields.Char(groups="base.group_system", copy=False)
    app_secret = fields.Char(
        compute="_compute_sealed", inverse="_inverse_sealed", help="Of the Meta app; it signs every status report."
    )
    app_secret_sealed = fields.Char(groups="base.group_system", copy=False)
    verify_token = fields.Char(
        compute="_compute_sealed", inverse="_inverse_sealed", help="The word that is also typed into Meta's webhook form."
    )
    verify_token_sealed = fields.Char(groups="base.group_system", copy=False)
    webhook_key = fields.Char(
        required=True, readonly=True, copy=False, default=lambda self: secrets.token_urlsafe(18), groups="base.group_system"
    )
    webhook_url = fields.Char("Webhook address", compute="_compute_webhook_url")
    state = fields.Selection(
        [("unknown", "Not tested"), ("ok", "Sending"), ("trouble", "Stopped")],
        default="unknown", required=True, readonly=True, copy=False, tracking=True,
    )
    last_error = fields.Char(readonly=True, copy=False)
    last_error_code = fields.Char(readonly=True, copy=False)
    last_sent = fields.Datetime(readonly=True, copy=False)
    last_webhook = fields.Datetime("Last report", readonly=True, copy=False)
    queued_count = fields.Integer("Waiting", compute="_compute_queued_count")
    stopped_count = fields.Integer("Stopped by a text", compute="_compute_queued_count")

    _sql_constraints = [
        ("key_unique", "unique(webhook_key)", "Two numbers cannot share a webhook."),
        ("number_unique", "unique(company_id, phone_number_id)", "This number is in the list already."),
    ]

    @api.depends("access_token_sealed", "app_secret_sealed", "verify_token_sealed")
    def _compute_sealed(self):
        return super()._compute_sealed()

    def _compute_webhook_url(self):
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url")
        for channel in self:
            channel.webhook_url = "%s/isp/whatsapp/%s" % (base, channel.sudo().webhook_key)

    def _compute_queued_count(self):
        counts = dict(self.env["isp.notification"].sudo()._read_group(
            [("company_id", "in", self.company_id.ids), ("state", "=", "queued")], ["company_id"], ["__count"]
        ))
        for channel in self:
            channel.queued_count = counts.get(channel.company_id.sudo(), 0)
            channel.stopped_count = self.env["isp.notification"].sudo().search_count(
                self.env["isp.notification"]._isp_stopped_domain(channel.company_id)
            )

    @api.model_create_multi
    def create(self, vals_list):
        channels = super().create(vals_list)
        # The webhook's user works in the companies that have a number, and in no other.
        self.env.ref("isp_management.user_webhook").sudo().company_ids |= channels.company_id
        return channels

    def write(self, vals):
        if "base_url" in vals and vals.get("access_token", MASK) == MASK:
            for channel in self.filtered(lambda c: c.sudo().access_token_sealed):
                if (channel.base_url or False) != (vals["base_url"] or False):
                    raise UserError(_("The address of %s changes: type its access token again.", channel.name))
        return super().write(vals)

    def _isp_engine_channel(self):
        """The engine's record of this number, or None without a token."""
        self.ensure_one()
        channel = self.sudo()
        token = channel._isp_open("access_token")
        if not token:
            return None
        return whatsapp.Channel(
            channel.phone_number_id,
            token,
            channel.base_url or None,
            channel.graph_version or None,
            self.env["isp.message_template"]._isp_engine_templates(channel.company_id),
            channel.company_id._isp_sender(),
        )

    def _isp_heard(self, sent, now):
        """Whether the number works, as it said itself while messages were sent: at rest, somebody has to know."""
        self.ensure_one()
        channel = self.sudo()
        resting = next((one for one in sent if one.rests == "channel"), None)
        if resting:
            code = "whatsapp.%s" % resting.code if resting.code else "whatsapp.%s" % resting.outcome
            if channel.state != "trouble":
                channel._isp_tell_managers(resting.reason)
            channel.write({"state": "trouble", "last_error": resting.reason, "last_error_code": code})
        elif any(one.fate == "sent" for one in sent):
            if channel.state == "trouble":
                channel.activity_unlink(["mail.mail_activity_data_todo"])
            channel.write({"state": "ok", "last_error": False, "last_error_code": False})
        if any(one.fate == "sent" for one in sent):
            channel.last_sent = now

    def _isp_tell_managers(self, reason):
        managers = self.env.ref("isp_management.group_manager").users.filtered(
            lambda u: self.company_id in u.company_ids and not u.share and u.active
        )
        self.activity_schedule(
            "mail.mail_activity_data_todo", summary=_("WhatsApp does not take messages"),
            note=_("%s. Messages wait as long as they are true, and leave when the number works again.", reason),
            user_id=(managers - self.env.ref("base.user_root"))[:1].id or self.env.uid,
        )

    def action_isp_retry_stopped(self):
        """All messages that a text at fault stopped go again."""
        self.ensure_one()
        self.check_access_rights("read")
        self.check_access_rule("read")
        count = self.env["isp.notification"]._isp_retry_stopped(self.company_id)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": _("%s messages are looked at once more and leave.", count), "type": "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _isp_of(self, company):
        """The number that a company sends from."""
        return self.sudo().search([("company_id", "=", company.id)], limit=1)

    def action_isp_test(self):
        self.ensure_one()
        wizard = self.env["isp.channel.test.wizard"].create({"channel_id": self.id})
        return wizard._isp_show(_("Send a test message"))

    def action_isp_queued(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_notification_action")
        return {**action, "domain": [("company_id", "=", self.company_id.id), ("state", "=", "queued")]}
