//! Amounts that are possible and yet likely to be a slip of the keyboard: they are asked once more, never refused for good.

use super::Money;
use crate::error::Error;

/// The prices of a month that providers ask: below, zeros are missing (`165` for `165.000`); above, there are too many.
const PRICES: (Money, Money) = (Money::rupiah(1_000), Money::rupiah(100_000_000));
/// Below, a person meant thousands (`150` for `150.000`); above is more than a small provider moves in a year.
const AMOUNTS: (Money, Money) = (Money::rupiah(1_000), Money::rupiah(10_000_000_000));

/// Asks about a price per month below Rp1.000 or above Rp100.000.000.
///
/// # Errors
/// [`Error::Implausible`] with `field` and the price.
pub fn plausible_price(field: &'static str, price: Money) -> Result<(), Error> {
    asked(field, (PRICES.0..=PRICES.1).contains(&price), price)
}

/// Asks about an amount below Rp1.000 or above Rp10.000.000.000, either way. Nothing is plausible.
///
/// # Errors
/// [`Error::Implausible`] with `field` and the amount.
pub fn plausible_amount(field: &'static str, amount: Money) -> Result<(), Error> {
    let size = if amount < Money::ZERO { -amount } else { amount };
    asked(field, size.is_zero() || (AMOUNTS.0..=AMOUNTS.1).contains(&size), amount)
}

fn asked(field: &'static str, usual: bool, value: Money) -> Result<(), Error> {
    if usual { Ok(()) } else { Err(Error::Implausible { field, value: value.to_string() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_asked() {
        for (price, usual) in [(165, false), (999, false), (1_000, true), (165_000, true), (165_000_000, false)] {
            assert_eq!(plausible_price("price", Money::rupiah(price)).is_ok(), usual, "{price}");
        }
        assert!(plausible_amount("amount", Money::rupiah(1_000_000_000_000)).is_err());
        for (amount, usual) in [(150, false), (-150, false), (0, true), (1_000, true), (12_500_000, true)] {
            assert_eq!(plausible_amount("amount", Money::rupiah(amount)).is_ok(), usual, "{amount}");
        }
        let error = plausible_price("price", Money::rupiah(165)).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("Rp165")), ("value.implausible", true));
    }
}
