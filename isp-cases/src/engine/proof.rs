//! Proofs of transfer on the engine.

use chrono::{DateTime, Utc};
use isp_core::engine::{EngineError, NewPayment, NewProof, Told};
use isp_core::ids::CustomerId;
use isp_core::ports::StoreError;
use isp_core::protection::{Proof, ProofContent};
use isp_core::text::Code;

use super::EngineHost;
use crate::case::{Action, ReviewWord};

impl EngineHost<'_> {
    pub(super) async fn proof(&self, action: &Action, at: DateTime<Utc>) -> Result<(), EngineError> {
        match action {
            Action::Proof { customer, invoices, amount, file } => {
                let mut ids = Vec::with_capacity(invoices.len());
                for invoice in invoices {
                    ids.push(self.invoice(invoice).await?.1);
                }
                let new = NewProof {
                    customer_id: CustomerId(self.id("customer", customer)),
                    invoices: ids,
                    amount: *amount,
                    arrived_at: at,
                    by: "Rina".into(),
                    name: format!("{file}.pdf"),
                    content: ProofContent::new(format!("%PDF-1.4\n% {file}\n").into_bytes()),
                    sure: false,
                };
                self.engine().record_proof(&new).await?;
            }
            Action::Review { customer, file, say: ReviewWord::Accepted, amount, provider, reference, sure, .. } => {
                let proof = self.proof_named(customer, file).await?;
                let payment = NewPayment {
                    customer_id: proof.customer_id,
                    provider: Code::parse("provider", provider)?,
                    reference: reference.clone().try_into()?,
                    amount: amount.unwrap_or(proof.amount),
                    paid_at: proof.arrived_at,
                    collector: None,
                };
                let told = if *sure { Told::ByPersonWhoInsists } else { Told::ByPerson };
                self.engine().accept_proof(proof.id, &payment, told, "Rina", at).await?;
            }
            Action::Review { customer, file, say, reason, .. } => {
                let proof = self.proof_named(customer, file).await?;
                self.engine().refuse_proof(proof.id, *say == ReviewWord::TakenBack, "Rina", reason, at).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The proof of a customer with a file; the last one, where it was taken back and sent again.
    async fn proof_named(&self, customer: &str, file: &str) -> Result<Proof, EngineError> {
        let proofs = self.store.proofs(self.tenant, Some(CustomerId(self.id("customer", customer)))).await?;
        let named = proofs.into_iter().filter(|p| p.file.name == format!("{file}.pdf"));
        Ok(named.max_by_key(|p| p.arrived_at).ok_or(StoreError::NotFound { what: "proof" })?)
    }
}
