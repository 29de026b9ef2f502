"""An owner's spreadsheets into Odoo: read and checked by the engine, shown with the money that follows, and written whole or not at all.

A row that is wrong is named by file, line and column, never by what is in it. The files lie in the database sealed, and go away with the
wizard."""

import base64

import isp_engine
from isp_engine import spreadsheets as engine

from odoo import Command, _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..logic import spreadsheets
from ..logic.money import rupiah
from ..logic.spreadsheets import NOWHERE
from ..models.isp_guard_mixin import MANAGER
from ..models.isp_package import FIRST_DAY

KINDS = [
    ("sites", "Sites"), ("routers", "Routers"), ("packages", "Packages"), ("customers", "Customers"), ("subscriptions", "Subscriptions"),
    ("cpes", "Devices (CPE)"), ("installations", "Installation fees (PSB)"), ("expenses", "Expenses"),
    ("everything", "Customer, package and line in each row"),
]
KIND_OF = {
    "SheetSite": "sites", "SheetRouter": "routers", "SheetPackage": "packages", "SheetCustomer": "customers", "SheetLine": "subscriptions",
    "SheetDevice": "cpes", "SheetInstallation": "installations", "SheetExpense": "expenses",
}
# A spreadsheet of 50,000 rows has less.
LARGEST = 20 * 1024 * 1024


