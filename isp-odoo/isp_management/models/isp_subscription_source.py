"""What a subscription of another module needs to become a line: the common part of the bridges."""

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic.money import rupiah, whole
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

    def _isp_sold(self):
        """The lines of what was sold, with product, price_unit and discount; one of the products is a package's."""
        raise NotImplementedError

    def _isp_quantity(self, sold):
        """How many of it, for one of those lines."""
        return sold.product_uom_qty

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
            self.isp_subscription_id.sudo().write(
                {"billed_elsewhere": self._isp_billed_elsewhere(), **self._isp_price_vals()}
            )
            self._isp_follow()
            self._isp_join_invoices()
        return {
            "type": "ir.actions.act_window",
            "res_model": "isp.subscription",
            "res_id": self.isp_subscription_id.id,
            "view_mode": "form",
        }

    def _isp_package_sold(self):
        """The package, and the line that sells it."""
        self.ensure_one()
        company = self.company_id or self.env.company
        # A package that is sold no more is that of those who have it.
        packages = self.env["isp.package"].with_context(active_test=False).search([("company_id", "=", company.id)])
        sold = self._isp_sold().filtered(lambda line: line.product_id in packages.product_id)
        if not sold:
            raise UserError(_("No product of %s is that of a package.", self.display_name))
        if len(sold) > 1:
            raise UserError(_("%s sells more than one internet line. Sell each in a subscription of its own.", self.display_name))
        others = (self._isp_sold() - sold).filtered("product_id")
        if others and not self._isp_billed_elsewhere():
            raise UserError(_(
                "%(subscription)s sells %(products)s beside the internet line, and the daily ISP billing would not invoice that. Sell it in"
                " a subscription of its own.", subscription=self.display_name, products=", ".join(others.mapped("product_id.display_name")),
            ))
        own = packages.filtered(lambda package: package.product_id == sold.product_id)
        return (own.filtered("active") or own)[:1], sold

    def _isp_price_vals(self):
        """Price, quantity and discount as they were sold; what a month costs is the package's price, or held."""
        package, sold = self._isp_package_sold()
        months, quantity = self._isp_months(), self._isp_quantity(sold)
        try:
            asked = rupiah(sold.price_unit * quantity)
            percent = rupiah(sold.discount)
        except ValueError:
            # An odd discount is a price.
            asked, percent = sold.price_unit * quantity * (100 - sold.discount) / 100, 0
        monthly, ours = whole(asked / months), not self._isp_billed_elsewhere()
        if ours and monthly * months != asked:
            raise UserError(_(
                "%(subscription)s costs %(amount)s for %(months)s months, which is no whole rupiah a month.",
                subscription=self.display_name, amount=asked, months=months,
            ))
        free = percent == 100 or not monthly
        if ours and free:
            raise UserError(_("%s costs nothing. Give the line an exemption instead.", self.display_name))
        percent = 100 if free else percent
        return {
            "held_price": monthly if monthly != rupiah(package.price) else 0, "held_until": False,
            "discount_kind": "percent" if percent else False, "discount_value": percent, "discount_until": False,
        }

    def _isp_keep_price(self):
        """Bring the price of the lines to what is sold now."""
        for source in self.filtered(lambda s: s.isp_subscription_id.state in ("draft", "active", "paused")):
            line = source.isp_subscription_id
            package, _sold = source._isp_package_sold()
            if package != (line.next_package_id or line.package_id):
                raise UserError(_(
                    "%(subscription)s serves %(line)s. Change the package there: days that are paid for are counted, and the router"
                    " hears of it.", subscription=source.display_name, line=line.display_name,
                ))
            line.sudo().write(source._isp_price_vals())

    def _isp_subscription_vals(self):
        company = self.company_id or self.env.company
        package, _sold = self._isp_package_sold()
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

    @api.ondelete(at_uninstall=False)
    def _isp_unlink_unserved(self):
        self._isp_check_unserved()

    def _isp_check_unserved(self):
        """What goes away leaves no line that is served and that nobody invoices."""
        for source in self.filtered(lambda s: s.sudo().isp_subscription_id.state in ("active", "paused")):
            raise UserError(_(
                "%(subscription)s serves %(line)s. End it first: then the line is not served without invoices.",
                subscription=source.display_name, line=source.sudo().isp_subscription_id.display_name,
            ))

    def _isp_check_cycle(self):
        """The interval is that of the line, or a month would be asked for at the price of three."""
        for source in self.filtered(lambda s: s.sudo().isp_subscription_id.state in ("active", "paused")):
            line = source.sudo().isp_subscription_id
            if CYCLE_MONTHS[line.cycle] != source._isp_months():
                raise UserError(_(
                    "%(line)s is invoiced every %(months)s months, and that is fixed once it is active. End it and sell a new subscription.",
                    line=line.display_name, months=CYCLE_MONTHS[line.cycle],
                ))

    def _isp_follow(self):
        """Bring the line to what the subscription says: started, or ended."""
        for source in self.filtered("isp_subscription_id"):
            line = source.isp_subscription_id
            if source._isp_is_running() and line.state == "terminated":
                raise UserError(_("%s has ended, and an ended line does not begin again. Sell a new subscription.", line.display_name))
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
