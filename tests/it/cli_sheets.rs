//! What spreadsheets do to a sheet before anybody imports it: digits that are lost, rows that nobody sees, other writings
//! than UTF-8, totals below the rows.

use std::io::Write as _;

use crate::cli::Isp;

const EVERYTHING: &str = "id_pelanggan;nama;alamat;telepon;paket;harga;site;username;password;mulai\n";

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["site", "add", "A", "--name", "A"]);
    isp
}

fn row(n: usize, phone: &str, user: &str, password: &str) -> String {
    format!("P{n};Nama {n};Jl. {n};{phone};Rumah 10 Mbps;150000;A;{user};{password};2026-01-01\n")
}

/// Imports a sheet with everything; its exit code says whether it was taken.
fn import(isp: &Isp, code: i32, name: &str, bytes: &[u8], more: &[&str]) -> String {
    std::fs::write(isp.dir().join(name), bytes).unwrap();
    let words = ["--lang", "en", "--on", "2026-01-01", "import", "--everything", name];
    isp.exit(code, &[&words[..], more].concat()).1
}

fn customers(isp: &Isp) -> usize {
    isp.json(&["customer", "list"]).as_array().unwrap().len()
}

#[test]
fn what_a_spreadsheet_rounded_is_asked_about_with_its_row_and_column() {
    let isp = provider();
    let sheet = [
        EVERYTHING.to_owned(),
        row(1, "081210000001", "satu", "1.2E+10"),
        row(2, "081200000", "dua", "rahasia"),
        row(3, "081210000003", "8,12346E+10", "1234567890123450000"),
        row(4, "081234500000", "empat", "12E5"),
        row(5, "8.12E+10", "lima", "100000"),
    ]
    .concat();
    let told = import(&isp, 3, "semua.csv", sheet.as_bytes(), &[]);
    for (line, column, code) in [
        (2, "password", "import.rounded"),
        (3, "telepon", "customer.phone"),
        (4, "username", "import.rounded"),
        (4, "password", "import.rounded"),
        (5, "telepon", "import.rounded"),
        (6, "telepon", "customer.phone"),
    ] {
        let named = told.lines().any(|said| {
            said.contains(&format!("semua.csv line {line} column {column}")) && said.contains(&format!("[{code}]"))
        });
        assert!(named, "{line} {column}: {told}");
    }
    assert_eq!(told.matches("semua.csv line").count(), 6, "{told}");
    assert!(!told.contains("1.2E+10") && !told.contains("12346"), "{told}");
    assert_eq!(customers(&isp), 0);
    // Who knows that it is right says so.
    let right = [EVERYTHING.to_owned(), row(1, "081234500000", "satu", "1.2E+10")].concat();
    let told = import(&isp, 3, "semua.csv", right.as_bytes(), &[]);
    assert!(told.contains("--accept semua.csv:2"), "{told}");
    import(&isp, 0, "semua.csv", right.as_bytes(), &["--accept", "semua.csv:2"]);
    assert_eq!(customers(&isp), 1);
}

#[test]
fn other_writings_are_read_and_told_or_refused() {
    let sheet = [EVERYTHING, &row(1, "", "satu", "rahasia"), &row(2, "", "dua", "rahasia")].concat();
    let sheet = sheet.replace("Nama 2", "Café 2");
    let wide = |order: fn(u16) -> [u8; 2], mark: &str| {
        format!("{mark}{sheet}").encode_utf16().flat_map(order).collect::<Vec<u8>>()
    };
    let latin: Vec<u8> = sheet.chars().map(|sign| u8::try_from(u32::from(sign)).unwrap()).collect();
    for (bytes, told) in [
        (wide(u16::to_le_bytes, "\u{feff}"), "is read as UTF-16"),
        (wide(u16::to_be_bytes, "\u{feff}"), "is read as UTF-16"),
        (wide(u16::to_le_bytes, ""), "is read as UTF-16"),
        (latin.clone(), "is read as Windows-1252"),
    ] {
        let isp = provider();
        let said = import(&isp, 0, "semua.csv", &bytes, &[]);
        assert!(said.contains(told), "{told}: {said}");
        assert_eq!(isp.json(&["customer", "show", "P2"])[0]["name"], "Café 2");
    }
    let isp = provider();
    let mixed =
        [latin, "P3;Caf\u{e9} 3;Jl. 3;;Rumah 10 Mbps;150000;A;tiga;rahasia;2026-01-01\n".as_bytes().to_vec()].concat();
    let dos: Vec<u8> = sheet.bytes().map(|byte| if byte == b'2' { 0x82 } else { byte }).collect();
    for bytes in [mixed, dos, wide(u16::to_le_bytes, "\u{feff}")[..401].to_vec()] {
        let said = import(&isp, 3, "semua.csv", &bytes, &[]);
        assert!(said.contains("[import.utf8]"), "{said}");
    }
    assert_eq!(customers(&isp), 0);
}

