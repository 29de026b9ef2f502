//! Payment requests: an amount that is asked of one customer only.

use chrono::{DateTime, Utc};

use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, InvoiceId, PaymentRequestId};
use crate::money::Money;
use crate::payment::request::LARGEST_SUFFIX;
use crate::payment::{Closing, PaymentRequest, RequestState, sums_owed};
use crate::ports::{ChangeSet, PageQuery, RequestQuery, StoreError};

impl Engine<'_> {
    /// Asks a customer for all that is owed, or for what is owed of an invoice, and keeps the amount for this one request.
    ///
    /// A customer has one open request. Asking again for the same debt gives the same; when another debt is asked for, the
    /// request of before is cancelled. The second value is true when it was known.
    ///
    /// # Errors
    /// [`Error::NothingOwed`](crate::Error::NothingOwed), [`Error::NoFreeAmount`](crate::Error::NoFreeAmount);
    /// [`EngineError::Store`].
    pub async fn request_payment(
        &self,
        id: PaymentRequestId,
        customer: CustomerId,
        invoice: Option<InvoiceId>,
        now: DateTime<Utc>,
    ) -> Result<(PaymentRequest, bool), EngineError> {
        until_written(|| async {
            let open = self.store.open_invoices(self.tenant, customer).await?;
            let asked = open.iter().filter(|i| invoice.is_none_or(|wanted| wanted == i.invoice_id));
            let debt: Money = asked.map(|i| i.residual()).sum();
            let standing = self.standing_request(customer).await?;
            // Whatever it is about, the same debt has the same amount: any payment pays the oldest invoice first.
            let same = |r: &PaymentRequest| r.state(now) == RequestState::Open && r.debt == debt;
            if let Some(known) = standing.filter(same) {
                return Ok((known, true));
            }
            let near = (debt + Money::rupiah(1), debt + Money::rupiah(LARGEST_SUFFIX));
            // Who owes just as much is asked for it in messages and pages, and may pay it.
            let everybody = self.store.all_open_invoices(self.tenant).await?;
            let others = everybody.iter().filter(|i| i.customer_id != customer).map(|i| (i.customer_id, &i.debt));
            let owed = sums_owed(others);
            let query = RequestQuery { kept_after: Some(now), amounts: Some(near), ..RequestQuery::default() };
            let near = self.requests(query).await?;
            // The customer's own of before keep no suffix from the next: the amount tells the same payer.
            let own = |r: &PaymentRequest| r.customer_id == customer && r.debt == debt && r.is_unpaid();
            let kept = near.into_iter().filter(|r| !own(r)).map(|r| r.amount);
            let kept: Vec<Money> = kept.chain(owed.into_keys()).collect();
            let made = PaymentRequest::try_new(id, customer, invoice, debt, &kept, self.policy.request, now)?;
            let changes = ChangeSet {
                request_closings: self.closing_of_request(customer, now).await?,
                payment_requests: vec![made.clone()],
                ..ChangeSet::default()
            };
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok((made, false)),
                // Somebody else has got the amount, or asked the same customer: look again.
                Err(StoreError::Duplicate { what: "payment_request" }) => Err(StoreError::Conflict.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// Cancels the request of a customer that was neither paid nor cancelled.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn cancel_request(
        &self,
        customer: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<PaymentRequest, EngineError> {
        until_written(|| async {
            let standing = self.standing_request(customer).await?;
            let request = standing.ok_or(StoreError::NotFound { what: "payment_request" })?;
            let closing = Closing { at: now, payment_id: None };
            let changes = ChangeSet { request_closings: vec![(request.id, closing)], ..ChangeSet::default() };
            self.store.commit(self.tenant, changes).await?;
            Ok(PaymentRequest { closing: Some(closing), ..request })
        })
        .await
    }

    /// The closing of a customer's request that something else settles.
    pub(crate) async fn closing_of_request(
        &self,
        customer: CustomerId,
        now: DateTime<Utc>,
    ) -> Result<Vec<(PaymentRequestId, Closing)>, EngineError> {
        let asked = self.standing_request(customer).await?;
        Ok(asked.map(|r| (r.id, Closing { at: now, payment_id: None })).into_iter().collect())
    }

    /// The request of a customer that was neither paid nor cancelled; it may have expired.
    pub(crate) async fn standing_request(&self, customer: CustomerId) -> Result<Option<PaymentRequest>, EngineError> {
        let query = RequestQuery { customer: Some(customer), standing: true, ..RequestQuery::default() };
        Ok(self.store.payment_requests(self.tenant, query, PageQuery::first(1)).await?.pop())
    }

    /// All requests of a query.
    pub(crate) async fn requests(&self, query: RequestQuery) -> Result<Vec<PaymentRequest>, EngineError> {
        all_pages(self.page, |page| self.store.payment_requests(self.tenant, query, page), |r| r.id).await
    }
}
