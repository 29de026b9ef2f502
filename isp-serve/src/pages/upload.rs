//! The file of a form: a proof of transfer that a customer sends from the page.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use futures::StreamExt as _;
use isp_core::ids::CustomerId;
use isp_core::protection::{ProofContent, ProofFile};

use crate::source_address::household;

/// How long a file may take on a phone's connection.
pub(super) const TIME: Duration = Duration::from_secs(120);
/// How many files are read at once: each is held whole.
const AT_ONCE: usize = 8;
/// How many of them one customer sends at once, by whatever link ...
const OF_CUSTOMER: usize = 2;
/// ... and one address or household, behind which there may be several customers.
const OF_ADDRESS: usize = 4;
/// The name of the field.
pub(super) const FIELD: &str = "file";
/// What a form adds to its file.
const FRAME: u64 = 16 * 1_024;
/// How long somebody is listened to who sends too much, so that the answer is seen.
const LINGER: Duration = Duration::from_secs(10);

/// Who has a place. A file that comes slowly keeps its place for long, so nobody has all of them.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<Vec<(CustomerId, IpAddr)>>);

impl Seats {
    /// A place for a file of a customer from an address, until it is dropped; `None` when there is none for them.
    pub(super) fn take(&self, customer: CustomerId, address: IpAddr) -> Option<Seat<'_>> {
        let who = (customer, household(address));
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |wanted: &dyn Fn(&(CustomerId, IpAddr)) -> bool| taken.iter().filter(|one| wanted(one)).count();
        let full = taken.len() >= AT_ONCE
            || of(&|one| one.0 == who.0) >= OF_CUSTOMER
            || of(&|one| one.1 == who.1) >= OF_ADDRESS;
        if full {
            return None;
        }
        taken.push(who);
        Some(Seat { seats: self, who })
    }
}

/// A place for one file.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    seats: &'a Seats,
    who: (CustomerId, IpAddr),
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = taken.iter().position(|one| *one == self.who) {
            taken.swap_remove(at);
        }
    }
}

/// A file as it came.
pub(super) struct Upload {
    /// Its name.
    pub(super) name: String,
    /// Its bytes.
    pub(super) content: ProofContent,
}

/// Reads the file of a form: the word for the page when there is none, it is too large, or it comes too slowly.
pub(super) async fn read(request: Request<Body>) -> Result<Upload, &'static str> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| "proof_none")?;
    let most = ProofFile::MOST_BYTES as u64;
    let told = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut chunks = request.into_body().into_data_stream();
    if told.is_some_and(|told| told > most + FRAME) {
        let rest = async { while let Some(Ok(_)) = chunks.next().await {} };
        let _ = tokio::time::timeout(LINGER, rest).await;
        return Err("proof_large");
    }
    let limit = multer::SizeLimit::new().whole_stream(most + FRAME).per_field(most);
    let limits = multer::Constraints::new().size_limit(limit);
    let mut form = multer::Multipart::with_constraints(chunks, boundary, limits);
    let reading = async {
        while let Some(field) = form.next_field().await? {
            if field.name() == Some(FIELD) {
                let name = field.file_name().unwrap_or_default().to_owned();
                let content = ProofContent::new(field.bytes().await?.to_vec());
                return Ok(Some(Upload { name, content }));
            }
        }
        Ok(None)
    };
    match tokio::time::timeout(TIME, reading).await {
        Ok(Ok(Some(upload))) => Ok(upload),
        Ok(Ok(None)) => Err("proof_none"),
        Ok(Err(multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. })) => {
            Err("proof_large")
        }
        Ok(Err(_)) => Err("proof_none"),
        Err(_) => Err("proof_slow"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_all_places() {
        let customer = |n: u128| CustomerId(uuid::Uuid::from_u128(n));
        let address = |n: u8| IpAddr::from([10, 0, 0, n]);
        let seats = Seats::default();
        // One link from many addresses.
        let mut held: Vec<Seat<'_>> = (0..9).filter_map(|n| seats.take(customer(1), address(n))).collect();
        assert_eq!(held.len(), OF_CUSTOMER);
        // Many links from one address.
        held.extend((2..9).filter_map(|n| seats.take(customer(n), address(99))));
        assert_eq!(held.len(), OF_CUSTOMER + OF_ADDRESS);
        // The others get through, as long as there are places at all.
        held.extend((20..29).filter_map(|n| seats.take(customer(n), address(n as u8 + 100))));
        assert_eq!(held.len(), AT_ONCE);
        drop(held);
        assert!(seats.take(customer(1), address(1)).is_some());
        assert!(seats.0.lock().unwrap().is_empty());
    }
}