#[test]
fn totals_are_left_out_and_told() {
    let isp = provider();
    let sheet = [
        EVERYTHING,
        &row(1, "", "satu", "rahasia"),
        &row(2, "", "dua", "rahasia"),
        ";;;;;300000;;;;\n",
        &row(3, "", "tiga", "rahasia"),
        "Jumlah;3;;;;Rp 450.000,-;;;;\n",
        "TOTAL PELANGGAN: 3\n",
    ]
    .concat();
    let told = import(&isp, 0, "semua.csv", sheet.as_bytes(), &[]);
    assert!(told.contains("3 rows of totals are left out, the first is line 4"), "{told}");
    assert_eq!(customers(&isp), 3);
    // A customer of such a name is none, and a copy with numbers gives no number to a total.
    let sheet = "nama,alamat,telepon\nTotal Persada,Jl. 1,\nBudi,Jl. 2,\nTotal,,2\n";
    std::fs::write(isp.dir().join("pelanggan.csv"), sheet).unwrap();
    isp.exit(3, &["import", "--customers", "pelanggan.csv", "--fix", "bernomor.csv"]);
    let copy = std::fs::read_to_string(isp.dir().join("bernomor.csv")).unwrap();
    assert!(copy.lines().last().unwrap().starts_with([',', ';']), "{copy}");
    let told = isp.exit(0, &["--lang", "en", "import", "--customers", "bernomor.csv"]).1;
    assert!(told.contains("1 rows of totals"), "{told}");
    assert_eq!(customers(&isp), 5);
}

