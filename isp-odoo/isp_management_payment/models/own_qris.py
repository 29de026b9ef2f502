"""The provider's own QRIS code on Odoo's payment page: the amount is asked of nobody else, so the bank's line says who paid. Its money
is booked where that line is matched, and no second time by the transaction."""

from odoo import _, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.isp_management.logic.money import rupiah_owed

from ..const import OWN


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    isp_request_id = fields.Many2one(
        "isp.payment_request", "Payment request", readonly=True, copy=False, ondelete="set null", index="btree_not_null",
        groups="isp_management.group_cashier",
    )

    def _isp_ask(self):
        if self.provider_code != OWN:
            return super()._isp_ask()
        if self.isp_asked_at:
            return None
        self._isp_check_offer()
        moves = self.invoice_ids
        customer = moves._isp_customers()
        if len(customer) != 1:
            raise ValidationError(_("%s is for the invoices of one customer of the internet provider.", self.provider_id.name))
        if rupiah_owed(self.amount) != sum(rupiah_owed(move.amount_residual) for move in moves):
            raise ValidationError(_("%s pays the whole of an invoice.", self.provider_id.name))
        request = self.env["isp.payment_request"].sudo()._isp_ask(customer, moves if len(moves) == 1 else None).sudo()
        if not request.qris:
            raise ValidationError(_("%s does not take this amount.", self.provider_id.name))
        self.write({
            "isp_request_id": request.id, "isp_asked_at": fields.Datetime.now(), "isp_expires_at": request.expires_at,
            "isp_qris": request.qris, "amount": request.amount,
        })
        return self._set_pending()

    def _reconcile_after_done(self):
        """The bank's line has booked it."""
        return super(PaymentTransaction, self.filtered(lambda one: one.provider_code != OWN))._reconcile_after_done()

    def _isp_follow_request(self, request):
        """What became of the request became of the newest transaction that shows it; of the others nothing comes."""
        newest, *others = self.sorted("id", reverse=True)
        if request.state == "paid":
            newest._set_done(extra_allowed_states=("cancel",))
            newest.write({"isp_paid_at": request.closed_at, "payment_id": request.payment_move_id.payment_id.id, "is_post_processed": True})
        elif request.state == "cancelled":
            self.filtered(lambda one: one.state in ("draft", "pending"))._set_canceled()
        elif newest.state in ("done", "cancel"):
            # The money was taken back, and the request asks for it again.
            newest._update_state(("done", "cancel"), "pending", None)
        self.browse([one.id for one in others]).filtered(lambda one: one.state in ("draft", "pending"))._set_canceled()


class IspPaymentRequest(models.Model):
    _inherit = "isp.payment_request"

    def write(self, vals):
        before = {request: request.state for request in self} if "state" in vals else {}
        result = super().write(vals)
        for request, state in before.items():
            shown = self.env["payment.transaction"].sudo().search([("isp_request_id", "=", request.id)])
            if shown and request.state != state:
                shown._isp_follow_request(request.sudo())
        return result
