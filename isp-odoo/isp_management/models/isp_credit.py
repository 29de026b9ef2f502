"""Credit notes: what is given back of an invoice for some of its days, once. The engine decides how much of the price;
PPN is what Odoo's taxes say, as on the invoice itself."""

from collections import defaultdict

import isp_engine

from odoo import _, api, models
from odoo.fields import Command

from ..logic import billing_rows
from ..logic.access_rows import aware, open_invoice
from ..logic.clock import last_day
from ..logic.money import rupiah_owed
from ..logic.terms_rows import items_of, lines_of, prices_of


class IspCredit(models.AbstractModel):
    _name = "isp.credit"
    _description = "What is given back of invoices"

    @api.model
    def _isp_charges(self, subscriptions, days=None, outage=None):
        """The engine's charges for the invoiced periods of lines, and their invoices by id; ``days`` are half-open."""
        domain = [
            ("isp_subscription_id", "in", subscriptions.ids), ("isp_period_start", "!=", False),
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
        ]
        if days:
            domain += [("isp_period_start", "<", days[1]), ("isp_period_end", ">", days[0])]
        moves = self.env["account.move"].sudo().search(domain, order="isp_period_start, id")
        notes = defaultdict(list)
        given = self.env["account.move"].sudo().search(
            [("reversed_entry_id", "in", moves.ids), ("state", "!=", "cancel")], order="id"
        )
        for note in given:
            notes[note.reversed_entry_id.id].append(note)
        charges = [
            isp_engine.Charge(
                move.id, move.isp_period_start, move.isp_period_end, lines_of(move, False),
                [
                    isp_engine.GivenBack(
                        note.isp_credit_start or move.isp_period_start, note.isp_credit_end or move.isp_period_end,
                        lines_of(note, False), bool(outage) and note.isp_outage_id == outage,
                    )
                    for note in notes[move.id]
                ],
                move.isp_subscription_id.zone,
            )
            for move in moves
        ]
        return charges, {move.id: move for move in moves}

    @api.model
    def _isp_write_credits(self, notes, moves, reason, text, outage=None):
        """Write the engine's ``notes`` as posted credit notes of their invoices, and let them pay what is open."""
        vals = [self._isp_credit_vals(note, moves[note.charge], reason, text, outage) for note in notes]
        credits = self.env["account.move"].sudo().with_context(
            mail_create_nosubscribe=True, default_move_type="out_refund"
        ).create(vals)
        credits._post(soft=False)
        for credit, note in zip(credits, notes, strict=True):
            # Afterwards: posting would let it pay its own invoice first, and not the oldest.
            credit.reversed_entry_id = moves[note.charge]
            self._isp_settle(credit)
        return credits.sudo(False)

    @api.model
    def _isp_credit_vals(self, note, move, reason, text, outage):
        company = move.company_id
        today = company._isp_today()
        start, last = note.period_start, last_day(note.period_end)
        name = "%s, %s" % (text, " - ".join(day.strftime("%d/%m/%Y") for day in sorted({start, last})))
        return {
            "move_type": "out_refund",
            "company_id": company.id,
            "journal_id": move.journal_id.id,
            "partner_id": move.partner_id.id,
            "currency_id": move.currency_id.id,
            "invoice_date": today,
            "invoice_date_due": today,
            "invoice_payment_term_id": False,
            "fiscal_position_id": move.fiscal_position_id.id,
            "ref": name,
            "isp_subscription_id": move.isp_subscription_id.id,
            "isp_credit_reason": reason,
            "isp_credit_start": note.period_start,
            "isp_credit_end": note.period_end,
            "isp_outage_id": outage and outage.id,
            "invoice_line_ids": [
                Command.create({
                    "product_id": item.product_id.id,
                    "name": name,
                    "quantity": 1,
                    "price_unit": price,
                    "account_id": item.account_id.id,
                    "tax_ids": [Command.set(item.tax_ids.ids)],
                    "isp_installation_fee_id": item.isp_installation_fee_id.id,
                })
                for price, of_fee in prices_of(note, move)
                for item in (items_of(move, True)[:1] if of_fee else self._isp_item_of(move))
            ],
        }

    @api.model
    def _isp_item_of(self, move):
        """The item of an invoice whose product and taxes are those of what is given back of its days."""
        items = items_of(move, False)
        return items.filtered(lambda item: any(item.tax_ids.mapped("price_include")))[:1] or items[:1]

    @api.model
    def _isp_settle(self, credit):
        """A credit note pays what its customer has open, oldest first (rule P2); what is left stays as credit."""
        self._isp_pay_with(credit.line_ids.filtered(lambda item: item.account_type == "asset_receivable"))

    @api.model
    def _isp_pay_from_credit(self, moves):
        """What a customer has paid too much, in advance or twice pays what is open (rule P2): the outstanding credits that Odoo shows
        under an invoice, assigned as a person would."""
        moves = moves.sudo().filtered(lambda m: m._isp_is_open())
        for company in moves.company_id:
            self._isp_pay_with(self._isp_credits_of(moves.filtered(lambda m, company=company: m.company_id == company)))

    @api.model
    def _isp_credits_of(self, moves):
        """The open credits that could pay these invoices, of one company."""
        company = moves.company_id
        return self.env["account.move.line"].sudo().search([
            # A branch shares the bank accounts of the company above it.
            ("company_id", "in", company.parent_ids.ids), ("parent_state", "=", "posted"), ("reconciled", "=", False),
            ("account_id.account_type", "=", "asset_receivable"), ("balance", "<", 0), ("amount_residual", "<", 0),
            # A payment keeps the contact that it names, an invoice's items are its company's.
            "|", ("partner_id", "in", moves.commercial_partner_id.ids), ("partner_id", "child_of", moves.partner_id.ids),
            ("currency_id", "=", company.currency_id.id),
            # Nobody paid what was written off.
            ("move_id.isp_write_off_of_id", "=", False),
        ], order="id")

    @api.model
    def _isp_pay_with(self, credits, moves=None):
        """Let credits, journal items of receivable accounts, pay their payers' open invoices, or these, as the engine says (rule P2)."""
        payers = defaultdict(credits.browse)
        for credit in credits.filtered(lambda item: not item.reconciled):
            payers[self._isp_open_of(credit) if moves is None else moves, credit.account_id] |= credit
        for (moves, account), theirs in payers.items():
            # Of two payers of the same invoices the second pays what the first left.
            owed = {
                move: move.line_ids.filtered(lambda item, account=account: item.account_id == account and not item.reconciled)
                for move in moves
            }
            facts = isp_engine.AllocationFacts(
                0, [open_invoice(move, move.id) for move, items in owed.items() if items],
                [
                    isp_engine.Credit(item.id, max(rupiah_owed(-item.amount_residual), 0), aware(item.move_id.create_date))
                    for item in theirs
                ],
            )
            for made in isp_engine.allocate([facts]):
                pair = credits.browse(made.payment), owed[moves.browse(made.invoice)].filtered(lambda item: not item.reconciled)
                # What opens a line while this goes on may settle some meanwhile.
                if pair[1] and not pair[0].reconciled:
                    (pair[0] + pair[1]).reconcile()
        for (moves, _account), theirs in payers.items():
            self._isp_pay_across(theirs, moves)

    @api.model
    def _isp_open_of(self, credit):
        """The open invoices of whoever paid. Branches of one company that are customers each pay their own, which
        the payment or the invoice that it was more than enough for says; who is no customer pays for all of the company's."""
        company = credit.move_id.company_id
        paid = credit.matched_debit_ids.debit_move_id.move_id
        customers = paid.isp_subscription_id.customer_id | paid.isp_installation_fee_id.customer_id
        if not customers:
            payer = credit.move_id.partner_id or credit.partner_id[:1]
            customers = self.env["isp.customer"].sudo().with_context(active_test=False).search(
                [("company_id", "child_of", company.id), ("partner_id.commercial_partner_id", "=", payer.commercial_partner_id.id)]
            )
            customers = payer._isp_payer_among(customers) or customers
        # By their numbers: of two with the same dates the engine takes the first.
        return self.env["account.move"].sudo().search([("company_id", "child_of", company.id), *customers._isp_open_domain()], order="id")


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    def _isp_open_domain(self):
        """Open invoices of these customers' lines and installations; what else their contacts owe is another business."""
        return [
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("amount_residual", ">", 0),
            "|", ("isp_subscription_id.customer_id", "in", self.ids), ("isp_installation_fee_id.customer_id", "in", self.ids),
        ]


