from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.isp_write_off import SETTLED
from ..models.res_company_money import BAD_DEBT_DOMAIN


class IspWriteOffWizard(models.TransientModel):
    _name = "isp.write_off.wizard"
    _description = "Write off what nobody expects any more"
    _inherit = ["isp.show.mixin"]

    company_id = fields.Many2one("res.company", required=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    move_ids = fields.Many2many("account.move", string="Invoices", required=True)
    date = fields.Date(required=True)
    account_id = fields.Many2one("account.account", "Bad debt account", domain=BAD_DEBT_DOMAIN % "company_id")
    reason = fields.Char()
    reopen = fields.Boolean(
        "Reopen the isolated lines", help="Settled is not paid: without it they stay isolated until somebody reopens them."
    )
    isolated_count = fields.Integer("Lines isolated for it", compute="_compute_amount")
    amount = fields.Monetary("To be written off", compute="_compute_amount")

    @api.depends("move_ids.amount_residual")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.move_ids.mapped("amount_residual"))
            wizard.isolated_count = len(wizard._isp_isolated_lines())

    def _isp_isolated_lines(self):
        moves = self.move_ids.sudo()
        lines = moves.isp_subscription_id | moves.isp_installation_fee_id.subscription_id
        return lines.filtered(lambda s: s.state == "active" and s.desired_access == "isolated" and (
            s.access_cause == "arrears" or s.access_reason == SETTLED
        ))

    @api.model
    def _isp_open_for(self, moves):
        self._isp_check_manager()
        moves = moves.filtered(
            lambda m: m.move_type == "out_invoice" and m.state == "posted" and m.amount_residual > 0
        )
        if not moves:
            raise self.env["isp.refusals"]._isp_refuse("store.not_found", _("Nothing is unpaid here that could be written off."))
        if len(moves.company_id) > 1:
            raise UserError(_("Write off the invoices of one company at a time."))
        company = moves.company_id
        wizard = self.create({
            "company_id": company.id,
            "move_ids": [(6, 0, moves.sorted("invoice_date_due").ids)],
            "date": company._isp_today(),
            "account_id": company.isp_bad_debt_account_id.id,
        })
        return wizard._isp_show(_("Write off"))

    def action_confirm(self):
        self.ensure_one()
        self._isp_check_manager()
        reason = (self.reason or "").strip()
        if not reason:
            raise self.env["isp.refusals"]._isp_refuse("value.empty", _("Write down the reason: the auditor will ask."))
        self.move_ids.check_access_rule("write")
        account = self.account_id or self.company_id._isp_bad_debt_account()
        if not self.company_id.isp_bad_debt_account_id:
            # What was chosen once is proposed the next time.
            self.company_id.sudo().isp_bad_debt_account_id = account
        isolated = self._isp_isolated_lines()
        self.move_ids.filtered("amount_residual")._isp_write_off(account, self.date, reason)
        if self.reopen and isolated:
            # What is still overdue of another invoice isolates it again, as always.
            isolated.sudo(False)._isp_by_hand("reopen", _("Given up: %s", reason))
        return {"type": "ir.actions.act_window_close"}

    @api.model
    def _isp_check_manager(self):
        if not self.env.user.has_group("isp_management.group_manager"):
            raise AccessError(_("Writing off and taking back is for the group Manager."))
