//! Transfers that a bank takes back: money goes out, and the text says that it is a correction.

use std::collections::BTreeSet;

use super::agree::Whose;
use super::words::words;
use super::{MutationRow, MutationState};
use crate::calendar::Zone;
use crate::ids::MutationId;
use crate::money::Money;

/// What banks write about money that they take back.
const SAY_SO: &str = "storno reversal reversed reverse rev koreksi dikoreksi retur return batal dibatalkan pembatalan";

/// The most days between a transfer and its taking back.
pub const TAKEN_BACK_WITHIN: i32 = 14;

/// True for a text that says that a transfer is taken back.
///
/// ```
/// use isp_core::bank::says_storno;
/// assert!(says_storno("STORNO TRF BUDI") && says_storno("Koreksi kredit"));
/// assert!(!says_storno("BIAYA ADM") && !says_storno("TRF REVANDA"));
/// ```
#[must_use]
pub fn says_storno(text: &str) -> bool {
    words(text).iter().any(|word| SAY_SO.split(' ').any(|known| known == word))
}

/// Of money out by which a bank takes a transfer back, which transfers it may be: of the same account and amount, up to
/// [`TAKEN_BACK_WITHIN`] days before, and of nobody else than its text names. Each is told with those of which nobody has said that they
/// are no payment; what a person took back or ignored since answers one of them, and so does saying of the money out what it is. Both come with
/// what all who told of them wrote.
#[must_use]
pub fn taken_back(
    outs: &[(&MutationRow, &str)],
    ins: &[(&MutationRow, &str)],
    whose: &Whose<'_>,
) -> Vec<(MutationId, Vec<MutationId>)> {
    let mut outs: Vec<_> = outs
        .iter()
        .filter(|(out, text)| {
            out.state() == MutationState::Unmatched && out.mutation.amount < Money::ZERO && says_storno(text)
        })
        .collect();
    outs.sort_by_key(|(out, _)| (out.mutation.on, out.mutation.id));
    let mut answered: BTreeSet<MutationId> = BTreeSet::new();
    let mut found = Vec::new();
    for (out, text) in outs {
        // What is left of the text may name the payer.
        let kept = |word: &&str| !says_storno(word);
        let said = &text.split_whitespace().filter(kept).collect::<Vec<_>>().join(" ");
        let fits = |(row, text): &&(&MutationRow, &str)| {
            let (out, of) = (&out.mutation, &row.mutation);
            let days = out.on.days_since(of.on);
            out.account.folded() == of.account.folded()
                && of.amount == Money::ZERO - out.amount
                && (0..=TAKEN_BACK_WITHIN).contains(&days)
                && !whose.contradict(text, said)
        };
        let mut all: Vec<_> = ins.iter().filter(fits).collect();
        if all.iter().any(|(_, text)| whose.agree(text, said)) {
            all.retain(|(_, text)| whose.agree(text, said));
        }
        let done = all.iter().map(|(row, _)| *row).find(|row| {
            let said = [MutationState::TakenBack, MutationState::Ignored];
            let mark = row.mark.as_ref().filter(|mark| said.contains(&mark.state));
            let since = mark.is_some_and(|mark| Zone::Wib.date_of(mark.at) >= out.mutation.on);
            since && !answered.contains(&row.mutation.id)
        });
        if let Some(done) = done {
            answered.insert(done.mutation.id);
            continue;
        }
        let counts = |row: &MutationRow| matches!(row.state(), MutationState::Matched | MutationState::Unmatched);
        let of: Vec<MutationId> = all.iter().filter(|(row, _)| counts(row)).map(|(row, _)| row.mutation.id).collect();
        if !of.is_empty() {
            found.push((out.mutation.id, of));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use super::*;
    use crate::bank::{BankFormat, Mutation, MutationMark, Payees};
    use crate::calendar::Date;
    use crate::ids::{BankFileId, CustomerId};
    use crate::text::Code;

    fn row(n: u128, day: &str, rupiah: i64, text: &str) -> MutationRow {
        let mutation = Mutation {
            id: MutationId(Uuid::from_u128(n)),
            account: Code::parse("account", "bri-1").unwrap(),
            format: BankFormat::Bri,
            bank: None,
            on: Date::parse(day).unwrap(),
            amount: Money::rupiah(rupiah),
            text: text.to_owned(),
            balance: None,
            file_id: BankFileId(Uuid::nil()),
            may_correct: None,
        };
        MutationRow { mutation, mark: None, revision: 0 }
    }

    fn marked(state: MutationState, at: &str, row: MutationRow) -> MutationRow {
        let at: DateTime<Utc> = at.parse().unwrap();
        let (by, reason) = ("Sari".to_owned(), "uji".to_owned());
        let mark = MutationMark { state, payment_id: None, booked: false, clue: None, at, by, reason };
        MutationRow { mark: Some(mark), revision: 1, ..row }
    }

    /// Which transfers each storno is told with, by their numbers.
    fn found(outs: &[MutationRow], ins: &[MutationRow]) -> Vec<(u128, Vec<u128>)> {
        let named = |text: &str| {
            let of = |n: u128| text.contains(&format!("P00{n}")).then(|| CustomerId(Uuid::from_u128(n)));
            Payees { by_id: (1..=3).filter_map(of).collect(), ..Payees::default() }
        };
        let texts = |rows: &[MutationRow]| rows.iter().map(|row| row.mutation.text.clone()).collect::<Vec<_>>();
        let (of_out, of_in) = (texts(outs), texts(ins));
        let outs: Vec<_> = outs.iter().zip(of_out.iter().map(String::as_str)).collect();
        let ins: Vec<_> = ins.iter().zip(of_in.iter().map(String::as_str)).collect();
        let number = |id: MutationId| id.0.as_u128();
        let told = taken_back(&outs, &ins, &Whose::by(&named));
        told.into_iter().map(|(id, of)| (number(id), of.into_iter().map(number).collect())).collect()
    }

    #[test]
    fn money_out_that_says_so_names_the_transfers_of_its_amount_before_it() {
        let (matched, now) = (MutationState::Matched, "2026-01-09T03:00:00Z");
        let paid = |n, day, rupiah, text| marked(matched, now, row(n, day, rupiah, text));
        let ins = [
            paid(1, "2026-01-05", 150_000, "TRF P001"),
            paid(2, "2026-01-05", 150_000, "TRF P002"),
            row(3, "2026-01-06", 150_000, "SETORAN"),
            paid(4, "2026-01-05", 90_000, "TRF BUDI SANTOSO"),
        ];
        for (text, day, rupiah, expected) in [
            ("STORNO", "2026-01-07", -150_000, vec![1, 2, 3]),
            ("STORNO P002", "2026-01-07", -150_000, vec![2]),
            ("Koreksi BUDI SANTOSO", "2026-01-07", -90_000, vec![4]),
            ("RETUR KARTIKA WIBOWO", "2026-01-07", -90_000, vec![]),
            ("STORNO", "2026-01-05", -90_000, vec![4]),
            // Before it, long after it, of another amount, and without a word.
            ("STORNO", "2026-01-04", -90_000, vec![]),
            ("STORNO", "2026-01-20", -90_000, vec![]),
            ("STORNO", "2026-01-07", -90_001, vec![]),
            ("BIAYA", "2026-01-07", -90_000, vec![]),
            ("STORNO", "2026-01-07", 90_000, vec![]),
        ] {
            let told = found(&[row(9, day, rupiah, text)], &ins);
            let expected = if expected.is_empty() { vec![] } else { vec![(9, expected)] };
            assert_eq!(told, expected, "{text} {day}");
        }
    }

    #[test]
    fn what_a_person_took_back_since_answers_one_of_them() {
        let back = |n, at| marked(MutationState::TakenBack, at, row(n, "2026-01-05", 150_000, "TRF"));
        let paid = |n| marked(MutationState::Matched, "2026-01-06T03:00:00Z", row(n, "2026-01-05", 150_000, "TRF"));
        let storno = |n| row(n, "2026-01-07", -150_000, "STORNO");
        assert_eq!(found(&[storno(8)], &[back(1, "2026-01-08T03:00:00Z"), paid(2)]), []);
        assert_eq!(found(&[storno(8), storno(9)], &[back(1, "2026-01-08T03:00:00Z"), paid(2)]), [(9, vec![2])]);
        let ignored = |n| marked(MutationState::Ignored, "2026-01-08T03:00:00Z", row(n, "2026-01-05", 150_000, "TRF"));
        assert_eq!(found(&[storno(8)], &[ignored(1), paid(2)]), []);
        // What was taken back before is another matter.
        assert_eq!(found(&[storno(8)], &[back(1, "2026-01-06T03:00:00Z"), paid(2)]), [(8, vec![2])]);
        let ignored = marked(MutationState::Ignored, "2026-01-08T03:00:00Z", storno(8));
        assert_eq!(found(&[ignored], &[paid(2)]), []);
        assert_eq!(found(&[storno(8)], &[marked(MutationState::Ignored, "2026-01-06T03:00:00Z", paid(2))]), []);
    }
}
