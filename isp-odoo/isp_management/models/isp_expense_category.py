from odoo import _, api, fields, models
from odoo.exceptions import UserError


class IspExpenseCategory(models.Model):
    _name = "isp.expense_category"
    _description = "Category of expenses"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    account_id = fields.Many2one(
        "account.account", "Expense account", check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost')), ('deprecated', '=', False)]",
    )

    _sql_constraints = [("code_unique", "unique(company_id, code)", "There is a category with this code already.")]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["isp.expense"].sudo().search_count([("category_id", "in", self.ids)], limit=1):
            raise UserError(_("A category that was ever used is archived, not deleted."))
