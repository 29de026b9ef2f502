import isp_engine
from isp_engine import whatsapp

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic import transaction
from ..models.isp_message_template import KINDS, sample


class IspChannelTestWizard(models.TransientModel):
    _name = "isp.channel.test.wizard"
    _description = "Send a test message"
    _inherit = ["isp.show.mixin"]

    channel_id = fields.Many2one("isp.channel", required=True, readonly=True)
    kind = fields.Selection(KINDS, default="reopened", required=True)
    language = fields.Selection([("id", "Indonesian"), ("en", "English")], default="id", required=True)
    phone = fields.Char("To", default=lambda self: self.env.user.mobile or self.env.user.phone)
    preview = fields.Text(compute="_compute_preview")

    @api.depends("kind", "language", "channel_id")
    def _compute_preview(self):
        for wizard in self:
            company = wizard.channel_id.company_id
            templates = self.env["isp.message_template"]._isp_engine_templates(company)
            try:
                wizard.preview = whatsapp.preview(
                    [sample(wizard.kind, wizard.language)], templates=templates, sender=company._isp_sender()
                )[0]
            except isp_engine.InvalidValue as error:
                wizard.preview = "⚠ %s" % error

    def action_send(self):
        """Send an invented message to this number, now; it stands in no log of a customer."""
        self.ensure_one()
        channel = self.channel_id
        channel.check_access_rights("write")
        channel.check_access_rule("write")
        there = channel._isp_engine_channel()
        if there is None:
            raise UserError(_("%s has no access token.", channel.name))
        try:
            message = sample(self.kind, self.language, self.phone or "", "test:%s" % fields.Datetime.now().isoformat())
            whatsapp.preview([message], templates=there.templates, sender=there.sender)
        except isp_engine.InvalidValue as error:
            raise UserError(_("This message cannot be sent: %s", error)) from error
        channel._isp_log_use("access_token", _("Test message, sent to %s", channel.base_url or "Meta"))
        transaction.commit(self.env)
        sent = whatsapp.send(there, [message])[0]
        now = fields.Datetime.now()
        well = sent.outcome in ("accepted", "held")
        if well:
            channel.write({"state": "ok", "last_sent": now, "last_error": False, "last_error_code": False})
        elif sent.outcome == "channel_down":
            channel.write({"state": "trouble", "last_error": sent.reason, "last_error_code": "whatsapp.%s" % (sent.code or "down")})
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": _("Test message"),
                "message": sent.reason,
                "type": "success" if well else "danger",
                "sticky": not well,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
