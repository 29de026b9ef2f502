//! Reports as pages and workbooks by the binary: the same figures as the JSON, text that nothing runs, and no more personal data
//! than the table shows.

use std::path::PathBuf;

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use serde_json::Value;

use crate::cli::{Isp, SHEETS};

/// The provider of the spreadsheets after two months, with a customer whose name a spreadsheet would run.
fn provider() -> Isp {
    let mut isp = Isp::new();
    isp.set("ISP_PROVIDER__NAME", "Contoh <Net> & Co");
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["customer", "edit", "P002", "--name", "=HYPERLINK(1) <b>Siti</b>"]);
    for day in ["2026-01-05", "2026-02-05"] {
        isp.ok(&["--on", day, "bill"]);
    }
    isp.ok(&["--on", "2026-02-05", "payment", "add", "P001", "165000", "--provider", "bank", "--reference", "T-1"]);
    isp
}

const MONTHS: [&str; 4] = ["--from", "2026-01", "--to", "2026-02"];

/// A sheet by its number.
fn sheet(path: &PathBuf, number: usize) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    assert!(book.sheet_names().iter().all(|name| book.worksheet_formula(name).unwrap().is_empty()), "a formula");
    let range = book.worksheet_range_at(number).unwrap().unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

/// A value of JSON stands in a cell with its type.
fn same(cell: &Data, value: &Value, place: &str) {
    match (cell, value) {
        (Data::Empty, Value::Null) => {}
        (Data::Float(number), Value::Number(expected)) => {
            assert_eq!(Some(*number as i64), expected.as_i64(), "{place}")
        }
        // A word of a closed set is in the language of the sheet.
        (Data::String(text), Value::String(_)) => assert!(!text.is_empty(), "{place}"),
        (cell, value) => panic!("{place}: {cell:?} is not {value}"),
    }
}

#[test]
fn a_workbook_has_the_figures_of_the_json() {
    let isp = provider();
    let on = ["--on", "2026-02-20", "--lang", "en"];
    for report in [&["customers"][..], &["cpe"], &["packages"], &["finance"], &["cash"]] {
        let months: &[&str] = if ["finance", "cash"].contains(&report[0]) { &MONTHS } else { &[] };
        let words = [&on[..], &["report"], report, months].concat();
        let file = isp.dir().join(format!("{}.xlsx", report[0]));
        isp.ok(&[&words[..], &["--xlsx", file.to_str().unwrap()]].concat());
        let mut json = isp.json(&words);
        if report == ["finance"] {
            json = json["months"].take();
            // Columns of slips are shown where there are any.
            for row in json.as_array_mut().unwrap() {
                row.as_object_mut().unwrap().retain(|key, _| !["withheld", "pph23_prepaid"].contains(&key.as_str()));
            }
        }
        let (rows, cells) = (json.as_array().unwrap(), sheet(&file, 0));
        assert_eq!((cells.len(), rows.is_empty()), (rows.len() + 1, false), "{report:?}");
        let csv = isp.ok(&[&words[..], &["--format", "csv"]].concat());
        let keys: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
        let keys: Vec<&str> = keys.into_iter().filter(|key| rows[0].get(key).is_some()).collect();
        assert_eq!(cells[0].len(), keys.len(), "{report:?}");
        for (row, cells) in rows.iter().zip(&cells[1..]) {
            for (key, cell) in keys.iter().zip(cells) {
                let discount = *key == "discount" && row[*key].is_string();
                if !discount {
                    same(cell, &row[*key], &format!("{report:?} {key}"));
                }
            }
        }
    }
    // Nothing of a name is run.
    let customers = sheet(&isp.dir().join("customers.xlsx"), 0);
    assert!(customers.iter().any(|row| row[1] == Data::String("=HYPERLINK(1) <b>Siti</b>".into())), "{customers:?}");
}

