//! Where customers and sites are on the map, by the binary: typed, imported, shown and taken back.

use crate::cli::{Isp, SHEETS};

fn provider() -> Isp {
    let isp = Isp::new();
    isp.init();
    isp.write(SHEETS);
    isp.ok(&["--on", "2026-01-01", "import", "sheets"]);
    isp
}

#[test]
fn a_place_is_typed_corrected_and_taken_back() {
    let isp = provider();
    let of = |code: &str| isp.json(&["customer", "show", code])[0]["coordinates"].clone();
    assert_eq!(of("P001"), serde_json::Value::Null);
    isp.ok(&["customer", "edit", "P001", "--coordinates", "-6,914744; 107,60981"]);
    assert_eq!(of("P001"), "-6.914744,107.609810");
    assert!(isp.ok(&["customer", "show", "P001"]).contains("-6.914744,107.609810"));
    // It stays when something else is corrected, and the same is nothing to correct.
    isp.ok(&["customer", "edit", "P001", "--name", "Budi S."]);
    assert_eq!(of("P001"), "-6.914744,107.609810");
    isp.fails(2, &["customer", "edit", "P001", "--coordinates", "-6.914744,107.60981"], "cli.usage");
    isp.ok(&["customer", "edit", "P001", "--no-coordinates"]);
    assert_eq!(of("P001"), serde_json::Value::Null);

    isp.ok(&["site", "edit", "BDG", "--coordinates", "-6.9 107.6"]);
    assert_eq!(isp.json(&["site", "show", "BDG"])[0]["coordinates"], "-6.900000,107.600000");
    isp.ok(&["site", "add", "CMH", "--name", "Cimahi", "--coordinates=-6.88,107.54"]);
    assert_eq!(isp.json(&["site", "list"])[1]["coordinates"], "-6.880000,107.540000");
}

#[test]
fn what_may_be_another_place_is_refused_by_its_field() {
    let isp = provider();
    for (typed, field) in
        [("-6,107", "coordinates"), ("107.6,-6.9", "latitude"), ("-6.9,190", "longitude"), ("x", "coordinates")]
    {
        let (_, err) = isp.exit(2, &["--lang", "en", "customer", "edit", "P001", "--coordinates", typed]);
        assert!(err.contains(field), "{typed}: {err}");
    }
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["coordinates"], serde_json::Value::Null);
}

#[test]
fn places_are_imported_and_exported() {
    let isp = provider();
    let sheet = "id_pelanggan;nama;alamat;koordinat\nP001;Budi Santoso;Jl. Merdeka 1, Bandung;-6,914744; 107,60981\n";
    isp.write(&[("customers.csv", sheet)]);
    let (_, err) = isp.exit(3, &["import", "--customers", "sheets/customers.csv", "--update"]);
    assert!(!err.is_empty(), "a row with a cell too many is refused");
    isp.write(&[("customers.csv", &sheet.replace("-6,914744; 107,60981", "\"-6,914744; 107,60981\""))]);
    isp.ok(&["import", "--customers", "sheets/customers.csv", "--update"]);
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["coordinates"], "-6.914744,107.609810");
    // A sheet without the column erases nothing.
    isp.write(&[("customers.csv", "id_pelanggan;nama;alamat\nP001;Budi Santoso;Jl. Asia 9\n")]);
    isp.ok(&["import", "--customers", "sheets/customers.csv", "--update"]);
    assert_eq!(isp.json(&["customer", "show", "P001"])[0]["coordinates"], "-6.914744,107.609810");
    isp.write(&[("customers.csv", "id_pelanggan;nama;alamat;gps\nP001;Budi Santoso;Jl. Asia 9;107.6 -6.9\n")]);
    let (_, err) = isp.exit(3, &["--lang", "en", "import", "--customers", "sheets/customers.csv", "--update"]);
    assert!(err.contains("gps") && err.contains("latitude"), "{err}");

    isp.ok(&["site", "edit", "BDG", "--coordinates", "-6.9,107.6"]);
    let sites = isp.ok(&["--format", "csv", "site", "list"]);
    let other = Isp::new();
    other.ok(&["init"]);
    other.write(&[("sites.csv", &sites)]);
    other.ok(&["import", "--sites", "sheets/sites.csv"]);
    assert_eq!(other.json(&["site", "show", "BDG"])[0]["coordinates"], "-6.900000,107.600000");
}
