//! Long work tells how far it is: a moving line on a terminal, a plain line now and then in a log.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::note;

/// A count that rises.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    label: String,
    next: u64,
    silent: bool,
}

/// In a log, a line is written each time the count has grown by this.
const STEP: u64 = 50_000;

impl Progress {
    /// Starts counting things that `label` names.
    pub(crate) fn start(label: String, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos}") {
                bar.set_style(style);
            }
            bar.set_message(label.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, label, next: STEP, silent: quiet }
    }

    /// The count is now `count`.
    pub(crate) fn at(&mut self, count: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(count);
        } else if count >= self.next && !self.silent {
            note(&format!("{} {count}", self.label));
            self.next = count + STEP;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
