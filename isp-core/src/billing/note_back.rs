//! Credit notes that are taken back: what a note gave back is charged again.
//!
//! Only what a person gave can be taken back by a person: a correction, and what an outage gave back. A note that follows from
//! something else goes with that: days of a pause, of an end or of a dearer package with the terms, days in isolation with the
//! rule that gave them, a late fee with the payment that came in time, an installation with its order. And once a package change or
//! another note was worked out from what a note left, the note stays.

use chrono::{DateTime, Utc};

use crate::billing::credit::{Charge, CreditNote, CreditReason, installation_key};
use crate::billing::invoice::InvoiceKind;
use crate::calendar::{Date, Period, Zone};
use crate::error::Error;
use crate::ids::InstallationOrderId;
use crate::ledger::{JournalEntry, entry_for_credit_note_back};
use crate::money::Money;

/// A credit note as its taking back looks at it.
#[derive(Debug, Clone, Copy)]
pub struct NoteBack<'a> {
    /// What was given back, and is to be charged again.
    pub note: &'a CreditNote,
    /// What is left of it as credit.
    pub left: Money,
    /// What invoices were paid with it. What is neither left nor used was paid out to the customer.
    pub used: Money,
    /// The installations of its customer that were taken back.
    pub installations: &'a [InstallationOrderId],
    /// The charges of its subscription for its days, with the notes that stand.
    pub charges: &'a [Charge],
}

