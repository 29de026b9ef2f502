"""Costs in the books: a cost of the network is a journal entry, so that profit and loss is Odoo's own ledger."""

from odoo import _, api, models
from odoo.exceptions import UserError
from odoo.fields import Command


class IspCostMixin(models.AbstractModel):
    _name = "isp.cost.mixin"
    _description = "Cost that becomes a journal entry"

    @api.model
    def _isp_expense_account(self, company, preferred):
        """The account that is debited: the preferred one, else the one of the company's products."""
        account = preferred or self.env["ir.property"].sudo().with_company(company)._get(
            "property_account_expense_categ_id", "product.category"
        )
        if not account:
            raise UserError(_("%s has no account for this cost. Choose one in the settings.", company.name))
        return account

    @api.model
    def _isp_payment_account(self, company, preferred):
        """The account that is credited: the preferred one, else the settings', else the first cash journal's."""
        journals = self.env["account.journal"].sudo()
        account = preferred or company.isp_cost_payment_account_id or journals.search(
            [*journals._check_company_domain(company), ("type", "=", "cash")], limit=1
        ).default_account_id
        if not account:
            raise UserError(_("%s has no account to pay costs from. Choose one in the settings.", company.name))
        return account

    def _isp_post_cost(self, company, day, amount, label, debit, credit, partner=None):
        """Post one entry, as the system: who writes down a cost need not be an accountant."""
        company = company.sudo()
        move = self.env["account.move"].sudo().with_company(company).create({
            "move_type": "entry",
            "journal_id": company._isp_cost_journal().id,
            "date": day,
            "ref": label,
            "line_ids": [
                # The amount is what was paid: the taxes that the account proposes for bills would come on top.
                Command.create({
                    "account_id": account.id, "name": label, "balance": balance, "partner_id": partner and partner.id, "tax_ids": False,
                })
                for account, balance in ((debit, amount), (credit, -amount))
            ],
        })
        move._post(soft=False)
        return move.sudo(False)
