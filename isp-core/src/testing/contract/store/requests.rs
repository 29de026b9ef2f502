//! Payment requests: one amount has one request, and what is paid stays paid.

use chrono::TimeDelta;

use crate::ids::{CustomerId, PaymentRequestId, TenantId};
use crate::money::Money;
use crate::payment::{Closing, PaymentRequest, PaymentReversal, RequestPolicy};
use crate::ports::{ChangeSet, PageQuery, RequestQuery, Store, StoreError};
use crate::testing::sample::{self, id, moment};

use super::{refused, world, write};

const MADE: &str = "2026-01-15T16:00:00Z";

fn request(number: u64, customer_id: CustomerId, debt: i64, kept: &[i64]) -> PaymentRequest {
    let kept: Vec<Money> = kept.iter().copied().map(Money::rupiah).collect();
    let (id, debt) = (PaymentRequestId(id(40, number)), Money::rupiah(debt));
    let made = PaymentRequest::try_new(id, customer_id, None, debt, &kept, RequestPolicy::default(), moment(MADE));
    made.expect("a request")
}

fn new(request: &PaymentRequest) -> ChangeSet {
    ChangeSet { payment_requests: vec![request.clone()], ..ChangeSet::default() }
}

fn close(request: &PaymentRequest, closing: Closing) -> ChangeSet {
    ChangeSet { request_closings: vec![(request.id, closing)], ..ChangeSet::default() }
}

async fn all(store: &dyn Store, tenant: TenantId, query: RequestQuery) -> Vec<PaymentRequest> {
    store.payment_requests(tenant, query, PageQuery::first(99)).await.expect("requests")
}

pub(super) async fn an_amount_is_asked_of_one_customer(store: &dyn Store, tenant: TenantId) {
    let taken = StoreError::Duplicate { what: "payment_request" };
    let w = world(store, tenant, 3).await;
    let [a, b, c] = [0, 1, 2].map(|n| w.customers[n].id);
    let first = request(1, a, 183_150, &[]);
    write(store, tenant, new(&first)).await;
    // Another debt with another suffix comes to the same amount.
    let same = PaymentRequest { debt: Money::rupiah(183_000), ..request(2, b, 183_150, &[]) };
    assert_eq!(refused(store, tenant, new(&same)).await, taken);
    let second = request(2, b, 183_150, &[183_151]);
    write(store, tenant, new(&second)).await;
    // A customer has one.
    assert_eq!(refused(store, tenant, new(&request(3, a, 99_000, &[]))).await, taken);
    let unknown = refused(store, tenant, new(&request(3, CustomerId(id(4, 999)), 99_000, &[]))).await;
    assert!(matches!(unknown, StoreError::Rejected { .. }), "{unknown:?}");
    // Cancelled, its amount is kept all the same: its money may be on the way.
    let cancelled = Closing { at: moment(MADE), payment_id: None };
    let instead = request(4, a, 99_000, &[]);
    write(store, tenant, ChangeSet { payment_requests: vec![instead.clone()], ..close(&first, cancelled) }).await;
    assert_eq!(refused(store, tenant, new(&request(5, c, 183_150, &[]))).await, taken);
    // Once it is kept no longer, the amount is free.
    let later = |at| PaymentRequest {
        made_at: at,
        expires_at: at + TimeDelta::hours(1),
        kept_until: at + TimeDelta::hours(49),
        ..request(5, c, 183_150, &[])
    };
    let just_before = later(first.kept_until - TimeDelta::microseconds(1));
    assert_eq!(refused(store, tenant, new(&just_before)).await, taken);
    let fifth = later(first.kept_until);
    write(store, tenant, new(&fifth)).await;
    let first = PaymentRequest { closing: Some(cancelled), ..first };
    let everything = vec![first.clone(), second.clone(), instead.clone(), fifth.clone()];
    assert_eq!(all(store, tenant, RequestQuery::default()).await, everything);
    let of = |query| all(store, tenant, query);
    assert_eq!(of(RequestQuery { customer: Some(a), ..Default::default() }).await, [first, instead.clone()]);
    let standing = RequestQuery { standing: true, ..Default::default() };
    assert_eq!(of(standing).await, [second.clone(), instead, fifth.clone()]);
    let near = Some((Money::rupiah(183_151), Money::rupiah(183_152)));
    let kept_after = Some(second.kept_until);
    assert_eq!(of(RequestQuery { amounts: near, kept_after, ..Default::default() }).await, [fifth]);
    let page = PageQuery { after: Some(second.id), limit: 1 };
    assert_eq!(store.payment_requests(tenant, RequestQuery::default(), page).await.unwrap(), everything[2..3]);
}

