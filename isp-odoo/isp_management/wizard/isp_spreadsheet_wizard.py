"""An owner's spreadsheets into Odoo: read and checked by the engine, shown with the money that follows, and written whole or not at all.

A row that is wrong is named by file, line and column, never by what is in it. The files lie in the database sealed, and go away with the
wizard."""

import base64
from collections import defaultdict

import isp_engine
from isp_engine import spreadsheets as engine

from odoo import Command, _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..logic import spreadsheets
from ..logic.money import rupiah
from ..logic.spreadsheets import NOWHERE
from ..models.isp_guard_mixin import MANAGER
from ..models.isp_package import FIRST_DAY
from .isp_spreadsheet_parts import KINDS

KIND_OF = {
    "SheetSite": "sites", "SheetRouter": "routers", "SheetPackage": "packages", "SheetCustomer": "customers", "SheetLine": "subscriptions",
    "SheetDevice": "cpes", "SheetInstallation": "installations", "SheetExpense": "expenses",
}


# Records that exist and cannot be compared; each is found by asking the engine again.
ODD = 30
# So many problems are listed; the copies of the files name all.
PROBLEMS = 500


class IspSpreadsheetWizard(models.TransientModel):
    _name = "isp.spreadsheet.wizard"
    _description = "Import of spreadsheets"
    _inherit = ["isp.show.mixin"]

    company_id = fields.Many2one("res.company", required=True, readonly=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    file_ids = fields.One2many("isp.spreadsheet.file", "wizard_id", "Files")
    map_ids = fields.One2many("isp.spreadsheet.map", "wizard_id", "Columns that are called otherwise")
    dates = fields.Selection(
        [("dmy", "The day first"), ("mdy", "The month first")], "Dates like 1/2/2026", help="Empty: as each column shows it by its other days.",
    )
    billed_from = fields.Date(
        "Bill from", required=True, default=lambda self: self.env.company._isp_today(),
        help="The first day that is invoiced here. Periods and installation fees from before it were billed elsewhere.",
    )
    update = fields.Boolean(
        "Change what differs", help="Rows that exist and differ are changed. A line is not: its terms and its account have buttons of their own.",
    )
    activate = fields.Boolean("Activate new lines", default=True, help="They are billed, and wanted open on their routers.")
    state = fields.Selection([("choose", "Files"), ("shown", "Preview"), ("done", "Written")], default="choose", readonly=True)
    shown = fields.Char(readonly=True, groups="base.group_system")
    count_ids = fields.One2many("isp.spreadsheet.count", "wizard_id", "Rows", readonly=True)
    problem_ids = fields.One2many("isp.spreadsheet.problem", "wizard_id", "Problems")
    notice_ids = fields.One2many("isp.spreadsheet.notice", "wizard_id", "Good to know", readonly=True)
    copy_ids = fields.One2many("isp.spreadsheet.copy", "wizard_id", "Copies with remarks", readonly=True)
    problem_count = fields.Integer("Open problems", readonly=True)
    to_write = fields.Integer("Rows to write", readonly=True)
    monthly = fields.Monetary("New lines per month, with PPN", readonly=True)
    first_date = fields.Date("Their first invoices on", readonly=True)
    past_count = fields.Integer("Invoices of the next billing run", readonly=True)
    past_amount = fields.Monetary("Amount of these", readonly=True)

    @api.constrains("company_id")
    def _check_company(self):
        """Odoo asks for the rule of a record before it is written, and not afterwards."""
        if any(wizard.company_id not in self.env.user.company_ids for wizard in self):
            raise AccessError(_("Spreadsheets are imported into a company of one's own."))

    @api.model
    def _isp_check_manager(self):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(_("Importing spreadsheets is for the group Manager."))

    @api.model
    def action_isp_open(self):
        self._isp_check_manager()
        return self.create({})._isp_show(_("Import spreadsheets"), "extra-large")

    @api.model
    def _isp_category_names(self):
        """The categories that the engine knows, for those that are made here."""
        return [
            ("bandwidth", _("Bandwidth")), ("salaries", _("Salaries")), ("electricity", _("Electricity")), ("fees", _("Fees")),
            ("other", _("Other costs")),
        ]

    # Looking

    def action_look(self):
        """Read the files and show what would be written. Nothing is."""
        self.ensure_one()
        self._isp_check_manager()
        self._isp_fill(*self._isp_read(copies=True))
        return self._isp_show(_("Import spreadsheets"), "extra-large")

    def _isp_read(self, copies=False):
        """The records that exist, what the engine says of the files, and which of the answered questions it still asks."""
        if not self.file_ids:
            raise UserError(_("Choose a file."))
        known = self.env["isp.spreadsheet.books"]._isp_records(self.company_id)
        said = {problem._isp_question() for problem in self.problem_ids if problem.is_question and problem.accepted}
        found = self._isp_ask(known, (), copies and not said)
        asked = defaultdict(set)
        for one in found.problems:
            if one.is_question:
                asked[one.file, one.line].add((one.file, one.line, one.column, one.code, one.message))
        # The engine takes an answer for a whole row: it gets one when each question of the row was answered.
        rows = [row for row, questions in asked.items() if questions <= said]
        if said:
            found = self._isp_ask(known, rows, copies)
        answered = said & set().union(*asked.values())
        still = [one for one in found.problems if (one.file, one.line, one.column, one.code, one.message) not in answered]
        # A question is a fault of one row.
        told = [one for one in found.faults if (one.file, one.lines[0], one.column, one.code, one.message) not in answered]
        return known, found._replace(problems=tuple(still), faults=tuple(told)), answered

    def _isp_ask(self, known, accepted, copies):
        books, company = self.env["isp.spreadsheet.books"], self.company_id
        exists, odd = books._isp_books(company, known), []
        while True:
            try:
                found = engine.read(
                    [engine.SheetFile(file.name, file._isp_content(), file.kind or None) for file in self.file_ids],
                    exists, company._isp_now(), language=spreadsheets.language_of(self.env.user.lang),
                    maps=[(one.heading, one.meaning) for one in self.map_ids], dates=self.dates or None, billed_from=self.billed_from,
                    update=self.update, accept=[engine.SheetAnswer(*row) for row in accepted], copies=copies,
                )
                break
            except isp_engine.InvalidValue as error:
                # The words name a place and never its value. A record that exists and is odd stops no other row.
                exists, record, why = books._isp_without(exists, str(error))
                if not record:
                    raise UserError(str(error)) from error
                if len(odd) == ODD:
                    raise UserError(_("Something that exists cannot be compared: %s", error)) from error
                odd.append((record, why))
        if not company.account_sale_tax_id:
            found = found._replace(rows=tuple(map(self._isp_without_tax, found.rows)))
        return self._isp_without_odd(found, odd)

    @api.model
    def _isp_without_odd(self, found, odd):
        """Holds back the rows that may be about a record that cannot be compared: nobody knows whether they are new."""
        rows, problems, faults = [], list(found.problems), list(found.faults)
        for row in found.rows:
            why = next((why for record, why in odd if type(row.record) is type(record) and str(row.record[0]).lower() == str(record[0]).lower()), None)
            if why and row.verdict == "new":
                row = row._replace(verdict="refused")
                told = "", "import.not_comparable", _(
                    "It may exist already, and what exists cannot be compared: %s. Correct that record first.", why
                ), False
                problems.append(engine.SheetProblem(row.file, row.line, *told))
                faults.append(engine.SheetFault(row.file, (row.line,), str(row.line), *told))
            rows.append(row)
        return found._replace(rows=tuple(rows), problems=tuple(problems), faults=tuple(faults))

    @api.model
    def _isp_without_tax(self, row):
        """Without a tax of sales nothing tells whether a price contains it."""
        if row.verdict != "differs" or "tax" not in row.columns or not isinstance(row.record, engine.SheetPackage):
            return row
        columns = tuple(column for column in row.columns if column != "tax")
        return row._replace(columns=columns, verdict="differs" if columns else "same")

    def _isp_fill(self, known, found, answered):
        """What the person sees of it."""
        writes = [row for row in found.rows if row.verdict == "new" or row.verdict == "differs" and row.updatable and self.update]
        # What was answered stays, so that it can be taken back.
        self.problem_ids.filtered(lambda one: not one.accepted or one._isp_question() not in answered).unlink()
        self.count_ids = [Command.clear(), *(Command.create(vals) for vals in self._isp_counts(found))]
        self.problem_ids = [
            Command.create({
                "file": one.file, "line": one.lines[0], "lines": one.listed, "column": one.column, "code": one.code,
                "message": one.message, "is_question": one.is_question,
            })
            for one in found.faults[:PROBLEMS]
        ]
        money, unbilled = self._isp_money(known, found.rows)
        self.notice_ids = [Command.clear(), *(Command.create(vals) for vals in self._isp_notices(known, found, unbilled))]
        self.copy_ids.unlink()
        for copy in found.copies if found.problems else ():
            self.env["isp.spreadsheet.copy"].create({"wizard_id": self.id, "name": copy.name, "content": base64.b64encode(copy.content)})
        self.write({
            "state": "shown", "problem_count": len(found.problems), "to_write": len(writes), **money,
        })
        self.sudo().shown = self._isp_fingerprint(found, money)

    def _isp_fingerprint(self, found, money):
        """What was shown, what it comes to and how it would be written; of the rows themselves only a keyed hash is kept."""
        rows = [(row.file, row.line, row.verdict, row.columns, tuple(row.record)) for row in found.rows]
        how = (str(self.billed_from), self.update, self.activate, self.company_id.account_sale_tax_id.id)
        return self.env["isp.router"]._isp_vault().index(repr((rows, sorted(money.items()), how)))

    def _isp_counts(self, found):
        counts = {}
        for row in found.rows:
            one = counts.setdefault(KIND_OF[type(row.record).__name__], dict.fromkeys(
                ("new", "changed", "kept", "same", "left_out", "refused"), 0
            ))
            if row.verdict == "differs":
                one["changed" if row.updatable and self.update else "kept"] += 1
            else:
                one[row.verdict] += 1
        return [{"kind": kind, **counts[kind]} for kind, _label in KINDS if kind in counts]

    # The money that follows

    def _isp_money(self, known, rows):
        """What the new lines come to by the engine: a month of all, the day of their first invoices, and what is due by now; and
        notices of lines that cannot be billed."""
        company = self.company_id.sudo()
        new = [row for row in rows if row.verdict == "new" and isinstance(row.record, engine.SheetLine)]
        if not new or not self.activate:
            return {"monthly": 0, "first_date": False, "past_count": 0, "past_amount": 0}, []
        packages = self._isp_packages(known, rows, {row.record.package.lower() for row in new})
        zones = {NOWHERE: company.isp_zone, **{code: site.zone for code, (_name, site) in known["isp.site"].items()}}
        zones.update({row.record.code.lower(): row.record.zone for row in rows if isinstance(row.record, engine.SheetSite)})
        terms = [
            isp_engine.Subscription(
                at, line.package.lower(), line.start, line.billing_day, line.cycle, line.timing, zones[(line.site or NOWHERE).lower()],
                line.billed_from, held_price=line.held_price, discount=line.discount,
            )
            for at, line in enumerate(row.record for row in new)
        ]
        now, today = company._isp_now(), company._isp_today()
        how = {"policy": company._isp_billing_policy(), "tax": company._isp_tax_policy()}
        due = isp_engine.plan_billing(terms, packages, now, position=company.isp_billed_through or None, **how)
        changes = isp_engine.decide_terms([isp_engine.TermsFacts(one, None, [], "closed") for one in terms], packages, now, **how)
        ahead = [change.next.invoice for change in changes if isinstance(change, isp_engine.TermsChange) and change.next]
        first = sorted(invoice.issue_date for invoice in [*due.invoices, *ahead])
        month = isp_engine.plan_billing([
            one._replace(start=today, day=today.day, cycle="monthly", timing="prepaid", billed_from=today, zone=company.isp_zone)
            for one in terms
        ], packages, now, tax=how["tax"])
        unbilled = [
            (new[problem.subscription].file, new[problem.subscription].line, False,
             _("It is taken over, and cannot be billed: %s", problem.message))
            for problem in due.problems
        ]
        return {
            "monthly": sum(invoice.total for invoice in month.invoices), "first_date": first[0] if first else False,
            "past_count": len(due.invoices), "past_amount": sum(invoice.total for invoice in due.invoices),
        }, unbilled

    def _isp_packages(self, known, rows, codes):
        """The engine's packages of these codes, as they will be."""
        found = {}
        for code, (_name, package) in known["isp.package"].items():
            prices = [isp_engine.Price(price.date_from, rupiah(price.price)) for price in package.price_ids if price.price]
            if code in codes and prices:
                # Odoo's invoices have the taxes of the package: where it has none, the price is all.
                mode = "inclusive" if not package.tax_ids or any(package.tax_ids.mapped("price_include")) else "exclusive"
                found[code] = isp_engine.Package(code, prices, mode)
        for row in rows:
            if isinstance(row.record, engine.SheetPackage) and row.verdict == "new":
                code = row.record.code.lower()
                mode = row.record.tax_mode if self.company_id.account_sale_tax_id else "inclusive"
                found[code] = isp_engine.Package(code, [isp_engine.Price(FIRST_DAY, row.record.price)], mode)
        return [found[code] for code in sorted(codes & set(found))]

    # Writing

    def action_confirm(self):
        """Write what was shown, all of it in this transaction. What is not so any more is shown again, and nothing is written."""
        self.ensure_one()
        self._isp_check_manager()
        if self.state == "done":
            raise UserError(_("These files were written already."))
        self._isp_hold()
        known, found, _answered = self._isp_read()
        if found.problems or self.sudo().shown != self._isp_fingerprint(found, self._isp_money(known, found.rows)[0]):
            self._isp_fill(*self._isp_read(copies=True))
            return self._isp_show(_("Look again: not everything is right yet"), "extra-large")
        rows = [row for row in found.rows if row.verdict in ("new", "differs")]
        self.env["isp.spreadsheet.writer"]._isp_write(self.company_id, rows, known, self.update, self.activate)
        # What was in the files is here now.
        self.file_ids.unlink()
        self.copy_ids.unlink()
        self.state = "done"
        return self._isp_show(_("The spreadsheets are written"), "extra-large")

    def _isp_hold(self):
        """Two who import into one company at one moment: the second meets a serialization failure, Odoo does the request again, and it
        finds what the first one wrote."""
        self.env.cr.execute("UPDATE res_company SET id = id WHERE id = %s", [self.company_id.id])
