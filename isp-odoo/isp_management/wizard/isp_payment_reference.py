"""The register of payments takes what the bank, the gateway or the receipt calls a payment (models/isp_payment.py)."""

from odoo import _, api, fields, models
from odoo.exceptions import UserError


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    isp_provider = fields.Char("Paid through", help="Whose reference it is, such as bca or midtrans. Empty: the code of the journal.")
    isp_reference = fields.Char(
        "Bank or gateway reference",
        help="What the bank, the gateway or the receipt calls this payment. It is one payment, however often it is told.",
    )
    isp_slip = fields.Boolean(
        "Slip of PPh 23", help="The customer kept PPh 23 back and hands over its slip (bukti potong). It settles what is missing, and is no "
        "money: it is booked in a journal of its own, on an asset account. The date is the slip's.",
    )
    # Sent back by the dialog as it was when it opened.
    isp_owed_seen = fields.Float("Owed when the dialog opened", digits=(16, 2))
    isp_insist = fields.Boolean(
        "It is meant so", help="The payment is of more than a year ago, of a day that is still to come, or of an unusual amount, also for a slip of PPh 23."
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "isp_owed_seen" in fields_list and values.get("line_ids"):
            ids = [key for command in values["line_ids"] for key in (command[2] if command[0] == 6 else [command[1]])]
            values["isp_owed_seen"] = abs(sum(self.env["account.move.line"].browse(ids).mapped("amount_residual")))
        return values

    @api.depends("can_edit_wizard")
    def _compute_group_payment(self):
        """What a customer pays at once is one payment, with one reference and one receipt, however many invoices it pays."""
        result = super()._compute_group_payment()
        self.filtered(lambda one: one.payment_type == "inbound" and one._isp_of_customers_alone()).group_payment = True
        return result

    def _isp_of_customers_alone(self):
        """Whether each invoice here is one of a customer's: of a line, of an installation, or written to a customer's contact."""
        self.ensure_one()
        moves = self.line_ids._origin.move_id.sudo()
        contacts = moves.partner_id.with_company(self.company_id)._isp_customers().partner_id
        return bool(moves) and all(move.partner_id in contacts or move._isp_customers() for move in moves)

    def action_create_payments(self):
        self._isp_as_slip()
        self._isp_check_typed()
        return super().action_create_payments()

    def _isp_check_typed(self):
        """A year or an amount that was mistyped is asked about, also where no reference is given (rule P7)."""
        for wizard in self.filtered(lambda one: one.payment_type == "inbound" and not (one.isp_reference or "").strip()):
            amount, typed = wizard.amount, "person"
            if not wizard._isp_shows_amount():
                # Each payment is of what is unpaid then: the dialog shows no amount, and of several customers it has none.
                amount, typed = sum(abs(item.amount_residual) for item in wizard.line_ids), "machine"
            elif wizard.currency_id.is_zero(wizard.payment_difference):
                # What is unpaid stands there by itself; any other amount was typed.
                typed = "machine"
            wizard.env["account.payment"]._isp_check_typed(
                wizard.company_id, amount, wizard.payment_date, "insisting" if wizard.isp_insist else typed
            )

    def _isp_shows_amount(self):
        """Whether one payment is made, of the amount in the dialog, and not several of what each is short of."""
        return self.can_edit_wizard and (self.group_payment or not self.can_group_payments)

    def _isp_check_one_payment(self):
        """A reference makes a payment one (rule P1): two with the same cannot be booked."""
        for wizard in self.filtered(lambda one: not one._isp_shows_amount()):
            raise UserError(_(
                "A reference, such as the number of a slip, is that of one payment, and here %(count)s would be booked. Tick \"Group Payments\" "
                "if a customer paid everything at once, or register what each customer paid by itself.",
                count=wizard.total_payments_amount,
            ))

    def _create_payments(self):
        """A payment whose reference is known is shown, and not booked again."""
        self._isp_as_slip()
        if self.payment_type == "inbound" and (self.isp_reference or "").strip():
            self._isp_check_one_payment()
        known = self._isp_known()
        if known:
            return known
        self._isp_check_still_owed()
        return super()._create_payments()

    def _isp_check_still_owed(self):
        """What a customer owes may have been paid while the dialog was open: by the bank's file, by a proof, by somebody else."""
        for wizard in self.filtered(lambda one: one.payment_type == "inbound"):
            customers = wizard.line_ids.move_id.sudo()._isp_customers()
            if not customers:
                continue
            # Who books in this moment is waited for.
            customers._isp_hold()
            owed = abs(sum(wizard.line_ids.mapped("amount_residual")))
            seen = wizard.isp_owed_seen or owed
            if any(wizard.line_ids.mapped("reconciled")) or wizard.company_id.currency_id.compare_amounts(owed, seen):
                raise UserError(_(
                    "%(customers)s owes another amount by now than this dialog shows: something was booked meanwhile. Close it and open it again.",
                    customers=", ".join(customers.mapped("display_name")),
                ))

    def _isp_as_slip(self):
        """A slip of PPh 23 is one however it was said: by the tick, by its journal or by its name."""
        for wizard in self.filtered(lambda one: one.payment_type == "inbound"):
            own = wizard.company_id.sudo().isp_pph23_journal_id
            if wizard.isp_slip or own and wizard.journal_id == own or self.env["account.payment"]._isp_is_slip(wizard.isp_provider):
                wizard._isp_check_one_payment()
                if not (wizard.isp_reference or "").strip():
                    raise UserError(_("Write down the number of the slip (bukti potong)."))
                # Another journal may change the amount.
                amount = wizard.amount
                wizard.update({"journal_id": wizard.company_id._isp_pph23_journal(), "isp_provider": "pph23", "isp_slip": True})
                wizard.amount = amount

    def _isp_known(self):
        self.ensure_one()
        payments = self.env["account.payment"]
        if not (self.isp_reference or "").strip() or self.payment_type != "inbound":
            return payments
        return payments._isp_known(
            self.company_id, self.partner_id or self.line_ids.partner_id[:1], self.amount, self.payment_date,
            self.isp_provider or payments._isp_provider_of(self.journal_id), self.isp_reference,
            "insisting" if self.isp_insist else "person",
        )

    def _create_payment_vals_from_wizard(self, batch_result):
        return {**super()._create_payment_vals_from_wizard(batch_result), **self._isp_reference_vals()}

    def _create_payment_vals_from_batch(self, batch_result):
        return {**super()._create_payment_vals_from_batch(batch_result), **self._isp_reference_vals()}

    def _isp_reference_vals(self):
        reference = (self.isp_reference or "").strip()
        return {"isp_provider": self.isp_provider, "isp_reference": reference} if reference else {}
