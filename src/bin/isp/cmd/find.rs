//! From the codes that people type to rows.

use std::collections::{BTreeMap, BTreeSet};

use isp_core::Money;
use isp_core::billing::{Invoice, Statement};
use isp_core::calendar::Month;
use isp_core::customer::{Customer, Phone};
use isp_core::device::Cpe;
use isp_core::ids::{CustomerId, SubscriptionId};
use isp_core::installation::InstallationKind;
use isp_core::isolation::ServiceAccess;
use isp_core::package::Package;
use isp_core::payment::withheld;
use isp_core::place::{Router, Site};
use isp_core::ports::{CreditNoteRow, InvoiceQuery, PageQuery, PaymentRow, Store};
use isp_core::subscription::{Service, Subscription};
use isp_core::text::{Code, Reference, RouterName, pick};

use super::args::Whom;
use crate::context::Context;
use crate::failure::Failure;

fn missing(noun: &'static str, code: &str) -> anyhow::Error {
    Failure::NotFound { noun, code: code.to_string() }.into()
}

/// Fails when something with this code is there already.
pub(crate) fn absent<T>(found: Option<T>, noun: &'static str, code: &Code) -> anyhow::Result<()> {
    match found {
        None => Ok(()),
        Some(_) => Err(Failure::Exists { noun, code: code.to_string() }.into()),
    }
}

/// The customer who is meant by what changes something, see [`person`]. Who typed a part of a name is asked whether it is this one;
/// where nobody can answer, as in a script, a part of a name is not enough.
pub(crate) async fn customer(ctx: &Context, store: &dyn Store, whom: &Whom) -> anyhow::Result<Customer> {
    let (found, by) = look_for(ctx, store, whom.as_str()).await?;
    refuse_other_phone(ctx, store, whom.as_str(), &found).await?;
    if by == By::Whole {
        return Ok(found);
    }
    if !ctx.asks() {
        return Err(Failure::Usage { problem: "part_of_name", what: named(&found) }.into());
    }
    if ctx.may("ask.meant", &[("customer", named(&found))])? { Ok(found) } else { Err(Failure::Declined.into()) }
}

/// Fails when what was typed is the ID of one customer and the phone number of another: either could be meant.
async fn refuse_other_phone(ctx: &Context, store: &dyn Store, text: &str, found: &Customer) -> anyhow::Result<()> {
    let text = text.trim();
    let Ok(phone) = Phone::parse(text) else { return Ok(()) };
    if !found.code.as_str().eq_ignore_ascii_case(text) {
        return Ok(());
    }
    let everybody = ctx.engine(store).all_customers().await?;
    let mut others: Vec<Customer> =
        everybody.into_iter().filter(|c| c.id != found.id && c.phone.as_ref() == Some(&phone)).collect();
    if others.is_empty() {
        return Ok(());
    }
    others.push(found.clone());
    Err(several(ctx, others))
}

/// The refusal that names those who could be meant.
fn several(ctx: &Context, mut found: Vec<Customer>) -> anyhow::Error {
    found.sort_by(|a, b| a.code.cmp(&b.code));
    let mut what = found.iter().take(NAMED).map(named).collect::<Vec<_>>().join(", ");
    if let Some(more) = found.len().checked_sub(NAMED).filter(|more| *more > 0) {
        what = ctx.texts.with("output.and_more", &[("names", what), ("count", more.to_string())]);
    }
    Failure::Usage { problem: "several_customers", what }.into()
}

/// The customer of exactly this ID, for what cannot be undone.
pub(crate) async fn customer_of_code(ctx: &Context, store: &dyn Store, code: &Code) -> anyhow::Result<Customer> {
    store.customer_by_code(ctx.tenant(), code).await?.ok_or_else(|| missing("customer", code.as_str()))
}

/// A customer as a question or a confirmation names him: so that whoever typed a part of the name sees whom it hit.
pub(crate) fn named(customer: &Customer) -> String {
    format!("{} {}", customer.code, customer.name)
}

/// How a customer is looked for, other than by his ID and by documents of his.
#[derive(Debug)]
pub(crate) struct Wanted {
    text: String,
    phone: Option<Phone>,
    lines: BTreeSet<CustomerId>,
}

