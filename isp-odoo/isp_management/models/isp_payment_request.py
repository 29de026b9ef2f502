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

from ..logic import access_rows, transaction
from ..logic.money import rupiah_owed, whole

ATTEMPTS = 5
# What is added to a debt at most.
LARGEST_SUFFIX = 999


class IspPaymentRequest(models.Model):
    _name = "isp.payment_request"
    _description = "Payment request"
    _order = "made_at desc, id desc"
    _rec_names_search = ["customer_id"]
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    root_id = fields.Many2one("res.company", "Shares its bank accounts with", required=True, readonly=True)
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
        "account.move", "Payment entry", readonly=True, ondelete="set null", index="btree_not_null", groups="isp_management.group_cashier"
    )
    qris = fields.Char("QRIS code", compute="_compute_qris")
    qris_image = fields.Binary("Pay with QRIS", compute="_compute_qris")

    def init(self):
        result = super().init()
        # An amount names one customer, and a customer has one open request, whatever is asked at the same time.
        self.env.cr.execute("""
            DROP INDEX IF EXISTS isp_payment_request_amount_unique;
            CREATE UNIQUE INDEX IF NOT EXISTS isp_payment_request_own_amount_unique ON isp_payment_request (root_id, amount) WHERE held;
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
    def _isp_family(self, company):
        """The companies that share bank accounts: a company and its branches."""
        return self.env["res.company"].sudo().with_context(active_test=False).search([("id", "child_of", company.sudo().root_id.id)])

    @api.model
    def _isp_ask(self, customer, move=None):
        """The open request of a customer over what is owed: a new one when there is none, or when the debt is another by now."""
        requests, root = self.sudo(), customer.sudo().company_id.root_id
        # One after the other: what somebody else has got in this moment is seen, and nobody is refused for it.
        self.env.cr.execute("SELECT pg_advisory_xact_lock(%s, %s)", (transaction.LOCK_REQUESTS, root.id))
        customer = customer.sudo()._isp_hold()
        company, moves = customer.company_id, (move or self.env["isp.proof"]._isp_open_of(customer)).sudo()
        debt, now = sum(rupiah_owed(owed.amount_residual) for owed in moves), self._isp_moment(customer.company_id)
        kept = requests._isp_not_free(customer, debt)
        standing = requests.search([("customer_id", "=", customer.id), ("state", "=", "open")])
        if standing and not standing.is_expired and standing.debt == debt and whole(standing.amount) not in kept:
            return standing.sudo(False)
        standing._isp_close("cancelled")
        # The customer's own of before keep no amount from the next: it tells the same payer.
        requests.search(
            [("customer_id", "=", customer.id), ("debt", "=", debt), ("state", "!=", "paid"), ("held", "=", True)]
        ).held = False
        for attempt in range(ATTEMPTS):
            wish = isp_engine.RequestWish(customer.id, debt, kept)
            [asked] = isp_engine.ask_payments([wish], access_rows.aware(now), valid_hours=company.isp_request_hours or None)
            if attempt == 0 and getattr(asked, "code", None) == "request.no_free_amount":
                requests._gc_amounts()
                kept = requests._isp_not_free(customer, debt)
                continue
            asked = self.env["isp.refusals"]._isp_allowed(asked)
            try:
                with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                    return requests.create({
                        "company_id": company.id, "root_id": root.id, "customer_id": customer.id, "move_id": move.id if move else False,
                        "debt": asked.debt, "amount": asked.amount, "made_at": now,
                        "expires_at": asked.expires_at.replace(tzinfo=None), "kept_until": asked.kept_until.replace(tzinfo=None),
                    }).sudo(False)
            except IntegrityError:
                # Something else than asking has taken the amount.
                kept = [*requests._isp_not_free(customer, debt), asked.amount]
        raise UserError(_("Others are asked for the same amounts at this moment. Try again."))

    @api.model
    def _isp_not_free(self, customer, debt):
        """The amounts near a debt that may not be asked of a customer: other requests', and what others owe or say that they sent.
        As this transaction sees them, and as everybody else has left them by now."""
        self.env.flush_all()
        family, highest = self._isp_family(customer.company_id), debt + LARGEST_SUFFIX
        kept = set()
        with self.env.registry.cursor() as fresh:
            for cr in (self.env.cr, fresh):
                cr.execute(
                    "SELECT amount FROM isp_payment_request WHERE root_id = %s AND held AND amount BETWEEN %s AND %s"
                    " AND NOT (customer_id = %s AND debt = %s AND state <> 'paid')",
                    [customer.company_id.root_id.id, debt + 1, highest, customer.id, debt],
                )
                kept.update(whole(amount) for amount, in cr.fetchall())
                sums = self._isp_sums(cr, family, debt + 1)
                kept.update(one.amount for one in sums if one.customer != customer.id and one.amount <= highest)
        return sorted(kept)

    @api.model
    def _isp_sums(self, cr, companies, least):
        """The sums from ``least`` on that each customer may be paying. Whoever is no customer and owes something is one, too: his
        key is a text."""
        cr.execute(
            """
            WITH open AS (
                SELECT COALESCE(line.customer_id, fee.customer_id)::text AS customer, move.commercial_partner_id AS partner,
                    COALESCE(move.invoice_date, move.date) AS issued, COALESCE(move.invoice_date_due, move.date) AS due,
                    floor(move.amount_residual + 0.004)::bigint AS owed
                FROM account_move AS move
                LEFT JOIN isp_subscription AS line ON line.id = move.isp_subscription_id
                LEFT JOIN isp_installation_fee AS fee ON fee.id = move.isp_installation_fee_id
                WHERE move.company_id IN %(companies)s AND move.move_type = 'out_invoice' AND move.state = 'posted'
                    AND move.payment_state IN ('not_paid', 'partial')
            ), whose AS (
                SELECT COALESCE(customer, 'partner ' || partner) AS customer, issued, due, owed,
                    SUM(owed) OVER (PARTITION BY COALESCE(customer, 'partner ' || partner)) AS total
                FROM open WHERE owed > 0
            )
            SELECT customer, issued, due, owed FROM whose WHERE total >= %(least)s ORDER BY due, issued
            """,
            {"companies": tuple(companies.ids), "least": least},
        )
        debts = [
            isp_engine.OwedDebt(int(who) if who.isdigit() else who, issued, due, owed) for who, issued, due, owed in cr.fetchall()
        ]
        cr.execute(
            "SELECT customer_id, amount FROM isp_proof WHERE state = 'waiting' AND company_id IN %s AND amount >= %s",
            [tuple(companies.ids), least],
        )
        said = [isp_engine.OwedSum(customer, whole(amount)) for customer, amount in cr.fetchall()]
        return [one for one in isp_engine.sums_owed(debts) + said if one.amount >= least]

    @api.autovacuum
    def _gc_amounts(self):
        """Amounts whose time is over are free again."""
        over = self.sudo().search([("held", "=", True), ("kept_until", "<=", fields.Datetime.now())])
        over.filtered(lambda r: r.kept_until <= self._isp_moment(r.company_id)).held = False

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
        return True

    # What comes

    @api.model
    def _isp_money_came(self, entry, customers):
        """Money that came for customers pays the request that asked for it; one that was open beside it is over."""
        requests = self.sudo()
        standing = requests.search([("customer_id", "in", customers.ids), ("state", "=", "open")])
        amount = whole(-sum(entry._isp_receivable().mapped("balance")))
        asked = requests.search([("customer_id", "in", customers.ids), ("amount", "=", amount), ("state", "!=", "paid")])
        if asked:
            [match] = isp_engine.match_requests(
                [isp_engine.BankMoney(entry.id, amount, entry.date, "")], [request._isp_asked([]) for request in asked]
            )
            requests.browse(match.request or [])._isp_close("paid", entry)
        standing.filtered(lambda r: r.state == "open")._isp_close("cancelled")

    def _isp_asked(self, transfers):
        """A request as the engine takes it, with its customer's transfers."""
        return isp_engine.AskedPayment(
            self.id, self.customer_id.id, whole(self.amount), access_rows.aware(self.made_at), access_rows.aware(self.kept_until),
            paid=self.state == "paid", cancelled=self.state == "cancelled", transfers=transfers,
        )

    @api.model
    def _isp_follow(self, entries):
        """What was done to entries by which requests are paid is true of the requests, too."""
        for request in self.sudo().search([("payment_move_id", "in", entries.ids), ("state", "=", "paid")]):
            entry, payer = request.payment_move_id, request.customer_id.partner_id.commercial_partner_id
            taken_back = entry.reversal_move_id.filtered(lambda move: move.state == "posted")
            items = entry._isp_receivable().filtered(lambda item, payer=payer: item.partner_id.commercial_partner_id == payer)
            if entry.state != "posted" or taken_back or not items:
                request._isp_not_paid()

    def _isp_not_paid(self):
        """Their money was taken back: they are open again where they still ask for what is owed, else they are over."""
        for request in self.sudo().filtered(lambda r: r.state == "paid"):
            owed = sum(rupiah_owed(m.amount_residual) for m in request.move_id or self.env["isp.proof"]._isp_open_of(request.customer_id))
            another = self.search_count([("customer_id", "=", request.customer_id.id), ("state", "=", "open")], limit=1)
            if owed == request.debt and not another:
                request.write({"state": "open", "closed_at": False, "payment_move_id": False})
            else:
                request._isp_close("cancelled")


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
            raise self.env["isp.refusals"]._isp_refuse("request.nothing_owed", _("%s has no open invoice.", self.display_name))
        return self._isp_customers()._isp_ask_payment(self)

    def write(self, vals):
        result = super().write(vals)
        if {"state", "line_ids"} & vals.keys():
            entries = self.filtered(lambda move: move.move_type == "entry")
            if entries:
                self.env["isp.payment_request"]._isp_follow(entries | entries.reversed_entry_id)
        return result

    def unlink(self):
        requests = self.env["isp.payment_request"].sudo()
        paid = requests.search([("payment_move_id", "in", self.ids), ("state", "=", "paid")])
        result = super().unlink()
        paid.invalidate_recordset(["payment_move_id"])
        paid._isp_not_paid()
        return result


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
