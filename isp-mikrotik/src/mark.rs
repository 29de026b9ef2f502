//! How an account on a router is known to be ours.
//!
//! The mark stands at the front of the comment, in ASCII, and what people wrote follows it, byte for byte:
//!
//! ```text
//! isp:4f1a09c2be77 Pak Budi, rumah cat hijau
//! isp:4f1a09c2be77;ip=10.20.0.7 …            a fixed address, put aside while the account is isolated
//! isp:4f1a09c2be77;kick …                    the terms changed and the running session has not been ended yet
//! isp:4f1a09c2be77;isolated …                disabled because it is isolated, and not because it is closed
//! isp:group;kick …                           a profile of ours, whose terms changed in the same way
//! isp:redirect/portal …                      a rule or list entry that leads isolated lines to the page for paying
//! ```
//!
//! `kick` makes "change, then end the session" survive a crash in between: RouterOS does not show under which profile
//! a session runs, so the debt is written down where the change is, in the same command.

use std::fmt;

use isp_core::ids::SubscriptionId;
use serde::{Serialize, Serializer};

const PREFIX: &[u8] = b"isp:";
const GROUP: &str = "isp:group";
const REDIRECT: &str = "isp:redirect/";

/// Whose something is: the last twelve hexadecimal digits of a subscription's id, the random ones.
///
/// ```
/// use isp_mikrotik::mark::Owner;
/// assert!(Owner::parse("4f1a09c2be77").is_some_and(|owner| owner.as_str() == "4f1a09c2be77"));
/// assert_eq!(Owner::parse("pelanggan"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner([u8; Owner::DIGITS]);

impl Owner {
    const DIGITS: usize = 12;

    /// The owner that a subscription is.
    pub fn of(subscription: SubscriptionId) -> Owner {
        let bytes = subscription.0.as_bytes();
        let last = bytes.iter().skip(bytes.len() - Owner::DIGITS / 2);
        let mut halves = last.flat_map(|byte| [byte >> 4, byte & 0xF]);
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        Owner(std::array::from_fn(|_| halves.next().map_or(b'0', digit)))
    }

    /// Reads twelve hexadecimal digits; anything else is no owner.
    pub fn parse(text: &str) -> Option<Owner> {
        let digits: [u8; Owner::DIGITS] = text.as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(Owner(digits))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Owner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The mark of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Whose account.
    pub owner: Owner,
    /// A fixed address that was taken away for the time of the isolation.
    pub remembered: Option<String>,
    /// The session that ran when the terms changed must still be ended.
    pub kick: bool,
    /// The account is disabled because its line is isolated, and not because it is closed.
    pub isolated: bool,
}

impl Mark {
    /// A fresh mark.
    pub fn new(owner: Owner) -> Mark {
        Mark { owner, remembered: None, kick: false, isolated: false }
    }

    /// Takes a comment apart: our mark, if it is there and whole, and what people wrote.
    ///
    /// ```
    /// use isp_mikrotik::mark::Mark;
    /// let (mark, human) = Mark::split(b"isp:4f1a09c2be77;kick Pak Budi");
    /// assert!(mark.is_some_and(|mark| mark.kick && mark.owner.as_str() == "4f1a09c2be77"));
    /// assert_eq!(human, b"Pak Budi");
    /// ```
    pub fn split(comment: &[u8]) -> (Option<Mark>, &[u8]) {
        let Some(rest) = comment.strip_prefix(PREFIX) else { return (None, comment) };
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let human = rest.get(end + 1..).unwrap_or_default();
        let Some(mark) = std::str::from_utf8(&rest[..end]).ok().and_then(Mark::parse) else { return (None, comment) };
        (Some(mark), human)
    }

    /// The comment: the mark in front of what people wrote.
    pub fn comment(&self, human: &[u8]) -> Vec<u8> {
        let mut comment = [PREFIX, self.owner.0.as_slice()].concat();
        if let Some(address) = &self.remembered {
            comment.extend_from_slice(b";ip=");
            comment.extend_from_slice(address.as_bytes());
        }
        if self.isolated {
            comment.extend_from_slice(b";isolated");
        }
        if self.kick {
            comment.extend_from_slice(b";kick");
        }
        if !human.is_empty() {
            comment.push(b' ');
            comment.extend_from_slice(human);
        }
        comment
    }

    fn parse(text: &str) -> Option<Mark> {
        let mut parts = text.split(';');
        let mut mark = Mark::new(Owner::parse(parts.next()?)?);
        for part in parts {
            match part.split_once('=') {
                Some(("ip", address)) => mark.remembered = Some(address.to_owned()),
                None if part == "kick" => mark.kick = true,
                None if part == "isolated" => mark.isolated = true,
                _ => return None,
            }
        }
        Some(mark)
    }
}

/// The mark of a profile that we made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupMark {
    /// Its terms changed, and sessions that run under the old ones must still be ended.
    pub kick: bool,
}

