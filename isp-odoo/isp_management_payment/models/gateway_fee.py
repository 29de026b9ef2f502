"""What a gateway keeps of a payment. The payment is booked gross, on the account of money on its way; an entry of its own moves the fee
from there to the costs, once, so that what is left there is what the gateway pays out."""

import logging

from odoo import Command, _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.isp_management.models.account_move import AccountMove as Guarded
from odoo.addons.isp_management.models.isp_guard_mixin import PROGRAM

from ..const import KINDS

_logger = logging.getLogger(__name__)


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    isp_fee_account_id = fields.Many2one(
        "account.account", "Account for fees", check_company=True, copy=False, ondelete="restrict",
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost')), ('deprecated', '=', False)]",
        help="What the gateway keeps of each payment is booked as a cost on this account, when the gateway tells it. Empty: nothing is "
             "booked, and the fees are yours to book from its statements.",
    )

    @api.constrains("isp_fee_account_id")
    def _check_isp_fee_account(self):
        for provider in self.filtered("isp_fee_account_id"):
            if provider.isp_fee_account_id.internal_group != "expense":
                raise ValidationError(_("%s is no account of costs.", provider.isp_fee_account_id.display_name))


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    isp_fee_told = fields.Boolean("The fee is known", readonly=True, copy=False)
    isp_fee = fields.Monetary("Fee of the gateway", readonly=True, copy=False, help="As the gateway tells it; included in the amount.")
    isp_net = fields.Monetary("Paid out", compute="_compute_isp_net", help="What is left of the amount when the gateway took its fee.")
    isp_fee_move_id = fields.Many2one(
        "account.move", "Entry of the fee", readonly=True, copy=False, ondelete="set null", index="btree_not_null",
    )
    isp_fee_booked = fields.Boolean("The fee was booked", readonly=True, copy=False)

    @api.depends("amount", "isp_fee")
    def _compute_isp_net(self):
        for one in self:
            one.isp_net = one.amount - one.isp_fee

    def _isp_hear_fee(self, notice):
        """Keep the fee that a notice of a payment tells. The first one stands; another one later is left to a person."""
        self.ensure_one()
        if notice.fee is None:
            return
        if not self.isp_fee_told:
            self.write({"isp_fee_told": True, "isp_fee": notice.fee})
        elif notice.fee != self.isp_fee:
            self._isp_tell(_(
                "%(provider)s tells another fee for %(reference)s: %(now)s, where it told %(before)s. Look at its statement.",
                provider=self.provider_id.name, reference=self.reference, now=notice.fee, before=self.isp_fee,
            ))

    def _finalize_post_processing(self):
        result = super()._finalize_post_processing()
        self._isp_book_fees()
        return result

    def _isp_book_fees(self):
        """Book what is known and not booked. A fee that cannot be booked stops no payment: a person is told."""
        for one in self.filtered(lambda tx: tx.provider_code in KINDS and tx.isp_fee and not tx.isp_fee_booked and tx.payment_id.state == "posted"):
            if not one.provider_id.sudo().isp_fee_account_id:
                continue
            try:
                with one.env.cr.savepoint():
                    one._isp_book_fee()
            except UserError as error:
                _logger.warning("a fee of %s is not booked: %s", one.provider_id.name, error)
                one._isp_tell(_("The fee of %(reference)s cannot be booked: %(why)s", reference=one.reference, why=error))

    def _isp_book_fee(self):
        """From the money on its way to the costs, on the day of the payment and in its company."""
        self.ensure_one()
        payment = self.payment_id.sudo()
        company, currency = payment.company_id, self.currency_id
        [on_its_way, *_others] = payment._seek_for_lines()[0]
        label = _("Fee of %(provider)s for %(reference)s", provider=self.provider_id.name, reference=self.reference)
        balance = currency._convert(self.isp_fee, company.currency_id, company, payment.date)
        move = self.env["account.move"].sudo().with_company(company).create({
            "move_type": "entry", "journal_id": company._isp_cost_journal().id, "date": payment.date, "ref": label,
            "isp_gateway_fee_of_id": self.id,
            "line_ids": [
                Command.create({
                    "account_id": account.id, "name": label, "currency_id": currency.id, "amount_currency": sign * self.isp_fee,
                    "balance": sign * balance,
                    # What the account proposes for bills is on no bill here.
                    "tax_ids": False,
                })
                for account, sign in ((self.provider_id.sudo().isp_fee_account_id, 1), (on_its_way.account_id, -1))
            ],
        })
        move._post(soft=False)
        self.write({"isp_fee_move_id": move.id, "isp_fee_booked": True})
        kept = move.line_ids.filtered(lambda item: item.account_id == on_its_way.account_id)
        if on_its_way.account_id.reconcile and not on_its_way.reconciled:
            (on_its_way | kept).reconcile()


class AccountMove(models.Model):
    _inherit = "account.move"
    _isp_guarded = {**Guarded._isp_guarded, "isp_gateway_fee_of_id": PROGRAM}

    isp_gateway_fee_of_id = fields.Many2one(
        "payment.transaction", "Fee of the payment", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
    )


class IspReportProfitLoss(models.Model):
    _inherit = "isp.report.profit_loss"
    _depends = {"account.move": ["isp_gateway_fee_of_id", "reversed_entry_id"]}

    kind = fields.Selection(selection_add=[("expense",), ("gateway_fee", "Fees of gateways")])

    def _isp_costs(self):
        return [*super()._isp_costs(), ("gateway_fee", """EXISTS (
            SELECT 1 FROM account_move f LEFT JOIN account_move o ON o.id = f.reversed_entry_id
            WHERE f.id = l.move_id AND coalesce(f.isp_gateway_fee_of_id, o.isp_gateway_fee_of_id) IS NOT NULL
        )""")]
