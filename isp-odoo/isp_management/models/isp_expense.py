from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_guard_mixin import PROGRAM


class IspExpense(models.Model):
    _name = "isp.expense"
    _description = "Expense"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.cost.mixin", "isp.guard.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True
    _isp_guarded = {"state": PROGRAM, "move_id": PROGRAM}

    name = fields.Char("Description", required=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=lambda self: self.env.company._isp_today(), index=True, tracking=True)
    category_id = fields.Many2one(
        "isp.expense_category", required=True, check_company=True, ondelete="restrict", index=True
    )
    amount = fields.Monetary(required=True, tracking=True)
    partner_id = fields.Many2one("res.partner", "Paid to", check_company=True, ondelete="restrict")
    payment_account_id = fields.Many2one(
        "account.account", "Paid from", check_company=True,
        domain="[('account_type', 'in', ('asset_cash', 'liability_current', 'liability_payable'))]",
        help="Empty: the company's account for costs.",
    )
    reference = fields.Char()
    site_id = fields.Many2one("isp.site", check_company=True, ondelete="restrict", index="btree_not_null")
    state = fields.Selection(
        [("draft", "New"), ("posted", "Posted"), ("cancelled", "Cancelled")],
        default="draft", required=True, copy=False, tracking=True, index=True,
    )
    move_id = fields.Many2one("account.move", "Journal entry", readonly=True, copy=False, ondelete="restrict")

    _sql_constraints = [("amount_positive", "check(amount > 0)", "An expense is more than 0.")]

    @api.ondelete(at_uninstall=False)
    def _unlink_only_new(self):
        if self.filtered(lambda e: e.state != "draft"):
            raise UserError(_("An expense that was posted is cancelled, not deleted."))

    def write(self, vals):
        fixed = {"date", "category_id", "amount", "partner_id", "payment_account_id", "company_id"} & set(vals)
        if fixed and self.filtered(lambda e: e.state == "posted"):
            raise UserError(_("A posted expense is in the books. Cancel it and write a new one."))
        return super().write(vals)

    def action_post(self):
        for expense in self._isp_may_write():
            if expense.state != "draft":
                raise UserError(_("%s was posted already.", expense.display_name))
            company = expense.company_id
            move = expense._isp_post_cost(
                company, expense.date, expense.amount, " ".join(filter(None, (expense.name, expense.reference))),
                expense._isp_expense_account(company, expense.category_id.account_id),
                expense._isp_payment_account(company, expense.payment_account_id),
                expense.partner_id,
            )
            expense.write({"state": "posted", "move_id": move.id})
        return True

    def action_cancel(self):
        """Take a posted expense out of the result by a reversing entry; nothing is deleted."""
        for expense in self._isp_may_write():
            if expense.state == "posted":
                expense.move_id._reverse_moves(
                    [{"date": expense.company_id._isp_today(), "ref": _("Cancelled: %s", expense.name)}], cancel=True
                )
            expense.state = "cancelled"
        return True
