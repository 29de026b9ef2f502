"""What to know of an import of spreadsheets: how cells were read, what differs, and what Odoo makes of rows."""

from isp_engine import spreadsheets as engine

from odoo import _, api, models
from odoo.tools import config

from ..logic.spreadsheets import NOWHERE
from ..models.isp_find import dialled
from .isp_spreadsheet_wizard import PROBLEMS

# What writing a row takes, at most, on a small server that is busy, and how much of that it works: ten thousand rows took 13 seconds
# of work in Python and the database, and 66 seconds where eight others wanted the same processor.
SECONDS, WORKING = 0.006, 0.002


class IspSpreadsheetWizard(models.TransientModel):
    _inherit = "isp.spreadsheet.wizard"

    def _isp_notices(self, known, found, unbilled):
        """The notices as fields. What is the same of many rows is told once, with the first of them."""
        kinds = dict(self._isp_kinds())
        read_as = [
            {"file": file, "message": _("It is read as: %s", kinds[kind])} for file, kind in found.read_as
        ]
        told = [
            {"file": one.file, "column": one.column, "message": one.message, "lines": self._isp_lines(one.line, one.lines)}
            for one in found.notices
        ]
        together = {}
        for file, line, column, message in [
            *self._isp_differences(found), *self._isp_not_held(found), *self._isp_archived(known, found), *self._isp_contacts(found), *unbilled,
        ]:
            together.setdefault((file, column, message), []).append(line)
        more = len(found.faults) - PROBLEMS
        unlisted = [{"message": _("%s more problems are named in the copies of the files only.", more)}] if more > 0 else []
        named = {one.file for one in [*found.problems, *found.notices]} | {file for file, _kind in found.read_as}
        empty = [
            {"file": file.name, "message": _("Nothing stands in it.")} for file in self.file_ids if not any(map(file._isp_is, named))
        ]
        return unlisted + self._isp_too_long(found) + empty + read_as + told + [
            {"file": file, "column": column, "message": message, "lines": self._isp_lines(min(lines), len(lines))}
            for (file, column, message), lines in together.items()
        ]

    @api.model
    def _isp_too_long(self, found):
        """All is written in one request, and Odoo ends one that takes too long: nothing is written then."""
        rows = sum(row.verdict == "new" for row in found.rows)
        limits = [(config["limit_time_real"], SECONDS), (config["limit_time_cpu"], WORKING)]
        passed = [limit for limit, seconds in limits if limit and rows * seconds >= limit]
        if not passed:
            return []
        return [{"message": _(
            "Writing %(rows)s rows may take longer than the %(seconds)s seconds after which this server ends a request, and nothing is written"
            " then. Raise limit_time_real and limit_time_cpu in odoo.conf for it, or take the files in parts.", rows=rows, seconds=min(passed),
        )}]

    @api.model
    def _isp_lines(self, first, count):
        return first and (_("%(line)s, and %(count)s more", line=first, count=count - 1) if count > 1 else str(first))

    @api.model
    def _isp_kinds(self):
        return self.env["isp.spreadsheet.file"]._fields["kind"]._description_selection(self.env)

    def _isp_differences(self, found):
        for row in found.rows:
            if row.verdict == "differs":
                yield row.file, row.line, ", ".join(row.columns), (
                    _("It differs from what exists, and is not changed by an import: use the buttons of the line.")
                    if not row.updatable else _("It differs from what exists, and is changed.") if self.update
                    else _("It differs from what exists. Tick that this is to be changed.")
                )

    def _isp_not_held(self, found):
        """What rows say that has no place in Odoo, or waits there for a person."""
        for row in found.rows:
            record = row.record
            if row.verdict != "new":
                continue
            if isinstance(record, engine.SheetLine) and not record.router and record.site and record.site != NOWHERE:
                yield row.file, row.line, "site", _("A line without a router keeps the time zone of its site, and not the site.")
            if isinstance(record, engine.SheetExpense) and record.paid_from in ("gateway", "pph23"):
                yield row.file, row.line, "paid_from", _("It is booked as paid from the company's account for costs.")
            if isinstance(record, engine.SheetInstallation) and not record.with_first_invoice:
                yield row.file, row.line, "fee", _("The fee is new, and is not invoiced before somebody presses its button Invoice.")
            if isinstance(record, engine.SheetPackage) and record.tax_mode == "inclusive" and not self.company_id.account_sale_tax_id:
                yield row.file, row.line, "tax", _("The company has no tax of sales: the price is taken as it stands.")

    def _isp_archived(self, known, found):
        """New lines of what was put away here."""
        words = {
            "isp.customer": ("customer_id", _("The customer %s is archived, and comes back with the new line.")),
            "isp.package": ("package", _("The package %s is archived: the line has it all the same.")),
            "isp.router": ("router", _("The router %s is archived: nothing is written to it.")),
        }
        for row in found.rows:
            line = row.record
            if row.verdict != "new" or not isinstance(line, engine.SheetLine):
                continue
            for model, code in (("isp.customer", line.customer), ("isp.package", line.package), ("isp.router", line.router)):
                name, record = known[model].get((code or "").lower(), ("", None))
                if record and not record.active:
                    column, message = words[model]
                    yield row.file, row.line, column, message % name

    def _isp_contacts(self, found):
        """New customers whose number a contact has who is no customer: an import makes a contact of its own."""
        new = [
            row for row in found.rows if row.verdict == "new" and isinstance(row.record, engine.SheetCustomer) and row.record.phone
        ]
        if not new:
            return
        customers = self.env["isp.customer"].sudo().with_context(active_test=False).search([("company_id", "=", self.company_id.id)])
        names = {}
        for contact in self.env["res.partner"].search_read([
            ("company_id", "in", (False, self.company_id.id)), "|", ("mobile", "!=", False), ("phone", "!=", False),
            ("id", "not in", customers.partner_id.ids),
        ], ["name", "mobile", "phone"], order="id desc"):
            for number in (contact["mobile"], contact["phone"]):
                names[dialled(number or "")] = contact["name"]
        names.pop(None, None)
        for row in new:
            if name := names.get(dialled(row.record.phone)):
                yield row.file, row.line, "phone", _(
                    "The contact %s has this number and is no customer: the row makes another contact. Is it the same, make that contact a"
                    " customer with the ID of the row first.", name,
                )
