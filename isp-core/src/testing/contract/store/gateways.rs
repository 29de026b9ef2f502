//! Requests at payment gateways and payouts.

use chrono::TimeDelta;

use crate::ending::{Ending, EndingKind, RecordId};
use crate::ids::{CustomerId, InvoiceId, PaymentId, PaymentRequestId, PayoutId, RefundId, TenantId};
use crate::money::Money;
use crate::payment::{
    Channel, GatewayBalance, GatewayRefund, GatewayRequest, GatewayState, Instructions, PayChannel, Payout, Purse,
    Refund, RefundState,
};
use crate::ports::{ChangeSet, GatewayQuery, GatewayRefundQuery, PageQuery, PayoutRow, Store, StoreError};
use crate::testing::sample::{self, day, id, moment};
use crate::text::{Code, Reference};

use super::{purse_days, refused, world, write};

const MADE: &str = "2026-01-15T16:00:00Z";

fn code(name: &str) -> Code {
    Code::parse("gateway", name).expect("a code")
}

fn request(number: u64, customer_id: CustomerId) -> GatewayRequest {
    let made_at = moment(MADE);
    GatewayRequest {
        id: PaymentRequestId(id(50, number)),
        customer_id,
        invoice_id: None,
        gateway: code("midtrans"),
        channel: PayChannel::VaBca,
        reference: Reference::parse("reference", &format!("INV-202601-000001-{number:06X}")).expect("a reference"),
        amount: Money::rupiah(165_000),
        made_at,
        expires_at: made_at + TimeDelta::hours(24),
        state: GatewayState::Attempting,
        provider_id: None,
        instructions: Instructions::default(),
        fee: None,
        payment_id: None,
        poll_at: Some(made_at + TimeDelta::minutes(1)),
        note: String::new(),
        revision: 0,
    }
}

fn put(request: &GatewayRequest) -> ChangeSet {
    ChangeSet { gateway_requests: vec![request.clone()], ..ChangeSet::default() }
}

async fn all(store: &dyn Store, tenant: TenantId, query: GatewayQuery) -> Vec<GatewayRequest> {
    store.gateway_requests(tenant, &query, PageQuery::first(99)).await.expect("requests")
}

pub(super) async fn a_document_is_asked_for_once_at_a_gateway(store: &dyn Store, tenant: TenantId) {
    let taken = StoreError::Duplicate { what: "gateway_request" };
    let w = world(store, tenant, 2).await;
    let [a, b] = [0, 1].map(|n| w.customers[n].id);
    let first = request(1, a);
    write(store, tenant, put(&first)).await;
    assert_eq!(refused(store, tenant, put(&request(2, a))).await, taken, "a second one of the document");
    let same_reference = GatewayRequest { reference: first.reference.clone(), ..request(2, b) };
    assert_eq!(refused(store, tenant, put(&same_reference)).await, taken, "a reference of another one");
    // Another channel, another invoice and another gateway are others.
    let others = [
        GatewayRequest { channel: PayChannel::Qris, ..request(3, a) },
        GatewayRequest { invoice_id: Some(InvoiceId(id(9, 1))), ..request(4, a) },
        GatewayRequest { gateway: code("tripay"), ..request(5, a) },
    ];
    for other in &others {
        write(store, tenant, put(other)).await;
    }
    let unknown = refused(store, tenant, put(&request(6, CustomerId(id(4, 999))))).await;
    assert!(matches!(unknown, StoreError::Rejected { .. }), "{unknown:?}");
    // It ends, and in the same commit the next one begins.
    let stale = GatewayRequest { revision: 7, ..first.clone() };
    assert_eq!(refused(store, tenant, put(&stale)).await, StoreError::Conflict);
    let ended = GatewayRequest { state: GatewayState::Cancelling, revision: 1, ..first.clone() };
    let next = request(7, a);
    write(store, tenant, ChangeSet { gateway_requests: vec![next.clone(), ended.clone()], ..ChangeSet::default() })
        .await;
    assert_eq!(refused(store, tenant, put(&ended)).await, StoreError::Conflict, "it was written meanwhile");
    let open = GatewayRequest {
        state: GatewayState::Open,
        provider_id: Some("TX-1".into()),
        instructions: Instructions {
            number: Some("8808123".into()),
            biller: Some("70012".into()),
            qris: Some("000201".into()),
            url: Some("https://example.test/pay".into()),
        },
        fee: Some(Money::rupiah(4_000)),
        poll_at: None,
        note: "asked".into(),
        revision: 1,
        ..next.clone()
    };
    write(store, tenant, put(&open)).await;
    let kept = |row: &GatewayRequest| GatewayRequest { revision: row.revision + 1, ..row.clone() };
    let [qris, invoice, tripay] = others.each_ref().map(kept);
    let everything = [kept(&ended), qris, invoice.clone(), tripay, kept(&open)];
    let tripay = &everything[3];
    assert_eq!(all(store, tenant, GatewayQuery::default()).await, everything);
    let live = GatewayQuery { customer: Some(a), live: true, ..GatewayQuery::default() };
    assert_eq!(all(store, tenant, live).await, everything[1..]);
    let known_as = |gateway: &str, reference: &Reference| GatewayQuery {
        known_as: Some((code(gateway), reference.clone())),
        ..GatewayQuery::default()
    };
    assert_eq!(all(store, tenant, known_as("TRIPAY", &tripay.reference)).await, everything[3..4]);
    assert!(all(store, tenant, known_as("xendit", &tripay.reference)).await.is_empty());
    let due = |minutes| GatewayQuery {
        poll_due: Some(moment(MADE) + TimeDelta::minutes(minutes)),
        ..GatewayQuery::default()
    };
    assert!(all(store, tenant, due(0)).await.is_empty());
    assert_eq!(all(store, tenant, due(1)).await, everything[..4]);
    let page = PageQuery { after: Some(everything[1].id), limit: 1 };
    let found = store.gateway_requests(tenant, &GatewayQuery::default(), page).await;
    assert_eq!(found, Ok(vec![invoice]));
}

