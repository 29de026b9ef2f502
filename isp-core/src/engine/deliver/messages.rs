//! Messages: looked at once more, sent once, and held back as long as the channel rests (rules N2, N3, N7, N8).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;

use super::{DeliverReport, claim, outcome};
use crate::engine::{Engine, EngineError};
use crate::ids::{CustomerId, OutboxId};
use crate::isolation::AccessFacts;
use crate::message::channel::{Answer, Fate, Held, Resting, RetryScope, consequence};
use crate::message::freshness::{Verdict, refresh};
use crate::message::notification::OutgoingMessage;
use crate::message::{Document, Notification};
use crate::ports::{
    Claimed, Effect, Messenger, Observed, OutboxRow, OutboxState, Outcome, PortError, SendOutcome, StoreError, Topic,
    Upload, Worker,
};

/// Messages under way at once: as many may become unknown when the process dies.
const MESSAGES_AT_ONCE: usize = 16;

/// When a message is looked at again whose facts cannot be read.
const PARKED_MINUTES: i64 = 15;

/// A message that is ready to leave.
struct Ready {
    row: OutboxRow,
    customer: CustomerId,
    template: Option<String>,
    message: Box<OutgoingMessage>,
    /// The file above it, where its template has one.
    document: Option<Document>,
}

/// What the channel said, in the words of the rule, with the reason and its own id.
struct Told {
    answer: Answer,
    note: String,
    provider_id: Option<String>,
    /// The message or its template is wrong, and a person may correct it.
    to_correct: bool,
}

