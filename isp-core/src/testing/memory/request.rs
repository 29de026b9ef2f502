//! Payment requests.

use crate::payment::PaymentRequest;
use crate::ports::{ChangeSet, RequestQuery, StoreError};

use super::state::{State, must_exist};

impl State {
    pub(super) fn write_requests(&mut self, changes: &mut ChangeSet) -> Result<(), StoreError> {
        for (id, closing) in changes.request_closings.drain(..) {
            let found = self.payment_requests.get(&id).cloned();
            let known = found.ok_or_else(|| StoreError::Rejected { reason: "no such payment request".into() })?;
            if let Some(payment) = closing.payment_id {
                self.must_have_payment(payment)?;
            }
            let stands = |payment| self.payments.get(&payment).is_none_or(|kept| kept.reversal.is_none());
            let refused = match (known.closing.map(|c| c.payment_id), closing.payment_id) {
                (None, _) | (Some(None), Some(_)) => false,
                (Some(Some(payment)), None) => stands(payment),
                (Some(_), _) => true,
            };
            if refused {
                return Err(StoreError::Conflict);
            }
            self.payment_requests.put(id, PaymentRequest { closing: Some(closing), ..known });
        }
        for new in changes.payment_requests.drain(..) {
            must_exist(self.customers.has(&new.customer_id), "customer")?;
            let clashes = |other: &PaymentRequest| {
                let own = other.customer_id == new.customer_id && other.is_unpaid();
                let kept = other.amount == new.amount && other.kept_until > new.made_at && !own;
                other.id == new.id || kept || (other.customer_id == new.customer_id && other.closing.is_none())
            };
            if self.payment_requests.values().any(clashes) {
                return Err(StoreError::Duplicate { what: "payment_request" });
            }
            self.payment_requests.put(new.id, new);
        }
        Ok(())
    }
}

pub(super) fn request_matches(request: &PaymentRequest, query: &RequestQuery) -> bool {
    query.customer.is_none_or(|c| c == request.customer_id)
        && (!query.standing || request.closing.is_none())
        && query.kept_after.is_none_or(|at| request.kept_until > at)
        && query.amounts.is_none_or(|(from, to)| from <= request.amount && request.amount <= to)
}