/// A workbook of one sheet with these rows, each a number and its attributes, and more of its parts.
fn book(rows: &[(u32, &str)], columns: &str, state: &str) -> Vec<u8> {
    const CELLS: [&str; 4] = ["P{}", "Nama {}", "Jl. {}", ""];
    let head = ["id_pelanggan", "nama", "alamat", "telepon"];
    let cell = |text: &str, column: usize, row: u32| {
        let name = char::from(b'A' + u8::try_from(column).unwrap());
        format!("<c r=\"{name}{row}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
    };
    let line = |row: u32, how: &str, texts: Vec<String>| {
        let cells: String = texts.iter().enumerate().map(|(at, text)| cell(text, at, row)).collect();
        format!("<row r=\"{row}\" {how}>{cells}</row>")
    };
    let mut data = line(1, "", head.map(str::to_owned).to_vec());
    for (row, how) in rows {
        data += &line(*row, how, CELLS.map(|text| text.replace("{}", &row.to_string())).to_vec());
    }
    let main = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook {main} xmlns:r=\"{office}\"><sheets><sheet name=\"Pelanggan &amp; lain\" sheetId=\"1\" {state} r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        ("xl/worksheets/sheet1.xml", format!("<worksheet {main}>{columns}<sheetData>{data}</sheetData></worksheet>")),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn what_nobody_sees_of_a_workbook_is_asked_about() {
    let import = |isp: &Isp, code: i32, bytes: &[u8], more: &[&str]| {
        std::fs::write(isp.dir().join("buku.xlsx"), bytes).unwrap();
        isp.exit(code, &[&["--lang", "en", "import", "--customers", "buku.xlsx"][..], more].concat()).1
    };
    let isp = provider();
    // Hidden by hand, by a filter, by a height of nothing.
    let rows = [(2, ""), (3, "hidden=\"1\""), (4, "hidden=\"true\""), (5, ""), (6, "ht=\"0\" customHeight=\"1\"")];
    let told = import(&isp, 3, &book(&rows, "", ""), &[]);
    assert!(told.contains("buku.xlsx line 3") && told.contains("3 rows") && told.contains(": 3-4, 6."), "{told}");
    assert!(told.contains("[import.hidden_rows]") && told.contains("--accept buku.xlsx:3"), "{told}");
    assert_eq!(customers(&isp), 0);
    let columns =
        "<cols><col min=\"2\" max=\"2\" width=\"9\" hidden=\"1\"/><col min=\"7\" max=\"16384\" width=\"0\"/></cols>";
    let told = import(&isp, 3, &book(&[(2, "")], columns, ""), &[]);
    assert!(told.contains("line 1 column nama") && told.contains("[import.hidden_column]"), "{told}");
    assert_eq!(told.matches("[import.hidden_column]").count(), 1, "{told}");
    let told = import(&isp, 3, &book(&[(2, "")], "", "state=\"veryHidden\""), &[]);
    assert!(told.contains("[import.hidden_sheet]"), "{told}");
    assert_eq!(customers(&isp), 0);
    import(&isp, 0, &book(&rows, columns, "state=\"hidden\""), &["--accept", "buku.xlsx"]);
    assert_eq!(customers(&isp), 5);
    // A header that stands alone in sight, an empty row that is hidden: nothing is asked.
    import(&isp, 0, &book(&[(2, "")], "<cols><col min=\"9\" max=\"9\" hidden=\"1\"/></cols>", ""), &[]);
}

/// An `.ods` with one sheet of three customers: what stands before the columns, and what before each row and behind it.
fn open_document(styles: &str, table: &str, columns: &str, rows: &[(usize, &str, &str, &str)]) -> Vec<u8> {
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let cells = |cells: &[String]| cells.iter().map(|text| cell(text)).collect::<String>();
    let head = cells(&["id_pelanggan", "nama", "alamat"].map(str::to_owned));
    let data: String = rows
        .iter()
        .map(|(n, before, how, behind)| {
            let of = cells(&[format!("P{n}"), format!("Nama {n}"), format!("Jl. {n}")]);
            format!("{before}<table:table-row {how}>{of}</table:table-row>{behind}")
        })
        .collect();
    let names = ["office", "table", "text", "style"]
        .map(|name| format!("xmlns:{name}=\"urn:oasis:names:tc:opendocument:xmlns:{name}:1.0\""))
        .join(" ");
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content {names}><office:automatic-styles>{styles}</office:automatic-styles>\
        <office:body><office:spreadsheet><table:table table:name=\"Pelanggan\" {table}>{columns}\
        <table:table-row>{head}</table:table-row>{data}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    let manifest = format!(
        "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\">\
        <manifest:file-entry manifest:full-path=\"/\" manifest:media-type=\"{kind}\"/></manifest:manifest>"
    );
    for (name, text) in [("mimetype", kind), ("content.xml", &content), ("META-INF/manifest.xml", &manifest)] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn what_nobody_sees_of_an_open_document_is_asked_about() {
    const COLUMNS: &str = "<table:table-column table:number-columns-repeated=\"3\"/>";
    let isp = provider();
    let import = |code: i32, bytes: &[u8], more: &[&str]| {
        std::fs::write(isp.dir().join("buku.ods"), bytes).unwrap();
        isp.exit(code, &[&["--lang", "en", "import", "--customers", "buku.ods"][..], more].concat()).1
    };
    // By hand, by a filter, in a folded group, in a group within a group, by a style without height.
    let styles = "<style:style style:name=\"ro0\" style:family=\"table-row\"><style:table-row-properties style:row-height=\"0cm\"/></style:style>\
        <style:style style:name=\"ro1\" style:family=\"table-row\"><style:table-row-properties style:row-height=\"0.45cm\"/></style:style>\
        <style:style style:name=\"co0\" style:family=\"table-column\"><style:table-column-properties style:column-width=\"0in\"/></style:style>";
    let (fold, end) = ("<table:table-row-group table:display=\"false\">", "</table:table-row-group>");
    let within = format!("{fold}<table:table-row-group>");
    let rows = [
        (2, "", "table:style-name=\"ro1\"", ""),
        (3, "", "table:visibility=\"collapse\"", ""),
        (4, "", "table:visibility=\"filter\"", ""),
        (5, "", "table:visibility=\"visible\"", ""),
        (6, fold, "", end),
        (7, "<table:table-row-group>", "", end),
        (8, &within, "", &end.repeat(2)),
        (9, "", "", ""),
        (10, "", "table:style-name=\"ro0\"", ""),
    ];
    let told = import(3, &open_document(styles, "", COLUMNS, &rows), &[]);
    assert!(told.contains("buku.ods line 3") && told.contains("5 rows") && told.contains(": 3-4, 6, 8, 10."), "{told}");
    assert!(told.contains("[import.hidden_rows]") && told.contains("--accept buku.ods:3"), "{told}");
    for columns in [
        "<table:table-column/><table:table-column table:visibility=\"collapse\"/><table:table-column/>",
        "<table:table-column/><table:table-column-group table:display=\"false\"><table:table-column/></table:table-column-group><table:table-column/>",
        "<table:table-column/><table:table-column table:style-name=\"co0\"/><table:table-column/>",
    ] {
        let told = import(3, &open_document(styles, "", columns, &rows[..1]), &[]);
        assert!(told.contains("line 1 column nama") && told.contains("[import.hidden_column]"), "{columns}: {told}");
        assert_eq!(told.matches("[import.hidden_column]").count(), 1, "{columns}: {told}");
    }
    let unseen = "<style:style style:name=\"ta1\" style:family=\"table\"><style:table-properties table:display=\"false\"/></style:style>";
    let told = import(3, &open_document(unseen, "table:style-name=\"ta1\"", COLUMNS, &rows[..1]), &[]);
    assert!(told.contains("[import.hidden_sheet]"), "{told}");
    assert_eq!(customers(&isp), 0);
    import(0, &open_document(styles, "", COLUMNS, &rows), &["--accept", "buku.ods:3"]);
    assert_eq!(customers(&isp), 9);
    import(0, &open_document("", "", COLUMNS, &rows[7..8]), &[]);
}
