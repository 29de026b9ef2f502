from collections import Counter, defaultdict

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import escape_psql

from .isp_guard_mixin import BILLING, MANAGER, PROGRAM, TECHNICIAN


class IspCustomer(models.Model):
    _name = "isp.customer"
    _description = "Customer of the internet provider"
    _inherits = {"res.partner": "partner_id"}
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.sealed.mixin", "isp.guard.mixin"]
    _order = "customer_code desc, id desc"
    _check_company_auto = True
    _isp_sealed = {"nik": ("nik_sealed", "isp_management.group_billing")}
    _isp_guarded = {
        "page_token": PROGRAM, "active": BILLING, "state": PROGRAM, "activated_on": PROGRAM, "terminated_on": PROGRAM, "termination_reason": PROGRAM,
    }
    _isp_guarded_later = {"customer_code": BILLING, "invoicing": BILLING, "partner_id": MANAGER, "company_id": PROGRAM}

    partner_id = fields.Many2one("res.partner", "Contact record", required=True, ondelete="restrict", index=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    active = fields.Boolean(default=True, tracking=True)
    customer_code = fields.Char("Customer ID", required=True, copy=False, default="/", index="trigram", tracking=True)
    state = fields.Selection(
        [("prospect", "Prospect"), ("active", "Active"), ("terminated", "Terminated")],
        "Status", default="prospect", required=True, copy=False, tracking=True, index=True,
    )
    nik = fields.Char(
        "NIK (KTP)", compute="_compute_sealed", inverse="_inverse_sealed", search="_search_nik",
        help="16 digits. Stored encrypted; the middle is hidden, and each reveal is logged.",
    )
    nik_sealed = fields.Char(groups="base.group_system", copy=False)
    nik_index = fields.Char(groups="base.group_system", copy=False, index=True)
    whatsapp_number = fields.Char(
        "WhatsApp", compute="_compute_whatsapp_number", store=True, precompute=True, readonly=False, tracking=True,
        help="From the mobile number, else the phone number, in international form.",
    )
    whatsapp_allowed = fields.Boolean("Agrees to WhatsApp", default=True, tracking=True)
    activated_on = fields.Date(readonly=True, copy=False)
    terminated_on = fields.Date(readonly=True, copy=False)
    termination_reason = fields.Char(readonly=True, copy=False)
    note = fields.Text()
    subscription_ids = fields.One2many("isp.subscription", "customer_id", "Subscriptions", context={"isp_lines_of_customer": True})
    cpe_ids = fields.One2many("isp.cpe", "customer_id", "Devices")
    device_history_ids = fields.One2many("isp.device_history", "customer_id", "Device history")
    installation_fee_ids = fields.One2many("isp.installation_fee", "customer_id", "Installation fees")
    promise_ids = fields.One2many("isp.promise", "customer_id", "Promises to pay")
    exemption_ids = fields.One2many("isp.exemption", "customer_id", "Exemptions")
    isolation_event_ids = fields.One2many("isp.isolation_event", "customer_id", "Isolation events")
    notification_ids = fields.One2many("isp.notification", "customer_id", "Notifications")

    _sql_constraints = [
        ("code_unique", "unique(company_id, customer_code)", "There is a customer with this ID already."),
        ("partner_unique", "unique(company_id, partner_id)", "This contact is a customer already."),
    ]

    @api.depends("nik_sealed")
    def _compute_sealed(self):
        return super()._compute_sealed()

    def _isp_mask(self, name, sealed):
        if not sealed or not self.id:
            return super()._isp_mask(name, sealed)
        return isp_engine.parse_nik(self._isp_open(name)).masked

    def _isp_check_clear(self, name, value):
        try:
            return isp_engine.parse_nik(value).reveal()
        except isp_engine.InvalidValue as error:
            raise ValidationError(_("This is not a valid NIK (16 digits as on the KTP).")) from error

    def _isp_sealed_columns(self, name, value):
        # By which a customer is found again, and no NIK is read.
        return {**super()._isp_sealed_columns(name, value), "nik_index": self._isp_vault().index(value) if value else False}

    def _search_nik(self, operator, value):
        if operator not in ("=", "!=", "ilike", "like") or not isinstance(value, (str, bool)):
            raise UserError(_("A NIK is searched by its 16 digits."))
        if not value:
            return [("nik_sealed", operator if operator in ("=", "!=") else "=", False)]
        digits = "".join(c for c in value if c.isdigit())
        found = self.sudo()._search([("nik_index", "=", self._isp_vault().index(digits))])
        return [("id", "not in" if operator == "!=" else "in", found)]

    @api.depends("partner_id.phone", "partner_id.mobile")
    def _compute_whatsapp_number(self):
        for customer in self:
            found = False
            for text in (customer.mobile, customer.phone):
                try:
                    found = found or (text and isp_engine.parse_phone(text).e164)
                except isp_engine.InvalidValue:
                    # A landline is a fine phone number that no message can reach.
                    continue
            customer.whatsapp_number = found

    @api.constrains("whatsapp_number")
    def _check_whatsapp_number(self):
        for customer in self.filtered("whatsapp_number"):
            try:
                isp_engine.parse_phone(customer.whatsapp_number)
            except isp_engine.InvalidValue as error:
                raise ValidationError(_("This is not an Indonesian mobile number.")) from error

    @api.depends("name", "customer_code")
    def _compute_display_name(self):
        for customer in self:
            customer.display_name = "[%s] %s" % (customer.customer_code, customer.name)

    @api.model_create_multi
    def create(self, vals_list):
        indonesia = self.env.ref("base.id").id
        for vals in vals_list:
            # An ID that the provider gave before is typed or imported; without one the next free number is taken.
            vals["customer_code"] = (vals.get("customer_code") or "").strip() or "/"
        self._isp_check_new(vals_list)
        for vals in vals_list:
            company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
            if vals["customer_code"] == "/":
                vals["customer_code"] = self._isp_next_code(company)
            if not vals.get("partner_id"):
                vals.setdefault("country_id", indonesia)
                vals.setdefault("lang", company._isp_customer_language())
        customers = super().create(vals_list)
        # A contact made here belongs to this company alone; one that was there before stays shared as it was.
        made = self.browse([customer.id for customer, vals in zip(customers, vals_list) if not vals.get("partner_id")])
        for company, own in made.grouped("company_id").items():
            own.sudo().partner_id.company_id = company
        return customers

    @api.model
    def _isp_check_new(self, vals_list):
        """Refuse what the database would refuse: Odoo's log then has the whole row, with the number of its person."""
        told, typed = self.env.context, defaultdict(list)
        for vals in vals_list:
            partner = vals.get("partner_id") or told.get("default_partner_id")
            if not partner and not (vals.get("name") or told.get("default_name") or "").strip():
                raise ValidationError(_("A customer needs a name."))
            company = vals.get("company_id") or self.env.company.id
            if vals["customer_code"] != "/":
                typed[company, "customer_code"].append(vals["customer_code"])
            if partner:
                typed[company, "partner_id"].append(partner)
        for (company, name), values in typed.items():
            twice = next((value for value, times in Counter(values).items() if times > 1), None)
            domain = [("company_id", "=", company), (name, "in", values)]
            known = twice or self.sudo().with_context(active_test=False).search(domain, limit=1)[name]
            if known:
                raise ValidationError(
                    _("%s is the ID of another customer.", known) if name == "customer_code" else _("This contact is a customer already.")
                )

    @api.model
    def _isp_next_code(self, company):
        sequence = self.env["ir.sequence"].with_company(company)
        while True:
            code = sequence.next_by_code("isp.customer")
            taken = [("company_id", "=", company.id), ("customer_code", "=", code)]
            if not self.sudo().with_context(active_test=False).search_count(taken, limit=1):
                return code

    @api.constrains("customer_code")
    def _check_customer_code(self):
        """Nobody tells two customers apart by capitals."""
        if not all((customer.customer_code or "").strip() for customer in self):
            raise ValidationError(_("A customer needs an ID."))
        self.flush_model(["company_id", "customer_code"])
        if len(self) <= 20:
            # Each by its index.
            self.env.cr.execute(
                """
                SELECT c.customer_code FROM unnest(%s, %s, %s) AS o(id, company_id, own)
                JOIN isp_customer c ON c.company_id = o.company_id AND c.id != o.id AND c.customer_code ILIKE o.own LIMIT 1
                """,
                [self.ids, [customer.company_id.id for customer in self], [escape_psql(customer.customer_code) for customer in self]],
            )
        else:
            # In one pass over all: joined with each other, thousands that are new would be compared with each of thousands.
            self.env.cr.execute(
                """
                SELECT max(customer_code) FROM isp_customer WHERE company_id = ANY(%s)
                GROUP BY company_id, lower(customer_code) HAVING count(*) > 1 AND bool_or(id = ANY(%s)) LIMIT 1
                """,
                [self.company_id.ids, self.ids],
            )
        same = self.env.cr.fetchone()
        if same:
            raise ValidationError(_("%s is the ID of another customer.", same[0]))

    def write(self, vals):
        if "name" in vals and not (vals["name"] or "").strip():
            raise ValidationError(_("A customer needs a name."))
        if "active" in vals and not vals["active"]:
            served = self.filtered(
                lambda c: c.active and (c.state == "active" or c.sudo().subscription_ids.filtered(
                    lambda s: s.state in ("active", "paused")
                ))
            )
            if served:
                raise UserError(_(
                    "%s is served. Terminate the lines and then the customer (the buttons Terminate); then it can be archived.",
                    ", ".join(served.mapped("display_name")),
                ))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("A customer is archived, not deleted."))

    def action_activate(self):
        def begun(customer):
            starts = customer.subscription_ids.filtered(lambda s: s.state == "active").mapped("activation_date")
            return customer.activated_on or min([customer.company_id._isp_today(), *starts])

        for day, customers in self._isp_may_write(TECHNICIAN, BILLING).grouped(begun).items():
            customers.write({"state": "active", "activated_on": day, "terminated_on": False, "termination_reason": False})
        return True

    def action_terminate(self):
        for customer in self._isp_may_write(BILLING):
            if customer.subscription_ids.filtered(lambda s: s.state in ("active", "paused")):
                raise UserError(_("Terminate the subscriptions of %s first.", customer.display_name))
            customer.write({"state": "terminated", "terminated_on": customer.company_id._isp_today()})
        return True

    def action_view_invoices(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        action["domain"] = [
            ("move_type", "in", ("out_invoice", "out_refund")),
            ("company_id", "=", self.company_id.id),
            "|", ("partner_id", "=", self.partner_id.id), ("isp_subscription_id.customer_id", "=", self.id),
        ]
        action["context"] = {"default_move_type": "out_invoice", "default_partner_id": self.partner_id.id}
        return action

    def _isp_action_of(self, xml_id):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(xml_id)
        return {**action, "domain": [("customer_id", "=", self.id)], "context": {"default_customer_id": self.id}}

    def action_view_subscriptions(self):
        return self._isp_action_of("isp_management.isp_subscription_action")

    def action_view_cpes(self):
        return self._isp_action_of("isp_management.isp_cpe_action")
