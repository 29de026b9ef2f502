//! How a person is forgotten while the books stay (UU 27/2022 on personal data, articles 8, 16 (2) g and 43): what must be over
//! before, what takes the place of the data, and how the person is taken out of texts that stay.
//!
//! Invoices, payments and the journal stay: books and what they rest on are kept for ten years (UU KUP, article 28 (11)). They
//! name the customer by an ID and never by a name, so nothing of the person is left in them.

mod person;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

pub use self::person::Person;

use crate::calendar::Zone;
use crate::customer::{Address, Customer};
use crate::device::{Cpe, Ownership};
use crate::error::Error;
use crate::ids::{CustomerId, RouterId};
use crate::isolation::{AccessEffect, AccessEvent, AccessFacts, ServiceAccess};
use crate::money::Money;
use crate::secret::Secret;
use crate::subscription::{Account, Service, Subscription, SubscriptionStatus};
use crate::terms::account::{FormerAccount, moved};
use crate::text::{Name, RouterName};

/// What stands where a name or an address was: "erased" in Indonesian.
pub const ERASED: &str = "(dihapus)";

/// What is said of a message that was not sent, because the customer was forgotten.
pub const NOT_SENT: &str = "the customer's data was erased";

/// That a customer's personal data was erased. The name, phone and so on by which it is found in texts are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Whose.
    pub customer_id: CustomerId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub by: String,
    /// Why, such as the letter in which it was asked for; without personal data.
    pub reason: String,
}

impl Erased {
    /// An erasure with who and why.
    ///
    /// # Errors
    /// [`Error::Empty`] without who or why.
    pub fn try_new(customer_id: CustomerId, at: DateTime<Utc>, by: &str, reason: &str) -> Result<Self, Error> {
        let said = |field, text: &str| match text.trim() {
            "" => Err(Error::Empty { field }),
            text => Ok(text.to_owned()),
        };
        Ok(Self { customer_id, at, by: said("by", by)?, reason: said("reason", reason)? })
    }
}

/// An erasure to be written: what is kept of it, and by what the person is found in what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// What is kept of it.
    pub erased: Erased,
    /// By what the person is found.
    pub person: Person,
}

/// Why somebody's data is still needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needed {
    /// So many lines have not ended.
    Lines(u64),
    /// This much is owed.
    Debt(Money),
    /// This much was paid ahead: pay it out first.
    Credit(Money),
    /// So many devices that are lent are still there.
    Devices(u64),
    /// This much of installation fees is still to be invoiced.
    Installation(Money),
    /// So many payment requests wait for money.
    Requests(u64),
    /// So many refunds are under way at payment gateways.
    Refunds(u64),
    /// So many proofs of transfer wait for review.
    Proofs(u64),
    /// So many messages are being sent at this moment.
    Messages(u64),
}

impl Needed {
    /// A stable word for it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lines(_) => "lines",
            Self::Debt(_) => "debt",
            Self::Credit(_) => "credit",
            Self::Devices(_) => "devices",
            Self::Installation(_) => "installation",
            Self::Requests(_) => "requests",
            Self::Refunds(_) => "refunds",
            Self::Proofs(_) => "proofs",
            Self::Messages(_) => "messages",
        }
    }
}

/// What stands between a customer and being forgotten.
#[derive(Debug, Clone, Default)]
pub struct ErasureFacts<'a> {
    /// The customer's lines, each with its zone.
    pub lines: &'a [(Subscription, Zone)],
    /// The residual of all open invoices.
    pub owed: Money,
    /// What was paid ahead.
    pub credit: Money,
    /// The customer's devices.
    pub devices: &'a [Cpe],
    /// Installation fees that are not invoiced yet.
    pub not_invoiced: Money,
    /// Payment requests that wait for money, here and at gateways.
    pub requests: u64,
    /// Refunds that gateways were asked for and whose end is not certain.
    pub refunds: u64,
    /// Proofs of transfer that wait for review.
    pub proofs: u64,
    /// Messages that a worker has taken to send them.
    pub messages: u64,
}

/// All that must be over before the data may go; nothing when it may. Messages that wait are not among it: they are not sent.
#[must_use]
pub fn needed(facts: &ErasureFacts<'_>, now: DateTime<Utc>) -> Vec<Needed> {
    let serves = |(line, zone): &&(Subscription, Zone)| {
        line.terms.status_on(zone.date_of(now)) != SubscriptionStatus::Terminated
    };
    let lines = facts.lines.iter().filter(serves).count() as u64;
    let lent = facts.devices.iter().filter(|d| d.installed && d.ownership == Ownership::Lent).count() as u64;
    let counts = [
        (lines, Needed::Lines as fn(u64) -> Needed),
        (lent, Needed::Devices),
        (facts.requests, Needed::Requests),
        (facts.refunds, Needed::Refunds),
        (facts.proofs, Needed::Proofs),
        (facts.messages, Needed::Messages),
    ];
    let amounts = [
        (facts.owed, Needed::Debt as fn(Money) -> Needed),
        (facts.credit, Needed::Credit),
        (facts.not_invoiced, Needed::Installation),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, of)| of(count));
    counts.chain(amounts.into_iter().filter(|(sum, _)| sum.is_positive()).map(|(sum, of)| of(sum))).collect()
}

