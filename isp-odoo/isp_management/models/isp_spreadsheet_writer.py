"""The rows of an owner's spreadsheets as records: what the engine says is new, or differs and may be changed."""

from odoo import Command, _, api, models
from odoo.exceptions import UserError

from ..logic import spreadsheets
from ..logic.spreadsheets import NOWHERE

LANGUAGES = {"id": "id_ID", "en": "en_US"}
# The order in which rows are written, each after what it names.
ORDER = ("SheetSite", "SheetRouter", "SheetPackage", "SheetCustomer", "SheetLine", "SheetDevice", "SheetInstallation", "SheetExpense")
# Those of which there are thousands.
MANY = ("SheetCustomer", "SheetLine", "SheetDevice")


class IspSpreadsheetWriter(models.AbstractModel):
    _name = "isp.spreadsheet.writer"
    _description = "Rows of spreadsheets as records"

    @api.model
    def _isp_write(self, company, rows, known, update, activate):
        """Write the rows that are new, and with ``update`` those that differ and may be changed, as the user. ``known`` are the
        records by code (`isp.spreadsheet.books`); it grows by what is made. Returns how many were made and changed."""
        self = self.with_company(company)
        # As Odoo's own import: a note on each of thousands that it is new says nothing, and who imports follows nobody. What changes
        # is tracked.
        quiet = self.with_context(tracking_disable=True)
        made = changed = 0
        lines = quiet.env["isp.subscription"]
        for name in ORDER:
            of_kind = [row for row in rows if type(row.record).__name__ == name]
            new = [row for row in of_kind if row.verdict == "new"]
            if new:
                writer = quiet if name in MANY else self
                records = getattr(writer, "_isp_make_%s" % name.removeprefix("Sheet").lower())(
                    company, [row.record for row in new], known
                )
                made += len(records)
                lines |= records if records._name == "isp.subscription" else lines
            for row in of_kind if update else ():
                if row.verdict == "differs" and row.updatable:
                    getattr(self, "_isp_change_%s" % name.removeprefix("Sheet").lower())(company, row, known)
                    changed += 1
        if activate and lines:
            lines.action_activate()
        return made, changed

    @api.model
    def _isp_of(self, known, model, code):
        """The record of a code; none for a code that nobody has."""
        found = known[model].get((code or "").lower())
        # It was found as the system, and is written by whoever imports.
        return found[1].with_env(self.env) if found else self.env[model]

    def _isp_keep(self, known, model, codes, records):
        for code, record in zip(codes, records, strict=True):
            known[model][code.lower()] = (code, record)
        return records

    # Places

    def _isp_make_site(self, company, records, known):
        made = self.env["isp.site"].create([
            {"company_id": company.id, "code": row.code, "name": row.name, "zone": row.zone, "coordinates": row.coordinates or False}
            for row in records
        ])
        return self._isp_keep(known, "isp.site", [row.code for row in records], made)

    def _isp_change_site(self, company, row, known):
        self._isp_of(known, "isp.site", row.record.code).write({name: getattr(row.record, name) for name in row.columns})

    def _isp_router_vals(self, record, known):
        return {
            **spreadsheets.endpoint(record.address), "username": record.username,
            "site_id": self._isp_of(known, "isp.site", record.site).id if record.site != NOWHERE else False,
            **({"password": record.password} if record.password else {}),
        }

    def _isp_make_router(self, company, records, known):
        made = self.env["isp.router"].create([
            {"company_id": company.id, "name": row.code, **self._isp_router_vals(row, known)} for row in records
        ])
        return self._isp_keep(known, "isp.router", [row.code for row in records], made)

    def _isp_change_router(self, company, row, known):
        self._isp_of(known, "isp.router", row.record.code).write(self._isp_router_vals(row.record, known))

    # Packages

    def _isp_taxes(self, company, mode):
        """The tax of sales, with the price that contains it or not; where there is none like that it is made of the company's."""
        tax = company.account_sale_tax_id
        if not tax or tax.price_include == (mode == "inclusive"):
            return tax
        like = [
            ("company_id", "=", company.id), ("type_tax_use", "=", "sale"), ("amount_type", "=", tax.amount_type),
            ("amount", "=", tax.amount), ("price_include", "=", mode == "inclusive"),
        ]
        words = _("%s, in the price", tax.name) if mode == "inclusive" else _("%s, on top", tax.name)
        return self.env["account.tax"].search(like, limit=1) or tax.copy({"name": words, "price_include": mode == "inclusive"})

    def _isp_package_vals(self, company, record):
        down, up = spreadsheets.kbits(record.speed)
        return {
            "name": record.name, "price": record.price, "speed_down": down, "speed_up": up, "user_group": record.group,
            "tax_ids": [Command.set(self._isp_taxes(company, record.tax_mode).ids)],
        }

    def _isp_make_package(self, company, records, known):
        made = self.env["isp.package"].create([
            {"company_id": company.id, "code": row.code, **self._isp_package_vals(company, row)} for row in records
        ])
        return self._isp_keep(known, "isp.package", [row.code for row in records], made)

    def _isp_change_package(self, company, row, known):
        held = {"name": ["name"], "price": ["price"], "tax": ["tax_ids"], "speed": ["speed_down", "speed_up"], "group": ["user_group"]}
        vals = self._isp_package_vals(company, row.record)
        self._isp_of(known, "isp.package", row.record.code).write(
            {name: vals[name] for column in row.columns for name in held[column]}
        )

    # Customers

    def _isp_customer_vals(self, record):
        """What a row says of a customer; of what it is silent, nothing is changed."""
        vals = {"name": record.name, "nik": record.nik, "mobile": record.phone, "invoicing": record.invoicing}
        if record.address:
            vals.update(street=record.address, street2=False, city=False)
        if record.language:
            vals["lang"] = LANGUAGES[record.language]
        if record.coordinates:
            vals["partner_latitude"], vals["partner_longitude"] = spreadsheets.degrees(record.coordinates)
        installed = {code for code, _name in self.env["res.lang"].get_installed()}
        if vals.get("lang") not in installed:
            vals.pop("lang", None)
        return {name: value for name, value in vals.items() if value is not None}

    def _isp_make_customer(self, company, records, known):
        made = self.env["isp.customer"].create([
            {"company_id": company.id, "customer_code": row.code, **self._isp_customer_vals(row)} for row in records
        ])
        return self._isp_keep(known, "isp.customer", [row.code for row in records], made)

    def _isp_change_customer(self, company, row, known):
        held = {
            "address": ["street", "street2", "city"], "phone": ["mobile"], "language": ["lang"],
            "coordinates": ["partner_latitude", "partner_longitude"],
        }
        vals = self._isp_customer_vals(row.record)
        names = [name for column in row.columns for name in held.get(column, [column]) if name in vals]
        self._isp_of(known, "isp.customer", row.record.code).write({name: vals[name] for name in names})

    # Lines

    def _isp_make_line(self, company, records, known):
        zones = {record.id: record.zone for _code, record in known["isp.site"].values()}
        vals = []
        for row in records:
            site = self._isp_of(known, "isp.site", row.site) if row.site != NOWHERE else self.env["isp.site"]
            vals.append({
                "company_id": company.id,
                "customer_id": self._isp_of(known, "isp.customer", row.customer).id,
                "package_id": self._isp_of(known, "isp.package", row.package).id,
                "router_id": self._isp_of(known, "isp.router", row.router).id,
                "zone": zones.get(site.id, company.isp_zone),
                "service": row.service,
                "ppp_username": row.username or False,
                "ppp_password": row.password or False,
                "ip_address": row.ip_address or False,
                "mac": row.mac or False,
                "activation_date": row.start,
                "billing_day": row.billing_day,
                "cycle": row.cycle,
                "timing": row.timing,
                "billed_from": row.billed_from,
                **spreadsheets.own_terms(row),
            })
        lines = self.env["isp.subscription"].create(vals)
        lines.customer_id.filtered(lambda customer: not customer.active).active = True
        return lines

    # Devices

    def _isp_device_vals(self, record):
        vals = {
            "outdoor_unit": record.outdoor_unit, "router": record.router, "ip_address": record.ip_address, "username": record.username,
            "password": record.password, "ownership": record.ownership, "value": record.value,
        }
        return {name: value for name, value in vals.items() if value is not None}

    def _isp_make_device(self, company, records, known):
        customers = [self._isp_of(known, "isp.customer", row.customer) for row in records]
        made = self.env["isp.cpe"].create([
            {
                "company_id": company.id, "serial": row.serial, "customer_id": customer.id,
                "subscription_id": customer.subscription_ids.id if len(customer.subscription_ids) == 1 else False,
                **self._isp_device_vals(row),
            }
            for row, customer in zip(records, customers)
        ])
        for row, cpe in zip(records, made):
            cpe._isp_installed_on(row.installed_on or company._isp_today(), _("Imported"))
        return self._isp_keep(known, "isp.cpe", [row.serial for row in records], made)

    def _isp_change_device(self, company, row, known):
        held = {"ip": "ip_address"}
        vals = self._isp_device_vals(row.record)
        names = [held.get(column, column) for column in row.columns]
        self._isp_of(known, "isp.cpe", row.record.serial).write({name: vals[name] for name in names if name in vals})

    # Installations and expenses

    def _isp_make_installation(self, company, records, known):
        for row in records:
            if row.kind.lower() not in known["isp.installation_kind"]:
                kind = self.env["isp.installation_kind"].create({
                    "company_id": company.id, "code": row.kind, "name": row.kind_name, "price": row.fee or 0,
                })
                self._isp_keep(known, "isp.installation_kind", [row.kind], kind)
        vals = []
        for row in records:
            kind = self._isp_of(known, "isp.installation_kind", row.kind)
            customer = self._isp_of(known, "isp.customer", row.customer)
            vals.append({
                "company_id": company.id, "customer_id": customer.id, "subscription_id": self._isp_line_of(customer, row.username).id,
                "kind_id": kind.id, "date": row.on, "amount": kind.price if row.fee is None else row.fee,
                "instalments": row.instalments, "with_first_invoice": row.with_first_invoice,
            })
        fees = self.env["isp.installation_fee"].create(vals)
        # Only these wait by themselves; the others are invoiced by their button.
        fees.filtered("with_first_invoice").action_invoice()
        return fees

    def _isp_line_of(self, customer, name):
        lines = customer.subscription_ids.sorted("id")
        named = lines.filtered(lambda line: not name or (line.known_by or "").lower() == name.lower())
        line = named.filtered(lambda line: line.state != "terminated")[:1] or named[:1]
        if not line:
            raise UserError(_("%s has no line that the installation could be of.", customer.display_name))
        return line

    def _isp_make_expense(self, company, records, known):
        names = dict(self.env["isp.spreadsheet.wizard"]._isp_category_names())
        categories = {}
        for category in self.env["isp.expense_category"].search([("company_id", "=", company.id)], order="sequence, id"):
            categories.setdefault(spreadsheets.category_of(category.code), category)
        vals = []
        for row in records:
            if row.category not in categories:
                categories[row.category] = self.env["isp.expense_category"].create({
                    "company_id": company.id, "code": row.category, "name": names[row.category],
                })
            vals.append({
                "company_id": company.id, "date": row.on, "category_id": categories[row.category].id, "amount": row.amount,
                "name": row.note or categories[row.category].name, "payment_account_id": self._isp_paid_from(company, row.paid_from),
                "site_id": self._isp_of(known, "isp.site", row.site).id if row.site and row.site != NOWHERE else False,
            })
        expenses = self.env["isp.expense"].create(vals)
        expenses.action_post()
        return expenses

    def _isp_paid_from(self, company, channel):
        """The account of a bank for what was paid from one; else the company's account for costs."""
        if channel != "bank":
            return False
        journals = self.env["account.journal"].sudo()
        bank = journals.search([*journals._check_company_domain(company), ("type", "=", "bank")], limit=1)
        return bank.default_account_id.id
