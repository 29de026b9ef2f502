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
    isp_late_fee_of_id = fields.Many2one(
        "account.move", "Late fee on", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
    )
    isp_late_fee_ids = fields.One2many("account.move", "isp_late_fee_of_id", "Late fee")
    isp_credit_reason = fields.Selection(
        [("outage", "Outage"), ("isolation", "Isolated days")], "Given back for", readonly=True, copy=False
    )
    isp_credit_start = fields.Date("Days from", readonly=True, copy=False)
    isp_credit_end = fields.Date("Days until", readonly=True, copy=False, help="The day after the last day.")
    isp_outage_id = fields.Many2one(
        "isp.outage", "Outage", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )

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
        # Rule B10: an invoice bears one late fee. A cancelled one keeps its place, so that it is not charged again.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_late_fee_unique
            ON account_move (isp_late_fee_of_id) WHERE isp_late_fee_of_id IS NOT NULL
        """)
        # An outage gives days of an invoice back once.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_outage_unique
            ON account_move (isp_outage_id, reversed_entry_id, isp_credit_start)
            WHERE isp_outage_id IS NOT NULL AND state <> 'cancel'
        """)
        return result
