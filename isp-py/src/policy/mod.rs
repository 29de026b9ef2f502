//! The settings of the engine as Python sees them. The defaults are isp-core's; none is written here.

mod clock;
mod money;
mod protection;

use isp_core::billing::WhileIsolated;
use isp_core::calendar::TimeOfDay;
use isp_core::holiday::PublicHolidays;
use isp_core::money::Money;
use isp_core::policy::Policy;
use isp_core::tax::{Tax, TaxRule};
use isp_core::{billing, isolation, message};
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::convert::{Kind, Types, Value, Writer};

pub(crate) use clock::ClockPolicy;
pub(crate) use money::{LateFeePolicy, OutagePolicy};
pub(crate) use protection::PromisePolicy;

const WHILE_ISOLATED: [(&str, WhileIsolated); 3] =
    [("bill", WhileIsolated::Bill), ("skip", WhileIsolated::Skip), ("prorate", WhileIsolated::Prorate)];

/// When and how invoices are issued. Every setting has the engine's default.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct BillingPolicy(pub(crate) billing::BillingPolicy);

#[pymethods]
impl BillingPolicy {
    #[new]
    #[pyo3(signature = (*, issue_lead_days=None, payment_terms_days=None, catch_up_periods=None, while_isolated=None,
        credit_on_pause=None, credit_on_termination=None))]
    fn new(
        issue_lead_days: Option<&Bound<'_, PyAny>>,
        payment_terms_days: Option<&Bound<'_, PyAny>>,
        catch_up_periods: Option<&Bound<'_, PyAny>>,
        while_isolated: Option<&Bound<'_, PyAny>>,
        credit_on_pause: Option<&Bound<'_, PyAny>>,
        credit_on_termination: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut policy = billing::BillingPolicy::default();
        set_int("issue_lead_days", issue_lead_days, 60, &mut policy.issue_lead_days)?;
        set_int("payment_terms_days", payment_terms_days, 365, &mut policy.payment_terms_days)?;
        set_int("catch_up_periods", catch_up_periods, 120, &mut policy.catch_up_periods)?;
        if let Some(given) = while_isolated {
            policy.while_isolated = Value::argument("while_isolated", given)?.word(&WHILE_ISOLATED)?;
        }
        for (name, given, switch) in [
            ("credit_on_pause", credit_on_pause, &mut policy.credit_on_pause),
            ("credit_on_termination", credit_on_termination, &mut policy.credit_on_termination),
        ] {
            if let Some(given) = given {
                *switch = Value::argument(name, given)?.bool()?;
            }
        }
        let checked = checked("catch_up_periods", Policy { billing: policy, ..Policy::default() })?;
        Ok(Self(checked.billing))
    }

    /// Days before the trigger day on which an invoice is issued.
    #[getter]
    fn issue_lead_days(&self) -> u16 {
        self.0.issue_lead_days
    }

    /// Days from issue to the due date.
    #[getter]
    fn payment_terms_days(&self) -> u16 {
        self.0.payment_terms_days
    }

    /// How many periods of one subscription a run may bill.
    #[getter]
    fn catch_up_periods(&self) -> u32 {
        self.0.catch_up_periods
    }

    /// Whether a pause gives back the unused days of the period that holds its first day.
    #[getter]
    fn credit_on_pause(&self) -> bool {
        self.0.credit_on_pause
    }

    /// Whether an end gives back the unused days of the period that holds it.
    #[getter]
    fn credit_on_termination(&self) -> bool {
        self.0.credit_on_termination
    }

    /// What happens to billing while a line is isolated: ``bill``, ``skip`` the period, or ``prorate``: give days back.
    #[getter]
    fn while_isolated(&self) -> &'static str {
        WHILE_ISOLATED.iter().find(|(_, meaning)| *meaning == self.0.while_isolated).map_or("bill", |(word, _)| word)
    }

    /// The day by which an invoice of this day of issue is to be paid, when it is ``written`` on a day of its zone: never before
    /// that day.
    fn due_date<'py>(&self, issued: &Bound<'py, PyAny>, written: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let due =
            self.0.due_date(Value::argument("issued", issued)?.date()?, Value::argument("written", written)?.date()?);
        Writer::new(issued.py())?.date(due)
    }

    fn __repr__(&self) -> String {
        let p = &self.0;
        format!(
            "BillingPolicy(issue_lead_days={}, payment_terms_days={}, catch_up_periods={}, while_isolated={})",
            p.issue_lead_days,
            p.payment_terms_days,
            p.catch_up_periods,
            self.while_isolated()
        )
    }
}

