"""Late fees follow the facts (rules P4, P7): each payment counts from the day on which it was made, whenever it is typed in or taken
back. The engine says what is given back, what is charged again, and what else pays the invoices that a payment leaves open."""

import isp_engine

from odoo import _, api, fields, models

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
        self._isp_gone(self._isp_going())

    def _isp_going(self):
        """The payments and write-offs among these that somebody takes back or away, each with its customer and what it was."""
        going = []
        for move in self._isp_plain().filtered(lambda m: m.isp_known or m.isp_write_off_of_id):
            of = move.isp_write_off_of_id
            customers = of.isp_subscription_id.customer_id or of.isp_installation_fee_id.customer_id or move._isp_payers()
            move.isp_known = False
            # Of one who paid for several customers nobody knows any more how much was whose.
            if len(customers) == 1:
                going.append((move.company_id, customers, customers._isp_books(move, gone=True), bool(of)))
        return going

    @api.model
    def _isp_gone(self, going):
        """What follows for customers whose payments are gone."""
        for company, customers, books, written_off in going:
            due = isp_engine.late_fees_again(
                books, company._isp_now(), company._isp_late_fee_policy(),
                charged_through=company.isp_late_fee_through or None, billing=company._isp_billing_policy(),
            )
            if not written_off:
                customers.env["isp.credit"]._isp_settle_again(customers)
            customers.env["isp.billing_run"]._charge_again(company, due)

    def unlink(self):
        """Deleted is taken back, too, unless it was before."""
        going = self.filtered(lambda move: move.state != "cancel")._isp_going()
        result = super().unlink()
        self._isp_gone(going)
        return result


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def action_undo_reconciliation(self):
        """What the books said that the money was is taken back: it may be another customer's."""
        going = self.move_id._isp_going()
        result = super().action_undo_reconciliation()
        self.env["account.move"]._isp_gone(going)
        return result


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    isp_by_hand = fields.Boolean("Assigned by a person", readonly=True, help="Not by the program, which assigns as the system.")

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create([{**vals, "isp_by_hand": not self.env.su} for vals in vals_list])
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
            if own_first:
                self._isp_pay_with(credit.line_ids.filtered(lambda item: item.account_type == "asset_receivable"), move)
            self._isp_settle(credit)
            credits |= credit
        return credits

    @api.model
    def _isp_paid_parts(self, invoices):
        """What pays these invoices, as (partial reconciliation of the credit, invoice, amount). What an entry moved from another account
        is what the credit there paid."""
        receivable = invoices.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        for partial in receivable.matched_credit_ids:
            invoice, by = partial.debit_move_id.move_id, partial.credit_move_id.move_id
            if not by.isp_transfer:
                yield partial, invoice, partial.amount
            for source in by._isp_taken_from().matched_credit_ids if by.isp_transfer else ():
                yield source, invoice, min(source.amount, partial.amount)

    @api.model
    def _isp_notes_of(self, invoices):
        """The credit notes that were given for these invoices."""
        return self.env["account.move"].sudo().search(
            [("reversed_entry_id", "in", invoices.ids), ("move_type", "=", "out_refund"), ("state", "=", "posted")], order="id"
        )

    @api.model
    def _isp_notes_pay_their_own(self, customers, by_hand=True):
        """Credit notes come back to their own invoices from those that they paid meanwhile, as the engine says. Without ``by_hand`` they
        stay where a person put them."""
        invoices = customers._isp_all_invoices()
        notes = self._isp_notes_of(invoices)
        items = notes.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        parts = [
            part for part in self._isp_paid_parts(invoices)
            if part[0].credit_move_id in items and (by_hand or not part[0].isp_by_hand)
        ] if items else []
        # A note that is due in parts has several items.
        left = {note: -sum(note.line_ids.filtered(lambda item: item in items).mapped("amount_residual")) for note in notes}
        credit = [
            isp_engine.Credit(note.id, whole(amount), None, note.reversed_entry_id.id) for note, amount in left.items() if whole(amount) > 0
        ]
        paid = [
            isp_engine.PaidPart(invoice.id, note.id, whole(amount), note.reversed_entry_id.id)
            for partial, invoice, amount in parts for note in partial.credit_move_id.move_id
        ]
        facts = isp_engine.AllocationFacts(customers.id, [open_invoice(move, move.id) for move in invoices], credit, paid)
        made = isp_engine.allocate([facts])
        self._isp_give_up(parts, made)
        own = {note.id: note.reversed_entry_id for note in notes}
        for part in made:
            if part.amount > 0 and own.get(part.payment) and own[part.payment].id == part.invoice:
                self._isp_pay_with(items.filtered(lambda item, of=part: item.move_id.id == of.payment), own[part.payment])

    @api.model
    def _isp_give_up(self, parts, made):
        """Take apart what credits give up of invoices by the engine's allocations; returns these credits' items."""
        given_up = {(part.payment, part.invoice) for part in made if part.amount <= 0}
        moved = self.env["account.partial.reconcile"].union(
            *(partial for partial, invoice, _amount in parts if (partial.credit_move_id.move_id.id, invoice.id) in given_up)
        )
        credits = moved.credit_move_id
        moved.unlink()
        return credits

    @api.model
    def _isp_notes_come_home(self, moves):
        """What is open of these invoices, once nothing else pays it: their own credit notes do, whatever those paid meanwhile. Somebody
        may have deleted a payment, or taken it off its invoice, without a word to the customer's books."""
        notes = self._isp_notes_of(moves.filtered(lambda move: move._isp_is_open()))
        for customer in notes.reversed_entry_id._isp_customers():
            self._isp_notes_pay_their_own(customer, by_hand=False)
            self._isp_pay_from_credit(self.env["account.move"].sudo().search(customer._isp_open_domain()))

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
        parts = [part for part in self._isp_paid_parts(invoices) if part[0].credit_move_id.move_id._isp_is_money()]
        paid = [
            isp_engine.PaidPart(invoice.id, partial.credit_move_id.move_id.id, whole(amount)) for partial, invoice, amount in parts
        ]
        facts = isp_engine.AllocationFacts(customers.id, [open_invoice(move, move.id) for move in invoices], [], paid)
        # Their money pays the oldest again.
        self._isp_pay_with(self._isp_give_up(parts, isp_engine.allocate([facts])))
