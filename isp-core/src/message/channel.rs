//! What an answer of the channel means: for its message, and for all the others that wait (rule N8).
//!
//! Nothing is sent twice, and that stands above "nothing is lost": a message that may have gone out is
//! [`Fate::Unknown`] for ever, until a person or the channel itself says more. What was certainly not sent waits, as
//! long as it is true.

use std::collections::{BTreeMap, BTreeSet};

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
    /// It will not take this message as it is: the message, its template or the request is wrong.
    Wrong,
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
/// Refusals without a message that was taken, after which no further message is tried: what the channel says of each alone, it says
/// of all.
const DOUBTS: u32 = 5;
/// The same of one template.
const TEMPLATE_DOUBTS: u32 = 2;
/// A message that met a channel at rest is tried again with the next delivery.
const CHANNEL_SECONDS: i64 = 30;
/// A template that Meta paused comes back after hours, a missing one when somebody has made it. Each delivery after so
/// long tries one message of it.
const TEMPLATE_SECONDS: i64 = 600;
/// First wait after a failure, doubled each time ...
const BACKOFF_SECONDS: i64 = 30;
/// ... up to this.
const BACKOFF_LIMIT_SECONDS: i64 = 900;

/// What an answer means for a message that was called for `attempts` times before, when it is the message's own. Whether it is, only
/// [`Resting::after`] knows, which has seen the answers to the others.
#[must_use]
pub fn consequence(answer: Answer, attempts: u32) -> Consequence {
    let seconds = |told: u32, least: i64| TimeDelta::seconds(i64::from(told).max(least));
    let (fate, rests) = match answer {
        Answer::Taken => (Fate::Sent, None),
        Answer::Never | Answer::Wrong => (Fate::Failed, None),
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
    /// True when the channel took a message.
    works: bool,
    /// Messages in a row that it refused for now, and what it said to the last one.
    doubts: (u32, String),
    /// Templates of which it took a message.
    good: BTreeSet<String>,
    /// Templates of which it took none so far and called some wrong: how many, and what it said to the last one.
    wrong: BTreeMap<String, (u32, String)>,
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
    /// Takes notice of an answer to a message to a customer, or to nobody, with this template; what becomes of the message.
    ///
    /// A message is blamed only when the channel took another one in the same delivery, of the same template where the message is
    /// called wrong. Until then it waits: who refuses all would otherwise spoil all.
    pub fn after(
        &mut self,
        answer: Answer,
        attempts: u32,
        customer: Option<CustomerId>,
        template: Option<&str>,
        reason: &str,
    ) -> Consequence {
        let mut consequence = consequence(answer, attempts);
        match (answer, template) {
            (Answer::Taken, _) => {
                self.works = true;
                self.doubts = (0, String::new());
                self.wrong.retain(|name, _| Some(name.as_str()) != template);
                self.good.extend(template.map(str::to_owned));
            }
            (Answer::NotNow(RetryScope::Message, told), _) => {
                self.doubts = (self.doubts.0 + 1, reason.to_owned());
                if !self.works {
                    consequence.fate = Fate::Wait(TimeDelta::seconds(i64::from(told)).max(backoff(attempts)));
                }
                consequence.rests = (self.doubts.0 >= DOUBTS).then_some(RetryScope::Number);
            }
            (Answer::Wrong, Some(name)) if !self.good.contains(name) => {
                let known = self.wrong.entry(name.to_owned()).or_default();
                *known = (known.0 + 1, reason.to_owned());
                let rests = (known.0 >= TEMPLATE_DOUBTS).then_some(RetryScope::Template);
                consequence = Consequence { fate: Fate::Wait(TimeDelta::seconds(TEMPLATE_SECONDS)), rests };
            }
            _ => {}
        }
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
        consequence
    }

    /// Ends a delivery: what took no message at all is told as at rest, however few were tried.
    pub fn end(&mut self) {
        if !self.works && self.doubts.0 > 0 {
            self.channel.get_or_insert_with(|| self.doubts.1.clone());
        }
        for (name, (_, reason)) in std::mem::take(&mut self.wrong) {
            self.templates.entry(name).or_insert(reason);
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
        let not_now = |scope, seconds| Answer::NotNow(scope, seconds);
        resting.after(Answer::Taken, 0, Some(customer(1)), Some("a"), "");
        resting.after(not_now(RetryScope::Message, 9), 0, Some(customer(1)), Some("a"), "one");
        assert_eq!(resting.holds(customer(1), Some("a")), None);
        resting.after(not_now(RetryScope::Recipient, 6), 0, Some(customer(1)), Some("a"), "pair");
        assert_eq!(resting.holds(customer(1), Some("b")), Some(Held::Recipient(TimeDelta::seconds(6))));
        assert_eq!(resting.holds(customer(2), Some("a")), None);
        resting.after(not_now(RetryScope::Template, 0), 0, Some(customer(2)), Some("a"), "paused");
        assert_eq!(resting.holds(customer(3), Some("a")), Some(Held::Template(TimeDelta::seconds(600), "paused")));
        assert_eq!(resting.holds(customer(3), Some("b")), None);
        resting.after(Answer::NotSent, 0, Some(customer(3)), None, "no route");
        resting.after(Answer::Unknown, 0, Some(customer(3)), None, "later");
        assert_eq!(resting.holds(customer(4), Some("b")), Some(Held::Channel("no route")));
    }

    /// Meta's services answer 131000 to everything when they are down, and nobody knows the codes that will be.
    #[test]
    fn who_refuses_everything_refuses_nothing_in_particular() {
        let refused = Answer::NotNow(RetryScope::Message, 60);
        let mut resting = Resting::default();
        for n in 0..5 {
            assert_eq!(resting.holds(customer(n), Some("a")), None);
            let told = resting.after(refused, 500, Some(customer(n)), Some("a"), "trouble");
            assert_eq!(told.fate, Fate::Wait(TimeDelta::seconds(900)), "nothing was taken, so it is not its fault");
        }
        assert_eq!(resting.holds(customer(9), Some("b")), Some(Held::Channel("trouble")));

        let mut resting = Resting::default();
        resting.after(refused, 0, Some(customer(1)), Some("a"), "trouble");
        resting.end();
        assert_eq!(resting.channel.as_deref(), Some("trouble"), "one alone is told as well");

        let mut resting = Resting::default();
        resting.after(refused, 0, Some(customer(1)), Some("a"), "trouble");
        resting.after(Answer::Taken, 0, Some(customer(2)), Some("a"), "");
        assert_eq!(resting.after(refused, 11, Some(customer(1)), Some("a"), "trouble").fate, Fate::Failed);
        resting.end();
        assert_eq!(resting.channel, None);
    }

    #[test]
    fn what_is_wrong_with_each_message_of_a_template_is_wrong_with_the_template() {
        let wait = Fate::Wait(TimeDelta::seconds(600));
        let mut resting = Resting::default();
        resting.after(Answer::Taken, 0, Some(customer(1)), Some("b"), "");
        assert_eq!(resting.after(Answer::Wrong, 0, Some(customer(2)), Some("b"), "long").fate, Fate::Failed);
        for n in 3..5 {
            assert_eq!(resting.holds(customer(n), Some("a")), None);
            assert_eq!(resting.after(Answer::Wrong, 0, Some(customer(n)), Some("a"), "invalid").fate, wait);
        }
        assert_eq!(resting.holds(customer(9), Some("a")), Some(Held::Template(TimeDelta::seconds(600), "invalid")));
        assert_eq!(resting.after(Answer::Wrong, 0, Some(customer(6)), None, "none").fate, Fate::Failed);

        let mut resting = Resting::default();
        resting.after(Answer::Wrong, 0, Some(customer(1)), Some("a"), "invalid");
        resting.end();
        assert_eq!(resting.templates.get("a").map(String::as_str), Some("invalid"), "one alone is told as well");
    }
}