impl Wanted {
    /// Looks for a phone number in any writing, a PPPoE user name, or a part of the name. With `part`, a part of the ID or the
    /// user name does, too.
    pub(crate) async fn by(ctx: &Context, store: &dyn Store, text: &str, part: bool) -> anyhow::Result<Self> {
        let text = text.trim().to_lowercase();
        let lines = ctx.engine(store).all_subscriptions().await?;
        let is = |username: &str| match part {
            true => username.to_lowercase().contains(&text),
            false => username.eq_ignore_ascii_case(&text),
        };
        let lines = lines.iter().filter(|(line, _)| is(line.account.username.as_str()));
        let lines = lines.map(|(line, _)| line.customer_id).collect();
        Ok(Self { phone: Phone::parse(&text).ok(), text, lines })
    }

    /// True for a customer who could be meant.
    pub(crate) fn is(&self, customer: &Customer) -> bool {
        let called = self.phone.is_none() && customer.name.as_str().to_lowercase().contains(&self.text);
        called || self.is_whole(customer)
    }

    /// True when more than a part of the name says so.
    fn is_whole(&self, customer: &Customer) -> bool {
        let whole_name = customer.name.as_str().to_lowercase() == self.text;
        self.lines.contains(&customer.id) || (self.phone.is_some() && customer.phone == self.phone) || whole_name
    }
}

/// What a customer was found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// ID, phone number, user name, a document, or the whole name.
    Whole,
    /// A part of the name.
    PartOfName,
}

/// A customer by whatever people know him by: customer ID, phone number, PPPoE user name, the number of an invoice, a
/// statement or a credit note, or a part of the name that only one has.
pub(crate) async fn person(ctx: &Context, store: &dyn Store, text: &str) -> anyhow::Result<Customer> {
    Ok(look_for(ctx, store, text).await?.0)
}

async fn look_for(ctx: &Context, store: &dyn Store, text: &str) -> anyhow::Result<(Customer, By)> {
    let text = text.trim();
    // A number of a person, a NIK or a phone, is not said again.
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let shown = if digits > 9 {
        format!("...{}", text.chars().skip(text.chars().count().saturating_sub(3)).collect::<String>())
    } else {
        text.to_owned()
    };
    let missing = || anyhow::Error::from(Failure::NotFound { noun: "customer", code: shown.clone() });
    if let Ok(code) = Code::parse("customer", text)
        && let Some(found) = store.customer_by_code(ctx.tenant(), &code).await?
    {
        return Ok((found, By::Whole));
    }
    if let Some(id) = of_document(ctx, store, text).await? {
        return Ok((store.customer(ctx.tenant(), id).await?.ok_or_else(missing)?, By::Whole));
    }
    let wanted = Wanted::by(ctx, store, text, false).await?;
    let mut found: Vec<Customer> =
        ctx.engine(store).all_customers().await?.into_iter().filter(|c| wanted.is(c)).collect();
    // What is known as a whole, such as a user name or a name, says more than a part of other names.
    if found.iter().any(|c| wanted.is_whole(c)) {
        found.retain(|c| wanted.is_whole(c));
    }
    match found.len() {
        0 => Err(missing()),
        1 => {
            let found = found.pop().ok_or_else(missing)?;
            let whole = wanted.is_whole(&found);
            Ok((found, if whole { By::Whole } else { By::PartOfName }))
        }
        _ => Err(several(ctx, found)),
    }
}

/// So many of those that could be meant are named; the rest is counted.
const NAMED: usize = 10;

/// Whose a document is.
async fn of_document(ctx: &Context, store: &dyn Store, text: &str) -> anyhow::Result<Option<CustomerId>> {
    let prefix = text.get(..3).unwrap_or("").to_ascii_uppercase();
    let found = match prefix.as_str() {
        "INV" => invoice(ctx, store, text).await.map(|(invoice, _)| invoice.customer_id),
        "TG-" => statement(ctx, store, text).await.map(|(statement, _)| statement.customer_id),
        "NK-" => credit_note(ctx, store, text).await.map(|row| row.note.customer_id),
        _ => return Ok(None),
    };
    match found {
        Err(error) if error.downcast_ref::<Failure>().is_none() => Err(error),
        found => Ok(found.ok()),
    }
}

/// A credit note by the number that is shown on it.
pub(crate) async fn credit_note(ctx: &Context, store: &dyn Store, number: &str) -> anyhow::Result<CreditNoteRow> {
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let notes = store.credit_notes(ctx.tenant(), None, page).await?;
        let more = page.advance(&notes, |last| last.note.id);
        if let Some(note) = notes.into_iter().find(|n| n.note.display_number().eq_ignore_ascii_case(number.trim())) {
            return Ok(note);
        }
        if !more {
            return Err(Failure::NotFound { noun: "credit_note", code: number.to_owned() }.into());
        }
    }
}

