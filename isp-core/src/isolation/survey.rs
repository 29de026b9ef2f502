//! A whole router beside what is wanted of it (rule I5): what each line is found to be, and what differs.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::ids::SubscriptionId;
use crate::isolation::access::{Access, AccessTarget, ObservedAccess};
use crate::subscription::Service;
use crate::text::RouterName;

/// What a router shows of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What it allows; `None` when that is none of the three for sure.
    pub access: Option<Access>,
    /// True when nothing would be written to bring the line to what is wanted.
    pub as_wanted: bool,
    /// True when bringing it to what is wanted takes service away from somebody who has it now.
    pub cuts: bool,
    /// Why it cannot be brought to what is wanted, as a stable code.
    pub refused: Option<&'static str>,
    /// The router's words, short and without secrets.
    pub answer: String,
}

impl Sighting {
    /// What a mere look at the access says, for an adapter that knows no more.
    #[must_use]
    pub fn of(desired: Access, seen: ObservedAccess) -> Self {
        let as_wanted = seen.access == Some(desired) || (seen.access.is_none() && desired == Access::Closed);
        let cuts = desired != Access::Open && seen.access == Some(Access::Open);
        let access = if as_wanted { Some(desired) } else { seen.access };
        Self { access, as_wanted, cuts, refused: None, answer: seen.answer }
    }
}

/// An account that carries the mark of a line which has another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftAccount {
    /// Whose.
    pub subscription_id: SubscriptionId,
    /// Its user name on the router.
    pub username: RouterName,
    /// Whose accounts it is among.
    pub service: Service,
}

/// Something on a router that a person should know, and that is not brought back by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouterFinding {
    /// The account or profile.
    pub name: String,
    /// A stable code of the adapter.
    pub code: &'static str,
    /// For people, without secrets.
    pub what: String,
}

/// A whole router, as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// One for each line asked about, in order.
    pub lines: Vec<Sighting>,
    /// Accounts that these lines have left and that still let somebody in.
    pub left: Vec<LeftAccount>,
    /// What a person should know.
    pub findings: Vec<RouterFinding>,
}

/// How a line differs from what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The router lets through who is to be shut out.
    LetThrough,
    /// The router shuts out who is to be served.
    ShutOut,
    /// Neither for sure: the account is not there, or a session runs under other terms.
    Unclear,
    /// The access is right, and something else differs: the speed, the password.
    Terms,
    /// It cannot be brought to what is wanted; a person has to look.
    Refused,
}

impl DifferenceKind {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LetThrough => "let_through",
            Self::ShutOut => "shut_out",
            Self::Unclear => "unclear",
            Self::Terms => "terms",
            Self::Refused => "refused",
        }
    }
}

/// A line that a router does not have as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whose line.
    pub subscription_id: SubscriptionId,
    /// Its user name.
    pub username: RouterName,
    /// What is wanted.
    pub desired: Access,
    /// Which revision of that.
    pub revision: u64,
    /// How it differs.
    pub kind: DifferenceKind,
    /// Whether bringing it back takes service away from somebody who has it now. A line whose account is not there has
    /// none, so that making accounts again on a router that lost them isolates nobody anew.
    pub cuts: bool,
    /// The router's words.
    pub answer: String,
}

impl Difference {
    /// Whether trying it again can bring the line to what is wanted.
    #[must_use]
    pub fn can_be_brought_back(&self) -> bool {
        self.kind != DifferenceKind::Refused
    }
}

/// What a comparison comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compared {
    /// What is to be kept of the reading, one for each line. A line that differs is never kept as confirmed.
    pub observed: Vec<(SubscriptionId, ObservedAccess)>,
    /// The lines that differ, in the order of the targets.
    pub differing: Vec<Difference>,
}

