from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError


class IspBankLineWizard(models.TransientModel):
    _name = "isp.bank_line.wizard"
    _description = "Say whose money on the bank is"
    _inherit = ["isp.show.mixin"]

    line_id = fields.Many2one("account.bank.statement.line", required=True, readonly=True)
    company_ids = fields.Many2many("res.company", compute="_compute_choices")
    currency_id = fields.Many2one(related="line_id.currency_id")
    amount = fields.Monetary(related="line_id.amount")
    date = fields.Date(related="line_id.date")
    payment_ref = fields.Char(related="line_id.payment_ref")
    isp_doubt = fields.Selection(related="line_id.isp_doubt")
    isp_candidate_ids = fields.Many2many(related="line_id.isp_candidate_ids")
    customer_id = fields.Many2one("isp.customer", domain="[('company_id', 'in', company_ids)]")
    payment_ids = fields.Many2many("account.payment", compute="_compute_choices")
    payment_id = fields.Many2one(
        "account.payment", "It is this payment", domain="[('id', 'in', payment_ids)]",
        help="A transfer of the customer that was booked already, by a proof or at the counter. Empty: it is new money.",
    )

    @api.depends("customer_id", "line_id")
    def _compute_choices(self):
        for wizard in self:
            wizard.company_ids = self.env["isp.payment_request"]._isp_family(wizard.line_id.company_id)
            transfers = wizard.customer_id.sudo()._isp_transfers(wizard.company_ids) if wizard.customer_id else []
            wizard.payment_ids = [transfer.key for transfer in transfers]

    @api.model
    def _isp_open_for(self, line):
        self._isp_may()
        if line.is_reconciled:
            raise UserError(_("This line is booked already."))
        first = line.isp_candidate_ids[:1]
        wizard = self.create({"line_id": line.id, "customer_id": first.id, "payment_id": line.isp_payment_id.id})
        return wizard._isp_show(_("Whose money is it?"))

    @api.model
    def _isp_may(self):
        if not self.env.user.has_group("isp_management.group_cashier"):
            raise AccessError(_("Booking money of the bank is for the group Cashier."))

    def action_confirm(self):
        """Book it as the person says; the request of this amount is paid with it."""
        self.ensure_one()
        self._isp_may()
        self.line_id.check_access_rule("read")
        line, customer = self.line_id.sudo(), self.customer_id.sudo()
        if not customer:
            raise self.env["isp.refusals"]._isp_refuse("store.not_found", _("Say whose money it is."))
        self.customer_id.check_access_rule("read")
        customer._isp_hold()
        if line.is_reconciled:
            raise UserError(_("This line is booked already."))
        if line.foreign_currency_id or line.currency_id != line.company_id.currency_id:
            raise UserError(_("Money in another currency is booked in the accounting."))
        if self.payment_id:
            line._isp_join(self.payment_id.sudo())
        else:
            line._isp_book(customer)
        line.move_id.message_post(body=_("%(user)s said that it is of %(customer)s.", user=self.env.user.name, customer=customer.display_name))
        return {"type": "ir.actions.act_window_close"}
