from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_subscription_id = fields.Many2one(
        "isp.subscription", "Internet line", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )
    isp_period_start = fields.Date("Period from", readonly=True, copy=False)
    isp_period_end = fields.Date("Period until", readonly=True, copy=False, help="The day after the last day.")
    isp_installation_fee_id = fields.Many2one(
        "isp.installation_fee", "Installation fee", readonly=True, copy=False, ondelete="restrict",
        index="btree_not_null",
    )
    isp_instalment = fields.Integer("Instalment", readonly=True, copy=False)

    def init(self):
        result = super().init()
        # Rule B3: one invoice per period, whatever runs at the same time. A cancelled one keeps its period.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_period_unique
            ON account_move (isp_subscription_id, isp_period_start) WHERE isp_subscription_id IS NOT NULL
        """)
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_instalment_unique
            ON account_move (isp_installation_fee_id, isp_instalment) WHERE isp_installation_fee_id IS NOT NULL
        """)
        return result
