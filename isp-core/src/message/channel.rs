//! What an answer of the channel means: for its message, and for all the others that wait (rule N8).
//!
//! Nothing is sent twice, and that stands above "nothing is lost": a message that may have gone out is
//! [`Fate::Unknown`] for ever, until a person or the channel itself says more. What was certainly not sent waits, as
//! long as it is true.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::ids::CustomerId;

/// Whom a refusal concerns: one message, or every message that is in the same position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RetryScope {
    /// This message only.
    Message,
    /// Messages of our number to this recipient.
    Recipient,
    /// Messages of this template.
    Template,
    /// Every message of this sending number.
    Number,
    /// Every message of this account, with all its numbers.
    Account,
}

impl RetryScope {
    /// True when no message at all goes out meanwhile.
    #[must_use]
    pub const fn is_channel(self) -> bool {
        matches!(self, Self::Number | Self::Account)
    }
}

/// What the channel said of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It took the message.
    Taken,
    /// It did not take it, and says who has to wait, at least so many seconds.
    NotNow(RetryScope, u32),
    /// It will never take this message.
    Never,
    /// Nothing was reached that could have taken it.
    NotSent,
    /// Nobody knows.
    Unknown,
}

/// What becomes of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is sent.
    Sent,
    /// It waits so long.
    Wait(TimeDelta),
    /// A person must look.
    Failed,
    /// A person must find out.
    Unknown,
}

/// What becomes of a message, and who else rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// The message's own fate.
    pub fate: Fate,
    /// Whose other messages are not even tried in this delivery.
    pub rests: Option<RetryScope>,
}

/// Attempts after which a message that nothing but itself can be blamed for is given to a person. It is the only limit by
/// number: whatever else a message waits for, it waits as long as it is true.
pub const ATTEMPTS: u32 = 12;
/// A message that met a channel at rest is tried again with the next delivery.
const CHANNEL_SECONDS: i64 = 30;
/// A template that Meta paused comes back after hours, a missing one when somebody has made it. Each delivery after so
/// long tries one message of it.
const TEMPLATE_SECONDS: i64 = 600;
/// First wait after a failure, doubled each time ...
const BACKOFF_SECONDS: i64 = 30;
/// ... up to this.
const BACKOFF_LIMIT_SECONDS: i64 = 900;

/// What an answer means for a message that was called for `attempts` times before.
#[must_use]
pub fn consequence(answer: Answer, attempts: u32) -> Consequence {
    let seconds = |told: u32, least: i64| TimeDelta::seconds(i64::from(told).max(least));
    let (fate, rests) = match answer {
        Answer::Taken => (Fate::Sent, None),
        Answer::Never => (Fate::Failed, None),
        Answer::NotNow(RetryScope::Message, _) if attempts + 1 >= ATTEMPTS => (Fate::Failed, None),
        Answer::NotNow(RetryScope::Message, told) => (Fate::Wait(seconds(told, 0).max(backoff(attempts))), None),
        Answer::NotNow(scope @ RetryScope::Recipient, told) => (Fate::Wait(seconds(told, 1)), Some(scope)),
        Answer::NotNow(scope @ RetryScope::Template, told) => {
            (Fate::Wait(seconds(told, TEMPLATE_SECONDS)), Some(scope))
        }
        Answer::NotNow(scope, told) => (Fate::Wait(seconds(told, CHANNEL_SECONDS)), Some(scope)),
        Answer::NotSent => (Fate::Wait(TimeDelta::seconds(CHANNEL_SECONDS)), Some(RetryScope::Number)),
        // Whatever swallowed this one would swallow the next.
        Answer::Unknown => (Fate::Unknown, Some(RetryScope::Number)),
    };
    Consequence { fate, rests }
}

/// 30 s, 1 min, 2 min and so on up to 15 min.
#[must_use]
pub fn backoff(attempts: u32) -> TimeDelta {
    TimeDelta::seconds((BACKOFF_SECONDS << attempts.min(10)).min(BACKOFF_LIMIT_SECONDS))
}

/// Who rests for the remainder of a delivery, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resting {
    /// Why nothing goes out at all.
    pub channel: Option<String>,
    /// Why nothing of these templates goes out.
    pub templates: BTreeMap<String, String>,
    /// Customers who get nothing more for now, with how long.
    recipients: BTreeMap<CustomerId, TimeDelta>,
}

