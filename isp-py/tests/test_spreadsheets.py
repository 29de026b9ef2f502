"""An owner's spreadsheets: rows, problems, notices, and what becomes of each row."""

import io
import zipfile
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import isp_engine as isp
from isp_engine import spreadsheets
from isp_engine.spreadsheets import (
    SheetAnswer,
    SheetBooks,
    SheetCustomer,
    SheetDevice,
    SheetExpense,
    SheetFee,
    SheetFile,
    SheetInstallation,
    SheetLine,
    SheetPackage,
    SheetRouter,
    SheetSite,
    SheetsRead,
)
from stories import refused

NOW = datetime(2026, 1, 15, 5, 0, tzinfo=timezone.utc)
NIK, PHONE, PASSWORD = "3273011708450001", "0812-3456-7890", "rahasia-pppoe"
FILES = {
    "sites.csv": "kode;nama;zona\nBDG;Bandung;WIB\n",
    "routers.csv": "code,site,address,username,password\nR1,BDG,tls://10.0.0.1,isp,rahasia-router\n",
    "packages.csv": "kode;nama;harga;ppn;kecepatan;grup\nHOME20;Rumah 20;Rp 165.000;termasuk;20/10;home20\n",
    "pelanggan.csv": f"ID Pelanggan;Nama;NIK;Alamat;Telepon\nP001;Budi;{NIK};Jl. Merdeka 1;{PHONE}\nP002;Siti;;Jl. Asia 2;\n",
    "langganan.csv": (
        "id_pelanggan,paket,router,username,password,mulai,tanggal_tagih,harga_khusus,diskon\n"
        f"P001,HOME20,R1,budi@isp,{PASSWORD},31/12/2024,,,10%\nP002,HOME20,R1,siti@isp,pw2,2026-01-20,5,150rb,\n"
    ),
    "cpes.csv": "serial,customer_id,outdoor_unit,kepemilikan,nilai\nSN-1,P001,LiteBeam M5,dipinjamkan,650.000\n",
    "psb.csv": "id_pelanggan,jenis,biaya,tanggal,cicilan\nP002,FO baru,500000,2026-01-20,3\nP001,FO baru,,2024-12-31,\n",
    "expenses.csv": "tanggal,kategori,jumlah,catatan,site\n2026-01-05,listrik,250000,PLN,BDG\n2026-01-05,listrik,250000,PLN,BDG\n",
}


def files(changed: dict[str, str | bytes] | None = None) -> list[SheetFile]:
    texts: dict[str, str | bytes] = {**FILES, **(changed or {})}
    return [SheetFile(name, text.encode() if isinstance(text, str) else text) for name, text in texts.items()]


def read(given: list[SheetFile] | None = None, books: SheetBooks | None = None, **how: Any) -> SheetsRead:
    return spreadsheets.read(given if given is not None else files(), books or SheetBooks(), NOW, **how)


def records(found: SheetsRead, kind: type[Any], verdict: str | None = None) -> list[Any]:
    return [row.record for row in found.rows if isinstance(row.record, kind) and verdict in (None, row.verdict)]


def taken_over(found: SheetsRead) -> SheetBooks:
    """What exists after the rows that are new were written."""

    def new(kind: type[Any]) -> list[Any]:
        return records(found, kind, "new")

    return SheetBooks(
        new(SheetSite),
        new(SheetRouter),
        new(SheetPackage),
        new(SheetCustomer),
        new(SheetLine),
        new(SheetDevice),
        [SheetFee("FO-BARU", "FO baru", 500_000)],
        new(SheetInstallation),
        new(SheetExpense),
    )


def test_rows_are_typed_and_nothing_is_wrong() -> None:
    found = read()
    assert (found.problems, found.copies) == ((), ())
    assert dict(found.read_as)["pelanggan.csv"] == "customers"
    assert [row.verdict for row in found.rows] == ["new"] * 9 + ["left_out"] + ["new"] * 2
    assert records(found, SheetSite) == [SheetSite("BDG", "Bandung", "WIB")]
    assert records(found, SheetRouter) == [SheetRouter("R1", "BDG", "tls://10.0.0.1:8729", "isp", "rahasia-router")]
    [package] = records(found, SheetPackage)
    assert package == SheetPackage("HOME20", "Rumah 20", 165_000, "inclusive", "20M/10M", "home20")
    budi, siti = records(found, SheetCustomer)
    assert (budi.nik, budi.phone, siti.nik, siti.phone) == (NIK, "+6281234567890", None, None)
    old, later = records(found, SheetLine)
    # Periods from before were billed elsewhere; a line that starts later is billed from its start.
    assert (old.billed_from, old.billing_day, old.site, old.discount) == (
        date(2026, 1, 15),
        31,
        "BDG",
        isp.Discount("percent", 10),
    )
    assert (later.billed_from, later.billing_day, later.held_price) == (
        date(2026, 1, 20),
        5,
        isp.HeldPrice(150_000),
    )
    assert records(found, SheetDevice)[0].value == 650_000
    assert records(found, SheetInstallation)[0] == SheetInstallation(
        "P002", None, "FO-BARU", "FO baru", 500_000, date(2026, 1, 20), 3
    )
    # From this day on the installation of 2024 is billed here too, at the price of its kind.
    assert read(billed_from=date(2024, 12, 1)).rows[-3].verdict == "new"


