//! A provider moves in from a CSV file. A bad row is named by line and field, and then nothing is written.
//!
//! `cargo run --example from_csv`

#![allow(clippy::print_stdout, reason = "an example tells what it does")]

mod provider;

use isp::core::Error;
use isp::core::customer::{Address, Customer, Phone};
use isp::core::ids::CustomerId;
use isp::core::ports::{ChangeSet, DirectoryStore, PageQuery, Store};
use isp::core::testing::MemoryStore;
use isp::core::text::{Code, Language, Name};
use provider::TENANT;
use serde::Deserialize;

const FILE: &str = "\
code,name,phone,address
PLG-1,Budi Santoso,0812-1000-0001,Jalan Mawar 1
PLG-2,Citra Lestari,+62 812 1000 0002,Jalan Melati 2
";

/// A row as the file has it.
#[derive(Deserialize)]
struct Row {
    code: String,
    name: String,
    phone: String,
    address: String,
}

impl Row {
    /// Every type of the core says itself what it takes, and names the field when it refuses.
    fn customer(&self, n: u128) -> Result<Customer, Error> {
        Ok(Customer {
            id: CustomerId(uuid::Uuid::from_u128(0x1000 + n)),
            code: Code::parse("code", &self.code)?,
            name: Name::parse("name", &self.name)?,
            nik: None,
            address: Address::parse(&self.address)?,
            phone: Some(Phone::parse(&self.phone)?),
            language: Language::Id,
            invoicing: Default::default(),
            coordinates: None,
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = MemoryStore::new();

    let bad = format!("{FILE}PLG-3,Dewi Anggraini,12,Jalan Kenanga 3\n");
    match read(&bad) {
        Err((line, error)) => println!("line {line}: {error}"),
        Ok(_) => return Err("a phone of two digits was taken".into()),
    }

    let customers = read(FILE).map_err(|(line, error)| format!("line {line}: {error}"))?;
    // One commit: all of the file, or nothing of it.
    store.commit(TENANT, ChangeSet { customers, ..ChangeSet::default() }).await?;
    for customer in store.customers(TENANT, PageQuery::first(100)).await? {
        println!("{} {}", customer.code, customer.name);
    }
    Ok(())
}

fn read(text: &str) -> Result<Vec<Customer>, (u128, Box<dyn std::error::Error>)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    (2..)
        .zip(reader.deserialize::<Row>())
        .map(|(line, row)| {
            let customer = row.map_err(Box::from).and_then(|row| row.customer(line).map_err(Box::from));
            customer.map_err(|error: Box<dyn std::error::Error>| (line, error))
        })
        .collect()
}
