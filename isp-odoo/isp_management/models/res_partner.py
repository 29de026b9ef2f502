"""From a contact to a customer, and back."""

from odoo import _, fields, models
from odoo.exceptions import AccessError, UserError

from .isp_guard_mixin import BILLING, TECHNICIAN


# Of a customer's contact: whether and where invoices and payments are booked.
MONEY_FIELDS = {
    "active", "company_id", "property_account_receivable_id", "property_account_position_id", "property_payment_term_id",
}


class ResPartner(models.Model):
    _inherit = "res.partner"

    isp_customer_count = fields.Integer("Internet customer", compute="_compute_isp_customer_count")

    def write(self, vals):
        """Under another contact a customer's invoices would be paid from that one's credit, and its lines seen in that one's portal."""
        if not self.env.su and {"parent_id", "commercial_partner_id"} & vals.keys() and not self.env.user.has_group(BILLING):
            moved = self.env["isp.customer"].sudo().with_context(active_test=False).search(
                ["|", ("partner_id", "in", self.ids), ("partner_id.commercial_partner_id", "in", self.ids)]
            )
            for customer in moved:
                parent = self.browse(vals.get("parent_id") or vals.get("commercial_partner_id") or ())
                if customer.partner_id.parent_id != parent:
                    raise AccessError(_("Under which contact %s is, is for the group Billing.", customer.display_name))
        if not self.env.su and MONEY_FIELDS & vals.keys() and not self.env.user.has_group(BILLING):
            customers = self.env["isp.customer"].sudo().with_context(active_test=False).search([("partner_id", "in", self.ids)])
            for name in sorted(MONEY_FIELDS & vals.keys()):
                field = self._fields[name]
                for partner in customers.partner_id:
                    wanted = field.convert_to_record(field.convert_to_cache(vals[name], partner), partner)
                    if partner[name] != wanted:
                        raise AccessError(_(
                            "%(field)s of %(customer)s decides about the billing: it is for the group Billing.",
                            field=field.get_description(self.env, ["string"])["string"], customer=partner.display_name,
                        ))
        return super().write(vals)

    def _isp_payer_among(self, customers):
        """Those of some customers whose contact this is, or is below: the nearest."""
        above = self
        while above and above not in customers.partner_id:
            above = above.parent_id
        return customers.filtered(lambda customer: customer.partner_id == above)

    def _isp_customers(self):
        return self.env["isp.customer"].with_context(active_test=False).search(
            [("company_id", "=", self.env.company.id), ("partner_id", "in", self.ids)]
        )

    def _compute_isp_customer_count(self):
        allowed = self.env["isp.customer"].check_access_rights("read", raise_exception=False)
        found = self._isp_customers().partner_id.ids if allowed else ()
        for partner in self:
            partner.isp_customer_count = int(partner.id in found)

    def action_isp_view_customer(self):
        """The customer of this contact."""
        customers = self._isp_customers()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_customer_action")
        if len(customers) == 1:
            return {**action, "views": [(False, "form")], "res_id": customers.id}
        return {**action, "domain": [("id", "in", customers.ids)], "context": {"active_test": False}}

    def action_isp_make_customer(self):
        """Make customers of these contacts. Of several, or of one that may be somebody else's double, a dialog asks first."""
        if not any(self.env.user.has_group(group) for group in (TECHNICIAN, BILLING)):
            raise UserError(_("Making customers is for the groups Technician and Billing."))
        if len(self) > 1:
            return self.env["isp.make.customer.wizard"]._isp_open_for(self)
        if not self._isp_customers():
            if self.env["isp.make.customer.wizard"]._isp_twice(self)[self] and not self.env.context.get("isp_on_purpose"):
                return self.env["isp.make.customer.wizard"]._isp_open_for(self)
            self.env["isp.customer"].create({"partner_id": self.id})
        return self.action_isp_view_customer()
