//! Records of money, places and persons: the keys of a step, and what they come to.

use isp_core::Money;
use isp_core::calendar::Date;
use serde::Deserialize;

use super::file;
use super::resolve::Steps;
use crate::record::{Place, Record, Recorded};
use crate::when::Day;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refund {
    customer: Option<String>,
    amount: Option<Money>,
    from: Option<String>,
    on: Option<Day>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deposit {
    collector: Option<String>,
    amount: Money,
    to: Option<String>,
    on: Option<Day>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payout {
    gateway: Option<String>,
    net: Money,
    #[serde(default)]
    fee: Money,
    on: Option<Day>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TakeBack {
    what: Recorded,
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Archive {
    what: Place,
    site: Option<String>,
    #[serde(default)]
    sure: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Erase {
    customer: Option<String>,
    reason: Option<String>,
}

impl Steps<'_> {
    pub(super) fn records(&self, step: &file::Step, today: Date) -> Result<Vec<Record>, String> {
        let mut records = Vec::new();
        let because = |reason: Option<&String>| reason.cloned().unwrap_or_else(|| "salah catat".into());
        let day = |on: Option<Day>| on.map_or(today, |day| day.0);
        let or = |named: Option<&String>, else_: &str| named.cloned().unwrap_or_else(|| else_.into());
        if let Some(of) = &step.take_back_note {
            let key = "take_back_note";
            let invoice = self.invoice(key, of.subscription.as_ref(), of.kind.as_ref(), of.invoice.0)?;
            records.push(Record::TakeBackNote { invoice, reason: because(of.reason.as_ref()) });
        }
        if let Some(of) = &step.refund {
            let customer = self.customer("refund.customer", of.customer.as_ref())?;
            let from = or(of.from.as_ref(), "bank");
            records.push(Record::Refund { customer, amount: of.amount, from, on: day(of.on) });
        }
        for (of, corrects) in [(&step.deposit, false), (&step.correct_deposit, true)] {
            let Some(of) = of else { continue };
            let (collector, to) = (or(of.collector.as_ref(), "ANTON"), or(of.to.as_ref(), "bank"));
            records.push(Record::Deposit { collector, amount: of.amount, to, on: day(of.on), corrects });
        }
        for (of, corrects) in [(&step.payout, false), (&step.correct_payout, true)] {
            let Some(of) = of else { continue };
            let gateway = or(of.gateway.as_ref(), "tripay");
            records.push(Record::Payout { gateway, net: of.net, fee: of.fee, on: day(of.on), corrects });
        }
        if let Some(of) = &step.take_back {
            records.push(Record::TakeBack { what: of.what, reason: because(of.reason.as_ref()) });
        }
        for (of, archived) in [(&step.archive, true), (&step.bring_back, false)] {
            let Some(of) = of else { continue };
            let site = self.site(of.site.as_ref())?;
            records.push(Record::Archive { what: of.what, site, archived, sure: of.sure });
        }
        if let Some(of) = &step.erase {
            let customer = self.customer("erase.customer", of.customer.as_ref())?;
            records.push(Record::Erase { customer, reason: or(of.reason.as_ref(), "diminta pelanggan") });
        }
        Ok(records)
    }
}