/// Why a message is not tried now, and how long it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held<'a> {
    /// The channel rests: the message stays as it is.
    Channel(&'a str),
    /// Its template rests.
    Template(TimeDelta, &'a str),
    /// Its recipient rests.
    Recipient(TimeDelta),
}

impl Resting {
    /// Takes notice of a consequence for a message to a customer, or to nobody, with this template.
    pub fn after(
        &mut self,
        consequence: Consequence,
        customer: Option<CustomerId>,
        template: Option<&str>,
        reason: &str,
    ) {
        match (consequence.rests, template, consequence.fate) {
            (None | Some(RetryScope::Message), ..) => {}
            (Some(RetryScope::Recipient), _, Fate::Wait(time)) => {
                self.recipients.extend(customer.map(|customer| (customer, time)));
            }
            (Some(RetryScope::Recipient), ..) => {}
            (Some(RetryScope::Template), Some(template), _) => {
                self.templates.entry(template.to_owned()).or_insert_with(|| reason.to_owned());
            }
            (Some(RetryScope::Template), None, _) => {}
            (Some(RetryScope::Number | RetryScope::Account), ..) => {
                self.channel.get_or_insert_with(|| reason.to_owned());
            }
        }
    }

    /// Why a message is not tried now; `None` when it may leave.
    #[must_use]
    pub fn holds(&self, customer: CustomerId, template: Option<&str>) -> Option<Held<'_>> {
        if let Some(reason) = &self.channel {
            return Some(Held::Channel(reason));
        }
        if let Some(reason) = template.and_then(|name| self.templates.get(name)) {
            return Some(Held::Template(TimeDelta::seconds(TEMPLATE_SECONDS), reason));
        }
        self.recipients.get(&customer).map(|time| Held::Recipient(*time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(n: u128) -> CustomerId {
        CustomerId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn what_each_answer_means() {
        use RetryScope::{Account, Message, Number, Recipient, Template};
        let wait = |seconds| Fate::Wait(TimeDelta::seconds(seconds));
        for (answer, attempts, fate, rests) in [
            (Answer::Taken, 0, Fate::Sent, None),
            (Answer::Never, 0, Fate::Failed, None),
            (Answer::Unknown, 0, Fate::Unknown, Some(Number)),
            (Answer::NotNow(Message, 60), 0, wait(60), None),
            (Answer::NotNow(Message, 60), 10, wait(900), None),
            (Answer::NotNow(Message, 60), 11, Fate::Failed, None),
            // Nothing that is not the message's fault is counted.
            (Answer::NotSent, 500, wait(30), Some(Number)),
            (Answer::NotNow(Number, 30), 500, wait(30), Some(Number)),
            (Answer::NotNow(Account, 0), 500, wait(30), Some(Account)),
            (Answer::NotNow(Recipient, 6), 500, wait(6), Some(Recipient)),
            (Answer::NotNow(Recipient, 86_400), 500, wait(86_400), Some(Recipient)),
            (Answer::NotNow(Template, 0), 500, wait(600), Some(Template)),
        ] {
            assert_eq!(consequence(answer, attempts), Consequence { fate, rests }, "{answer:?} after {attempts}");
        }
    }

    #[test]
    fn who_rests_with_whom() {
        let mut resting = Resting::default();
        assert_eq!(resting.holds(customer(1), Some("a")), None);
        resting.after(consequence(Answer::Taken, 0), Some(customer(1)), Some("a"), "");
        resting.after(consequence(Answer::NotNow(RetryScope::Message, 9), 0), Some(customer(1)), Some("a"), "one");
        assert_eq!(resting, Resting::default());
        resting.after(consequence(Answer::NotNow(RetryScope::Recipient, 6), 0), Some(customer(1)), Some("a"), "pair");
        assert_eq!(resting.holds(customer(1), Some("b")), Some(Held::Recipient(TimeDelta::seconds(6))));
        assert_eq!(resting.holds(customer(2), Some("a")), None);
        resting.after(consequence(Answer::NotNow(RetryScope::Template, 0), 0), Some(customer(2)), Some("a"), "paused");
        assert_eq!(resting.holds(customer(3), Some("a")), Some(Held::Template(TimeDelta::seconds(600), "paused")));
        assert_eq!(resting.holds(customer(3), Some("b")), None);
        resting.after(consequence(Answer::NotSent, 0), Some(customer(3)), None, "no route");
        resting.after(consequence(Answer::Unknown, 0), Some(customer(3)), None, "later");
        assert_eq!(resting.holds(customer(4), Some("b")), Some(Held::Channel("no route")));
    }
}
