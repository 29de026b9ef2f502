"""Installation fees that go with the first invoice of a line (rule B9): the engine says which invoice, or that the line ended before
it had one; here the fee becomes an item of it."""

import logging

import isp_engine

from odoo import api, fields, models

from .isp_billing_run import COLLISIONS

_logger = logging.getLogger(__name__)


class IspInstallationFee(models.Model):
    _inherit = "isp.installation_fee"

    def _isp_wait(self):
        """Have a fee wait for the first invoice of its line, if the engine allows."""
        for fee in self:
            [answer] = isp_engine.installation_fees([fee._isp_wish()])
            self.env["isp.refusals"]._isp_allowed(answer)
            fee.state = "waiting"

    def _isp_invoice_line(self, writer, lang):
        """The item of an invoice that the fee becomes."""
        self.ensure_one()
        return writer._line(
            self.kind_id, self.company_id, self.kind_id.with_context(lang=lang).name, self.amount, isp_installation_fee_id=self.id
        )

    def _isp_wait_again(self, moves):
        """Fees on invoices whose periods are billed anew go with the new ones."""
        fees = self.sudo().search([("first_move_id", "in", moves.ids)])
        fees.write({"state": "waiting", "first_move_id": False})


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_first_fee_ids = fields.One2many("isp.installation_fee", "first_move_id", "Installation fees on it")


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    isp_installation_fee_id = fields.Many2one(
        "isp.installation_fee", "Installation fee", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
        help="A fee that goes with the first invoice of a line.",
    )

    def _copy_data_extend_business_fields(self, values):
        """What is reversed or takes another's place is about the same fee."""
        result = super()._copy_data_extend_business_fields(values)
        values["isp_installation_fee_id"] = self.isp_installation_fee_id.id
        return result


class IspBillingRun(models.Model):
    _inherit = "isp.billing_run"

    @api.model
    def _waiting_fees(self, keys):
        """The fees of these lines that wait for their first invoice."""
        return self.env["isp.installation_fee"].search([("subscription_id", "in", list(keys)), ("state", "=", "waiting")], order="id")

    @api.model
    def _fees_by_period(self, fees):
        """The fees that go with the invoice of a line and period, in the engine's order."""
        found = {}
        for fee in fees:
            if fee.period_start:
                found.setdefault((fee.subscription, fee.period_start), []).append(self.env["isp.installation_fee"].browse(fee.key))
        return found

    def _lines_with_other_fees(self, batch):
        """The lines that are billed, of which other fees wait now than when they were planned. The fees are held meanwhile."""
        keys = {invoice.subscription for invoice in batch.invoices} | {fee.subscription for fee in batch.fees}
        self.env["isp.installation_fee"].flush_model(["state", "amount", "subscription_id"])
        self.env.cr.execute(
            "SELECT id, subscription_id FROM isp_installation_fee WHERE state = 'waiting' AND subscription_id = ANY(%s) FOR UPDATE",
            [sorted(keys)],
        )
        waiting, planned = set(self.env.cr.fetchall()), {(fee.key, fee.subscription) for fee in batch.fees}
        return {subscription for _fee, subscription in waiting ^ planned}

    def _invoice_fees(self, company, fees, moves, failed):
        """The fees that were written with ``moves`` are invoiced; those of lines that ended without any get an invoice of their
        own. Returns those invoices. One that Odoo refuses stands on its line, and the others are written (rule B8)."""
        written = {(move.isp_subscription_id.id, move.isp_period_start): move for move in moves}
        alone = self.env["account.move"]
        for planned in fees:
            fee = self.env["isp.installation_fee"].browse(planned.key)
            if planned.period_start:
                move = written.get((planned.subscription, planned.period_start))
                if move:
                    fee.write({"state": "invoiced", "first_move_id": move.id})
                continue
            try:
                with self.env.cr.savepoint():
                    alone |= fee._isp_write_invoices(planned.on, 1)
            except COLLISIONS:
                raise
            except Exception as error:
                _logger.warning("installation fee %s was not invoiced: %s", planned.key, error)
                period = dict.fromkeys(("isp_period_start", "isp_period_end"), planned.on)
                failed.setdefault(planned.subscription, (error, {"isp_subscription_id": planned.subscription, **period}))
        return alone
