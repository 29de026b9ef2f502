//! A payment gateway in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::money::Money;
use crate::payment::notice::{header, only};
use crate::payment::{Instructions, NoticeRefused, NoticeState, PaymentNotice, RefundState};
use crate::ports::{Asked, CancelOutcome, Created, GatewayAsk, PaymentGateway, PortError, RefundAnswer, RefundAsk};
use crate::text::{Code, Reference};

/// The header that its webhooks are signed in; the signature is the secret itself.
pub const SIGNATURE: &str = "x-fake-signature";
const SECRET: &str = "fake-secret";

/// How the next call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayFault {
    /// No connection: nothing happened.
    NoConnection,
    /// It was done, and the reply was lost.
    LostReply,
    /// It was not done, and nobody knows.
    LostRequest,
    /// It says no.
    Refused,
}

/// A payment gateway in memory. Clones share what it knows.
#[derive(Debug, Clone)]
pub struct FakeGateway {
    name: Code,
    cancels: bool,
    refunds: bool,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    requests: BTreeMap<String, PaymentNotice>,
    /// By key: the reference, how much, and how it stands.
    refunds: BTreeMap<String, (String, Money, RefundAnswer)>,
    slow: bool,
    fault: Option<GatewayFault>,
    lasting: Option<GatewayFault>,
    created: u64,
}

impl FakeGateway {
    /// A gateway of this name that can cancel.
    #[must_use]
    pub fn new(name: Code) -> Self {
        Self { name, cancels: true, refunds: true, kept: Arc::default() }
    }

    /// One that cannot cancel, as some cannot.
    #[must_use]
    pub fn without_cancel(self) -> Self {
        Self { cancels: false, ..self }
    }

    /// One that gives nothing back by its API, as some do not.
    #[must_use]
    pub fn without_refunds(self) -> Self {
        Self { refunds: false, ..self }
    }

    /// Makes refunds wait until the test says what becomes of them, by [`FakeGateway::end_refunds`].
    pub fn refunds_wait(&self) {
        self.kept().slow = true;
    }

    /// All refunds that wait end in this way.
    pub fn end_refunds(&self, state: RefundState) {
        for (_, _, answer) in self.kept().refunds.values_mut().filter(|(.., a)| a.state == RefundState::Pending) {
            answer.state = state;
            answer.reason = if state == RefundState::Refused { "ACCOUNT_CLOSED".to_owned() } else { String::new() };
        }
    }

    /// What it gave back of a request, or is about to.
    #[must_use]
    pub fn given_back(&self, reference: &Reference) -> Money {
        self.kept().given_back(&reference.folded())
    }

    /// What it says of a request of which money went back.
    #[must_use]
    pub fn refunded(&self, reference: &Reference) -> Option<PaymentNotice> {
        let gross = self.given_back(reference);
        let before = self.kept().requests.get(&reference.folded()).cloned()?;
        Some(PaymentNotice { state: NoticeState::Refunded, gross, ..before })
    }

    /// Makes the next call fail in this way.
    pub fn fail_next(&self, fault: GatewayFault) {
        self.kept().fault = Some(fault);
    }

    /// Makes every call fail in this way, until told otherwise.
    pub fn fail_always(&self, fault: Option<GatewayFault>) {
        self.kept().lasting = fault;
    }

    /// How often it was asked to collect and did.
    #[must_use]
    pub fn created(&self) -> u64 {
        self.kept().created
    }

    /// A customer pays an amount, of which it keeps a fee; what it now says.
    pub fn pay(&self, reference: &Reference, amount: Money, fee: Money, at: DateTime<Utc>) -> Option<PaymentNotice> {
        self.change(reference, |notice| {
            (notice.state, notice.gross, notice.fee, notice.paid_at) = (NoticeState::Paid, amount, Some(fee), Some(at));
        })
    }

    /// Something else happens to a request; what it now says.
    pub fn set(&self, reference: &Reference, state: NoticeState) -> Option<PaymentNotice> {
        self.change(reference, |notice| notice.state = state)
    }

    /// All that it knows, in the order of references.
    #[must_use]
    pub fn all(&self) -> Vec<PaymentNotice> {
        self.kept().requests.values().cloned().collect()
    }

    /// A notice as it goes over the wire: headers and body.
    #[must_use]
    pub fn webhook(notice: &PaymentNotice) -> (Vec<(String, String)>, Vec<u8>) {
        let body = serde_json::to_vec(notice).unwrap_or_default();
        (vec![(SIGNATURE.to_owned(), SECRET.to_owned())], body)
    }

    fn must_refund(&self) -> Result<(), PortError> {
        if self.refunds { Ok(()) } else { Err(PortError::no_refund()) }
    }

