//! `import_secrets`.

use std::collections::HashMap;

use isp_core::customer::Phone;
use isp_core::ids::SubscriptionId;
use isp_core::subscription::Service;
use isp_mikrotik::access::FoundAccount;
use isp_mikrotik::import::{self, Evidence, Known, Proposals, Verdict};
use isp_mikrotik::text::CodePage;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::convert::{Keys, Kind, Value, Writer};
use crate::policy::IsolationPolicy;
use crate::routers::{read, work};

/// The accounts that each router has already, PPPoE and hotspot, and whose they seem to be among ``known``.
///
/// Changes nothing: a person confirms, and the confirmed accounts are applied with ``adopt``. ``deadline`` is in seconds
/// for each router (60).
#[pyfunction]
#[pyo3(signature = (routers, known=None, *, deadline=None))]
pub(crate) fn import_secrets<'py>(
    routers: &Bound<'py, PyAny>,
    known: Option<&Bound<'py, PyAny>>,
    deadline: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = routers.py();
    let deadline = work::deadline(deadline)?;
    let (mut known_keys, mut ids) = (Keys::default(), HashMap::new());
    let known = match known {
        Some(known) => Value::argument("known", known)?.rows(|_, row| read_known(&row, &mut known_keys, &mut ids))?,
        None => Vec::new(),
    };
    let given = read::routers(routers, &IsolationPolicy::default())?;
    let answers = work::on_each(py, given.work, deadline, false, |job| async move {
        job.meet().await?;
        // Tunnels of an office are nobody's lines.
        let mut lines = import::lines_only(job.access.read_accounts(job.endpoint(), CodePage::default()).await?).0;
        lines.extend(job.access.read_hotspot_users(job.endpoint(), CodePage::default()).await?);
        Ok(lines)
    })?;
    let proposals: Vec<Proposals> = py
        .detach(|| answers.iter().map(|found| import::propose(found.as_deref().unwrap_or_default(), &known)).collect());
    let names = Names { keys: &known_keys, ids: &ids };
    let mut writer = Writer::new(py)?;
    let mut rows = Vec::with_capacity(answers.len());
    for ((answer, proposals), router) in answers.iter().zip(&proposals).zip(given.keys.objects()) {
        let found = answer.as_deref().unwrap_or_default();
        let mut accounts = Vec::with_capacity(found.len());
        for (account, proposal) in found.iter().zip(&proposals.accounts) {
            accounts.push(write_account(account, &proposal.verdict, &names, &mut writer)?);
        }
        let mut packages = Vec::with_capacity(proposals.packages.len());
        for package in &proposals.packages {
            let speed = package.speed.map(|speed| speed.to_string());
            let fields = [
                writer.text(&package.profile),
                writer.optional_text(speed.as_deref()),
                writer.count(package.accounts)?,
            ];
            packages.push(writer.record(Kind::FoundPackage, fields)?);
        }
        let fields =
            [router.clone(), writer.exception(answer.as_ref().err()), writer.tuple(accounts)?, writer.tuple(packages)?];
        rows.push(writer.record(Kind::RouterImport, fields)?);
    }
    PyList::new(py, rows)
}

fn read_known<'py>(
    row: &Value<'_, 'py>,
    keys: &mut Keys<'py>,
    ids: &mut HashMap<SubscriptionId, uuid::Uuid>,
) -> PyResult<Known> {
    let fields = row.record(Kind::KnownAccount)?;
    let key = keys.add(&fields.take()?)?;
    let subscription = fields.take()?.text(read::owner)?;
    ids.insert(subscription, key);
    Ok(Known {
        subscription,
        username: fields.take()?.string()?,
        customer: fields.take()?.string()?,
        // A number that is none identifies nobody.
        phone: fields.take()?.optional().map(|v| v.text(|text| Phone::parse(text).ok())).transpose()?.flatten(),
    })
}

/// The caller's names of subscriptions.
struct Names<'a, 'py> {
    keys: &'a Keys<'py>,
    ids: &'a HashMap<SubscriptionId, uuid::Uuid>,
}

impl<'py> Names<'_, 'py> {
    fn of(&self, subscriptions: &[SubscriptionId]) -> PyResult<Vec<Bound<'py, PyAny>>> {
        subscriptions.iter().filter_map(|id| self.ids.get(id)).map(|key| self.keys.name(*key).cloned()).collect()
    }
}

fn write_account<'py>(
    account: &FoundAccount,
    verdict: &Verdict,
    names: &Names<'_, 'py>,
    writer: &mut Writer<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let nobody = ("", None);
    let (word, subscriptions, evidence, (customer, phone)) = match verdict {
        Verdict::Ours { subscription } => ("ours", names.of(subscription.as_slice())?, None, nobody),
        Verdict::Match { subscription, evidence, .. } => {
            ("match", names.of(&[*subscription])?, Some(*evidence), nobody)
        }
        Verdict::Conflict { subscriptions, evidence } => {
            ("conflict", names.of(subscriptions)?, Some(*evidence), nobody)
        }
        Verdict::New { name, phone } => ("new", Vec::new(), None, (name.as_str(), phone.as_ref())),
    };
    let why = evidence.map(|evidence| match evidence {
        Evidence::UserName => "user_name",
        Evidence::Phone => "phone",
        Evidence::FullName => "full_name",
        Evidence::OneName => "one_name",
    });
    let fields = [
        writer.text(&account.name),
        writer.optional_text(account.password.as_ref().map(isp_core::Secret::reveal)),
        writer.text(&account.profile),
        writer.optional_text(account.rate_limit.as_deref()),
        writer.optional_text(account.remote_address.as_deref()),
        writer.bool(account.disabled),
        writer.bool(account.online),
        writer.text(&account.comment),
        writer.word(word),
        writer.tuple(subscriptions)?,
        writer.optional_int(evidence.map(|evidence| i64::from(evidence.confidence())))?,
        writer.optional_text(why),
        writer.text(customer),
        writer.optional_text(phone.map(Phone::e164)),
        writer.word(if account.service == Service::Hotspot.code() { "hotspot" } else { "pppoe" }),
    ];
    writer.record(Kind::FoundAccount, fields)
}
