from odoo import _, api, fields, models
from odoo.exceptions import UserError


class IspInstallationFee(models.Model):
    _name = "isp.installation_fee"
    _description = "Installation fee (PSB)"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "date desc, id desc"
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one(
        "isp.customer", required=True, check_company=True, ondelete="restrict", index=True, tracking=True
    )
    subscription_id = fields.Many2one(
        "isp.subscription", check_company=True, ondelete="restrict", index=True,
        domain="[('customer_id', '=', customer_id)]",
    )
    kind_id = fields.Many2one("isp.installation_kind", "Kind", required=True, check_company=True, ondelete="restrict")
    date = fields.Date("Installed on", required=True, default=lambda self: self.env.company._isp_today(), index=True)
    amount = fields.Monetary(
        compute="_compute_from_kind", store=True, readonly=False, required=True, precompute=True, tracking=True
    )
    instalments = fields.Integer(
        compute="_compute_from_kind", store=True, readonly=False, required=True, precompute=True
    )
    officer_id = fields.Many2one("res.users", "Officer", default=lambda self: self.env.user)
    note = fields.Text()
    state = fields.Selection(
        [("draft", "New"), ("invoiced", "Invoiced"), ("cancelled", "Cancelled")],
        default="draft", required=True, copy=False, tracking=True,
    )
    move_ids = fields.One2many("account.move", "isp_installation_fee_id", "Invoices")
    invoice_count = fields.Integer(compute="_compute_payment_status", store=True)
    amount_paid = fields.Monetary("Paid", compute="_compute_payment_status", store=True)
    payment_status = fields.Selection(
        [("unpaid", "Unpaid"), ("partly_paid", "Partly paid"), ("paid", "Paid")],
        compute="_compute_payment_status", store=True, tracking=True,
    )

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a fee with this number already."),
        ("amount_positive", "check(amount >= 0)", "A fee is not negative."),
        ("instalments_range", "check(instalments between 1 and 24)", "A fee is paid in 1 to 24 parts."),
    ]

    @api.depends("kind_id")
    def _compute_from_kind(self):
        for fee in self:
            fee.amount = fee.kind_id.price
            fee.instalments = fee.kind_id.instalments or 1

    @api.depends("state", "move_ids.state", "move_ids.amount_total", "move_ids.amount_residual", "move_ids.payment_state")
    def _compute_payment_status(self):
        for fee in self:
            moves = fee.sudo().move_ids.filtered(lambda m: m.state == "posted")
            total, residual = sum(moves.mapped("amount_total")), sum(moves.mapped("amount_residual"))
            fee.invoice_count = len(moves)
            fee.amount_paid = total - residual
            if moves and not residual:
                fee.payment_status = "paid"
            elif moves and residual < total:
                fee.payment_status = "partly_paid"
            else:
                fee.payment_status = "unpaid"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
                vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("isp.installation_fee")
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_new(self):
        if self.filtered(lambda f: f.state != "draft"):
            raise UserError(_("A fee that was invoiced is archived, not deleted."))

    def action_cancel(self):
        for fee in self:
            if fee.move_ids.filtered(lambda m: m.state == "posted"):
                raise UserError(_("Reverse the invoices of %s first.", fee.display_name))
            fee.state = "cancelled"
