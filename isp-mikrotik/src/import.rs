//! From a filled router to proposals: which account is whose, and which packages there are.
//!
//! Nothing here writes. A proposal has a confidence and its evidence; a person confirms, and the confirmed accounts are
//! then applied with `adopt`. What fits two subscriptions, or the same subscription as another account, is a conflict
//! and never a proposal.

use std::collections::{BTreeMap, HashMap};

use isp_core::customer::Phone;
use isp_core::ids::SubscriptionId;
use isp_core::package::Speed;
use serde::Serialize;

use crate::access::FoundAccount;
use crate::mark::Owner;
use crate::menu::ppp::profile::rate_pair;

/// A subscription that an account may belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub subscription: SubscriptionId,
    /// The PPP user name that we have for it.
    pub username: String,
    /// The customer's name.
    pub customer: String,
    /// The customer's mobile number.
    pub phone: Option<Phone>,
}

/// What is proposed for one router.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Proposals {
    /// The groups that accounts use, and the speed that each would have as a package.
    pub packages: Vec<ProposedPackage>,
    /// One for each account, in the router's order.
    pub accounts: Vec<Proposal>,
}

/// A profile as a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProposedPackage {
    /// What the router calls it.
    pub profile: String,
    /// Its speed, if its rate limit is one that a package can have.
    pub speed: Option<Speed>,
    /// How many accounts use it.
    pub accounts: usize,
}

/// An account and whose it seems to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proposal {
    /// PPP user name.
    pub account: String,
    /// Whose.
    pub verdict: Verdict,
}

/// Whose an account seems to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// It carries our mark already.
    Ours {
        /// Whose, when we know that subscription.
        subscription: Option<SubscriptionId>,
    },
    /// It seems to belong to this subscription.
    Match {
        /// Whose.
        subscription: SubscriptionId,
        /// 0 to 100.
        confidence: u8,
        /// What speaks for it.
        evidence: Evidence,
    },
    /// Something fits, but not one to one; a person decides.
    Conflict {
        /// Everything that fits equally well.
        subscriptions: Vec<SubscriptionId>,
        /// What speaks for it.
        evidence: Evidence,
    },
    /// Nobody we know: a new customer.
    New {
        /// The name, as people wrote it in the comment; empty if they wrote none.
        name: String,
        /// A mobile number found in the name or the comment.
        phone: Option<Phone>,
    },
}

/// What speaks for a match, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The user name is the one that we have.
    UserName,
    /// The customer's mobile number stands in the user name or the comment.
    Phone,
    /// Every word of the customer's name, two at least, stands in the user name or the comment.
    FullName,
    /// The customer's only name stands there.
    OneName,
}

impl Evidence {
    /// 0 to 100.
    pub fn confidence(self) -> u8 {
        match self {
            Evidence::UserName => 100,
            Evidence::Phone => 90,
            Evidence::FullName => 70,
            Evidence::OneName => 40,
        }
    }
}

/// Parts accounts that may be customers' lines from those of other services: a tunnel by L2TP, PPTP, SSTP or OpenVPN is
/// the office's or another router's. One that carries our mark is a line whatever its service.
///
/// The lines come first in what is returned.
pub fn lines_only(found: Vec<FoundAccount>) -> (Vec<FoundAccount>, Vec<FoundAccount>) {
    let is_line =
        |account: &FoundAccount| matches!(account.service.as_str(), "" | "any" | "pppoe") || account.owner.is_some();
    found.into_iter().partition(is_line)
}

/// True when a profile isolates by its name, as those that people make by hand do, or is the one that we use for that.
pub fn is_isolation_profile(profile: &str, ours: &str) -> bool {
    let name = profile.to_lowercase();
    profile == ours
        || ["isolir", "isolate", "blokir", "block", "suspend", "expired", "nunggak"]
            .iter()
            .any(|word| name.contains(word))
}

/// Compares the accounts of a router with the subscriptions that may be on it.
pub fn propose(found: &[FoundAccount], known: &[Known]) -> Proposals {
    let mut accounts: Vec<Proposal> = found
        .iter()
        .map(|account| Proposal { account: account.name.clone(), verdict: judge(account, known) })
        .collect();
    refuse_doubles(&mut accounts);
    Proposals { packages: packages(found), accounts }
}

