"""What exists here, as the engine compares an owner's spreadsheets with it; and the rows of these as records.

Nothing is decided here: which row is new, the same or wrong the engine says (`isp_engine.spreadsheets`)."""

import re

from isp_engine import spreadsheets as engine

from odoo import api, models

from ..logic import spreadsheets
from ..logic.clock import day_after
from ..logic.money import whole
from ..logic.spreadsheets import NOWHERE, code_of, one_line

# Odoo's books watch over cash by themselves: the engine asks about no expense that would take it below zero.
ENOUGH_CASH = 1_000_000_000_000
# What the engine says of a record that exists: where it stands in what it was given, and what is wrong.
PLACE = re.compile(r"books\.(?P<kind>\w+)\[(?P<at>\d+)\](?P<why>.*)", re.DOTALL)


class IspSpreadsheetBooks(models.AbstractModel):
    _name = "isp.spreadsheet.books"
    _description = "What exists, for the import of spreadsheets"

    # What exists

    @api.model
    def _isp_records(self, company):
        """The records of a company that rows may be about, by model and by the code that a file names them by, in small letters."""
        found = {}
        for model, code in (
            ("isp.site", lambda r: r.code or r.name), ("isp.router", lambda r: r.name), ("isp.package", lambda r: r.code),
            ("isp.customer", lambda r: r.customer_code), ("isp.cpe", lambda r: r.serial),
            ("isp.installation_kind", lambda r: r.code),
        ):
            records = self.env[model].sudo().with_context(active_test=False).search([("company_id", "=", company.id)], order="id")
            if model == "isp.cpe":
                records = records.filtered("serial")
            found[model] = {}
            for record in records:
                name = code_of(code(record), record.id)
                # Of two names that are one without case and blanks the later has its number.
                name = name if name.lower() not in found[model] else "id:%s" % record.id
                found[model][name.lower()] = (name, record)
        return found

    @api.model
    def _isp_books(self, company, known):
        """What exists, with passwords and NIK in the clear: to be compared in memory, and not to be kept or shown."""
        names = {record: name for by_code in known.values() for name, record in by_code.values()}
        customers, lines = self._isp_known_customers(known), self._isp_known_lines(company, names)
        return engine.SheetBooks(
            sites=[
                engine.SheetSite(NOWHERE, one_line(company.name), company.isp_zone),
                *(engine.SheetSite(code, one_line(site.name), site.zone, site.coordinates or None)
                  for code, site in known["isp.site"].values()),
            ],
            routers=[
                engine.SheetRouter(
                    code, names.get(router.site_id, NOWHERE), spreadsheets.address_of(router), router.username,
                    router._isp_open("password") or None,
                )
                for code, router in known["isp.router"].values()
            ],
            packages=[
                engine.SheetPackage(
                    code, one_line(package.name), whole(package.price),
                    "inclusive" if any(package.tax_ids.mapped("price_include")) else "exclusive",
                    "%dk/%dk" % (package.speed_down, package.speed_up), package.user_group,
                )
                for code, package in known["isp.package"].values() if package.price
            ],
            customers=customers,
            lines=lines,
            devices=[
                engine.SheetDevice(
                    code, names.get(cpe.customer_id), one_line(cpe.outdoor_unit) or None, one_line(cpe.router) or None,
                    cpe.ip_address or None, cpe.username or None, cpe._isp_open("password") or None, cpe.ownership,
                    whole(cpe.value), cpe.installed_on or None, cpe.state == "installed",
                )
                for code, cpe in known["isp.cpe"].values()
            ],
            installation_kinds=[
                engine.SheetFee(code, one_line(kind.name), whole(kind.price))
                for code, kind in known["isp.installation_kind"].values()
            ],
            installations=self._isp_known_fees(company, names),
            expenses=self._isp_known_expenses(company, names),
            cash=ENOUGH_CASH,
        )

    @api.model
    def _isp_without(self, books, error):
        """The books without the record whose place an error of the engine names, that record, and what is wrong with it."""
        place = PLACE.match(error)
        if not place:
            return books, None, error
        records = list(getattr(books, place["kind"]))
        record = records.pop(int(place["at"]))
        return books._replace(**{place["kind"]: records}), record, place["why"]

    def _isp_known_customers(self, known):
        return [
            engine.SheetCustomer(
                code, one_line(customer.name) or code, customer._isp_open("nik") or None,
                one_line(", ".join(filter(None, (customer.street, customer.street2, customer.city)))) or None,
                customer.whatsapp_number or None, spreadsheets.language_of(customer.lang), customer.invoicing,
                spreadsheets.place_of(customer.partner_latitude, customer.partner_longitude),
            )
            for code, customer in known["isp.customer"].values()
        ]

    def _isp_known_lines(self, company, names):
        lines = self.env["isp.subscription"].sudo().with_context(active_test=False).search(
            [("company_id", "=", company.id)], order="id"
        )
        billed = {line for line, _count in self.env["account.move"].sudo()._read_group(
            [("isp_subscription_id", "in", lines.ids), ("isp_period_start", "!=", False), ("isp_charge", "=", False),
             ("move_type", "=", "out_invoice")], ["isp_subscription_id"], ["__count"],
        )}
        today = company._isp_today()
        return [
            engine.SheetLine(
                names[line.customer_id], names[line.package_id], names.get(line.router_id),
                names.get(line.router_id.site_id, NOWHERE), line.service, line.ppp_username or None,
                line._isp_open("ppp_password") or None, line.ip_address or None, line.mac or None,
                line.activation_date or today, line.billing_day or None, line.cycle, line.timing, line.billed_from or None,
                spreadsheets.held_of(line), spreadsheets.discount_of(line),
                day_after(line.end_date) if line.end_date else None,
                names[line.next_package_id] if line.next_package_id.price else None, line in billed,
            )
            # A package without a price today is none that the engine could compare.
            for line in lines if line.package_id.price
        ]

    def _isp_known_fees(self, company, names):
        fees = self.env["isp.installation_fee"].sudo().with_context(active_test=False).search(
            [("company_id", "=", company.id), ("subscription_id", "!=", False)], order="id"
        )
        return [
            engine.SheetInstallation(
                names[fee.customer_id], fee.subscription_id.known_by or None, names[fee.kind_id], fee.kind_id.name,
                whole(fee.amount), fee.date, fee.instalments, fee.with_first_invoice, fee.state == "cancelled",
            )
            for fee in fees
        ]

    def _isp_known_expenses(self, company, names):
        expenses = self.env["isp.expense"].sudo().search([("company_id", "=", company.id)], order="id")
        return [
            engine.SheetExpense(
                expense.date, spreadsheets.category_of(expense.category_id.code), whole(expense.amount),
                "" if expense.name == expense.category_id.name else one_line(expense.name), names.get(expense.site_id),
                taken_back=expense.state == "cancelled",
            )
            for expense in expenses
        ]