/// The customer without the person. The ID stays, by which invoices and payments name the customer.
///
/// # Errors
/// None: [`ERASED`] is a name and an address.
pub fn without_person(customer: &Customer) -> Result<Customer, Error> {
    Ok(Customer {
        id: customer.id,
        code: customer.code.clone(),
        name: Name::parse("name", ERASED)?,
        nik: None,
        address: Address::parse(ERASED)?,
        phone: None,
        language: customer.language,
        invoicing: customer.invoicing,
        coordinates: None,
    })
}

/// An ended line without what it was known by. A fixed address is the provider's own and stays.
///
/// # Errors
/// None: what takes the place of a name is one.
pub fn line_without_person(line: &Subscription) -> Result<Subscription, Error> {
    if line.account.service == Service::Static {
        return Ok(line.clone());
    }
    let account = Account {
        username: RouterName::parse("username", &format!("dihapus-{}", line.id.0.simple()))?,
        password: Secret::new(String::new()),
        service: line.account.service,
        address: None,
    };
    Ok(Subscription { account, ..line.clone() })
}

/// An ended line without what it was known by, and what its routers have to do about it. All of it goes into one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForgottenLine {
    /// The line as it is then, see [`line_without_person`].
    pub subscription: Subscription,
    /// The accounts that routers have to remove. Each is kept until its router said that it is gone.
    pub accounts: Vec<FormerAccount>,
    /// Access with its new revision, and what happened; `None` where no router has anything to do.
    pub step: Option<(ServiceAccess, AccessEvent)>,
    /// The wishes to these routers.
    pub effects: Vec<AccessEffect>,
}

/// Takes what an ended line was known by from it, and from the routers that it is or was on. `left` are the accounts that it has left
/// before, closed or not; `called` tells whether a router is still called at all, which an archived one is not.
///
/// # Errors
/// Those of [`line_without_person`].
pub fn forget_line(
    facts: &AccessFacts,
    line: &Subscription,
    left: &[FormerAccount],
    called: impl Fn(RouterId) -> bool,
    by: &str,
    now: DateTime<Utc>,
) -> Result<ForgottenLine, Error> {
    let mut here = AccessFacts { router_id: line.router_id.filter(|router| called(*router)), ..facts.clone() };
    let called_line = Subscription { router_id: here.router_id, ..line.clone() };
    let mut accounts: Vec<FormerAccount> =
        left.iter().filter(|a| a.service != Service::Static && called(a.router_id)).cloned().collect();
    let others: BTreeSet<RouterId> =
        accounts.iter().map(|a| a.router_id).filter(|r| Some(*r) != here.router_id).collect();
    let mut effects = Vec::new();
    for router_id in others {
        // A wish is told apart by its revision.
        here.access.revision += 1;
        let revision = here.access.revision;
        effects.push(AccessEffect { subscription_id: line.id, router_id, revision, not_before: now });
    }
    let step = moved(&here, &called_line, line_without_person(&called_line)?, by, now);
    accounts.extend(step.former);
    effects.extend(step.effects);
    let forgotten = step.subscription;
    let step = (!accounts.is_empty()).then_some((step.access, step.event));
    if step.is_none() {
        effects.clear();
    }
    let subscription = Subscription { router_id: line.router_id, ..forgotten };
    Ok(ForgottenLine { subscription, accounts, step, effects })
}

/// A device without how it was reached at the customer's place.
#[must_use]
pub fn device_without_person(device: &Cpe) -> Cpe {
    Cpe { ip: None, username: None, password: None, ..device.clone() }
}

