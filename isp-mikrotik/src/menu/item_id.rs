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
pub struct ItemId {
    /// The star and the digits, and zeros behind them.
    text: [u8; ItemId::LONGEST],
    length: u8,
}

impl ItemId {
    const LONGEST: usize = 9;

    /// Reads `*` and one to eight hexadecimal digits; anything else is no id.
    pub fn parse(bytes: &[u8]) -> Option<ItemId> {
        let hex = bytes.strip_prefix(b"*")?;
        let valid = (1..=8).contains(&hex.len()) && hex.iter().all(u8::is_ascii_hexdigit);
        let length = u8::try_from(bytes.len()).ok().filter(|_| valid)?;
        let mut text = [0; ItemId::LONGEST];
        text.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        Some(ItemId { text, length })
    }

    /// As the router writes it.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_ref()).unwrap_or_default()
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<[u8]> for ItemId {
    fn as_ref(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
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
        id.as_str().to_owned()
    }
}