pub(super) async fn a_gateway_holds_what_it_took_less_fees_and_payouts(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let customer = w.customers[0].id;
    let mut payment = sample::payment(tenant, 1, customer, 165_000, moment(MADE));
    (payment.provider, payment.channel) = (code("Midtrans"), Channel::Gateway);
    let paid = GatewayRequest {
        state: GatewayState::Paid,
        fee: Some(Money::rupiah(4_000)),
        payment_id: Some(payment.id),
        ..request(1, customer)
    };
    // The payment that it names is of the same change set, or it fails.
    let error = refused(store, tenant, put(&paid)).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "{error:?}");
    write(store, tenant, ChangeSet { payments: vec![payment.clone()], ..put(&paid) }).await;
    // A fee that a gateway foretold counts when there is money to keep it of.
    write(store, tenant, put(&GatewayRequest { fee: Some(Money::rupiah(999)), ..request(2, customer) })).await;
    let query = GatewayQuery { payment: Some(payment.id), ..GatewayQuery::default() };
    assert_eq!(all(store, tenant, query).await, [GatewayRequest { revision: 1, ..paid }]);
    let payout = |number: u64, on| Payout {
        id: PayoutId(id(51, number)),
        gateway: code("MIDTRANS"),
        net: Money::rupiah(100_000),
        fee: Money::rupiah(500),
        on: day(on),
        by: "ani".into(),
        note: "settlement".into(),
    };
    let (late, early) = (payout(1, "2026-01-17"), payout(2, "2026-01-16"));
    let changes = |payouts| ChangeSet { payouts, ..ChangeSet::default() };
    write(store, tenant, changes(vec![late.clone(), early.clone()])).await;
    let again = refused(store, tenant, changes(vec![late.clone()])).await;
    assert_eq!(again, StoreError::Duplicate { what: "payout.id" });
    let told = |payout: &Payout| PayoutRow { payout: payout.clone(), ending: None };
    assert_eq!(store.payouts(tenant).await, Ok(vec![told(&early), told(&late)]));
    let balance = GatewayBalance {
        gateway: code("midtrans"),
        received: Money::rupiah(165_000),
        fees: Money::rupiah(5_000),
        paid_out: Money::rupiah(200_000),
    };
    assert_eq!(balance.holds(), Money::rupiah(-40_000));
    assert_eq!(store.gateway_balances(tenant).await, Ok(vec![balance.clone()]));
    // One that was booked back stays and counts no more.
    let at = moment("2026-01-18T03:00:00Z");
    let ending = Ending { kind: EndingKind::TakenBack, at, by: "Sari".into(), reason: "salah ketik".into() };
    let back = |id| ChangeSet { endings: vec![(RecordId::Payout(id), ending.clone())], ..ChangeSet::default() };
    write(store, tenant, back(early.id)).await;
    let ended = PayoutRow { ending: Some(ending.clone()), ..told(&early) };
    assert_eq!(store.payouts(tenant).await, Ok(vec![ended, told(&late)]));
    let (fees, paid_out) = (Money::rupiah(4_500), Money::rupiah(100_000));
    assert_eq!(store.gateway_balances(tenant).await, Ok(vec![GatewayBalance { fees, paid_out, ..balance }]));
    // Each day of it: what came, less the fee, at eleven in the evening of the 15th in WIB.
    let days = purse_days(store, tenant, Purse::Gateway(code("midtrans"))).await;
    assert_eq!(days, [(day("2026-01-15"), Money::rupiah(161_000)), (day("2026-01-17"), Money::rupiah(-100_500))]);
    assert_eq!(refused(store, tenant, back(early.id)).await, StoreError::Duplicate { what: "record.ending" });
    let unknown = refused(store, tenant, back(PayoutId(id(51, 9)))).await;
    assert!(matches!(unknown, StoreError::Rejected { .. }), "{unknown:?}");
}

