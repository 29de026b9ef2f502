"""Payment requests: an amount that only one customer is asked for, so that the amount tells who paid, by QRIS or transfer.

The engine chooses the amount and says whose the money on a bank account is. What was asked too much becomes credit.
"""

import base64
from collections import defaultdict

import isp_engine
from psycopg2 import IntegrityError

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..logic import access_rows
from ..logic.money import rupiah_owed, whole

ATTEMPTS = 5


class IspPaymentRequest(models.Model):
    _name = "isp.payment_request"
    _description = "Payment request"
    _order = "made_at desc, id desc"
    _rec_names_search = ["customer_id"]
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("isp.customer", required=True, readonly=True, check_company=True, ondelete="restrict", index=True)
    move_id = fields.Many2one(
        "account.move", "For the invoice", readonly=True, ondelete="restrict", index="btree_not_null", groups="isp_management.group_cashier",
        help="Empty: all that the customer owes. Whatever it is for, the money pays the oldest invoice first.",
    )
    debt = fields.Monetary("Owed", required=True, readonly=True)
    amount = fields.Monetary("Asked for", required=True, readonly=True, help="No other customer is asked for it. The rest becomes credit.")
    made_at = fields.Datetime("Asked on", required=True, readonly=True)
    expires_at = fields.Datetime("Shown until", required=True, readonly=True)
    kept_until = fields.Datetime("Amount kept until", required=True, readonly=True, help="Money that is late still says whose it is.")
    state = fields.Selection(
        [("open", "Open"), ("paid", "Paid"), ("cancelled", "Cancelled")], default="open", required=True, readonly=True, index=True
    )
    is_expired = fields.Boolean("Expired", compute="_compute_is_expired")
    held = fields.Boolean(default=True, readonly=True, help="No other request may have the amount.")
    closed_at = fields.Datetime("Paid or cancelled on", readonly=True)
    payment_move_id = fields.Many2one(
        "account.move", "Payment entry", readonly=True, ondelete="restrict", index="btree_not_null", groups="isp_management.group_cashier"
    )
    qris = fields.Char("QRIS code", compute="_compute_qris")
    qris_image = fields.Binary("Pay with QRIS", compute="_compute_qris")

    def init(self):
        result = super().init()
        # An amount names one customer, and a customer has one open request, whatever is asked at the same time.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS isp_payment_request_amount_unique ON isp_payment_request (company_id, amount) WHERE held;
            CREATE UNIQUE INDEX IF NOT EXISTS isp_payment_request_open_unique ON isp_payment_request (customer_id) WHERE state = 'open'
        """)
        return result

    @api.depends("customer_id.name", "amount")
    def _compute_display_name(self):
        for request in self:
            request.display_name = "%s, %s" % (request.customer_id.name or "", isp_engine.format_rupiah(whole(request.amount)))

    @api.depends("state", "expires_at")
    @api.depends_context("isp_now")
    def _compute_is_expired(self):
        for request in self:
            request.is_expired = request.state == "open" and request.expires_at <= request._isp_moment(request.company_id)

    @api.depends("amount", "state", "expires_at", "company_id.isp_qris")
    @api.depends_context("isp_now")
    def _compute_qris(self):
        for request in self:
            shown = request.state == "open" and not request.is_expired
            code = request.company_id._isp_qris_asking(request.amount) if shown else False
            request.qris = code
            request.qris_image = code and base64.b64encode(self.env["ir.actions.report"].barcode("QR", code, width=300, height=300))

    @api.model
    def _isp_moment(self, company):
        return company.sudo()._isp_now().replace(tzinfo=None)

    # Asking

    @api.model
    def _isp_ask(self, customer, move=None):
        """The open request of a customer over what is owed: a new one when there is none, or when the debt is another by now."""
        requests, customer = self.sudo(), customer.sudo()._isp_hold()
        company, moves = customer.company_id, (move or self.env["isp.proof"]._isp_open_of(customer)).sudo()
        debt, now = sum(rupiah_owed(owed.amount_residual) for owed in moves), self._isp_moment(customer.company_id)
        standing = requests.search([("customer_id", "=", customer.id), ("state", "=", "open")])
        if standing and not standing.is_expired and standing.debt == debt:
            return standing.sudo(False)
        standing._isp_close("cancelled")
        requests.search([("company_id", "=", company.id), ("held", "=", True), ("kept_until", "<=", now)]).held = False
        # The customer's own of before keep no amount from the next: it tells the same payer.
        requests.search(
            [("customer_id", "=", customer.id), ("debt", "=", debt), ("state", "!=", "paid"), ("held", "=", True)]
        ).held = False
        kept = [whole(other.amount) for other in requests.search([
            ("company_id", "=", company.id), ("held", "=", True), ("amount", ">", debt),
        ])]
        for _attempt in range(ATTEMPTS):
            wish = isp_engine.RequestWish(customer.id, debt, kept)
            [asked] = isp_engine.ask_payments([wish], access_rows.aware(now), valid_hours=company.isp_request_hours or None)
            asked = self.env["isp.refusals"]._isp_allowed(asked)
            try:
                with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    return requests.create({
                        "company_id": company.id, "customer_id": customer.id, "move_id": move.id if move else False, "debt": asked.debt,
                        "amount": asked.amount, "made_at": now, "expires_at": asked.expires_at.replace(tzinfo=None),
                        "kept_until": asked.kept_until.replace(tzinfo=None),
                    }).sudo(False)
            except IntegrityError:
                # Somebody else has got the amount in this moment.
                kept.append(asked.amount)
        raise UserError(_("Others are asked for the same amounts at this moment. Try again."))

    def _isp_close(self, state, entry=None):
        for request in self.sudo():
            request.write({
                "state": state, "closed_at": self._isp_moment(request.company_id), "payment_move_id": entry.id if entry else False,
            })

    def action_cancel(self):
        """A person takes a request back. Its amount still says whose money it is."""
        if not self.env.user.has_group("isp_management.group_cashier"):
            raise AccessError(_("Payment requests are for the group Cashier."))
        self.check_access_rule("read")
        self.filtered(lambda r: r.state == "open")._isp_close("cancelled")

    # What comes

    @api.model
    def _isp_whose(self, money):
        """The request of the company that each sum of money pays, or an empty one: the engine decides. ``money`` are its records."""
        requests = self.sudo().search([
            ("company_id", "=", self.env.company.id), ("amount", "in", [one.amount for one in money]), ("state", "!=", "paid"),
        ])
        payers = self._isp_named(" ".join(one.text for one in money)) if requests else []
        asked = [
            isp_engine.AskedPayment(
                request.id, request.customer_id.id, whole(request.amount), access_rows.aware(request.made_at),
                access_rows.aware(request.kept_until), cancelled=request.state == "cancelled",
            )
            for request in requests
        ]
        return [self.browse(key or []) for key in isp_engine.match_requests(money, asked, payers)]

    @api.model
    def _isp_named(self, text):
        """The customers whose IDs may stand in a bank's text."""
        self.env["isp.customer"].flush_model(["customer_code", "company_id"])
        self.env.cr.execute(
            "SELECT id, customer_code FROM isp_customer WHERE company_id = %s AND customer_code IS NOT NULL"
            " AND position(lower(regexp_replace(customer_code, '[^[:alnum:]]', '', 'g')) IN %s) > 0",
            [self.env.company.id, "".join(sign for sign in text.lower() if sign.isalnum())],
        )
        return [isp_engine.BankPayer(key, code) for key, code in self.env.cr.fetchall()]

    @api.model
    def _isp_money_came(self, entry, customers):
        """Money that came for customers pays the request that asked for it; one that was open beside it is over."""
        requests = self.sudo().with_company(entry.company_id)
        standing = requests.search([("customer_id", "in", customers.ids), ("state", "=", "open")])
        amount = whole(-sum(entry._isp_receivable().mapped("balance")))
        if not standing and not requests.search_count([("amount", "=", amount), ("customer_id", "in", customers.ids)], limit=1):
            return
        [paid] = requests._isp_whose([isp_engine.BankMoney(entry.id, amount, entry.date, "")])
        if paid.customer_id <= customers:
            paid._isp_close("paid", entry)
        standing.filtered(lambda r: r.state == "open")._isp_close("cancelled")


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    payment_request_ids = fields.One2many("isp.payment_request", "customer_id", "Payment requests", readonly=True)

    def action_isp_ask_payment(self):
        self.ensure_one()
        return self._isp_ask_payment()

    def _isp_ask_payment(self, move=None):
        if not self.env.user.has_group("isp_management.group_cashier"):
            raise AccessError(_("Payment requests are for the group Cashier."))
        (move or self).check_access_rule("read")
        return self._isp_form_of(self.env["isp.payment_request"]._isp_ask(self, move))

    def action_view_payment_requests(self):
        return self._isp_list_of("isp_payment_request_action", [("customer_id", "=", self.id)])

    def _isp_request(self):
        """The request that the customer is to see now, if there is one."""
        return self.sudo().payment_request_ids.filtered(lambda r: r.state == "open" and not r.is_expired)[:1]


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def action_isp_ask_payment(self):
        self.ensure_one()
        return self.customer_id._isp_ask_payment()


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_isp_ask_payment(self):
        """Ask for what is open of this invoice."""
        self.ensure_one()
        if not self._isp_is_open():
            raise UserError(_("%s has no open invoice.", self.display_name))
        return self._isp_customers()._isp_ask_payment(self)


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        found = defaultdict(self.env["isp.customer"].sudo().browse)
        for partial in partials.sudo():
            customers = partial.debit_move_id.move_id._isp_customers()
            if customers and partial.credit_move_id.move_id._isp_is_money():
                found[partial.credit_move_id.move_id] |= customers
        for entry, customers in found.items():
            self.env["isp.payment_request"]._isp_money_came(entry, customers)
        return partials


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        for company in lines.company_id:
            lines.filtered(lambda line, company=company: line.company_id == company)._isp_match_requests(company)
        return lines

    def _isp_match_requests(self, company):
        """What the bank tells of with the amount of a request is that customer's: booked, and its invoices are paid."""
        own = self.sudo().with_company(company).filtered(
            lambda line: line.amount > 0 and not line.is_reconciled and line.currency_id == company.currency_id
            and whole(line.amount) == line.amount
        )
        money = [isp_engine.BankMoney(line.id, whole(line.amount), line.date, line.payment_ref or "") for line in own]
        if not money:
            return
        requests = self.env["isp.payment_request"].with_company(company)._isp_whose(money)
        for line, request in zip(own, requests, strict=True):
            payer = request.sudo().customer_id.partner_id
            # Where the bank names another payer a person looks.
            if request and (not line.partner_id or line.partner_id.commercial_partner_id == payer.commercial_partner_id):
                line._isp_pay_request(request.sudo(), payer)

    def _isp_pay_request(self, request, payer):
        self.partner_id = payer
        receivable = payer.with_company(self.company_id).property_account_receivable_id
        _liquidity, suspense, _others = self._seek_for_lines()
        suspense.account_id = receivable
        self.env["isp.credit"]._isp_pay_with(suspense)
        # What nobody owes any more is credit, and the request is paid all the same.
        if request.state != "paid":
            request._isp_close("paid", self.move_id)