impl Engine<'_> {
    pub(super) async fn message_loop(
        &self,
        worker: &Worker<'_>,
        messenger: &dyn Messenger,
        now: DateTime<Utc>,
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        let mut resting = Resting::default();
        // Nothing is known of the channel at first: it is asked, and then one message goes alone.
        let (mut asked, mut works) = (false, false);
        while resting.channel.is_none() {
            let rows =
                self.store.claim(self.tenant, claim(worker, Topic::Message, now, MESSAGES_AT_ONCE as u32)).await?;
            if rows.is_empty() {
                break;
            }
            let (mut outcomes, mut ready) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
            let served = self.served(&rows).await?;
            for row in rows {
                let Effect::Message(message) = &row.effect else { continue };
                let served = served.get(&message.customer_id).map_or(&[][..], Vec::as_slice);
                let verdict = match self.verdict(message, served, now).await {
                    // One customer whose row was damaged holds up nobody else.
                    Err(error) => {
                        outcomes.push(parked(&row, error, now, report)?);
                        continue;
                    }
                    Ok(verdict) => verdict,
                };
                match verdict {
                    Verdict::Send(outgoing) => {
                        let (customer, template) = (message.customer_id, messenger.template(&outgoing));
                        let document = match messenger.wants_document(&outgoing) {
                            true => self.document_of(message, &outgoing).await,
                            false => Ok(None),
                        };
                        match document {
                            Ok(document) => ready.push(Ready { row, customer, template, message: outgoing, document }),
                            Err(error) => outcomes.push(without_paper(&row, template, error, now, report)?),
                        }
                    }
                    Verdict::Later(at, why) => {
                        report.postponed += 1;
                        outcomes.push(outcome(row.claimed(), OutboxState::Pending, at, why, now));
                    }
                    Verdict::Drop(why) => {
                        report.dropped += 1;
                        outcomes.push(outcome(row.claimed(), OutboxState::Dropped, now, why, now));
                    }
                }
            }
            self.note(worker, &outcomes, report).await?;
            if !ready.is_empty() && !std::mem::replace(&mut asked, true) {
                resting.channel = self.renewing(worker, asked_channel(messenger)).await;
            }
            while !ready.is_empty() {
                let wave = if works { ready.len() } else { 1 };
                let wave: Vec<Ready> = ready.drain(..wave).collect();
                works |= self.send_wave(worker, messenger, wave, now, &mut resting, report).await?;
            }
        }
        resting.end();
        report.channel_down = resting.channel;
        report.templates_down.extend(resting.templates);
        Ok(())
    }

    /// Sends those that nothing holds back, all at once; true when the channel took one.
    async fn send_wave(
        &self,
        worker: &Worker<'_>,
        messenger: &dyn Messenger,
        wave: Vec<Ready>,
        now: DateTime<Utc>,
        resting: &mut Resting,
        report: &mut DeliverReport,
    ) -> Result<bool, EngineError> {
        let (mut outcomes, mut outgoing) = (Vec::with_capacity(wave.len()), Vec::with_capacity(wave.len()));
        for ready in wave {
            match resting.holds(ready.customer, ready.template.as_deref()) {
                None => outgoing.push(ready),
                Some(held) => {
                    report.postponed += 1;
                    outcomes.push(held_back(&ready, &held, now));
                }
            }
        }
        // A file may take long, so it goes up before the claims are looked at: a worker that lost one meanwhile sends nothing.
        let outgoing = self.renewing(worker, with_files(messenger, outgoing)).await;
        let claims: Vec<Claimed> = outgoing.iter().map(|(ready, _)| ready.row.claimed()).collect();
        let ours: BTreeSet<OutboxId> = match claims.is_empty() {
            true => BTreeSet::new(),
            false => self.store.attempting(self.tenant, worker.lease(), &claims).await?.into_iter().collect(),
        };
        report.lost += (claims.len() - ours.len()) as u64;
        let outgoing = outgoing.into_iter().filter(|(ready, _)| ours.contains(&ready.row.id));
        let calls = futures::stream::iter(outgoing)
            .map(|(ready, file)| async move {
                let answer = match file {
                    None => messenger.send(&ready.message).await,
                    Some(Ok(Upload::Kept(file))) => messenger.send_with(&ready.message, &file).await,
                    Some(Ok(Upload::Refused(said))) => Ok(said),
                    Some(Err(error)) => Err(error),
                };
                (ready, answer)
            })
            .buffer_unordered(MESSAGES_AT_ONCE)
            .collect();
        let answers: Vec<(Ready, Result<SendOutcome, PortError>)> = self.renewing(worker, calls).await;
        let mut taken = false;
        for (ready, answer) in answers {
            let told = told(answer);
            taken |= told.answer == Answer::Taken;
            outcomes.push(settle(&ready, told, now, resting, report));
        }
        self.note(worker, &outcomes, report).await?;
        Ok(taken)
    }

    async fn note(
        &self,
        worker: &Worker<'_>,
        outcomes: &[Outcome],
        report: &mut DeliverReport,
    ) -> Result<(), EngineError> {
        if !outcomes.is_empty() {
            let recorded = self.store.record(self.tenant, worker.id, outcomes, Observed::default()).await?;
            report.lost += recorded.lost.len() as u64;
        }
        Ok(())
    }

    /// What a message says, and when, if nothing changes until then: at `from`, or at the later moment up to which it has to wait.
    /// Nothing is written. It is asked of a message that waits, and of one that would be queued.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn foresee_message(
        &self,
        message: &Notification,
        from: DateTime<Utc>,
    ) -> Result<(DateTime<Utc>, Verdict), EngineError> {
        let served = self.access_of(message.customer_id).await?;
        match self.verdict(message, &served, from).await? {
            Verdict::Later(at, _) => Ok((at, self.verdict(message, &served, at).await?)),
            now => Ok((from, now)),
        }
    }

    /// The facts of all lines of the customers whom these messages go to, read at once. Answers say nothing of them.
    async fn served(&self, rows: &[OutboxRow]) -> Result<BTreeMap<CustomerId, Vec<AccessFacts>>, EngineError> {
        let to = |row: &OutboxRow| match &row.effect {
            Effect::Message(message) => message.answer.is_none().then_some(message.customer_id),
            Effect::Access(_) => None,
        };
        let customers: BTreeSet<CustomerId> = rows.iter().filter_map(to).collect();
        let mut served: BTreeMap<CustomerId, Vec<AccessFacts>> = BTreeMap::new();
        if !customers.is_empty() {
            for line in self.access_of_all(&customers.into_iter().collect::<Vec<_>>()).await? {
                served.entry(line.customer_id).or_default().push(line);
            }
        }
        Ok(served)
    }

    async fn verdict(
        &self,
        message: &Notification,
        served: &[AccessFacts],
        now: DateTime<Utc>,
    ) -> Result<Verdict, EngineError> {
        let facts = self.store.message_facts(self.tenant, message).await?;
        let verdict = refresh(self.tenant, message, &facts, served, &self.policy.dunning, &self.policy.isolation, now);
        Ok(match verdict {
            Verdict::Send(ready) => Verdict::Send(Box::new(OutgoingMessage { sender: self.sender.cloned(), ..*ready })),
            other => other,
        })
    }
}

/// What became of the file of a message that has one.
type File = Option<Result<Upload, PortError>>;

/// Gives the channel the files of these messages, all at once.
async fn with_files(messenger: &dyn Messenger, outgoing: Vec<Ready>) -> Vec<(Ready, File)> {
    futures::stream::iter(outgoing)
        .map(|ready| async move {
            let file = match &ready.document {
                Some(document) => Some(messenger.upload(document).await),
                None => None,
            };
            (ready, file)
        })
        .buffered(MESSAGES_AT_ONCE)
        .collect()
        .await
}