class AccountMove(models.Model):
    _inherit = "account.move"

    def _isp_is_open(self):
        self.ensure_one()
        ours = self.isp_subscription_id or self.isp_installation_fee_id
        return self.move_type == "out_invoice" and self.state == "posted" and self.amount_residual > 0 and bool(ours)

    def _post(self, soft=True):
        """Credit pays: nobody is isolated beside money of theirs that was not assigned."""
        posted = super()._post(soft)
        # A change of terms lets its own credit notes pay first.
        if not self.env.context.get("isp_credit_later"):
            self.env["isp.credit"]._isp_pay_from_credit(posted)
        return posted


class IspBillingRun(models.Model):
    _inherit = "isp.billing_run"

    @api.model
    def _isolated_spans(self, subscription_ids):
        """When each of these lines was isolated, as the engine takes it."""
        events = self.env["isp.isolation_event"].sudo().search(
            [("subscription_id", "in", subscription_ids), ("state", "!=", "waiting")], order="decided_at, id"
        )
        found = defaultdict(list)
        for event in events:
            found[event.subscription_id.id].append((event.action, aware(event.decided_at)))
        return {key: billing_rows.isolated_spans(pairs) for key, pairs in found.items()}

    def _after_page(self, company, run, rows, plan, position):
        """What else a page of lines asks for: to say which periods were left out, and to give isolated days back."""
        if plan.skipped:
            run = run or self.create({"company_id": company.id})
            run._until_done(company, lambda: run._write_skipped(plan.skipped))
        if company.isp_while_isolated == "prorate":
            today = company._isp_today()
            invoiced = {invoice.subscription for invoice in plan.invoices}
            asked = [row for row in rows if row[0] in invoiced or row[billing_rows.END] and row[billing_rows.END] < today]
            if self._isolated_notes(company, asked, position)[0]:
                run = run or self.create({"company_id": company.id})
                run._until_done(company, lambda: run._write_isolated_notes(company, asked, position))
        return run

    def _write_skipped(self, skipped):
        subscriptions = self.env["isp.subscription"].browse([period.subscription for period in skipped])
        for subscription, period in zip(subscriptions, skipped):
            subscription._message_log(body=_(
                "%(start)s - %(end)s is not billed: the line is isolated.", start=period.period_start.strftime("%d/%m/%Y"),
                end=last_day(period.period_end).strftime("%d/%m/%Y"),
            ))
        self.skipped_count += len(skipped)

    @api.model
    def _isolated_notes(self, company, rows, position):
        """What is to be given back of the invoices of these lines for whole days in isolation (rule B7)."""
        spans = self._isolated_spans([row[0] for row in rows])
        marks = {row[0]: (row[billing_rows.START], row[billing_rows.BILLED_FROM]) for row in rows if row[0] in spans}
        charges, moves = self.env["isp.credit"]._isp_charges(self.env["isp.subscription"].browse(list(marks)))
        by_line = defaultdict(list)
        for charge in charges:
            by_line[moves[charge.key].isp_subscription_id.id].append(charge)
        facts = [isp_engine.IsolatedFacts(own, spans[key], *marks[key]) for key, own in by_line.items()]
        notes = isp_engine.isolation_credits(
            facts, company._isp_now(), position=position or None, policy=company._isp_billing_policy()
        )
        return notes, moves

    def _write_isolated_notes(self, company, rows, position):
        # Asked again under the lock: another run may have given some back meanwhile.
        notes, moves = self._isolated_notes(company, rows, position)
        credits = self.env["isp.credit"]._isp_write_credits(notes, moves, "isolation", _("Days in isolation"))
        self.credit_count += len(credits)