def test_the_same_files_again_change_nothing() -> None:
    found = read(books=taken_over(read()))
    assert found.problems == ()
    assert {row.verdict for row in found.rows} == {"same", "left_out"}
    assert [(row.file, row.line) for row in found.rows if row.verdict == "left_out"] == [("psb.csv", 3)]


def test_what_differs_is_named_by_its_columns_and_never_by_its_values() -> None:
    books = taken_over(read())
    changed = {
        "pelanggan.csv": FILES["pelanggan.csv"].replace("Jl. Asia 2", "Jl. Baru 3"),
        "langganan.csv": FILES["langganan.csv"].replace(PASSWORD, "lain"),
    }
    found = read(files(dict(changed)), books)
    differs = [(type(row.record), row.line, row.columns, row.updatable) for row in found.rows if row.verdict == "differs"]
    assert differs == [(SheetCustomer, 3, ("address",), True), (SheetLine, 2, ("password",), False)]
    # Of a customer with the card of one who exists somebody has to say that it is another.
    twin = FILES["pelanggan.csv"].replace("P001", "P009")
    [asked] = [problem for problem in read(files({"pelanggan.csv": twin}), books).problems if problem.is_question]
    assert (asked.file, asked.line, asked.code) == ("pelanggan.csv", 2, "import.likely_double")
    answered = read(files({"pelanggan.csv": twin}), books, accept=[SheetAnswer("pelanggan.csv", 2)])
    assert not [problem for problem in answered.problems if problem.is_question]


def test_a_problem_says_where_and_why_in_both_languages_and_shows_no_cell() -> None:
    bad = {
        "pelanggan.csv": FILES["pelanggan.csv"] + f"P003;;32730117084500;Jl. 3;021-{PHONE}\n",
        "langganan.csv": FILES["langganan.csv"] + f"P009,HOME20,R1,dodi@isp,{PASSWORD},2026-02-30,1,,\n",
    }
    for language, words in (("id", "selnya kosong"), ("en", "name is empty")):
        found = read(files(dict(bad)), language=language, copies=True)
        places = [(problem.file, problem.line, problem.column, problem.code) for problem in found.problems]
        assert places == [
            ("langganan.csv", 4, "mulai", "date.format"),
            ("pelanggan.csv", 4, "NIK", "customer.nik"),
            ("pelanggan.csv", 4, "Nama", "value.empty"),
            ("pelanggan.csv", 4, "Telepon", "customer.phone"),
        ]
        assert found.problems[2].message == words
        shown = repr(found)
        assert not [secret for secret in (NIK, "32730117084500", PHONE, PASSWORD, "pw2", "rahasia") if secret in shown]
        copy = next(copy for copy in found.copies if copy.name == "pelanggan.csv").content.decode()
        assert copy.splitlines()[0].endswith("masalah" if language == "id" else "problem")
        assert words in copy.splitlines()[3] and PHONE in copy
    # The rows that are right are shown beside those that are not.
    assert len(records(read(files(dict(bad))), SheetCustomer, "new")) == 2


def test_what_many_rows_share_is_one_fault_of_many_problems() -> None:
    head = "id_pelanggan,nama,alamat,telepon,paket,username,password,mulai\n"
    rows = [f"C{n},Warga {n},Jl. {n},{'08123' if n == 7 else ''},HOME20,warga{n},{PASSWORD},2026-01-01\n" for n in range(1, 31)]
    sheet = [SheetFile("pelanggan.csv", (head + "".join(rows)).encode())]
    for language, words in (("id", "belum ada router"), ("en", "no router yet")):
        found = read(sheet, language=language)
        router, package, phone = found.faults
        assert (router.file, router.lines, router.listed, router.column) == ("pelanggan.csv", tuple(range(2, 32)), "2-31", "router")
        assert words in router.message and not router.is_question
        assert (package.code, package.lines) == ("import.unknown_package", router.lines) and "HOME20" in package.message
        assert (phone.code, phone.lines, phone.listed) == ("customer.phone", (8,), "8")
        # Each problem is in one fault.
        assert sorted((problem.line, problem.code, problem.message) for problem in found.problems) == sorted(
            (line, fault.code, fault.message) for fault in found.faults for line in fault.lines
        )