/// When reminders go out. Every setting has the engine's default.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DunningPolicy(pub(crate) message::DunningPolicy);

#[pymethods]
impl DunningPolicy {
    #[new]
    #[pyo3(signature = (*, due_soon_days=None, overdue_days=None, quiet_until=None, quiet_from=None))]
    fn new(
        due_soon_days: Option<&Bound<'_, PyAny>>,
        overdue_days: Option<&Bound<'_, PyAny>>,
        quiet_until: Option<&Bound<'_, PyAny>>,
        quiet_from: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut policy = message::DunningPolicy::default();
        for (name, given, days) in [
            ("due_soon_days", due_soon_days, &mut policy.due_soon_days),
            ("overdue_days", overdue_days, &mut policy.overdue_days),
        ] {
            if let Some(given) = given {
                *days = Value::argument(name, given)?.each(|_, day| day.int(0, 365))?;
            }
        }
        set_time("quiet_until", quiet_until, &mut policy.quiet_until)?;
        set_time("quiet_from", quiet_from, &mut policy.quiet_from)?;
        let checked = checked("dunning", Policy { dunning: policy, ..Policy::default() })?;
        Ok(Self(checked.dunning))
    }

    /// Days before the due date on which to remind.
    #[getter]
    fn due_soon_days<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.due_soon_days)
    }

    /// Days after the due date on which to remind.
    #[getter]
    fn overdue_days<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.0.overdue_days)
    }

    /// Reminders and isolation notices are sent from this local time on.
    #[getter]
    fn quiet_until<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time(py, self.0.quiet_until)
    }

    /// And before this local time.
    #[getter]
    fn quiet_from<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time(py, self.0.quiet_from)
    }

    /// The first moment from ``now`` on at which a message of this kind may leave: what keeps quiet hours waits for the
    /// morning of the customer's zone (rule N4).
    fn next_sending<'py>(
        &self,
        py: Python<'py>,
        kind: &Bound<'py, PyAny>,
        zone: &Bound<'py, PyAny>,
        now: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kind =
            Value::argument("kind", kind)?.word(&message::NotificationKind::ALL.map(|kind| (kind.code(), kind)))?;
        let zone = Value::argument("zone", zone)?.zone()?;
        let now = Value::argument("now", now)?.moment()?;
        let at = if kind.keeps_quiet_hours() { message::reminder::next_sending(&self.0, zone, now) } else { now };
        Writer::new(py)?.moment(at)
    }

    fn __repr__(&self) -> String {
        let p = &self.0;
        format!(
            "DunningPolicy(due_soon_days={:?}, overdue_days={:?}, quiet={} to {})",
            p.due_soon_days, p.overdue_days, p.quiet_from, p.quiet_until
        )
    }
}

const PUBLIC_HOLIDAYS: [(&str, PublicHolidays); 3] =
    [("all", PublicHolidays::All), ("national", PublicHolidays::National), ("none", PublicHolidays::None)];

/// When a line is isolated and reopened. Every setting has the engine's default, but for ``isolate_from``: in this version a
/// policy that does not name it isolates for any debt, as before; the next one takes the engine's Rp10.000.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IsolationPolicy(pub(crate) isolation::IsolationPolicy);

impl Default for IsolationPolicy {
    fn default() -> Self {
        Self(isolation::IsolationPolicy { isolate_from: Money::ZERO, ..isolation::IsolationPolicy::default() })
    }
}

