//! Sites and routers that are used no more. What has a history is archived and never removed, and can be brought back.

use super::{Router, Site};
use crate::calendar::Date;
use crate::error::Error;

/// Whether a line may be at a site and on a router.
///
/// # Errors
/// [`Error::Archived`] names the one that is archived, the router first.
pub fn takes_lines(site: Option<&Site>, router: Option<&Router>) -> Result<(), Error> {
    if router.is_some_and(|router| router.archived) {
        return Err(Error::Archived { what: "router" });
    }
    if site.is_some_and(|site| site.archived) {
        return Err(Error::Archived { what: "site" });
    }
    Ok(())
}

/// Whether no line keeps a site or router from being archived on a day. `ends` are the ends of all lines that it has; a line of which
/// the end lies ahead is served until then.
///
/// # Errors
/// [`Error::StillServes`] with their number.
///
/// ```
/// use isp_core::{Error, calendar::Date, place::no_line};
/// let day = |text| Date::parse(text).unwrap();
/// let ends = [Some(day("2026-02-01")), Some(day("2026-02-02")), None];
/// assert_eq!(no_line("router", ends, day("2026-02-01")), Err(Error::StillServes { what: "router", lines: 2 }));
/// assert_eq!(no_line("router", ends.into_iter().take(2), day("2026-02-02")), Ok(()));
/// ```
pub fn no_line(what: &'static str, ends: impl IntoIterator<Item = Option<Date>>, today: Date) -> Result<(), Error> {
    match ends.into_iter().filter(|end| end.is_none_or(|end| end > today)).count() as u64 {
        0 => Ok(()),
        lines => Err(Error::StillServes { what, lines }),
    }
}