    fn change(&self, reference: &Reference, change: impl FnOnce(&mut PaymentNotice)) -> Option<PaymentNotice> {
        let mut kept = self.kept();
        let notice = kept.requests.get_mut(&reference.folded())?;
        change(notice);
        Some(notice.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call<T>(&self, done: impl FnOnce(&mut Kept) -> Result<T, PortError>) -> Result<T, PortError> {
        let mut kept = self.kept();
        let reason = "the test says so".to_owned();
        match kept.fault.take().or(kept.lasting) {
            None => done(&mut kept),
            Some(GatewayFault::NoConnection) => Err(PortError::NotSent { reason }),
            Some(GatewayFault::LostRequest) => Err(PortError::Unknown { reason }),
            Some(GatewayFault::LostReply) => done(&mut kept).and(Err(PortError::Unknown { reason })),
            Some(GatewayFault::Refused) => Err(PortError::Refused { code: "fake.refused", reason }),
        }
    }
}

impl Kept {
    fn given_back(&self, reference: &str) -> Money {
        let stands =
            |(of, _, answer): &&(String, Money, RefundAnswer)| of == reference && answer.state != RefundState::Refused;
        self.refunds.values().filter(stands).map(|(_, amount, _)| *amount).sum()
    }
}

#[async_trait]
impl PaymentGateway for FakeGateway {
    fn name(&self) -> &Code {
        &self.name
    }

    async fn create(&self, ask: &GatewayAsk) -> Result<Created, PortError> {
        self.call(|kept| {
            if kept.requests.contains_key(&ask.reference.folded()) {
                let reason = "this reference is known".to_owned();
                return Err(PortError::Refused { code: "fake.known", reason });
            }
            let instructions = Instructions { number: Some(format!("88{}", ask.reference)), ..Instructions::default() };
            let provider_id = format!("TX-{}", ask.reference);
            let notice = PaymentNotice {
                gateway: self.name.clone(),
                reference: ask.reference.clone(),
                provider_id: Reference::parse("provider_id", &provider_id)
                    .map_err(|e| PortError::NotSent { reason: e.to_string() })?,
                state: NoticeState::Pending,
                gross: ask.amount,
                payer_fee: Money::ZERO,
                fee: None,
                paid_at: None,
                channel: Some(ask.channel.code().to_owned()),
                instructions: instructions.clone(),
                sure: true,
            };
            kept.created += 1;
            kept.requests.insert(ask.reference.folded(), notice);
            Ok(Created { provider_id: Some(provider_id), instructions, expires_at: None, fee: None })
        })
    }

    async fn status(&self, asked: &Asked<'_>) -> Result<Option<PaymentNotice>, PortError> {
        self.call(|kept| Ok(kept.requests.get(&asked.reference.folded()).cloned()))
    }

    async fn cancel(&self, asked: &Asked<'_>) -> Result<CancelOutcome, PortError> {
        self.call(|kept| {
            let Some(notice) = kept.requests.get_mut(&asked.reference.folded()) else {
                return Ok(CancelOutcome::Cancelled);
            };
            if notice.state != NoticeState::Pending {
                return Ok(CancelOutcome::TooLate);
            }
            if !self.cancels {
                return Ok(CancelOutcome::Cannot);
            }
            notice.state = NoticeState::Cancelled;
            Ok(CancelOutcome::Cancelled)
        })
    }

    fn refunds(&self) -> bool {
        self.refunds
    }

    async fn refund(&self, ask: &RefundAsk<'_>) -> Result<RefundAnswer, PortError> {
        self.must_refund()?;
        self.call(|kept| {
            if let Some((.., known)) = kept.refunds.get(ask.key) {
                return Ok(known.clone());
            }
            let reference = ask.of.reference.folded();
            let paid = kept.requests.get(&reference).filter(|n| n.state == NoticeState::Paid).map(|n| n.gross);
            if paid.is_none_or(|paid| ask.amount > paid - kept.given_back(&reference)) {
                let reason = "there is not so much to give back".to_owned();
                return Err(PortError::Refused { code: "fake.refund", reason });
            }
            let state = if kept.slow { RefundState::Pending } else { RefundState::Done };
            let provider_id = Some(format!("RF-{}", ask.key));
            let answer = RefundAnswer { state, provider_id, reason: String::new() };
            kept.refunds.insert(ask.key.to_owned(), (reference, ask.amount, answer.clone()));
            Ok(answer)
        })
    }

    async fn refund_status(&self, ask: &RefundAsk<'_>) -> Result<Option<RefundAnswer>, PortError> {
        self.must_refund()?;
        self.call(|kept| Ok(kept.refunds.get(ask.key).map(|(.., answer)| answer.clone())))
    }

    fn read(&self, headers: &[(String, String)], raw_body: &[u8]) -> Result<PaymentNotice, NoticeRefused> {
        match header(headers, SIGNATURE) {
            None => Err(NoticeRefused::SignatureMissing),
            Some(SECRET) => serde_json::from_slice(raw_body).map_err(|_| NoticeRefused::Malformed),
            Some(_) => Err(NoticeRefused::SignatureMismatch),
        }
    }

    fn kept(&self, headers: &[(String, String)], _: &[u8]) -> Vec<(String, String)> {
        only(headers, &[SIGNATURE])
    }
}
