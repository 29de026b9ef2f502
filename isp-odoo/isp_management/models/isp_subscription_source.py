"""What a subscription of another module needs to become a line: the common part of the bridges."""

from odoo import _, fields, models
from odoo.exceptions import UserError

from ..logic.policy import CYCLE_MONTHS


class IspSubscriptionSource(models.AbstractModel):
    _name = "isp.subscription.source"
    _description = "Subscription of another module"

    isp_subscription_id = fields.Many2one(
        "isp.subscription", "Internet line", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )

    # What a bridge tells

    def _isp_partner(self):
        """Who is served."""
        self.ensure_one()
        return self.partner_id

    def _isp_products(self):
        """What was sold; one of the products is a package's."""
        raise NotImplementedError

    def _isp_months(self):
        """Months between two invoices, 0 when the interval is no whole number of months."""
        raise NotImplementedError

    def _isp_start(self):
        """First day of service."""
        raise NotImplementedError

    def _isp_is_running(self):
        raise NotImplementedError

    def _isp_is_closed(self):
        raise NotImplementedError

    def _isp_billed_elsewhere(self):
        """True when the other module writes the invoices."""
        raise NotImplementedError

    def _isp_invoices(self):
        """The invoices that the other module wrote for this subscription."""
        raise NotImplementedError

    def _isp_next_date(self):
        """First day that the other module has not invoiced yet."""
        raise NotImplementedError

    # What follows from it

    def action_isp_subscription(self):
        """Open the line of this subscription; make customer and line when there is none."""
        self.ensure_one()
        if not self.isp_subscription_id:
            self.isp_subscription_id = self.env["isp.subscription"].create(self._isp_subscription_vals())
            self.isp_subscription_id.sudo().billed_elsewhere = self._isp_billed_elsewhere()
            self._isp_follow()
            self._isp_join_invoices()
        return {
            "type": "ir.actions.act_window",
            "res_model": "isp.subscription",
            "res_id": self.isp_subscription_id.id,
            "view_mode": "form",
        }

    def _isp_subscription_vals(self):
        company = self.company_id or self.env.company
        package = self.env["isp.package"].search(
            [("company_id", "=", company.id), ("product_id", "in", self._isp_products().ids)], limit=1
        )
        if not package:
            raise UserError(_("No product of %s is that of a package.", self.display_name))
        cycle = next((name for name, months in CYCLE_MONTHS.items() if months == self._isp_months()), None)
        if not cycle:
            raise UserError(_("%s is not invoiced every 1, 3, 6 or 12 months.", self.display_name))
        partner = self._isp_partner()
        customers = self.env["isp.customer"].with_context(active_test=False)
        customer = customers.search([("company_id", "=", company.id), ("partner_id", "=", partner.id)], limit=1)
        return {
            "company_id": company.id,
            "customer_id": (customer or customers.create({"company_id": company.id, "partner_id": partner.id})).id,
            "package_id": package.id,
            "cycle": cycle,
            "activation_date": self._isp_start(),
        }

    def _isp_follow(self):
        """Bring the line to what the subscription says: started, or ended."""
        for source in self.filtered("isp_subscription_id"):
            line = source.isp_subscription_id
            if source._isp_is_closed() and line.state in ("active", "paused"):
                line.action_terminate()
            elif source._isp_is_running() and line.state == "draft":
                if source._isp_next_date() and source.sudo()._isp_invoices():
                    # The other module knows best which days it has invoiced.
                    line.sudo().billed_from = source._isp_next_date()
                line.action_activate()
                source._isp_join_invoices()

    def _isp_join_invoices(self):
        """What was invoiced before the line was there becomes the line's, and the daily billing starts after it."""
        for source in self.filtered(lambda s: s._isp_adopt_invoices()):
            line, after = source.isp_subscription_id, source._isp_next_date()
            if after and line.billed_from and line.billed_from < after:
                line.sudo().billed_from = after

    def _isp_adopt_invoices(self):
        """Give the lines the invoices of the other module, so that they are its revenue and their arrears isolate it.

        They carry no period, because the other module's need not be the engine's. Returns all of them.
        """
        found = self.env["account.move"].sudo()
        for source in self.filtered("isp_subscription_id"):
            invoices = source.sudo()._isp_invoices()
            invoices.filtered(lambda move: not move.isp_subscription_id).isp_subscription_id = source.isp_subscription_id
            found |= invoices
        return found
