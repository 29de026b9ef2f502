"""The daily billing run: page by page the engine plans, batch by batch invoices are written and committed."""

import logging
import random
import threading
import time
from collections import defaultdict
from contextlib import contextmanager

import isp_engine
import psycopg2

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..logic import billing_rows, terms_rows, transaction
from ..logic.clock import day_after
from ..logic.money import rupiah, whole

_logger = logging.getLogger(__name__)

PAGE = 5000
BATCH = 250
# A run gives the cron worker back after this time and triggers itself again.
SECONDS = 240
ATTEMPTS = 5
# First key of PostgreSQL's advisory locks of this addon ("isp"); the second one is the company.
LOCK = 0x697370
# Somebody else was faster: the batch is planned on an old view of the database and tried again on a new one.
COLLISIONS = (
    psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected, psycopg2.errors.LockNotAvailable,
    psycopg2.errors.UniqueViolation,
)


class IspBillingRun(models.Model):
    _name = "isp.billing_run"
    _description = "Billing run"
    _order = "id desc"
    _rec_name = "started_at"

    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    started_at = fields.Datetime(readonly=True, required=True, default=fields.Datetime.now)
    finished_at = fields.Datetime(readonly=True)
    through = fields.Date("Billed through", readonly=True)
    state = fields.Selection([("running", "Running"), ("done", "Done")], default="running", readonly=True, required=True)
    invoice_count = fields.Integer("Invoices", readonly=True)
    amount_total = fields.Monetary("Total", readonly=True)
    known_count = fields.Integer("Billed before", readonly=True, help="Periods that another run had billed already.")
    problem_count = fields.Integer("Not billed", readonly=True)
    late_fee_count = fields.Integer("Late fees", readonly=True)
    skipped_count = fields.Integer("Left out", readonly=True, help="Periods that are not billed because the line is isolated.")
    credit_count = fields.Integer("Credit notes", readonly=True, help="What was given back for days in isolation.")
    slow_count = fields.Integer("Written singly", readonly=True)
    tax_differences = fields.Integer(
        "PPN differs", readonly=True, help="Invoices whose tax in Odoo is not the PPN that the law's formula gives.",
    )

    # Entry points

    @api.model
    def _cron_bill(self):
        """Bill every company; called daily, and again at once while there is more to do."""
        deadline = time.monotonic() + SECONDS
        companies = self.env["isp.subscription"].sudo().with_context(active_test=False)._read_group(
            [("state", "!=", "draft")], ["company_id"]
        )
        late = []

        def bill(company):
            if not late and company.sudo()._isp_begin_run() and not self._bill(company, deadline):
                late.append(company)

        transaction.for_each(self.env, [company for (company,) in companies], bill, "billing")
        if late:
            self.env.ref("isp_management.cron_bill")._trigger()

    def action_bill_now(self):
        """Bill the user's company now."""
        if not self.env.user.has_group("isp_management.group_billing"):
            raise AccessError(_("Only the billing group runs the billing."))
        self.env.company.sudo()._isp_check_clock()
        self.sudo()._bill(self.env.company, time.monotonic() + SECONDS)
        return self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_billing_run_action")

    # A company

    @api.model
    def _bill(self, company, deadline):
        """Bill what is due in a company; False when time was up before the end."""
        company = company.sudo()
        self = self.sudo().with_company(company)
        now, position = company._isp_now(), company.isp_billed_through or None
        run, after, next_position = self.browse(), 0, None
        while True:
            rows = self._page(company, position, after)
            if not rows:
                break
            after = rows[-1][0]
            plan = self._plan(company, rows, now, position)
            next_position, planned = plan.next_position, ({row[0]: row for row in rows}, now, position)
            for batch in billing_rows.batches(plan, BATCH):
                run = run or self.create({"company_id": company.id})
                run._until_done(
                    company, lambda run=run, batch=batch, planned=planned: run._write_batch(company, batch, planned)
                )
                if time.monotonic() > deadline:
                    return False
            run = self._after_page(company, run, rows, plan, position)
        run, in_time = self._charge_late_fees(company, run, deadline)
        if not in_time:
            return False
        with self._alone(company):
            if next_position and (not company.isp_billed_through or company.isp_billed_through < next_position):
                company.sudo().isp_billed_through = next_position
            if run:
                run.write({"state": "done", "finished_at": fields.Datetime.now(), "through": next_position})
            self._commit()
        return True

    @api.model
    def _page(self, company, position, after):
        """The facts of the next subscriptions that may have something to bill, without the ORM's cost."""
        self.env["isp.subscription"].flush_model()
        self.env["isp.installation_fee"].flush_model(["state", "subscription_id"])
        self.env.cr.execute(
            """
            SELECT %s FROM isp_subscription
            WHERE company_id = %%s AND id > %%s AND billed_elsewhere IS NOT TRUE
              AND (state IN ('active', 'paused')
                   OR state = 'terminated' AND (
                       billed_from IS NOT NULL OR end_date >= %%s
                       OR EXISTS (SELECT 1 FROM isp_installation_fee f WHERE f.subscription_id = isp_subscription.id AND f.state = 'waiting')
                   ))
            ORDER BY id LIMIT %%s
            """ % ", ".join(billing_rows.COLUMNS),
            [company.id, after, position or "1970-01-01", PAGE],
        )
        return self.env.cr.fetchall()

    @api.model
    def _plan(self, company, rows, now, position):
        """The engine's plan for a page, without PPN: Odoo's taxes are the package's. A bad row is a problem."""
        packages, refused = self._catalog({row[at] for row in rows for at in billing_rows.PACKAGES if row[at]})
        isolated = self._isolated_spans([row[0] for row in rows]) if company.isp_while_isolated == "skip" else {}
        subscriptions, problems, waiting = [], [], self._waiting_fees([row[0] for row in rows])
        for row in rows:
            try:
                for at in billing_rows.PACKAGES:
                    if row[at] in refused:
                        raise refused[row[at]]
                subscriptions.append(billing_rows.of_row(row, isolated.get(row[0], ())))
            except ValueError as error:
                problems.append(_problem(row[0], error))
        while True:
            try:
                plan = isp_engine.plan_billing(
                    subscriptions, packages, now, position=position, policy=company._isp_billing_policy(),
                    tax=isp_engine.TaxPolicy(pkp=False), first_fees=billing_rows.fees_of(waiting, subscriptions),
                )
                break
            except isp_engine.InvalidValue as error:
                if error.row is None:
                    raise
                problems.append(_problem(subscriptions.pop(error.row).key, error))
        by_id = {row[0]: row for row in rows}
        plan = self._without_ppn_rule(company, plan, {key: row[billing_rows.TIMING] for key, row in by_id.items()})
        marks = [
            # Without a mark the position would pass it by.
            isp_engine.BilledFrom(problem.subscription, _first_unbilled(by_id[problem.subscription], position))
            for problem in problems
        ]
        return plan._replace(problems=[*plan.problems, *problems], billed_from=[*plan.billed_from, *marks])

    @api.model
    def _without_ppn_rule(self, company, plan, timings):
        """A day before any rule of PPN cannot be billed with PPN, and is said (rule B8); the rest of the run goes on."""
        refused, tax = {}, company._isp_tax_policy()
        for day in {invoice.issue_date for invoice in plan.invoices} if company.isp_pkp else ():
            try:
                isp_engine.ppn([isp_engine.Taxable(1, day)], tax=tax)
            except isp_engine.InvalidValue as error:
                refused[day] = error
        if not refused:
            return plan
        kept, marks, problems, packages = [], {}, [], self.env["isp.package"].with_context(active_test=False)
        for invoice in plan.invoices:
            error = refused.get(invoice.issue_date)
            if invoice.subscription in marks:
                continue  # What comes after it waits with it.
            if not error or not packages.browse(invoice.package).tax_ids:
                kept.append(invoice)
                continue
            marks[invoice.subscription] = billing_rows.trigger_day(invoice, timings[invoice.subscription])
            # Without the place in what the engine was asked.
            problems.append(isp_engine.Problem(invoice.subscription, error.code, str(error).partition(": ")[2]))
        others = [mark for mark in plan.billed_from if mark.subscription not in marks]
        periods = {(invoice.subscription, invoice.period_start) for invoice in kept}
        return plan._replace(
            invoices=kept, problems=[*plan.problems, *problems],
            fees=[fee for fee in plan.fees if not fee.period_start or (fee.subscription, fee.period_start) in periods],
            billed_from=[*others, *(isp_engine.BilledFrom(key, day) for key, day in marks.items())],
        )

    @api.model
    def _catalog(self, package_ids):
        """The engine's packages by id, and the errors of those that it does not take."""
        packages, refused = [], {}
        for package in self.env["isp.package"].with_context(active_test=False).browse(sorted(package_ids)):
            mode = "inclusive" if any(package.tax_ids.mapped("price_include")) else "exclusive"
            try:
                prices = [isp_engine.Price(price.date_from, rupiah(price.price)) for price in package.price_ids]
                entry = isp_engine.Package(package.id, prices, mode)
                isp_engine.plan_billing([], [entry], self.env.company._isp_now())
                packages.append(entry)
            except ValueError as error:
                refused[package.id] = error
        return packages, refused

    # A batch

    def _until_done(self, company, write):
        """Write a batch in a transaction of its own; tried again when another transaction was in the way."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._alone(company), mute_logger("odoo.sql_db"):
                    write()
                    self._commit()
                return
            except COLLISIONS as error:
                if attempt == ATTEMPTS or not self._may_commit():
                    raise
                _logger.info("billing run, attempt %s: %s", attempt, type(error).__name__)
                time.sleep(random.uniform(0.1, 0.5) * attempt)

    @contextmanager
    def _alone(self, company):
        """Wait for other runs of the company, then look at the database anew, with what they wrote.

        The lock is the connection's and not the transaction's: Odoo's transactions keep the view they began with, so
        one that waited inside would not see the invoices of the run it waited for. It goes with a killed process.
        What is not committed inside is undone.
        """
        if not self._may_commit():
            yield
            return
        cr, company_id = self.env.cr, company.id
        cr.commit()  # pylint: disable=invalid-commit
        cr.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, company_id])
        cr.commit()  # pylint: disable=invalid-commit
        try:
            yield
        finally:
            cr.rollback()
            cr.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, company_id])
            cr.commit()  # pylint: disable=invalid-commit

    def _write_batch(self, company, batch, planned):
        journal = company._isp_sale_journal()
        self._lock(journal)
        batch = self._still_so(company, batch, *planned)
        known = self._known_periods(batch.invoices)
        todo = [i for i in batch.invoices if (i.subscription, i.period_start) not in known]
        failed = {}
        drafts = self._drafts(journal, todo, batch.fees)
        moves = self._write_drafts(company, drafts, failed) if drafts else self.env["account.move"]
        moves |= self._invoice_fees(company, batch.fees, moves, failed)
        self._write_marks(batch, failed)
        self.write({
            "invoice_count": self.invoice_count + len(moves),
            "amount_total": self.amount_total + sum(move.amount_total for move in moves),
            "known_count": self.known_count + len(known),
            "problem_count": self.problem_count + len(failed) + len(batch.problems),
            "tax_differences": self.tax_differences + self._tax_differences(company, moves),
        })
        self.env.flush_all()

    def _still_so(self, company, batch, rows, now, position):
        """The batch as it has to be now that nobody else writes in the company: lines whose terms changed since they were planned
        are planned anew. They are touched, so that whoever changes their terms on an older view has to look again."""
        keys = {invoice.subscription for invoice in batch.invoices} | set(batch.marks) | {fee.subscription for fee in batch.fees}
        self.env["isp.subscription"].flush_model(["billed_at", *billing_rows.COLUMNS[1:]])
        self.env.cr.execute(
            "UPDATE isp_subscription SET billed_at = now() AT TIME ZONE 'UTC' WHERE id = ANY(%%s) RETURNING %s" % ", ".join(billing_rows.COLUMNS),
            [sorted(keys)],
        )
        now_so = self.env.cr.fetchall()
        other_fees = self._lines_with_other_fees(batch)
        changed = [row for row in now_so if row != rows[row[0]] or row[0] in other_fees]
        self.env["isp.subscription"].browse(keys).invalidate_recordset(["billed_at"], flush=False)
        if not changed:
            return batch
        plan, others = self._plan(company, changed, now, position), {row[0] for row in changed}
        return billing_rows.Batch(
            [invoice for invoice in batch.invoices if invoice.subscription not in others] + plan.invoices,
            {
                **{key: mark for key, mark in batch.marks.items() if key not in others},
                **{mark.subscription: mark.billed_from for mark in plan.billed_from},
            },
            [problem for problem in batch.problems if problem.subscription not in others] + plan.problems,
            [fee for fee in batch.fees if fee.subscription not in others] + plan.fees,
        )

    def _lock(self, journal):
        """Hold the journal, so that nobody else gives the numbers that this batch gives."""
        self.env.cr.execute("SELECT id FROM account_journal WHERE id = %s FOR UPDATE", [journal.id])

    def _known_periods(self, invoices):
        if not invoices:
            return set()
        self.env["account.move"].flush_model(["isp_subscription_id", "isp_period_start", "isp_charge"])
        self.env.cr.execute(
            "SELECT isp_subscription_id, isp_period_start FROM account_move"
            " WHERE isp_subscription_id = ANY(%s) AND isp_charge IS NULL",
            [list({invoice.subscription for invoice in invoices})],
        )
        wanted = {(invoice.subscription, invoice.period_start) for invoice in invoices}
        return wanted.intersection(self.env.cr.fetchall())

    def _drafts(self, journal, invoices, fees=()):
        writer, company = self.env["isp.invoice_writer"], journal.company_id
        with_fees = self._fees_by_period(fees)
        subscriptions = self.env["isp.subscription"].browse(dict.fromkeys(i.subscription for i in invoices))
        partners = {subscription.id: subscription.partner_id for subscription in subscriptions}
        packages, drafts = self.env["isp.package"], []
        for invoice in invoices:
            partner = partners[invoice.subscription]
            package = packages.browse(invoice.package)
            lang = partner.lang or self.env.lang
            names = writer.with_context(lang=lang)
            package_name = package.with_context(lang=lang).name
            lines = [
                writer._line(package, company, names._line_name(package_name, line, invoice), line.amount)
                for line in invoice.lines if line.kind != "installation"
            ]
            for fee in with_fees.get((invoice.subscription, invoice.period_start), ()):
                lines.append(fee._isp_invoice_line(writer, lang))
            drafts.append(writer._draft(
                partner, journal, invoice.issue_date, invoice.due_date, lines,
                {
                    "isp_subscription_id": invoice.subscription,
                    "isp_period_start": invoice.period_start,
                    "isp_period_end": invoice.period_end,
                },
            ))
        return drafts

    def _write_drafts(self, company, drafts, failed, way="whole"):
        """Write drafts; where a group fails, halve it until the bad ones are alone, and report those."""
        writer = self.env["isp.invoice_writer"].with_context(isp_memo=defaultdict(dict))
        try:
            return writer._write_invoices(company, drafts, way)
        except COLLISIONS:
            raise
        except psycopg2.OperationalError:
            raise
        except Exception as error:  # whatever one subscription breaks must not stop the others (rule B8)
            if len(drafts) > 1:
                middle = len(drafts) // 2
                return self._write_drafts(company, drafts[:middle], failed) | self._write_drafts(
                    company, drafts[middle:], failed
                )
            self.slow_count += 1
            if way == "whole":
                return self._write_drafts(company, drafts, failed, "plain")
            period = drafts[0]["extra"]
            _logger.warning("subscription %s was not billed: %s", period["isp_subscription_id"], error)
            failed.setdefault(period["isp_subscription_id"], (error, period))
            return self.env["account.move"]

    def _write_marks(self, batch, failed):
        """The engine's marks and problems onto the subscriptions, a write for each distinct value."""
        subscriptions = self.env["isp.subscription"].with_context(tracking_disable=True)
        marks = dict(batch.marks)
        problems = {problem.subscription: (problem.code, problem.message) for problem in batch.problems}
        for key, (error, period) in failed.items():
            subscription = subscriptions.browse(key)
            postpaid = subscription.timing == "postpaid"
            marks[key] = period["isp_period_end"] if postpaid else period["isp_period_start"]
            problems[key] = (getattr(error, "code", None) or "odoo.refused", str(error))
        grouped = defaultdict(list)
        for key, mark in marks.items():
            grouped[mark].append(key)
        for mark, keys in grouped.items():
            subscriptions.browse(keys).write({"billed_from": mark})
        billed = subscriptions.browse({i.subscription for i in batch.invoices} - set(problems))
        billed.filtered("billing_error_code").with_context(tracking_disable=False).write(
            {"billing_error": False, "billing_error_code": False, "billing_error_date": False}
        )
        for key, (code, message) in problems.items():
            subscription = subscriptions.browse(key).with_context(tracking_disable=False)
            vals = {"billing_error_date": fields.Datetime.now()}
            if (subscription.billing_error_code, subscription.billing_error) != (code, message):
                vals.update(billing_error=message, billing_error_code=code)
            subscription.write(vals)

    def _tax_differences(self, company, moves):
        """How many invoices with one tax carry another PPN than the engine's formula gives for their day."""
        if not company.isp_pkp or not moves:
            return 0
        asked = [
            (move, price)
            for move in moves
            if move.amount_tax and abs(move.amount_untaxed - whole(move.amount_untaxed)) < 0.004
            # PPN of a fee on the invoice is rounded by itself.
            for price in terms_rows.prices_without_ppn(move)
        ]
        taxed = isp_engine.ppn(
            [isp_engine.Taxable(rupiah(price), move.invoice_date) for move, price in asked], tax=company._isp_tax_policy()
        )
        ppn = defaultdict(int)
        for (move, _price), tax in zip(asked, taxed):
            ppn[move] += tax.ppn
        return sum(abs(move.amount_tax - amount) > 0.004 for move, amount in ppn.items())

    # Transactions

    @api.model
    def _may_commit(self):
        """Inside Odoo's tests everything is one transaction, unless a test says that it cleans up itself."""
        return self.env.context.get("isp_commit") or not getattr(threading.current_thread(), "testing", False)

    @api.model
    def _commit(self):
        if self._may_commit():
            self.env.cr.commit()  # pylint: disable=invalid-commit
        else:
            self.env.flush_all()

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(_("The log of billing runs is kept."))


def _problem(key, error):
    return isp_engine.Problem(key, getattr(error, "code", None) or "subscription.invalid", str(error))


def _first_unbilled(row, position):
    if row[billing_rows.BILLED_FROM]:
        return row[billing_rows.BILLED_FROM]
    return day_after(position) if position else row[billing_rows.START]