impl NoteBack<'_> {
    /// The entry that books the note back at a moment, where it is served.
    ///
    /// # Errors
    /// [`Error::NoteFollows`]; [`Error::NoteIsLater`] for a moment before the note; [`Error::NoteBuiltOn`] when a package change or
    /// another note was worked out from what the note left; [`Error::PaidOut`] when a part of it was paid out.
    pub fn entry(&self, at: DateTime<Utc>, zone: Zone) -> Result<JournalEntry, Error> {
        if let Some(from) = self.follows_from() {
            return Err(Error::NoteFollows { from });
        }
        if at < self.note.at {
            return Err(Error::NoteIsLater { on: self.note.issue_date });
        }
        if let Some(on) = self.built_on() {
            return Err(Error::NoteBuiltOn { on });
        }
        if self.left + self.used < self.note.total {
            return Err(Error::PaidOut);
        }
        Ok(entry_for_credit_note_back(self.note, at, zone))
    }

    /// The day on which something was worked out from what the note left of its days: taken back, they would be charged twice.
    fn built_on(&self) -> Option<Date> {
        let note = self.note;
        self.charges.iter().find(|charge| charge.invoice.id == note.invoice_id)?;
        let meets = |days: Period| days.start < note.period.end && note.period.start < days.end;
        let adjusts =
            |charge: &&Charge| charge.invoice.kind == InvoiceKind::Adjustment && charge.invoice.id != note.invoice_id;
        let adjusted =
            self.charges.iter().filter(adjusts).map(|charge| (charge.invoice.issue_date, charge.invoice.period));
        let later = |other: &&CreditNote| {
            other.invoice_id == note.invoice_id
                && other.number > note.number
                && other.reason != CreditReason::Correction
        };
        let notes = self.charges.iter().flat_map(|charge| &charge.notes).filter(later);
        let all = adjusted.chain(notes.map(|other| (other.issue_date, other.period)));
        all.filter(|(on, days)| *on >= note.issue_date && meets(*days)).map(|(on, _)| on).min()
    }

    /// What the note follows from, when no person gave it for its own sake.
    fn follows_from(&self) -> Option<&'static str> {
        let note = self.note;
        match note.reason {
            CreditReason::Outage => None,
            CreditReason::PackageChange | CreditReason::Pause | CreditReason::Termination | CreditReason::Isolation => {
                Some(note.reason.code())
            }
            CreditReason::Correction if note.by == "engine" => Some("late_fee"),
            CreditReason::Correction => {
                let of = |order: &InstallationOrderId| {
                    CreditNote::id_of(note.invoice_id, CreditReason::Correction, &installation_key(*order)) == note.id
                };
                self.installations.iter().any(of).then_some("installation")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::Written;
    use crate::testing::sample::{self, day, id, moment};

    fn note(key: &str, by: &str) -> CreditNote {
        let world = sample::World::new(1);
        let invoice = sample::invoice(&world.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
        let written = Written { on: day("2026-01-20"), at: moment("2026-01-20T03:00:00Z"), by, note: "salah tagih" };
        Charge::new(invoice).correct(Money::rupiah(30_000), key, written).unwrap()
    }

    fn back(note: &CreditNote, left: i64, used: i64) -> NoteBack<'_> {
        NoteBack { note, left: Money::rupiah(left), used: Money::rupiah(used), installations: &[], charges: &[] }
    }

    #[test]
    fn what_a_person_gave_is_booked_back_on_the_day_it_is_said() {
        let note = note("a", "Sari");
        let book = |at| back(&note, 10_000, 20_000).entry(moment(at), Zone::Wib);
        let entry = book("2026-02-02T17:00:00Z").unwrap();
        let first = crate::ledger::entry_for_credit_note(&note);
        assert_eq!((entry.date, entry.balances()), (day("2026-02-03"), true));
        assert_ne!(entry.id, first.id);
        let gone: Vec<_> = entry.lines.iter().map(|line| (line.account, -line.amount)).collect();
        assert_eq!(gone, first.lines.iter().map(|line| (line.account, line.amount)).collect::<Vec<_>>());
        // The note may be of a day that has not begun where its line is.
        let early = CreditNote { issue_date: day("2026-01-21"), ..note.clone() };
        let same = back(&early, 30_000, 0).entry(note.at, Zone::Wib).unwrap();
        assert_eq!(same.date, day("2026-01-21"));
    }

    #[test]
    fn what_was_paid_out_what_lies_ahead_and_what_follows_from_something_else_stays() {
        let given = note("a", "Sari");
        let book = |note: NoteBack<'_>| note.entry(moment("2026-02-03T03:00:00Z"), Zone::Wib);
        assert_eq!(book(back(&given, 0, 29_999)), Err(Error::PaidOut));
        let before = back(&given, 30_000, 0).entry(moment("2026-01-20T02:59:59Z"), Zone::Wib);
        assert_eq!(before, Err(Error::NoteIsLater { on: day("2026-01-20") }), "it was not given yet");
        let follows = |note: &CreditNote, from| {
            assert_eq!(book(back(note, 30_000, 0)), Err(Error::NoteFollows { from }));
        };
        follows(&note("a", "engine"), "late_fee");
        for (reason, from) in [
            (CreditReason::PackageChange, "package_change"),
            (CreditReason::Pause, "pause"),
            (CreditReason::Termination, "termination"),
            (CreditReason::Isolation, "isolation"),
        ] {
            follows(&CreditNote { reason, ..given.clone() }, from);
        }
        let outage = CreditNote { reason: CreditReason::Outage, ..given };
        assert!(book(back(&outage, 30_000, 0)).is_ok());
        let order = InstallationOrderId(id(20, 1));
        let fee = note(&installation_key(order), "Sari");
        let gone = NoteBack { installations: &[order], ..back(&fee, 30_000, 0) };
        assert_eq!(book(gone), Err(Error::NoteFollows { from: "installation" }));
        assert!(book(back(&fee, 30_000, 0)).is_ok());
    }

    #[test]
    fn what_was_worked_out_from_a_note_keeps_it() {
        let world = sample::World::new(1);
        let invoice = sample::invoice(&world.subscriptions[0], day("2026-01-01"), day("2026-01-11"), 100_000);
        let charge = Charge::new(invoice.clone());
        let given = CreditNote { number: 1, ..note("a", "Sari") };
        let at = moment("2026-02-03T03:00:00Z");
        let book = |charges: &[Charge]| NoteBack { charges, ..back(&given, 30_000, 0) }.entry(at, Zone::Wib).map(drop);
        // Another correction is an amount of its own, and an outage before the note was worked out without it.
        let other = CreditNote { number: 2, ..note("b", "Sari") };
        let outage =
            |number, on| CreditNote { number, reason: CreditReason::Outage, issue_date: day(on), ..other.clone() };
        let with = |note| Charge { invoice: invoice.clone(), notes: vec![given.clone(), note] };
        assert_eq!(book(&[with(other.clone())]), Ok(()));
        assert_eq!(book(&[with(outage(0, "2026-01-19"))]), Ok(()));
        let built = |on| Err(Error::NoteBuiltOn { on: day(on) });
        assert_eq!(book(&[with(outage(2, "2026-01-25"))]), built("2026-01-25"));
        // A dearer package filled the days up to its own price.
        let dearer = |start, issued| {
            let mut invoice = sample::invoice(&world.subscriptions[0], day(start), day("2026-02-11"), 9_000);
            (invoice.kind, invoice.issue_date) = (InvoiceKind::Adjustment, day(issued));
            Charge::new(invoice)
        };
        assert_eq!(book(&[charge.clone(), dearer("2026-01-22", "2026-01-22")]), built("2026-01-22"));
        assert_eq!(book(&[charge.clone(), dearer("2026-01-15", "2026-01-15")]), Ok(()), "it was before the note");
        assert_eq!(book(&[charge, dearer("2026-02-01", "2026-02-01")]), Ok(()), "of other days");
    }
}
