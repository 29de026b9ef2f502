//! Rows of totals, which sheets have below their rows and between them. They are nobody's.

use isp_core::typed::{bare, clean};

/// Words that such a row begins with.
const WORDS: [&str; 14] = [
    "total",
    "grand total",
    "sub total",
    "subtotal",
    "sub-total",
    "jumlah",
    "jml",
    "sum",
    "rata-rata",
    "rata rata",
    "average",
    "count",
    "terbilang",
    "saldo",
];

/// Tells rows of totals from the rows above them.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Where the rows have what names them. A row in which that is filled is no total.
    key: Option<usize>,
    rows: usize,
    /// How many cells the fullest row has.
    width: usize,
    /// What each column comes to: of all rows, and of those since the last total.
    all: Vec<i128>,
    since: Vec<i128>,
}

impl Totals {
    /// For rows that are named by the column at `key`.
    pub(super) fn new(key: Option<usize>) -> Self {
        Self { key, ..Self::default() }
    }

    /// True for a row of totals. Any other is taken as one of the rows.
    pub(super) fn is_one(&mut self, cells: &[String]) -> bool {
        if self.says_so(cells) || self.sums_up(cells) {
            self.since.clear();
            return true;
        }
        self.rows += 1;
        self.width = self.width.max(cells.iter().filter(|cell| !cell.is_empty()).count());
        for sums in [&mut self.all, &mut self.since] {
            sums.resize(sums.len().max(cells.len()), 0);
            for (sum, cell) in sums.iter_mut().zip(cells) {
                *sum = sum.saturating_add(amount(cell).unwrap_or(0));
            }
        }
        false
    }

    /// A cell begins with a word for it, and all others are numbers or empty.
    fn says_so(&self, cells: &[String]) -> bool {
        let mut said = false;
        for (at, cell) in cells.iter().enumerate().map(|(at, cell)| (at, clean(cell))) {
            let is_word = is_total_word(&cell);
            let names_a_row = self.key == Some(at) && !is_word && amount(&cell) != Some(self.rows as i128);
            if !cell.is_empty() && (names_a_row || !(is_word || is_number(&cell))) {
                return false;
            }
            said |= is_word;
        }
        said
    }

    /// Few numbers alone, each the sum of its column or how many rows there are, and one of them a sum.
    fn sums_up(&self, cells: &[String]) -> bool {
        let filled: Vec<(usize, &String)> = cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()).collect();
        if self.rows < 2 || filled.is_empty() || filled.len() * 2 > self.width {
            return false;
        }
        let sum = |at: usize, number: i128| {
            let of = |sums: &[i128]| sums.get(at) == Some(&number);
            number != 0 && self.key != Some(at) && (of(&self.all) || of(&self.since))
        };
        let numbers: Option<Vec<(usize, i128)>> =
            filled.into_iter().map(|(at, cell)| Some((at, amount(cell)?))).collect();
        numbers.is_some_and(|numbers| {
            numbers.iter().any(|(at, number)| sum(*at, *number))
                && numbers.iter().all(|(at, number)| sum(*at, *number) || *number == self.rows as i128)
        })
    }
}

fn is_total_word(cell: &str) -> bool {
    let text = bare(cell).to_lowercase();
    WORDS
        .iter()
        .any(|word| text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|sign: char| sign.is_alphanumeric())))
}

/// A number or an amount: digits, and what stands around and between them.
fn is_number(cell: &str) -> bool {
    let text = bare(cell).to_lowercase();
    let text = text.trim_start_matches("rp").trim_start_matches("idr");
    !text.is_empty() && text.chars().all(|sign| sign.is_ascii_digit() || ".,:-()/% ".contains(sign))
}

/// A number as a whole, in whichever way its thousands stand apart.
fn amount(cell: &str) -> Option<i128> {
    let text = clean(cell);
    isp_core::Money::parse(&text).map(|money| i128::from(money.as_i64())).ok().or_else(|| bare(&text).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Vec<String> {
        text.split(';').map(str::to_owned).collect()
    }

    fn totals(rows: &[&str]) -> Vec<bool> {
        let mut totals = Totals::new(Some(0));
        rows.iter().map(|text| totals.is_one(&row(text))).collect()
    }

    #[test]
    fn a_row_that_says_that_it_is_a_total_is_one() {
        for text in [
            "Total;;;4.500.000",
            ";;TOTAL;Rp 4.500.000,-",
            "Jumlah pelanggan: 25;;;",
            "JUMLAH;12;;1500000.00",
            ";Grand Total :;;12",
            "Sub Total;;-;3",
            "Rata-rata;;;150.000",
            // How many rows there are.
            "0;Total;;",
        ] {
            assert_eq!(totals(&[text]), [true], "{text}");
        }
        for text in [
            "P001;Total Persada;Jl. 1;150000",
            ";Total Persada;Jl. Merdeka;",
            "101;Total Persada;;0812",
            "P002;Jumlahwati;;",
            "1;2;3",
            ";;;",
            "Totalindo;;;12",
        ] {
            assert_eq!(totals(&[text]), [false], "{text}");
        }
    }

    #[test]
    fn a_row_of_sums_needs_no_word() {
        const ROWS: [&str; 3] = ["P1;Budi;Jl. 1;150.000", "P2;Ani;Jl. 2;200.000", "P3;Ita;Jl. 3;1"];
        let last = |text| totals(&[&ROWS[..], &[text]].concat())[3];
        assert!(last(";;;350.001") && last(";3;;350.001"));
        for text in [";;;350.000", "P4;;;350.001", "4;5;6;350.001", ";;;", "3;;;", ";3;;"] {
            assert!(!last(text), "{text}");
        }
        // A sum below each group, and one below all.
        let groups = ["P1;a;b;5", "P2;a;b;6", ";;;11", "P3;a;b;7", "P4;a;b;1", ";;;8", ";;;19"];
        assert_eq!(totals(&groups), [false, false, true, false, false, true, true]);
    }
}