/// The id of a customer, when one is named, for what only looks; see [`person`].
pub(crate) async fn customer_id(
    ctx: &Context,
    store: &dyn Store,
    whom: Option<&Whom>,
) -> anyhow::Result<Option<CustomerId>> {
    match whom {
        Some(whom) => Ok(Some(person(ctx, store, whom.as_str()).await?.id)),
        None => Ok(None),
    }
}

pub(crate) async fn package(ctx: &Context, store: &dyn Store, code: &Code) -> anyhow::Result<Package> {
    let all = store.packages(ctx.tenant()).await?;
    pick(all, code, |p| &p.code).ok_or_else(|| missing("package", code.as_str()))
}

pub(crate) async fn site(ctx: &Context, store: &dyn Store, code: &Code) -> anyhow::Result<Site> {
    let all = store.sites(ctx.tenant()).await?;
    pick(all, code, |s| &s.code).ok_or_else(|| missing("site", code.as_str()))
}

pub(crate) async fn router(ctx: &Context, store: &dyn Store, code: &Code) -> anyhow::Result<Router> {
    let all = store.routers(ctx.tenant()).await?;
    pick(all, code, |r| &r.code).ok_or_else(|| missing("router", code.as_str()))
}

pub(crate) async fn kind(ctx: &Context, store: &dyn Store, code: &Code) -> anyhow::Result<InstallationKind> {
    let all = store.installation_kinds(ctx.tenant()).await?;
    pick(all, code, |k| &k.code).ok_or_else(|| missing("kind", code.as_str()))
}

pub(crate) async fn cpe(ctx: &Context, store: &dyn Store, serial: &Code) -> anyhow::Result<Cpe> {
    let all = store.cpes(ctx.tenant(), None).await?;
    pick(all, serial, |c| &c.serial).ok_or_else(|| missing("cpe", serial.as_str()))
}

/// The payment that goes by a provider and reference: the one that stands, else the last that was taken back. Each customer numbers
/// its own slips of tax, so there `of` may have to say whose.
pub(crate) async fn payment(
    ctx: &Context,
    store: &dyn Store,
    provider: &Code,
    reference: &Reference,
    of: Option<&Whom>,
) -> anyhow::Result<PaymentRow> {
    let mut known = store.payments_known_as(ctx.tenant(), provider, reference).await?;
    if let Some(code) = of {
        let id = customer(ctx, store, code).await?.id;
        known.retain(|row| row.payment.customer_id == id);
    }
    let payers: BTreeSet<CustomerId> = known.iter().map(|row| row.payment.customer_id).collect();
    if withheld::is_slip(provider) && payers.len() > 1 {
        return Err(Failure::Usage { problem: "slip_whose", what: reference.to_string() }.into());
    }
    let exact = |row: &PaymentRow| {
        let (p, r) = (&row.payment.provider, &row.payment.reference);
        p.as_str() == provider.as_str() && r.as_str() == reference.as_str()
    };
    known.sort_by_key(|row| (row.reversal.is_none(), exact(row)));
    let missing = || Failure::NotFound { noun: "payment", code: reference.to_string() };
    Ok(known.pop().ok_or_else(missing)?)
}

/// The subscriptions of a customer.
pub(crate) async fn subscriptions(
    ctx: &Context,
    store: &dyn Store,
    customer: &Customer,
) -> anyhow::Result<Vec<(Subscription, ServiceAccess)>> {
    // A customer has a handful of lines; the limit guards against a damaged database.
    Ok(store.subscriptions(ctx.tenant(), Some(customer.id), PageQuery::first(1_000)).await?)
}

/// The subscription of a customer with a user name, or the only one that has not ended.
pub(crate) async fn subscription(
    ctx: &Context,
    store: &dyn Store,
    customer: &Customer,
    username: Option<&RouterName>,
) -> anyhow::Result<(Subscription, ServiceAccess)> {
    let mut all = subscriptions(ctx, store, customer).await?;
    match username {
        Some(name) => all.retain(|(s, _)| s.account.username == *name),
        None if all.len() > 1 => all.retain(|(s, _)| s.terms.end.is_none()),
        None => {}
    }
    if all.len() > 1 {
        return Err(Failure::Ambiguous { code: customer.code.to_string(), count: all.len() }.into());
    }
    all.pop().ok_or_else(|| missing("subscription", username.map_or(customer.code.as_str(), RouterName::as_str)))
}

