"""Payments that are one payment: provider and reference make it one (rules P1, P6), whoever tells of it and however often."""

from collections import defaultdict

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..logic.money import rupiah_owed, whole
from ..logic.policy import noon


class AccountPayment(models.Model):
    _inherit = "account.payment"

    isp_provider = fields.Char(
        "Paid through", copy=False,
        help="Whose reference it is, such as bca or midtrans; pph23 for the slip of tax that was kept back. Empty: the code of the journal.",
    )
    isp_reference = fields.Char(
        "Bank or gateway reference", copy=False, tracking=True,
        help="What the bank, the gateway or the receipt calls this payment. It is one payment, however often it is told and "
             "however it is spelt.",
    )
    isp_identity = fields.Char("Known as", compute="_compute_isp_identity", store=True, copy=False, index="btree_not_null")
    isp_stands = fields.Boolean("Not taken back", compute="_compute_isp_stands", store=True, copy=False)

    @api.depends("isp_provider", "isp_reference", "journal_id.code", "company_id", "partner_id.commercial_partner_id")
    def _compute_isp_identity(self):
        for payment in self:
            payment.isp_identity = payment.isp_reference and self._isp_identity_of(
                payment.company_id, payment.isp_provider or self._isp_provider_of(payment.journal_id), payment.isp_reference,
                payment.partner_id,
            )

    @api.depends("move_id.state", "move_id.reversal_move_id.state")
    def _compute_isp_stands(self):
        """A payment that was taken back leaves its reference free."""
        for payment in self:
            taken_back = payment.move_id.reversal_move_id.filtered(lambda move: move.state == "posted")
            payment.isp_stands = payment.state != "cancel" and not taken_back

    def init(self):
        result = super().init()
        # Rule P1, whatever comes at the same time.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_payment_isp_identity_unique
            ON account_payment (isp_identity) WHERE isp_identity IS NOT NULL AND isp_stands
        """)
        return result

    @api.model
    def _isp_is_slip(self, provider):
        """Whether it is the provider's name of slips of PPh 23."""
        return (provider or "").strip().lower() == "pph23"

    def action_post(self):
        """Tax that was kept back is known by the number of its slip, and is on its own account: never money in a till or a bank."""
        for payment in self.filtered(lambda one: one.payment_type == "inbound"):
            own = payment.journal_id == payment.company_id.sudo().isp_pph23_journal_id
            slip = self._isp_is_slip(payment.isp_provider) or own and not payment.isp_provider
            if slip != own:
                raise UserError(_("PPh 23 that was kept back is booked in its own journal, and nothing else is."))
            if slip and not (payment.isp_reference or "").strip():
                raise UserError(_("Write down the number of the slip (bukti potong)."))
        return super().action_post()

    @api.model
    def _isp_provider_of(self, journal):
        """A journal as a provider: letters, digits and dashes of its code."""
        if journal and journal == journal.company_id.sudo().isp_pph23_journal_id:
            return "pph23"
        return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-/@") else "-" for sign in journal.code or "journal")

    @api.model
    def _isp_identity_of(self, company, provider, reference, partner):
        try:
            identity = isp_engine.payment_identity(provider, reference, partner.commercial_partner_id.id)
            return "%d %s" % (company.id, identity)
        except isp_engine.InvalidValue as error:
            self.env["isp.refusals"]._isp_allowed(error)

    @api.model
    def _isp_known(self, company, partner, amount, day, provider, reference, told="person"):
        """The payment that is known by this reference, or none when it is a new one; refused when it can be neither."""
        identity = self._isp_identity_of(company, provider, reference, partner)
        known = self.sudo().search([("isp_identity", "=", identity)], order="id")
        notice = isp_engine.PaymentNotice(
            0, partner.commercial_partner_id.id, provider, reference, whole(amount), noon(day, company.isp_zone), told,
            [
                isp_engine.KnownPayment(
                    payment.id, payment.partner_id.commercial_partner_id.id, whole(payment.amount),
                    noon(payment.date, company.isp_zone), not payment.isp_stands,
                )
                for payment in known
            ],
            owed=self._isp_owed(company, partner, whole(amount), known), invoices=self._isp_withholdings(company, partner),
        )
        [received] = isp_engine.receive_payments([notice], company._isp_now())
        received = self.env["isp.refusals"]._isp_allowed(received)
        return self.browse(received.payment or ())

    @api.model
    def _isp_owed(self, company, partner, amount, known):
        """What a customer owes: this amount where an invoice comes to just that or it was booked before, else all of it."""
        moves = self.env["account.move"].sudo().search([
            ("company_id", "=", company.id), ("commercial_partner_id", "=", partner.commercial_partner_id.id),
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("payment_state", "in", ("not_paid", "partial")),
        ])
        residuals = [rupiah_owed(move.amount_residual) for move in moves]
        said_before = amount in residuals or amount in [whole(payment.amount) for payment in known]
        return amount if said_before else sum(residuals)

    @api.model
    def _isp_dpps(self, company, partner):
        """The prices without PPN of a customer's invoices, oldest first."""
        return [invoice.dpp for invoice in self._isp_withholdings(company, partner)]

    @api.model
    def _isp_withholdings(self, company, partner):
        """What a slip of PPh 23 may be for: a customer's invoices, oldest first, less what was given back, with what slips settle of them."""
        moves = self.env["account.move"].sudo().search([
            ("company_id", "=", company.id), ("commercial_partner_id", "=", partner.commercial_partner_id.id),
            ("move_type", "=", "out_invoice"), ("state", "=", "posted"), ("isp_late_fee_of_id", "=", False),
        ], order="invoice_date, id")
        notes = moves.search([("reversed_entry_id", "in", moves.ids), ("state", "=", "posted"), ("move_type", "=", "out_refund")])
        given_back = defaultdict(float)
        for note in notes:
            given_back[note.reversed_entry_id] += note.amount_untaxed
        receivable = moves.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        withheld = defaultdict(float)
        for part in receivable.matched_credit_ids:
            if self._isp_is_slip(part.credit_move_id.payment_id.isp_provider):
                withheld[part.debit_move_id.move_id] += part.amount
        return [
            isp_engine.Withholding(
                max(whole(move.amount_untaxed - given_back[move]), 0), whole(withheld[move]), move.payment_state in ("not_paid", "partial"),
            )
            for move in moves
        ]

    @api.model
    def _isp_check_typed(self, company, amount, day, told):
        """Refuse a day or an amount that looks like a slip of the keyboard, and that nobody insists on."""
        notice = isp_engine.PaymentNotice(0, 0, "till", "1", whole(amount), noon(day, company.isp_zone), told, [])
        [received] = isp_engine.receive_payments([notice], company._isp_now())
        self.env["isp.refusals"]._isp_allowed(received)

    @api.model
    def _isp_receive(self, partner, amount, day, provider, reference, journal=None, told="machine"):
        """Book a payment that a gateway or a bank tells of, and let it pay the oldest invoices; one that is known is returned."""
        company = self.env.company
        known = self._isp_known(company, partner, amount, day, provider, reference, told)
        if known:
            return known
        if self._isp_is_slip(provider):
            journal = company._isp_pph23_journal()
        vals = {
            "payment_type": "inbound", "partner_type": "customer", "partner_id": partner.id, "amount": amount, "date": day,
            "isp_provider": provider, "isp_reference": reference,
        }
        payment = self.create({**vals, "journal_id": (journal or self._isp_journal_for(company, partner)).id})
        payment._isp_take_account()
        payment.action_post()
        self.env["isp.credit"]._isp_pay_with(payment.line_ids.filtered(
            lambda item: item.account_type == "asset_receivable" and not item.reconciled
        ))
        return payment

    @api.model
    def _isp_journal_for(self, company, partner):
        """The bank or till that takes a payer's money: Odoo books a contact of a branch alone in journals of that branch alone."""
        journals = self.env["account.journal"].search([
            *self.env["account.journal"]._check_company_domain(company), ("type", "in", ("bank", "cash")),
        ])
        journals -= company.sudo().isp_pph23_journal_id | company.sudo().isp_collector_journal_id
        fitting = journals.filtered(lambda j: not partner.company_id or partner.company_id in j.company_id.sudo().parent_ids)
        if not fitting:
            raise UserError(_(
                "%(customer)s is a contact of %(company)s alone, which has no bank or cash journal. Give it one, or let the contact belong to every company.",
                customer=partner.display_name, company=(partner.company_id or company).name,
            ))
        return fitting[0]

    def _isp_take_account(self):
        """Pay on the account of the oldest invoice that is open: that of the customer may be another by now."""
        item = self.line_ids.filtered(lambda one: one.account_type == "asset_receivable")
        oldest = self.env["isp.credit"]._isp_open_of(item).sorted(lambda move: (move.invoice_date_due, move.invoice_date, move.id))[:1]
        owed = oldest.line_ids.filtered(lambda one: one.account_type == "asset_receivable" and not one.reconciled)[:1]
        if owed and owed.account_id != item.account_id:
            self.destination_account_id = owed.account_id

    def _isp_take_back(self, reason):
        """A bounced transfer or a typing error: the payment is cancelled whole, once; what it paid is open again (rule P4)."""
        refusals = self.env["isp.refusals"]
        for payment in self:
            if not (reason or "").strip():
                raise refusals._isp_refuse("value.empty")
            if not payment.isp_stands:
                raise refusals._isp_refuse("store.duplicate")
            payment.action_draft()
            payment.action_cancel()
            payment.move_id.message_post(body=_("Taken back: %s", reason))