/// Compares what is wanted with what was read: each line of a router, in the same order.
#[must_use]
pub fn compare(targets: &[AccessTarget], lines: &[Sighting], at: DateTime<Utc>) -> Compared {
    let mut compared = Compared::default();
    for (target, line) in targets.iter().zip(lines) {
        let right = line.access == Some(target.desired);
        let confirmed = right && line.as_wanted && line.refused.is_none();
        let access = if right && !confirmed { None } else { line.access };
        let seen = ObservedAccess { access, revision: target.revision, at, answer: line.answer.clone() };
        compared.observed.push((target.subscription_id, seen));
        if !confirmed {
            compared.differing.push(Difference {
                subscription_id: target.subscription_id,
                username: target.account.username.clone(),
                desired: target.desired,
                revision: target.revision,
                kind: kind_of(target.desired, line),
                cuts: line.cuts,
                answer: line.answer.clone(),
            });
        }
    }
    compared
}

fn kind_of(desired: Access, line: &Sighting) -> DifferenceKind {
    match (desired, line.access) {
        _ if line.refused.is_some() => DifferenceKind::Refused,
        (wanted, Some(seen)) if wanted == seen => DifferenceKind::Terms,
        (Access::Open, Some(_)) => DifferenceKind::ShutOut,
        (_, Some(Access::Open)) => DifferenceKind::LetThrough,
        _ => DifferenceKind::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RouterId;
    use crate::package::{Speed, UserGroup};
    use crate::secret::Secret;
    use crate::subscription::Account;
    use uuid::Uuid;

    fn target(desired: Access) -> AccessTarget {
        let name = |text| RouterName::parse("name", text).unwrap();
        AccessTarget {
            subscription_id: SubscriptionId(Uuid::from_u128(7)),
            router_id: RouterId(Uuid::from_u128(1)),
            account: Account::pppoe(name("budi"), Secret::new("x")),
            group: UserGroup { name: name("10M"), speed: Speed { down_kbps: 1, up_kbps: 1 } },
            desired,
            revision: 4,
            adopt: false,
            succeeds: Vec::new(),
            left: false,
            forget: false,
        }
    }

    fn seen(access: Option<Access>, as_wanted: bool) -> Sighting {
        Sighting { access, as_wanted, cuts: false, refused: None, answer: "said".into() }
    }

    #[test]
    fn only_what_was_read_as_wanted_is_confirmed() {
        let at = DateTime::UNIX_EPOCH;
        let ways = [None, Some(Access::Open), Some(Access::Isolated), Some(Access::Closed)];
        for wanted in [Access::Open, Access::Isolated, Access::Closed] {
            for access in ways {
                for as_wanted in [true, false] {
                    for refused in [None, Some("router.account_twins")] {
                        let line = Sighting { refused, ..seen(access, as_wanted) };
                        let compared = compare(&[target(wanted)], std::slice::from_ref(&line), at);
                        let confirmed = access == Some(wanted) && as_wanted && refused.is_none();
                        let kept = &compared.observed[0].1;
                        assert_eq!(kept.access == Some(wanted), confirmed, "{wanted:?} {line:?}");
                        assert_eq!(kept.revision, 4, "it replaces what was confirmed of this revision");
                        assert_eq!(compared.differing.is_empty(), confirmed);
                        if let (Some(difference), Some(_)) = (compared.differing.first(), refused) {
                            assert_eq!(difference.kind, DifferenceKind::Refused);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_difference_is_named_by_what_the_customer_feels() {
        let kind = |wanted, access, as_wanted| {
            compare(&[target(wanted)], &[seen(access, as_wanted)], DateTime::UNIX_EPOCH).differing.pop().map(|d| d.kind)
        };
        use DifferenceKind as K;
        assert_eq!(kind(Access::Open, Some(Access::Isolated), false), Some(K::ShutOut));
        assert_eq!(kind(Access::Open, Some(Access::Closed), false), Some(K::ShutOut));
        assert_eq!(kind(Access::Isolated, Some(Access::Open), false), Some(K::LetThrough));
        assert_eq!(kind(Access::Closed, Some(Access::Open), false), Some(K::LetThrough));
        assert_eq!(kind(Access::Isolated, Some(Access::Closed), false), Some(K::Unclear));
        assert_eq!(kind(Access::Open, None, false), Some(K::Unclear));
        assert_eq!(kind(Access::Open, Some(Access::Open), false), Some(K::Terms));
        assert_eq!(kind(Access::Open, Some(Access::Open), true), None);
    }
}
