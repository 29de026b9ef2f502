//! Payment requests on the command line: the amount, the QRIS code, what cancels one.

use crate::cli::{Isp, SHEETS};

/// The static code of an invented shop.
const SHOP: &str = "00020101021126680016ID.CO.CONTOH.WWW011893600009000000001702150000000000000010303UMI51440014ID.CO.QRIS.WWW0215ID10200000000010303UMI5204481453033605802ID5910CONTOH NET6007BANDUNG61054011162070703A016304239F";

fn provider() -> Isp {
    let mut isp = Isp::new();
    isp.init();
    isp.set("ISP_PAYMENT__QRIS", SHOP);
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--on", "2026-01-05", "bill"]);
    isp
}

fn ask(isp: &Isp, of: &str) -> serde_json::Value {
    isp.json(&["--on", "2026-01-05", "payment-request", "add", of])[0].clone()
}

#[test]
fn a_request_shows_a_code_with_the_debt_to_the_rupiah_and_a_suffix() {
    let isp = provider();
    let asked = ask(&isp, "P001");
    // P001 owes Rp165.000; nothing is rounded.
    assert_eq!((&asked["debt"], &asked["amount"]), (&165_000.into(), &165_001.into()));
    let code = asked["qris"].as_str().unwrap();
    assert!(code.starts_with("000201010212") && code.contains("53033605406165001"), "{code}");
    assert_eq!(asked["expires_at"], "2026-01-06 12:00 WIB");
    // The same again is the same, on a terminal with a picture.
    for (language, words) in
        [("id", "masih diminta membayar tepat Rp165.001"), ("en", "is still asked for exactly Rp165.001")]
    {
        let shown = isp.ok(&["--lang", language, "--on", "2026-01-05", "payment-request", "add", "P001"]);
        assert!(shown.contains(words) && shown.contains("CONTOH NET") && shown.contains(code), "{shown}");
        assert!(shown.contains('\u{2580}') && shown.contains('\u{2588}'), "no picture: {shown}");
    }
    let invoices = isp.json(&["invoice", "list", "--customer", "P002"]);
    let of_invoice = ask(&isp, invoices[0]["invoice"].as_str().unwrap());
    assert_eq!((&of_invoice["customer"], &of_invoice["debt"]), (&"P002".into(), &invoices[0]["total"]));
    let list = isp.json(&["--on", "2026-01-05", "payment-request", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 2);
    // A day later both have expired.
    let later = isp.json(&["--on", "2026-01-07", "payment-request", "list"]);
    assert_eq!(later.as_array().unwrap().len(), 0);
    let all = isp.json(&["--on", "2026-01-07", "payment-request", "list", "--all"]);
    assert_eq!([&all[0]["state"], &all[1]["state"]], ["expired", "expired"]);
}

#[test]
fn who_pays_another_way_is_asked_no_more() {
    let isp = provider();
    ask(&isp, "P001");
    isp.ok(&["--on", "2026-01-05", "payment", "add", "P001", "65000", "--reference", "KW-1"]);
    let all = isp.json(&["--on", "2026-01-05", "payment-request", "list", "--all"]);
    assert_eq!(all[0]["state"], "cancelled");
    // The rest is another debt, and another amount.
    assert_eq!(ask(&isp, "P001")["amount"], 100_001);
    isp.ok(&["--on", "2026-01-05", "payment-request", "cancel", "P001"]);
    isp.fails(4, &["--on", "2026-01-05", "payment-request", "cancel", "P001"], "store.not_found");
    let shown = isp.json(&["--on", "2026-01-05", "payment-request", "show", "P001"]);
    assert!(shown.as_array().unwrap().iter().any(|row| row["state"] == "cancelled"), "{shown}");
    // The amount of before is kept for its customer: its money may be on the way.
    assert_eq!(ask(&isp, "P001")["amount"], 100_001);
    isp.ok(&["--on", "2026-01-05", "payment", "add", "P001", "100000", "--reference", "KW-2"]);
    isp.fails(3, &["--on", "2026-01-05", "payment-request", "add", "P001"], "request.nothing_owed");
    isp.fails(4, &["--on", "2026-01-05", "payment-request", "add", "INV-202601-999999"], "cli.not_found");
    isp.fails(4, &["--on", "2026-01-05", "payment-request", "add", "P099"], "cli.not_found");
}

/// Somebody who asks by customer and by invoice in turn uses up no amounts; a debt that is given up is asked for no more.
#[test]
fn the_same_debt_has_one_amount_and_one_that_is_given_up_has_none() {
    let isp = provider();
    let invoices = isp.json(&["invoice", "list", "--customer", "P001"]);
    let invoice = invoices[0]["invoice"].as_str().unwrap();
    for of in ["P001", invoice, "P001", invoice] {
        assert_eq!(ask(&isp, of)["amount"], 165_001, "{of}");
    }
    // A part of it is given back: the rest is another debt.
    isp.ok(&["--on", "2026-01-05", "credit-note", "add", invoice, "15000", "--reason", "gangguan"]);
    assert_eq!(isp.json(&["--on", "2026-01-05", "payment-request", "list"]).as_array().unwrap().len(), 0);
    assert_eq!(ask(&isp, "P001")["amount"], 150_001);
    isp.ok(&["--on", "2026-01-05", "--by", "pemilik", "write-off", "add", invoice, "--reason", "pindah"]);
    let standing = isp.json(&["--on", "2026-01-05", "payment-request", "list"]);
    assert_eq!(standing.as_array().unwrap().len(), 0, "{standing}");
}

#[test]
fn a_damaged_code_is_named_by_its_tag_before_anything_is_kept() {
    let mut isp = provider();
    isp.set("ISP_PAYMENT__QRIS", SHOP.replace("BANDUNG", "BANDUNK"));
    let said = isp.fails(3, &["--on", "2026-01-05", "payment-request", "add", "P001"], "qris.damaged");
    assert!(said.contains("tag 63"), "{said}");
    // Nothing else stops for it.
    isp.ok(&["--on", "2026-01-05", "status"]);
    assert_eq!(isp.json(&["payment-request", "list", "--all"]).as_array().unwrap().len(), 0);
}

/// An owner who cancels and asks again a thousand times uses up one suffix, not all of them.
#[test]
fn who_is_asked_again_is_asked_for_the_same_amount() {
    let isp = provider();
    for _ in 0..3 {
        assert_eq!(ask(&isp, "P001")["amount"], 165_001);
        isp.ok(&["--on", "2026-01-05", "payment-request", "cancel", "P001"]);
    }
    assert_eq!(ask(&isp, "P001")["amount"], 165_001);
    // The money is that of the request that stands, and of nobody else.
    let csv = "Tanggal Transaksi,Uraian Transaksi,Teller,Debet,Kredit,Saldo\n05/01/26 10:00:00,TRSF TANPA NAMA,8888,0.00,165001.00,165001.00\n";
    std::fs::write(isp.dir().join("mutasi.csv"), csv).unwrap();
    let told = isp.json(&["--on", "2026-01-06", "bank", "import", "mutasi.csv", "--account", "BRI-1"]);
    assert!(told.to_string().contains("P001"), "{told}");
    let all = isp.json(&["--on", "2026-01-06", "payment-request", "list", "--all"]);
    let states: Vec<_> = all.as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["cancelled", "cancelled", "cancelled", "paid"]);
}
