"""Credit on another receivable account than the invoices: a contact's account was changed between them, and Odoo reconciles nothing
across two accounts. An entry moves the credit, as an accountant does by hand; where Odoo refuses it, a person is told."""

import logging

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..logic.access_rows import aware, open_invoice
from ..logic.money import rupiah_owed

_logger = logging.getLogger(__name__)


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_transfer = fields.Boolean(
        "Moves credit to the account of an invoice", readonly=True, copy=False,
        help="It is taken back by itself when the payment or the credit note is.",
    )

    def button_draft(self):
        """A person who takes such an entry back need not have it taken back."""
        own = self.with_context(isp_transfer_stays=True) if any(self.sudo().mapped("isp_transfer")) else self
        return super(AccountMove, own).button_draft()

    def _isp_take_transfer_back(self):
        """What was moved is not there any more: the invoices that it paid are open again."""
        for move in self.filtered(lambda one: one.state == "posted" and not all(one._isp_taken_from().mapped("reconciled"))):
            move = move.with_context(isp_transfer_stays=True)
            move.line_ids.remove_move_reconcile()
            try:
                with self.env.cr.savepoint():
                    move.button_draft()
                    move.button_cancel()
            except UserError:
                # Of a time that is closed: an entry of today says the contrary.
                self.env.invalidate_all(flush=False)
                move._reverse_moves([{"date": move.company_id._isp_today(), "ref": _("Taken back: %s", move.ref)}], cancel=True)

    def _isp_taken_from(self):
        """The items by which credit leaves its account."""
        return self.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and item.balance > 0)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _isp_settled(self):
        """What a credit settled: (invoice, amount) pairs, those that it paid on another account among them."""
        found = []
        for partial in self.matched_debit_ids:
            move = partial.debit_move_id.move_id
            if move.isp_transfer:
                found += (move.line_ids - partial.debit_move_id)._isp_settled()
            else:
                found.append((move, partial.amount))
        return found


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        stays = self.env.context.get("isp_transfer_stays")
        transfers = self.env["account.move"] if stays else self.sudo().debit_move_id.move_id.filtered("isp_transfer")
        result = super().unlink()
        transfers.exists()._isp_take_transfer_back()
        return result


class IspCredit(models.AbstractModel):
    _inherit = "isp.credit"

    @api.model
    def _isp_pay_across(self, credits, moves):
        """Let what is left of credits pay open invoices on other receivable accounts of the same company, as the engine says (rule P2)."""
        credits = credits.filtered(lambda item: not item.reconciled and not item.move_id.isp_write_off_of_id and not (
            self.env["account.payment"]._isp_is_slip(item.payment_id.isp_provider)
        ))
        for company in credits.company_id:
            currency = company.currency_id
            theirs = credits.filtered(lambda item, company=company: item.company_id == company and item.currency_id == currency)
            owed = {
                move: items for move in moves
                if move.company_id == company and move.currency_id == currency and (items := move.line_ids.filtered(
                    lambda item: item.account_type == "asset_receivable" and not item.reconciled and item.account_id not in theirs.account_id
                ))
            }
            if not owed or not theirs:
                continue
            facts = isp_engine.AllocationFacts(
                0, [open_invoice(move, move.id) for move in owed],
                [isp_engine.Credit(item.id, max(rupiah_owed(-item.amount_residual), 0), aware(item.move_id.create_date)) for item in theirs],
            )
            for made in isp_engine.allocate([facts]):
                credit = credits.browse(made.payment)
                for item in owed[moves.browse(made.invoice)].filtered(lambda item: not item.reconciled):
                    if not credit.reconciled:
                        self._isp_transfer(credit, item)

    @api.model
    def _isp_transfer(self, credit, item):
        """Move as much of a credit as an item of an invoice asks for to its account, and reconcile both sides."""
        company, move = credit.company_id, item.move_id
        amount = min(-credit.amount_residual, item.amount_residual)
        label = _("Credit of %(credit)s for %(invoice)s", credit=credit.move_id.name, invoice=move.name)
        try:
            with self.env.cr.savepoint():
                entry = self.env["account.move"].sudo().with_company(company).create({
                    "move_type": "entry", "journal_id": company._isp_cost_journal().id, "ref": label, "isp_transfer": True,
                    "partner_id": move.commercial_partner_id.id, "date": max(company._isp_today(), credit.date, item.date),
                    "line_ids": [
                        Command.create({
                            "account_id": side.account_id.id, "partner_id": side.partner_id.id, "name": label, "balance": balance, "tax_ids": False,
                        })
                        for side, balance in ((credit, amount), (item, -amount))
                    ],
                })
                entry._post(soft=False)
                taken = entry._isp_taken_from()
                (credit + taken).reconcile()
                (item + (entry.line_ids - taken)).reconcile()
        except UserError as error:
            # A closed period or account: the credit is held, and the run of isolation tells the billing.
            self.env.invalidate_all(flush=False)
            _logger.warning("the credit %s stays on its account: %s", credit.move_id.name, error)