/// Until when the people concerned and the authority are to be told of personal data that was lost or seen by others: 3 x 24
/// hours after it became known (UU 27/2022, article 46).
#[must_use]
pub fn notice_until(known: DateTime<Utc>) -> DateTime<Utc> {
    known + TimeDelta::hours(3 * 24)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Date;
    use crate::customer::Nik;
    use crate::isolation::Access;
    use crate::protection::Protections;
    use crate::testing::sample;

    #[test]
    fn data_is_needed_as_long_as_anything_is_not_over() {
        let day = |text: &str| Date::parse(text).unwrap();
        let now = day("2026-03-01").at(12, 0, Zone::Wib);
        let router = sample::router(1, sample::site(1).id);
        let served = sample::subscription(1, sample::customer(1).id, &router, sample::package(1).id);
        let line = Subscription { router_id: None, ..served };
        let serving = [(line.clone(), Zone::Wib)];
        assert_eq!(needed(&ErasureFacts { lines: &serving, ..ErasureFacts::default() }, now), [Needed::Lines(1)]);
        let mut ended = line.clone();
        ended.terms.end = Some(day("2026-03-01"));
        let over = [(ended.clone(), Zone::Wib)];
        assert_eq!(needed(&ErasureFacts { lines: &over, ..ErasureFacts::default() }, now), []);
        ended.router_id = Some(router.id);
        assert!(line_without_person(&ended).unwrap().account.username.as_str().starts_with("dihapus-"));
        let fixed = Account::fixed("10.20.0.7".parse().unwrap()).unwrap();
        let fixed = Subscription { account: fixed, ..ended };
        assert_eq!(line_without_person(&fixed).unwrap(), fixed, "the address is the provider's");

        let facts = ErasureFacts {
            owed: Money::rupiah(1),
            credit: Money::rupiah(2),
            not_invoiced: Money::rupiah(3),
            requests: 2,
            proofs: 3,
            messages: 4,
            ..ErasureFacts::default()
        };
        let codes: Vec<&str> = needed(&facts, now).into_iter().map(Needed::code).collect();
        assert_eq!(codes, ["requests", "proofs", "messages", "debt", "credit", "installation"]);
    }

    #[test]
    fn each_router_that_is_called_has_to_remove_what_it_knows_of_the_line() {
        let now = Date::parse("2026-03-01").unwrap().at(12, 0, Zone::Wib);
        let site = sample::site(1).id;
        let [here, there, gone] = [1, 2, 3].map(|n| sample::router(n, site));
        let line = sample::subscription(1, sample::customer(1).id, &here, sample::package(1).id);
        let facts = AccessFacts {
            subscription_id: line.id,
            customer_id: line.customer_id,
            site_id: site,
            router_id: line.router_id,
            zone: Zone::Wib,
            terms: line.terms,
            access: ServiceAccess { revision: 7, ..ServiceAccess::new(line.id, Access::Closed) },
            open: Vec::new(),
            protections: Protections::default(),
        };
        let former = |router: &crate::place::Router, name: &str, service| FormerAccount {
            subscription_id: line.id,
            router_id: router.id,
            username: RouterName::parse("username", name).unwrap(),
            service,
            address: None,
            left_at: now,
        };
        let left = [
            former(&there, "lama", Service::Pppoe),
            former(&gone, "lama", Service::Pppoe),
            former(&there, "10.0.0.1", Service::Static),
        ];
        let called = |id| id != gone.id;
        let forgotten = forget_line(&facts, &line, &left, called, "Sari", now).unwrap();
        assert_eq!(forgotten.subscription, line_without_person(&line).unwrap());
        let names: Vec<_> = forgotten.accounts.iter().map(|a| (a.router_id, a.username.as_str())).collect();
        assert_eq!(names, [(there.id, "lama"), (here.id, line.account.username.as_str())]);
        let wishes: Vec<_> = forgotten.effects.iter().map(|e| (e.router_id, e.revision)).collect();
        assert_eq!(wishes, [(there.id, 8), (here.id, 9)]);
        let (access, event) = forgotten.step.unwrap();
        assert_eq!((access.revision, event.revision, event.by.as_str()), (9, 9, "Sari"));

        // Nobody calls the router that is archived: nothing is asked of it, and the line still says where it was.
        let archived = forget_line(&facts, &line, &[], |id| id != here.id, "Sari", now).unwrap();
        assert_eq!(archived.subscription, line_without_person(&line).unwrap());
        assert_eq!((archived.accounts, archived.step, archived.effects), (Vec::new(), None, Vec::new()));
    }

    #[test]
    fn what_takes_the_place_of_the_data_holds_nothing_of_it() {
        let customer = Customer { nik: Some(Nik::parse("3201010101900001").unwrap()), ..sample::customer(1) };
        let without = without_person(&customer).unwrap();
        assert_eq!((without.id, &without.code), (customer.id, &customer.code));
        assert_eq!((without.name.as_str(), without.address.as_str()), (ERASED, ERASED));
        assert!(without.nik.is_none() && without.phone.is_none() && without.coordinates.is_none());
        assert_eq!(Person::of(&without).numbers(), [""; 0]);
    }
}
