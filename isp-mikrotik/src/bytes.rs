//! What a router stores as a value.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// Bytes of a router, as it sent them. Those of a usual name, address or mark stand in the value itself: a table of ten thousand
/// rows has five of them in each, and to ask for memory and give it back would cost more than to compare them.
///
/// ```
/// use isp_mikrotik::Bytes;
/// let name = Bytes::from(&b"warga-7"[..]);
/// assert!(name == *b"warga-7" && name.starts_with(b"warga"));
/// ```
#[derive(Clone)]
pub struct Bytes(Kept);

#[derive(Clone)]
enum Kept {
    Short { length: u8, bytes: [u8; Bytes::SHORT] },
    Long(Box<[u8]>),
}

impl Bytes {
    /// As many fit into the room that a longer one takes anyway.
    const SHORT: usize = 22;
}

impl From<&[u8]> for Bytes {
    fn from(value: &[u8]) -> Bytes {
        let mut bytes = [0; Bytes::SHORT];
        match (bytes.get_mut(..value.len()), u8::try_from(value.len())) {
            (Some(room), Ok(length)) => {
                room.copy_from_slice(value);
                Bytes(Kept::Short { length, bytes })
            }
            _ => Bytes(Kept::Long(value.into())),
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Long(bytes) => bytes,
        }
    }
}

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes(Kept::Short { length: 0, bytes: [0; Bytes::SHORT] })
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl PartialEq<[u8]> for Bytes {
    fn eq(&self, other: &[u8]) -> bool {
        **self == *other
    }
}

impl PartialEq<&[u8]> for Bytes {
    fn eq(&self, other: &&[u8]) -> bool {
        **self == **other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Bytes {
    fn eq(&self, other: &[u8; N]) -> bool {
        **self == *other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Bytes {
    fn eq(&self, other: &&[u8; N]) -> bool {
        **self == **other
    }
}

impl Hash for Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back_and_a_longer_one_takes_no_more_room() {
        assert_eq!(size_of::<Bytes>(), size_of::<Vec<u8>>());
        assert_eq!(size_of::<Option<Bytes>>(), size_of::<Vec<u8>>());
        let long: Vec<u8> = (0..=255).collect();
        for length in 0..long.len() {
            let bytes = Bytes::from(&long[..length]);
            assert_eq!(bytes, long[..length]);
            assert!(bytes == bytes.clone() && bytes != long[..=length]);
        }
        assert_eq!(Bytes::default(), b"");
        assert_eq!(format!("{:?}", Bytes::from(&b"pak budi\xff"[..])), "pak budi\\xff");
    }
}
