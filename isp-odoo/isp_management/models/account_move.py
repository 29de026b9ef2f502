from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from .isp_guard_mixin import BILLING, PROGRAM


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "isp.guard.mixin"]
    _isp_guarded = {
        **dict.fromkeys(("isp_subscription_id", "isp_period_start", "isp_period_end"), BILLING),
        "isp_charge": PROGRAM,
        **dict.fromkeys(
            ("isp_installation_fee_id", "isp_instalment", "isp_late_fee_of_id", "isp_credit_reason", "isp_credit_start",
             "isp_credit_end", "isp_outage_id", "isp_write_off_of_id", "isp_write_off_reason", "isp_statement_id",
             "isp_late_fee_nth", "isp_paid_in_time", "isp_known", "isp_transfer"), PROGRAM,
        ),
    }

    isp_subscription_id = fields.Many2one(
        "isp.subscription", "Internet line", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
        tracking=True,
    )
    isp_period_start = fields.Date("Period from", readonly=True, copy=False)
    isp_period_end = fields.Date("Period until", readonly=True, copy=False, help="The day after the last day.")
    isp_charge = fields.Selection(
        [("change", "Change of package at once"), ("served", "Days served after all")], "Adjustment", readonly=True, copy=False,
        help="Days that were charged before. Empty for the invoice of a period.",
    )
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
        [("outage", "Outage"), ("isolation", "Isolated days"), ("pause", "Pause"), ("termination", "End of the line"),
         ("package_change", "Change of package"), ("correction", "Correction")], "Given back for", readonly=True, copy=False,
    )
    isp_credit_start = fields.Date("Days from", readonly=True, copy=False)
    isp_credit_end = fields.Date("Days until", readonly=True, copy=False, help="The day after the last day.")
    isp_outage_id = fields.Many2one(
        "isp.outage", "Outage", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )

    @api.constrains("isp_subscription_id", "company_id", "partner_id")
    def _check_isp_subscription(self):
        """Whoever joins an invoice to a line by hand joins it to its own customer's."""
        for move in self.filtered("isp_subscription_id"):
            line = move.sudo().isp_subscription_id
            theirs = move.commercial_partner_id != line.partner_id.commercial_partner_id and not self.env.su
            if move.company_id != line.company_id or theirs:
                raise ValidationError(_(
                    "%(invoice)s is not an invoice of the customer of %(line)s.", invoice=move.display_name,
                    line=line.display_name,
                ))

    def init(self):
        result = super().init()
        # Rule B3: one invoice per period, and one adjustment, whatever runs at the same time. A cancelled one keeps its period.
        self.env.cr.execute("""
            DROP INDEX IF EXISTS account_move_isp_period_unique;
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_charge_unique
            ON account_move (isp_subscription_id, isp_period_start, (isp_charge IS NOT NULL)) WHERE isp_subscription_id IS NOT NULL
        """)
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_instalment_unique
            ON account_move (isp_installation_fee_id, isp_instalment) WHERE isp_installation_fee_id IS NOT NULL
        """)
        # Rule B10: an invoice bears one late fee, and one each time that it is charged again. A cancelled one keeps its place.
        self.env.cr.execute("""
            DROP INDEX IF EXISTS account_move_isp_late_fee_unique;
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_late_fee_nth_unique
            ON account_move (isp_late_fee_of_id, (coalesce(isp_late_fee_nth, 0))) WHERE isp_late_fee_of_id IS NOT NULL
        """)
        # An outage gives days of an invoice back once.
        self.env.cr.execute("""
            CREATE UNIQUE INDEX IF NOT EXISTS account_move_isp_outage_unique
            ON account_move (isp_outage_id, reversed_entry_id, isp_credit_start)
            WHERE isp_outage_id IS NOT NULL AND state <> 'cancel'
        """)
        return result

    # A payment reopens (rule P5)

    def _invoice_paid_hook(self):
        """A payment and the wish to reopen are one transaction: a router that is down cannot lose it."""
        result = super()._invoice_paid_hook()
        settled = self.filtered(lambda m: m.sudo()._isp_settled_without_money())
        for moves, follow in ((settled, "_isp_hold_settled"), (self - settled, "_isp_reopen_paid")):
            lines = moves.isp_subscription_id | moves.isp_installation_fee_id.subscription_id
            if lines:
                getattr(lines, follow)()
        return result
