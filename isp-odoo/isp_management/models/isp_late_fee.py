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
            company.sudo().isp_late_fee_through = through
        return run, True

    @api.model
    def _late_rows(self, company, policy, since):
        """Invoices for a period whose fee's day has come since then, with what was unpaid when that day began."""
        today = terms_rows.today(company._isp_now(), "WIT")
        late = self.env["account.move"].sudo().search([
            ("company_id", "=", company.id), ("state", "=", "posted"), ("move_type", "=", "out_invoice"),
            ("isp_period_start", "!=", False), ("isp_charge", "=", False), ("isp_late_fee_ids", "=", False),
            ("invoice_date_due", ">", policy.due_on(since or last_day(today))), ("invoice_date_due", "<=", policy.due_on(today)),
        ], order="id")
        books = late.isp_subscription_id.customer_id._isp_books()
        unpaid = {of.invoice: of.unpaid for of in isp_engine.unpaid_when_late(books, policy)}
        return [
            isp_engine.LateInvoice(move.id, move.invoice_date_due, unpaid[move.id], move.isp_subscription_id.zone)
            for move in late if move.id in unpaid
        ]

    @api.model
    def _fee_drafts(self, company, fees):
        """The fees with the drafts of their invoices, but for those that are written already. The journal is held."""
        journal = company._isp_sale_journal()
        self._lock(journal)
        moves = self.env["account.move"].browse([fee.invoice for fee in fees])
        self.env["account.move"].flush_model(["isp_late_fee_of_id", "isp_late_fee_nth"])
        self.env.cr.execute(
            "SELECT isp_late_fee_of_id, coalesce(isp_late_fee_nth, 0) FROM account_move WHERE isp_late_fee_of_id = ANY(%s)", [moves.ids]
        )
        known = set(self.env.cr.fetchall())
        taxes = company.account_sale_tax_id if company.isp_late_fee_ppn and company.isp_pkp else self.env["account.tax"]
        sold = SimpleNamespace(product_id=company._isp_late_fee_product(), tax_ids=taxes)
        found = []
        for fee, move in zip(fees, moves):
            nth = getattr(fee, "nth", 0)
            if (fee.invoice, nth) in known:
                continue
            name = _("Late fee on %s", move.name)
            if move.partner_id.lang:
                name = self.with_context(lang=move.partner_id.lang)._late_fee_name(move)
            writer = self.env["isp.invoice_writer"]
            found.append((fee, writer._draft(
                move.partner_id, journal, fee.on, fee.due_date,
                [writer._line(sold, company, name, fee.dpp)],
                {"isp_subscription_id": move.isp_subscription_id.id, "isp_late_fee_of_id": move.id, "isp_late_fee_nth": nth,
                 "invoice_origin": move.name},
            )))
        return found

    @api.model
    def _charge_again(self, company, fees):
        """Write late fees that are due because a payment was taken back; all of them, or the payment stays."""
        drafts = [draft for _fee, draft in self._fee_drafts(company, fees)]
        if drafts:
            self.env["isp.invoice_writer"].with_context(isp_memo=defaultdict(dict))._write_invoices(company, drafts)

    def _write_late_fees(self, company, fees):
        """Write a batch of fees as posted invoices; returns those that could not be written."""
        drafts, by_line, failed = [], {}, {}
        for fee, draft in self._fee_drafts(company, fees):
            drafts.append(draft)
            by_line.setdefault(draft["extra"]["isp_subscription_id"], []).append(fee)
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
