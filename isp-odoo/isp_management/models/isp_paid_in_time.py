"""Late fees follow the facts (rules P4, P7): each payment counts from the day on which it was made, whenever it is typed in or taken
back. The engine says what is given back, what is charged again, and what else pays the invoices that a payment leaves open."""

import isp_engine

from odoo import _, api, models

from ..logic.access_rows import open_invoice
from ..logic.clock import day_after
from ..logic.money import whole
from ..logic.terms_rows import lines_of, zone_of

CONTEXT = ("lang", "tz", "allowed_company_ids", "isp_now", "isp_commit")


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        posted = super()._post(soft)
        for move in posted.sudo().filtered(lambda m: m._isp_is_money() and not m.isp_known):
            customers = move._isp_payers()
            # Of one who pays for several customers it shows when it is assigned.
            if len(customers) == 1:
                move._isp_becomes_known(customers)
        return posted

    def button_cancel(self):
        result = super().button_cancel()
        self._isp_came_back()
        return result

    def _reverse_moves(self, default_values_list=None, cancel=False):
        reverse = super()._reverse_moves(default_values_list, cancel)
        if cancel:
            self._isp_came_back()
        return reverse

    def _isp_payers(self):
        """The customers whose money it is."""
        customers = self.env["isp.customer"].sudo().with_context(active_test=False)
        for item in self._isp_receivable():
            theirs = customers.search([
                ("company_id", "=", item.company_id.id),
                ("partner_id.commercial_partner_id", "=", item.partner_id.commercial_partner_id.id),
            ])
            customers |= theirs.filtered(lambda c, item=item: c.partner_id == item.partner_id) or theirs
        return customers

    def _isp_plain(self):
        """As the system, and of the caller's context only what everybody has: the register of payments, for one, switches the making
        of lines off."""
        # Keywords would add to that context; it is meant to be replaced.
        # pylint: disable=context-overridden
        return self.sudo().with_context({name: self.env.context[name] for name in CONTEXT if name in self.env.context})

    def _isp_becomes_known(self, customers):
        """A payment takes back late fees that were charged because it was not known yet."""
        move = self._isp_plain()
        move.isp_known = True
        credits, company = move.env["isp.credit"], move.company_id
        customers = customers.with_env(move.env)
        fees = move.search_count([("isp_late_fee_of_id.isp_subscription_id.customer_id", "in", customers.ids)], limit=1)
        if not fees:
            return
        for back in isp_engine.late_fees_back(customers._isp_books(move), company._isp_now(), company._isp_late_fee_policy()):
            fee, text = move.browse(back.fee), _("Paid before the late fee")
            wish = isp_engine.CorrectionWish(credits._isp_whole_charge(fee), back.amount, company._isp_today(), text)
            note = move.env["isp.refusals"]._isp_allowed(isp_engine.correct_invoices([wish])[0])
            credits._isp_write_whole([note], fee, text).isp_paid_in_time = True

    def _isp_came_back(self):
        """A payment or a write-off was taken back (rule P4): what customers paid else pays the oldest, and late fees that it had
        spared are due."""
        for move in self._isp_plain().filtered(lambda m: m.isp_known or m.isp_write_off_of_id):
            of, company = move.isp_write_off_of_id, move.company_id
            customers = of.isp_subscription_id.customer_id or of.isp_installation_fee_id.customer_id or move._isp_payers()
            move.isp_known = False
            # Of one who paid for several customers nobody knows any more how much was whose.
            if len(customers) != 1:
                continue
            due = isp_engine.late_fees_again(
                customers._isp_books(move, gone=True), company._isp_now(), company._isp_late_fee_policy(),
                charged_through=company.isp_late_fee_through or None, billing=company._isp_billing_policy(),
            )
            if not of:
                move.env["isp.credit"]._isp_settle_again(customers)
            move.env["isp.billing_run"]._charge_again(company, due)


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        # Entries of a bank's statement get their customer when they are assigned.
        for move in partials.sudo().credit_move_id.move_id.filtered(lambda m: not m.isp_known and m._isp_is_money()):
            debts = partials.filtered(lambda p, move=move: p.credit_move_id.move_id == move).debit_move_id.move_id
            customers = debts.isp_subscription_id.customer_id | debts.isp_installation_fee_id.customer_id
            if customers:
                move._isp_becomes_known(customers)
        return partials


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
        return isp_engine.Charge(move.id, start, end, lines_of(move, True), given, zone_of(move))

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

    @api.model
    def _isp_notes_pay_their_own(self, customers):
        """Credit notes come back to their own invoices from those that they paid meanwhile, as the engine says."""
        invoices = customers._isp_all_invoices()
        notes = self.env["account.move"].sudo().search(
            [("reversed_entry_id", "in", invoices.ids), ("move_type", "=", "out_refund"), ("state", "=", "posted")], order="id"
        )
        items = notes.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        partials = items.matched_debit_ids.filtered(lambda p: p.debit_move_id.move_id in invoices)
        credit = [
            isp_engine.Credit(item.move_id.id, whole(-item.amount_residual), None, item.move_id.reversed_entry_id.id)
            for item in items if item.amount_residual < 0
        ]
        paid = [
            isp_engine.PaidPart(
                p.debit_move_id.move_id.id, p.credit_move_id.move_id.id, whole(p.amount), p.credit_move_id.move_id.reversed_entry_id.id
            )
            for p in partials
        ]
        facts = isp_engine.AllocationFacts(customers.id, [open_invoice(move, move.id) for move in invoices], credit, paid)
        made = isp_engine.allocate([facts])
        given_up = {(part.payment, part.invoice) for part in made if part.amount < 0}
        partials.filtered(lambda p: (p.credit_move_id.move_id.id, p.debit_move_id.move_id.id) in given_up).unlink()
        own = {(note.id, note.reversed_entry_id.id) for note in notes}
        for part in made:
            if part.amount > 0 and (part.payment, part.invoice) in own:
                both = (notes | invoices).filtered(lambda move, of=part: move.id in (of.payment, of.invoice))
                both.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled).reconcile()

    @api.model
    def _isp_settle_again(self, customers):
        """After a payment was taken back: an invoice's own credit notes pay it first, then other credit pays what is open, and then
        what payments pay of newer invoices."""
        self._isp_notes_pay_their_own(customers)
        self._isp_pay_from_credit(self.env["account.move"].sudo().search(customers._isp_open_domain()))
        still = self.env["account.move"].sudo().search(customers._isp_open_domain(), order="id")
        if not still:
            return
        invoices = customers._isp_all_invoices()
        partials = invoices.line_ids.filtered(lambda item: item.account_type == "asset_receivable").matched_credit_ids
        partials = partials.filtered(lambda p: p.credit_move_id.move_id._isp_is_money())
        paid = [
            isp_engine.PaidPart(p.debit_move_id.move_id.id, p.credit_move_id.move_id.id, whole(p.amount)) for p in partials
        ]
        facts = isp_engine.AllocationFacts(customers.id, [open_invoice(move, move.id) for move in invoices], [], paid)
        made = isp_engine.allocate([facts])
        given_up = {(part.payment, part.invoice) for part in made if part.amount <= 0}
        moved = partials.filtered(lambda p: (p.credit_move_id.move_id.id, p.debit_move_id.move_id.id) in given_up)
        payments = moved.credit_move_id
        moved.unlink()
        # Their money pays the oldest again.
        self._isp_pay_with(payments)