#[pymethods]
impl IsolationPolicy {
    #[new]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments, in Python")]
    #[pyo3(signature = (*, isolate_after_days=None, isolate_at=None, on_weekends=None, public_holidays=None, holidays=None,
        reopen_when_paid_percent=None, breaker_count=None, breaker_percent=None, isolate_from=None,
        proof_working_days=None))]
    fn new(
        isolate_after_days: Option<&Bound<'_, PyAny>>,
        isolate_at: Option<&Bound<'_, PyAny>>,
        on_weekends: Option<&Bound<'_, PyAny>>,
        public_holidays: Option<&Bound<'_, PyAny>>,
        holidays: Option<&Bound<'_, PyAny>>,
        reopen_when_paid_percent: Option<&Bound<'_, PyAny>>,
        breaker_count: Option<&Bound<'_, PyAny>>,
        breaker_percent: Option<&Bound<'_, PyAny>>,
        isolate_from: Option<&Bound<'_, PyAny>>,
        proof_working_days: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut policy = Self::default().0;
        if let Some(given) = isolate_from {
            policy.isolate_from = Value::argument("isolate_from", given)?.money_from_zero()?;
        }
        set_int("isolate_after_days", isolate_after_days, 365, &mut policy.isolate_after_days)?;
        set_time("isolate_at", isolate_at, &mut policy.isolate_at)?;
        if let Some(given) = on_weekends {
            policy.on_weekends = Value::argument("on_weekends", given)?.bool()?;
        }
        if let Some(given) = public_holidays {
            policy.public_holidays = Value::argument("public_holidays", given)?.word(&PUBLIC_HOLIDAYS)?;
        }
        if let Some(given) = holidays {
            policy.holidays = Value::argument("holidays", given)?.each(|_, day| day.date())?.into_iter().collect();
        }
        if let Some(given) = reopen_when_paid_percent {
            let percent = Value::argument("reopen_when_paid_percent", given)?.int(1, 100)?;
            policy.reopen_when_paid_percent = Some(percent);
        }
        set_int("proof_working_days", proof_working_days, 30, &mut policy.proof_working_days)?;
        set_int("breaker_count", breaker_count, 1_000_000, &mut policy.breaker_count)?;
        set_int("breaker_percent", breaker_percent, 100, &mut policy.breaker_percent)?;
        let checked = checked("isolation", Policy { isolation: policy, ..Policy::default() })?;
        Ok(Self(checked.isolation))
    }

    /// Days past the due date after which an unpaid line is isolated.
    #[getter]
    fn isolate_after_days(&self) -> u16 {
        self.0.isolate_after_days
    }

    /// Not before this local time.
    #[getter]
    fn isolate_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        time(py, self.0.isolate_at)
    }

    /// True when Saturdays and Sundays are days like others.
    #[getter]
    fn on_weekends(&self) -> bool {
        self.0.on_weekends
    }

    /// The public holidays on which nobody is isolated: ``all``, ``national`` (without joint leave) or ``none``.
    #[getter]
    fn public_holidays(&self) -> &'static str {
        self.0.public_holidays.code()
    }

    /// The operator's own days on which nobody is isolated, in order.
    #[getter]
    fn holidays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let mut writer = Writer::new(py)?;
        let days = self.0.holidays.iter().map(|day| writer.date(*day)).collect::<PyResult<Vec<_>>>()?;
        PyTuple::new(py, days)
    }

    /// Reopen when this share of what was overdue at isolation is paid; ``None``: all of it.
    #[getter]
    fn reopen_when_paid_percent(&self) -> Option<u8> {
        self.0.reopen_when_paid_percent
    }

    /// A run may isolate this many lines of a router without approval ...
    #[getter]
    fn breaker_count(&self) -> u32 {
        self.0.breaker_count
    }

    /// ... or this share of its subscribers, in percent, whichever is more.
    #[getter]
    fn breaker_percent(&self) -> u32 {
        self.0.breaker_percent
    }

    /// Nobody is isolated, or stays so, for less than this overdue in all of the line; zero: for any debt.
    #[getter]
    fn isolate_from(&self) -> i64 {
        self.0.isolate_from.as_i64()
    }

    /// A proof of transfer that waits for review holds isolation back for so many working days; zero: for none.
    #[getter]
    fn proof_working_days(&self) -> u16 {
        self.0.proof_working_days
    }

    /// True on a day on which lines may be isolated.
    fn allows_day(&self, day: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.0.allows_day(Value::argument("day", day)?.date()?))
    }

    /// How many lines of a router with that many subscribers a run may isolate without approval.
    fn breaker_limit(&self, subscribers: &Bound<'_, PyAny>) -> PyResult<u64> {
        Ok(self.0.breaker_limit(Value::argument("subscribers", subscribers)?.int(0, 1_000_000_000)?))
    }

    fn __repr__(&self) -> String {
        let p = &self.0;
        format!(
            "IsolationPolicy(isolate_after_days={}, isolate_at={}, on_weekends={}, holidays={}, ...)",
            p.isolate_after_days,
            p.isolate_at,
            if p.on_weekends { "True" } else { "False" },
            p.holidays.len()
        )
    }
}

