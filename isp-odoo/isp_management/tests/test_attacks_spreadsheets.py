"""What attackers tried on the import of spreadsheets: by RPC as each group, with two tabs, with files that are no good, with books that
hold odd records, and with rights in another company."""

import base64
import io
import logging
import time
from datetime import date
from unittest.mock import patch
from zipfile import ZIP_DEFLATED, ZipFile

from odoo import Command
from odoo.api import call_kw
from odoo.exceptions import AccessError, UserError
from odoo.models import check_method_name
from odoo.tests import new_test_user, tagged
from odoo.tools import config, mute_logger

from .common import IspCommon
from .test_spreadsheets import FILES, NIK, NUMBER, SECRETS

_logger = logging.getLogger(__name__)
HEADER = "ID Pelanggan;Nama;NIK;Alamat;HP\n"
GROUPS = ("technician", "cashier", "billing")
MODELS = ("wizard", "file", "copy", "map", "count", "problem", "notice")
SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(rows):
    """A workbook of one sheet with these rows, as XML."""
    book = io.BytesIO()
    with ZipFile(book, "w", ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", '<Relationships xmlns="%s"><Relationship Id="r1" Type="%s/officeDocument" '
                         'Target="xl/workbook.xml"/></Relationships>' % (PACKAGE, OFFICE))
        archive.writestr("xl/workbook.xml", '<workbook xmlns="%s" xmlns:r="%s"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/>'
                         "</sheets></workbook>" % (SPACE, OFFICE))
        archive.writestr("xl/_rels/workbook.xml.rels", '<Relationships xmlns="%s"><Relationship Id="r1" Type="%s/worksheet" '
                         'Target="worksheets/sheet1.xml"/></Relationships>' % (PACKAGE, OFFICE))
        archive.writestr("xl/worksheets/sheet1.xml", '<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (SPACE, rows))
    return book.getvalue()


def row(number, *cells):
    """A row of cells: a text, or a number as a spreadsheet keeps it."""
    return '<row r="%s">%s</row>' % (number, "".join(
        '<c r="%s%s"><v>%s</v></c>' % (column, number, cell) if isinstance(cell, (int, float))
        else '<c r="%s%s" t="inlineStr"><is><t>%s</t></is></c>' % (column, number, cell)
        for column, cell in zip("ABCDEFGHIJ", cells)
    ))


class SpreadsheetsCommon(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.manager = cls.member("manager")

    @classmethod
    def member(cls, group, login=None, companies=None, **vals):
        companies = companies or cls.company
        return new_test_user(
            cls.env, login or "serang-impor-%s" % group, groups="isp_management.group_%s" % group, company_id=companies[0].id,
            company_ids=[Command.set(companies.ids)], **vals,
        )

    def chosen(self, files, moment="2026-01-15 12:00", user=None, company=None, **vals):
        """A wizard with files in it, not looked at yet."""
        model = self.at(moment)(user=(user or self.manager).id)["isp.spreadsheet.wizard"].with_company(company or self.company)
        wizard = model.browse(model.action_isp_open()["res_id"])
        wizard.write({
            "file_ids": [
                Command.create({"name": name, "content": base64.b64encode(text.encode() if isinstance(text, str) else text)})
                for name, text in files.items()
            ],
            **vals,
        })
        return wizard

    def looked(self, files, *args, **vals):
        wizard = self.chosen(files, *args, **vals)
        wizard.action_look()
        return wizard

    def places(self, wizard):
        return [(one.file, one.line, one.column, one.code) for one in wizard.problem_ids]

    def code(self, code):
        return self.env["isp.customer"].with_context(active_test=False).search(
            [("customer_code", "=", code), ("company_id", "=", self.company.id)]
        )

    def rpc(self, user, model, method, *args, **kwargs):
        env = self.env(user=user, context={**self.env.context, "allowed_company_ids": user.company_ids.ids})
        result = call_kw(env[model], method, [*args], kwargs)
        env.flush_all()
        self.env.invalidate_all()
        return result


@tagged("post_install", "-at_install")
class TestAttacksOnImportRights(SpreadsheetsCommon):
    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_no_other_group_calls_anything(self):
        wizard = self.looked(FILES)
        file, problem = wizard.file_ids[:1], wizard.notice_ids[:1]
        for group in GROUPS:
            user = self.member(group)
            for model in MODELS:
                name = "isp.spreadsheet.%s" % model
                for method, args in (("search_read", ([],)), ("create", ({"name": "x"},)), ("read_group", ([], ["id"], ["id"]))):
                    with self.subTest(group, model=model, method=method), self.assertRaises(AccessError), self.env.cr.savepoint():
                        self.rpc(user, name, method, *args)
            for method in ("action_look", "action_confirm"):
                with self.subTest(group, method=method), self.assertRaises(AccessError), self.env.cr.savepoint():
                    self.rpc(user, "isp.spreadsheet.wizard", method, wizard.ids)
            for record in (wizard, file, problem):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    self.rpc(user, record._name, "write", record.ids, {"write_date": False})

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model", "odoo.http")
    def test_the_models_that_write_are_nobody_s(self):
        for model, method in (("writer", "_isp_write"), ("books", "_isp_books"), ("books", "_isp_records")):
            with self.subTest(method), self.assertRaises(AccessError):
                check_method_name(method)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_nobody_puts_a_file_or_an_answer_into_the_wizard_of_another(self):
        twin = HEADER + "P009;Budi;;Jl. 1;\n"
        self.new_customer("Budi", customer_code="P001", street="Jl. 1")
        wizard = self.looked({"pelanggan.csv": twin})
        other = self.member("manager", "serang-impor-lain")
        [asked] = wizard.problem_ids
        for model, vals in (
            ("file", {"name": "sites.csv", "content": base64.b64encode(b"kode;nama;zona\nX;Y;WIB\n").decode()}),
            ("problem", {"file": asked.file, "line": asked.line, "is_question": True, "accepted": True}),
            ("map", {"heading": "Nama", "meaning": "-"}), ("copy", {"name": "x.csv"}), ("count", {"kind": "sites"}),
            ("notice", {"message": "x"}),
        ):
            with self.subTest(model), self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc(other, "isp.spreadsheet.%s" % model, "create", {"wizard_id": wizard.id, **vals})
            own = self.chosen({"pelanggan.csv": twin}, user=other)
            record = self.env["isp.spreadsheet.%s" % model].with_user(other).create({"wizard_id": own.id, **vals})
            with self.subTest(model), self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc(other, record._name, "write", record.ids, {"wizard_id": wizard.id})
        self.assertEqual((len(wizard.file_ids), wizard.problem_ids), (1, asked))
        self.assertFalse(asked.accepted)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_a_manager_of_one_company_writes_nothing_into_another(self):
        there = self.company_data_2["company"]
        for vals in ({"company_id": there.id},):
            wizard = self.looked(FILES)
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc(self.manager, wizard._name, "write", wizard.ids, vals)
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.rpc(self.manager, wizard._name, "create", vals)
        # What exists there is neither known nor named here.
        package = self.env["isp.package"].with_company(there).create({
            "company_id": there.id, "name": "Lain", "code": "LAIN", "price": 1_000, "speed_down": 1_000, "speed_up": 1_000, "user_group": "x",
            "tax_ids": False,
        })
        wizard = self.looked({"langganan.csv": "id_pelanggan;paket;router;username;password;mulai\nP1;LAIN;Bandung-1;a;b;2026-01-15\n"})
        self.assertIn("import.unknown", wizard.problem_ids.mapped("code"))
        self.assertEqual(package.company_id, there)

    def test_a_manager_of_two_companies_who_looks_in_one_and_confirms_in_the_other(self):
        there = self.company_data_2["company"]
        both = self.member("manager", "serang-impor-dua", self.company | there)
        wizard = self.looked(FILES, user=both)
        wizard.with_company(there).with_context(allowed_company_ids=[there.id, self.company.id]).action_confirm()
        self.assertTrue(self.code("P001"))
        self.assertFalse(self.env["isp.customer"].search([("customer_code", "=", "P001"), ("company_id", "=", there.id)]))
        line = self.code("P001").subscription_ids
        self.assertEqual(line.company_id | line.package_id.company_id | line.router_id.company_id | line.package_id.tax_ids.company_id, self.company)
        self.assertEqual(self.code("P001").partner_id.company_id, self.company)

    @mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model")
    def test_a_forged_preview_is_not_written(self):
        wizard = self.chosen(FILES)
        self.rpc(self.manager, wizard._name, "write", wizard.ids, {"state": "shown", "problem_count": 0, "to_write": 14})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.rpc(self.manager, wizard._name, "write", wizard.ids, {"shown": "x"})
        self.rpc(self.manager, wizard._name, "action_confirm", wizard.ids)
        self.assertEqual(wizard.state, "shown")
        self.assertFalse(self.code("P001"), "nobody had looked")
        # A problem that a caller calls a question is none.
        bad = self.looked({"pelanggan.csv": HEADER + "P001;Budi;123;Jl. 1;\n"})
        self.rpc(self.manager, "isp.spreadsheet.problem", "write", bad.problem_ids.ids, {"is_question": True, "accepted": True})
        self.rpc(self.manager, bad._name, "action_confirm", bad.ids)
        self.assertFalse(self.code("P001"))

    def test_files_are_given_back_to_nobody(self):
        wizard = self.looked({"pelanggan.csv": HEADER + f"P001;;{NIK};Jl. 1;{NUMBER}\n"})
        self.env.invalidate_all()
        read = self.rpc(self.manager, "isp.spreadsheet.file", "read", wizard.file_ids.ids)
        self.assertFalse([one for one in read if one["content"] or one.get("content_sealed")])
        self.env.cr.execute("SELECT count(*) FROM ir_attachment WHERE res_model LIKE 'isp.spreadsheet%%'")
        self.assertFalse(self.env.cr.fetchone()[0])
        told = [str(one) for one in wizard.problem_ids.mapped("message") + wizard.notice_ids.mapped("message")]
        self.assertFalse([secret for secret in SECRETS if secret in " ".join(told)])


@tagged("post_install", "-at_install")
class TestAttacksOnImportFiles(SpreadsheetsCommon):
    def test_a_workbook_that_unpacks_to_the_memory_of_the_server(self):
        head = row(1, "ID Pelanggan", "Nama", "Alamat") + row(2, "P1", "Budi", "Jl")
        corner = workbook(head + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
        self.assertLess(len(corner), 2_000)
        wizard = self.looked({"pelanggan.xlsx": corner})
        self.assertIn(("pelanggan.xlsx", 1_048_576, False, "import.cells"), [(f, n, c or False, code) for f, n, c, code in self.places(wizard)])
        bomb = workbook(head + row(3, "P2", "x" * 300_000_000, "Jl"))
        self.assertLess(len(bomb), 1_000_000)
        wizard = self.looked({"pelanggan.xlsx": bomb})
        self.assertEqual(wizard.problem_ids.mapped("code"), ["import.too_large"])
        self.assertFalse(wizard.copy_ids)

    def test_files_that_are_something_else(self):
        for name, content in (
            ("pelanggan.csv", b""), ("pelanggan.xlsx", b""), ("pelanggan.xlsx", b"\x89PNG\r\n\x1a\n" + b"0" * 99), ("pelanggan.pdf", b"%PDF-1.4"),
            ("pelanggan.csv", workbook("")), ("pelanggan.xlsx", workbook("")), ("../../pelanggan.csv", b"\x00" * 500), ("pelanggan.xls", b"\xd0\xcf\x11\xe0" * 9),
            ("pelanggan.csv", b"\xff\xfe\x00"), ("pelanggan.zip", workbook(row(1, "ID Pelanggan", "Nama", "Alamat"))), ("pelanggan.ods", b"PK\x03\x04"),
        ):
            with self.subTest(name, content=content[:9]):
                wizard = self.looked({name: content})
                self.assertFalse(wizard.to_write)
                self.assertTrue(wizard.problem_ids or wizard.notice_ids, "it is told why nothing is written")

    def test_each_encoding_and_separator(self):
        for number, (encoding, separator) in enumerate(
            (e, s) for e in ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le") for s in (";", ",", "\t", "|")
        ):
            with self.subTest(encoding, separator=separator):
                text = separator.join(("ID PELANGGAN", "Nama", "Alamat", "No. HP")) + "\r\n"
                text += separator.join(
                    ("E%s" % number, "René %s" % number, "Jl. 1", "0812-34567-%02d" % number)
                )
                wizard = self.looked({"Data Pelanggan (1).csv": text.encode(encoding)})
                self.assertFalse(wizard.problem_ids, wizard.problem_ids.mapped("message"))
                wizard.action_confirm()
                self.assertEqual((self.code("E%s" % number).name, self.code("E%s" % number).whatsapp_number), ("René %s" % number, "+6281234567%02d" % number))

    def test_numbers_as_a_spreadsheet_keeps_them(self):
        wizard = self.looked({"pelanggan.xlsx": workbook(
            row(1, "ID Pelanggan", "Nama", "NIK", "Alamat", "HP") + row(2, "N1", "Satu", "3273011708450001", "Jl 1", 81234567890)
            + row(3, 12.0, "Dua", "", "Jl 2", 6281234567891) + row(4, "N3", "Tiga", "", "Jl 3", "0812 3456 7892")
        )})
        self.assertFalse(wizard.problem_ids, wizard.problem_ids.mapped("message"))
        wizard.action_confirm()
        self.assertEqual(
            [self.code(code).whatsapp_number for code in ("N1", "12", "N3")], ["+6281234567890", "+6281234567891", "+6281234567892"],
        )
        self.assertEqual(self.code("N1")._isp_open("nik"), "3273011708450001")
        rounded = self.looked({"pelanggan.xlsx": workbook(
            row(1, "ID Pelanggan", "Nama", "NIK", "Alamat") + row(2, "N4", "Empat", 3273011708450001, "Jl 1")
        )})
        self.assertEqual(self.places(rounded), [("pelanggan.xlsx", 2, "NIK", "customer.nik")])
        self.assertNotIn("32730117", rounded.problem_ids.message)

    def test_doubles_in_one_file_and_against_what_is_archived(self):
        gone = self.new_customer("Tua", customer_code="P001")
        gone.active = False
        wizard = self.looked({"pelanggan.csv": HEADER + "P001;Baru;;Jl. 1;\np002;Dua;;Jl. 2;\nP002;Tiga;;Jl. 3;\n"})
        self.assertEqual(self.places(wizard), [("pelanggan.csv", 4, "ID Pelanggan", "import.repeated")])
        wizard = self.looked({"pelanggan.csv": HEADER + "P001;Baru;;Jl. 1;\n"})
        self.assertEqual([(one.new, one.kept) for one in wizard.count_ids], [(0, 1)])

    def test_a_line_of_an_archived_customer_package_or_router(self):
        self.looked(FILES).action_confirm()
        other = "id_pelanggan,paket,router,username,password,mulai\n%s,%s,%s,baru@isp,x,2026-01-15\n"
        customer = self.new_customer("Lama", customer_code="P100")
        customer.active = False
        package = self.new_package("LAMA", 100_000)
        package.active = False
        router = self.env["isp.router"].create({"name": "R9", "host": "10.0.0.9", "username": "isp", "password": "x", "active": False})
        self.new_customer("Baru", customer_code="P101")
        for names in (("P100", "HOME20", "R1"), ("P101", "LAMA", "R1"), ("P101", "HOME20", "R9")):
            with self.subTest(names):
                wizard = self.looked({"langganan.csv": other % names})
                self.assertFalse(wizard.problem_ids)
                told = " ".join(filter(None, [*wizard.problem_ids.mapped("message"), *wizard.notice_ids.mapped("message")]))
                self.assertIn("archived", told)
        self.assertFalse(router.active or package.active or customer.active)
        self.looked({"langganan.csv": other % ("P100", "LAMA", "R1")}).action_confirm()
        self.assertEqual((customer.active, customer.state, package.active), (True, "active", False), "nobody is served and put away")

    def test_a_contact_who_is_no_customer_has_the_number(self):
        self.env["res.partner"].create({"name": "Pak Budi", "phone": "0812 3456 7890"})
        wizard = self.looked({"pelanggan.csv": HEADER + "P001;Budi;;Jl. 1;+62812-3456-7890\n"})
        told = " ".join(wizard.notice_ids.mapped("message"))
        self.assertIn("Pak Budi", told)
        self.assertNotIn("7890", told)

    def test_what_takes_longer_than_the_server_allows_is_told(self):
        files = {"pelanggan.csv": HEADER + "".join("B%05d;Nama %d;;Jl. %d;\n" % (n, n, n) for n in range(600))}
        for limit, working, told in ((1, 60, True), (120, 60, False), (0, 0, False), (120, 1, True)):
            with patch.dict(config.options, {"limit_time_real": limit, "limit_time_cpu": working}):
                notices = self.looked(files).notice_ids.mapped("message")
            self.assertEqual(any("limit_time_real" in message for message in notices), told)

    def test_a_customer_with_a_line_more_costs_hardly_a_query(self):
        def queries(first, count):
            numbers = range(first, first + count)
            wizard = self.looked({
                "pelanggan.csv": HEADER + "".join("Q%05d;Nama %d;327301%02d0845%04d;Jl. %d;08123%07d\n" % (
                    n, n, 1 + n % 28, 101 + n, n, 1_000_001 + n) for n in numbers),
                "langganan.csv": "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih\n" + "".join(
                    "Q%05d,HOME-20,Bandung-1,q%05d,kata-%d,2026-01-%02d,%d\n" % (n, n, n, 1 + n % 10, 1 + n % 10) for n in numbers
                ),
            })
            self.assertFalse(wizard.problem_ids.mapped("message"))
            self.env.flush_all()
            before = self.cr.sql_log_count
            wizard.action_confirm()
            self.env.flush_all()
            self.assertEqual(wizard.state, "done")
            return self.cr.sql_log_count - before

        queries(0, 30)
        few, many = queries(1_000, 60), queries(2_000, 260)
        # Odoo brings each contact up to date by a statement of its own.
        self.assertLess((many - few) / 200, 1.5)
        made = self.code("Q02007")
        self.assertEqual((made.state, made.activated_on, made.partner_id.company_id), ("active", date(2026, 1, 8), self.company))
        line = made.subscription_ids
        self.assertEqual((line.state, line.desired_access, line.partner_id, line._isp_open("ppp_password")), ("active", "open", made.partner_id, "kata-2007"))
        self.assertEqual((made._isp_open("nik")[-4:], made.whatsapp_number), ("2108", "+6281231002008"))
        self.assertEqual(self.env["isp.customer"].search([("nik", "=", made._isp_open("nik"))]), made)
        names = self.env["isp.subscription"].search([("customer_id.customer_code", "=like", "Q%")]).mapped("name")
        self.assertEqual(len(set(names)), 350)

    def test_a_hundred_thousand_notices_are_no_page(self):
        """Of many rows that differ the first are told, and how many more."""
        rows = "".join("B%05d;Nama %d;;Jl. %d;\n" % (n, n, n) for n in range(600))
        self.looked({"pelanggan.csv": HEADER + rows}).action_confirm()
        wizard = self.looked({"pelanggan.csv": HEADER + rows.replace("Jl. ", "Jalan ")})
        self.assertLess(len(wizard.notice_ids), 300)
        bad = self.looked({"pelanggan.csv": HEADER + rows + rows.replace(";Nama", ";Nina")})
        self.assertEqual(bad.problem_count, 600)
        self.assertEqual(len(bad.problem_ids), 500)
        self.assertIn("more", " ".join(bad.notice_ids.mapped("message")))


@tagged("post_install", "-at_install")
class TestAttacksOnImportPreview(SpreadsheetsCommon):
    def test_a_price_changes_between_look_and_confirm(self):
        """What is asked of the new lines was shown; another price of a package that is no row of the files asks anew."""
        self.looked({name: FILES[name] for name in ("lokasi.csv", "routers.csv", "paket.csv", "pelanggan.csv")}).action_confirm()
        wizard = self.looked({"langganan.csv": FILES["langganan.csv"]})
        before = wizard.monthly
        self.env["isp.package"].search([("code", "=", "HOME20")]).with_env(self.at("2026-01-15 12:00")).price = 300_000
        wizard.action_confirm()
        self.assertEqual(wizard.state, "shown")
        self.assertFalse(self.code("P001").subscription_ids)
        self.assertEqual(wizard.monthly, before + 135_000)
        wizard.action_confirm()
        self.assertEqual(wizard.state, "done")

    def test_the_tax_of_sales_goes_between_look_and_confirm(self):
        wizard = self.looked(FILES)
        self.company.account_sale_tax_id = False
        wizard.action_confirm()
        self.assertEqual(wizard.state, "shown")
        self.assertEqual(wizard.monthly, 165_000 + 360_000)
        wizard.action_confirm()
        self.assertFalse(self.env["isp.package"].search([("code", "in", ("HOME20", "KTR50"))]).tax_ids)

    def test_a_day_passes_between_look_and_confirm(self):
        wizard = self.looked(FILES, "2026-01-20 12:00", billed_from=date(2026, 1, 1))
        self.assertEqual(wizard.past_count, 1)
        wizard.with_env(self.at("2026-02-06 08:00")(user=self.manager.id)).action_confirm()
        self.assertEqual(wizard.state, "shown", "more invoices are due than were shown")
        self.assertGreater(wizard.past_count, 1)

    def test_one_answer_answers_one_question(self):
        self.new_customer("Budi", customer_code="P001", street="Jl. 1")
        self.looked({name: FILES[name] for name in ("lokasi.csv", "routers.csv", "paket.csv")}).action_confirm()
        # A first day long ago, and a password of which a spreadsheet lost digits: two questions of one row.
        wizard = self.looked({"langganan.csv": "id_pelanggan,paket,router,username,password,mulai\nP001,HOME20,R1,budi@isp,1.23E+15,1970-01-31\n"})
        questions = wizard.problem_ids.filtered("is_question")
        self.assertEqual(len(questions), 2, self.places(wizard))
        questions[0].accepted = True
        wizard.action_look()
        self.assertEqual(wizard.problem_count, 1)
        wizard.action_confirm()
        self.assertNotEqual(wizard.state, "done")
        wizard.problem_ids.accepted = True
        wizard.action_look()
        self.assertEqual(wizard.problem_count, 0)

    def test_the_answer_of_a_file_with_brackets_in_its_name_is_asked_again(self):
        self.new_customer("Budi", customer_code="P001", street="Jl. 1")
        wizard = self.looked({"pelanggan[1].csv": HEADER + "P009;Budi;;Jl. 1;\n"})
        wizard.problem_ids.accepted = True
        wizard.file_ids.content = base64.b64encode((HEADER + "P008;Budi;;Jl. 1;\n").encode())
        self.assertFalse(any(wizard.problem_ids.mapped("accepted")))
        wizard.problem_ids.accepted = True
        wizard.file_ids.unlink()
        wizard.file_ids = [Command.create({"name": "pelanggan[1].csv", "content": base64.b64encode((HEADER + "P007;Budi;;Jl. 1;\n").encode())})]
        wizard.action_look()
        self.assertEqual(wizard.problem_count, 1)

    def test_the_same_files_twice_and_a_second_wizard(self):
        one, two = self.looked(FILES), self.looked(FILES)
        one.action_confirm()
        with self.assertRaises(UserError):
            one.action_confirm()
        action = two.action_confirm()
        self.assertEqual((action["res_id"], two.state, two.to_write), (two.id, "shown", 0))
        self.assertEqual(len(self.code("P001").subscription_ids), 1)

    def test_odd_records_that_exist_stop_no_import(self):
        """One record of the books that the engine cannot read is told, and the rows that are not about it are written."""
        customer = self.new_customer("N" * 400, customer_code="P900", street="J" * 900)
        self.env["isp.site"].create({"name": "S" * 300, "code": "AN/EH &"})
        package = self.new_package("P" * 60, 100_000, name="Q" * 300)
        package.user_group = "grup dengan spasi " * 9
        self.new_subscription(customer, start=date(2025, 1, 1), ppp_username="nama dengan spasi " * 9, ppp_password="x", activate=False)
        self.env["isp.cpe"].create({"serial": "S" * 200, "customer_id": customer.id, "outdoor_unit": "U" * 300, "value": 10})
        self.env["isp.installation_kind"].create({"name": "K" * 300, "code": "K" * 99, "price": 0})
        wizard = self.looked({"pelanggan.csv": HEADER + "P001;Budi;;Jl. 1;\n"})
        self.assertFalse(wizard.problem_ids, wizard.problem_ids.mapped("message"))
        wizard.action_confirm()
        self.assertTrue(self.code("P001"))
        # A row that may be about one of them waits.
        wizard = self.looked({"pelanggan.csv": HEADER + "p900;Budi;;Jl. 1;\nP002;Siti;;Jl. 2;\n"})
        self.assertEqual(wizard.problem_ids.mapped("line"), [2])
        self.assertNotIn("NNN", wizard.problem_ids.message)

    def test_first_days_far_away(self):
        self.looked({name: FILES[name] for name in ("lokasi.csv", "routers.csv", "paket.csv", "pelanggan.csv")}).action_confirm()
        lines = "id_pelanggan,paket,router,username,password,mulai\nP001,HOME20,R1,budi@isp,x,%s\n"
        for start, moment in (("2031-06-01", "2026-01-15 12:00"), ("1970-01-31", "2026-01-15 12:00")):
            wizard = self.looked({"langganan.csv": lines % start}, moment)
            self.assertEqual((wizard.problem_ids.mapped("is_question"), wizard.problem_ids.column), ([True], "mulai"), start)
        wizard = self.looked({"langganan.csv": lines % "2026-03-01"})
        self.assertEqual((wizard.past_count, wizard.first_date), (0, date(2026, 3, 1)))
        wizard.action_confirm()
        line = self.code("P001").subscription_ids
        self.at("2026-02-15 08:00")["isp.billing_run"]._cron_bill()
        self.assertFalse(line.move_ids)
        self.at("2026-03-01 08:00")["isp.billing_run"]._cron_bill()
        self.assertEqual(line.move_ids.mapped("isp_period_start"), [date(2026, 3, 1)])
        with self.assertRaisesRegex(UserError, "billed_from"):
            self.looked({"langganan.csv": lines % "2024-12-31"}, billed_from=date(1, 1, 1))
        # From long ago on: what would be billed is shown, as the run would do it.
        old = self.looked({"langganan.csv": lines.replace("budi@isp", "lama@isp") % "2024-12-31"}, "2026-03-02 12:00", billed_from=date(1970, 1, 1))
        old.problem_ids.accepted = True
        old.action_look()
        shown = (old.past_count, old.past_amount)
        self.assertGreater(old.past_count, 0)
        old.action_confirm()
        line = self.code("P001").subscription_ids.filtered(lambda line: line.ppp_username == "lama@isp")
        self.assertTrue(line, self.places(old))
        self.at("2026-03-02 13:00")["isp.billing_run"]._cron_bill()
        self.assertEqual((len(line.move_ids), sum(line.move_ids.mapped("amount_total"))), shown)


@tagged("post_install", "-at_install", "isp_large")
class TestAttacksOnImportSize(SpreadsheetsCommon):
    def test_many_rows(self):
        many = 1_000
        files = {
            "paket.csv": FILES["paket.csv"], "lokasi.csv": FILES["lokasi.csv"], "routers.csv": FILES["routers.csv"],
            "pelanggan.csv": HEADER + "".join("B%05d;Nama %d;;Jl. %d;0812%08d\n" % (n, n, n, n + 12_345_678) for n in range(many)),
            "langganan.csv": "id_pelanggan,paket,router,username,password,mulai\n" + "".join(
                "B%05d,HOME20,R1,u%05d@isp,x,2025-%02d-%02d\n" % (n, n, n % 12 + 1, n % 28 + 1) for n in range(many)
            ),
        }
        times = [time.monotonic()]
        wizard = self.looked(files)
        self.assertFalse(wizard.problem_ids, wizard.problem_ids[:3].mapped("message"))
        times.append(time.monotonic())
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        wizard.action_confirm()
        self.env.flush_all()
        times.append(time.monotonic())
        queries = self.env.cr.sql_log_count - before
        _logger.info("%d customers and lines: looked at in %.1f s, written in %.1f s with %d queries", many, times[1] - times[0], times[2] - times[1], queries)
        self.assertEqual(wizard.state, "done")
        self.assertEqual(len(self.env["isp.subscription"].search([("ppp_username", "like", "@isp"), ("state", "=", "active")])), many)
        # By hundreds together, and not one by one.
        self.assertLess(queries, many * 12)
