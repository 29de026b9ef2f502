//! The address of an object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `*HEX`, the only address that a write may use. It lives as long as the object, and `*0` is a valid one.
///
/// ```
/// use isp_mikrotik::menu::ItemId;
/// assert!(ItemId::parse(b"*1A").is_some());
/// assert!(ItemId::parse(b"081234567890").is_none(), "a bare number would be a position");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemId(String);

impl ItemId {
    /// Reads `*` and one to eight hexadecimal digits; anything else is no id.
    pub fn parse(bytes: &[u8]) -> Option<ItemId> {
        let hex = bytes.strip_prefix(b"*")?;
        let valid = (1..=8).contains(&hex.len()) && hex.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(bytes).ok()?;
        valid.then(|| ItemId(text.to_owned()))
    }

    /// As the router writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<[u8]> for ItemId {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl TryFrom<String> for ItemId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<ItemId, &'static str> {
        ItemId::parse(text.as_bytes()).ok_or("not a RouterOS id")
    }
}

impl From<ItemId> for String {
    fn from(id: ItemId) -> String {
        id.0
    }
}
