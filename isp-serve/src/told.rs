//! Who tells of mutations one by one: moota at `/hooks/moota`, and phones that pass on notifications at `/hooks/phone`.

use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use isp_core::bank::{BankFormat, Teller, ToldRow};
use isp_core::engine::{EngineError, Matched};
use isp_core::payment::NoticeRefused;
use isp_core::ports::Webhook;
use isp_core::text::Code;
use isp_payment::told::moota::Moota;
use isp_payment::told::phone::{self, Phone};

use crate::provider::Provider;
use crate::source::{Acted, Refused, Source};

/// The webhook of moota.
#[derive(Debug)]
pub struct MootaHook {
    moota: Moota,
    teller: Teller,
}

impl MootaHook {
    /// Its name, and the last part of its path.
    pub const NAME: &str = "moota";

    /// Whose webhooks are signed with this secret token.
    ///
    /// # Errors
    /// None that can be: its name is a code.
    pub fn try_new(moota: Moota) -> Result<Self, isp_core::Error> {
        Ok(Self { moota, teller: Teller { name: Code::parse("source", Self::NAME)?, format: BankFormat::Moota } })
    }
}

/// The notifications of phones.
#[derive(Debug)]
pub struct PhoneHook {
    phones: Vec<Phone>,
}

impl PhoneHook {
    /// Its name, and the last part of its path.
    pub const NAME: &str = "phone";

    /// Of these phones.
    #[must_use]
    pub const fn new(phones: Vec<Phone>) -> Self {
        Self { phones }
    }
}

#[async_trait]
impl Source for MootaHook {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn admit(&self, webhook: &Webhook) -> Result<(), Refused> {
        Ok(self.moota.read(&webhook.headers, &webhook.body).map(drop)?)
    }

    /// What came holds tokens of the account at moota.
    fn reduced(&self, webhook: &Webhook) -> Result<Option<Vec<u8>>, Refused> {
        Ok(Some(self.moota.reduced(&webhook.headers, &webhook.body)?))
    }

    fn kept(&self, webhook: &Webhook) -> Vec<(String, String)> {
        self.moota.kept(&webhook.body)
    }

    async fn act(&self, provider: &Provider, webhook: &Webhook, now: DateTime<Utc>) -> Result<Acted, EngineError> {
        let told = match self.moota.read_kept(&webhook.headers, &webhook.body) {
            Ok(told) => told,
            // It was believed when it came: the secret has changed since.
            Err(error) => return Ok(Acted { unread: 1, note: error.to_string(), ..Acted::default() }),
        };
        let mut acted = book(provider, &self.teller, &told.rows, now).await?;
        for (row, field) in &told.unread {
            acted.note += &format!("; row {row} could not be read: {field}");
        }
        acted.unread += told.unread.len();
        Ok(acted)
    }
}

#[async_trait]
impl Source for PhoneHook {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn admit(&self, webhook: &Webhook) -> Result<(), Refused> {
        Ok(phone::read(&self.phones, &webhook.body, webhook.received_at).map(drop)?)
    }

    /// The signature is in the body.
    fn kept(&self, _: &Webhook) -> Vec<(String, String)> {
        Vec::new()
    }

    async fn act(&self, provider: &Provider, webhook: &Webhook, now: DateTime<Utc>) -> Result<Acted, EngineError> {
        match phone::read(&self.phones, &webhook.body, webhook.received_at) {
            Ok((phone, row)) => {
                let teller = Teller { name: phone.name().clone(), format: BankFormat::Phone };
                let acted = book(provider, &teller, &[row], now).await?;
                Ok(Acted { note: format!("{}: {}", phone.name(), acted.note), ..acted })
            }
            // It was believed when it came: the phone or its secret has changed since.
            Err(error) => Ok(Acted { unread: 1, note: error.to_string(), ..Acted::default() }),
        }
    }
}

impl From<NoticeRefused> for Refused {
    fn from(error: NoticeRefused) -> Self {
        // The part of its code after the point.
        let why = error.code().split_once('.').map_or("refused", |(_, why)| why);
        Self { status: error.http_status(), why }
    }
}

/// Keeps what was told, and books what is sure.
async fn book(
    provider: &Provider,
    teller: &Teller,
    rows: &[ToldRow],
    now: DateTime<Utc>,
) -> Result<Acted, EngineError> {
    let engine = provider.engine();
    let found = engine.keep_told(teller, rows, now).await?;
    let order: Vec<_> = found.tellings.iter().map(|telling| telling.mutation_id).collect();
    // Also when nothing is new: the process may have died between keeping and booking.
    let looked = engine.match_mutations(&order, teller.name.as_str(), now).await?;
    let payments =
        looked.iter().filter(|one| matches!(&one.matched, Matched::Booked(_, report) if !report.known)).count();
    let linked = looked.iter().filter(|one| matches!(one.matched, Matched::Linked(..))).count();
    let mut note = format!("{} new, {} known, {payments} booked", found.new.len(), found.known);
    let told: BTreeSet<_> = found.tellings.iter().map(|telling| telling.mutation_id).collect();
    // Only what was known before can have been booked for somebody else than is named now.
    let days = rows.iter().map(|row| row.on).min().zip(rows.iter().map(|row| row.on).max());
    let instead = match days.filter(|_| found.known > 0) {
        Some(days) => engine.named_instead(days).await?,
        None => Vec::new(),
    };
    let instead = instead.iter().filter(|one| told.contains(&one.mutation)).count();
    if instead > 0 {
        note += &format!("; {instead} booked for another customer than is named now, see isp bank list");
    }
    if found.differing > 0 {
        note += &format!("; {} told before with another amount or account, and not believed", found.differing);
    }
    Ok(Acted { unread: found.differing, note, deliver: payments + linked > 0, payments: payments as u64 })
}
