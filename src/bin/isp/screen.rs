//! The terminal that a person looks at: how wide it is, and a pager for what is longer than it.

use std::io::{IsTerminal as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use terminal_size::{Height, Width, terminal_size_of};

/// What was printed, while it is kept for a pager.
static KEPT: Mutex<Option<String>> = Mutex::new(None);

/// How wide the terminal is that standard output goes to; `None` where it goes elsewhere.
pub(crate) fn width() -> Option<usize> {
    std::io::stdout().is_terminal().then(|| size().map(|(width, _)| width)).flatten()
}

/// True when a person can be asked: somebody sees what is said, and can type.
pub(crate) fn answers() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks, and gives back the line that is typed; an empty one when nothing is.
pub(crate) fn answer(question: &str) -> std::io::Result<String> {
    let mut out = std::io::stderr().lock();
    out.write_all(question.as_bytes())?;
    out.flush()?;
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(said)
}

fn size() -> Option<(usize, usize)> {
    let (Width(width), Height(height)) = terminal_size_of(std::io::stdout())?;
    (width > 0 && height > 0).then_some((width.into(), height.into()))
}

/// From now on what is printed is kept, to be shown all at once, if somebody looks at it on a terminal.
pub(crate) fn keep() {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if std::io::stdout().is_terminal() && !dumb && std::env::var_os("NO_PAGER").is_none() && pager().is_some() {
        *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
    }
}

/// Takes a text, if it is to be kept.
pub(crate) fn kept(text: &str) -> bool {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.as_mut().map(|kept| kept.push_str(text)).is_some()
}

/// Shows what was kept: in a pager when it is longer than the screen. Gives back what is to be printed by itself.
pub(crate) fn show() -> Option<String> {
    let text = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let (width, height) = size().unwrap_or((80, 24));
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(width).max(1)).sum();
    if lines < height {
        return Some(text);
    }
    let Some(mut child) = pager().and_then(start) else { return Some(text) };
    if let Some(mut input) = child.stdin.take() {
        // Who leaves the pager early has seen enough.
        let _ = input.write_all(text.as_bytes());
    }
    // It is over when the pager is; how it ended is its own affair.
    let _ = child.wait();
    None
}

/// The pager that is wished: `PAGER`, else `less`. An empty one and `cat` are none.
fn pager() -> Option<String> {
    let wished = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    let wished = wished.trim();
    (!wished.is_empty() && wished != "cat").then(|| wished.to_owned())
}

/// Starts a pager; `None` when there is none of the name.
fn start(pager: String) -> Option<Child> {
    let mut words = pager.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::piped());
    // As git has it: leave when it fits, show colours, leave the text on the screen.
    if std::env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    command.spawn().ok()
}
