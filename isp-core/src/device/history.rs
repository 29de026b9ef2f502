//! The append-only history of devices.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::device::Ownership;
use crate::error::Error;
use crate::ids::{CpeId, CustomerId, DeviceHistoryId, derive};
use crate::ledger::{Account, EntryKind, JournalEntry, entry};
use crate::money::Money;
use crate::payment::Channel;
use crate::text::Name;

/// One thing that happened to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceHistory {
    /// The row.
    pub id: DeviceHistoryId,
    /// At whose place.
    pub customer_id: CustomerId,
    /// Which device.
    pub cpe_id: CpeId,
    /// When.
    pub on: Date,
    /// What.
    pub action: DeviceAction,
    /// The device in words, as it was then.
    pub device: Name,
    /// Why.
    pub reason: Name,
    /// Whose it was then.
    pub ownership: Ownership,
    /// Who did it (*petugas*).
    pub officer: Name,
    /// What it cost the provider (*biaya*).
    pub cost: Money,
    /// From which money that was paid.
    #[serde(default)]
    pub paid_from: Channel,
}

impl DeviceHistory {
    /// Checks that the cost is not negative; only a correction may take one back.
    ///
    /// # Errors
    /// [`Error::NotPositive`].
    pub fn checked(self) -> Result<Self, Error> {
        let negative = self.cost < Money::ZERO && self.action != DeviceAction::Corrected;
        if negative { Err(Error::NotPositive { field: "cost" }) } else { Ok(self) }
    }

    /// The entry for what it cost. `None` when it cost nothing.
    #[must_use]
    pub fn entry(&self) -> Option<JournalEntry> {
        let lines = [(Account::DeviceCost, self.cost), (self.paid_from.account(), -self.cost)];
        let id = derive(self.id.0, &["journal"]);
        (!self.cost.is_zero()).then(|| entry(id, self.on, EntryKind::DeviceCost, &lines))
    }
}

/// What happened to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceAction {
    /// Put in at a customer's place.
    Installed,
    /// Taken out in exchange for another.
    Replaced,
    /// Given back.
    Returned,
    /// Something that was recorded of it was wrong: what is said here holds instead, and the cost is the difference.
    Corrected,
}

impl DeviceAction {
    /// `installed`, `replaced`, `returned` or `corrected`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Replaced => "replaced",
            Self::Returned => "returned",
            Self::Corrected => "corrected",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "installed" => Ok(Self::Installed),
            "replaced" => Ok(Self::Replaced),
            "returned" => Ok(Self::Returned),
            "corrected" => Ok(Self::Corrected),
            _ => Err(Error::NotOneOf { field: "action", expected: "installed, replaced, returned, corrected" }),
        }
    }
}
