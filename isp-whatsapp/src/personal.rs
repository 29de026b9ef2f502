//! A wrapper that keeps personal data out of logs.

use std::fmt;

use serde::Deserialize;

/// A phone number, a user id or a text written by a customer.
///
/// `Debug` shows `***`; there is no `Display`. Whoever needs the value calls [`Personal::reveal`], which is easy to
/// find in a review.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct Personal(String);

impl Personal {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value in clear.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
