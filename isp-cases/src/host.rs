//! A host: something that a case can be lived on.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::case::{Action, Case, CaseSubscription};
use crate::observed::Observed;

/// Something that a case can be lived on. It begins with the case's sites, packages and customers, and no subscription.
#[async_trait(?Send)]
pub trait Host {
    /// Makes the provider as it is before anything happens.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn begin(&mut self, case: &Case) -> Result<(), Refusal>;

    /// A subscription is typed in.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn enter(&mut self, subscription: &CaseSubscription) -> Result<(), Refusal>;

    /// Does something at a moment.
    ///
    /// # Errors
    /// [`Refusal`] with the host's code, which a case may ask for.
    async fn act(&mut self, action: &Action, at: DateTime<Utc>) -> Result<(), Refusal>;

    /// Looks at a subscription.
    ///
    /// # Errors
    /// [`Refusal`].
    async fn observe(&mut self, subscription: &CaseSubscription, at: DateTime<Utc>) -> Result<Observed, Refusal>;
}

/// What a host answers when it does not do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// Its code, such as `subscription.not_serving`.
    pub code: String,
    /// In words.
    pub message: String,
}

/// What a host told about a case, step by step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// For each step that did something or looked.
    pub steps: Vec<StepReport>,
}

/// What a host told about a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    /// Which step.
    pub number: usize,
    /// How it was refused, if it was.
    #[serde(default)]
    pub refused: Option<Refusal>,
    /// What was seen, for a step that looks.
    #[serde(default)]
    pub observed: Option<Observed>,
}

/// Lives a case on a host, to the end or to a step that the host refuses and the case does not expect it to.
pub async fn live(host: &mut dyn Host, case: &Case) -> Report {
    let mut report = Report::default();
    if let Err(refusal) = host.begin(case).await {
        report.steps.push(StepReport { number: 0, refused: Some(refusal), observed: None });
        return report;
    }
    let mut waiting: Vec<&CaseSubscription> = case.subscriptions.iter().collect();
    waiting.sort_by_key(|s| s.entered);
    waiting.reverse();
    for step in &case.steps {
        let mut told = StepReport { number: step.number, refused: None, observed: None };
        for at in &step.moments {
            while waiting.last().is_some_and(|s| s.entered <= *at) {
                let Some(next) = waiting.pop() else { break };
                if let Err(refusal) = host.enter(next).await {
                    report.steps.push(StepReport { refused: Some(refusal), ..told });
                    return report;
                }
            }
            if let Err(refusal) = host.act(&step.action, *at).await {
                told.refused = Some(refusal);
                break;
            }
        }
        let stopped = told.refused.is_some() && step.refused.is_none();
        if let (Some(expected), Some(at), false) = (&step.expect, step.moments.last(), stopped) {
            let Some(subscription) = case.subscription(&expected.of) else { continue };
            match host.observe(subscription, *at).await {
                Ok(observed) => told.observed = Some(observed),
                Err(refusal) => told.refused = Some(refusal),
            }
        }
        report.steps.push(told);
        if stopped {
            break;
        }
    }
    report
}
