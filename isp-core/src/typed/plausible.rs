//! Values that are possible and yet likely to be a slip of the keyboard: they are asked once more, never refused for good.

use crate::error::Error;
use crate::money::Money;
use crate::package::Speed;

/// The prices of a month that providers ask: below, zeros are missing (`165` for `165.000`); above, there are too many.
const PRICES: (Money, Money) = (Money::rupiah(1_000), Money::rupiah(100_000_000));
/// More than this in one amount is more than a small provider moves in a year.
const AMOUNT: Money = Money::rupiah(10_000_000_000);
/// Slower lines are no longer sold; faster ones a small provider does not have.
const SPEEDS: (u32, u32) = (64, 10_000_000);

/// Asks about a price per month below Rp1.000 or above Rp100.000.000.
///
/// # Errors
/// [`Error::Implausible`] with `field` and the price.
pub fn plausible_price(field: &'static str, price: Money) -> Result<(), Error> {
    asked(field, (PRICES.0..=PRICES.1).contains(&price), &price)
}

/// Asks about an amount above Rp10.000.000.000 either way.
///
/// # Errors
/// [`Error::Implausible`] with `field` and the amount.
pub fn plausible_amount(field: &'static str, amount: Money) -> Result<(), Error> {
    asked(field, (-AMOUNT..=AMOUNT).contains(&amount), &amount)
}

/// Asks about a speed below 64 kbit/s or above 10 Gbit/s.
///
/// # Errors
/// [`Error::Implausible`] with `field` and the speed.
pub fn plausible_speed(field: &'static str, speed: Speed) -> Result<(), Error> {
    let usual = SPEEDS.0..=SPEEDS.1;
    asked(field, usual.contains(&speed.down_kbps) && usual.contains(&speed.up_kbps), &speed)
}

fn asked(field: &'static str, usual: bool, value: &impl ToString) -> Result<(), Error> {
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
        assert!(plausible_amount("amount", Money::rupiah(12_500_000)).is_ok());
        let of = |kbps| Speed { down_kbps: kbps, up_kbps: kbps };
        for (kbps, usual) in [(20, false), (512, true), (20_000, true), (1_000_000, true), (20_000_000, false)] {
            assert_eq!(plausible_speed("speed", of(kbps)).is_ok(), usual, "{kbps}");
        }
        let error = plausible_price("price", Money::rupiah(165)).unwrap_err();
        assert_eq!((error.code(), error.to_string().contains("Rp165")), ("value.implausible", true));
    }
}