/// The tax standing of the provider: a PKP charges PPN by dated rules, by default those of the law; another none.
#[pyclass(frozen, eq, module = "isp_engine")]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TaxPolicy(pub(crate) Tax);

#[pymethods]
impl TaxPolicy {
    #[new]
    #[pyo3(signature = (*, pkp=None, rules=None))]
    fn new(pkp: Option<&Bound<'_, PyAny>>, rules: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let mut tax = Tax::default();
        if let Some(given) = pkp {
            tax.pkp = Value::argument("pkp", given)?.bool()?;
        }
        if let Some(given) = rules {
            tax.rules = Value::argument("rules", given)?.each(|_, rule| {
                let fields = rule.record(Kind::TaxRule)?;
                Ok(TaxRule {
                    from: fields.take()?.date()?,
                    base_numerator: fields.take()?.int(0, 1000)?,
                    base_denominator: fields.take()?.int(1, 1000)?,
                    percent: fields.take()?.int(0, 100)?,
                })
            })?;
        }
        Ok(Self(checked("rules", Policy { tax, ..Policy::default() })?.tax))
    }

    /// True for a provider that charges PPN (*pengusaha kena pajak*).
    #[getter]
    fn pkp(&self) -> bool {
        self.0.pkp
    }

    /// The rules, each from its day on.
    #[getter]
    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let mut writer = Writer::new(py)?;
        let mut rules = Vec::new();
        for rule in &self.0.rules {
            let numbers = [rule.base_numerator, rule.base_denominator, rule.percent].map(|n| writer.int(n));
            let since = writer.date(rule.from)?;
            let [numerator, denominator, percent] = numbers;
            rules.push(writer.record(Kind::TaxRule, [since, numerator?, denominator?, percent?])?);
        }
        PyTuple::new(py, rules)
    }

    fn __repr__(&self) -> String {
        format!("TaxPolicy(pkp={}, {} rules)", if self.0.pkp { "True" } else { "False" }, self.0.rules.len())
    }
}

/// The policy that a call was given, or the default.
pub(crate) fn given_or_default<'py, P>(
    name: &'static str,
    class: &'static str,
    given: Option<&Bound<'py, PyAny>>,
) -> PyResult<P>
where
    P: PyClass + Clone + Default,
{
    let Some(given) = given else { return Ok(P::default()) };
    match given.cast::<P>() {
        Ok(policy) => Ok(policy.borrow().clone()),
        Err(_) => Err(Value::argument(name, given)?.wrong_type(class)),
    }
}

fn checked(field: &'static str, policy: Policy) -> PyResult<Policy> {
    policy.checked().map_err(|error| crate::error::Refused::from(error).at(crate::convert::Place::argument(field)))
}

fn set_int<T: TryFrom<i64>>(
    name: &'static str,
    given: Option<&Bound<'_, PyAny>>,
    max: i64,
    setting: &mut T,
) -> PyResult<()> {
    if let Some(given) = given {
        *setting = Value::argument(name, given)?.int(0, max)?;
    }
    Ok(())
}

fn set_time(name: &'static str, given: Option<&Bound<'_, PyAny>>, setting: &mut TimeOfDay) -> PyResult<()> {
    if let Some(given) = given {
        *setting = Value::argument(name, given)?.time_of_day()?;
    }
    Ok(())
}

fn time(py: Python<'_>, time: TimeOfDay) -> PyResult<Bound<'_, PyAny>> {
    let minutes = time.minutes();
    Types::of(py)?.time.bind(py).call1((minutes / 60, minutes % 60))
}