def test_workbooks_and_odd_files() -> None:
    book = workbook([["ID Pelanggan", "Nama", "Alamat"], ["P001", "Budi", "Jl. 1"], ["Total", "1", ""]])
    found = read([SheetFile("Data Pelanggan.xlsx", book), SheetFile("foto.jpg", b"\xff\xd8")])
    assert found.problems == () and [row.record.code for row in found.rows if isinstance(row.record, SheetCustomer)] == ["P001"]
    assert {(notice.file, notice.code) for notice in found.notices} >= {("foto.jpg", "notice.unknown_file")}
    assert all(notice.message for notice in found.notices)
    no_book = read([SheetFile("pelanggan.xlsx", b"PK\x03\x04 no book")])
    assert [problem.code for problem in no_book.problems] == ["import.workbook"]
    hidden = read([SheetFile("paket.xlsx", workbook([["kode", "nama", "harga", "kecepatan"], ["A", "A", "150000", "20"]], "hidden"))])
    assert [(problem.code, problem.is_question) for problem in hidden.problems] == [("import.hidden_sheet", True)]


def workbook(rows: list[list[str]], state: str = "visible") -> bytes:
    """An .xlsx with one sheet of texts."""
    cells = "".join(
        f'<row r="{at}">'
        + "".join(
            f'<c r="{chr(65 + column)}{at}" t="inlineStr"><is><t>{text}</t></is></c>' for column, text in enumerate(row)
        )
        + "</row>"
        for at, row in enumerate(rows, 1)
    )
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{office}"><sheets><sheet name="Sheet1" sheetId="1" state="{state}" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_a_person_says_what_a_column_is_and_in_which_order_days_are() -> None:
    text = "ID Pelanggan;Nama Lengkap Sekali;Alamat\nP001;Budi;Jl. 1\n"
    assert "import.missing_column" in {p.code for p in read([SheetFile("pelanggan.csv", text.encode())]).problems}
    found = read([SheetFile("pelanggan.csv", text.encode())], maps=[("Nama Lengkap Sekali", "name")])
    assert [row.record.name for row in found.rows if isinstance(row.record, SheetCustomer)] == ["Budi"]
    days = FILES["expenses.csv"].replace("2026-01-05", "1/2/2026")
    for order, day in (("dmy", date(2026, 2, 1)), ("mdy", date(2026, 1, 2))):
        found = read(files({"expenses.csv": days}), dates=order)
        assert records(found, SheetExpense)[0].on == day


@pytest.mark.parametrize(
    ("books", "field", "code"),
    [
        (SheetBooks(sites=[SheetSite("B D", "Bandung", "WIB")]), "books.sites[0].code", "value.bad_code"),
        (SheetBooks(customers=[SheetCustomer("A", "A"), SheetCustomer("a", "B")]), "books.customers[1].code", "value.duplicate"),
        (SheetBooks(routers=[SheetRouter("R1", "BDG", "10.0.0.1", "isp")]), "books.routers[0].site", "value.no_row"),
        (SheetBooks(customers=[SheetCustomer("A", "A", nik="1")]), "books.customers[0].nik", "customer.nik"),
        (SheetBooks(cash=1.5), "books.cash", "value.type"),  # type: ignore[arg-type]
    ],
)
def test_what_exists_is_checked_too(books: SheetBooks, field: str, code: str) -> None:
    error = refused(spreadsheets.read, [], books, NOW)
    assert (error.field, error.code) == (field, code)


def test_records_of_what_exists_hide_what_is_personal() -> None:
    shown = repr([SheetCustomer("A", "Budi Santoso", NIK, "Jl. Mawar 1", PHONE), SheetFile("a.csv", NIK.encode())])
    assert not [secret for secret in (NIK, "Budi", "Mawar", PHONE) if secret in shown]


def test_the_messy_sheets_of_the_demo_are_read() -> None:
    demo = Path(__file__).parents[2] / "examples" / "demo-isp"
    given = [SheetFile(path.name, path.read_bytes()) for path in sorted(demo.glob("*.csv"))]
    assert given
    found = read(given, billed_from=date(2026, 1, 1))
    assert [problem for problem in found.problems if not problem.is_question] == []
    assert len(records(found, SheetCustomer)) == 330
