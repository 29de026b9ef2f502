//! Where something stands, as a telephone's map tells it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What is understood.
const EXPECTED: &str = "latitude and longitude, such as -6.914744, 107.609810";

/// A degree in the unit of [`Coordinates`].
const DEGREE: i32 = 1_000_000;

/// Latitude and longitude in millionths of a degree, which is a tenth of a metre. Where somebody lives is personal data, so
/// `Debug` hides it.
///
/// ```
/// use isp_core::place::Coordinates;
///
/// let house = Coordinates::parse("-6,914744; 107,60981")?;
/// assert_eq!(house.to_string(), "-6.914744,107.609810");
/// # Ok::<(), isp_core::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Coordinates {
    latitude: i32,
    longitude: i32,
}

impl Coordinates {
    /// From millionths of a degree.
    ///
    /// # Errors
    /// [`Error::NotOneOf`] for what is beyond the poles or once round the earth.
    pub const fn try_new(latitude: i32, longitude: i32) -> Result<Self, Error> {
        if latitude < -90 * DEGREE || latitude > 90 * DEGREE {
            return Err(Error::NotOneOf { field: "latitude", expected: "-90 to 90; it stands before the longitude" });
        }
        if longitude < -180 * DEGREE || longitude > 180 * DEGREE {
            return Err(Error::NotOneOf { field: "longitude", expected: "-180 to 180" });
        }
        Ok(Self { latitude, longitude })
    }

    /// Millionths of a degree to the north.
    #[must_use]
    pub const fn latitude(self) -> i32 {
        self.latitude
    }

    /// Millionths of a degree to the east.
    #[must_use]
    pub const fn longitude(self) -> i32 {
        self.longitude
    }

    /// Reads latitude and longitude in degrees, with a decimal point or a decimal comma: `-6.914744,107.60981`,
    /// `-6,914744; 107,60981`, `(-6.9, 107.6)`. What could be two pairs, such as `-6,9,107` or `-6,107`, is refused. Decimals
    /// after the sixth are rounded.
    ///
    /// # Errors
    /// [`Error::NotOneOf`], by the field that is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = crate::typed::bare(text);
        let bare = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(&text).trim();
        let (latitude, longitude) = halves(bare).ok_or(Error::NotOneOf { field: "coordinates", expected: EXPECTED })?;
        let degrees = |text: &str, field| degrees(text).ok_or(Error::NotOneOf { field, expected: EXPECTED });
        Self::try_new(degrees(latitude, "latitude")?, degrees(longitude, "longitude")?)
    }
}

/// The two numbers of a pair, when there is one way to see them.
fn halves(text: &str) -> Option<(&str, &str)> {
    if text.contains(';') {
        return text.split_once(';').map(|(a, b)| (a.trim(), b.trim()));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match words[..] {
        // "-6.9, 107.6", "-6,9 107,6", "-6.9 , 107.6"
        [a, b] | [a, ",", b] => Some((a.strip_suffix(',').unwrap_or(a), b.strip_prefix(',').unwrap_or(b))),
        [one] => {
            let parts: Vec<&str> = one.split(',').collect();
            match parts.len() {
                // A decimal point tells that the comma stands between the two.
                2 if one.contains('.') => Some((parts[0], parts[1])),
                4 => one.match_indices(',').nth(1).map(|(at, _)| (&one[..at], &one[at + 1..])),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Degrees in millionths.
fn degrees(text: &str) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || whole.len() > 3 || !plain(part) || part.len() > 20 {
        return None;
    }
    let six: String = part.chars().chain("000000".chars()).take(6).collect();
    let up = part.as_bytes().get(6).is_some_and(|digit| *digit >= b'5');
    let value = whole.parse::<i32>().ok()? * DEGREE + six.parse::<i32>().ok()? + i32::from(up);
    Some(if negative { -value } else { value })
}

impl fmt::Display for Coordinates {
    /// As maps understand it: `-6.914744,107.609810`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = |value: i32| {
            let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
            format!("{sign}{}.{:06}", value / 1_000_000, value % 1_000_000)
        };
        write!(f, "{},{}", degrees(self.latitude), degrees(self.longitude))
    }
}

impl fmt::Debug for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Coordinates(***)")
    }
}

impl TryFrom<String> for Coordinates {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Coordinates> for String {
    fn from(at: Coordinates) -> Self {
        at.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_map_or_a_person_writes_is_read() {
        for (text, latitude, longitude) in [
            ("-6.914744,107.60981", -6_914_744, 107_609_810),
            ("-6.914744, 107.609810", -6_914_744, 107_609_810),
            ("-6,914744; 107,60981", -6_914_744, 107_609_810),
            ("-6,914744 107,60981", -6_914_744, 107_609_810),
            ("-6,914744, 107,60981", -6_914_744, 107_609_810),
            ("-6,914744,107,60981", -6_914_744, 107_609_810),
            ("(-6.9, 107.6)", -6_900_000, 107_600_000),
            ("\u{2212}6.9 , +107.6", -6_900_000, 107_600_000),
            ("-6;107", -6_000_000, 107_000_000),
            ("-6 107", -6_000_000, 107_000_000),
            ("-6.91474449999,107.6098105", -6_914_744, 107_609_811),
            ("-0.5,95", -500_000, 95_000_000),
            ("90,180.0", 90_000_000, 180_000_000),
            ("\u{200b}-6.9,107.6\u{a0}", -6_900_000, 107_600_000),
        ] {
            let read = Coordinates::parse(text).unwrap();
            assert_eq!((read.latitude(), read.longitude()), (latitude, longitude), "{text}");
            assert_eq!(Coordinates::parse(&read.to_string()), Ok(read));
        }
    }

    #[test]
    fn what_may_mean_another_place_is_refused_by_its_field() {
        let field = |text: &str| match Coordinates::parse(text) {
            Err(Error::NotOneOf { field, .. }) => field,
            other => panic!("{text}: {other:?}"),
        };
        for text in ["", "-6,107", "-6,9,107", "-6.9", "1,2,3,4,5", "-6.9 107.6 3", "Bandung", "6;7;8"] {
            assert!(["coordinates", "longitude"].contains(&field(text)), "{text}");
        }
        for text in ["107.6,-6.9", "90.000001,0", "-91 0", "x;107", "--6;107", "1e1;107", "6.;107", "0006;107"] {
            assert_eq!(field(text), "latitude", "{text}");
        }
        for text in ["-6.9,180.5", "-6.9,-181", "-6;", "-6;107°", "-6.9,107.6.1"] {
            assert_eq!(field(text), "longitude", "{text}");
        }
    }

    #[test]
    fn no_debug_output_shows_where_somebody_lives() {
        let house = Coordinates::parse("-6.9,107.6").unwrap();
        assert_eq!(format!("{house:?}"), "Coordinates(***)");
    }
}
