"""What a customer's late fees follow from: the invoices, and the money as it came (rules P4, P7). The engine decides."""

from collections import defaultdict

import isp_engine

from odoo import fields, models

from ..logic import terms_rows
from ..logic.money import whole
from ..logic.policy import noon


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    def _isp_books(self, payment=None, gone=False):
        """The books of each of these customers, of one company, as the engine takes them; ``payment`` is the entry that is asked
        about, ``gone`` when it is taken back already."""
        invoices = self._isp_all_invoices()
        notes, fees = defaultdict(self.env["account.move"].sudo().browse), defaultdict(self.env["account.move"].sudo().browse)
        for note in invoices.search([("reversed_entry_id", "in", invoices.ids), ("state", "=", "posted")], order="id"):
            notes[note.reversed_entry_id] |= note
        charged = invoices.search([("isp_late_fee_of_id", "in", invoices.ids)], order="isp_late_fee_nth, id")
        for fee in charged:
            fees[fee.isp_late_fee_of_id] |= fee
        by_customer = defaultdict(list)
        for move in invoices:
            bears = move.isp_period_start if not (move.isp_charge or move.isp_late_fee_of_id) else False
            customer = move.isp_subscription_id.customer_id or move.isp_installation_fee_id.customer_id
            by_customer[customer].append(isp_engine.BilledInvoice(
                move.id, move.invoice_date, move.invoice_date_due, whole(move.amount_total), terms_rows.zone_of(move), bears or None,
                terms_rows.given(move, notes[move], False) if bears else (),
                [terms_rows.fee_charged(fee, notes[fee]) for fee in fees[move]],
            ))
        money = self._isp_money(payment if gone else self.env["account.move"])
        for customer in self if gone else ():
            money[customer].append(isp_engine.Came(
                payment.id, noon(payment.date, customer.company_id.isp_zone), whole(-sum(payment._isp_receivable().mapped("balance"))),
                payment.isp_write_off_of_id.id or None,
            ))
        return [
            isp_engine.LateFeeFacts(by_customer[customer], money[customer], payment.id if payment else None) for customer in self
        ]

    def _isp_all_invoices(self):
        return self.env["account.move"].sudo().search([
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            "|", ("isp_subscription_id.customer_id", "in", self.ids), ("isp_installation_fee_id.customer_id", "in", self.ids),
        ], order="id")

    def _isp_money(self, without):
        """What each customer paid, all of it; and what notes and entries without money were used for."""
        commercial = self.partner_id.commercial_partner_id
        items = self.env["account.move.line"].sudo().search([
            ("company_id", "in", self.company_id.ids), ("parent_state", "=", "posted"), ("account_type", "=", "asset_receivable"),
            ("balance", "<", 0), ("partner_id.commercial_partner_id", "in", commercial.ids), ("move_id", "not in", without.ids),
            # What was moved to another account came when it was paid.
            ("move_id.isp_transfer", "=", False),
        ], order="date, id")
        payers = self.sudo().with_context(active_test=False).search(
            [("company_id", "in", self.company_id.ids), ("partner_id.commercial_partner_id", "in", commercial.ids)]
        )
        by_payer = defaultdict(payers.browse)
        for customer in payers:
            by_payer[customer.partner_id.commercial_partner_id] |= customer
        found = defaultdict(list)
        for item in items:
            used, elsewhere = defaultdict(list), 0
            for move, amount in item._isp_settled():
                customer = move.isp_subscription_id.customer_id or move.isp_installation_fee_id.customer_id
                if customer:
                    used[customer].append((move, amount))
                else:
                    elsewhere += amount
            at = noon(item.date, item.company_id.isp_zone)
            theirs = by_payer[item.partner_id.commercial_partner_id]
            payer = theirs.filtered(lambda c, item=item: c.partner_id == item.partner_id) or theirs
            if not item.move_id._isp_is_money():
                for customer, parts in used.items():
                    found[customer] += [isp_engine.Came(item.move_id.id, at, whole(amount), move.id) for move, amount in parts]
            elif len(payer) == 1 and set(used) <= set(payer):
                # What it paid that is no business of ours, or what took it back, is not there for these invoices.
                found[payer].append(isp_engine.Came(item.move_id.id, at, whole(-item.balance - elsewhere)))
            else:
                # Who pays for several customers pays each what the books say.
                for customer, parts in used.items():
                    found[customer].append(isp_engine.Came(item.move_id.id, at, whole(sum(amount for _move, amount in parts))))
        return found


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_late_fee_nth = fields.Integer(
        "Times charged before", readonly=True, copy=False, help="A late fee that was given back is charged again by an invoice of its own.",
    )
    isp_paid_in_time = fields.Boolean("Given back because it was paid in time", readonly=True, copy=False)
    isp_known = fields.Boolean("Late fees were looked at", readonly=True, copy=False)

    def _isp_is_money(self):
        """Whether it is a payment: not a note, and not an entry by which somebody gives something up."""
        self.ensure_one()
        return not self.is_invoice(include_receipts=True) and not self.isp_transfer and self._isp_brings_something()

    def _isp_receivable(self):
        """What it takes off the debts of customers."""
        return self.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and item.balance < 0)
