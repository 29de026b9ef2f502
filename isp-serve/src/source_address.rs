//! Who asks: the address of the connection, or what a trusted proxy says of it; and how often each may ask.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use isp_core::ids::CustomerId;
use serde::Deserialize;

/// A network, as `10.0.0.0/8`; an address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Net {
    address: IpAddr,
    bits: u8,
}

impl Net {
    /// Those that no provider is given by somebody else: RFC 1918, and RFC 6598 for the inside of a provider.
    pub(crate) const PRIVATE: [Self; 4] = [
        Self { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), bits: 8 },
        Self { address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), bits: 12 },
        Self { address: IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), bits: 16 },
        Self { address: IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), bits: 10 },
    ];
    pub(crate) const THIS_MACHINE: Self = Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), bits: 8 };
    pub(crate) const THIS_MACHINE_V6: Self = Self { address: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 };

    /// True when the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (plain(self.address), plain(address)) {
            (IpAddr::V4(net), IpAddr::V4(of)) => same(u32::from(net).into(), u32::from(of).into(), 32, self.bits),
            (IpAddr::V6(net), IpAddr::V6(of)) => same(net.into(), of.into(), 128, self.bits),
            _ => false,
        }
    }
}

fn same(net: u128, of: u128, width: u8, bits: u8) -> bool {
    let rest = u32::from(width.saturating_sub(bits));
    net.checked_shr(rest).unwrap_or(0) == of.checked_shr(rest).unwrap_or(0)
}

/// An IPv4 address that came as an IPv6 one.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || "is no network such as 10.0.0.0/8".to_owned();
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| bad())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| bits.trim().parse().map_err(|_| bad()))?;
        if bits > width { Err(bad()) } else { Ok(Self { address, bits }) }
    }
}

impl TryFrom<String> for Net {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The address that a request comes from. What `X-Forwarded-For` says counts only when the connection comes from a trusted
/// proxy, and then the last address in it that is none.
///
/// ```
/// use isp_serve::source_address::{Net, client};
/// let proxies: Vec<Net> = vec!["10.0.0.0/24".parse().unwrap()];
/// let of = |peer: &str, header| client(peer.parse().unwrap(), header, &proxies).to_string();
/// assert_eq!(of("192.0.2.7", Some("203.0.113.5")), "192.0.2.7", "anybody can write a header");
/// assert_eq!(of("10.0.0.2", Some("198.51.100.1, 203.0.113.5, 10.0.0.3")), "203.0.113.5");
/// assert_eq!(of("10.0.0.2", Some("nonsense")), "10.0.0.2");
/// ```
#[must_use]
pub fn client(peer: IpAddr, forwarded: Option<&str>, proxies: &[Net]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|net| net.contains(address));
    let peer = plain(peer);
    if !trusted(peer) {
        return peer;
    }
    let mut last = peer;
    for part in forwarded.unwrap_or_default().rsplit(',') {
        let Ok(address) = part.trim().parse::<IpAddr>() else { break };
        last = plain(address);
        if !trusted(last) {
            break;
        }
    }
    last
}

/// An address, or for IPv6 the network of its household.
pub(crate) fn household(address: IpAddr) -> IpAddr {
    match plain(address) {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

/// Who may ask only so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// Whoever is at this address.
    Address(IpAddr),
    /// Whoever has a link of this customer. Many phones share one address of a mobile network; their links tell them apart.
    Customer(CustomerId),
}

impl Asker {
    pub(crate) fn at(address: IpAddr) -> Self {
        Self::Address(household(address))
    }
}

/// How often each may ask: so many a minute, all at once if they like.
#[derive(Debug)]
pub(crate) struct Limit {
    per_minute: u32,
    asked: Mutex<HashMap<Asker, (u32, Instant)>>,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Addresses that are remembered at once.
const REMEMBERED: usize = 20_000;

impl Limit {
    pub(crate) fn new(per_minute: u16) -> Self {
        Self { per_minute: per_minute.into(), asked: Mutex::default() }
    }

    /// False when there were too many requests already.
    pub(crate) fn has_room(&self, asker: Asker) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(&asker).is_none_or(|(count, since)| since.elapsed() >= MINUTE || *count < self.per_minute)
    }

    /// Counts a request; false when it is one too many.
    pub(crate) fn admits(&self, asker: Asker) -> bool {
        let now = Instant::now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= REMEMBERED {
            asked.retain(|_, (_, since)| now - *since < MINUTE);
        }
        // A flood of addresses is one flood.
        if asked.len() >= REMEMBERED && !asked.contains_key(&asker) {
            return false;
        }
        let (count, since) = asked.entry(asker).or_insert((0, now));
        if now - *since >= MINUTE {
            (*count, *since) = (0, now);
        }
        *count = count.saturating_add(1);
        *count <= self.per_minute
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks_hold_what_lies_in_them() {
        let of = |net: &str, address: &str| net.parse::<Net>().unwrap().contains(address.parse().unwrap());
        assert!(of("10.0.0.0/8", "10.255.0.1") && !of("10.0.0.0/8", "11.0.0.1"));
        assert!(of("0.0.0.0/0", "203.0.113.9") && !of("0.0.0.0/0", "::1"));
        assert!(of("192.0.2.1", "::ffff:192.0.2.1") && of("2001:db8::/32", "2001:db8:1::9"));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "x"] {
            assert!(bad.parse::<Net>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_asks_so_often_and_a_flood_of_addresses_is_bounded() {
        let limit = Limit::new(3);
        let [a, b]: [IpAddr; 2] = ["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()];
        assert_eq!([a, a, a, a, b].map(|from| limit.admits(Asker::at(from))), [true, true, true, false, true]);
        assert_eq!([a, b].map(|from| limit.has_room(Asker::at(from))), [false, true]);
        let house: Vec<IpAddr> = (0..4).map(|n| format!("2001:db8::{n}").parse().unwrap()).collect();
        assert_eq!(house.iter().filter(|from| limit.admits(Asker::at(**from))).count(), 3, "one house is one address");
        for n in 0..(REMEMBERED as u32 + 100) {
            limit.admits(Asker::at(IpAddr::V4(n.into())));
        }
        assert!(limit.asked.lock().unwrap().len() <= REMEMBERED);
    }
}
