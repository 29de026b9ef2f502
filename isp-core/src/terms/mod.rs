//! Changes of terms as pure decisions: what a line is and what it was really charged, and a wish, give a [`Change`].
//!
//! | wish | file |
//! |---|---|
//! | a line begins | [`start`] |
//! | another package, from the next period or at once | [`package`] |
//! | another billing day | [`day`] |
//! | another user name, password, router or site: no money | [`account`] |
//! | a price of one's own, a discount | [`price`] |
//! | a pause begins, ends | [`pause`], [`resume`] |
//! | an end: ahead, today, said afterwards | [`end`] |
//! | terms as they were at a moment | [`former`] |
//!
//! Each starts from what was charged, never from what the trigger days say (rule B11): a line may be billed ahead
//! ([`crate::billing::BillingPolicy::issue_lead_days`]) or afterwards, runs may be late, and a wish may be about a day of the
//! past. Every served day is charged exactly once, at the price of that day. What is said afterwards comes to what it would
//! have come to in time (rule B12).
//!
//! A [`Change`] is a value: it may be shown before it is confirmed, and [`Change::confirm`] refuses one whose facts have changed since.

pub mod account;
pub mod change;
pub mod day;
mod draft;
pub mod end;
pub mod facts;
pub mod former;
pub mod package;
pub mod pause;
pub mod price;
pub mod resume;
pub mod start;

pub use change::{AccessStep, Change, Followed, PackageMoved, Settled};
pub use facts::LineFacts;
pub use former::FormerTerms;

use crate::calendar::{BillingDay, Date};
use crate::error::Error;
use crate::ids::{LineIds, PackageId};
use crate::subscription::{Discount, HeldPrice};

/// A wish about the terms of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The line begins: nothing is invoiced now, and [`Change::next`] names what the next run will.
    Start,
    /// Another package from the next period on (rule B6, the default).
    NextPackage {
        /// Which.
        package: PackageId,
    },
    /// Another package at once (rule B6, on request).
    PackageAtOnce {
        /// Which.
        package: PackageId,
        /// Its first day: today or a day of the past.
        from: Date,
    },
    /// Another billing day (rule C4).
    BillingDay {
        /// Which.
        day: BillingDay,
        /// The day of the wish: today or a day of the past.
        from: Date,
    },
    /// A price of one's own from now on (rule B5); `None`: the package's again.
    Price {
        /// Which, and until when.
        held: Option<HeldPrice>,
    },
    /// A discount from now on (rule B5); `None`: none any more.
    Discount {
        /// How much, and until when.
        discount: Option<Discount>,
    },
    /// A pause (rule B7).
    Pause {
        /// Its first day: today or a day of the past.
        from: Date,
    },
    /// The end of a pause.
    Resume {
        /// The first day of service: today or a day of the past.
        from: Date,
    },
    /// The end of the line.
    End {
        /// The day after the last day of service.
        end: Date,
    },
    /// The line goes on: its end, which lies ahead, is taken back.
    Stay,
}

/// What a wish comes to.
///
/// # Errors
/// As those of the function of each wish.
pub fn decide<I: LineIds>(facts: &LineFacts<'_, I>, command: Command) -> Result<Change<I>, Error> {
    match command {
        Command::Start => start::begin(facts),
        Command::NextPackage { package } => package::next_period(facts, package),
        Command::PackageAtOnce { package, from } => package::at_once(facts, package, from),
        Command::BillingDay { day, from } => day::change(facts, day, from),
        Command::Price { held } => price::hold(facts, held),
        Command::Discount { discount } => price::discount(facts, discount),
        Command::Pause { from } => pause::pause(facts, from),
        Command::Resume { from } => resume::resume(facts, from),
        Command::End { end } => end::end(facts, end),
        Command::Stay => end::stay(facts),
    }
}
