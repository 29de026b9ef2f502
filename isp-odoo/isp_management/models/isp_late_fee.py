"""Late fees (denda, rule B10): charged by the billing run, dated on their day, once for each period that is paid late."""

import logging
import time
from collections import defaultdict
from types import SimpleNamespace

import isp_engine

from odoo import _, api, fields, models
from odoo.tools import split_every
from odoo.tools.misc import format_date, formatLang

from ..logic import terms_rows
from ..logic.clock import last_day
from ..logic.money import rupiah_owed
from .isp_billing_run import BATCH

_logger = logging.getLogger(__name__)


class IspBillingRun(models.Model):
    _inherit = "isp.billing_run"

    @api.model
    def _charge_late_fees(self, company, run, deadline):
        """Charge what is due in a company; returns the run and whether there was time for all of it."""
        policy = company._isp_late_fee_policy()
        if not policy:
            return run, True
        now, since = company._isp_now(), company.isp_late_fee_through
        rows = self._late_rows(company, policy, since)
        charged = isp_engine.late_fees(rows, now, policy, since=since, billing=company._isp_billing_policy())
        fees = [fee for fee in charged if fee.due]
        failed = []
        for batch in split_every(BATCH, fees, list):
            run = run or self.create({"company_id": company.id})
            run._until_done(company, lambda run=run, batch=batch: failed.extend(run._write_late_fees(company, batch)))
            if time.monotonic() > deadline:
                return run, False
        # A fee that could not be written is tried again by the next run.
        through = min([company._isp_today(), *(last_day(fee.on) for fee in failed)])
        if not since or since < through:
            company.isp_late_fee_through = through
        return run, True

    @api.model
    def _late_rows(self, company, policy, since):
        """Invoices for a period whose fee's day has come since then, with what was unpaid when that day began."""
        self.env["account.move"].flush_model()
        self.env["account.move.line"].flush_model()
        self.env["account.partial.reconcile"].flush_model()
        today = terms_rows.today(company._isp_now(), "WIT")
        searched = [company.id, policy.due_on(since or last_day(today)), policy.due_on(today)]
        bearing = """
            m.company_id = %s AND m.state = 'posted' AND m.move_type = 'out_invoice' AND m.isp_period_start IS NOT NULL
            AND m.isp_charge IS NULL AND m.invoice_date_due > %s AND m.invoice_date_due <= %s
        """
        self.env.cr.execute("SELECT DISTINCT m.invoice_date_due FROM account_move m WHERE" + bearing, searched)
        dues = [due for (due,) in self.env.cr.fetchall()]
        self.env.cr.execute(
            """
            SELECT m.id, m.invoice_date_due, s.zone, m.amount_total - coalesce((
                       SELECT sum(p.amount) FROM account_move_line d
                       JOIN account_partial_reconcile p ON p.debit_move_id = d.id
                       JOIN account_move_line c ON c.id = p.credit_move_id
                       WHERE d.move_id = m.id AND c.date < fee.day
                   ), 0) AS unpaid
            FROM account_move m JOIN isp_subscription s ON s.id = m.isp_subscription_id
            JOIN unnest(%s::date[], %s::date[]) AS fee (due, day) ON fee.due = m.invoice_date_due
            WHERE""" + bearing + """
              AND NOT EXISTS (SELECT 1 FROM account_move f WHERE f.isp_late_fee_of_id = m.id)
            ORDER BY m.id
            """,
            [dues, [policy.day(due) for due in dues], *searched],
        )
        late = self.env.cr.fetchall()
        moves, notes = self.env["account.move"].browse([row[0] for row in late]), defaultdict(self.env["account.move"].browse)
        for note in moves.search([("reversed_entry_id", "in", moves.ids), ("state", "=", "posted")], order="id"):
            notes[note.reversed_entry_id] |= note
        return [
            isp_engine.LateInvoice(
                move.id, due, max(rupiah_owed(float(unpaid)), 0), zone, move.isp_period_start, terms_rows.given(move, notes[move], False)
            )
            for move, (_key, due, zone, unpaid) in zip(moves, late, strict=True)
        ]

    def _write_late_fees(self, company, fees):
        """Write a batch of fees as posted invoices; returns those that could not be written."""
        journal = company._isp_sale_journal()
        self._lock(journal)
        moves = self.env["account.move"].browse([fee.invoice for fee in fees])
        self.env["account.move"].flush_model(["isp_late_fee_of_id"])
        self.env.cr.execute("SELECT isp_late_fee_of_id FROM account_move WHERE isp_late_fee_of_id = ANY(%s)", [moves.ids])
        known = {row[0] for row in self.env.cr.fetchall()}
        taxes = company.account_sale_tax_id if company.isp_late_fee_ppn and company.isp_pkp else self.env["account.tax"]
        sold = SimpleNamespace(product_id=company._isp_late_fee_product(), tax_ids=taxes)
        drafts, by_line = [], {}
        for fee, move in zip(fees, moves):
            if fee.invoice in known:
                continue
            name = _("Late fee on %s", move.name)
            if move.partner_id.lang:
                name = self.with_context(lang=move.partner_id.lang)._late_fee_name(move)
            writer = self.env["isp.invoice_writer"]
            drafts.append(writer._draft(
                move.partner_id, journal, fee.on, fee.due_date,
                [writer._line(sold, company, name, fee.dpp)],
                {"isp_subscription_id": move.isp_subscription_id.id, "isp_late_fee_of_id": move.id, "invoice_origin": move.name},
            ))
            by_line.setdefault(move.isp_subscription_id.id, []).append(fee)
        failed = {}
        written = self._write_drafts(company, drafts, failed) if drafts else self.env["account.move"]
        lost = []
        for key, (error, _period) in failed.items():
            lost += by_line[key]
            self.env["isp.subscription"].browse(key).write({
                "billing_error": str(error), "billing_error_code": getattr(error, "code", None) or "odoo.refused",
                "billing_error_date": fields.Datetime.now(),
            })
        self.write({
            "late_fee_count": self.late_fee_count + len(written),
            "amount_total": self.amount_total + sum(written.mapped("amount_total")),
            "problem_count": self.problem_count + len(failed),
        })
        self.env.flush_all()
        return lost

    def _late_fee_name(self, move):
        return _("Late fee on %s", move.name)