/// One customer whose row was damaged holds up nobody else. Any other error goes on.
fn parked(
    row: &OutboxRow,
    error: EngineError,
    now: DateTime<Utc>,
    report: &mut DeliverReport,
) -> Result<Outcome, EngineError> {
    if !matches!(error, EngineError::Store(StoreError::Corrupt { .. })) {
        return Err(error);
    }
    report.parked += 1;
    let at = now + TimeDelta::minutes(PARKED_MINUTES);
    Ok(outcome(row.claimed(), OutboxState::Pending, at, &error.to_string(), now))
}

/// A message whose file cannot be made waits, and is told with its template: what is wrong with one paper, such as a logo that
/// cannot be read, is mostly wrong with each.
fn without_paper(
    row: &OutboxRow,
    template: Option<String>,
    error: EngineError,
    now: DateTime<Utc>,
    report: &mut DeliverReport,
) -> Result<Outcome, EngineError> {
    let EngineError::Port(error) = error else { return parked(row, error, now, report) };
    report.postponed += 1;
    let (at, note) = (now + TimeDelta::minutes(PARKED_MINUTES), error.to_string());
    report.templates_down.extend(template.clone().map(|template| (template, note.clone())));
    Ok(Outcome { template, ..outcome(row.claimed(), OutboxState::Pending, at, &note, now) })
}

/// Why the channel rests from the start, as it says itself when it is asked.
async fn asked_channel(messenger: &dyn Messenger) -> Option<String> {
    match messenger.probe().await {
        Ok(None) => None,
        Ok(Some(said)) => {
            let told = told(Ok(said));
            consequence(told.answer, 0).rests.filter(|scope| scope.is_channel()).map(|_| told.note)
        }
        Err(error) => Some(error.to_string()),
    }
}

fn held_back(ready: &Ready, held: &Held<'_>, now: DateTime<Utc>) -> Outcome {
    let row = ready.row.claimed();
    match held {
        // Untouched, so that it is the first again.
        Held::Channel(reason) => outcome(row, OutboxState::Pending, ready.row.next_attempt, reason, now),
        Held::Recipient(time) => outcome(row, OutboxState::Pending, now + *time, "not now for this recipient", now),
        Held::Template(time, reason) => {
            Outcome { template: ready.template.clone(), ..outcome(row, OutboxState::Pending, now + *time, reason, now) }
        }
    }
}

fn told(said: Result<SendOutcome, PortError>) -> Told {
    let (answer, to_correct) = (SendOutcome::answer(&said), SendOutcome::to_correct(&said));
    let (note, provider_id) = match said {
        Ok(SendOutcome::Accepted { provider_id }) => ("accepted".to_owned(), Some(provider_id)),
        Ok(SendOutcome::Held { provider_id }) => ("held".to_owned(), Some(provider_id)),
        Ok(
            SendOutcome::RetryAfter { reason, .. }
            | SendOutcome::RecipientRejected { reason }
            | SendOutcome::ConfigError { reason }
            | SendOutcome::ChannelDown { reason },
        )
        | Err(PortError::Unknown { reason }) => (reason, None),
        Err(error) => (error.to_string(), None),
    };
    Told { answer, note, provider_id, to_correct }
}

fn settle(ready: &Ready, told: Told, now: DateTime<Utc>, resting: &mut Resting, report: &mut DeliverReport) -> Outcome {
    let (customer, template) = (Some(ready.customer), ready.template.as_deref());
    let consequence = resting.after(told.answer, ready.row.attempts, customer, template, &told.note);
    let (state, at) = match consequence.fate {
        Fate::Sent => {
            report.sent += 1;
            report.unnamed += u64::from(ready.message.asks_unnamed());
            (OutboxState::Done, now)
        }
        Fate::Wait(time) => {
            report.postponed += 1;
            // Behind those that were held back with it, so that another one is tried next time.
            (OutboxState::Pending, now + time + TimeDelta::seconds(1))
        }
        Fate::Failed => {
            report.failed += 1;
            (OutboxState::Failed, now)
        }
        Fate::Unknown => {
            report.unknown += 1;
            (OutboxState::Unknown, now)
        }
    };
    let of_template = told.to_correct || consequence.rests == Some(RetryScope::Template);
    Outcome {
        provider_id: told.provider_id,
        template: ready.template.clone().filter(|_| of_template),
        ..outcome(ready.row.claimed(), state, at, &told.note, now)
    }
}
