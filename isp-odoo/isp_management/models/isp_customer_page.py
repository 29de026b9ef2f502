"""A customer's own page (*halaman pelanggan*), opened by the link in the messages without logging in: what is owed, how to pay it, a
proof of transfer, time until a day. Whoever has the link sees what the messages say, and changes nothing that is written down."""

import secrets
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import consteq, mute_logger

from ..logic.money import rupiah_owed
from .isp_guard_mixin import BILLING

# Kinds of messages that ask for money.
ASKING = ("due_soon", "overdue", "isolated")
# The engine takes no longer link: a message has 1,024 characters.
LONGEST_LINK = 120
TIME_ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
# What became of what somebody did on the page: a closed set of words, which stand in its address.
WORDS = {
    "proof.kind": "proof_kind", "proof.too_large": "proof_large", "proof.too_many": "proof_many", "value.empty": "proof_none",
    "request.nothing_owed": "nothing", "promise.too_many": "used", "promise.too_long": "days",
}


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_page_link = fields.Boolean(
        "Link in messages", default=True,
        help="Messages that ask for money carry a link to a page of the customer's own: what is owed, how to pay, a proof of transfer. It"
        " needs an address of Odoo that begins with https (System Parameters: web.base.url).",
    )


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    isp_page_link = fields.Boolean(related="company_id.isp_page_link", readonly=False)


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    # Not Odoo's portal.mixin: who has a token of that may read and write in the chatter of the record, too.
    page_token = fields.Char("Token of the customer's page", copy=False, readonly=True, groups="isp_management.group_cashier")
    page_number = fields.Char("Link was sent to", copy=False, readonly=True, groups="base.group_system")

    # The link

    def _isp_page_token(self):
        """The token of the page. Whoever has the number that it was sent to before is shown no page of this customer any more."""
        self.ensure_one()
        customer = self.sudo()
        if not customer.page_token or customer.page_number != customer.whatsapp_number:
            customer.write({"page_token": secrets.token_urlsafe(24), "page_number": customer.whatsapp_number})
        return customer.page_token

    def _isp_page_url(self):
        self.ensure_one()
        return "%s/my/bill/%s?access_token=%s" % (self.get_base_url(), self.id, self._isp_page_token())

    def _isp_link_of_message(self, kind):
        """The link that a message carries; none where it asks for nothing, or where the page would be open to who listens."""
        company = self.company_id.sudo()
        if kind not in ASKING or not company.isp_page_link or not self.get_base_url().startswith("https://"):
            return None
        url = self._isp_page_url()
        return url if len(url) <= LONGEST_LINK else None

    @api.model
    def _isp_by_link(self, number, token):
        """The customer of a link, as the system; nobody for any other."""
        customers = self.sudo()
        if not 0 < number < 2**31:
            return customers.browse()
        customer = customers.browse(number).exists().filtered("active")
        known = customer.page_token if customer.page_number == customer.whatsapp_number else False
        # As bytes: what somebody types may be no ASCII.
        return customer if known and consteq(known.encode(), (token or "").encode()) else customers.browse()

    def action_isp_open_page(self):
        """See what the customer sees."""
        self.ensure_one()
        if not self.env.user.has_group("isp_management.group_cashier"):
            raise AccessError(_("The customer's page is for the group Cashier."))
        self.check_access_rule("read")
        return {"type": "ir.actions.act_url", "target": "new", "url": self._isp_page_url()}

    def action_isp_revoke_link(self):
        """Every link that was sent opens nothing any more; the next message carries another one."""
        self._isp_may_write(BILLING).write({"page_token": False, "page_number": False})
        for customer in self:
            customer.message_post(body=_("The links to the customer's page are worthless now; the next message carries another one."))
        return True

    # What is on it

    def _isp_page(self):
        """What the page says."""
        self.ensure_one()
        customer, company = self.sudo(), self.company_id.sudo()
        today = company._isp_today()
        moves = self.env["isp.proof"].sudo()._isp_open_of(customer).sorted(lambda move: (move.invoice_date_due, move.id))
        owed = {}
        for move in moves:
            # On a statement stand several invoices under one number, which the messages name.
            document = move.isp_statement_id or move
            owed.setdefault(document, [document.name, move.invoice_date_due, 0])[2] += rupiah_owed(move.amount_residual)
        promise = customer._isp_promised(today)
        request = customer._isp_request()
        return {
            "customer": customer, "company": company, "today": today, "owed": list(owed.values()), "moves": moves,
            "total": sum(amount for _name, _due, amount in owed.values()), "asked": request, "promise": promise,
            "lines": customer.subscription_ids.filtered(lambda line: line.state in ("active", "paused")).sorted("id"),
            "waiting": self.env["isp.proof"].sudo().search_count([("customer_id", "=", customer.id), ("state", "=", "waiting")]),
            "days": [] if promise or not moves else customer._isp_days_to_ask_for(today),
            "masked": " ".join(word[0] + "***" for word in customer.name.split()),
        }

    def _isp_promised(self, today):
        """The promise to pay that runs, if there is one."""
        return self.promise_ids.filtered_domain([("state", "=", "running"), ("until", ">=", today)])[:1]

    def _isp_time_zone(self):
        """The time zone of the first line, for moments that are shown to the customer."""
        return TIME_ZONES[self.env["isp.notification"]._isp_zone(self)]

    def _isp_days_to_ask_for(self, today):
        """The days until which the customer may promise to pay; none when the policy takes no promise now."""
        most = self.company_id.sudo()._isp_promise_policy().max_days
        days = [today + timedelta(days=number) for number in range(1, min(most, 31) + 1)]
        try:
            self.env["isp.promise"].sudo()._isp_check(self, today, days[0] if days else today, self.env["isp.promise"])
        except UserError:
            return []
        return days

    # What is done on it

    def _isp_page_pay(self):
        """An amount that nobody else is asked for, so that the money is known by it."""
        if not self.env["isp.proof"].sudo()._isp_open_of(self.sudo()):
            return "nothing"
        self.env["isp.payment_request"].sudo()._isp_ask(self.sudo())
        return ""

    def _isp_page_proof(self, name, content, by=None):
        """Keep a proof of transfer that the customer sends; the word that the page then says."""
        proofs, customer = self.env["isp.proof"].sudo().with_company(self.company_id), self.sudo()
        user = by if by and not by._is_public() else self.env["res.users"]
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                before = proofs.search_count([("customer_id", "=", customer.id)])
                proofs.with_context(default_user_id=user.id)._isp_send(customer, name, content)
                return "proof" if proofs.search_count([("customer_id", "=", customer.id)]) > before else "proof_known"
        except IntegrityError:
            # The same file in the same moment.
            return "proof_known"
        except UserError as error:
            return self._isp_page_word(error)

    def _isp_page_promise(self, days):
        """The customer asks for time: within the policy the line opens until that day, once in a billing period."""
        customer = self.sudo()._isp_hold()
        company = customer.company_id
        today = company._isp_today()
        if not self.env["isp.proof"].sudo()._isp_open_of(customer):
            return "nothing"
        if customer._isp_promised(today):
            return "promised"
        if not 0 < days <= 366:
            return "days"
        try:
            with self.env.cr.savepoint():
                self.env["isp.promise"].sudo().with_company(company).create({
                    "customer_id": customer.id, "company_id": company.id, "made_on": today, "until": today + timedelta(days=days),
                    "amount": max(customer.amount_due, 0), "user_id": False, "note": _("By the customer, on the page"),
                })
        except UserError as error:
            return self._isp_page_word(error)
        customer.subscription_ids._isp_reopen_paid()
        return "promised"

    @api.model
    def _isp_page_word(self, error):
        word = WORDS.get(getattr(error, "code", ""))
        if not word:
            raise error
        return word
