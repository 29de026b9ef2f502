//! How arguments are read. Personal data stays text here, so that clap never repeats it in a message.

use isp_core::calendar::{BillingDay, Cycle, Date, Month, TimeOfDay};
use isp_core::device::Ownership;
use isp_core::ledger::{Account, Expense};
use isp_core::package::Speed;
use isp_core::payment::Channel;
use isp_core::subscription::{Mac, Off, Service, Timing};
use isp_core::tax::TaxMode;
use isp_core::text::{Code, Language, Name, Reference, RouterName};
use isp_core::{Error, Money};

pub(crate) fn code(text: &str) -> Result<Code, Error> {
    Code::parse("code", text)
}

/// A month, `2026-12`.
pub(crate) fn month(text: &str) -> Result<Month, &'static str> {
    text.parse().map_err(|_| "no month; write YYYY-MM, such as 2026-12")
}

/// A customer, as somebody calls him: see [`super::find::person`]. It may be a phone number, so `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Whom(String);

impl Whom {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Whom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Whom(***)")
    }
}

pub(crate) fn whom(text: &str) -> Result<Whom, Error> {
    match text.trim() {
        "" => Err(Error::Empty { field: "customer" }),
        text if text.chars().count() > 100 => Err(Error::TooLong { field: "customer", max: 100 }),
        text => Ok(Whom(text.to_owned())),
    }
}

pub(crate) fn router_name(text: &str) -> Result<RouterName, Error> {
    RouterName::parse("username", text)
}

pub(crate) fn reference(text: &str) -> Result<Reference, Error> {
    Reference::parse("reference", text)
}

pub(crate) fn name(text: &str) -> Result<Name, Error> {
    Name::parse("text", text)
}

pub(crate) fn money(text: &str) -> Result<Money, Error> {
    Money::parse(text)
}

/// A day without a time behind it, which would not count: the time has a flag of its own.
pub(crate) fn day_alone(text: &str) -> Result<Date, Error> {
    if text.contains(':') {
        return Err(Error::DateFormat);
    }
    Date::parse(text)
}

pub(crate) fn speed(text: &str) -> Result<Speed, Error> {
    Speed::parse(text)
}

pub(crate) fn tax(text: &str) -> Result<TaxMode, Error> {
    isp_import::tax_mode(text)
}

pub(crate) fn language(text: &str) -> Result<Language, Error> {
    Language::parse(text)
}

pub(crate) fn cycle(text: &str) -> Result<Cycle, Error> {
    Cycle::parse(text)
}

pub(crate) fn timing(text: &str) -> Result<Timing, Error> {
    Timing::parse(text)
}

pub(crate) fn service(text: &str) -> Result<Service, Error> {
    Service::parse(text)
}

pub(crate) fn mac(text: &str) -> Result<Mac, Error> {
    Mac::parse(text)
}

pub(crate) fn ownership(text: &str) -> Result<Ownership, Error> {
    Ownership::parse(text)
}

pub(crate) fn category(text: &str) -> Result<Account, Error> {
    Expense::category(text)
}

/// Money of the provider: cash, bank or a gateway.
pub(crate) fn channel(text: &str) -> Result<Channel, Error> {
    let unknown = Error::NotOneOf { field: "channel", expected: "cash, bank, gateway" };
    Channel::parse(text).ok().filter(|c| c.is_money()).ok_or(unknown)
}

/// What an expense is paid from.
pub(crate) fn expense_source(text: &str) -> Result<Channel, Error> {
    Expense::source(text)
}

/// How much a discount takes off: `10%`, or rupiah.
pub(crate) fn off(text: &str) -> Result<Off, Error> {
    Off::parse(text)
}

/// A value, or none where a `-` is typed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrNone<T>(pub(crate) Option<T>);

/// Reads a value, or `-` for none.
pub(crate) fn or_none<T>(
    parse: impl Fn(&str) -> Result<T, Error> + Clone + Send + Sync + 'static,
) -> impl Fn(&str) -> Result<OrNone<T>, Error> + Clone + Send + Sync + 'static {
    move |text| match text.trim() {
        "-" => Ok(OrNone(None)),
        text => parse(text).map(|value| OrNone(Some(value))),
    }
}

pub(crate) fn billing_day(text: &str) -> Result<BillingDay, Error> {
    text.parse::<u8>().map_err(|_| Error::BillingDay).and_then(BillingDay::try_new)
}

pub(crate) fn time(text: &str) -> Result<TimeOfDay, &'static str> {
    let (hour, minute) = text.split_once(':').ok_or("not a time written as HH:MM")?;
    let number = |part: &str| part.parse::<u16>().map_err(|_| "not a time written as HH:MM");
    TimeOfDay::new(number(hour)?, number(minute)?).ok_or("not a time written as HH:MM")
}

/// The value of an argument that must not stand in a shell's history: `-` reads a line from standard input.
pub(crate) fn private(argument: &str) -> std::io::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
