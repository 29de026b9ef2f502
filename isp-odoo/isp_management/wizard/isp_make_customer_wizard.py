"""From contacts to customers, one or many: who is one already, and who may be the same person, is shown before."""

from odoo import Command, _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.isp_find import dialled
from ..models.isp_guard_mixin import BILLING, TECHNICIAN


class IspMakeCustomerWizard(models.TransientModel):
    _name = "isp.make.customer.wizard"
    _description = "Make customers of contacts"
    _inherit = ["isp.show.mixin"]

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    line_ids = fields.One2many("isp.make.customer.line", "wizard_id", "Contacts")
    twice_count = fields.Integer("May be the same person", compute="_compute_twice_count")

    @api.depends("line_ids.twice", "line_ids.customer_id")
    def _compute_twice_count(self):
        for wizard in self:
            wizard.twice_count = len(wizard.line_ids.filtered(lambda line: line.twice and not line.customer_id))

    @api.model
    def _isp_open_for(self, partners):
        if not any(self.env.user.has_group(group) for group in (TECHNICIAN, BILLING)):
            raise AccessError(_("Making customers is for the groups Technician and Billing."))
        wizard = self.create({"company_id": self.env.company.id})
        customers = {customer.partner_id: customer for customer in partners._isp_customers()}
        twice = self._isp_twice(partners)
        wizard.line_ids = [
            Command.create({
                "partner_id": partner.id, "customer_id": customers[partner].id if partner in customers else False,
                "twice": ", ".join(twice[partner]) or False, "chosen": partner not in customers and not twice[partner],
            })
            for partner in partners
        ]
        return wizard._isp_show(_("Make internet customers"), "extra-large")

    @api.model
    def _isp_twice(self, partners):
        """By contact, the names of customers and of other chosen contacts that have its number or its e-mail."""
        customers = self.env["isp.customer"].with_context(active_test=False)
        everyone = customers.search([("company_id", "=", self.env.company.id)])
        known = {}
        for customer in everyone:
            for key in self._isp_keys(customer.whatsapp_number, customer.mobile, customer.phone, email=customer.email):
                known.setdefault(key, {})[customer.partner_id.id] = customer.display_name
        for partner in partners:
            for key in self._isp_keys(partner.mobile, partner.phone, email=partner.email):
                known.setdefault(key, {}).setdefault(partner.id, partner.name)
        return {
            partner: sorted({
                name for key in self._isp_keys(partner.mobile, partner.phone, email=partner.email)
                for other, name in known[key].items() if other != partner.id
            })
            for partner in partners
        }

    @api.model
    def _isp_keys(self, *numbers, email=None):
        keys = {dialled(number) for number in numbers if number}
        return {key for key in keys if key} | ({email.strip().lower()} if email else set())

    def action_confirm(self):
        """Make customers of those that are chosen; who is one already stays it."""
        self.ensure_one()
        if not any(self.env.user.has_group(group) for group in (TECHNICIAN, BILLING)):
            raise AccessError(_("Making customers is for the groups Technician and Billing."))
        partners = self.line_ids.filtered(lambda line: line.chosen and not line.customer_id).partner_id
        if not partners:
            raise UserError(_("No contact is chosen."))
        partners -= partners._isp_customers().partner_id
        self.env["isp.customer"].create([{"partner_id": partner.id, "company_id": self.company_id.id} for partner in partners])
        return self.line_ids.partner_id.filtered(lambda p: p in partners).action_isp_view_customer()


class IspMakeCustomerLine(models.TransientModel):
    _name = "isp.make.customer.line"
    _description = "A contact that may become a customer"

    wizard_id = fields.Many2one("isp.make.customer.wizard", required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", "Contact", required=True, readonly=True)
    phone = fields.Char(related="partner_id.phone")
    mobile = fields.Char(related="partner_id.mobile")
    city = fields.Char(related="partner_id.city")
    customer_id = fields.Many2one("isp.customer", "Is a customer already", readonly=True)
    twice = fields.Char("May be the same as", readonly=True)
    chosen = fields.Boolean()
