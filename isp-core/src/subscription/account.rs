//! How a line gets onto the network, and what it is known by on its router.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::secret::Secret;
use crate::text::RouterName;
use crate::typed;

/// How a line gets onto the network (*cara akses*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// The box logs in by PPPoE. A router whose settings isolate the package as hotspot serves it as hotspot.
    #[default]
    Pppoe,
    /// The customer logs in at a hotspot.
    Hotspot,
    /// The box has a fixed address, and nobody logs in.
    Static,
    /// The box gets its address by DHCP, and its MAC address says whose it is.
    Dhcp,
}

impl Service {
    /// `pppoe`, `hotspot`, `static` or `dhcp`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pppoe => "pppoe",
            Self::Hotspot => "hotspot",
            Self::Static => "static",
            Self::Dhcp => "dhcp",
        }
    }

    /// Reads its code, or what owners write for it: `ip statis`, `static ip`, `ipoe`.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let folded: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        match folded.as_str() {
            "pppoe" | "ppp" => Ok(Self::Pppoe),
            "hotspot" => Ok(Self::Hotspot),
            "static" | "statis" | "statik" | "ipstatic" | "ipstatis" | "ipstatik" | "staticip" => Ok(Self::Static),
            "dhcp" | "ipoe" => Ok(Self::Dhcp),
            _ => Err(Error::NotOneOf { field: "service", expected: "pppoe, hotspot, static, dhcp" }),
        }
    }

    /// True where somebody logs in with a user name and a password.
    #[must_use]
    pub const fn logs_in(self) -> bool {
        matches!(self, Self::Pppoe | Self::Hotspot)
    }
}

/// What a line is known by on its router: a user name and password, a fixed address, or a MAC address.
///
/// `username` is what it is called whichever way it gets onto the network, unique on its router among lines that serve at
/// the same time, compared to the letter: the user name, the address of a static line, the MAC address of a DHCP line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// User name, address or MAC address.
    pub username: RouterName,
    /// Password; empty where nobody logs in.
    pub password: Secret,
    /// How the line gets onto the network.
    #[serde(default)]
    pub service: Service,
    /// The address of a static line, and the one that a DHCP line is given, if it has one of its own.
    #[serde(default)]
    pub address: Option<Ipv4Addr>,
}

impl Account {
    /// A PPPoE account.
    #[must_use]
    pub fn pppoe(username: impl Into<RouterName>, password: Secret) -> Self {
        Self { username: username.into(), password, service: Service::Pppoe, address: None }
    }

    /// A user of a hotspot.
    #[must_use]
    pub fn hotspot(username: impl Into<RouterName>, password: Secret) -> Self {
        Self { service: Service::Hotspot, ..Self::pppoe(username, password) }
    }

    /// A line with a fixed address.
    ///
    /// # Errors
    /// [`Error::IpAddress`] for one that no customer can have.
    pub fn fixed(address: Ipv4Addr) -> Result<Self, Error> {
        let address = of_a_customer(address)?;
        let username = RouterName::parse("ip_address", &address.to_string())?;
        let password = Secret::new(String::new());
        Ok(Self { username, password, service: Service::Static, address: Some(address) })
    }

    /// A line that gets its address by DHCP: this one, or any of the pool's.
    ///
    /// # Errors
    /// [`Error::IpAddress`] for an address that no customer can have.
    pub fn dhcp(mac: Mac, address: Option<Ipv4Addr>) -> Result<Self, Error> {
        let address = address.map(of_a_customer).transpose()?;
        let username = RouterName::parse("mac", &mac.to_string())?;
        Ok(Self { username, password: Secret::new(String::new()), service: Service::Dhcp, address })
    }

    /// Reads what somebody gave of a line.
    ///
    /// ```
    /// use isp_core::subscription::{Account, Service, Typed};
    /// let typed = Typed { service: Some(Service::Dhcp), mac: Some("aa-bb-cc-00-11-22"), ..Typed::default() };
    /// let account = Account::read(&typed).unwrap();
    /// assert_eq!((account.username.as_str(), account.address), ("AA:BB:CC:00:11:22", None));
    /// ```
    ///
    /// # Errors
    /// [`Error::Empty`] for a field that the service needs, [`Error::NotForService`] for one that it does not have,
    /// [`Error::IpAddress`], [`Error::Mac`] and those of a [`RouterName`].
    pub fn read(typed: &Typed<'_>) -> Result<Self, Error> {
        let filled = |text: Option<&str>| text.is_some_and(|text| !typed::bare(text).is_empty());
        let service = typed.service();
        let none = |field, text| {
            if filled(text) { Err(Error::NotForService { field, service: service.code() }) } else { Ok(()) }
        };
        let needed = |field, text: Option<&str>| {
            text.filter(|text| !typed::bare(text).is_empty()).map(ToOwned::to_owned).ok_or(Error::Empty { field })
        };
        if service.logs_in() {
            none("ip_address", typed.address)?;
            none("mac", typed.mac)?;
            let username = RouterName::parse("username", &needed("username", typed.username)?)?;
            let password = Secret::new(needed("password", typed.password)?);
            return Ok(Self { service, ..Self::pppoe(username, password) });
        }
        none("password", typed.password)?;
        // An export holds the address or MAC address in the column of user names.
        let or_name = |text| if filled(text) { text } else { typed.username };
        let typed_address = if service == Service::Static { or_name(typed.address) } else { typed.address };
        let address = if filled(typed_address) { typed_address.map(ip_address).transpose()? } else { None };
        let account = match service {
            Service::Dhcp => Self::dhcp(Mac::parse(&needed("mac", or_name(typed.mac))?)?, address)?,
            _ => {
                none("mac", typed.mac)?;
                Self::fixed(address.ok_or(Error::Empty { field: "ip_address" })?)?
            }
        };
        // A sheet may hold the address or MAC address in the column of user names too.
        let named = typed.username.filter(|name| !typed::bare(name).is_empty());
        match named.map(|name| account.renamed(name)).transpose() {
            Ok(named) if named.as_ref().is_none_or(|named| named.username == account.username) => Ok(account),
            _ => Err(Error::NotForService { field: "username", service: service.code() }),
        }
    }

