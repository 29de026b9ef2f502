//! PPN (value added tax) as a dated rule (domain rules, section 3).
//!
//! * From 2022-04-01: 11 % of the price (UU 7/2021, article 7).
//! * From 2025-01-01: 12 % of "DPP nilai lain", which is 11/12 of the price (PMK 131/2024, article 3).
//!
//! A provider that is not a PKP (*pengusaha kena pajak*) charges none.

use serde::{Deserialize, Serialize};

use crate::calendar::Date;
use crate::error::Error;
use crate::money::Money;

/// PPN from one day on: `percent` of `base_numerator / base_denominator` of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRule {
    /// First day on which it holds.
    pub from: Date,
    /// Numerator of the share of the price that is taxed (*DPP nilai lain*).
    pub base_numerator: i64,
    /// Denominator of that share.
    pub base_denominator: i64,
    /// Rate in percent of that share.
    pub percent: i64,
}

/// Whether prices contain PPN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaxMode {
    /// The price is before PPN, which is added.
    #[default]
    Exclusive,
    /// The price contains PPN.
    Inclusive,
}

/// The tax side of a price: `dpp + ppn + rounding` is what the customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Taxed {
    /// The price without PPN (*dasar pengenaan pajak*, before the share of "nilai lain").
    pub dpp: Money,
    /// The tax.
    pub ppn: Money,
    /// Zero, or Rp1 either way where no whole `dpp` fits an inclusive price.
    pub rounding: Money,
}

impl Taxed {
    /// What the customer pays.
    #[must_use]
    pub fn total(self) -> Money {
        self.dpp + self.ppn + self.rounding
    }
}

impl TaxRule {
    /// The tax on a price without PPN: `round(round(dpp x share) x percent)`.
    #[must_use]
    pub fn ppn_on(&self, dpp: Money) -> Money {
        dpp.ratio(self.base_numerator, self.base_denominator).ratio(self.percent, 100)
    }

    /// Adds PPN to a price that has none.
    #[must_use]
    pub fn exclusive(&self, dpp: Money) -> Taxed {
        Taxed { dpp, ppn: self.ppn_on(dpp), rounding: Money::ZERO }
    }

    /// Finds the price inside one that contains PPN.
    ///
    /// About one whole-thousand price in ten has no whole `dpp` with `dpp + ppn = price`; then the nearest below
    /// is taken and the difference is an explicit rounding of Rp1.
    ///
    /// ```
    /// use isp_core::{money::Money, tax::Tax, calendar::Date};
    /// let tax = Tax::pkp();
    /// let rule = tax.rule_on(Date::from_ymd(2026, 1, 1).unwrap()).unwrap().unwrap();
    /// let taxed = rule.inclusive(Money::rupiah(55_000));
    /// assert_eq!((taxed.dpp.as_i64(), taxed.ppn.as_i64(), taxed.rounding.as_i64()), (49_549, 5_450, 1));
    /// let taxed = rule.inclusive(Money::rupiah(222_000));
    /// assert_eq!((taxed.dpp.as_i64(), taxed.ppn.as_i64(), taxed.rounding.as_i64()), (200_000, 22_000, 0));
    /// ```
    #[must_use]
    pub fn inclusive(&self, price: Money) -> Taxed {
        let share = self.base_denominator * 100;
        let guess = price.ratio(share, share + self.base_numerator * self.percent);
        // `dpp + ppn(dpp)` rises by 1 or 2 with each rupiah, so the answer is next to the guess.
        let mut best = self.exclusive(guess);
        for step in [1, -1, 2, -2] {
            if best.total() == price {
                break;
            }
            let candidate = self.exclusive(guess + Money::rupiah(step));
            let (near, now) = (price - candidate.total(), price - best.total());
            if near.is_zero() || (near.is_positive() && (now < Money::ZERO || near < now)) {
                best = candidate;
            }
        }
        Taxed { rounding: price - best.total(), ..best }
    }
}

/// The tax standing of a provider: PKP or not, and the dated rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// True for a PKP, who charges PPN.
    pub pkp: bool,
    /// The rules, each from its day on.
    #[serde(default = "rules_of_law")]
    pub rules: Vec<TaxRule>,
}

impl Tax {
    /// A provider that charges PPN by the law.
    #[must_use]
    pub fn pkp() -> Self {
        Self { pkp: true, rules: rules_of_law() }
    }

