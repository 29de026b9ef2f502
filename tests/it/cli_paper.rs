//! Papers for customers: each stands in one page by itself, with the figures that were charged.

use crate::cli::{Isp, SHEETS};

fn billed() -> Isp {
    let mut isp = Isp::new();
    isp.init();
    isp.set("ISP_PROVIDER__NAME", "Warga <Net>");
    isp.set("ISP_PROVIDER__PAY_TO", r#"["BCA 123 a.n. Sari & Co"]"#);
    isp.set("ISP_PAPER__ADDRESS", r#"["Jl. Melati 1", "Bandung"]"#);
    isp.set("ISP_PAPER__NPWP", "01.234.567.8-901.000");
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-20", "bill"]);
    isp
}

fn page(isp: &Isp, arguments: &[&str], file: &str) -> String {
    let said = isp.ok(&[arguments, &["--html", file]].concat());
    assert!(said.contains(file), "{said}");
    std::fs::read_to_string(isp.dir().join(file)).unwrap()
}

fn pdf(isp: &Isp, arguments: &[&str], file: &str) -> Vec<u8> {
    let said = isp.ok(&[arguments, &["--pdf", file]].concat());
    assert!(said.contains(file) && said.contains("PDF"), "{said}");
    let file = std::fs::read(isp.dir().join(file)).unwrap();
    assert!(file.starts_with(b"%PDF-") && file.ends_with(b"%%EOF"), "{} bytes", file.len());
    file
}

/// What can be read on all sheets of a PDF file, and how many there are.
fn read(file: &[u8]) -> (String, usize) {
    let read = lopdf::Document::load_mem(file).unwrap();
    let sheets: Vec<u32> = read.get_pages().into_keys().collect();
    let text = read.extract_text(&sheets).unwrap();
    (text.split_whitespace().collect::<Vec<_>>().join(" "), sheets.len())
}

/// A picture of two red pixels.
const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x02\x00\x00\x00\x01\x08\x02\x00\x00\x00{@\xe8\xdd\x00\x00\x00\x0dIDATx\xdac8!'\x07D\x00\x08w\x02\x09N.\x09,\x00\x00\x00\x00IEND\xaeB`\x82";

#[test]
fn an_invoice_is_a_page_by_itself() {
    let isp = billed();
    let invoices = isp.json(&["invoice", "list", "--customer", "P001"]);
    let number = invoices[0]["invoice"].as_str().unwrap().to_owned();
    let html = page(&isp, &["invoice", "print", &number], "tagihan.html");
    let rupiah = |key: &str| {
        let text = isp_core::Money::rupiah(invoices[0][key].as_i64().unwrap()).to_string();
        text.replacen("Rp", "Rp ", 1)
    };
    for said in [
        "<html lang=\"id\">",
        "@page{size:A4",
        "<h1>TAGIHAN</h1>",
        "Warga &lt;Net&gt;",
        "Jl. Melati 1",
        "NPWP 01.234.567.8-901.000",
        "Budi Santoso",
        "P001",
        &number,
        "Internet, paket Rumah 20",
        "DPP",
        "PPN",
        "BELUM DIBAYAR",
        "BCA 123 a.n. Sari &amp; Co",
        &rupiah("total"),
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    assert!(!html.contains("http") && !html.contains("<script") && !html.contains("Merdeka"), "{html}");
    // A part is paid: the same paper says what is left.
    isp.ok(&["--on", "2026-01-21", "payment", "add", "P001", "100000", "--reference", "KW-1"]);
    let again = isp.json(&["invoice", "list", "--customer", "P001"]);
    let open = isp_core::Money::rupiah(again[0]["open"].as_i64().unwrap()).to_string().replacen("Rp", "Rp ", 1);
    let html = page(&isp, &["invoice", "print", &number], "tagihan.html");
    assert!(html.contains("DIBAYAR SEBAGIAN") && html.contains("-Rp 100.000") && html.contains(&open), "{html}");
    isp.fails(4, &["invoice", "print", "INV-202601-999999"], "cli.not_found");
}

/// The paper tells what was paid from what was given up, and from what was given back.
#[test]
fn a_paper_tells_paid_from_written_off() {
    let isp = billed();
    let number = isp.json(&["invoice", "list", "--customer", "P001"])[0]["invoice"].as_str().unwrap().to_owned();
    let marks = |told: &str| {
        let html = page(&isp, &["invoice", "print", &number], "tagihan.html");
        let month = page(&isp, &["invoice", "print", "--month", "2026-01"], "januari.html");
        // The first bill of the month is the same one.
        let month = month.split("</article>").next().unwrap().to_owned();
        for html in [html, month] {
            for mark in ["BELUM DIBAYAR", "LUNAS", "PIUTANG DIHAPUS", "SELESAI"] {
                assert_eq!(html.contains(&format!("\"mark\">{mark}<")), mark == told, "{mark}, {told}: {html}");
            }
        }
    };
    marks("BELUM DIBAYAR");
    let off = ["--on", "2026-01-21", "write-off", "add", &number, "--reason", "pindah"];
    isp.ok(&off);
    marks("PIUTANG DIHAPUS");
    isp.ok(&["--on", "2026-01-22", "write-off", "reverse", &number, "--reason", "sudah bayar"]);
    marks("BELUM DIBAYAR");
    isp.ok(&["--on", "2026-01-22", "payment", "add", "P001", "165000", "--reference", "KW-1"]);
    marks("LUNAS");
    isp.ok(&["--on", "2026-01-23", "payment", "reverse", "cash", "KW-1", "--sure", "--reason", "salah"]);
    isp.ok(&["--on", "2026-01-23", "credit-note", "add", &number, "165000", "--reason", "salah tagih"]);
    marks("SELESAI");
}

#[test]
fn a_month_stands_in_one_page_each_in_the_language_of_its_customer() {
    let isp = billed();
    let count = isp.json(&["invoice", "list", "--month", "2026-01"]).as_array().unwrap().len();
    let html = page(&isp, &["invoice", "print", "--month", "2026-01"], "januari.html");
    assert_eq!(html.matches("<article>").count(), count);
    assert!(html.contains("<h1>TAGIHAN</h1>") && html.contains("<h1>INVOICE</h1>"), "Siti reads English: {html}");
    assert!(html.contains("break-after:page"), "{html}");
    let none = isp.fails(4, &["invoice", "print", "--month", "2020-01"], "cli.not_found");
    assert!(none.contains("tagihan terbitan 2020-01 tidak ada"), "{none}");
    let (_, err) = isp.exit(2, &["invoice", "print"]);
    assert!(err.contains("[cli.usage]"), "{err}");
}

#[test]
fn a_receipt_says_what_was_paid_and_what_is_left() {
    let isp = billed();
    isp.ok(&[
        "--on",
        "2026-01-21",
        "payment",
        "add",
        "P001",
        "200000",
        "--provider",
        "bank",
        "--reference",
        "TRX 77/A",
    ]);
    let html = page(&isp, &["receipt", "print", "bank", "TRX 77/A"], "kuitansi.html");
    for said in [
        "<h1>KUITANSI</h1>",
        "TRX 77/A",
        "21 Januari 2026",
        "transfer bank",
        "INV-2026",
        "Rp 200.000",
        "Titipan",
        "Rp 0",
    ] {
        assert!(html.contains(said), "{said}: {html}");
    }
    // Without a name the file is called as the paper.
    let said = isp.ok(&["receipt", "print", "bank", "TRX 77/A"]);
    assert!(said.contains("kuitansi-TRX-77-A.html") && isp.dir().join("kuitansi-TRX-77-A.html").exists(), "{said}");
    isp.ok(&["payment", "reverse", "bank", "TRX 77/A", "--reason", "ditolak bank"]);
    let told = isp.fails(2, &["receipt", "print", "bank", "TRX 77/A"], "cli.usage");
    assert!(told.contains("bukan uang yang masuk"), "{told}");
}

#[test]
fn a_receipt_names_what_was_paid_out_of_it() {
    let isp = billed();
    isp.ok(&["--on", "2026-01-21", "payment", "add", "P001", "200000", "--provider", "bank", "--reference", "TRX 78"]);
    isp.ok(&["--on", "2026-01-22", "refund", "add", "P001", "10000", "--from", "bank"]);
    let html = page(&isp, &["receipt", "print", "bank", "TRX 78"], "kuitansi.html");
    assert!(html.contains("Dikembalikan kepada pelanggan") && html.contains("Rp 10.000"), "{html}");
}

#[test]
fn a_logo_and_a_size_come_from_the_settings() {
    let mut isp = billed();
    std::fs::write(isp.dir().join("logo.png"), PNG).unwrap();
    let toml = std::fs::read_to_string(isp.dir().join("isp.toml")).unwrap();
    std::fs::write(isp.dir().join("isp.toml"), format!("{toml}\n[paper]\nlogo = \"logo.png\"\nsize = \"a5\"\n"))
        .unwrap();
    let html = page(&isp, &["invoice", "print", "--month", "2026-01"], "januari.html");
    assert!(html.contains("<img src=\"data:image/png;base64,iVBORw0KGg") && html.contains("@page{size:A5"), "{html}");
    let plain = pdf(&billed(), &["invoice", "print", "--month", "2026-01"], "januari.pdf");
    let file = pdf(&isp, &["invoice", "print", "--month", "2026-01"], "januari.pdf");
    assert!(file.len() > plain.len() && file.windows(6).any(|part| part == b"/Image"), "the logo is in it");
    // No picture, and half of one.
    for wrong in [b"<svg/>", &PNG[..40]] {
        std::fs::write(isp.dir().join("logo.png"), wrong).unwrap();
        let told = isp.fails(2, &["invoice", "print", "--month", "2026-01"], "cli.config");
        assert!(told.contains("paper.logo"), "{told}");
    }
    isp.set("ISP_PAPER__SIZE", "Letter");
    let told = isp.fails(2, &["invoice", "list"], "cli.config");
    assert!(told.contains("ISP_PAPER__SIZE"), "{told}");
}

/// A slip of the fingers costs neither the database, nor the key, nor the settings; a page of before is replaced.
#[test]
fn a_page_takes_the_place_of_a_page_only() {
    let isp = billed();
    let invoices = isp.json(&["invoice", "list", "--customer", "P001"]);
    let number = invoices[0]["invoice"].as_str().unwrap().to_owned();
    for file in ["isp.db", "isp.key", "isp.toml"] {
        let before = std::fs::read(isp.dir().join(file)).unwrap();
        let said = isp.fails(6, &["invoice", "print", &number, "--html", file], "cli.file");
        assert!(said.contains(file), "{said}");
        let report = ["report", "finance", "--from", "2026-01", "--to", "2026-01", "--html", file];
        isp.fails(6, &report, "cli.file");
        assert_eq!(std::fs::read(isp.dir().join(file)).unwrap(), before, "{file}");
    }
    for _ in 0..2 {
        page(&isp, &["invoice", "print", &number], "tagihan.html");
    }
}

#[test]
fn an_invoice_and_a_receipt_are_pdf_files_with_the_figures_of_the_page() {
    let isp = billed();
    let invoices = isp.json(&["invoice", "list", "--month", "2026-01"]);
    let number = invoices[0]["invoice"].as_str().unwrap().to_owned();
    let file = pdf(&isp, &["invoice", "print", &number], "tagihan.pdf");
    assert!(!isp.dir().join(format!("{number}.html")).exists(), "only what was asked for");
    let (text, sheets) = read(&file);
    let rupiah = isp_core::Money::rupiah(invoices[0]["total"].as_i64().unwrap()).to_string().replacen("Rp", "Rp ", 1);
    let due = invoices[0]["due"].as_str().unwrap().to_owned();
    let due = format!(
        "{} {} 2026",
        due[8..].trim_start_matches('0'),
        if &due[5..7] == "01" { "Januari" } else { "Februari" }
    );
    for said in
        ["Warga <Net>", "Jl. Melati 1", "TAGIHAN", &number, "Internet, paket", &rupiah, &due, "BCA 123 a.n. Sari & Co"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert_eq!(sheets, 1);
    assert_eq!(pdf(&isp, &["invoice", "print", &number], "lagi.pdf"), file, "the same facts, the same bytes");

    let month = pdf(&isp, &["invoice", "print", "--month", "2026-01", "--html", "januari.html"], "januari.pdf");
    assert!(isp.dir().join("januari.html").exists(), "both, where both are named");
    let (text, sheets) = read(&month);
    assert_eq!(sheets, invoices.as_array().unwrap().len());
    for invoice in invoices.as_array().unwrap() {
        assert!(text.contains(invoice["invoice"].as_str().unwrap()), "{text}");
    }
    assert!(text.contains("TAGIHAN") && text.contains("INVOICE"), "each in the language of its customer: {text}");

    isp.ok(&[
        "--on",
        "2026-01-21",
        "payment",
        "add",
        "P001",
        "200000",
        "--provider",
        "bank",
        "--reference",
        "TRX 77/A",
    ]);
    let (text, sheets) = read(&pdf(&isp, &["receipt", "print", "bank", "TRX 77/A"], "kuitansi.pdf"));
    for said in
        ["KUITANSI", "TRX 77/A", "21 Januari 2026", "transfer bank", "Rp 200.000", "Titipan", "Sisa tagihan Rp 0"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert_eq!(sheets, 1);
    let told = isp.json(&["receipt", "print", "bank", "TRX 77/A", "--pdf", "a.pdf", "--html", "a.html"]);
    let files: Vec<&str> = told.as_array().unwrap().iter().map(|row| row["file"].as_str().unwrap()).collect();
    assert_eq!(files, ["a.pdf", "a.html"]);
    isp.fails(6, &["receipt", "print", "bank", "TRX 77/A", "--pdf", "isp.db"], "cli.file");
}
