"""Invoices of periods that a person took away: a deleted one is billed again, a cancelled or reset one is seen on its line until
somebody decides, and one that is reversed and written anew hands its period on."""

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools.misc import format_date

from ..logic.clock import last_day
from ..logic.terms_rows import items_of
from .isp_guard_mixin import BILLING

LEFT_OUT = [
    ("isp_period_start", "!=", False), ("move_type", "=", "out_invoice"), ("state", "in", ("draft", "cancel")),
    ("auto_post", "=", "no"),
]


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    left_out = fields.Char(
        "Periods without an invoice", compute="_compute_left_out", search="_search_left_out",
        help="Their invoices were cancelled or reset to draft: they ask for nothing until somebody decides.",
    )

    @api.depends_context("lang")
    def _compute_left_out(self):
        moves = self.env["account.move"].sudo().search(
            [*LEFT_OUT, ("isp_subscription_id", "in", self.ids)], order="isp_period_start, id"
        )
        for line in self:
            own = moves.filtered(lambda m, line=line: m.isp_subscription_id.id == line.id)
            line.left_out = ", ".join(move._isp_period_text() for move in own) or False

    @api.model
    def _search_left_out(self, operator, value):
        if operator not in ("=", "!=") or value:
            raise UserError(_("Lines are searched for whether periods are left out or not."))
        moves = self.env["account.move"].sudo().search([*LEFT_OUT, ("isp_subscription_id", "!=", False)])
        return [("id", "in" if operator == "!=" else "not in", moves.isp_subscription_id.ids)]

    def _isp_bill_again(self, day, text):
        """Have the billing look at this line from a day on; what is invoiced already it leaves alone."""
        for line in self.sudo():
            line.billed_from = min(line.billed_from or day, day)
            line._message_log(body=_("%s is billed again by the next run.", text))


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_billed_again = fields.Boolean("Its period is billed again", readonly=True, copy=False)

    def _isp_period_text(self):
        self.ensure_one()
        last = last_day(self.isp_period_end) if self.isp_period_end else None
        return " - ".join(format_date(self.env, day) for day in (self.isp_period_start, last) if day)

    def _isp_billed_periods(self):
        """(line, day on which the billing comes to the period, its text) of the invoices of periods among these."""
        found = []
        for move in self.sudo().filtered(
            lambda m: m.isp_period_start and m.isp_subscription_id and m.move_type == "out_invoice" and not m.isp_charge
        ):
            line = move.isp_subscription_id
            postpaid = line.timing == "postpaid" and move.isp_period_end
            found.append((line, move.isp_period_end if postpaid else move.isp_period_start, move._isp_period_text()))
        return found

    def _isp_of_old_package(self):
        """Those of a package that the billing does not know of their line any more: it knows that of the line and, when none is planned,
        the one before. What was sold earlier still, the next run would bill at another price."""
        packages = self.env["isp.package"].sudo().with_context(active_test=False)
        found = self.browse()
        for move in self.sudo().filtered(lambda m: m.isp_period_start and m.isp_subscription_id and not m.isp_charge):
            line = move.isp_subscription_id
            sold = packages.search([("product_id", "in", move.invoice_line_ids.product_id.ids)])
            known = line.package_id if line.next_package_id else line.package_id | line.old_package_id
            if sold and not sold & known:
                found |= move
        return self.browse(found.ids)

    def _isp_check_package_known(self):
        for move in self._isp_of_old_package():
            raise UserError(_(
                "%s is of a package that the line had before its last changes: the next run would bill another. Cancel the invoice instead, and"
                " press its button Bill this period again: it is written again as it was.", move.display_name,
            ))

    def _isp_again_vals(self):
        """The invoice once more, as it was charged: its dates, its lines and their prices, and PPN where the company still charges it. An
        installation fee on it waits for the next run."""
        self.ensure_one()
        return {
            "move_type": "out_invoice", "journal_id": self.journal_id.id, "partner_id": self.partner_id.id, "currency_id": self.currency_id.id,
            "invoice_date": self.invoice_date, "invoice_date_due": self.invoice_date_due, "invoice_payment_term_id": False,
            "fiscal_position_id": self.fiscal_position_id.id, "isp_subscription_id": self.isp_subscription_id.id,
            "isp_period_start": self.isp_period_start, "isp_period_end": self.isp_period_end,
            "invoice_line_ids": [
                Command.create({
                    "product_id": item.product_id.id, "name": item.name, "quantity": item.quantity, "price_unit": item.price_unit,
                    "discount": item.discount, "account_id": item.account_id.id,
                    "tax_ids": [Command.set(item.tax_ids.ids if self.company_id.isp_pkp else [])],
                })
                for item in items_of(self, False)
            ],
        }

    def unlink(self):
        """What is deleted leaves no trace: its period comes back to the billing."""
        self._isp_check_package_known()
        periods = self._isp_billed_periods()
        self.env["isp.installation_fee"]._isp_wait_again(self)
        result = super().unlink()
        for line, day, text in periods:
            line._isp_bill_again(day, text)
        return result

    def _post(self, soft=True):
        for move in self.filtered("isp_billed_again"):
            raise UserError(_("The period of %s is billed again by another invoice. Duplicate it, if it is owed beside that.", move.display_name))
        return super()._post(soft)

    def action_isp_bill_again(self):
        """A person decides that the period of a cancelled invoice is billed after all."""
        for move in self:
            if move.state != "cancel" or not move.isp_period_start or move.isp_charge:
                raise UserError(_("%s is no cancelled invoice of a period.", move.display_name))
            move._isp_may_write(BILLING)
            [(line, day, text)] = move._isp_billed_periods()
            vals = move._isp_again_vals() if move._isp_of_old_package() else None
            # The period is free for another invoice; the line stays told.
            move.sudo().write({"isp_period_start": False, "isp_period_end": False, "isp_billed_again": True})
            self.env["isp.installation_fee"]._isp_wait_again(move)
            if vals:
                # The database has one invoice for a period.
                move.flush_recordset()
                again = move.sudo().with_company(move.company_id).with_context(
                    mail_create_nosubscribe=True, default_move_type="out_invoice"
                ).create(vals)
                again._post(soft=False)
                move.message_post(body=_("%(period)s is billed again by %(invoice)s.", period=text, invoice=again.name))
                continue
            move.message_post(body=_("%s is billed again by the next run.", text))
            line._isp_bill_again(day, text)
        return True
