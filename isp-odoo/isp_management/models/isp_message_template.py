import json
from datetime import date

import isp_engine
from isp_engine import whatsapp

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

KINDS = [
    ("due_soon", "Due soon"), ("overdue", "Overdue"), ("isolated", "Isolated"),
    ("isolated_by_hand", "Isolated by hand"), ("payment_received", "Payment received"), ("reopened", "Reopened"),
]


class IspMessageTemplate(models.Model):
    _name = "isp.message_template"
    _description = "Text of a message"
    _inherit = ["mail.thread"]
    _order = "kind, language, id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    kind = fields.Selection(KINDS, required=True, tracking=True)
    language = fields.Selection([("id", "Indonesian"), ("en", "English")], default="id", required=True)
    name = fields.Char(
        "Name at Meta", required=True, tracking=True, help="Lower-case letters, digits and underscores, as approved by Meta."
    )
    body = fields.Text("Text", required=True, tracking=True)
    positional = fields.Boolean(
        "Numbered placeholders", help="Registered with {{1}}, {{2}}; the text here keeps the names all the same."
    )
    active = fields.Boolean(default=True, tracking=True)
    parameters = fields.Char("Placeholders", compute="_compute_parameters")
    preview = fields.Text(compute="_compute_preview")
    registration = fields.Text("Registration (JSON)", compute="_compute_preview", help="What is sent to Meta to register it.")
    meta_status = fields.Char("Status at Meta", readonly=True, copy=False)

    _sql_constraints = [
        ("kind_unique", "unique(company_id, kind, language)", "There is a text for this kind and language already."),
    ]

    @api.depends("kind", "language")
    def _compute_display_name(self):
        for template in self:
            template.display_name = "%s (%s)" % (dict(KINDS).get(template.kind, ""), template.language or "")

    @api.depends("kind", "company_id.isp_sender_name")
    def _compute_parameters(self):
        for template in self:
            sender = template.company_id._isp_sender() if template.company_id else None
            names = (whatsapp.SENDER_PARAMETERS if sender else whatsapp.PARAMETERS).get(template.kind, ())
            template.parameters = " ".join("{{%s}}" % name for name in names)

    def _isp_engine_template(self):
        self.ensure_one()
        return whatsapp.MessageTemplate(
            self.kind, self.language, self.name or "", self.body or "", self.positional
        )

    @api.depends("kind", "language", "name", "body", "positional")
    def _compute_preview(self):
        for template in self:
            template.preview = template.registration = False
            if not template.kind:
                continue
            try:
                mine = template._isp_engine_template()
                sender = template.company_id._isp_sender() if template.company_id else None
                template.preview = whatsapp.preview(
                    [sample(template.kind, template.language)], templates=[mine], sender=sender
                )[0]
                for text in whatsapp.registrations([mine], sender=bool(sender)):
                    registered = json.loads(text)
                    if (registered["name"], registered["language"]) == (template.name, template.language):
                        template.registration = json.dumps(registered, indent=2, ensure_ascii=False)
            except isp_engine.InvalidValue as error:
                template.preview = "⚠ %s" % error

    @api.constrains("kind", "language", "name", "body", "positional", "active", "company_id")
    def _check_body(self):
        for company in self.company_id:
            templates = self._isp_engine_templates(company)
            try:
                whatsapp.registrations(templates, sender=bool(company._isp_sender()))
            except isp_engine.InvalidValue as error:
                raise ValidationError(_("Meta would refuse this text: %s", error)) from error

    @api.model
    def _isp_engine_templates(self, company):
        """The company's own texts, for the engine; the standard ones stand in for the rest."""
        own = self.sudo().search([("company_id", "=", company.id)])
        return [template._isp_engine_template() for template in own]

    def action_isp_retry_stopped(self):
        """The text is in order at Meta again: what it stopped leaves."""
        self.ensure_one()
        self.check_access_rights("read")
        self.check_access_rule("read")
        count = self.env["isp.notification"]._isp_retry_stopped(self.company_id, self.name)
        if not count:
            raise UserError(_("%s has stopped no message.", self.name))
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_isp_load_standard(self):
        """Make the standard texts editable: those that this company has none of its own for."""
        company = self.env.company
        known = set(self.with_context(active_test=False).search([("company_id", "=", company.id)]).mapped(
            lambda t: (t.kind, t.language)
        ))
        keys = [(kind, language) for kind, _label in KINDS for language in ("id", "en")]
        self.create([
            {
                "company_id": company.id,
                "kind": kind,
                "language": language,
                "name": registered["name"],
                "body": registered["components"][0]["text"],
            }
            for (kind, language), registered in zip(keys, map(json.loads, whatsapp.registrations(sender=bool(company._isp_sender()))))
            if (kind, language) not in known
        ])
        return self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_message_template_action")


def sample(kind, language, to="081234567890", callback="preview"):
    """An invented message of a kind."""
    day = date(2026, 3, 10)
    content = {
        "due_soon": whatsapp.DueSoon("HOME-20", ["INV/2026/00042"], 277_500, day),
        "overdue": whatsapp.Overdue("HOME-20", ["INV/2026/00042"], 277_500, date(2026, 3, 7), 3, date(2026, 3, 12)),
        "isolated": whatsapp.Isolated("HOME-20", 277_500, day),
        "isolated_by_hand": whatsapp.Isolated("HOME-20", 0, day),
        "payment_received": whatsapp.PaymentReceived(277_500, "BCA-0042", day, 0),
        "reopened": whatsapp.Reopened("HOME-20", day),
    }[kind]
    owed = (isp_engine.Owed("INV/2026/00042", 277_500, day),)
    demand = isp_engine.Demand(owed, 277_500, 0, date(2026, 3, 16), kind == "isolated")
    return whatsapp.Message(0, callback, to, "Siti Rahayu", content, language, demand)
