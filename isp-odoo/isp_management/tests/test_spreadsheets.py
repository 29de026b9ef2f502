"""An owner's spreadsheets: what would be written and what it costs is shown first, and all of it is written or nothing."""

import base64
import io
from datetime import date
from unittest.mock import patch
from zipfile import ZipFile

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import IspCommon, IspHttpCase

NIK, NUMBER = "3273011708450001", "0812-3456-7890"
FILES = {
    "lokasi.csv": "kode;nama;zona;koordinat\nBDG;Bandung Utara;WIB;-6.9147,107.6098\nDPS;Denpasar;WITA;\n",
    "routers.csv": "code,site,address,username,password\nR1,BDG,10.0.0.1,isp,rahasia-router\nR2,DPS,tls://10.0.0.2,isp,rahasia-dua\n",
    "paket.csv": "kode;nama;harga;ppn;kecepatan;grup\nHOME20;Rumah 20;Rp 165.000;termasuk;20/10;home20\nKTR50;Kantor 50;500rb;belum;50;ktr50\n",
    "pelanggan.csv": (
        "DATA PELANGGAN 2026;;;;\nNo;ID Pelanggan;Nama;NIK;Alamat;HP\n"
        f"1;P001;Budi Santoso;{NIK};Jl. Merdeka 1, Bandung;{NUMBER}\n2;P002;Siti;;Jl. Asia 2;\nJumlah;;2;;;\n"
    ),
    "langganan.csv": (
        "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih,harga_khusus,diskon\n"
        "P001,HOME20,R1,budi@isp,rahasia-budi,31/12/2024,,,\nP002,KTR50,R2,siti@isp,rahasia-siti,2026-01-20,5,400000,10%\n"
    ),
    "perangkat.csv": (
        "serial,customer_id,outdoor_unit,router,ip,username,password,ownership,value,tanggal\n"
        "SN-1,P001,LiteBeam M5,TL-WR840N,192.168.1.2,admin,rahasia-alat,dipinjamkan,650.000,2025-01-02\n"
    ),
    "psb.csv": "id_pelanggan,jenis,biaya,tanggal,cicilan\nP002,FO baru,500000,2026-01-20,3\nP001,FO baru,,2024-12-31,\n",
    "pengeluaran.csv": "tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,250000,PLN,BDG\n2026-01-05,listrik,250000,PLN,BDG\n",
}
SECRETS = ("rahasia", NIK, NUMBER)


# A manager opens the menu, chooses a file, looks at what would be written, and confirms.
CHOOSE = """
(async () => {
    const services = odoo.__WOWL_DEBUG__.root.env.services;
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const until = async (what, found) => {
        for (let waited = 0; waited < 60000; waited += 50) {
            const wrong = document.querySelector(".o_error_dialog, .modal .o_error_detail, .o_notification.border-danger");
            if (wrong) {
                throw new Error(what + ": " + wrong.innerText);
            }
            const element = found();
            if (element) {
                return element;
            }
            await pause(50);
        }
        throw new Error(what + " did not appear: " + document.querySelector(".modal")?.innerText);
    };
    const one = (selector) => () => document.querySelector(selector);
    const menu = services.menu.getAll().find((menu) => menu.xmlid === "isp_management.isp_spreadsheet_menu");
    await services.menu.selectMenu(menu);
    (await until("the list of files", one(".modal [name=file_ids] .o_field_x2many_list_row_add a"))).click();
    const input = await until("the choice of a file", one(".modal [name=file_ids] [name=content] input[type=file]"));
    const chosen = new DataTransfer();
    chosen.items.add(new File(["ID Pelanggan;Nama;Alamat\\nP001;Budi;Jl. 1\\n"], "pelanggan.csv"));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await until("its name", () => [...document.querySelectorAll(".modal [name=file_ids] td[name=name]")].find(
        (cell) => cell.innerText.includes("pelanggan.csv") || cell.querySelector("input")?.value === "pelanggan.csv"
    ));
    const button = (name) => () => document.querySelector(".modal footer button[name=" + name + "]:not(.d-none):not([disabled])");
    (await until("the button of the preview", button("action_look"))).click();
    await until("the counts", one(".modal [name=count_ids] .o_data_row"));
    (await until("the button that writes", button("action_confirm"))).click();
    await until("the end", one(".modal .alert-success"));
    console.log("test successful");
})().catch((error) => console.error(error.stack || error.message));
"""
READY = "!!(window.odoo && odoo.__WOWL_DEBUG__ && document.querySelector('.o_main_navbar'))"