class IspSpreadsheetWizard(models.TransientModel):
    _name = "isp.spreadsheet.wizard"
    _description = "Import of spreadsheets"
    _inherit = ["isp.show.mixin"]

    company_id = fields.Many2one("res.company", required=True, readonly=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    file_ids = fields.One2many("isp.spreadsheet.file", "wizard_id", "Files")
    map_ids = fields.One2many("isp.spreadsheet.map", "wizard_id", "Columns that are called otherwise")
    dates = fields.Selection(
        [("dmy", "The day first"), ("mdy", "The month first")], "1/2/2026 has", help="Empty: as each column shows it by its other days.",
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
        known, found = self._isp_read(copies=True)
        self._isp_fill(known, found)
        return self._isp_show(_("Import spreadsheets"), "extra-large")

    def _isp_read(self, copies=False):
        """The records that exist, and what the engine says of the files."""
        if not self.file_ids:
            raise UserError(_("Choose a file."))
        books, company = self.env["isp.spreadsheet.books"], self.company_id
        known = books._isp_records(company)
        accepted = self.problem_ids.filtered(lambda problem: problem.is_question and problem.accepted)
        try:
            found = engine.read(
                [engine.SheetFile(file.name, file._isp_content(), file.kind or None) for file in self.file_ids],
                books._isp_books(company, known), company._isp_now(), language=spreadsheets.language_of(self.env.user.lang),
                maps=[(one.heading, one.meaning) for one in self.map_ids], dates=self.dates or None, billed_from=self.billed_from,
                update=self.update, accept=[engine.SheetAnswer(problem.file, problem.line) for problem in accepted], copies=copies,
            )
        except isp_engine.InvalidValue as error:
            # Of a record that exists: the words name its place and never its value.
            raise UserError(_("Something that exists cannot be compared: %s", error)) from error
        if not company.account_sale_tax_id:
            found = found._replace(rows=tuple(map(self._isp_without_tax, found.rows)))
        return known, found

    @api.model
    def _isp_without_tax(self, row):
        """Without a tax of sales nothing tells whether a price contains it."""
        if row.verdict != "differs" or "tax" not in row.columns or not isinstance(row.record, engine.SheetPackage):
            return row
        columns = tuple(column for column in row.columns if column != "tax")
        return row._replace(columns=columns, verdict="differs" if columns else "same")

    def _isp_fill(self, known, found):
        """What the person sees of it."""
        writes = [row for row in found.rows if row.verdict == "new" or row.verdict == "differs" and row.updatable and self.update]
        # What was answered stays, so that it can be taken back.
        self.problem_ids.filtered(lambda one: not (one.is_question and one.accepted)).unlink()
        self.count_ids = [Command.clear(), *(Command.create(vals) for vals in self._isp_counts(found))]
        self.problem_ids = [
            Command.create({
                "file": one.file, "line": one.line, "column": one.column, "code": one.code, "message": one.message,
                "is_question": one.is_question,
            })
            for one in found.problems
        ]
        money, unbilled = self._isp_money(known, found.rows)
        self.notice_ids = [Command.clear(), *(Command.create(vals) for vals in self._isp_notices(found) + unbilled)]
        self.copy_ids.unlink()
        for copy in found.copies if found.problems else ():
            self.env["isp.spreadsheet.copy"].create({"wizard_id": self.id, "name": copy.name, "content": base64.b64encode(copy.content)})
        self.write({
            "state": "shown", "problem_count": len(found.problems), "to_write": len(writes), **money,
        })
        self.sudo().shown = self._isp_fingerprint(found)

    def _isp_fingerprint(self, found):
        """What was shown and how it would be written; of the rows themselves only a keyed hash is kept."""
        rows = [(row.file, row.line, row.verdict, row.columns, tuple(row.record)) for row in found.rows]
        how = (str(self.billed_from), self.update, self.activate)
        return self.env["isp.router"]._isp_vault().index(repr((rows, how)))

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

    def _isp_notices(self, found):
        """How cells were read, what differs, and what Odoo does not hold of it."""
        kinds = dict(self._isp_kinds())
        read_as = [
            {"file": file, "message": _("It is read as: %s", kinds[kind])} for file, kind in found.read_as
        ]
        told = [
            {
                "file": one.file, "column": one.column, "message": one.message,
                "lines": one.line and (_("%(line)s, and %(count)s more", line=one.line, count=one.lines - 1) if one.lines > 1 else str(one.line)),
            }
            for one in found.notices
        ]
        differs = [
            {
                "file": row.file, "lines": str(row.line), "column": ", ".join(row.columns),
                "message": _("It differs from what exists, and is not changed by an import: use the buttons of the line.")
                if not row.updatable else _("It differs from what exists, and is changed.") if self.update
                else _("It differs from what exists. Tick that this is to be changed."),
            }
            for row in found.rows if row.verdict == "differs"
        ]
        return read_as + told + differs + self._isp_not_held(found)

    @api.model
    def _isp_kinds(self):
        return self.env["isp.spreadsheet.file"]._fields["kind"]._description_selection(self.env)

    def _isp_not_held(self, found):
        """What rows say that has no place in Odoo, or waits there for a person."""
        notices = []

        def tell(row, column, message):
            notices.append({"file": row.file, "lines": str(row.line), "column": column, "message": message})

        for row in found.rows:
            record = row.record
            if row.verdict != "new":
                continue
            if isinstance(record, engine.SheetLine) and not record.router and record.site and record.site != NOWHERE:
                tell(row, "site", _("A line without a router keeps the time zone of its site, and not the site."))
            if isinstance(record, engine.SheetExpense) and record.paid_from in ("gateway", "pph23"):
                tell(row, "paid_from", _("It is booked as paid from the company's account for costs."))
            if isinstance(record, engine.SheetInstallation) and not record.with_first_invoice:
                tell(row, "fee", _("The fee is new, and is not invoiced before somebody presses its button Invoice."))
            if isinstance(record, engine.SheetPackage) and record.tax_mode == "inclusive" and not self.company_id.account_sale_tax_id:
                tell(row, "tax", _("The company has no tax of sales: the price is taken as it stands."))
        return notices

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
            {
                "file": new[problem.subscription].file, "lines": str(new[problem.subscription].line),
                "message": _("It is taken over, and cannot be billed: %s", problem.message),
            }
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
                mode = "inclusive" if any(package.tax_ids.mapped("price_include")) else "exclusive"
                found[code] = isp_engine.Package(code, prices, mode)
        for row in rows:
            if isinstance(row.record, engine.SheetPackage) and row.verdict == "new":
                code = row.record.code.lower()
                found[code] = isp_engine.Package(code, [isp_engine.Price(FIRST_DAY, row.record.price)], row.record.tax_mode)
        return [found[code] for code in sorted(codes & set(found))]

    # Writing

    def action_confirm(self):
        """Write what was shown, all of it in this transaction. What is not so any more is shown again, and nothing is written."""
        self.ensure_one()
        self._isp_check_manager()
        if self.state == "done":
            raise UserError(_("These files were written already."))
        self._isp_hold()
        known, found = self._isp_read()
        if found.problems or self.sudo().shown != self._isp_fingerprint(found):
            known, found = self._isp_read(copies=True)
            self._isp_fill(known, found)
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


class IspSpreadsheetContent(models.AbstractModel):
    _name = "isp.spreadsheet.content"
    _description = "A file of an import, sealed"

    content = fields.Binary(compute="_compute_content", inverse="_inverse_content", attachment=False)
    content_sealed = fields.Text(groups="base.group_system")

    def _isp_place(self):
        return (self._name, "content", self.id)

    @api.depends("content_sealed")
    def _compute_content(self):
        for file in self:
            file.content = base64.b64encode(file._isp_content()) if file.id and file._isp_shows() else False

    def _isp_shows(self):
        """Whether who owns the file gets it back."""
        return False

    def _inverse_content(self):
        vault = self.env["isp.router"]._isp_vault()
        for file in self.filtered("content"):
            text = file.content.decode() if isinstance(file.content, bytes) else file.content
            if len(text) > LARGEST * 4 // 3 + 4:
                raise UserError(_("%s is larger than 20 MB.", file.name))
            file.sudo().content_sealed = vault.seal(text, file._isp_place())
            # Another file asks anew.
            file.wizard_id.problem_ids.filtered(lambda one, file=file: one.file.split("[")[0] == file.name).accepted = False

    def _isp_content(self):
        self.ensure_one()
        sealed = self.sudo().content_sealed
        return base64.b64decode(self.env["isp.router"]._isp_vault().open(sealed, self._isp_place())) if sealed else b""


class IspSpreadsheetFile(models.TransientModel):
    _name = "isp.spreadsheet.file"
    _description = "A spreadsheet to import"
    _inherit = ["isp.spreadsheet.content"]

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade")
    name = fields.Char(required=True)
    kind = fields.Selection(KINDS, "What its rows are", help="Empty: as its name or its columns say.")


class IspSpreadsheetCopy(models.TransientModel):
    _name = "isp.spreadsheet.copy"
    _description = "A copy of a spreadsheet that says what is wrong"
    _inherit = ["isp.spreadsheet.content"]

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade")
    name = fields.Char(required=True)

    def _isp_shows(self):
        return True


class IspSpreadsheetMap(models.TransientModel):
    _name = "isp.spreadsheet.map"
    _description = "What a column of a spreadsheet is"

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade")
    heading = fields.Char("Column of the file", required=True)
    meaning = fields.Char("Is the column", required=True, help="Such as name, address, phone; - leaves it out.")


class IspSpreadsheetCount(models.TransientModel):
    _name = "isp.spreadsheet.count"
    _description = "Rows of a spreadsheet"

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade")
    kind = fields.Selection(KINDS, readonly=True)
    new = fields.Integer(readonly=True)
    changed = fields.Integer(readonly=True)
    kept = fields.Integer("Differ, not changed", readonly=True)
    same = fields.Integer(readonly=True)
    left_out = fields.Integer("Over, or billed elsewhere", readonly=True)
    refused = fields.Integer("Held back", readonly=True)


class IspSpreadsheetProblem(models.TransientModel):
    _name = "isp.spreadsheet.problem"
    _description = "What is wrong with a row of a spreadsheet"

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade")
    file = fields.Char(readonly=True)
    line = fields.Integer(readonly=True)
    column = fields.Char(readonly=True)
    code = fields.Char(readonly=True)
    message = fields.Char("Reason", readonly=True)
    is_question = fields.Boolean("Is a question", readonly=True)
    accepted = fields.Boolean("It is right as it is")


class IspSpreadsheetNotice(models.TransientModel):
    _name = "isp.spreadsheet.notice"
    _description = "What to know of a spreadsheet"

    wizard_id = fields.Many2one("isp.spreadsheet.wizard", required=True, ondelete="cascade")
    file = fields.Char(readonly=True)
    lines = fields.Char("Line", readonly=True)
    column = fields.Char(readonly=True)
    message = fields.Char(readonly=True)