class AccountMove(models.Model):
    _inherit = "account.move"

    isp_late_fee_notice = fields.Char("Late fee to come", compute="_compute_isp_late_fee_notice")

    @api.depends(
        "invoice_date_due", "amount_residual", "state", "isp_late_fee_ids", "isp_period_start", "company_id.isp_late_fee",
    )
    @api.depends_context("isp_now")
    def _compute_isp_late_fee_notice(self):
        """The fee that is coming, shown before it is charged; a payment before its day spares it."""
        self.isp_late_fee_notice = False
        bearing = self.filtered(
            lambda m: m.state == "posted" and m.move_type == "out_invoice" and m.isp_period_start
            and not m.isp_charge and m.amount_residual > 0 and not m.sudo().isp_late_fee_ids
        )
        for company in bearing.company_id:
            policy = company.sudo()._isp_late_fee_policy()
            own = bearing.filtered(lambda m, company=company: m.company_id == company)
            if not policy:
                continue
            rows = [
                isp_engine.LateInvoice(m.id, m.invoice_date_due, rupiah_owed(m.amount_residual), m.sudo().isp_subscription_id.zone)
                for m in own
            ]
            for fee in isp_engine.late_fees(rows, company._isp_now(), policy, since=company.sudo().isp_late_fee_through):
                move = self.browse(fee.invoice)
                move.isp_late_fee_notice = _(
                    "A late fee of %(amount)s is charged on %(day)s unless it is paid before.",
                    amount=formatLang(self.env, fee.dpp, currency_obj=company.currency_id), day=format_date(self.env, fee.on),
                )
