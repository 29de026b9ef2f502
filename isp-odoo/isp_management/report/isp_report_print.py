import base64
import io
from collections import defaultdict
from datetime import timedelta

import xlsxwriter
from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..logic.policy import ZONE_HOURS
from .isp_report_profit_loss import REVENUE

# A page of A4 across holds a year and its total.
MONTHS_AT_MOST = 12
# Reports of a span of months; the others are of today.
MONTHLY = ("finance", "cash", "profit_loss")
ROWS = {
    "section": "font-weight: bold; background-color: #e8eef4;",
    "subtotal": "font-weight: bold; border-top: 1px solid #1f4e79;",
    "total": "font-weight: bold; border-top: 2px solid #1f4e79; border-bottom: 2px solid #1f4e79;",
}
# Letters that the widest column of a page gets room for, and rows of one table of HTML.
WIDEST = 28
ROWS_AT_ONCE = 400
FORMATS = {"money": "#,##0", "int": "#,##0", "date": "dd/mm/yyyy"}


class IspReportPrint(models.TransientModel):
    """One table for each report, from the same rows as its screen; shown as PDF or XLSX."""

    _name = "isp.report.print"
    _description = "Print a report"

    report = fields.Selection(
        "_isp_reports", required=True, default=lambda self: (self._isp_reports() or [("customer", "")])[0][0],
    )
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    date_from = fields.Date("From", required=True, default=lambda self: self.env.company._isp_today().replace(month=1, day=1))
    date_to = fields.Date("Until", required=True, default=lambda self: self.env.company._isp_today())
    package_id = fields.Many2one("isp.package", domain="[('company_id', '=', company_id)]")
    router_id = fields.Many2one("isp.router", domain="[('company_id', '=', company_id)]")
    xlsx = fields.Binary(readonly=True)
    xlsx_name = fields.Char(readonly=True)

    @api.model
    def _isp_reports(self):
        """The reports that the user may read."""
        every = [
            ("customer", _("Customers")), ("cpe", _("Devices (CPE)")), ("package", _("Packages")), ("finance", _("Monthly finance")),
            ("cash", _("Where the money is")), ("profit_loss", _("Profit and loss")),
        ]
        return [
            (name, label) for name, label in every
            if self.env["isp.report.%s" % name].check_access_rights("read", raise_exception=False)
        ]

    def action_pdf(self):
        self.ensure_one()
        self._isp_check()
        return self.env.ref("isp_management.isp_report_print_pdf").report_action(self, config=False)

    def action_xlsx(self):
        self.ensure_one()
        table = self._isp_table()
        self.write({"xlsx": base64.b64encode(_workbook(table)), "xlsx_name": "%s.xlsx" % table["name"]})
        return {
            "type": "ir.actions.act_url",
            "url": "/web/content/isp.report.print/%d/xlsx/%s?download=true" % (self.id, self.xlsx_name),
            "target": "self",
        }

    def _isp_check(self):
        """A report is for those who may read its screen, and a column for each month has to fit."""
        self.ensure_one()
        if not self.env["isp.report.%s" % self.report].check_access_rights("read", raise_exception=False):
            raise AccessError(_("This report is for colleagues in the billing."))
        if self.report in MONTHLY:
            if self.date_to < self.date_from:
                raise UserError(_("The report ends before it starts."))
            if len(self._isp_months()) > MONTHS_AT_MOST:
                raise UserError(_("A report holds %s months at most.", MONTHS_AT_MOST))

    def _isp_months(self):
        first, months = self.date_from.replace(day=1), []
        while first <= self.date_to:
            months.append(first)
            first += relativedelta(months=1)
        return months

    def _isp_lang(self):
        """Reports are in Indonesian wherever Odoo knows it, whoever prints them."""
        known = dict(self.env["res.lang"].get_installed())
        return "id_ID" if "id_ID" in known else self.env.lang

    def _isp_table(self):
        """The report as a dictionary: name, title, notes, columns as (label, kind), rows as (style, cells)."""
        self._isp_check()
        self = self.with_context(lang=self._isp_lang(), allowed_company_ids=self.company_id.ids)
        table = getattr(self, "_isp_table_%s" % self.report)()
        notes = [self.company_id.name]
        if self.report in MONTHLY:
            notes.append("%s - %s" % (_date(self.date_from), _date(self.date_to)))
        else:
            notes.append(_date(self.company_id._isp_today()))
        if self.report != "cash":
            notes += [record.display_name for record in (self.package_id, self.router_id) if record]
        return {**table, "notes": [*notes, _("Amounts in rupiah")]}

    def _isp_domain(self):
        domain = [("company_id", "=", self.company_id.id)]
        if self.report == "cash":
            return [*domain, ("date", ">=", self.date_from.replace(day=1)), ("date", "<=", self.date_to)]
        if self.router_id:
            domain.append(("router_id", "=", self.router_id.id))
        if self.package_id and self.report != "cpe":
            domain.append(("package_id", "=", self.package_id.id))
        if self.report in MONTHLY:
            domain += [("date", ">=", self.date_from), ("date", "<=", self.date_to)]
        return domain

    def _isp_selection(self, model, name):
        return dict(self.env[model].fields_get([name])[name]["selection"])

    def _isp_table_customer(self):
        states = self._isp_selection("isp.report.customer", "state")
        rows = self.env["isp.report.customer"].search(self._isp_domain(), order="customer_code")
        cells = [
            ("normal", [
                row.customer_code, row.customer_id.name, row.city or "", states[row.state], row.package_id.name or "",
                row.router_id.name or "", row.isolated_count, row.monthly_value, row.owed, row.overdue, row.days_late,
                row.credit,
            ])
            for row in rows
        ]
        total = [_("Total"), _("%s customers", len(rows)), "", "", "", ""]
        total += [sum(rows.mapped(n)) for n in ("isolated_count", "monthly_value", "owed", "overdue")]
        return {
            "name": "customers", "title": _("Customers report"),
            "columns": [
                (_("ID"), "text"), (_("Customer"), "text"), (_("City"), "text"), (_("Status"), "text"),
                (_("Package"), "text"), (_("Router"), "text"), (_("Isolated"), "int"), (_("Monthly value"), "money"),
                (_("Receivable"), "money"), (_("Arrears"), "money"), (_("Days late"), "int"), (_("Credit"), "money"),
            ],
            "rows": [*cells, ("total", [*total, max(rows.mapped("days_late"), default=0), sum(rows.mapped("credit"))])],
        }

    def _isp_table_cpe(self):
        states = self._isp_selection("isp.report.cpe", "state")
        ownerships = self._isp_selection("isp.report.cpe", "ownership")
        rows = self.env["isp.report.cpe"].search(self._isp_domain(), order="name")
        cells = [
            ("normal", [
                row.name, row.customer_id.name or "", row.outdoor_unit or "", row.router or "", row.serial or "",
                row.ip_address or "", ownerships[row.ownership], states[row.state], row.installed_on or "",
                row.replaced_count, row.cost, row.value, _("yes") if row.to_return else "",
            ])
            for row in rows
        ]
        total = [_("Total"), _("%s devices", len(rows)), "", "", "", "", "", "", ""]
        total += [sum(rows.mapped(n)) for n in ("replaced_count", "cost", "value")]
        return {
            "name": "cpe", "title": _("CPE report"),
            "columns": [
                (_("Number"), "text"), (_("Customer"), "text"), (_("Outdoor unit"), "text"), (_("Router"), "text"),
                (_("Serial"), "text"), (_("IP address"), "text"), (_("Ownership"), "text"), (_("Status"), "text"),
                (_("Installed on"), "date"), (_("Replaced"), "int"), (_("Cost"), "money"), (_("Value (lent)"), "money"),
                (_("To be returned"), "text"),
            ],
            "rows": [*cells, ("total", [*total, _("%s devices", sum(rows.mapped("to_return")))])],
        }

    def _isp_table_package(self):
        names = ("active_count", "isolated_count", "paused_count", "terminated_count", "monthly_value")
        groups = self.env["isp.report.package"]._read_group(
            self._isp_domain(), ["package_id"], ["%s:sum" % name for name in names]
        )
        cells = [
            ("normal", [
                package.code, package.name, "%g / %g" % (package.speed_down / 1000, package.speed_up / 1000),
                package.user_group, package.price, *sums,
            ])
            for package, *sums in groups
        ]
        total = [sum(row[5 + at] for _style, row in cells) for at in range(len(names))]
        return {
            "name": "packages", "title": _("Packages report"),
            "columns": [
                (_("Code"), "text"), (_("Package"), "text"), (_("Speed (Mbit/s)"), "text"), (_("User group"), "text"),
                (_("Monthly price"), "money"), (_("Active"), "int"), (_("of them isolated"), "int"), (_("Paused"), "int"),
                (_("Terminated"), "int"), (_("Monthly value"), "money"),
            ],
            "rows": [*cells, ("total", [_("Total"), "", "", "", "", *total])],
        }

    def _isp_table_finance(self):
        names = ("billed", "ppn", "billed_total", "collected", "withheld", "cost", "receivable")
        report = self.env["isp.report.finance"]
        sums = {
            month: values
            for month, *values in report._read_group(self._isp_domain(), ["date:month"], ["%s:sum" % n for n in names])
        }
        before = [leaf for leaf in self._isp_domain() if leaf[:2] not in (("date", ">="), ("date", "<="))]
        [(open_balance,)] = report._read_group([*before, ("date", "<", self.date_from)], [], ["receivable:sum"])
        outstanding, rows = open_balance or 0, []
        for month in self._isp_months():
            *values, change = sums.get(month, [0] * len(names))
            outstanding += change
            rows.append(("normal", [_month(month), *values, values[3] - values[5], outstanding]))
        total = [sum(cells[at] for _style, cells in rows) for at in range(1, 8)]
        return {
            "name": "finance", "title": _("Monthly finance report"),
            "columns": [
                (_("Month"), "text"), (_("Billed without PPN"), "money"), (_("PPN"), "money"), (_("Billed"), "money"),
                (_("Collected"), "money"), (_("PPh 23 withheld"), "money"), (_("Costs"), "money"), (_("Collected less costs"), "money"),
                (_("Receivable at the end"), "money"),
            ],
            "rows": [*rows, ("total", [_("Total"), *total, outstanding])],
        }

    def _isp_table_cash(self):
        names = ("opening", "received", "other", "unknown", "moved", "spent", "closing")
        rows, months = [], defaultdict(list)
        for row in self.env["isp.report.cash"].search(self._isp_domain(), order="date, account_id"):
            months[row.date].append([row.account_id.display_name, *[row[name] for name in names]])
        for month, cells in months.items():
            rows.append(("section", [_month(month), *[""] * len(names)]))
            rows += [("normal", line) for line in cells]
            rows.append(("subtotal", [_("All accounts"), *[sum(line[at] for line in cells) for at in range(1, len(names) + 1)]]))
        return {
            "name": "cash", "title": _("Where the money is"),
            "columns": [
                (_("Account"), "text"), (_("At the beginning"), "money"), (_("From customers"), "money"), (_("Other money"), "money"),
                (_("Not yet known"), "money"), (_("Moved"), "money"), (_("Spent"), "money"), (_("At the end"), "money"),
            ],
            "rows": rows,
        }

    def _isp_table_profit_loss(self):
        kinds = self._isp_selection("isp.report.profit_loss", "kind")
        months = self._isp_months()
        lines = {"revenue": defaultdict(dict), "cost": defaultdict(dict)}
        groups = self.env["isp.report.profit_loss"]._read_group(
            self._isp_domain(), ["kind", "category_id", "account_id", "date:month"], ["revenue:sum", "cost:sum"],
            order="kind, category_id, account_id",
        )
        for kind, category, account, month, revenue, cost in groups:
            side = "revenue" if kind in REVENUE else "cost"
            label = category.name or (account.display_name if kind.startswith("other") else kinds[kind])
            line = lines[side][kind, label]
            line[month] = line.get(month, 0) + (cost if side == "cost" else revenue)

        def with_total(values):
            return [*values, sum(values)]

        def section(title, side, total_title):
            order = list(kinds)
            found = sorted(lines[side].items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
            sums = [sum(line.get(month, 0) for _key, line in found) for month in months]
            rows = [("section", [title, *[""] * (len(months) + 1)])]
            rows += [
                ("normal", [label, *with_total([line.get(month, 0) for month in months])])
                for (_kind, label), line in found
            ]
            return sums, [*rows, ("subtotal", [total_title, *with_total(sums)])]

        revenue, revenue_rows = section(_("Revenue"), "revenue", _("Total revenue"))
        cost, cost_rows = section(_("Costs"), "cost", _("Total costs"))
        result = [r - c for r, c in zip(revenue, cost)]
        return {
            "name": "profit_loss", "title": _("Profit and loss"),
            "columns": [(_("Item"), "text"), *[(_month(month), "money") for month in months], (_("Total"), "money")],
            "rows": [*revenue_rows, *cost_rows, ("total", [_("Profit (loss)"), *with_total(result)])],
        }

    @api.model
    def _isp_text(self, value, kind):
        """A cell as Indonesians write it: 1.250.000, 31/01/2026."""
        if kind == "date":
            return _date(value) if value else ""
        if kind in ("money", "int") and value != "":
            return "{:,.0f}".format(round(value) or 0).replace(",", ".")
        return value


    # What only the PDF shows

    def _isp_address(self):
        """The company's place and tax number, on one line."""
        company = self.company_id
        return ", ".join(filter(None, (company.street, company.city, company.vat and "NPWP %s" % company.vat)))

    def _isp_printed(self):
        """When it was printed, on the company's clock, and by whom."""
        self = self.with_context(lang=self._isp_lang())
        company = self.company_id
        moment = company._isp_now() + timedelta(hours=ZONE_HOURS[company.isp_zone])
        return _(
            "Printed on %(moment)s %(zone)s by %(user)s",
            moment=moment.strftime("%d/%m/%Y %H:%M"), zone=company.isp_zone, user=self.env.user.name,
        )

    @api.model
    def _isp_pages(self, table):
        """The table as HTML, some hundred rows at a time, each with its head: the printer is slow on one long table, and slower when it
        works out the widths of columns from every row."""
        kinds = [kind for _label, kind in table["columns"]]
        sides = ["text-end" if kind in ("money", "int") else "text-start" for kind in kinds]
        rows = [
            (style, ["" if text is None or text is False else str(text) for text in map(self._isp_text, cells, kinds)])
            for style, cells in table["rows"]
        ]
        widths = [
            min(max([len(label), *(len(cells[at]) for _style, cells in rows)]), WIDEST) for at, (label, _kind) in enumerate(table["columns"])
        ]
        columns = Markup().join(Markup('<col style="width: %s%%"/>') % round(100 * width / sum(widths), 2) for width in widths)
        cell = [Markup('<td class="%s" style="border-left: 0; border-right: 0;">%%s</td>') % side for side in sides]
        return [
            (columns, Markup().join(
                Markup('<tr style="page-break-inside: avoid; %s">%s</tr>') % (
                    ROWS.get(style, ""), Markup().join(one % value for one, value in zip(cell, cells)),
                )
                for style, cells in rows[first:first + ROWS_AT_ONCE]
            ))
            for first in range(0, max(len(rows), 1), ROWS_AT_ONCE)
        ]


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _prepare_html(self, html, report_model=False):
        if report_model == "isp.report.print":
            self = self.with_context(isp_plain_layout=True)
        return super()._prepare_html(html, report_model=report_model)

    def _get_layout(self):
        if self.env.context.get("isp_plain_layout"):
            return self.env.ref("isp_management.plain_layout")
        return super()._get_layout()


def _date(day):
    return day.strftime("%d/%m/%Y")


def _month(day):
    return day.strftime("%m/%Y")


def _workbook(table):
    """The table as an XLSX file: amounts are numbers, the header stays in sight."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet(table["title"][:31])
    looks = {
        "normal": {}, "section": {"bold": True, "bg_color": "#E8EEF4"}, "subtotal": {"bold": True, "top": 1},
        "total": {"bold": True, "top": 1, "bottom": 6},
    }
    cells = {
        (style, kind): book.add_format({**look, **({"num_format": FORMATS[kind]} if kind in FORMATS else {})})
        for style, look in looks.items() for kind in ("text", *FORMATS)
    }
    sheet.write(0, 0, table["title"], book.add_format({"bold": True, "font_size": 14}))
    for at, note in enumerate(table["notes"], 1):
        sheet.write_string(at, 0, note, book.add_format({"font_color": "#666666"}))
    top = len(table["notes"]) + 2
    header = book.add_format({"bold": True, "bg_color": "#1F4E79", "font_color": "#FFFFFF", "text_wrap": True, "valign": "top"})
    widths = [len(label) for label, _kind in table["columns"]]
    for column, (label, _kind) in enumerate(table["columns"]):
        sheet.write_string(top, column, label, header)
    for row, (style, values) in enumerate(table["rows"], top + 1):
        for column, (value, (_label, kind)) in enumerate(zip(values, table["columns"])):
            look = cells[style, kind]
            if value == "":
                sheet.write_blank(row, column, None, look)
            elif kind == "date":
                sheet.write_datetime(row, column, fields.Datetime.to_datetime(value), look)
            elif kind in ("money", "int") and isinstance(value, (int, float)):
                sheet.write_number(row, column, value, look)
            else:
                sheet.write_string(row, column, str(value), look)
            shown = 12 if kind == "date" else len("{:,.0f}".format(value)) if isinstance(value, (int, float)) else len(str(value))
            widths[column] = max(widths[column], shown)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, min(max(width + 2, 8), 42))
    sheet.freeze_panes(top + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
    book.close()
    return file.getvalue()
