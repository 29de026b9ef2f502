"""Money on a bank statement: a line with the amount of a payment request is that customer's, and books itself.

The engine says whose it is. Where anything contradicts, nothing is booked: the line keeps why, and who it may be, for a person.
"""

from collections import defaultdict

import isp_engine

from odoo import Command, _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import html2plaintext

from ..logic import access_rows
from ..logic.money import OWED_FROM, rest_of, rupiah_owed, whole

# What only the program writes of a line.
OURS = {"isp_doubt", "isp_candidate_ids", "isp_payment_id"}


class NotTaken(UserError):
    """The money lies beside what is owed."""


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    isp_doubt = fields.Selection(
        [("several", "Several customers were asked for this amount"),
         ("names_another", "It names somebody else than the customer who was asked for this amount"),
         ("another_owes", "Another customer owes just as much, or says that it was sent"),
         ("looks_booked", "It looks like a payment that is booked already"),
         ("request_paid", "The payment request of this amount was paid already"),
         ("currency", "It is in another currency"),
         ("not_taken", "The invoices could not take it"),
         ("undone", "It was booked, and somebody undid that")],
        "Why it waits", readonly=True, copy=False,
    )
    isp_candidate_ids = fields.Many2many(
        "isp.customer", "isp_bank_line_candidate_rel", "line_id", "customer_id", "It may be of", readonly=True, copy=False,
        groups="isp_management.group_cashier",
    )
    isp_payment_id = fields.Many2one("account.payment", "Looks like", readonly=True, copy=False, ondelete="set null", index="btree_not_null")
    isp_waits = fields.Boolean("Waits for a person", compute="_compute_isp_waits", search="_search_isp_waits")

    @api.depends("isp_doubt", "is_reconciled", "move_id.state")
    def _compute_isp_waits(self):
        for line in self:
            line.isp_waits = bool(line.isp_doubt) and not line.is_reconciled and line.move_id.state == "posted"

    @api.model
    def _search_isp_waits(self, operator, value):
        domain = [("isp_doubt", "!=", False), ("is_reconciled", "=", False), ("state", "=", "posted")]
        return domain if (operator == "=") == bool(value) else ["!", "&", "&", *domain]

    @api.model_create_multi
    def create(self, vals_list):
        self._isp_only_ours(set().union(*vals_list))
        lines = super().create(vals_list)
        for root in lines.company_id.sudo().root_id:
            lines.filtered(lambda line, root=root: line.company_id.sudo().root_id == root).sudo()._isp_match(root)
        return lines

    def write(self, vals):
        self._isp_only_ours(vals.keys())
        return super().write(vals)

    @api.model
    def _isp_only_ours(self, names):
        defaults = {name.removeprefix("default_") for name in self.env.context if name.startswith("default_")}
        if OURS & (set(names) | defaults) and not self.env.su:
            raise AccessError(_("Whose money on the bank is, is said by the button of its line."))

    def action_undo_reconciliation(self):
        """A person looks at it: what was undone is not done again by itself."""
        payers = {line: line._isp_payers() for line in self.sudo()}
        paid = self.env["isp.payment_request"].sudo().search([("payment_move_id", "in", self.move_id.ids)])
        result = super(AccountBankStatementLine, self.with_context(isp_undoing=True)).action_undo_reconciliation()
        self.env["isp.payment_request"]._isp_follow(self.move_id)
        for line, customers in payers.items():
            customers |= paid.filtered(lambda request, line=line: line.amount == request.amount).customer_id
            if customers and not line.is_reconciled:
                line.write({"isp_doubt": "undone", "isp_candidate_ids": [Command.set(customers.ids)]})
        return result

    def _isp_payers(self):
        """The customers whose money the books say that it is."""
        self.ensure_one()
        _liquidity, _suspense, others = self._seek_for_lines()
        partners = others.partner_id
        family = self.env["isp.payment_request"]._isp_family(self.company_id)
        return self.env["isp.customer"].sudo().with_context(active_test=False).search([
            ("company_id", "in", family.ids), "|", ("partner_id", "in", partners.ids), ("partner_id", "parent_of", partners.ids),
        ]) if partners else self.env["isp.customer"]

    # Whose it is

    def _isp_match(self, root):
        """What the bank tells of with the amount of a request is that customer's: booked, and its invoices are paid."""
        came = self.filtered(lambda line: line.amount > 0 and not line.is_reconciled and whole(line.amount) == line.amount)
        requests = self.env["isp.payment_request"].sudo()
        if not came:
            return
        days = came.mapped("date")
        # A day more on either side, for the zones; the engine looks closer.
        asked = requests.search([
            ("root_id", "=", root.id), ("amount", "in", came.mapped("amount")),
            ("made_at", "<", fields.Date.add(max(days), days=2)), ("kept_until", ">", fields.Date.subtract(min(days), days=1)),
        ], order="id")
        if not asked:
            return
        # Until this is written nobody else books for them.
        asked.customer_id._isp_hold()
        amounts = set(asked.mapped("amount"))
        came = came.filtered(lambda line: line.amount in amounts)
        abroad = came.filtered(lambda line: line.foreign_currency_id or line.currency_id != line.company_id.currency_id)
        for line in abroad:
            whose = asked.filtered(lambda r, line=line: r.amount == line.amount).customer_id
            line.write({"isp_doubt": "currency", "isp_candidate_ids": [Command.set(whose.ids)]})
        came -= abroad
        family = requests._isp_family(root)
        transfers = {customer: customer._isp_transfers(family, min(asked.mapped("made_at"))) for customer in asked.customer_id}
        owed_by = came._isp_owed_by(family, min(asked.mapped("made_at")))
        money = [
            isp_engine.BankMoney(
                line.id, whole(line.amount), line.date, line._isp_text(), line._isp_said(family), owed_by[line.id],
            )
            for line in came
        ]
        facts = [request._isp_asked(transfers[request.customer_id]) for request in asked]
        for match in isp_engine.match_requests(money, facts, self._isp_named(family, " ".join(one.text for one in money))):
            self.browse(match.money)._isp_take(match)

    def _isp_take(self, match):
        """Do what the engine says of a line, or keep for a person why it is not done."""
        payment = self.env["account.payment"].sudo().browse(match.payment or [])
        customers = self.env["isp.customer"].sudo().browse([key for key in match.candidates if isinstance(key, int)])
        doubt, request = match.doubt, self.env["isp.payment_request"].sudo().browse(match.request or [])
        if request:
            try:
                with self.env.cr.savepoint():
                    if payment:
                        self._isp_join(payment)
                    else:
                        self._isp_book(request.customer_id)
                        if request.state != "paid":
                            # Nobody owes it any more: it is credit, and the request is paid all the same.
                            request._isp_close("paid", self.move_id)
                return
            except UserError as error:
                self.env.invalidate_all(flush=False)
                doubt = "looks_booked" if payment else "not_taken"
                self.move_id.message_post(body=_("It is of %(customer)s, and was not booked: %(why)s", customer=request.customer_id.display_name, why=error))
        if doubt:
            self.write({
                "isp_doubt": doubt, "isp_candidate_ids": [Command.set(customers.ids)], "isp_payment_id": payment.id,
            })

    def _isp_text(self):
        """All that the bank wrote of a line, and whoever typed it in."""
        details = str(self.transaction_details or "") if "transaction_details" in self._fields else ""
        parts = (self.payment_ref, self.partner_name, self.ref, self.narration and html2plaintext(self.narration), details)
        return " ".join(part for part in parts if part)

    def _isp_said(self, family):
        """The customers that the line's contact is, or that of its account number; None where nobody is named."""
        partner = self.partner_id
        if not partner and self.account_number:
            number = "".join(sign for sign in self.account_number.upper() if sign.isalnum())
            partner = self.env["res.partner.bank"].sudo().search([("sanitized_acc_number", "=", number)]).partner_id
        if not partner:
            return None
        customers = self.env["isp.customer"].sudo().with_context(active_test=False).search([
            ("company_id", "in", family.ids), ("partner_id.commercial_partner_id", "in", partner.commercial_partner_id.ids),
        ])
        own = customers.filtered(lambda customer: customer.partner_id in partner)
        return (own or customers if partner <= partner.commercial_partner_id else own).ids

    def _isp_owed_by(self, family, since):
        """Who owes just the amount of each of these lines, or says that it was sent; transfers that were booked from a moment on."""
        found = defaultdict(list)
        if self:
            self.env.flush_all()
            sums = defaultdict(list)
            for one in self.env["isp.payment_request"]._isp_sums(self.env.cr, family, min(whole(line.amount) for line in self)):
                sums[one.amount].append(one.customer)
            for line in self:
                found[line.id] = [*sums[whole(line.amount)], *line._isp_sent_by(family, since)]
        return found

    def _isp_sent_by(self, family, since):
        """Customers with a transfer of this amount that somebody booked, and no bank has told of."""
        payments = self.env["account.payment"].sudo().search([
            ("company_id", "in", family.ids), ("payment_type", "=", "inbound"), ("state", "=", "posted"), ("amount", "=", self.amount),
            ("create_date", ">=", since), ("isp_stands", "=", True),
        ])
        partners = payments.filtered(lambda payment: payment._isp_is_transfer()).partner_id
        return self.env["isp.customer"].sudo().search([("company_id", "in", family.ids), ("partner_id", "parent_of", partners.ids)]).ids

    @api.model
    def _isp_named(self, family, text):
        """The customers whose ID, name or number may stand in a bank's text: the engine looks closer."""
        self.env["isp.customer"].flush_model()
        self.env["res.partner"].flush_model()
        signs = "".join(sign for sign in text.lower() if sign.isalnum())
        self.env.cr.execute(
            r"""
            WITH people AS (
                SELECT customer.id, customer.customer_code AS code, partner.name, customer.whatsapp_number AS phone,
                    lower(regexp_replace(customer.customer_code, '[^[:alnum:]]', '', 'g')) AS folded
                FROM isp_customer AS customer JOIN res_partner AS partner ON partner.id = customer.partner_id
                WHERE customer.company_id IN %(companies)s
            )
            SELECT id, code, name, phone FROM people
            WHERE folded <> '' AND (position(folded IN %(signs)s) > 0 OR position(regexp_replace(folded, '^([a-z]+)0+', '\1') IN %(signs)s) > 0)
                OR name <> '' AND position(lower(regexp_replace(name, '[^[:alnum:]]', '', 'g')) IN %(signs)s) > 0
                OR phone <> '' AND position(right(regexp_replace(phone, '[^0-9]', '', 'g'), 9) IN %(signs)s) > 0
            """,
            {"companies": tuple(family.ids), "signs": signs},
        )
        return [isp_engine.BankPayer(key, code, name or "", phone or "") for key, code, name, phone in self.env.cr.fetchall()]

    # Booking

    def _isp_book(self, customer):
        """Book the line as a customer's money: it pays what is open, oldest first, and the rest is credit."""
        self.ensure_one()
        family = self.env["isp.payment_request"]._isp_family(self.company_id)
        moves = self.env["account.move"].sudo().search([("company_id", "in", family.ids), *customer._isp_open_domain()], order="id")
        facts = isp_engine.AllocationFacts(
            customer.id, [access_rows.open_invoice(move, move.id) for move in moves],
            [isp_engine.Credit(self.id, rupiah_owed(self.amount), access_rows.aware(fields.Datetime.now()))],
        )
        shares = defaultdict(int)
        for made in isp_engine.allocate([facts]):
            # The account of the invoice itself: that of the customer may be another by now.
            item = moves.browse(made.invoice).line_ids.filtered(lambda i: i.account_type == "asset_receivable" and not i.reconciled)[:1]
            shares[item.account_id] += made.amount
        rest = rest_of(self.amount, *shares.values())
        if rest:
            shares[customer.partner_id.with_company(self.company_id).property_account_receivable_id] += rest
        items = self._isp_replace(customer.partner_id, [(account, share) for account, share in shares.items()])
        self.env["isp.credit"]._isp_pay_with(items, moves)
        left = items.filtered(lambda item: not item.reconciled)
        still = moves.filtered(lambda move: move.amount_residual >= OWED_FROM)
        if left and still or not self.is_reconciled:
            raise NotTaken(_("The invoices of %s do not take this money.", customer.display_name))
        if not items.matched_debit_ids:
            # Nobody owes anything any more: it is credit, and the request that asked for it is paid all the same.
            self.env["isp.payment_request"]._isp_money_came(self.move_id, customer)

    def _isp_join(self, payment):
        """The line is a payment that is booked already: it takes its place on the bank account. What is more of it is credit."""
        self.ensure_one()
        liquidity, _counterpart, _rest = payment._seek_for_lines()
        open_items = liquidity.filtered(lambda item: not item.reconciled and item.account_id.reconcile and item.balance > 0)
        booked = sum(open_items.mapped("amount_residual"))
        if not payment._isp_is_transfer() or len(open_items.account_id) != 1:
            raise UserError(_("%s was not booked as money that is still to come to the bank.", payment.display_name))
        rest = rest_of(self.amount, booked)
        if rest < 0:
            raise UserError(_("%s is over more than this line.", payment.display_name))
        shares = [(open_items.account_id, booked)]
        if rest:
            shares.append((payment.destination_account_id, rest))
        items = self._isp_replace(payment.partner_id, shares)
        (open_items + items.filtered(lambda item: item.account_id == open_items.account_id)).reconcile()
        self.env["isp.credit"]._isp_pay_with(items.filtered(lambda item: item.account_type == "asset_receivable"))

    def _isp_replace(self, partner, shares):
        """The items that take the place of what nobody knows yet, one for each account."""
        _liquidity, suspense, others = self._seek_for_lines()
        if others or len(suspense) != 1:
            raise UserError(_("This line is booked already."))
        if not partner.company_id or partner.company_id in self.company_id.sudo().parent_ids:
            # A contact of a branch alone is on the item that pays, and not on the entry of the company above it.
            self.partner_id = partner
        (first, amount), *more = shares
        known = self.move_id.line_ids
        values = [Command.update(suspense.id, {"account_id": first.id, "partner_id": partner.id, "debit": 0, "credit": amount, "amount_currency": -amount})]
        values += [
            Command.create({
                "name": suspense.name, "account_id": account.id, "partner_id": partner.id, "debit": 0, "credit": share,
                "amount_currency": -share, "currency_id": suspense.currency_id.id,
            })
            for account, share in more
        ]
        self.move_id.with_context(skip_account_move_synchronization=True, force_delete=True).write({"line_ids": values})
        self.write({"isp_doubt": False, "isp_candidate_ids": [Command.clear()], "isp_payment_id": False})
        return suspense + (self.move_id.line_ids - known)

    # What a person says

    def action_isp_whose(self):
        self.ensure_one()
        return self.env["isp.bank_line.wizard"]._isp_open_for(self)


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    def _isp_transfers(self, family, since=None):
        """The customer's payments that were booked as transfers, from a moment on or ever, and that no bank has told of, as the engine
        takes them."""
        payments = self.env["account.payment"].sudo().search([
            ("company_id", "in", family.ids),
            "|", ("partner_id", "child_of", self.partner_id.ids), ("partner_id", "=", self.partner_id.commercial_partner_id.id),
            ("payment_type", "=", "inbound"), ("state", "=", "posted"), ("isp_stands", "=", True),
            *([("create_date", ">=", since)] if since else []),
        ])
        return [
            isp_engine.Transfer(payment.id, whole(payment.amount), payment.date, access_rows.aware(payment.create_date))
            for payment in payments if payment._isp_is_transfer()
        ]


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _isp_is_transfer(self):
        """Whether it was booked as money on its way to a bank account that no bank has told of yet."""
        self.ensure_one()
        by_proof = self.env["isp.proof"].sudo().search_count([("payment_id", "=", self.id)], limit=1)
        if self._isp_is_slip(self.isp_provider) or not (self.journal_id.type == "bank" or by_proof):
            return False
        liquidity, _counterpart, _rest = self._seek_for_lines()
        beside = liquidity.matched_debit_ids.debit_move_id | liquidity.matched_credit_ids.credit_move_id
        return not beside.move_id.statement_line_id


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """A payment was taken back that a bank line had been found to be: the line is nobody's again, and waits for a person."""
        if self.env.context.get("isp_undoing"):
            return super().unlink()
        joined = self.sudo()._isp_joined()
        result = super().unlink()
        left = joined.exists()
        if left:
            left.action_undo_reconciliation()
        return result

    def _isp_joined(self):
        """The bank lines that stand, by these, for a payment of a customer."""
        lines = self.env["account.bank.statement.line"]
        for item, other in [(p.debit_move_id, p.credit_move_id) for p in self] + [(p.credit_move_id, p.debit_move_id) for p in self]:
            line = item.move_id.statement_line_id
            if line and other.payment_id and item.account_type != "asset_receivable" and line._isp_payers():
                lines |= line
        return lines
