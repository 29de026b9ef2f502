//! Rate limits as RouterOS writes them: `up/down`, and behind it the burst.
//!
//! The whole form is `rate burst threshold time priority minimum`, each but the priority as `up/down` or one figure for
//! both; what a router shows is what somebody typed, so limits are compared by what they mean.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Upload and download; the router writes upload first, as it sees the customer.
pub type Pair = (u64, u64);

/// A rate limit of a profile.
///
/// ```
/// use isp_mikrotik::menu::rate::RateLimit;
/// let limit = RateLimit::parse(b"5M/10M 10M/20M 3750k/7500k 8/8").unwrap();
/// assert_eq!(limit.rate, (5_000_000, 10_000_000));
/// assert_eq!(limit, RateLimit::parse(b"5000k/10000k 10M/20M 3750k/7500k 8 8").unwrap());
/// assert_eq!(limit.to_string(), "5M/10M 10M/20M 3750k/7500k 8/8");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RateLimit {
    /// Bits a second.
    pub rate: Pair,
    /// What is allowed for a short while.
    pub burst: Option<BurstLimit>,
    /// 1 to 8; 8 is what a queue has when nothing is said.
    pub priority: u8,
    /// Bits a second that are guaranteed.
    pub minimum: Pair,
}

/// The burst of a rate limit: until the mean over `seconds` reaches `threshold`, `limit` holds instead of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BurstLimit {
    /// Bits a second.
    pub limit: Pair,
    /// Bits a second.
    pub threshold: Pair,
    /// For how long the burst may last, each way.
    pub seconds: Pair,
}

/// How the burst of a package follows from its speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// The burst in percent of the speed, above 100.
    pub percent: u32,
    /// The threshold in percent of the speed.
    pub threshold_percent: u32,
    /// The time over which the mean is taken, seconds.
    pub seconds: u32,
}

impl RateLimit {
    /// Without burst.
    pub fn plain(rate: Pair) -> RateLimit {
        RateLimit { rate, burst: None, priority: 8, minimum: (0, 0) }
    }

    /// With a burst in proportion.
    #[must_use]
    pub fn with_burst(mut self, burst: Burst) -> RateLimit {
        let share = |of: u64, percent: u32| of.saturating_mul(u64::from(percent)) / 100;
        let both = |percent| (share(self.rate.0, percent), share(self.rate.1, percent));
        let seconds = u64::from(burst.seconds);
        self.burst = Some(BurstLimit {
            limit: both(burst.percent),
            threshold: both(burst.threshold_percent),
            seconds: (seconds, seconds),
        });
        self
    }

    /// Reads what a router shows or a person typed; `None` if it is not a rate limit.
    pub fn parse(raw: &[u8]) -> Option<RateLimit> {
        let text = std::str::from_utf8(raw).ok()?;
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let mut limit = RateLimit::plain(pair(words.next()?)?);
        if let Some(burst) = words.next() {
            let burst = pair(burst)?;
            let threshold = words.next().map_or(Some(limit.rate), pair)?;
            let seconds = words.next().map_or(Some((1, 1)), time_pair)?;
            if burst != (0, 0) {
                limit.burst = Some(BurstLimit { limit: burst, threshold, seconds });
            }
        }
        if let Some(priority) = words.next() {
            limit.priority = priority.parse().ok().filter(|priority| (1..=8).contains(priority))?;
        }
        limit.minimum = words.next().map_or(Some((0, 0)), pair)?;
        words.next().is_none().then_some(limit)
    }
}

impl fmt::Display for RateLimit {
    /// As a router takes it; what is usual is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said_more = self.priority != 8 || self.minimum != (0, 0);
        write!(f, "{}", Shown(self.rate))?;
        match self.burst {
            Some(burst) => {
                let (up, down) = burst.seconds;
                write!(f, " {} {} {up}/{down}", Shown(burst.limit), Shown(burst.threshold))?;
            }
            None if said_more => write!(f, " 0/0 0/0 0/0")?,
            None => {}
        }
        if said_more {
            write!(f, " {} {}", self.priority, Shown(self.minimum))?;
        }
        Ok(())
    }
}

