"""A part of an invoice that was wrong is given back: the engine spreads it, the credit note is Odoo's."""

import isp_engine

from odoo import _, models
from odoo.exceptions import AccessError

from ..logic.money import whole
from .isp_guard_mixin import BILLING


class AccountMove(models.Model):
    _inherit = "account.move"

    def action_isp_correct(self):
        """Open the wizard for this invoice; for the group Billing."""
        return self.env["isp.correction.wizard"]._isp_open_for(self)

    def _isp_correct(self, amount, reason):
        """Give back a part of this invoice, PPN included; the same amount on the same day is one correction. Returns the note."""
        self.ensure_one()
        if not self.env.user.has_group(BILLING):
            raise AccessError(_("Correcting invoices is for the group Billing."))
        self.check_access_rule("write")
        move, credits = self.sudo()._isp_hold(), self.env["isp.credit"].sudo()
        before = self.env["account.move"].sudo().search([
            ("reversed_entry_id", "=", self.id), ("isp_credit_reason", "=", "correction"), ("state", "=", "posted"),
        ])
        wish = isp_engine.CorrectionWish(
            credits._isp_whole_charge(move), whole(amount), self.company_id._isp_today(), reason or "",
            [isp_engine.Correction(note.invoice_date, whole(note.amount_total)) for note in before],
        )
        [note] = isp_engine.correct_invoices([wish])
        note = self.env["isp.refusals"]._isp_allowed(note)
        if not note:
            return before.filtered(lambda n: n.invoice_date == wish.on and whole(n.amount_total) == wish.amount)[:1].sudo(False)
        credit = credits._isp_write_whole([note], move, reason, own_first=False)
        self.message_post(body=_("%(note)s gives back a part of it: %(reason)s", note=credit.name, reason=reason))
        return credit.sudo(False)