    /// The same line under another name: another user name, address or MAC address, as its service wants.
    ///
    /// # Errors
    /// [`Error::IpAddress`], [`Error::Mac`] and those of a [`RouterName`].
    pub fn renamed(&self, name: &str) -> Result<Self, Error> {
        match self.service {
            Service::Pppoe | Service::Hotspot => {
                Ok(Self { username: RouterName::parse("username", name)?, ..self.clone() })
            }
            Service::Static => Self::fixed(ip_address(name)?),
            Service::Dhcp => Self::dhcp(Mac::parse(name)?, self.address),
        }
    }

    /// True when one name or one address stands for both, so that no router can hold both at once.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> bool {
        self.username.as_str() == other.username.as_str() || (self.address.is_some() && self.address == other.address)
    }

    /// The MAC address of a DHCP line.
    #[must_use]
    pub fn mac(&self) -> Option<Mac> {
        (self.service == Service::Dhcp).then(|| Mac::parse(self.username.as_str()).ok()).flatten()
    }
}

/// What somebody typed of a line; what is empty was not given.
#[derive(Debug, Clone, Copy, Default)]
pub struct Typed<'a> {
    /// How it gets onto the network; told by what else is given when it is not.
    pub service: Option<Service>,
    /// User name.
    pub username: Option<&'a str>,
    /// As it was typed, for lines that log in.
    pub password: Option<&'a str>,
    /// IPv4 address.
    pub address: Option<&'a str>,
    /// MAC address.
    pub mac: Option<&'a str>,
}

impl Typed<'_> {
    /// The service that is said, or follows from the rest: a MAC address means DHCP, an address alone a static line.
    #[must_use]
    pub fn service(&self) -> Service {
        let filled = |text: Option<&str>| text.is_some_and(|text| !typed::bare(text).is_empty());
        match self.service {
            Some(service) => service,
            None if filled(self.username) || filled(self.password) => Service::Pppoe,
            None if filled(self.mac) => Service::Dhcp,
            None if filled(self.address) => Service::Static,
            None => Service::Pppoe,
        }
    }
}

/// Reads an IPv4 address as people write it; `/32` behind it means the same.
///
/// # Errors
/// [`Error::IpAddress`].
pub fn ip_address(text: &str) -> Result<Ipv4Addr, Error> {
    let text = typed::bare(text);
    let text = text.strip_suffix("/32").unwrap_or(&text);
    if text.contains(':') {
        return Err(Error::IpAddress { reason: "an IPv4 address is wanted" });
    }
    if text.contains('/') {
        return Err(Error::IpAddress { reason: "a single address is wanted, not a network" });
    }
    of_a_customer(text.parse().map_err(|_| Error::IpAddress { reason: "it is not written as 10.20.0.7" })?)
}

fn of_a_customer(address: Ipv4Addr) -> Result<Ipv4Addr, Error> {
    let [first, ..] = address.octets();
    if first == 0 || address.is_loopback() || address.is_multicast() || first >= 240 {
        return Err(Error::IpAddress { reason: "no customer's box can have it" });
    }
    Ok(address)
}

