//! Customers.

use isp_core::customer::Customer;
use isp_core::ids::CustomerId;

use super::super::problem::{Problem, RowError};
use super::super::rows::CustomerRow;
use super::super::sheet::NOT_NUMBERED;
use super::{Planner, Verdict, columns};

impl Planner<'_> {
    pub(super) fn customer(&mut self, row: &CustomerRow) -> Result<Verdict, RowError> {
        let old = self.existing.customers.get(&row.code);
        let id = old.map_or_else(|| CustomerId(self.ids.next_uuid()), |c| c.id);
        self.customers.insert(row.code.clone(), id);
        if self.existing.erased.contains(&id) {
            return Err(row.at.error("customer_id", Problem::Erased));
        }
        let new = Customer {
            id,
            code: row.code.clone(),
            name: row.name.clone(),
            nik: row.nik.clone().or_else(|| old.and_then(|c| c.nik.clone())),
            address: row.address.clone(),
            phone: row.phone.clone().or_else(|| old.and_then(|c| c.phone.clone())),
            language: row.language.or(old.map(|c| c.language)).unwrap_or_default(),
            invoicing: row.invoicing.or(old.map(|c| c.invoicing)).unwrap_or_default(),
            coordinates: row.coordinates.or(old.and_then(|c| c.coordinates)),
        };
        let differs = old.map(|old| {
            columns(&[
                ("name", old.name != new.name),
                ("nik", old.nik != new.nik),
                ("address", old.address != new.address),
                ("phone", old.phone != new.phone),
                ("language", old.language != new.language),
                ("invoicing", old.invoicing != new.invoicing),
                ("coordinates", old.coordinates != new.coordinates),
            ])
        });
        if old.is_none() {
            self.ask_who(row);
        }
        let (verdict, write) = self.verdict(differs);
        self.plan.changes.customers.extend(write.then_some(new));
        Ok(verdict)
    }

    /// Finds the first row of each NIK.
    pub(super) fn find_cards(&mut self) {
        for row in self.batch.customers.iter().rev() {
            self.niks.extend(row.nik.as_ref().map(|nik| (nik.reveal().to_owned(), row)));
        }
    }

    /// Asks about a new customer who has the NIK, or the name with number or address, of one whom no row names.
    fn ask_who(&mut self, row: &CustomerRow) {
        // A card is one person's: a second row with it is the same one once more, or has the wrong number.
        let first = row.nik.as_ref().and_then(|nik| self.niks.get(nik.reveal()).copied());
        if let Some(other) = first.filter(|other| other.code != row.code) {
            let (row_says, known) = (called(row), called(other));
            self.ask(&row.at, "nik", Problem::SameNik { row: row_says, other: known });
            return;
        }
        if let Some(old) = self.alike.customer(row) {
            let (row_says, known) = (called(row), format!("{} {}", old.code, old.name));
            self.ask(&row.at, "customer_id", Problem::LikelyDouble { row: row_says, known });
        }
    }
}

/// A customer as a message names one: by number and name, or by line and name while the sheet has no numbers.
fn called(row: &CustomerRow) -> String {
    match row.code.as_str().starts_with(NOT_NUMBERED) {
        true => format!("{}:{} {}", row.at.file(), row.at.line, row.name),
        false => format!("{} {}", row.code, row.name),
    }
}