/// The line of a customer that a box with a DHCP lease serves: the one with that name, or the only one.
pub(crate) async fn dhcp_line(
    ctx: &Context,
    store: &dyn Store,
    customer: CustomerId,
    name: Option<&RouterName>,
) -> anyhow::Result<SubscriptionId> {
    let owner = store.customer(ctx.tenant(), customer).await?;
    let owner = owner.ok_or(isp_core::ports::StoreError::NotFound { what: "customer" })?;
    if name.is_none() {
        let mut lines = subscriptions(ctx, store, &owner).await?;
        lines.retain(|(line, _)| line.account.service == Service::Dhcp && line.terms.end.is_none());
        if let [(only, _)] = lines.as_slice() {
            return Ok(only.id);
        }
    }
    Ok(subscription(ctx, store, &owner, name).await?.0.id)
}

/// These customers, a thousand at a time; one whose row cannot be read is left out.
pub(crate) async fn people(
    ctx: &Context,
    store: &dyn Store,
    ids: impl IntoIterator<Item = CustomerId>,
) -> anyhow::Result<BTreeMap<CustomerId, Customer>> {
    let mut people = BTreeMap::new();
    let ids: Vec<CustomerId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    for chunk in ids.chunks(1_000) {
        people.extend(store.customers_of(ctx.tenant(), chunk).await?.into_iter().map(|c| (c.id, c)));
    }
    Ok(people)
}

/// The codes that people use of these customers, asked for a thousand at a time.
pub(crate) async fn codes(
    ctx: &Context,
    store: &dyn Store,
    ids: impl IntoIterator<Item = CustomerId>,
) -> anyhow::Result<BTreeMap<CustomerId, String>> {
    let mut codes = BTreeMap::new();
    let ids: Vec<CustomerId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    for chunk in ids.chunks(1_000) {
        let found = store.customer_codes(ctx.tenant(), chunk).await?;
        codes.extend(found.into_iter().map(|(id, code)| (id, code.to_string())));
    }
    Ok(codes)
}

/// An invoice by the number that is shown on it, with what was paid of it.
pub(crate) async fn invoice(ctx: &Context, store: &dyn Store, number: &str) -> anyhow::Result<(Invoice, Money)> {
    // The month is in the number, so one month is searched.
    let number = number.trim();
    let month = number.get(4..10).and_then(|ym| {
        let (year, month) = ym.split_at_checked(4)?;
        Month::new(year.parse().ok()?, month.parse().ok()?)
    });
    let query = InvoiceQuery {
        issued_from: month.map(Month::first),
        issued_before: month.map(|m| m.plus(1).first()),
        ..InvoiceQuery::default()
    };
    let mut page = PageQuery::first(ctx.config.worker.page);
    loop {
        let invoices = store.invoices(ctx.tenant(), query, page).await?;
        let more = page.advance(&invoices, |(last, _)| last.id);
        if let Some(found) = invoices.into_iter().find(|(i, _)| i.display_number().eq_ignore_ascii_case(number)) {
            return Ok(found);
        }
        if !more {
            return Err(Failure::NotFound { noun: "invoice", code: number.to_owned() }.into());
        }
    }
}

/// A statement by the number that is shown on it, with its invoices in the order of their numbers.
pub(crate) async fn statement(
    ctx: &Context,
    store: &dyn Store,
    number: &str,
) -> anyhow::Result<(Statement, Vec<(Invoice, Money)>)> {
    let missing = || Failure::NotFound { noun: "statement", code: number.to_owned() };
    let found = match Statement::parse_number(number) {
        Some(n) => {
            store.statement(ctx.tenant(), n).await?.filter(|s| s.display_number().eq_ignore_ascii_case(number.trim()))
        }
        None => None,
    };
    let statement = found.ok_or_else(missing)?;
    let query = InvoiceQuery {
        customer: Some(statement.customer_id),
        issued_from: Some(statement.issue_date),
        issued_before: Some(statement.issue_date.plus_days(1)),
        ..InvoiceQuery::default()
    };
    // A customer has a handful of invoices of one day; the limit guards against a damaged database.
    let mut invoices = store.invoices(ctx.tenant(), query, PageQuery::first(1_000)).await?;
    invoices.retain(|(i, paid)| statement.holds(&i.balance(*paid)));
    invoices.sort_by_key(|(i, _)| i.number);
    Ok((statement, invoices))
}
