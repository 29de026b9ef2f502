from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError


class IspBankLineWizard(models.TransientModel):
    _name = "isp.bank_line.wizard"
    _description = "Say whose money on the bank is"
    _inherit = ["isp.show.mixin"]

    line_id = fields.Many2one("account.bank.statement.line", required=True, readonly=True)
    company_ids = fields.Many2many("res.company", compute="_compute_choices")
    currency_id = fields.Many2one(related="line_id.currency_id", related_sudo=False)
    amount = fields.Monetary(related="line_id.amount", related_sudo=False)
    date = fields.Date(related="line_id.date", related_sudo=False)
    payment_ref = fields.Char(related="line_id.payment_ref", related_sudo=False)
    isp_doubt = fields.Selection(related="line_id.isp_doubt", related_sudo=False)
    isp_candidate_ids = fields.Many2many("isp.customer", string="It may be of", compute="_compute_choices")
    customer_id = fields.Many2one("isp.customer", domain="[('company_id', 'in', company_ids)]")
    payment_ids = fields.Many2many("account.payment", compute="_compute_choices")
    payment_id = fields.Many2one(
        "account.payment", "It is this payment", domain="[('id', 'in', payment_ids)]",
        compute="_compute_payment_id", store=True, readonly=False,
        help="A transfer of the customer that was booked already, by a proof or at the counter. Empty: it is new money.",
    )

    @api.constrains("line_id")
    def _check_line_id(self):
        """What is shown of a line is shown to who may see it."""
        for wizard in self:
            wizard.line_id.check_access_rights("read")
            wizard.line_id.check_access_rule("read")

    @api.depends("customer_id", "line_id")
    def _compute_choices(self):
        for wizard in self:
            line = wizard.line_id.sudo()
            family = self.env["isp.payment_request"]._isp_family(line.company_id)
            wizard.company_ids = family & self.env.companies
            # Of what is there, what this user may see.
            wizard.isp_candidate_ids = self.env["isp.customer"].search([("id", "in", line.isp_candidate_ids.ids)])
            transfers = wizard.customer_id.sudo()._isp_transfers(family) if wizard.customer_id else []
            wizard.payment_ids = self.env["account.payment"].search([("id", "in", [transfer.key for transfer in transfers])])

    @api.depends("customer_id")
    def _compute_payment_id(self):
        """A payment is one of this customer's: with another customer it is chosen anew."""
        for wizard in self:
            looks_like = wizard.line_id.sudo().isp_payment_id
            wizard.payment_id = looks_like.id if looks_like.id in wizard.payment_ids.ids else False

    @api.model
    def _isp_open_for(self, line):
        self._isp_may()
        self._isp_refuse(line.sudo())
        wizard = self.create({"line_id": line.id})
        if len(wizard.isp_candidate_ids) == 1 and len(line.sudo().isp_candidate_ids) == 1:
            wizard.customer_id = wizard.isp_candidate_ids
        return wizard._isp_show(_("Whose money is it?"))

    @api.model
    def _isp_refuse(self, line):
        """Refuse a line that cannot be booked here."""
        if line.is_reconciled:
            raise UserError(_("This line is booked already."))
        if line.move_id.state != "posted":
            raise UserError(_("The entry of this line is not posted: somebody cancelled it or works on it."))
        if line.amount <= 0:
            raise UserError(_("Only money that came is booked here. What left the bank is booked in the accounting."))
        if line.foreign_currency_id or line.currency_id != line.company_id.currency_id:
            raise UserError(_("Money in another currency is booked in the accounting."))

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
        family = self.env["isp.payment_request"]._isp_family(line.company_id)
        if customer.company_id not in family:
            raise UserError(_("%s is a customer of a company with other bank accounts.", customer.display_name))
        customer._isp_hold()
        self._isp_refuse(line)
        payment = self.payment_id.sudo()
        if payment:
            if payment.id not in [transfer.key for transfer in customer._isp_transfers(family)]:
                raise UserError(_(
                    "%(payment)s is no transfer of %(customer)s that the bank has still to tell of. Choose again.",
                    payment=payment.display_name, customer=customer.display_name,
                ))
            line._isp_join(payment)
        else:
            line._isp_book(customer)
        line.move_id.message_post(body=_("%(user)s said that it is of %(customer)s.", user=self.env.user.name, customer=customer.display_name))
        return {"type": "ir.actions.act_window_close"}
