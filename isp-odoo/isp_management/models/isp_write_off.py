"""Receivables that are given up (penghapusan piutang): an entry to bad debts that settles the invoice, and may be taken back."""

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools.misc import formatLang


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_write_off_of_id = fields.Many2one(
        "account.move", "Write-off of", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )
    isp_write_off_ids = fields.One2many("account.move", "isp_write_off_of_id", "Write-offs")
    isp_write_off_reason = fields.Char("Reason of the write-off", readonly=True, copy=False)
    isp_written_off = fields.Monetary("Written off", compute="_compute_isp_written_off")

    @api.depends("isp_write_off_ids.state", "isp_write_off_ids.reversal_move_id.state")
    def _compute_isp_written_off(self):
        for move in self:
            standing = move.sudo().isp_write_off_ids._isp_standing()
            move.isp_written_off = sum(standing.mapped("amount_total"))

    def _isp_standing(self):
        """The write-offs that were not taken back."""
        return self.filtered(
            lambda m: m.state == "posted" and not m.reversal_move_id.filtered(lambda r: r.state == "posted")
        )

    def action_isp_write_off(self):
        """Open the wizard for these invoices; for the manager."""
        return self.env["isp.write_off.wizard"]._isp_open_for(self)

    def _isp_write_off(self, account, day, reason):
        """Post an entry for what is unpaid of each invoice, and settle it with that."""
        for move in self:
            receivable = move.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
            label = _("Write-off of %(invoice)s: %(reason)s", invoice=move.name, reason=reason)
            amount = move.amount_residual
            entry = self.env["account.move"].sudo().with_company(move.company_id).create({
                "move_type": "entry",
                "journal_id": move.company_id._isp_cost_journal().id,
                "date": day,
                "ref": label,
                "partner_id": move.commercial_partner_id.id,
                "isp_write_off_of_id": move.id,
                "isp_write_off_reason": reason,
                "line_ids": [
                    Command.create({
                        "account_id": line_account.id, "name": label, "balance": balance,
                        "partner_id": move.commercial_partner_id.id,
                    })
                    for line_account, balance in ((account, amount), (receivable[:1].account_id, -amount))
                ],
            })
            entry._post(soft=False)
            (receivable | entry.line_ids.filtered(lambda item: item.account_type == "asset_receivable")).reconcile()
            move.message_post(body=_(
                "%(amount)s was written off: %(reason)s", amount=formatLang(self.env, amount, currency_obj=move.currency_id),
                reason=reason,
            ))

    def action_isp_take_back(self):
        """Take the write-offs of these invoices back: they are owed again."""
        if not self.env.user.has_group("isp_management.group_manager"):
            raise AccessError(_("Writing off and taking back is for the group Manager."))
        self.check_access_rule("write")
        for move in self:
            standing = move.sudo().isp_write_off_ids._isp_standing()
            if not standing:
                raise UserError(_("%s was not written off.", move.name))
            standing._reverse_moves(
                [{"date": move.company_id._isp_today(), "ref": _("Taken back: %s", entry.ref)} for entry in standing],
                cancel=True,
            )
            move.message_post(body=_("The write-off was taken back."))