/// The hardware address of a customer's box.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    /// Reads one as people and routers write it.
    ///
    /// ```
    /// use isp_core::subscription::Mac;
    /// for text in ["aa:bb:cc:00:11:22", "AA-BB-CC-00-11-22", "aabb.cc00.1122", "AABBCC001122"] {
    ///     assert_eq!(Mac::parse(text).unwrap().to_string(), "AA:BB:CC:00:11:22");
    /// }
    /// assert!(Mac::parse("01:00:5e:00:00:01").is_err(), "a group is nobody's box");
    /// ```
    ///
    /// # Errors
    /// [`Error::Mac`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = typed::bare(text);
        let separators = [':', '-', '.'];
        let digits: String = text.chars().filter(|c| !separators.contains(c)).collect();
        let grouped = match text.len() {
            12 => true,
            14 => text.match_indices('.').map(|(at, _)| at).eq([4, 9]),
            17 => [':', '-', '.'].iter().any(|s| text.match_indices(*s).map(|(at, _)| at).eq([2, 5, 8, 11, 14])),
            _ => false,
        };
        if !grouped || digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::Mac { reason: "it is not six pairs of hexadecimal digits" });
        }
        let mut octets = [0; 6];
        for (octet, at) in octets.iter_mut().zip((0..12).step_by(2)) {
            let pair = digits.get(at..at + 2).unwrap_or_default();
            *octet = u8::from_str_radix(pair, 16).unwrap_or_default();
        }
        if octets == [0; 6] || octets[0] & 1 == 1 {
            return Err(Error::Mac { reason: "no customer's box can have it" });
        }
        Ok(Self(octets))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{g:02X}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn typed<'a>(service: Option<Service>, address: &'a str, mac: &'a str) -> Typed<'a> {
        Typed { service, address: Some(address), mac: Some(mac), ..Typed::default() }
    }

    #[test]
    fn what_is_given_says_which_service_it_is() {
        let of = |t: &Typed<'_>| Account::read(t).map(|a| (a.service, a.username.to_string(), a.address));
        let seven = Ipv4Addr::new(10, 20, 0, 7);
        assert_eq!(of(&typed(None, "10.20.0.7", "")), Ok((Service::Static, "10.20.0.7".into(), Some(seven))));
        assert_eq!(of(&typed(None, "", "aabbcc001122")), Ok((Service::Dhcp, "AA:BB:CC:00:11:22".into(), None)));
        let both = of(&typed(None, "10.20.0.7/32", "aabbcc001122"));
        assert_eq!(both, Ok((Service::Dhcp, "AA:BB:CC:00:11:22".into(), Some(seven))));
        let login = Typed { username: Some("budi"), password: Some("rahasia"), ..Typed::default() };
        assert_eq!(of(&login), Ok((Service::Pppoe, "budi".into(), None)));
        let named = Typed { username: Some("aa-bb-cc-00-11-22"), ..typed(Some(Service::Dhcp), "", "AABBCC001122") };
        assert_eq!(of(&named).map(|(service, ..)| service), Ok(Service::Dhcp), "the same in both columns");
        for (service, name) in [(Service::Static, "10.20.0.7"), (Service::Dhcp, "AA:BB:CC:00:11:22")] {
            let exported = Typed { service: Some(service), username: Some(name), ..Typed::default() };
            assert_eq!(of(&exported).map(|(service, name, _)| (service, name)), Ok((service, name.into())));
        }
    }

    #[test]
    fn what_a_service_lacks_or_does_not_have_is_named() {
        let wrong = |t: Typed<'_>| Account::read(&t).unwrap_err();
        let fixed = Some(Service::Static);
        assert_eq!(wrong(typed(fixed, "", "")), Error::Empty { field: "ip_address" });
        assert_eq!(wrong(typed(Some(Service::Dhcp), "10.0.0.7", "")), Error::Empty { field: "mac" });
        let more = Error::NotForService { field: "mac", service: "static" };
        assert_eq!(wrong(typed(fixed, "10.0.0.7", "AABBCC001122")), more);
        let password = Typed { password: Some("x"), ..typed(fixed, "10.0.0.7", "") };
        assert_eq!(wrong(password), Error::NotForService { field: "password", service: "static" });
        let other = Typed { username: Some("10.0.0.8"), ..typed(fixed, "10.0.0.7", "") };
        assert_eq!(wrong(other), Error::NotForService { field: "username", service: "static" });
        for bad in
            ["10.0.0", "10.0.0.256", "10.0.0.0/24", "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", "fe80::1"]
        {
            assert!(matches!(wrong(typed(fixed, bad, "")), Error::IpAddress { .. }), "{bad}");
        }
        for bad in ["AA:BB:CC:00:11", "AA:BB:CC:00:11:2G", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "AABB:CC00:1122"] {
            assert!(matches!(wrong(typed(Some(Service::Dhcp), "", bad)), Error::Mac { .. }), "{bad}");
        }
    }

    #[test]
    fn one_address_serves_one_line() {
        let address = Ipv4Addr::new(10, 0, 0, 7);
        let fixed = Account::fixed(address).unwrap();
        let by_mac = |mac, address| Account::dhcp(Mac::parse(mac).unwrap(), address).unwrap();
        assert!(fixed.clashes(&by_mac("AABBCC001122", Some(address))));
        assert!(!by_mac("AABBCC001122", None).clashes(&by_mac("AABBCC001123", None)));
        assert!(fixed.renamed("10.0.0.8").is_ok_and(|moved| moved.address != fixed.address));
    }
}