fn judge(account: &FoundAccount, known: &[Known]) -> Verdict {
    if let Some(owner) = &account.owner {
        let subscription = known.iter().map(|known| known.subscription).find(|id| Owner::of(*id).as_str() == owner);
        return Verdict::Ours { subscription };
    }
    let phones = phones_in(account);
    let words = words_of(&format!("{} {}", account.name, account.comment));
    let fitting: Vec<_> = known
        .iter()
        .filter_map(|known| Some((evidence(account, &phones, &words, known)?, known.subscription)))
        .collect();
    let Some(best) = fitting.iter().map(|(evidence, _)| *evidence).min() else {
        return Verdict::New { name: name_in(account), phone: phones.into_iter().next() };
    };
    let subscriptions: Vec<_> = fitting.iter().filter(|(evidence, _)| *evidence == best).map(|(_, id)| *id).collect();
    match subscriptions[..] {
        [subscription] => Verdict::Match { subscription, confidence: best.confidence(), evidence: best },
        _ => Verdict::Conflict { subscriptions, evidence: best },
    }
}

fn evidence(account: &FoundAccount, phones: &[Phone], words: &[String], known: &Known) -> Option<Evidence> {
    if account.name == known.username {
        return Some(Evidence::UserName);
    }
    if known.phone.as_ref().is_some_and(|phone| phones.contains(phone)) {
        return Some(Evidence::Phone);
    }
    let name = words_of(&known.customer);
    let all_there = !name.is_empty() && name.iter().all(|word| words.contains(word));
    match name.len() {
        _ if !all_there => None,
        1 if name[0].len() >= 4 => Some(Evidence::OneName),
        1 => None,
        _ => Some(Evidence::FullName),
    }
}

/// Two accounts for one subscription: the stronger evidence wins, equal ones are both conflicts.
fn refuse_doubles(accounts: &mut [Proposal]) {
    let mut best: HashMap<SubscriptionId, (Evidence, usize)> = HashMap::new();
    for proposal in accounts.iter() {
        if let Verdict::Match { subscription, evidence, .. } = proposal.verdict {
            let entry = best.entry(subscription).or_insert((evidence, 0));
            match evidence.cmp(&entry.0) {
                std::cmp::Ordering::Less => *entry = (evidence, 1),
                std::cmp::Ordering::Equal => entry.1 += 1,
                std::cmp::Ordering::Greater => {}
            }
        }
    }
    for proposal in accounts {
        if let Verdict::Match { subscription, evidence, .. } = proposal.verdict
            && best.get(&subscription) != Some(&(evidence, 1))
        {
            proposal.verdict = Verdict::Conflict { subscriptions: vec![subscription], evidence };
        }
    }
}

fn packages(found: &[FoundAccount]) -> Vec<ProposedPackage> {
    let mut packages: BTreeMap<&str, ProposedPackage> = BTreeMap::new();
    for account in found {
        let package = packages.entry(&account.profile).or_insert_with(|| ProposedPackage {
            profile: account.profile.clone(),
            speed: account.rate_limit.as_deref().and_then(speed),
            accounts: 0,
        });
        package.accounts += 1;
    }
    packages.into_values().collect()
}

/// RouterOS writes upload first.
fn speed(rate_limit: &str) -> Option<Speed> {
    let (up, down) = rate_pair(rate_limit.as_bytes())?;
    let kbps = |bits: u64| u32::try_from(bits / 1000).ok().filter(|kbps| *kbps > 0);
    Some(Speed { down_kbps: kbps(down)?, up_kbps: kbps(up)? })
}

/// Mobile numbers: digits in one piece, and digits in pieces with dots, dashes and spaces between them.
fn phones_in(account: &FoundAccount) -> Vec<Phone> {
    let spaced = |letter: char| !(letter.is_ascii_digit() || "+-. ".contains(letter));
    let mut phones = Vec::new();
    for text in [&account.name, &account.comment] {
        let whole = text.split(|letter: char| !letter.is_ascii_digit() && letter != '+');
        for candidate in whole.chain(text.split(spaced)) {
            if let Ok(phone) = Phone::parse(candidate.trim_matches([' ', '-', '.']))
                && !phones.contains(&phone)
            {
                phones.push(phone);
            }
        }
    }
    phones
}

/// How people are addressed; no part of a name.
const TITLES: [&str; 12] = ["pak", "bpk", "bapak", "bu", "ibu", "sdr", "sdri", "mas", "mbak", "mba", "haji", "hj"];

fn words_of(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphabetic())
        .map(str::to_lowercase)
        .filter(|word| word.len() > 1 && !TITLES.contains(&word.as_str()))
        .collect()
}