    /// A provider that charges none.
    #[must_use]
    pub fn none() -> Self {
        Self { pkp: false, rules: rules_of_law() }
    }

    /// The rule on a day; `None` for a provider that is not a PKP.
    ///
    /// # Errors
    /// [`Error::NoTaxRule`] on a day before the first rule.
    pub fn rule_on(&self, on: Date) -> Result<Option<&TaxRule>, Error> {
        if !self.pkp {
            return Ok(None);
        }
        self.rules.iter().filter(|r| r.from <= on).max_by_key(|r| r.from).map(Some).ok_or(Error::NoTaxRule { on })
    }

    /// The tax side of a price on a day.
    ///
    /// # Errors
    /// [`Error::NoTaxRule`].
    pub fn apply(&self, price: Money, mode: TaxMode, on: Date) -> Result<Taxed, Error> {
        Ok(Self::apply_rule(self.rule_on(on)?, price, mode))
    }

    /// The tax side of a price by a rule that was looked up; without one there is no PPN.
    #[must_use]
    pub fn apply_rule(rule: Option<&TaxRule>, price: Money, mode: TaxMode) -> Taxed {
        match (rule, mode) {
            (None, _) => Taxed { dpp: price, ..Taxed::default() },
            (Some(rule), TaxMode::Exclusive) => rule.exclusive(price),
            (Some(rule), TaxMode::Inclusive) => rule.inclusive(price),
        }
    }
}

impl Default for Tax {
    fn default() -> Self {
        Self::pkp()
    }
}

fn rules_of_law() -> Vec<TaxRule> {
    vec![
        TaxRule { from: Date::from_day_number(19_083), base_numerator: 1, base_denominator: 1, percent: 11 },
        TaxRule { from: Date::from_day_number(20_089), base_numerator: 11, base_denominator: 12, percent: 12 },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn the_law_changes_on_its_days() {
        let tax = Tax::pkp();
        assert_eq!(rules_of_law()[0].from, on("2022-04-01"));
        assert_eq!(rules_of_law()[1].from, on("2025-01-01"));
        assert_eq!(tax.rule_on(on("2022-03-31")), Err(Error::NoTaxRule { on: on("2022-03-31") }));
        let price = Money::rupiah(150_000);
        assert_eq!(tax.apply(price, TaxMode::Exclusive, on("2024-12-31")).unwrap().ppn.as_i64(), 16_500);
        assert_eq!(tax.apply(price, TaxMode::Exclusive, on("2025-01-01")).unwrap().ppn.as_i64(), 16_500);
        assert_eq!(Tax::none().apply(price, TaxMode::Exclusive, on("2025-01-01")).unwrap().total(), price);
    }

    #[test]
    fn an_inclusive_price_is_met_to_the_rupiah() {
        for rule in rules_of_law() {
            let mut rounded = 0;
            for rupiah in 1..=5_000_000 {
                let price = Money::rupiah(rupiah);
                let taxed = rule.inclusive(price);
                // One comparison a price, so that the sweep takes seconds in a build without optimisation.
                let fits = taxed.total() == price
                    && matches!(taxed.rounding.as_i64(), 0 | 1)
                    && taxed.ppn == rule.ppn_on(taxed.dpp);
                assert!(fits, "{price}: {taxed:?}");
                if !taxed.rounding.is_zero() {
                    rounded += 1;
                    let next = rule.exclusive(taxed.dpp + Money::rupiah(1));
                    assert!(next.total() > price, "{price} has a whole dpp");
                }
            }
            // About one price in ten.
            assert!((400_000..600_000).contains(&rounded), "{rounded}");
        }
    }

    /// Against the ladder in another way: numerators over one denominator, halves away from zero.
    #[test]
    fn ppn_on_every_price_follows_the_ladder() {
        let half_up = |n: i64, d: i64| (2 * n + d) / (2 * d);
        for rule in rules_of_law() {
            for dpp in 1..=5_000_000_i64 {
                let base = half_up(dpp * rule.base_numerator, rule.base_denominator);
                let expected = half_up(base * rule.percent, 100);
                let taxed = rule.exclusive(Money::rupiah(dpp));
                assert!(taxed.ppn.as_i64() == expected && taxed.total().as_i64() == dpp + expected, "{dpp}: {taxed:?}");
            }
        }
    }
}
