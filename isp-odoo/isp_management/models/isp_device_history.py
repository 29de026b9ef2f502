from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_cpe import OWNERSHIP

# What the books add to a row afterwards; all the rest is written once.
LATER_FIELDS = {"move_id"}


class IspDeviceHistory(models.Model):
    _name = "isp.device_history"
    _description = "Device history"
    _inherit = ["isp.cost.mixin"]
    _order = "date desc, id desc"
    _rec_name = "device"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=lambda self: self.env.company._isp_today(), index=True)
    customer_id = fields.Many2one("isp.customer", required=True, check_company=True, ondelete="restrict", index=True)
    cpe_id = fields.Many2one("isp.cpe", "CPE", required=True, check_company=True, ondelete="restrict", index=True)
    kind = fields.Selection(
        [("installed", "Installed"), ("replaced", "Replaced"), ("returned", "Returned")], required=True
    )
    device = fields.Char(required=True)
    reason = fields.Char(required=True)
    ownership = fields.Selection(OWNERSHIP, required=True)
    officer_id = fields.Many2one("res.users", required=True, default=lambda self: self.env.user)
    cost = fields.Monetary()
    move_id = fields.Many2one("account.move", "Journal entry", readonly=True, copy=False, ondelete="restrict")

    _sql_constraints = [("cost_positive", "check(cost >= 0)", "A cost is not negative.")]

    @api.onchange("cpe_id")
    def _onchange_cpe_id(self):
        if self.cpe_id:
            self.customer_id = self.cpe_id.customer_id
            self.ownership = self.cpe_id.ownership
            self.device = self.cpe_id._isp_device_name()

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        # Who installs devices need not be an accountant, nor change what is written.
        for row in rows.filtered("cost").sudo():
            company = row.company_id
            row.move_id = row._isp_post_cost(
                company, row.date, row.cost, "%s: %s" % (row.device, row.reason),
                row._isp_expense_account(company, company.isp_device_cost_account_id),
                row._isp_payment_account(company, None),
            )
        return rows

    def write(self, vals):
        if set(vals) - LATER_FIELDS:
            raise UserError(_("The device history is only added to: write a new line that corrects this one."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("The device history is only added to: write a new line that corrects this one."))