/// The part of the comment in front of the first number or separator.
fn name_in(account: &FoundAccount) -> String {
    let end = account.comment.find(|letter: char| letter.is_ascii_digit() || ",;/(+".contains(letter));
    account.comment[..end.unwrap_or(account.comment.len())].trim().trim_end_matches('-').trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use uuid::Uuid;

    fn account(name: &str, comment: &str) -> FoundAccount {
        FoundAccount {
            name: name.to_owned(),
            password: None,
            profile: "10M".to_owned(),
            rate_limit: Some("5M/10M".to_owned()),
            service: "pppoe".to_owned(),
            remote_address: None,
            disabled: false,
            online: true,
            comment: comment.to_owned(),
            owner: None,
        }
    }

    fn known(number: u128, username: &str, customer: &str, phone: &str) -> Known {
        Known {
            subscription: SubscriptionId(Uuid::from_u128(number)),
            username: username.to_owned(),
            customer: customer.to_owned(),
            phone: Phone::parse(phone).ok(),
        }
    }

    fn verdicts(found: &[FoundAccount], known: &[Known]) -> Vec<Verdict> {
        propose(found, known).accounts.into_iter().map(|proposal| proposal.verdict).collect()
    }

    fn matched(number: u128, evidence: Evidence) -> Verdict {
        let subscription = SubscriptionId(Uuid::from_u128(number));
        Verdict::Match { subscription, confidence: evidence.confidence(), evidence }
    }

    #[test]
    fn the_strongest_evidence_decides() {
        let people = [
            known(1, "budi01", "Budi Santoso", "0812-3456-7890"),
            known(2, "siti", "Siti Aminah", "0813 1111 2222"),
            known(3, "joko", "Joko", "0815-3333-4444"),
        ];
        let found = [
            account("budi01", ""),
            account("rt03-081311112222", "dekat masjid"),
            account("x7", "Pak JOKO, rumah hijau"),
            account("081234567890", "Budi"),
        ];
        assert_eq!(
            verdicts(&found[..3], &people),
            [matched(1, Evidence::UserName), matched(2, Evidence::Phone), matched(3, Evidence::OneName)]
        );
        assert_eq!(verdicts(&found[3..], &people), [matched(1, Evidence::Phone)]);
    }

    #[test]
    fn what_does_not_fit_one_to_one_is_a_conflict() {
        let people =
            [known(1, "a", "Budi Santoso", ""), known(2, "b", "Budi Santoso", ""), known(3, "c", "Siti Aminah", "")];
        let same_name = verdicts(&[account("x", "Bpk Budi Santoso")], &people);
        assert!(matches!(&same_name[0], Verdict::Conflict { subscriptions, .. } if subscriptions.len() == 2));
        let twice = verdicts(&[account("x", "siti aminah"), account("y", "Siti Aminah lantai 2")], &people);
        assert!(twice.iter().all(|verdict| matches!(verdict, Verdict::Conflict { .. })));
        let stronger = verdicts(&[account("c", ""), account("y", "Siti Aminah lantai 2")], &people);
        assert_eq!(stronger[0], matched(3, Evidence::UserName));
        assert!(matches!(stronger[1], Verdict::Conflict { .. }));
    }

    #[test]
    fn strangers_are_new_customers_and_ours_stay_ours() {
        let people = [known(7, "a", "Budi", "")];
        let mut ours = account("a", "");
        ours.owner = Some(Owner::of(people[0].subscription).to_string());
        let found = [ours, account("x", "Bu Rina - 0812 9999 8888, blok C"), account("y", "")];
        let verdicts = verdicts(&found, &people);
        assert_eq!(verdicts[0], Verdict::Ours { subscription: Some(people[0].subscription) });
        let phone = Phone::parse("081299998888").unwrap();
        assert_eq!(verdicts[1], Verdict::New { name: "Bu Rina".to_owned(), phone: Some(phone) });
        assert_eq!(verdicts[2], Verdict::New { name: String::new(), phone: None });
    }

    #[test]
    fn tunnels_are_no_lines_and_isolation_is_no_package() {
        let with = |name: &str, service: &str| FoundAccount { service: service.to_owned(), ..account(name, "") };
        let mut ours = with("ours", "l2tp");
        ours.owner = Some("x".to_owned());
        let found = vec![with("vpn", "l2tp"), with("a", "any"), with("b", "pppoe"), ours, with("ovpn", "ovpn")];
        let (lines, others) = lines_only(found);
        assert_eq!(lines.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["a", "b", "ours"]);
        assert_eq!(others.len(), 2);
        assert!(is_isolation_profile("ISOLIR-2", "tutup") && is_isolation_profile("tutup", "tutup"));
        assert!(!is_isolation_profile("10M", "isolir"));
    }

    #[test]
    fn profiles_become_packages_with_download_first() {
        let mut other = account("z", "");
        (other.profile, other.rate_limit) = ("*5".to_owned(), None);
        let packages = propose(&[account("x", ""), account("y", ""), other], &[]).packages;
        assert_eq!(packages.len(), 2);
        assert_eq!((packages[0].profile.as_str(), packages[0].speed, packages[0].accounts), ("*5", None, 1));
        assert_eq!(packages[1].speed, Some(Speed { down_kbps: 10_000, up_kbps: 5_000 }));
        assert_eq!(packages[1].accounts, 2);
    }
}
