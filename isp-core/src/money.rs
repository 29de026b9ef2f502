//! Money: whole rupiah. All rounding of the project lives in this file.

mod amount;
mod plausible;

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::error::Error;

pub use plausible::{plausible_amount, plausible_price};

/// A whole number of rupiah, positive or negative.
///
/// There is no smaller unit in use; a fraction is refused where it enters, and a float never becomes money.
/// One amount is at most Rp10.000.000.000.000 either way, so that sums of hundreds of thousands of amounts
/// cannot overflow the 64 bits inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount one field may hold.
    pub const MAX: Self = Self(10_000_000_000_000);

    /// An amount in rupiah.
    ///
    /// # Errors
    /// [`Error::MoneyRange`] beyond [`Money::MAX`] either way.
    pub const fn try_new(rupiah: i64) -> Result<Self, Error> {
        if rupiah > Self::MAX.0 || rupiah < -Self::MAX.0 { Err(Error::MoneyRange) } else { Ok(Self(rupiah)) }
    }

    /// An amount in rupiah that the caller knows to be in range, such as a sum read back from a store.
    #[must_use]
    pub const fn rupiah(rupiah: i64) -> Self {
        Self(rupiah)
    }

    /// The number of rupiah.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// The amount as a decimal, for the edges of the program.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::from(self.0)
    }

    /// Takes a decimal that has no fraction.
    ///
    /// # Errors
    /// [`Error::MoneyFraction`] when there is one (`150000.50`; `150000.00` is fine), [`Error::MoneyRange`].
    pub fn from_decimal(amount: Decimal) -> Result<Self, Error> {
        if !amount.fract().is_zero() {
            return Err(Error::MoneyFraction);
        }
        Self::try_new(amount.to_i64().ok_or(Error::MoneyRange)?)
    }

    /// Reads what people write: `150000`, `150.000`, `Rp 150.000,-`, `150000.00`, `1,5jt`, `-5.000`.
    /// What has more than one meaning is refused.
    ///
    /// # Errors
    /// [`Error::MoneyFraction`] for sen other than 00, [`Error::MoneyFormat`], [`Error::MoneyRange`].
    ///
    /// ```
    /// use isp_core::{error::Error, money::Money};
    /// assert_eq!(Money::parse("Rp 165.000"), Money::try_new(165_000));
    /// assert_eq!(Money::parse("165.5"), Err(Error::MoneyFormat));
    /// assert_eq!(Money::parse("165.000,50"), Err(Error::MoneyFraction));
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        amount::rupiah(text)
    }

    /// `self x numerator / denominator`, rounded half away from zero. A zero denominator gives zero.
    #[must_use]
    pub fn ratio(self, numerator: i64, denominator: i64) -> Self {
        if denominator == 0 {
            return Self::ZERO;
        }
        if numerator == denominator {
            return self;
        }
        // 64 bits are enough for every price people pay, and several times faster than 128.
        match self.0.checked_mul(numerator) {
            Some(product) => Self(divide_half_away(product, denominator)),
            None => Self(divide_half_away_wide(i128::from(self.0) * i128::from(numerator), i128::from(denominator))),
        }
    }

    /// True for amounts above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// True for exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The smaller of two amounts.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
}

/// Division rounded to the nearest whole number, halves away from zero.
fn divide_half_away(n: i64, d: i64) -> i64 {
    // Prices fit 32 bits, where a division costs a third of one in 64.
    if let (Ok(n), Ok(d)) = (u32::try_from(n), u32::try_from(d)) {
        let (quotient, rest) = (n / d, n % d);
        return i64::from(quotient) + i64::from(rest >= d - rest);
    }
    let quotient = n / d;
    let twice_rest = (n % d).unsigned_abs().saturating_mul(2);
    if twice_rest >= d.unsigned_abs() { quotient + if (n < 0) == (d < 0) { 1 } else { -1 } } else { quotient }
}

fn divide_half_away_wide(n: i128, d: i128) -> i64 {
    let quotient = n / d;
    let rounded = if (n % d).unsigned_abs() * 2 >= d.unsigned_abs() {
        quotient + if (n < 0) == (d < 0) { 1 } else { -1 }
    } else {
        quotient
    };
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

impl fmt::Display for Money {
    /// `Rp165.000`, as Indonesian invoices write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3 + 3);
        grouped.push_str(if self.0 < 0 { "-Rp" } else { "Rp" });
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push('.');
            }
            grouped.push(digit);
        }
        f.pad(&grouped)
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl<'a> Sum<&'a Money> for Money {
    fn sum<I: Iterator<Item = &'a Money>>(amounts: I) -> Self {
        amounts.copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_decimal::RoundingStrategy;

    #[test]
    fn reads_what_people_write() {
        for (text, rupiah) in [
            ("150000", 150_000),
            ("150.000", 150_000),
            ("Rp 150.000", 150_000),
            ("Rp1.150.000,00", 1_150_000),
            ("Rp. 5.000", 5_000),
            ("-5.000", -5_000),
            ("0", 0),
        ] {
            assert_eq!(Money::parse(text), Ok(Money(rupiah)), "{text}");
        }
    }

    #[test]
    fn refuses_fractions_and_nonsense() {
        for (text, error) in [
            ("150.000,5", Error::MoneyFraction),
            ("150.5", Error::MoneyFormat),
            ("1500.000", Error::MoneyFormat),
            ("", Error::MoneyFormat),
            ("Rp", Error::MoneyFormat),
            ("seratus", Error::MoneyFormat),
            ("99999999999999", Error::MoneyRange),
            ("99999999999999999999999", Error::MoneyRange),
        ] {
            assert_eq!(Money::parse(text), Err(error), "{text}");
        }
        assert_eq!(Money::from_decimal("1.5".parse().unwrap()), Err(Error::MoneyFraction));
        assert_eq!(Money::from_decimal("1.00".parse().unwrap()), Ok(Money(1)));
    }

    proptest! {
        #[test]
        fn ratio_agrees_with_decimal_rounding(
            amount in prop_oneof![-10_000_000_000_000_i64..10_000_000_000_000, -5_000_000_i64..5_000_000],
            n in 0_i64..400,
            d in 1_i64..400,
        ) {
            let expected = (Decimal::from(amount) * Decimal::from(n) / Decimal::from(d))
                .round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
            prop_assert_eq!(Money(amount).ratio(n, d).to_decimal(), expected);
        }

        #[test]
        fn what_is_written_can_be_read(amount in -10_000_000_000_000_i64..=10_000_000_000_000) {
            prop_assert_eq!(Money::parse(&Money(amount).to_string()), Ok(Money(amount)));
        }
    }
}
