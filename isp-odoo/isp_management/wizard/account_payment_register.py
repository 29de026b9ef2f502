from odoo import api, fields, models


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    isp_collector_id = fields.Many2one(
        "isp.collector", "Collector", compute="_compute_isp_collector_id", store=True, readonly=False,
        domain="[('company_id', '=', company_id)]", help="Who took the cash.",
    )
    isp_takes_collector = fields.Boolean("Collectors' cash", compute="_compute_isp_takes_collector")

    @api.depends("journal_id", "company_id")
    def _compute_isp_takes_collector(self):
        for wizard in self:
            journal = wizard.company_id.sudo().isp_collector_journal_id
            wizard.isp_takes_collector = bool(journal) and wizard.journal_id == journal

    @api.depends("journal_id", "line_ids")
    def _compute_isp_collector_id(self):
        for wizard in self:
            own = self.env["isp.collector"]
            if wizard.isp_takes_collector:
                own = self.env["isp.collector"].search(
                    [("user_id", "=", self.env.uid), ("company_id", "=", wizard.company_id.id)], limit=1
                )
            theirs = wizard.line_ids.move_id.sudo().isp_subscription_id.collector_id.sudo(False)
            wizard.isp_collector_id = wizard.isp_takes_collector and (own or (theirs if len(theirs) == 1 else False))

    def _create_payment_vals_from_wizard(self, batch_result):
        return {**super()._create_payment_vals_from_wizard(batch_result), **self._isp_collector_vals()}

    def _create_payment_vals_from_batch(self, batch_result):
        return {**super()._create_payment_vals_from_batch(batch_result), **self._isp_collector_vals()}

    def _isp_collector_vals(self):
        return {"isp_collector_id": self.isp_collector_id.id} if self.isp_takes_collector else {}
