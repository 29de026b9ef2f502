//! What the simulated Cloud API remembers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use super::media::LARGEST;
use super::{Fault, Media};
use crate::graph::GraphCode;
use crate::personal::Personal;

/// A message that the simulated Cloud API accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptedMessage {
    /// The id given back to the caller (unless the reply was lost).
    pub message_id: String,
    /// Recipient, digits only.
    pub to: Personal,
    /// `tenant:outbox id`, as the caller gave it.
    pub callback_data: Option<String>,
    /// Template name.
    pub template: String,
    /// Template language code.
    pub language: String,
    /// Body parameters in order, with their names when the template has named ones.
    pub parameters: Vec<(Option<String>, Personal)>,
    /// The text as the customer would read it.
    pub text: Personal,
    /// The file above the text.
    pub document: Option<Media>,
    /// Held for quality assessment instead of sent.
    pub held: bool,
}

/// Callback data that was accepted more than once: a message the customer got twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// `tenant:outbox id`.
    pub callback_data: String,
    /// How many messages were accepted with it; at least 2.
    pub count: usize,
}

pub(super) struct State {
    pub(super) accepted: Vec<AcceptedMessage>,
    pub(super) requests: u64,
    pub(super) next: VecDeque<Fault>,
    pub(super) always: Option<Fault>,
    /// Requests that pass before that.
    pub(super) spared: usize,
    pub(super) recipients: HashMap<String, GraphCode>,
    pub(super) slow: Duration,
    /// Files that were uploaded and are still kept.
    pub(super) media: BTreeMap<String, Media>,
    pub(super) uploads: u64,
    pub(super) next_uploads: VecDeque<Fault>,
    pub(super) largest_media: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            accepted: Vec::new(),
            requests: 0,
            next: VecDeque::new(),
            always: None,
            spared: 0,
            recipients: HashMap::new(),
            slow: Duration::ZERO,
            media: BTreeMap::new(),
            uploads: 0,
            next_uploads: VecDeque::new(),
            largest_media: LARGEST,
        }
    }
}

impl State {
    /// The fault for this request, if any. A recipient's own error comes first and uses up no queued fault.
    pub(super) fn fault(&mut self, to: &str) -> Option<Fault> {
        let known = self.recipients.get(to).copied().map(Fault::Graph).or_else(|| self.next.pop_front());
        if known.is_none() && self.spared > 0 {
            self.spared -= 1;
            return None;
        }
        known.or(self.always)
    }

    /// The fault for this upload, if any; what meets every request meets an upload as well.
    pub(super) fn upload_fault(&mut self) -> Option<Fault> {
        self.next_uploads.pop_front().or(self.always.filter(|_| self.spared == 0))
    }

    /// Keeps a file; its id.
    pub(super) fn keep(&mut self, file: Media) -> String {
        let id = format!("10138596{:08}", self.uploads);
        self.media.insert(id.clone(), Media { id: id.clone(), ..file });
        id
    }

    pub(super) fn accept(&mut self, mut message: AcceptedMessage) -> String {
        let id = format!("wamid.SIMULATED{:012}", self.accepted.len() + 1);
        message.message_id.clone_from(&id);
        self.accepted.push(message);
        id
    }

    pub(super) fn duplicates(&self) -> Vec<Duplicate> {
        let mut counts = BTreeMap::<&str, usize>::new();
        for data in self.accepted.iter().filter_map(|message| message.callback_data.as_deref()) {
            *counts.entry(data).or_default() += 1;
        }
        counts
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .map(|(data, count)| Duplicate { callback_data: data.to_owned(), count })
            .collect()
    }
}
