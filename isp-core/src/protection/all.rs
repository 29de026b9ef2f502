//! Everything that protects a line, out of the way of who asks many lines: nearly every one has nothing.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use crate::protection::{OutageTimes, ProofTimes, ProtectedDays};

/// What protects a line. It reads as the lists of [`ProtectionTimes`]; where nothing does, it is one word that says so.
///
/// ```
/// use isp_core::protection::{Protections, ProtectionTimes};
/// let mut line = Protections::default();
/// assert!(line.promises.is_empty() && size_of_val(&line) == size_of::<usize>());
/// line.proofs.clear();
/// assert_eq!(line, Protections::from(ProtectionTimes::default()));
/// ```
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(from = "ProtectionTimes", into = "ProtectionTimes")]
pub struct Protections(Option<Box<ProtectionTimes>>);

/// The lists, each with the times that a decision reads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProtectionTimes {
    /// The promises of the customer; more than one may be known, and the one that holds counts.
    pub promises: Vec<ProtectedDays>,
    /// The exemptions of the customer.
    pub exemptions: Vec<ProtectedDays>,
    /// The recorded outages of the site.
    pub outages: Vec<OutageTimes>,
    /// The proofs of transfer of the customer, one for each invoice that one is for.
    pub proofs: Vec<ProofTimes>,
}

static NOTHING: ProtectionTimes =
    ProtectionTimes { promises: Vec::new(), exemptions: Vec::new(), outages: Vec::new(), proofs: Vec::new() };

impl From<ProtectionTimes> for Protections {
    fn from(times: ProtectionTimes) -> Self {
        Self((times != NOTHING).then(|| Box::new(times)))
    }
}

impl From<Protections> for ProtectionTimes {
    fn from(protections: Protections) -> Self {
        protections.0.map(|times| *times).unwrap_or_default()
    }
}

impl Deref for Protections {
    type Target = ProtectionTimes;

    #[inline]
    fn deref(&self) -> &ProtectionTimes {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Protections {
    fn deref_mut(&mut self) -> &mut ProtectionTimes {
        self.0.get_or_insert_default()
    }
}

impl fmt::Debug for Protections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Protections {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Protections {}