pub(super) async fn a_refund_at_a_gateway_is_kept_once_and_moves_on(store: &dyn Store, tenant: TenantId) {
    let w = world(store, tenant, 1).await;
    let customer = w.customers[0].id;
    let mut payment = sample::payment(tenant, 1, customer, 165_000, moment(MADE));
    (payment.provider, payment.channel) = (code("Midtrans"), Channel::Gateway);
    write(store, tenant, ChangeSet { payments: vec![payment.clone()], ..ChangeSet::default() }).await;
    let refund = |number: u64, amount| Refund {
        id: RefundId(id(71, number)),
        customer_id: customer,
        amount: Money::rupiah(amount),
        paid_from: Channel::Gateway,
        on: day("2026-01-16"),
        by: "Sari".into(),
        note: "pindah rumah".into(),
        parts: vec![(payment.id, Money::rupiah(amount))],
    };
    let row = |number: u64| GatewayRefund {
        id: RefundId(id(71, number)),
        gateway: code("midtrans"),
        payment_id: payment.id,
        reference: Reference::parse("reference", "INV-1-AB12").expect("a reference"),
        state: RefundState::Attempting,
        provider_id: None,
        asked_at: moment(MADE),
        poll_at: Some(moment(MADE) + TimeDelta::minutes(1)),
        note: String::new(),
        revision: 0,
    };
    let asked = |number, amount| ChangeSet {
        refunds: vec![refund(number, amount)],
        gateway_refunds: vec![row(number)],
        ..ChangeSet::default()
    };
    let alone = ChangeSet { gateway_refunds: vec![row(1)], ..ChangeSet::default() };
    let error = refused(store, tenant, alone.clone()).await;
    assert!(matches!(error, StoreError::Rejected { .. }), "a refund that is not there: {error:?}");
    write(store, tenant, asked(1, 100_000)).await;
    assert_eq!(refused(store, tenant, alone).await, StoreError::Duplicate { what: "gateway_refund" });
    assert_eq!(refused(store, tenant, asked(2, 65_001)).await, StoreError::Conflict, "there is not so much left");
    write(store, tenant, asked(2, 60_000)).await;
    let kept = |number| GatewayRefund { revision: 1, ..row(number) };
    let all = async |query| store.gateway_refunds(tenant, query).await.expect("refunds");
    assert_eq!(all(GatewayRefundQuery::default()).await, [kept(1), kept(2)]);
    // It moves on, from where it stands only.
    let done = GatewayRefund {
        state: RefundState::Done,
        provider_id: Some("rfd-1".into()),
        poll_at: None,
        note: "told".into(),
        ..kept(1)
    };
    let put = |row: &GatewayRefund| ChangeSet { gateway_refunds: vec![row.clone()], ..ChangeSet::default() };
    write(store, tenant, put(&done)).await;
    assert_eq!(refused(store, tenant, put(&done)).await, StoreError::Conflict);
    let done = GatewayRefund { revision: 2, ..done };
    let of = |id| GatewayRefundQuery { id: Some(id), ..GatewayRefundQuery::default() };
    assert_eq!(all(of(done.id)).await, std::slice::from_ref(&done));
    let due = GatewayRefundQuery { poll_due: row(2).poll_at, ..GatewayRefundQuery::default() };
    assert_eq!(all(due).await, [kept(2)]);
    assert!(all(GatewayRefundQuery { poll_due: Some(moment(MADE)), ..due }).await.is_empty());
    let of_payment = GatewayRefundQuery { payment: Some(payment.id), ..GatewayRefundQuery::default() };
    assert_eq!(all(of_payment).await, [done, kept(2)]);
    let of_another = GatewayRefundQuery { payment: Some(PaymentId(id(9, 99))), ..GatewayRefundQuery::default() };
    assert!(all(of_another).await.is_empty());
    // What goes back is no longer at the gateway; what it refuses is there again.
    let received = async || store.gateway_balances(tenant).await.expect("balances")[0].received.as_i64();
    assert_eq!(received().await, 5_000);
    let purse = || purse_days(store, tenant, Purse::Gateway(code("midtrans")));
    let went = |amount| (day("2026-01-16"), Money::rupiah(amount));
    let came = (day("2026-01-15"), Money::rupiah(165_000));
    assert_eq!(purse().await, [came, went(-160_000)]);
    let at = moment("2026-01-18T03:00:00Z");
    let ending = Ending { kind: EndingKind::TakenBack, at, by: "midtrans".into(), reason: "refused".into() };
    let back = ChangeSet { endings: vec![(RecordId::Refund(refund(2, 1).id), ending)], ..ChangeSet::default() };
    write(store, tenant, back).await;
    assert_eq!(received().await, 65_000);
    assert_eq!(purse().await, [came, went(-100_000)]);
}
