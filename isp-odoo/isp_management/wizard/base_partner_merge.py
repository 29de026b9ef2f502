from odoo import _, models
from odoo.exceptions import UserError


class MergePartnerAutomatic(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Two customers of one company are two accounts, each with its lines and debts: merging their contacts would lose one of
        them. A customer and a plain contact are merged as any two contacts are, and the customer goes along."""
        customers = self.env["isp.customer"].sudo().with_context(active_test=False).search([("partner_id", "in", list(partner_ids))])
        for company in customers.company_id:
            own = customers.filtered(lambda customer, company=company: customer.company_id == company)
            if len(own) > 1:
                raise UserError(_(
                    "These are two customers of %(company)s: %(customers)s. Move the lines of one to the other and archive it first; then"
                    " its contact can be renamed or archived.", company=company.name, customers=", ".join(own.mapped("display_name")),
                ))
        return super()._merge(partner_ids, dst_partner=dst_partner, extra_checks=extra_checks)