@tagged("post_install", "-at_install")
class TestSpreadsheetsInTheBrowser(IspCommon, IspHttpCase):
    def test_a_manager_chooses_looks_and_confirms(self):
        new_test_user(
            self.env, "impor-peramban", groups="isp_management.group_manager", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.browser_js("/web", CHOOSE, READY, login="impor-peramban")
        self.assertEqual(self.env["isp.customer"].search([("customer_code", "=", "P001")]).name, "Budi")


@tagged("post_install", "-at_install")
class TestSpreadsheets(IspCommon):
    @classmethod
    def setUpClass(cls, chart_template_ref="id"):
        super().setUpClass(chart_template_ref=chart_template_ref)
        cls.manager = cls.member("manager")

    @classmethod
    def member(cls, group, lang="en_US"):
        return new_test_user(
            cls.env, "impor-%s-%s" % (group, lang), groups="isp_management.group_%s" % group, lang=lang,
            company_id=cls.company.id, company_ids=[Command.set(cls.company.ids)],
        )

    def wizard(self, files, moment="2026-01-15 12:00", user=None, **vals):
        env = self.at(moment)(user=(user or self.manager).id)
        model = env["isp.spreadsheet.wizard"].with_company(self.company)
        wizard = model.browse(model.action_isp_open()["res_id"])
        wizard.write({
            "file_ids": [
                Command.create({"name": name, "content": base64.b64encode(text.encode() if isinstance(text, str) else text)})
                for name, text in files.items()
            ],
            **vals,
        })
        wizard.action_look()
        return wizard

    def counts(self, wizard):
        return {
            count.kind: {name: count[name] for name in ("new", "changed", "kept", "same", "left_out", "refused") if count[name]}
            for count in wizard.count_ids
        }

    def everything(self):
        models = ("site", "router", "package", "customer", "subscription", "cpe", "device_history", "installation_kind", "installation_fee",
                  "expense")
        return {name: self.env["isp.%s" % name].with_context(active_test=False).search_count([]) for name in models} | {
            "partner": self.env["res.partner"].search_count([]), "move": self.env["account.move"].search_count([]),
        }

    def test_all_of_it_is_shown_and_then_written(self):
        before = self.everything()
        wizard = self.wizard(FILES)
        self.assertEqual(self.everything(), before, "looking writes nothing")
        self.assertFalse(wizard.problem_ids)
        self.assertEqual(self.counts(wizard), {
            "sites": {"new": 2}, "routers": {"new": 2}, "packages": {"new": 2}, "customers": {"new": 2}, "subscriptions": {"new": 2},
            "cpes": {"new": 1}, "installations": {"new": 1, "left_out": 1}, "expenses": {"new": 2},
        })
        self.assertEqual(wizard.to_write, 14)
        self.assertEqual((wizard.past_count, wizard.past_amount), (0, 0), "nobody is billed for the past")
        # 165.000 with its PPN, and 400.000 less 10 % with PPN on top.
        self.assertEqual(wizard.monthly, 165_000 + 399_600)
        self.assertEqual(wizard.first_date, date(2026, 1, 20))
        told = " ".join(wizard.notice_ids.mapped("message"))
        self.assertIn("totals", told)
        self.assertIn("button Invoice", told)
        wizard.action_confirm()
        self.assertEqual(wizard.state, "done")
        self.assertFalse(wizard.file_ids, "the files are gone")
        customers = self.env["isp.customer"].search([("customer_code", "in", ("P001", "P002"))], order="customer_code")
        budi, siti = customers
        self.assertEqual((budi.name, budi.street, budi.whatsapp_number), ("Budi Santoso", "Jl. Merdeka 1, Bandung", "+6281234567890"))
        self.assertEqual((budi._isp_open("nik"), budi.state), (NIK, "active"))
        line = budi.subscription_ids
        self.assertEqual((line.state, line.desired_access, line.router_id.name, line.zone), ("active", "open", "R1", "WIB"))
        self.assertEqual((line.activation_date, line.billing_day, line.billed_from), (date(2024, 12, 31), 31, date(2026, 1, 15)))
        self.assertEqual((line._isp_open("ppp_password"), line.ppp_username), ("rahasia-budi", "budi@isp"))
        other = siti.subscription_ids
        self.assertEqual((other.zone, other.held_price, other.discount_kind, other.discount_value), ("WITA", 400_000, "percent", 10))
        self.assertEqual((other.activation_date, other.billing_day, other.billed_from), (date(2026, 1, 20), 5, date(2026, 1, 20)))
        router = line.router_id
        self.assertEqual((router.site_id.name, router.site_id.code, router._isp_open("password")), ("Bandung Utara", "BDG", "rahasia-router"))
        self.assertEqual((other.router_id.use_tls, other.router_id.port), (True, 8729))
        home, office = line.package_id, other.package_id
        self.assertEqual((home.price, home.speed_down, home.speed_up, home.user_group), (165_000, 20_000, 10_000, "home20"))
        self.assertEqual((any(home.tax_ids.mapped("price_include")), any(office.tax_ids.mapped("price_include"))), (True, False))
        cpe = budi.cpe_ids
        self.assertEqual((cpe.state, cpe.installed_on, cpe.value, cpe.subscription_id), ("installed", date(2025, 1, 2), 650_000, line))
        self.assertEqual(cpe.device_history_ids.mapped("date"), [date(2025, 1, 2)])
        fee = siti.installation_fee_ids
        self.assertEqual((fee.amount, fee.instalments, fee.state, fee.subscription_id), (500_000, 3, "draft", other))
        expenses = self.env["isp.expense"].search([("name", "=", "PLN")])
        self.assertEqual((expenses.mapped("state"), sum(expenses.mapped("amount"))), (["posted", "posted"], 500_000))
        self.assertEqual(expenses.site_id.code, "BDG")
        for secret in SECRETS:
            for table, column in (("isp_spreadsheet_file", "content_sealed"), ("isp_router", "password_sealed")):
                self.env.cr.execute('SELECT count(*) FROM %s WHERE %s LIKE %%s' % (table, column), ["%" + secret + "%"])
                self.assertFalse(self.env.cr.fetchone()[0])
        # The run of today bills nobody for days before.
        self.at("2026-01-15 13:00")["isp.billing_run"]._cron_bill()
        self.assertFalse(customers.subscription_ids.move_ids)
        self.at("2026-01-31 13:00")["isp.billing_run"]._cron_bill()
        self.assertEqual(line.move_ids.mapped("isp_period_start"), [date(2026, 1, 31)])
        self.assertEqual(line.move_ids.amount_total, 165_000)

    def test_the_same_files_again_change_nothing(self):
        self.wizard(FILES).action_confirm()
        before = self.everything()
        wizard = self.wizard(FILES, update=True)
        self.assertFalse(wizard.problem_ids)
        self.assertEqual(wizard.to_write, 0, self.counts(wizard))
        self.assertEqual({name for count in self.counts(wizard).values() for name in count}, {"same", "left_out"})
        wizard.action_confirm()
        self.assertEqual(self.everything(), before)

    def test_what_many_rows_share_is_one_line_of_the_preview(self):
        head = "id_pelanggan,nama,alamat,telepon,paket,router,username,password,mulai\n"
        rows = "".join(
            "W%d,Warga %d,Jl. %d,%s,TIDAK-ADA 5M,R-LAIN,warga%d,rahasia,2026-01-01\n" % (n, n, n, "08123" if n == 7 else "", n)
            for n in range(1, 31)
        )
        wizard = self.wizard({"semua.csv": head + rows})
        shown = [(one.lines, one.column, one.code) for one in wizard.problem_ids]
        self.assertEqual(shown, [
            ("2-31", "router", "import.unknown"), ("2-31", "paket", "import.unknown_package"), ("8", "telepon", "customer.phone"),
        ])
        self.assertEqual(wizard.problem_count, 61)

    def test_nothing_is_written_while_a_row_is_wrong(self):
        bad = {**FILES, "pelanggan.csv": FILES["pelanggan.csv"].replace("2;P002;Siti;;", "2;P002;;123;")}
        indonesian = self.member("manager", "id_ID") if self.env["res.lang"]._lang_get("id_ID") else self.manager
        before = self.everything()
        wizard = self.wizard(bad, user=indonesian)
        places = [(one.file, one.line, one.column, one.code) for one in wizard.problem_ids]
        self.assertEqual(places[:2], [("pelanggan.csv", 4, "NIK", "customer.nik"), ("pelanggan.csv", 4, "Nama", "value.empty")])
        shown = " ".join(wizard.problem_ids.mapped("message") + [str(one) for one in wizard.notice_ids.mapped("message")])
        self.assertFalse([secret for secret in SECRETS if secret in shown])
        copy = wizard.copy_ids.filtered(lambda one: one.name == "pelanggan.csv")
        text = base64.b64decode(copy.content).decode()
        self.assertIn(wizard.problem_ids[0].message, text)
        self.assertIn(NIK, text, "the copy is the owner's file")
        wizard.action_confirm()
        self.assertEqual((wizard.state, self.everything()), ("shown", before))
        # Mended and chosen again.
        wizard.file_ids.filtered(lambda file: file.name == "pelanggan.csv").content = base64.b64encode(FILES["pelanggan.csv"].encode())
        wizard.action_look()
        self.assertFalse(wizard.problem_ids or wizard.copy_ids)
        wizard.action_confirm()
        self.assertEqual(wizard.state, "done")

    def test_a_question_is_answered(self):
        self.wizard(FILES).action_confirm()
        twin = "ID Pelanggan;Nama;NIK;Alamat\nP009;Budi Santoso;%s;Jl. Lain 7\n" % NIK
        wizard = self.wizard({"pelanggan.csv": twin})
        [asked] = wizard.problem_ids
        self.assertTrue(asked.is_question)
        wizard.action_confirm()
        self.assertFalse(self.env["isp.customer"].search([("customer_code", "=", "P009")]))
        wizard.problem_ids.accepted = True
        wizard.action_look()
        self.assertEqual(wizard.problem_count, 0)
        # Another file under the name is asked about again.
        wizard.file_ids.content = base64.b64encode(twin.replace("Jl. Lain 7", "Jl. Lain 8").encode())
        wizard.action_look()
        self.assertEqual((wizard.problem_count, wizard.problem_ids.accepted), (1, False))
        wizard.problem_ids.accepted = True
        wizard.action_look()
        wizard.action_confirm()
        self.assertTrue(self.env["isp.customer"].search([("customer_code", "=", "P009")]))

    def test_what_differs_is_changed_when_it_is_asked_for(self):
        self.wizard(FILES).action_confirm()
        budi = self.env["isp.customer"].search([("customer_code", "=", "P001")])
        changed = {
            **FILES,
            "pelanggan.csv": FILES["pelanggan.csv"].replace("Jl. Merdeka 1", "Jl. Baru 9"),
            "paket.csv": FILES["paket.csv"].replace("165.000", "175.000"),
            "langganan.csv": FILES["langganan.csv"].replace("rahasia-budi", "lain"),
        }
        wizard = self.wizard(changed)
        self.assertEqual((wizard.to_write, wizard.problem_count), (0, 0))
        self.assertIn("password", " ".join(filter(None, wizard.notice_ids.mapped("column"))))
        wizard.update = True
        wizard.action_look()
        self.assertEqual(wizard.to_write, 2)
        wizard.action_confirm()
        self.assertEqual(budi.street, "Jl. Baru 9, Bandung")
        self.assertEqual(budi.subscription_ids.package_id.with_env(self.at("2026-01-16 08:00")).price, 175_000)
        self.assertEqual(budi.subscription_ids._isp_open("ppp_password"), "rahasia-budi", "an account has its own buttons")

    def test_money_of_the_past_is_shown_before_it_is_asked_for(self):
        wizard = self.wizard(FILES, billed_from=date(2025, 11, 30))
        self.assertEqual((wizard.past_count, wizard.past_amount), (2, 330_000))
        wizard.action_confirm()
        line = self.env["isp.customer"].search([("customer_code", "=", "P001")]).subscription_ids
        self.at("2026-01-15 13:00")["isp.billing_run"]._cron_bill()
        self.assertEqual(sum(line.move_ids.mapped("amount_total")), 330_000)

    def test_what_is_not_so_any_more_is_shown_again(self):
        wizard = self.wizard(FILES)
        self.new_customer("Somebody", customer_code="P001")
        action = wizard.action_confirm()
        self.assertEqual((action["res_model"], wizard.state), ("isp.spreadsheet.wizard", "shown"))
        self.assertEqual(self.counts(wizard)["customers"], {"new": 1, "kept": 1})
        self.assertFalse(self.env["isp.router"].search([("name", "=", "R1")]))

    def test_nothing_is_written_when_the_last_record_is_refused(self):
        wizard, before = self.wizard(FILES), self.everything()
        expenses = type(self.env["isp.expense"])
        with patch.object(expenses, "action_post", side_effect=UserError("Buku ditutup")), self.assertRaises(UserError), \
                self.env.cr.savepoint():
            wizard.action_confirm()
        self.env.invalidate_all()
        self.assertEqual((self.everything(), wizard.state), (before, "shown"))

    def test_the_second_of_two_at_one_moment_meets_the_first(self):
        """Both confirm: the second waits for the first one's row, and its request is done again."""
        wizard = self.wizard(FILES)
        statements = []
        execute = type(self.env.cr).execute

        def watched(cursor, query, *args, **kwargs):
            statements.append(str(query))
            return execute(cursor, query, *args, **kwargs)

        with patch.object(type(self.env.cr), "execute", watched):
            wizard.action_confirm()
        held = next(at for at, query in enumerate(statements) if "UPDATE res_company SET id = id" in query)
        made = next(at for at, query in enumerate(statements) if 'INSERT INTO "isp_site"' in query)
        self.assertLess(held, made, "what exists is read and written while the company is held")

    def test_a_workbook_and_a_column_with_another_name(self):
        book = io.BytesIO()
        space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        package = "http://schemas.openxmlformats.org/package/2006/relationships"
        rows = [["ID Pelanggan", "Nama Lengkap Sekali", "Alamat"], ["P001", "Budi", "Jl. 1"]]
        cells = "".join(
            '<row r="%s">%s</row>' % (
                at, "".join('<c r="%s%s" t="inlineStr"><is><t>%s</t></is></c>' % (column, at, text) for column, text in zip("ABC", row)))
            for at, row in enumerate(rows, 1)
        )
        with ZipFile(book, "w") as archive:
            archive.writestr("_rels/.rels", '<Relationships xmlns="%s"><Relationship Id="r1" Type="%s/officeDocument" '
                             'Target="xl/workbook.xml"/></Relationships>' % (package, office))
            archive.writestr("xl/workbook.xml", '<workbook xmlns="%s" xmlns:r="%s"><sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/>'
                             "</sheets></workbook>" % (space, office))
            archive.writestr("xl/_rels/workbook.xml.rels", '<Relationships xmlns="%s"><Relationship Id="r1" Type="%s/worksheet" '
                             'Target="worksheets/sheet1.xml"/></Relationships>' % (package, office))
            archive.writestr("xl/worksheets/sheet1.xml", '<worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, cells))
        wizard = self.wizard({"Data Pelanggan.xlsx": book.getvalue()})
        self.assertIn("import.missing_column", wizard.problem_ids.mapped("code"))
        wizard.map_ids = [Command.create({"heading": "Nama Lengkap Sekali", "meaning": "name"})]
        wizard.action_look()
        self.assertFalse(wizard.problem_ids, wizard.problem_ids.mapped("message"))
        wizard.action_confirm()
        self.assertEqual(self.env["isp.customer"].search([("customer_code", "=", "P001")]).name, "Budi")

    def test_only_a_manager_imports_and_nobody_sees_another_s_files(self):
        for group in ("technician", "cashier", "billing"):
            user = self.member(group)
            model = self.env["isp.spreadsheet.wizard"].with_user(user)
            with self.assertRaises(AccessError):
                model.action_isp_open()
            with self.assertRaises(AccessError):
                model.create({"company_id": self.company.id})
        wizard = self.wizard(FILES)
        other = new_test_user(
            self.env, "impor-lain", groups="isp_management.group_manager", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for record in (wizard, wizard.file_ids[:1], wizard.count_ids[:1]):
            with self.assertRaises(AccessError):
                record.with_user(other).read(["id", "display_name", "write_date"])
        with self.assertRaises(AccessError):
            wizard.with_user(other).action_confirm()
        self.assertFalse(any(wizard.file_ids.mapped("content")), "a file that was chosen is not given back")
        with self.assertRaises(UserError):
            self.wizard({})