pub(super) async fn an_amount_that_nothing_paid_is_free_for_its_own_customer(store: &dyn Store, tenant: TenantId) {
    let taken = StoreError::Duplicate { what: "payment_request" };
    let w = world(store, tenant, 2).await;
    let [a, b] = [0, 1].map(|n| w.customers[n].id);
    let cancelled = Closing { at: moment(MADE), payment_id: None };
    let mut standing = request(1, a, 100_000, &[]);
    write(store, tenant, new(&standing)).await;
    for n in 2..5 {
        let again = request(n, a, 100_000, &[]);
        write(store, tenant, ChangeSet { payment_requests: vec![again.clone()], ..close(&standing, cancelled) }).await;
        assert_eq!(refused(store, tenant, new(&request(9, b, 100_000, &[]))).await, taken);
        standing = again;
    }
    // What was paid is kept: the same money again is another payment.
    let later = moment("2026-01-16T02:00:00Z");
    let payment = sample::payment(tenant, 1, a, 100_001, later);
    let paid = Closing { at: later, payment_id: Some(payment.id) };
    write(store, tenant, ChangeSet { payments: vec![payment], ..close(&standing, paid) }).await;
    assert_eq!(refused(store, tenant, new(&request(9, a, 100_000, &[]))).await, taken);
}

pub(super) async fn a_request_is_closed_forward_only(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let (at, later) = (moment(MADE), moment("2026-01-16T02:00:00Z"));
    let asked = request(1, w.customers[0].id, 100_000, &[]);
    let payment = sample::payment(tenant, 1, w.customers[0].id, 100_001, later);
    let paid_by = payment.id;
    let paid = Closing { at: later, payment_id: Some(paid_by) };
    let cancelled = Closing { at, payment_id: None };
    write(store, tenant, new(&asked)).await;
    // The payment that it names is of the same change set, or it fails.
    let error = refused(store, tenant, close(&asked, paid)).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
    write(store, tenant, close(&asked, cancelled)).await;
    assert_eq!(refused(store, tenant, close(&asked, cancelled)).await, StoreError::Conflict);
    // It was cancelled, and its money came all the same.
    write(store, tenant, ChangeSet { payments: vec![payment], ..close(&asked, paid) }).await;
    assert_eq!(refused(store, tenant, close(&asked, cancelled)).await, StoreError::Conflict);
    assert_eq!(refused(store, tenant, close(&asked, paid)).await, StoreError::Conflict);
    let kept = all(store, tenant, RequestQuery::default()).await;
    assert_eq!(kept, [PaymentRequest { closing: Some(paid), ..asked.clone() }]);
    // The payment is taken back: the request is paid no more, and another payment may pay it.
    let reversal = PaymentReversal { payment_id: paid_by, at: later, reason: "salah".into(), by: "Sari".into() };
    write(store, tenant, ChangeSet { reversals: vec![reversal], ..close(&asked, cancelled) }).await;
    assert_eq!(refused(store, tenant, close(&asked, cancelled)).await, StoreError::Conflict);
    let kept = all(store, tenant, RequestQuery::default()).await;
    assert_eq!(kept, [PaymentRequest { closing: Some(cancelled), ..asked.clone() }]);
    let second = sample::payment(tenant, 2, w.customers[0].id, 100_001, later);
    let again = Closing { at: later, payment_id: Some(second.id) };
    write(store, tenant, ChangeSet { payments: vec![second], ..close(&asked, again) }).await;
    let other = PaymentRequest { id: PaymentRequestId(id(40, 9)), ..asked };
    let error = refused(store, tenant, close(&other, cancelled)).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
}
