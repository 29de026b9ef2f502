"""Work for people: faults that customers report, installations and devices to be fetched, each as an activity of Odoo."""

from datetime import timedelta

from markupsafe import Markup, escape

from odoo import _, fields, models
from odoo.exceptions import UserError


# What one customer reports of a line within a day is kept up to here: a page that many may open is no place to fill a database from.
FAULTS_A_DAY = 5


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_field_user_id = fields.Many2one(
        "res.users", "Field work goes to", domain="[('share', '=', False)]",
        help="Who gets the activities of installations, devices to fetch and faults that customers report.",
    )

    def _isp_field_user(self):
        """Who is asked to go out: the one that was chosen, else the first technician of the company."""
        self.ensure_one()
        company = self.sudo()
        technicians = self.env.ref("isp_management.group_technician").sudo().users
        return company.isp_field_user_id or technicians.filtered(
            lambda user: user.active and company in user.company_ids and user.id != self.env.ref("base.user_root").id
        ).sorted("id")[:1]


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_field_user_id = fields.Many2one(related="company_id.isp_field_user_id", readonly=False)


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    installed_on = fields.Date("Handed over on", readonly=True, copy=False, tracking=True)
    installed_signature = fields.Binary(
        "Signature", copy=False, attachment=True, help="The customer signs, on the technician's phone, that the line works.",
    )
    installed_signer = fields.Char("Signed by", copy=False)
    phone_to_call = fields.Char("Telephone", compute="_compute_where")
    address = fields.Char(compute="_compute_where")

    def _compute_where(self):
        for line in self:
            customer = line.customer_id
            line.phone_to_call = customer.whatsapp_number or customer.mobile or customer.phone
            line.address = ", ".join(filter(None, (customer.street, customer.street2, customer.city)))

    def _isp_to_do(self, kind, summary, note=""):
        """An activity for whoever goes out, once while one of the kind is open."""
        self.ensure_one()
        activity_type = self.env.ref("isp_management.activity_%s" % kind)
        there = self.activity_ids.filtered(lambda activity: activity.activity_type_id == activity_type)
        if there:
            return there[:1]
        user = self.company_id._isp_field_user()
        if not user:
            raise UserError(_("Nobody of the group Technician is there to go. Choose somebody in the settings."))
        lines = self._isp_steps(kind)
        body = Markup("<p>%s</p>") % note if note else Markup()
        if lines:
            body += Markup('<ul class="o_checklist">%s</ul>') % Markup().join(Markup("<li>%s</li>") % escape(line) for line in lines)
        return self.sudo().with_context(mail_activity_quick_update=True).activity_schedule(
            activity_type_id=activity_type.id, summary=summary, note=body, user_id=user.id,
            date_deadline=self.company_id._isp_today(),
        )

    def _isp_steps(self, kind):
        """The checklist in the user's language."""
        steps = {
            "install": [
                _("Cable pulled and fixed"), _("Device mounted and levelled"), _("Signal measured and written down"),
                _("PPPoE account answers"), _("Speed tested with the customer"), _("Customer shown how to pay"),
            ],
            "pickup": [_("Outdoor unit"), _("Adapter"), _("Router"), _("Cable rolled up"), _("Receipt given to the customer")],
        }
        return steps.get(kind, [])

    def action_isp_plan_installation(self):
        """Ask somebody to install this line, with a checklist."""
        for line in self:
            line.check_access_rule("read")
            line._isp_to_do("install", _("Install %s", line.package_id.name))
        return True

    def action_isp_plan_pickup(self):
        """Ask somebody to fetch what is lent."""
        for line in self:
            line.check_access_rule("read")
            lent = line.cpe_ids.filtered(lambda cpe: cpe.state == "installed" and cpe.ownership == "lent")
            if not lent:
                raise UserError(_("%s has no lent device.", line.display_name))
            line._isp_to_do("pickup", _("Fetch %s", ", ".join(lent.mapped("display_name"))))
        return True

    def write(self, vals):
        if not self.env.su and {"installed_signature", "installed_signer"} & vals.keys():
            signed = self.filtered("installed_signature")
            if signed:
                raise UserError(_("%s was handed over and signed already.", signed[0].display_name))
        signed = self.filtered(lambda line: vals.get("installed_signature") and not line.installed_signature)
        result = super().write(vals)
        signed._isp_handed_over()
        return result

    def _isp_handed_over(self):
        """Signed: the day is written down, and what was to be installed is done."""
        for line in self:
            line.sudo().installed_on = line.company_id._isp_today()
            line.activity_feedback(
                ["isp_management.activity_install"],
                feedback=_("Handed over and signed by %s", line.installed_signer or line.customer_id.name),
            )

    def _isp_fault_reported(self, description, partner):
        """A customer says that something does not work: on the line's own page, and to whoever goes out."""
        self.ensure_one()
        said = self.env["mail.message"].sudo().search_count([
            ("model", "=", self._name), ("res_id", "=", self.id), ("author_id", "=", partner.id),
            ("create_date", ">=", fields.Datetime.now() - timedelta(hours=24)),
        ])
        if said >= FAULTS_A_DAY:
            return
        self.sudo().message_post(body=description, author_id=partner.id, message_type="comment", subtype_xmlid="mail.mt_note")
        if self.company_id._isp_field_user():
            self.sudo()._isp_to_do("fault", _("Fault reported by %s", self.customer_id.name), note=description)
