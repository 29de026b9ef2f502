//! Providers by name, each in a database, and a move between databases.

use crate::cli::{Isp, SHEETS};
use crate::database;

/// An empty database; gone at the end.
struct Own(tokio::runtime::Runtime, String);

impl Own {
    fn new(name: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let name = format!("isp_{name}_{}", uuid::Uuid::now_v7().simple());
        runtime.block_on(database::create(&name));
        Self(runtime, name)
    }

    fn url(&self) -> String {
        database::url_of(&self.1)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.0.block_on(database::drop(&self.1));
    }
}

/// Two databases, and a provider with the spreadsheets in the first one, called melati.
fn founded() -> (Own, Own, Isp) {
    let (old, new) = (Own::new("old"), Own::new("new"));
    let isp = Isp::new();
    isp.ok(&["init", "--database", &old.url()]);
    isp.write(SHEETS);
    isp.ok(&["tenant", "add", "melati", "--id", "00000000-0000-0000-0000-0000000000aa"]);
    isp.ok(&["--tenant", "melati", "--on", "2026-01-01", "import", "sheets"]);
    isp.ok(&["--tenant", "melati", "--on", "2026-01-12", "bill"]);
    isp.ok(&["migrate", "--database", &new.url()]);
    (old, new, isp)
}

const MELATI: &str = "--tenant=melati";

#[test]
fn a_provider_is_found_by_its_name() {
    if database::on_cluster() {
        // Nothing is moved there; what names do is the same.
        return;
    }
    let (old, new, isp) = founded();
    let said = isp.json(&["tenant", "list"]);
    assert_eq!(said[0]["tenant"], "melati");
    assert_eq!(said[0]["state"], "here");
    let known = isp.json(&[MELATI, "customer", "list"]);
    assert_eq!(known.as_array().unwrap().len(), 3);
    assert_eq!(isp.json(&["--tenant", "00000000-0000-0000-0000-0000000000aa", "customer", "list"]), known);
    assert_eq!(isp.json(&["customer", "list"]).as_array().unwrap().len(), 0, "the provider of the settings");
    isp.fails(4, &["--tenant", "mawar", "customer", "list"], "cli.not_found");
    isp.fails(2, &["tenant", "add", "me lati"], "cli.usage");
    isp.fails(3, &["tenant", "add", "Melati"], "cli.exists");
    isp.fails(4, &["tenant", "move", "mawar", "--to", &new.url()], "cli.not_found");
    isp.ok(&["tenant", "add", "mawar", "--database", &new.url()]);
    assert_eq!(isp.json(&["--tenant", "mawar", "customer", "list"]).as_array().unwrap().len(), 0);

    isp.ok(&["tenant", "move", "melati", "--to", &new.url()]);
    assert_eq!(isp.json(&[MELATI, "customer", "list"]), known);
    // Who comes to the old place is told where it went, and sees no empty provider there.
    let told = isp.fails(2, &[MELATI, "--database", &old.url(), "customer", "list"], "store.moved");
    assert!(told.contains(&new.1), "{told}");
    isp.fails(2, &[MELATI, "--database", &old.url(), "--on", "2026-02-12", "run"], "store.moved");
    // A key is changed in all databases.
    let key = isp.json(&["key", "rotate"]);
    assert!(key[0]["values"].as_i64().unwrap() > 3, "{key}");
    assert_eq!(isp.json(&[MELATI, "key", "check"]).as_array().unwrap().len(), 1);
    isp.ok(&[MELATI, "audit", "verify"]);
}