impl GroupMark {
    /// Takes the comment of a profile apart: our mark, if it is there, and what people wrote behind it.
    ///
    /// ```
    /// use isp_mikrotik::mark::GroupMark;
    /// assert_eq!(GroupMark::split(b"isp:group;kick paket rumah"), (Some(GroupMark { kick: true }), &b"paket rumah"[..]));
    /// assert_eq!(GroupMark::split(b"isp:groups").0, None);
    /// ```
    pub fn split(comment: &[u8]) -> (Option<GroupMark>, &[u8]) {
        let Some(rest) = comment.strip_prefix(GROUP.as_bytes()) else { return (None, comment) };
        let (kick, rest) = match rest.strip_prefix(b";kick") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        match rest {
            [] => (Some(GroupMark { kick }), rest),
            [b' ', human @ ..] => (Some(GroupMark { kick }), human),
            _ => (None, comment),
        }
    }

    /// The comment: the mark in front of what people wrote.
    pub fn comment(self, human: &[u8]) -> Vec<u8> {
        let mut comment = GROUP.as_bytes().to_vec();
        if self.kick {
            comment.extend_from_slice(b";kick");
        }
        if !human.is_empty() {
            comment.push(b' ');
            comment.extend_from_slice(human);
        }
        comment
    }
}

/// The mark of a rule, a list entry or a pool that leads isolated lines to the page for paying: which of them it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RedirectMark<'a> {
    /// Small letters, digits and dashes, such as `dns-udp`.
    pub slot: &'a str,
}

impl<'a> RedirectMark<'a> {
    /// Takes a comment apart: our mark, if it is there and whole, and what people wrote behind it.
    ///
    /// ```
    /// use isp_mikrotik::mark::RedirectMark;
    /// let (mark, human) = RedirectMark::split(b"isp:redirect/dns-udp jangan dihapus");
    /// assert_eq!((mark.map(|mark| mark.slot), human), (Some("dns-udp"), &b"jangan dihapus"[..]));
    /// assert_eq!(RedirectMark::split(b"isp:redirect/").0, None);
    /// ```
    pub fn split(comment: &'a [u8]) -> (Option<RedirectMark<'a>>, &'a [u8]) {
        let Some(rest) = comment.strip_prefix(REDIRECT.as_bytes()) else { return (None, comment) };
        let end = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let slot = rest.get(..end).and_then(|slot| std::str::from_utf8(slot).ok()).unwrap_or_default();
        let whole = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        match !slot.is_empty() && slot.bytes().all(whole) {
            true => (Some(RedirectMark { slot }), rest.get(end + 1..).unwrap_or_default()),
            false => (None, comment),
        }
    }

    /// The comment of a new object.
    pub fn comment(self) -> String {
        format!("{REDIRECT}{}", self.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_whole_mark_is_ours() {
        for foreign in [
            &b""[..],
            b"Pak Budi",
            b"isp:",
            b"isp:abc",
            b"isp:4f1a09c2be77;x=1",
            b"ISP:4f1a09c2be77",
            b"isp:pelanggan ",
        ] {
            assert_eq!(Mark::split(foreign), (None, foreign), "{}", foreign.escape_ascii());
        }
        for foreign in
            [&b"isp:redirect"[..], b"isp:redirect/ x", b"isp:redirect/A", b"isp:redirect/a;b", b"x isp:redirect/a"]
        {
            assert_eq!(RedirectMark::split(foreign), (None, foreign), "{}", foreign.escape_ascii());
        }
        let comment = RedirectMark { slot: "tls-1" }.comment();
        assert_eq!(RedirectMark::split(comment.as_bytes()), (Some(RedirectMark { slot: "tls-1" }), &b""[..]));
        // A mark of one kind is none of another.
        assert_eq!((Mark::split(comment.as_bytes()).0, GroupMark::split(comment.as_bytes()).0), (None, None));
        for (comment, ours) in [("isp:group", true), ("isp:group x", true), ("", false), ("isp:group;kicks", false)] {
            assert_eq!(GroupMark::split(comment.as_bytes()).0.is_some(), ours, "{comment}");
        }
    }

    proptest! {
        #[test]
        fn what_people_wrote_survives(human in prop::collection::vec(any::<u8>(), 0..40), kick: bool, isolated: bool, ip in proptest::option::of("10\\.0\\.0\\.[1-9]")) {
            let owner = Owner::parse("4f1a09c2be77").unwrap();
            let mark = Mark { owner, remembered: ip, kick, isolated };
            let comment = mark.comment(&human);
            prop_assert_eq!(Mark::split(&comment), (Some(mark), &human[..]));
            let group = GroupMark { kick };
            let comment = group.comment(&human);
            prop_assert_eq!(GroupMark::split(&comment), (Some(group), &human[..]));
        }
    }
}
