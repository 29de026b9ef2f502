"""Receivables that are given up (penghapusan piutang): an entry to bad debts that settles the invoice, and may be taken back."""

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang

from ..logic.money import rupiah_owed

# Why a line stays isolated whose arrears were given up.
SETTLED = "settled_not_paid"


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_write_off_of_id = fields.Many2one(
        "account.move", "Write-off of", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )
    isp_write_off_ids = fields.One2many("account.move", "isp_write_off_of_id", "Write-offs")
    isp_write_off_reason = fields.Char("Reason of the write-off", readonly=True, copy=False)
    isp_written_off = fields.Monetary("Written off", compute="_compute_isp_written_off")

    @api.depends("isp_write_off_ids.state", "isp_write_off_ids.reversal_move_id.state")
    def _compute_isp_written_off(self):
        for move in self:
            standing = move.sudo().isp_write_off_ids._isp_standing()
            move.isp_written_off = sum(standing.mapped("amount_total"))

    def _isp_settled_without_money(self):
        """Whether the last thing that settled this invoice brought no money: no payment, no credit note, no entry at a bank or a
        till. Somebody gave up on it, by our wizard or by an entry of their own."""
        self.ensure_one()
        partials = self.line_ids.filtered(lambda item: item.account_type == "asset_receivable").matched_credit_ids
        by = partials.sorted("id")[-1:].credit_move_id.move_id
        return bool(by) and not by._isp_brings_something()

    def _isp_brings_something(self):
        """Whether what this settles is paid: by a payment, a credit note, an entry that brings as much to a bank or a till."""
        self.ensure_one()
        if self.is_invoice(include_receipts=True) or self.payment_id or self.isp_transfer:
            return True
        settled = -sum(self._isp_receivable().mapped("balance"))
        brought = self._isp_brings_money()
        # A rupiah in the till makes no payment of what is given up beside it.
        return brought > 0 and rupiah_owed(settled - brought) <= 0

    def _isp_brings_money(self):
        """What an entry brings to banks and tills."""
        self.ensure_one()
        return sum(item.balance for item in self.line_ids if item.account_type in ("asset_cash", "liability_credit_card"))

    def _isp_standing(self):
        """The write-offs that were not taken back."""
        return self.filtered(
            lambda m: m.state == "posted" and not m.reversal_move_id.filtered(lambda r: r.state == "posted")
        )

    def action_isp_write_off(self):
        """Open the wizard for these invoices; for the manager."""
        return self.env["isp.write_off.wizard"]._isp_open_for(self)

    def _isp_write_off(self, account, day, reason):
        """Post an entry for what is unpaid of each invoice, and settle it with that."""
        refusals, by = self.env["isp.refusals"], self.env.user.name
        wishes = [isp_engine.WriteOffWish(move.id, rupiah_owed(move.amount_residual), by, reason or "") for move in self]
        for answer in isp_engine.write_offs(wishes):
            refusals._isp_allowed(answer)
        for move in self:
            receivable = move.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
            label = _("Write-off of %(invoice)s: %(reason)s", invoice=move.name, reason=reason)
            amount = move.amount_residual
            entry = self.env["account.move"].sudo().with_company(move.company_id).create({
                "move_type": "entry",
                "journal_id": move.company_id._isp_cost_journal().id,
                "date": day,
                "ref": label,
                "partner_id": move.commercial_partner_id.id,
                "isp_write_off_of_id": move.id,
                "isp_write_off_reason": reason,
                "line_ids": [
                    Command.create({
                        "account_id": line_account.id, "name": label, "balance": balance,
                        "partner_id": move.commercial_partner_id.id, "tax_ids": False,
                    })
                    for line_account, balance in ((account, amount), (receivable[:1].account_id, -amount))
                ],
            })
            entry._post(soft=False)
            (receivable | entry.line_ids.filtered(lambda item: item.account_type == "asset_receivable")).reconcile()
            move.message_post(body=_(
                "%(amount)s was written off: %(reason)s", amount=formatLang(self.env, amount, currency_obj=move.currency_id),
                reason=reason,
            ))

    def action_isp_take_back(self):
        """Take the write-offs of these invoices back: they are owed again, and what the customer has too much pays them."""
        if not self.env.user.has_group("isp_management.group_manager"):
            raise AccessError(_("Writing off and taking back is for the group Manager."))
        self.check_access_rule("write")
        for move in self:
            standing = move.sudo().isp_write_off_ids._isp_standing()
            if not standing:
                raise UserError(_("%s was not written off.", move.name))
            standing._reverse_moves(
                [{"date": move.company_id._isp_today(), "ref": _("Taken back: %s", entry.ref)} for entry in standing],
                cancel=True,
            )
            move.message_post(body=_("The write-off was taken back."))
        (self.isp_subscription_id | self.isp_installation_fee_id.subscription_id)._isp_hold_taken_back()
        self.env["isp.credit"]._isp_pay_from_credit(self)
        return True


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def _isp_hold_settled(self):
        """Settled is not paid: a line that is isolated for what was given up stays so until a person reopens it."""
        lines = self.sudo().filtered(
            lambda s: s.state == "active" and s.desired_access == "isolated" and s.access_cause == "arrears"
        )
        open_moves = lines._isp_open_moves()
        for line in lines:
            if open_moves[line.id]._isp_overdue(line.company_id._isp_today()):
                continue
            line._isp_still_isolated("manual", SETTLED)

    def _isp_hold_taken_back(self):
        """What was given up is owed again: paying it reopens the line, as before."""
        for line in self.sudo().filtered(lambda s: s.desired_access == "isolated" and s.access_reason == SETTLED):
            line._isp_still_isolated("arrears", "overdue_too_long")

    def _isp_still_isolated(self, cause, code):
        """Another cause of the same isolation; the router need not hear of it, and the customer neither."""
        self.ensure_one()
        since, overdue, told = self.isolated_since, self.isolated_overdue, self.observed_access == "isolated"
        waiting = self.isolation_event_ids.filtered(lambda e: e.state in ("waiting", "pending"))
        before = self._isp_last_event()
        event = self._isp_want("isolate", code, cause=cause, overdue=overdue, user=self.env.user, announce=False)
        # A message of the isolation that has not gone out yet is one about this event: it is looked at again before it goes.
        before.sudo().notification_ids.filtered(lambda n: n.state == "queued").isolation_event_id = event
        others = self.env["isp.notification"].sudo().search([("also_event_ids", "in", before.ids), ("state", "=", "queued")])
        others.write({"also_event_ids": [(3, before.id), (4, event.id)]})
        self.isolated_since = since
        if told and not waiting:
            event.state = "done"

