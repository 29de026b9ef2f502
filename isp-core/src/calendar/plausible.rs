//! Days that are possible and yet likely to be a slip of the keyboard.

use super::Date;
use crate::error::Error;

/// A day of a provider's life lies at most so far ahead; a year that was typed or read wrong lies further.
const DAYS_AHEAD: i32 = 366;

/// Asks about a day more than a year ahead, or of the last century: nobody sold lines by these books then.
///
/// ```
/// use isp_core::calendar::{Date, plausible_day};
/// let day = |text| Date::parse(text).unwrap();
/// assert!(plausible_day("start", day("2026-12-31"), day("2026-01-02")).is_ok());
/// // `25-12-31` has its day first, and is 2031.
/// assert!(plausible_day("start", day("2031-12-25"), day("2026-01-02")).is_err());
/// assert!(plausible_day("start", day("1970-01-01"), day("2026-01-02")).is_err());
/// ```
///
/// # Errors
/// [`Error::Implausible`] with `field` and the day.
pub fn plausible_day(field: &'static str, day: Date, today: Date) -> Result<(), Error> {
    let usual = day.days_since(today) <= DAYS_AHEAD && day.ymd().0 >= 2000;
    if usual { Ok(()) } else { Err(Error::Implausible { field, value: day.to_string() }) }
}
