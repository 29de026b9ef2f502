//! CPE: the outdoor unit and router at a customer's place.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::ids::{CpeId, CustomerId};
use crate::money::Money;
use crate::secret::Secret;
use crate::text::{Code, Name};

/// The equipment at a customer's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpe {
    /// The row.
    pub id: CpeId,
    /// Serial number or inventory tag, unique.
    pub serial: Code,
    /// Whose place it stands at.
    pub customer_id: CustomerId,
    /// Model of the outdoor unit (antenna, ONT).
    pub outdoor_unit: Option<Name>,
    /// Model of the indoor router.
    pub router: Option<Name>,
    /// Address at which it is managed.
    pub ip: Option<IpAddr>,
    /// User name for managing it.
    pub username: Option<String>,
    /// Password for managing it.
    pub password: Option<Secret>,
    /// Whose it is.
    pub ownership: Ownership,
    /// What it is worth, for the list of lent devices.
    pub value: Money,
    /// False once it was replaced or returned.
    pub installed: bool,
}

/// Whose a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ownership {
    /// The customer's (*milik sendiri*).
    Owned,
    /// The provider's (*dipinjamkan*).
    Lent,
}

impl Ownership {
    /// Reads `owned`, `milik sendiri`, `lent`, `dipinjamkan`, `pinjam`.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.trim().to_ascii_lowercase().as_str() {
            "owned" | "milik sendiri" | "milik" | "beli" => Ok(Self::Owned),
            "lent" | "dipinjamkan" | "pinjam" | "pinjaman" => Ok(Self::Lent),
            _ => Err(Error::NotOneOf { field: "ownership", expected: "owned (milik sendiri), lent (dipinjamkan)" }),
        }
    }

    /// `owned` or `lent`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Lent => "lent",
        }
    }
}
