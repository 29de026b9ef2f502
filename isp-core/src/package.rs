//! Packages: what is sold, at which price from which day, and at which speed.

mod speed;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::ids::PackageId;
use crate::money::Money;
use crate::tax::TaxMode;
use crate::text::{Code, Name, RouterName};

/// A package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The row.
    pub id: PackageId,
    /// Short code.
    pub code: Code,
    /// Name on invoices.
    pub name: Name,
    /// Prices per month, each from a day on.
    pub prices: PriceList,
    /// Whether the prices contain PPN.
    pub tax_mode: TaxMode,
    /// What the router allows.
    pub group: UserGroup,
    /// False for a package that is no longer sold; who has it keeps it.
    pub sold: bool,
}

/// Dated prices for one month of service (rule B5), in the order of their days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<PriceVersion>", into = "Vec<PriceVersion>")]
pub struct PriceList(Vec<PriceVersion>);

/// A price from one day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PriceVersion {
    /// First day on which it holds.
    pub from: Date,
    /// Rupiah per month.
    pub price: Money,
}

impl PriceList {
    /// One price from the beginning.
    ///
    /// # Errors
    /// [`Error::NotPositive`].
    pub fn single(price: Money) -> Result<Self, Error> {
        Self::try_new(vec![PriceVersion { from: Date::MIN, price }])
    }

    /// A list of prices; a later entry for the same day replaces the earlier one.
    ///
    /// # Errors
    /// [`Error::Empty`] without any, [`Error::NotPositive`] for a price of zero or less.
    pub fn try_new(mut versions: Vec<PriceVersion>) -> Result<Self, Error> {
        if versions.is_empty() {
            return Err(Error::Empty { field: "price" });
        }
        if versions.iter().any(|v| !v.price.is_positive()) {
            return Err(Error::NotPositive { field: "price" });
        }
        versions.reverse();
        versions.sort_by_key(|v| v.from);
        versions.dedup_by_key(|v| v.from);
        Ok(Self(versions))
    }

    /// The price per month on a day.
    #[must_use]
    pub fn on(&self, date: Date) -> Option<Money> {
        self.0.iter().rev().find(|v| v.from <= date).map(|v| v.price)
    }

    /// The list without the price that begins on a day, which has not begun.
    ///
    /// # Errors
    /// [`Error::PriceBegan`] when that day is today or before, as invoices may have this price; [`Error::NoPrice`] when no
    /// price begins on it.
    pub fn without(&self, from: Date, today: Date) -> Result<Self, Error> {
        if !self.0.iter().any(|v| v.from == from) {
            return Err(Error::NoPrice { on: from });
        }
        if from <= today {
            return Err(Error::PriceBegan { on: from });
        }
        Self::try_new(self.0.iter().filter(|v| v.from != from).copied().collect())
    }

    /// All versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[PriceVersion] {
        &self.0
    }
}

impl TryFrom<Vec<PriceVersion>> for PriceList {
    type Error = Error;
    fn try_from(versions: Vec<PriceVersion>) -> Result<Self, Error> {
        Self::try_new(versions)
    }
}

impl From<PriceList> for Vec<PriceVersion> {
    fn from(list: PriceList) -> Self {
        list.0
    }
}

/// A group of users on the routers: one RouterOS profile with its speed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UserGroup {
    /// Name of the RouterOS profile.
    pub name: RouterName,
    /// What the profile limits its users to.
    pub speed: Speed,
}

/// Download and upload speed in kbit/s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Speed {
    /// To the customer, kbit/s.
    pub down_kbps: u32,
    /// From the customer, kbit/s.
    pub up_kbps: u32,
}

impl Speed {
    /// Reads `20`, `20M`, `20 Mbps`, `1,5M`, `20/10`, `20M/5M`, `512k/256k`: download, then upload when it differs. A
    /// bare number is Mbit/s.
    ///
    /// # Errors
    /// [`Error::Speed`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        speed::speed(text)
    }

    /// Asks about a speed below 64 kbit/s, which is no longer sold, or above 10 Gbit/s, which a small provider has not; and about
    /// an upload faster than the download, as RouterOS writes the two the other way round.
    ///
    /// # Errors
    /// [`Error::Implausible`] with `field` and the speed.
    pub fn plausible(self, field: &'static str) -> Result<(), Error> {
        let usual = 64..=10_000_000;
        let both = usual.contains(&self.down_kbps) && usual.contains(&self.up_kbps);
        if both && self.up_kbps <= self.down_kbps {
            Ok(())
        } else {
            Err(Error::Implausible { field, value: self.to_string() })
        }
    }

    /// RouterOS's `rate-limit` in its order, which is rx/tx seen from the router: upload first.
    /// <https://help.mikrotik.com/docs/spaces/ROS/pages/132350044/PPP+AAA>
    #[must_use]
    pub fn rate_limit(self) -> String {
        let word = |kbps: u32| if kbps.is_multiple_of(1000) { format!("{}M", kbps / 1000) } else { format!("{kbps}k") };
        format!("{}/{}", word(self.up_kbps), word(self.down_kbps))
    }
}

impl fmt::Display for Speed {
    /// Download/upload, `20M/10M`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |kbps: u32| if kbps.is_multiple_of(1000) { format!("{}M", kbps / 1000) } else { format!("{kbps}k") };
        f.pad(&format!("{}/{}", word(self.down_kbps), word(self.up_kbps)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_people_write() {
        for (text, down, up) in
            [("20", 20_000, 20_000), ("20M/5M", 20_000, 5_000), ("512k/256k", 512, 256), ("10 Mbps", 10_000, 10_000)]
        {
            assert_eq!(Speed::parse(text), Ok(Speed { down_kbps: down, up_kbps: up }), "{text}");
        }
        for bad in ["", "fast", "0", "-5", "20/10/5", "99999999999"] {
            assert_eq!(Speed::parse(bad), Err(Error::Speed), "{bad}");
        }
        assert_eq!(Speed::parse("20/5").unwrap().rate_limit(), "5M/20M");
        for (text, usual) in
            [("20k", false), ("20", true), ("1 Gbps", true), ("20480", false), ("20M/1k", false), ("5M/10M", false)]
        {
            assert_eq!(Speed::parse(text).unwrap().plausible("speed").is_ok(), usual, "{text}");
        }
    }

    #[test]
    fn the_price_in_force_b5() {
        let day = |t: &str| Date::parse(t).unwrap();
        let version = |from: &str, price| PriceVersion { from: day(from), price: Money::rupiah(price) };
        let list = PriceList::try_new(vec![version("2026-03-01", 170_000), version("2026-01-01", 150_000)]).unwrap();
        assert_eq!(list.on(day("2025-12-31")), None);
        assert_eq!(list.on(day("2026-02-28")), Some(Money::rupiah(150_000)));
        assert_eq!(list.on(day("2026-03-01")), Some(Money::rupiah(170_000)));
        assert!(PriceList::single(Money::ZERO).is_err());
    }
}
