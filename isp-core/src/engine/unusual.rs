//! What a person is asked about before a payment is written; see [`crate::payment::unusual`].

use chrono::{DateTime, Utc};

use crate::calendar::Zone;
use crate::engine::pay::NewPayment;
use crate::engine::{Engine, EngineError};
use crate::ids::PackageId;
use crate::money::Money;
use crate::package::Package;
use crate::payment::Payment;
use crate::payment::unusual::{Typed, Unusual, unusual};
use crate::ports::PageQuery;
use crate::report::customers::monthly_price;

impl Engine<'_> {
    /// What a person is to be asked about a payment before it is written, if anything; one that is known already is not asked about
    /// again. Nothing is written.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn unusual_payment(&self, new: &NewPayment, now: DateTime<Utc>) -> Result<Option<Unusual>, EngineError> {
        let known = self.store.payments_known_as(self.tenant, &new.provider, &new.reference).await?;
        if known.iter().any(|row| row.reversal.is_none()) {
            return Ok(None);
        }
        // A customer has a few hundred of each; the limits guard against a damaged database.
        let all = PageQuery::first(100_000);
        let rows = self.store.payments(self.tenant, Some(new.customer_id), all).await?;
        let stands = rows.into_iter().filter(|row| row.reversal.is_none() && row.payment.channel.is_money());
        let known: Vec<Payment> = stands.map(|row| row.payment).collect();
        let open = self.store.open_invoices(self.tenant, new.customer_id).await?;
        let packages: Vec<Package> = self.store.packages(self.tenant).await?;
        let package = |id: PackageId| packages.iter().find(|p| p.id == id);
        let lines = self.store.subscriptions(self.tenant, Some(new.customer_id), PageQuery::first(1_000)).await?;
        let price = |line: &crate::subscription::Subscription| {
            let today = Zone::Wib.date_of(now);
            let ended = line.terms.end.is_some_and(|end| end <= today);
            let month = monthly_price(&line.terms, package(line.terms.package_on(today)), today);
            // Who pays by the quarter or the year has that at once.
            month.filter(|_| !ended).unwrap_or_default().ratio(line.terms.cycle.months().into(), 1)
        };
        let typed = Typed {
            amount: new.amount,
            on: Zone::Wib.date_of(new.paid_at),
            owed: open.iter().map(|i| i.residual()).sum(),
            monthly: lines.iter().map(|(line, _)| price(line)).sum::<Money>(),
            known: &known,
        };
        Ok(unusual(&typed))
    }
}