#[test]
fn profit_and_loss_is_a_line_an_account_with_the_sums_of_the_json() {
    let isp = provider();
    let file = isp.dir().join("laba.xlsx");
    let words = [&["--lang", "en", "report", "profit-loss"][..], &MONTHS].concat();
    isp.ok(&[&words[..], &["--xlsx", file.to_str().unwrap()]].concat());
    let cells = sheet(&file, 0);
    let head: Vec<String> = cells[0].iter().map(ToString::to_string).collect();
    assert_eq!(head[1..], ["2026-01", "2026-02", "total"]);
    let mut seen = 0;
    for row in isp.json(&words).as_array().unwrap() {
        let column = match row["month"].as_str() {
            Some(month) => head.iter().position(|head| head == month).unwrap(),
            None => 3,
        };
        let label = match row["line"].as_str().unwrap() {
            "result" => "Profit (loss)",
            "revenue_total" => "Total revenue",
            "costs_total" => "Total costs",
            _ => continue,
        };
        let line = cells.iter().find(|cells| cells[0].to_string().trim() == label);
        let line = line.unwrap_or_else(|| panic!("{label}: {cells:?}"));
        same(&line[column], &row["amount"], label);
        seen += 1;
    }
    assert_eq!(seen, 9);
}

#[test]
fn one_page_needs_nothing_else_and_runs_nothing() {
    let isp = provider();
    let file = isp.dir().join("laporan.html");
    let path = file.to_str().unwrap();
    let all = [&["--on", "2026-02-20", "--at", "12:00", "report", "all"][..], &MONTHS].concat();
    let said = isp.ok(&[&all[..], &["--html", path]].concat());
    assert!(said.contains("laporan.html"), "{said}");
    let page = std::fs::read_to_string(&file).unwrap();
    let customers = isp.json(&["--on", "2026-02-20", "report", "customers"]);
    for row in customers.as_array().unwrap() {
        assert!(page.contains(row["code"].as_str().unwrap()), "{row}");
        let owed = isp::core::Money::rupiah(row["owed"].as_i64().unwrap()).to_string();
        assert!(page.contains(&format!(">{owed}<")), "{owed}");
    }
    assert!(page.contains("=HYPERLINK(1) &lt;b&gt;Siti&lt;/b&gt;") && page.contains("Contoh &lt;Net&gt; &amp; Co"));
    assert_eq!(page.matches("<section").count(), 6);
    assert!(page.matches("<svg").count() >= 8, "{}", page.matches("<svg").count());
    // No script, no request, no style from elsewhere.
    let rest = page.replace("http://www.w3.org/2000/svg", "");
    for outside in ["<script", "http:", "https:", "url(", "@import", "<link", "<img", "onload", "javascript:"] {
        assert!(!rest.contains(outside), "{outside}");
    }
    // Numbers are masked and addresses absent, as in the table; contacts show them.
    assert!(!page.contains("81234567890") && !page.contains("Merdeka"), "personal data");
    isp.ok(&[&all[..], &["--contacts", "--html", path]].concat());
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("+6281234567890") && page.contains("Jl. Merdeka 1, Bandung"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "others may read it");
    }
    let book = isp.dir().join("laporan.xlsx");
    isp.ok(&["report", "customers", "--contacts", "--xlsx", book.to_str().unwrap()]);
    assert!(sheet(&book, 0).iter().any(|row| row[2] == Data::String("0812-3456-7890".into())), "a number is text");
}

#[test]
fn a_page_that_cannot_be_written_is_told() {
    let isp = provider();
    isp.fails(2, &["report", "all"], "cli.usage");
    isp.fails(6, &["report", "packages", "--html", "no/such/folder/x.html"], "cli.file");
    std::fs::create_dir(isp.dir().join("folder")).unwrap();
    isp.fails(6, &["report", "packages", "--xlsx", "folder"], "cli.file");
    let left = std::fs::read_dir(isp.dir())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".tmp"));
    assert_eq!(left.count(), 0, "nothing is left behind");
}

/// Reports of a provider with nothing in it are pages, too.
#[test]
fn an_empty_provider_has_empty_pages() {
    let isp = Isp::new();
    isp.init();
    isp.ok(&["report", "all", "--html", "kosong.html", "--xlsx", "kosong.xlsx"]);
    let page = std::fs::read_to_string(isp.dir().join("kosong.html")).unwrap();
    assert_eq!(page.matches("<section").count(), 6);
    assert!(open_workbook::<Xlsx<_>, _>(isp.dir().join("kosong.xlsx")).unwrap().sheet_names().len() >= 6);
}
