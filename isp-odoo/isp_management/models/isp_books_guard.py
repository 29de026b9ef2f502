"""What stands in a customer's account is changed, taken back or given away by those who answer for it, also through Odoo's own buttons:
whoever takes cash could else delete the payment again, or let an invoice be owed in 2099."""

from odoo import _, api, models
from odoo.exceptions import AccessError, UserError

from .isp_guard_mixin import BILLING, CASHIER, MANAGER

# What an invoice, a credit note or a payment says once it is posted.
MOVE_FIELDS = {
    "state", "name", "partner_id", "commercial_partner_id", "date", "invoice_date", "invoice_date_due", "invoice_payment_term_id",
    "needed_terms", "journal_id", "currency_id", "company_id", "move_type", "line_ids", "invoice_line_ids", "reversed_entry_id",
    "payment_id", "payment_state", "fiscal_position_id", "amount_untaxed", "amount_tax", "amount_total", "amount_residual",
    "amount_untaxed_signed", "amount_tax_signed", "amount_total_signed", "amount_total_in_currency_signed", "amount_residual_signed",
    "tax_totals", "quick_edit_total_amount", "auto_post",
}
ITEM_FIELDS = {
    "move_id", "account_id", "partner_id", "company_id", "currency_id", "date", "date_maturity", "debit", "credit", "balance",
    "amount_currency", "amount_residual", "amount_residual_currency", "reconciled", "price_unit", "quantity", "discount", "price_subtotal",
    "price_total", "product_id", "tax_ids", "display_type", "parent_state",
}


# What makes a payment one, and in whose hands its cash is.
PAYMENT_FIELDS = {
    "amount", "payment_type", "partner_type", "is_internal_transfer", "destination_account_id", "isp_reference", "isp_provider",
    "isp_identity", "isp_stands", "isp_collector_id", "is_reconciled", "is_matched",
}


def may(env, group):
    return env.su or env.user.has_group(group)


def refuse(env, group, record):
    raise AccessError(_(
        "%(record)s stands in a customer's account: this is for the group %(group)s.", record=record.display_name,
        group=env.ref(group).sudo().name,
    ))


class AccountMove(models.Model):
    _inherit = "account.move"

    def _isp_in_account(self):
        """Those that say what a customer owes, paid or was given back."""
        moves = self.sudo()
        found = moves.filtered(
            lambda m: m.isp_subscription_id or m.isp_installation_fee_id or m.isp_write_off_of_id or m.payment_id.isp_collector_id
        )
        rest = (moves - found).filtered(lambda m: m.move_type in ("out_refund", "entry"))
        partners = {move: move._isp_debtors().commercial_partner_id for move in rest}
        customers = self.env["isp.customer"].sudo().with_context(active_test=False).search([
            ("partner_id.commercial_partner_id", "in", rest.browse().partner_id.union(*partners.values()).ids),
        ]) if rest else self.env["isp.customer"]
        # A branch's customer pays at the bank and the till of the company above it, too.
        known = {(customer.company_id.root_id, customer.partner_id.commercial_partner_id) for customer in customers}
        found |= rest.filtered(lambda m: any((m.company_id.root_id, partner) in known for partner in partners[m]))
        return self.browse(found.ids)

    def _isp_debtors(self):
        items = self.line_ids.filtered(lambda item: item.account_type == "asset_receivable")
        return (self.partner_id if self.move_type == "out_refund" else self.env["res.partner"]) | items.partner_id

    def _isp_check_posted(self, group=BILLING):
        """Refuse whoever is not of the group, when one of these is posted and in a customer's account."""
        if may(self.env, group):
            return
        posted = self.sudo().filtered(lambda m: m.state == "posted")
        for move in posted._isp_in_account():
            refuse(self.env, group, move)
        if self.env.user.has_group(CASHIER) and not self.env.user.has_group("account.group_account_user"):
            # Money whose owner nobody has said is not made to disappear by whoever takes cash.
            for move in posted.filtered(lambda m: m.statement_line_id.amount > 0 and not m.statement_line_id.is_reconciled):
                refuse(self.env, group, move)

    def write(self, vals):
        if MOVE_FIELDS & vals.keys():
            self._isp_check_posted()
        result = super().write(vals)
        if "line_ids" in vals:
            self.filtered(lambda m: m.state == "posted" and m.statement_line_id)._isp_check_rest()
        return result

    def _isp_check_rest(self):
        """Who settles more by an entry than the money that it brings gives up on the rest: for the manager."""
        if may(self.env, MANAGER):
            return
        for move in self._isp_in_account():
            entry = move.sudo()
            if entry.move_type == "entry" and not entry.payment_id and not entry._isp_brings_something() and entry._isp_brings_money():
                refuse(self.env, MANAGER, move)

    @api.ondelete(at_uninstall=False)
    def _isp_unlink_except_posted(self):
        """Also through the payment, which Odoo deletes with its entry."""
        posted = self.sudo().filtered(lambda m: m.state == "posted")._isp_in_account() if not self.env.su else self.browse()
        if posted:
            raise UserError(_("%s is posted: it is taken back, not deleted.", posted[0].display_name))

    def _post(self, soft=True):
        """A credit note, and an entry of somebody's own, give money away; a payment with a difference gives up on the rest."""
        if not may(self.env, MANAGER):
            for move in self._isp_in_account():
                entry = move.sudo()
                payment = entry.payment_id
                if payment:
                    if payment._seek_for_lines()[2]:
                        refuse(self.env, MANAGER, move)
                    gives = payment.payment_type == "outbound"
                else:
                    gives = entry.move_type in ("out_refund", "entry") and not entry.statement_line_id
                if gives and not may(self.env, BILLING):
                    refuse(self.env, BILLING, move)
            self._isp_check_rest()
        return super()._post(soft)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    @api.model_create_multi
    def create(self, vals_list):
        items = super().create(vals_list)
        if not self.env.su:
            items.move_id._isp_check_posted()
        return items

    def write(self, vals):
        if not self.env.su and ITEM_FIELDS & vals.keys():
            self.move_id._isp_check_posted()
        return super().write(vals)


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """What was paid is owed again: the line may be isolated for it."""
        if not self.env.su:
            (self.debit_move_id | self.credit_move_id).move_id._isp_check_posted()
        return super().unlink()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    @api.ondelete(at_uninstall=False)
    def _isp_unlink_except_posted(self):
        # Odoo deletes the payment before its entry.
        self.move_id._isp_unlink_except_posted()

    @api.model_create_multi
    def create(self, vals_list):
        self._isp_check_worked_out(set().union(*vals_list))
        return super().create(vals_list)

    def write(self, vals):
        self._isp_check_worked_out(vals.keys())
        if not self.env.su and PAYMENT_FIELDS & vals.keys():
            self.move_id._isp_check_posted()
        return super().write(vals)

    @api.model
    def _isp_check_worked_out(self, names):
        """What makes a payment one is worked out from its reference, and is nobody's to write."""
        if not self.env.su and {"isp_stands", "isp_identity"} & set(names):
            raise AccessError(_("What makes a payment one is worked out by itself."))
