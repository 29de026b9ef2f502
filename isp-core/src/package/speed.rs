//! Speeds.

use super::Speed;
use crate::error::Error;
use crate::typed::bare;

/// Reads a speed as people write it: `20`, `20M`, `20 Mbps`, `20 mb/s`, `1,5 Mbps`, `20M/5M`, `Up to 20 Mbps`,
/// `512k/256k`; download, then upload when it differs.
///
/// A bare number is Mbit/s, or has the unit of the other one. Who sells lines writes `MB/s` and means megabits, so the
/// capitals say nothing.
///
/// # Errors
/// [`Error::Speed`].
pub(super) fn speed(text: &str) -> Result<Speed, Error> {
    let text = bare(text).to_lowercase();
    let text =
        ["up to", "upto", "up-to", "hingga", "sampai", "s/d", "s.d.", "maksimal", "maks.", "maks", "max.", "max"]
            .iter()
            .find_map(|word| text.strip_prefix(word))
            .unwrap_or(&text);
    let (down, rest) = number_and_unit(text)?;
    let rest = rest.trim_start();
    if rest.is_empty() {
        let kbps = kbps(down)?;
        return Ok(Speed { down_kbps: kbps, up_kbps: kbps });
    }
    let after = rest.strip_prefix(['/', '|', '\\']).ok_or(Error::Speed)?;
    let (up, rest) = number_and_unit(after)?;
    if !rest.trim().is_empty() {
        return Err(Error::Speed);
    }
    // `20/10 Mbps`: the unit behind is that of both.
    let unit = down.unit.or(up.unit);
    Ok(Speed { down_kbps: kbps(Written { unit, ..down })?, up_kbps: kbps(Written { unit: up.unit.or(unit), ..up })? })
}

#[derive(Clone, Copy)]
struct Written<'a> {
    whole: &'a str,
    fraction: &'a str,
    /// kbit/s in one unit.
    unit: Option<u32>,
}

/// Units, the longer spelling first: `mb/s` is not `mb` and then a second speed.
const UNITS: [(&str, u32); 27] = [
    ("mbits/s", 1_000),
    ("mbit/s", 1_000),
    ("mbps", 1_000),
    ("mb/s", 1_000),
    ("mbit", 1_000),
    ("mega", 1_000),
    ("mbs", 1_000),
    ("mpbs", 1_000),
    ("m/s", 1_000),
    ("mb", 1_000),
    ("m", 1_000),
    ("kbits/s", 1),
    ("kbit/s", 1),
    ("kbps", 1),
    ("kb/s", 1),
    ("kbit", 1),
    ("kbs", 1),
    ("kb", 1),
    ("k", 1),
    ("gbits/s", 1_000_000),
    ("gbit/s", 1_000_000),
    ("gbps", 1_000_000),
    ("gb/s", 1_000_000),
    ("gbit", 1_000_000),
    ("giga", 1_000_000),
    ("gb", 1_000_000),
    ("g", 1_000_000),
];

fn number_and_unit(text: &str) -> Result<(Written<'_>, &str), Error> {
    let text = text.trim_start();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at(digits(text));
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix(['.', ',']) {
        (fraction, rest) = after.split_at(digits(after));
        if fraction.is_empty() {
            return Err(Error::Speed);
        }
    }
    // Three digits behind a point may be thousands.
    if whole.is_empty() || fraction.len() > 2 {
        return Err(Error::Speed);
    }
    let after = rest.trim_start();
    for (word, unit) in UNITS {
        if let Some(rest) = after.strip_prefix(word).filter(|rest| !rest.starts_with(char::is_alphanumeric)) {
            return Ok((Written { whole, fraction, unit: Some(unit) }, rest));
        }
    }
    Ok((Written { whole, fraction, unit: None }, rest))
}

fn kbps(written: Written<'_>) -> Result<u32, Error> {
    let mut unit = written.unit.unwrap_or(1_000);
    let whole: u32 = written.whole.parse().map_err(|_| Error::Speed)?;
    let mut kbps = whole.checked_mul(unit).ok_or(Error::Speed)?;
    for digit in written.fraction.bytes().map(|byte| u32::from(byte - b'0')) {
        if digit != 0 && !unit.is_multiple_of(10) {
            return Err(Error::Speed);
        }
        unit /= 10;
        kbps = kbps.checked_add(digit * unit).ok_or(Error::Speed)?;
    }
    if kbps == 0 { Err(Error::Speed) } else { Ok(kbps) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn speeds_that_people_write() {
        for (text, down, up) in [
            ("20", 20_000, 20_000),
            ("10mb", 10_000, 10_000),
            ("10 Mbps", 10_000, 10_000),
            ("10M/5M", 10_000, 5_000),
            ("20/10 Mbps", 20_000, 10_000),
            ("20 Mbps / 10 Mbps", 20_000, 10_000),
            ("20 mb/s", 20_000, 20_000),
            ("20 Mb/s/10 Mb/s", 20_000, 10_000),
            ("20Mb/5Mb", 20_000, 5_000),
            ("20Mbit/s", 20_000, 20_000),
            ("1.5M", 1_500, 1_500),
            ("1,5 Mbps", 1_500, 1_500),
            ("0,5M", 500, 500),
            ("512k/256k", 512, 256),
            ("512/256 kbps", 512, 256),
            ("1 Gbps", 1_000_000, 1_000_000),
            ("Up to 20 Mbps", 20_000, 20_000),
            ("s/d 20 Mbps", 20_000, 20_000),
            ("'20M", 20_000, 20_000),
            ("20.0", 20_000, 20_000),
        ] {
            assert_eq!(speed(text), Ok(Speed { down_kbps: down, up_kbps: up }), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_speed_is_refused() {
        for text in [
            "",
            "fast",
            "0",
            "-5",
            "20/10/5",
            "1.000M",
            "1.2345M",
            "99999999999",
            "20 MBx",
            "20/",
            "/20",
            "1,5k",
            "2E4",
            "20M 10M",
            "M",
            "20..5",
        ] {
            assert_eq!(speed(text), Err(Error::Speed), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC*|[0-9.,mkgbps/ ]{0,12}") {
            let _ = speed(&text);
        }

        #[test]
        fn what_is_shown_can_be_read(down in 1_u32..10_000_000, up in 1_u32..10_000_000) {
            let written = Speed { down_kbps: down, up_kbps: up };
            prop_assert_eq!(speed(&written.to_string()), Ok(written));
        }
    }
}
