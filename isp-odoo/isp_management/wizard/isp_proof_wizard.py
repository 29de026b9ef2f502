from odoo import api, fields, models

from ..logic import access_rows, terms_rows


class IspProofWizard(models.TransientModel):
    _name = "isp.proof.wizard"
    _description = "Review a proof of transfer"
    _inherit = ["isp.show.mixin"]

    proof_id = fields.Many2one("isp.proof", required=True, readonly=True)
    verdict = fields.Selection(
        [("accepted", "The money is there"), ("rejected", "The money is not there"), ("taken_back", "It was recorded by mistake")],
        required=True, readonly=True,
    )
    currency_id = fields.Many2one(related="proof_id.currency_id")
    amount = fields.Monetary("What came", compute="_compute_payment", store=True, readonly=False)
    payment_date = fields.Date("Paid on", compute="_compute_payment", store=True, readonly=False)
    provider = fields.Char("Paid through", default="bank", help="Whose reference it is, such as bca or midtrans.")
    reference = fields.Char(
        "Bank or gateway reference",
        help="What the bank, the gateway or the receipt calls this payment. It is one payment, however often it is told.",
    )
    insist = fields.Boolean("It is meant so", help="The payment is of more than a year ago, of a day that is still to come, of an unusual amount, or the customer paid twice.")
    reason = fields.Char()

    @api.depends("proof_id")
    def _compute_payment(self):
        for wizard in self:
            wizard.amount = wizard.proof_id.amount
            proof = wizard.proof_id.sudo()
            arrived = access_rows.aware(proof.arrived_at)
            wizard.payment_date = arrived and terms_rows.today(arrived, proof.company_id.isp_zone)

    def action_confirm(self):
        self.ensure_one()
        if self.verdict == "accepted":
            self.proof_id._isp_accept(
                self.amount, self.payment_date, self.provider or "", self.reference or "", "insisting" if self.insist else "person"
            )
        else:
            self.proof_id._isp_review(self.verdict, self.reason)
        return {"type": "ir.actions.act_window_close"}