struct Shown(Pair);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |bits: u64| match bits {
            0 => "0".to_owned(),
            _ if bits.is_multiple_of(1_000_000) => format!("{}M", bits / 1_000_000),
            _ if bits.is_multiple_of(1_000) => format!("{}k", bits / 1_000),
            _ => bits.to_string(),
        };
        write!(f, "{}/{}", word(self.0.0), word(self.0.1))
    }
}

/// `up/down` in bits a second: the first word of `10M/20M 20M/40M …`; one figure counts for both.
///
/// ```
/// assert_eq!(isp_mikrotik::menu::rate::rate_pair(b"64k/1M"), Some((64_000, 1_000_000)));
/// ```
pub fn rate_pair(raw: &[u8]) -> Option<Pair> {
    pair(std::str::from_utf8(raw).ok()?.split(' ').find(|word| !word.is_empty())?)
}

fn pair(word: &str) -> Option<Pair> {
    let (up, down) = word.split_once('/').unwrap_or((word, word));
    Some((rate(up)?, rate(down)?))
}

fn rate(text: &str) -> Option<u64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 1_000),
        b'M' | b'm' => (&text[..text.len() - 1], 1_000_000),
        b'G' | b'g' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A span of time as a router shows it: `8`, `8s`, `1m30s`, `00:01:30`.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    if text.contains(':') {
        return text.split(':').try_fold(0_u64, |sum, part| sum.checked_mul(60)?.checked_add(part.parse().ok()?));
    }
    let (mut sum, mut digits) = (0_u64, String::new());
    for sign in text.chars() {
        let unit = match sign {
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => {
                digits.push(sign);
                continue;
            }
        };
        sum = sum.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    if digits.is_empty() { (!text.is_empty()).then_some(sum) } else { sum.checked_add(digits.parse().ok()?) }
}

fn time_pair(word: &str) -> Option<Pair> {
    let (up, down) = word.split_once('/').unwrap_or((word, word));
    Some((seconds(up)?, seconds(down)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_compared_by_what_they_mean() {
        let parse = |text: &str| RateLimit::parse(text.as_bytes());
        assert_eq!(parse("10M"), parse("10000k/10M"));
        assert_eq!(parse("10M/20M 0/0 0/0 0/0"), parse("10M/20M"));
        assert_eq!(parse("10M/20M 20M/40M"), parse("10M/20M 20M/40M 10M/20M 1s/1s 8"));
        assert_ne!(parse("10M/20M 20M/40M"), parse("10M/20M"));
        assert_eq!(rate_pair(b" 10M/20M "), parse(" 10M/20M ").map(|limit| limit.rate), "found by the fuzzer");
        for bad in ["", "fast", "10M/", "10M 20M x", "10M 20M 5M 8 9", "10M 20M 5M 8 8 0/0 more", "+5M"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_burst_follows_from_the_speed() {
        let burst = Burst { percent: 200, threshold_percent: 75, seconds: 8 };
        let limit = RateLimit::plain((5_000_000, 10_000_000)).with_burst(burst);
        assert_eq!(limit.to_string(), "5M/10M 10M/20M 3750k/7500k 8/8");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            rate in (1_u64..1_000_000_000, 1_u64..1_000_000_000),
            burst in proptest::option::of(((1_u64..1 << 40, 0_u64..1 << 40), (0_u64..1 << 40, 0_u64..1 << 40), (0_u64..100, 0_u64..100))),
            priority in 1_u8..=8,
            minimum in (0_u64..1 << 40, 0_u64..1 << 40),
        ) {
            let burst = burst.map(|(limit, threshold, seconds)| BurstLimit { limit, threshold, seconds });
            let limit = RateLimit { rate, burst, priority, minimum };
            prop_assert_eq!(RateLimit::parse(limit.to_string().as_bytes()), Some(limit));
        }
    }
}
