from odoo import _, api, fields, models
from odoo.exceptions import UserError


class IspPackageChangeWizard(models.TransientModel):
    _name = "isp.package.change.wizard"
    _description = "Change the package of a subscription"
    _inherit = ["isp.show.mixin"]

    subscription_id = fields.Many2one("isp.subscription", required=True, readonly=True)
    company_id = fields.Many2one(related="subscription_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    old_package_id = fields.Many2one(related="subscription_id.package_id", string="Package now")
    old_price = fields.Monetary(related="subscription_id.monthly_price", string="Price now")
    package_id = fields.Many2one(
        "isp.package", "New package", domain="[('company_id', '=', company_id), ('id', '!=', old_package_id)]"
    )
    new_price = fields.Monetary(related="package_id.price", string="New price")
    date = fields.Date("From", required=True, help="The new price holds for periods that start on this day or later.")
    planned_id = fields.Many2one(related="subscription_id.next_package_id", string="Planned package")
    next_period = fields.Date("Next period", readonly=True)

    @api.model
    def _isp_open_for(self, subscription):
        subscription.ensure_one()
        subscription.check_access_rights("write")
        subscription.check_access_rule("write")
        last = subscription.sudo().move_ids.filtered("isp_period_end").mapped("isp_period_end")
        day = max([*last, subscription.activation_date, subscription.company_id._isp_today()])
        wizard = self.create({
            "subscription_id": subscription.id, "package_id": subscription.next_package_id.id,
            "date": subscription.change_date or day, "next_period": day,
        })
        return wizard._isp_show(_("Change the package of %s", subscription.display_name))

    def action_confirm(self):
        self.ensure_one()
        if not self.package_id:
            raise UserError(_("Choose the new package."))
        if self.date < self.subscription_id.company_id._isp_today():
            raise UserError(_("A change of package lies in the future."))
        self.subscription_id.write({"next_package_id": self.package_id.id, "change_date": self.date})
        return {"type": "ir.actions.act_window_close"}

    def action_withdraw(self):
        self.ensure_one()
        self.subscription_id.write({"next_package_id": False, "change_date": False})
        return {"type": "ir.actions.act_window_close"}


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def action_change_package(self):
        """Open the wizard that plans another package."""
        return self.env["isp.package.change.wizard"]._isp_open_for(self)
