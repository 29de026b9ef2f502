//! A month over a SQLite file: bill, bill again, take a payment, see what is owed.
//!
//! `cargo run --example billing_service`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::store::Vault;
use isp::{Engine, Money, Policy};
use provider::{TENANT, at, move_in, no_router, transfer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let key = folder.path().join("isp.key");
    let url = format!("sqlite:{}", folder.path().join("isp.db").display()); // or postgres://user@host/name
    Vault::generate_key_file(&key)?; // NIK and passwords are sealed with it; keep it apart from the database
    isp::store::migrate(&url).await?;
    let store = isp::store::open(&url, Vault::from_file(&key)?).await?;

    move_in(&*store, no_router()?).await?;
    let policy = Policy::default();
    let engine = Engine::new(&*store, TENANT, &policy);

    let billed = engine.bill(at("2026-01-01", 9)?).await?;
    println!("1 January: {} invoices, {}", billed.invoices, billed.amount);
    let again = engine.bill(at("2026-01-01", 10)?).await?;
    println!("an hour later: {} invoices", again.invoices);
    assert_eq!((billed.invoices, again.invoices), (3, 0));

    // A customer pays two months at once. What no invoice needs yet is credit.
    let paid = engine.pay(&transfer(1, "TRX-1", 333_000, at("2026-01-05", 8)?)?, at("2026-01-05", 9)?).await?;
    println!("Budi pays 333.000: {} left as credit", paid.credit);
    assert_eq!(paid.credit, Money::rupiah(166_500));

    // February's invoice finds the credit.
    engine.bill(at("2026-02-01", 9)?).await?;
    let open = engine.all_open().await?;
    let owed: Money = open.iter().map(|invoice| invoice.residual()).sum();
    println!("in February {} invoices are open, {owed}", open.len());
    assert_eq!((open.len(), owed), (4, Money::rupiah(4 * 166_500)));
    Ok(())
}
