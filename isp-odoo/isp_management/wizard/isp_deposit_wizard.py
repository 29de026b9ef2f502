from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError


class IspDepositWizard(models.TransientModel):
    _name = "isp.deposit.wizard"
    _description = "A collector hands cash over"
    _inherit = ["isp.show.mixin"]

    collector_id = fields.Many2one("isp.collector", required=True, readonly=True)
    company_id = fields.Many2one(related="collector_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    holds = fields.Monetary(related="collector_id.holds")
    amount = fields.Monetary("Handed over", required=True)
    left = fields.Monetary("Stays in hand", compute="_compute_left")
    journal_id = fields.Many2one("account.journal", "To")
    collector_journal_id = fields.Many2one("account.journal", "Cash with collectors", compute="_compute_collector_journal_id")
    date = fields.Date(required=True)
    note = fields.Char()

    @api.depends("collector_id")
    def _compute_collector_journal_id(self):
        for wizard in self:
            wizard.collector_journal_id = wizard.company_id._isp_collector_journal()

    @api.depends("holds", "amount")
    def _compute_left(self):
        for wizard in self:
            wizard.left = wizard.holds - wizard.amount

    @api.model
    def _isp_open_for(self, collector):
        collector.ensure_one()
        self._isp_check_cashier()
        if collector.holds <= 0:
            raise UserError(_("%s holds no cash.", collector.name))
        company = collector.company_id
        office = self.env["account.journal"].search([
            *self.env["account.journal"]._check_company_domain(company), ("type", "=", "cash"),
            ("id", "!=", company._isp_collector_journal().id),
        ], limit=1)
        wizard = self.create({
            "collector_id": collector.id, "amount": collector.holds, "journal_id": office.id, "date": company._isp_today(),
        })
        return wizard._isp_show(_("Deposit of %s", collector.name))

    def action_confirm(self):
        """Move the cash from the collector's hands to the office or the bank, as Odoo's own internal transfer."""
        self.ensure_one()
        self._isp_check_cashier()
        collector = self.collector_id
        collector.check_access_rule("read")
        # Two cashiers may count the same money.
        self.env.cr.execute("SELECT id FROM isp_collector WHERE id = %s FOR UPDATE", [collector.id])
        self.env.invalidate_all()
        if self.amount <= 0:
            raise UserError(_("A deposit is more than 0."))
        if self.amount > collector.holds:
            raise UserError(_("%s does not hold that much.", collector.name))
        if not self.journal_id:
            raise UserError(_("Say where the cash goes: the office's cash or a bank."))
        company = self.company_id
        if not company.sudo().transfer_account_id:
            raise UserError(_("%s has no account for internal transfers.", company.name))
        label = _("Deposit of %s", collector.name)
        payment = self.env["account.payment"].sudo().with_company(company).create({
            "payment_type": "outbound",
            "is_internal_transfer": True,
            "partner_id": company.partner_id.id,
            "journal_id": company._isp_collector_journal().id,
            "destination_journal_id": self.journal_id.id,
            "amount": self.amount,
            "date": self.date,
            "ref": " ".join(filter(None, (label, self.note))),
            "isp_collector_id": collector.id,
        })
        payment.action_post()
        collector.sudo().message_post(body=_(
            "%(user)s took %(amount)s to %(journal)s.", user=self.env.user.name, amount=payment.currency_id.format(payment.amount),
            journal=self.journal_id.name,
        ))
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.model
    def _isp_check_cashier(self):
        if not self.env.user.has_group("isp_management.group_cashier"):
            raise AccessError(_("Deposits are for the group Cashier."))
