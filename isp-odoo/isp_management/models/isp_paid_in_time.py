"""Late fees that a payment makes wrong which was made in time and is recorded later (rule P7): the engine says how much."""

from datetime import datetime, time, timedelta, timezone

import isp_engine

from odoo import _, api, models

from ..logic.clock import day_after
from ..logic.money import rupiah_owed
from ..logic.policy import ZONE_HOURS
from ..logic.terms_rows import lines_of

CONTEXT = ("lang", "tz", "allowed_company_ids", "isp_now", "isp_commit")


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials.sudo()._isp_take_fees_back()
        return partials

    def _isp_take_fees_back(self):
        """Each payment counts from the day on which it was paid, not from the one on which somebody typed it in."""
        # Of the caller's context only what everybody has: the register of payments, for one, switches the making of lines off.
        # Keywords would add to that context; it is meant to be replaced.
        # pylint: disable=context-overridden
        context = {name: self.env.context[name] for name in CONTEXT if name in self.env.context}
        credits = self.env["isp.credit"].sudo().with_context(context)
        for partial in self.with_context(context):
            late, paid_on = partial.debit_move_id.move_id, partial.credit_move_id.date
            fee = late.isp_late_fee_ids.filtered(lambda move: move.state == "posted")
            if len(fee) != 1 or not partial.credit_move_id.move_id._isp_brings_something():
                continue
            others = late.line_ids.filtered(lambda item: item.account_type == "asset_receivable").matched_credit_ids - partial
            before = sum(other.amount for other in others if other.credit_move_id.date < fee.invoice_date)
            earlier = isp_engine.PaidEarlier(
                credits._isp_whole_charge(fee), fee.invoice_date, max(rupiah_owed(late.amount_total - before), 0),
                datetime.combine(paid_on, time(), timezone(timedelta(hours=ZONE_HOURS[late.isp_subscription_id.zone]))),
                rupiah_owed(partial.amount),
            )
            notes = isp_engine.late_fees_back([earlier], fee.company_id._isp_late_fee_policy())
            credits._isp_write_whole(notes, fee, _("Paid before the late fee"))


class IspCredit(models.AbstractModel):
    _inherit = "isp.credit"

    @api.model
    def _isp_whole_charge(self, move):
        """An invoice of any kind with all that was given back of it, as the engine takes it."""
        of = move.isp_late_fee_of_id or move
        start = of.isp_period_start or move.invoice_date
        end = of.isp_period_end or day_after(start)
        notes = self.env["account.move"].sudo().search(
            [("reversed_entry_id", "=", move.id), ("move_type", "=", "out_refund"), ("state", "!=", "cancel")], order="id"
        )
        given = [
            isp_engine.GivenBack(
                note.isp_credit_start or start, note.isp_credit_end or end, lines_of(note, True)
            )
            for note in notes
        ]
        zone = (move.isp_subscription_id or move.isp_installation_fee_id.subscription_id).zone or move.company_id.isp_zone
        return isp_engine.Charge(move.id, start, end, lines_of(move, True), given, zone)

    @api.model
    def _isp_write_whole(self, notes, move, text, own_first=True):
        """Write what is given back of an invoice as posted credit notes; they pay the invoice itself before anything else."""
        credits = self.env["account.move"].browse()
        for note in notes:
            vals = self._isp_credit_vals(note, move, "correction", text, None)
            for command in vals["invoice_line_ids"]:
                # What it is for is the invoice, not some of its days.
                command[2]["name"] = "%s, %s" % (text, move.name)
            credit = self.env["account.move"].sudo().with_context(
                mail_create_nosubscribe=True, default_move_type="out_refund"
            ).create({**vals, "ref": "%s, %s" % (text, move.name)})
            credit._post(soft=False)
            credit.reversed_entry_id = move
            receivable = credit.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
            own = move.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
            if own_first and own and not all(receivable.mapped("reconciled")):
                (receivable + own).reconcile()
            self._isp_settle(credit)
            credits |= credit
        return credits
