//! Proofs of transfer: recorded, accepted with their payment, rejected, taken back (rule P8).

use chrono::{DateTime, Utc};

use crate::billing::Owing;
use crate::engine::pages::all_pages;
use crate::engine::retry::until_written;
use crate::engine::{Engine, EngineError, NewPayment, PayReport, Told};
use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, ProofId};
use crate::money::Money;
use crate::ports::{ChangeSet, Expectation, PaymentRow, StoreError};
use crate::protection::proof::{OtherPayment, Proof, ProofContent, ProofFile, Review, Verdict, money_is_new};

/// A proof of transfer that somebody sends or brings.
#[derive(Debug, Clone)]
pub struct NewProof {
    /// Whose.
    pub customer_id: CustomerId,
    /// The invoices that it is for; none for all that is open.
    pub invoices: Vec<InvoiceId>,
    /// How much was transferred; `None` for what is open of these invoices.
    pub amount: Option<Money>,
    /// When it arrived.
    pub arrived_at: DateTime<Utc>,
    /// Who took it, or the way by which it came.
    pub by: String,
    /// The file's name.
    pub name: String,
    /// The file.
    pub content: ProofContent,
    /// True when a person says that an amount is right which looks like a slip of the keyboard.
    pub sure: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProofReport {
    /// What is kept now, be it new or known.
    pub proof: Proof,
    /// True when the same file was known already: nothing was written.
    pub known: bool,
}

impl Engine<'_> {
    /// Keeps a proof of transfer. The next run that would isolate finds it; a line that is isolated stays so.
    ///
    /// The same file of the same customer is the same proof, whatever else is said with it, until it is taken back.
    ///
    /// # Errors
    /// As [`ProofFile::of`], [`Proof::admit`] and [`Proof::try_new`]; [`StoreError::NotFound`] for an invoice of somebody else.
    pub async fn record_proof(&self, new: &NewProof) -> Result<ProofReport, EngineError> {
        let file = ProofFile::of(&new.name, new.content.reveal())?;
        until_written(|| async {
            let known = self.store.proofs(self.tenant, Some(new.customer_id)).await?;
            let same = || known.iter().filter(|of| of.file.sha256 == file.sha256);
            let taken_back = |of: &&Proof| of.state() == "taken_back";
            if let Some(proof) = same().find(|of| !taken_back(of)) {
                return Ok(ProofReport { proof: proof.clone(), known: true });
            }
            let (invoices, owed) = self.proved(new).await?;
            let waiting = known.iter().filter(|of| of.waits()).count();
            let amount = Proof::admit(new.amount, owed, waiting, new.sure)?;
            let nth = same().count();
            let Self { tenant, store, .. } = *self;
            let proof = Proof::try_new(new.customer_id, &invoices, amount, new.arrived_at, &new.by, file.clone(), nth)?;
            let proofs = vec![(proof.clone(), new.content.clone())];
            let touched = self.subscriptions_of(new.customer_id).await?;
            let expected = vec![Expectation::ProofsWaiting(new.customer_id, waiting as u64)];
            match store.commit(tenant, ChangeSet { expected, proofs, touched, ..ChangeSet::default() }).await {
                Ok(_) => Ok(ProofReport { proof, known: false }),
                // It arrived twice at one moment: look again.
                Err(StoreError::Duplicate { what: "proof.id" }) => Err(StoreError::Conflict.into()),
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// The invoices that a new proof is for, and what is open of them.
    async fn proved(&self, new: &NewProof) -> Result<(Vec<InvoiceId>, Money), EngineError> {
        let open = self.store.open_invoices(self.tenant, new.customer_id).await?;
        let wanted = |id: &InvoiceId| new.invoices.is_empty() || new.invoices.contains(id);
        let found: Vec<_> = open.iter().filter(|i| wanted(&i.invoice_id)).collect();
        let missing: Vec<InvoiceId> =
            new.invoices.iter().filter(|id| found.iter().all(|i| i.invoice_id != **id)).copied().collect();
        if !missing.is_empty() {
            let theirs = self.store.balances(self.tenant, &missing).await?;
            let all = theirs.len() == missing.len() && theirs.iter().all(|i| i.customer_id == new.customer_id);
            return Err(if all { Error::NothingOwed.into() } else { StoreError::NotFound { what: "invoice" }.into() });
        }
        Ok((found.iter().map(|i| i.invoice_id).collect(), found.iter().map(|i| i.debt().residual()).sum()))
    }

    /// The money of a proof is there: books its payment as [`Engine::pay`] does and keeps that it was accepted, in one commit. A
    /// payment that is booked already with this reference and amount is its payment, and none is booked.
    ///
    /// # Errors
    /// [`Error::ProofReviewed`]; as [`money_is_new`], on which one can insist; as [`Engine::pay_as`].
    pub async fn accept_proof(
        &self,
        proof: ProofId,
        new: &NewPayment,
        told: Told,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<PayReport, EngineError> {
        until_written(|| async {
            let proof = self.find_proof(proof).await?;
            proof.to_review()?;
            if proof.customer_id != new.customer_id {
                return Err(StoreError::NotFound { what: "proof" }.into());
            }
            let (mut changes, report) = self.plan_told_or_known(new, told, now).await?;
            if !report.known && told != Told::ByPersonWhoInsists {
                let known = self.money_is_new(&proof, new).await?;
                changes.expected.push(Expectation::Payments(new.customer_id, known));
            }
            let review = Review::try_new(Verdict::Accepted(report.payment_id), now, by, "")?;
            changes.proof_reviews.push((proof.id, review));
            match self.store.commit(self.tenant, changes).await {
                Ok(_) => Ok(report),
                // Another process wrote the same payment: look again.
                Err(StoreError::Duplicate { what: "payment.reference" }) => Err(StoreError::Conflict.into()),
                Err(other) => Err(reviewed_meanwhile(other)),
            }
        })
        .await
    }

    /// Whether the money of a proof was booked otherwise meanwhile; among how many payments it was looked for.
    async fn money_is_new(&self, proof: &Proof, new: &NewPayment) -> Result<u64, EngineError> {
        let balances = self.store.balances(self.tenant, &proof.invoices).await?;
        let open = balances.iter().map(|i| i.debt().residual()).sum();
        let accepted: Vec<PaymentId> = self
            .store
            .proofs(self.tenant, Some(proof.customer_id))
            .await?
            .iter()
            .filter_map(|of| match of.review.as_ref()?.verdict {
                Verdict::Accepted(payment) => Some(payment),
                Verdict::Rejected | Verdict::TakenBack => None,
            })
            .collect();
        let payments = |page| self.store.payments(self.tenant, Some(proof.customer_id), page);
        let payments = all_pages(self.page, payments, |row| row.payment.id).await?;
        let others: Vec<OtherPayment> = payments
            .iter()
            .filter(|row| row.reversal.is_none() && row.payment.channel.is_money())
            .filter(|row| !accepted.contains(&row.payment.id))
            .map(|PaymentRow { payment, .. }| OtherPayment {
                name: format!("{} {}", payment.provider, payment.reference),
                amount: payment.amount,
                paid_at: payment.paid_at,
            })
            .collect();
        money_is_new(new.amount, new.paid_at, open, &others)?;
        Ok(payments.len() as u64)
    }

    /// The money of a proof is not there (`rejected`), or the proof was recorded by mistake (`taken back`). The next run that may
    /// isolate does so.
    ///
    /// # Errors
    /// [`Error::ProofReviewed`]; [`Error::Empty`] without who or why.
    pub async fn refuse_proof(
        &self,
        proof: ProofId,
        taken_back: bool,
        by: &str,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Proof, EngineError> {
        let proof = self.find_proof(proof).await?;
        proof.to_review()?;
        let verdict = if taken_back { Verdict::TakenBack } else { Verdict::Rejected };
        let review = Review::try_new(verdict, now, by, reason)?;
        let touched = self.subscriptions_of(proof.customer_id).await?;
        let changes = ChangeSet { proof_reviews: vec![(proof.id, review.clone())], touched, ..ChangeSet::default() };
        self.store.commit(self.tenant, changes).await.map_err(reviewed_meanwhile)?;
        Ok(Proof { review: Some(review), ..proof })
    }

    /// The proof with an id.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn find_proof(&self, id: ProofId) -> Result<Proof, EngineError> {
        self.store.proof(self.tenant, id).await?.ok_or_else(|| StoreError::NotFound { what: "proof" }.into())
    }
}

/// Somebody else reviewed a proof between the look at it and the commit.
fn reviewed_meanwhile(error: StoreError) -> EngineError {
    match error {
        StoreError::Duplicate { what: "proof.review" } => Error::ProofReviewed.into(),
        other => other.into(),
    }
}
