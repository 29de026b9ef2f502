from collections import defaultdict
from datetime import timedelta

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import formatLang

from ..logic import access_rows
from ..logic.clock import last_day


class IspOutageCreditWizard(models.TransientModel):
    _name = "isp.outage.credit.wizard"
    _description = "What an outage gives back"
    _inherit = ["isp.show.mixin"]

    outage_id = fields.Many2one("isp.outage", required=True, readonly=True)
    company_id = fields.Many2one(related="outage_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    why = fields.Char(readonly=True)
    line_ids = fields.One2many("isp.outage.credit.line", "wizard_id", "Credit notes")
    count = fields.Integer("Customers", compute="_compute_amount")
    amount = fields.Monetary("In all", compute="_compute_amount")

    @api.depends("line_ids.chosen", "line_ids.amount")
    def _compute_amount(self):
        for wizard in self:
            chosen = wizard.line_ids.filtered("chosen")
            wizard.count = len(chosen.customer_id)
            wizard.amount = sum(chosen.mapped("amount"))

    @api.model
    def _isp_open_for(self, outage):
        self._isp_check_billing()
        if not outage.until and not outage.ended_at:
            raise UserError(_("The outage is going on. What it gives back is known when it is over."))
        notes, moves = self._isp_notes(outage)
        wizard = self.create({
            "outage_id": outage.id,
            "why": self._isp_why(outage),
            "line_ids": [(0, 0, self._isp_line(note, moves[note.charge])) for note in notes],
        })
        return wizard._isp_show(_("Give back for the outage"), "extra-large")

    @api.model
    def _isp_notes(self, outage):
        """The engine's notes for an outage, and the invoices they are about."""
        outage = outage.sudo()
        until = outage.until or outage.ended_at
        lines = self.env["isp.subscription"].sudo().with_context(active_test=False).search(
            [("router_id", "=", outage.router_id.id), ("state", "!=", "draft")]
        )
        # A day more on each side: which days it hit depends on the line's zone.
        days = (outage.since.date() - timedelta(days=1), until.date() + timedelta(days=2))
        charges, moves = self.env["isp.credit"]._isp_charges(lines, days, outage)
        return isp_engine.outage_credits(charges, access_rows.outage(outage), policy=outage.company_id._isp_outage_policy()), moves

    @api.model
    def _isp_line(self, note, move):
        line = move.invoice_line_ids.filtered(lambda item: item.display_type == "product")[:1]
        taxed = line.tax_ids.compute_all(note.dpp, currency=move.currency_id, quantity=1, product=line.product_id, is_refund=True)
        last = last_day(note.period_end)
        return {
            "move_id": move.id,
            "customer_id": move.isp_subscription_id.customer_id.id,
            "subscription_id": move.isp_subscription_id.id,
            "date_from": note.period_start,
            "date_to": last,
            "days": _(
                "%(days)s of %(all)s days", days=(note.period_end - note.period_start).days,
                all=(move.isp_period_end - move.isp_period_start).days,
            ),
            "price": note.dpp,
            "amount": taxed["total_included"],
        }

    @api.model
    def _isp_why(self, outage):
        if outage.ended_at:
            return _("The outage was recorded by mistake: it gives nothing back.")
        company = outage.company_id
        hours = (outage.until - outage.since).total_seconds() / 3600
        told = formatLang(self.env, hours, digits=0 if hours == int(hours) else 1)
        if hours < company.isp_outage_min_hours:
            return _(
                "The outage lasted %(hours)s hours; from %(least)s hours on something is given back.", hours=told,
                least=company.isp_outage_min_hours,
            )
        if company.isp_outage_by == "hour":
            return _("The outage lasted %s hours: that part of its days is given back.", told)
        return _(
            "The outage lasted %(hours)s hours: %(days)s whole days are given back.", hours=told, days=int(hours // 24)
        )

    def action_confirm(self):
        """Write the chosen credit notes, if they are still what the engine says."""
        self.ensure_one()
        self._isp_check_billing()
        outage = self.outage_id
        outage.check_access_rule("read")
        # Somebody else may be doing the same.
        self.env.cr.execute("SELECT id FROM isp_outage WHERE id = %s FOR UPDATE", [outage.id])
        chosen = self.line_ids.filtered("chosen")
        if not chosen:
            raise UserError(_("Nobody is chosen."))
        wanted = {(line.move_id.id, line.date_from): line.price for line in chosen}
        notes, moves = self._isp_notes(outage)
        notes = [note for note in notes if (note.charge, note.period_start) in wanted]
        if {(note.charge, note.period_start): note.dpp for note in notes} != wanted:
            raise UserError(_("An invoice has changed since. Close this and open it again."))
        credits = self.env["isp.credit"]._isp_write_credits(notes, moves, "outage", _("Outage: %s", outage.name), outage)
        by_line = defaultdict(list)
        for credit in credits:
            by_line[credit.isp_subscription_id].append(credit.name)
        outage.sudo().message_post(body=_(
            "%(user)s gave back to %(count)s lines: %(names)s", user=self.env.user.name, count=len(by_line),
            names=", ".join(credits.mapped("name")),
        ))
        return outage.action_view_credits()

    @api.model
    def _isp_check_billing(self):
        if not self.env.user.has_group("isp_management.group_billing"):
            raise AccessError(_("Giving back is for the group Billing."))


class IspOutageCreditLine(models.TransientModel):
    _name = "isp.outage.credit.line"
    _description = "What an outage gives back of an invoice"
    _order = "id"

    wizard_id = fields.Many2one("isp.outage.credit.wizard", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    chosen = fields.Boolean("Give back", default=True)
    customer_id = fields.Many2one("isp.customer", readonly=True)
    subscription_id = fields.Many2one("isp.subscription", readonly=True)
    move_id = fields.Many2one("account.move", "Invoice", required=True, readonly=True)
    date_from = fields.Date("From", readonly=True)
    date_to = fields.Date("Until", readonly=True)
    days = fields.Char(readonly=True)
    price = fields.Monetary("Share of the price", readonly=True)
    amount = fields.Monetary("With PPN", readonly=True)
