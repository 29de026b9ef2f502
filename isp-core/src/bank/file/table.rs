//! CSV files of banks, known by their heading row.

use super::number::{day, hundredths};
use super::{BankFile, BankFormat, BankRow, account_code, rupiah};
use crate::calendar::Date;
use crate::error::Error;
use crate::text::Code;

/// The heading stands among the first so many lines.
const PREAMBLE: usize = 40;

/// Currencies of accounts at banks of Indonesia, beside the rupiah.
const CURRENCIES: &str =
    "usd sgd eur aud jpy gbp cny cnh hkd myr sar chf cad nzd thb krw twd php inr aed sek nok dkk vnd bnd";

/// Where things stand in a row.
#[derive(Debug, Default)]
struct Columns {
    width: usize,
    day: Option<usize>,
    texts: Vec<usize>,
    amount: Option<usize>,
    sign: Option<usize>,
    credit: Option<usize>,
    debit: Option<usize>,
    balance: Option<usize>,
    account: Option<usize>,
    /// With its heading.
    currency: Option<(usize, String)>,
}

/// What the lines around the rows say.
#[derive(Debug, Default)]
struct Around {
    account: Option<Code>,
    period: Option<(Date, Date)>,
    opening: Option<i64>,
    closing: Option<i64>,
}

pub(super) fn read(text: &str) -> Result<BankFile, Error> {
    let lines = records(text);
    let (at, divider, format, columns) = heading(&lines).ok_or(Error::UnknownBankFile)?;
    let mut around = Around::default();
    for (number, line) in &lines[..at] {
        around.look(*number, line)?;
    }
    let (mut rows, mut pending): (Vec<BankRow>, Vec<i64>) = (Vec::new(), Vec::new());
    let mut over = false;
    for (number, line) in &lines[at + 1..] {
        let bad = |reason| Error::BankRow { line: *number, reason };
        let cells = cells(line, divider);
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).map_or("", |c| c.trim());
        if cells.iter().all(|c| c.trim().is_empty()) {
            continue;
        }
        if over || is_footer(cells.first().map_or("", |c| c.trim())) {
            let stands = day(cell(columns.day), around.period).is_ok() && columns.amount_of(cell).is_ok_and(|n| n != 0);
            if over && stands {
                return Err(bad("it stands below the totals"));
            }
            over = true;
            around.look(*number, line)?;
            continue;
        }
        // Banks end a row with a divider too many, and leave out empty cells at its end.
        if cells.iter().skip(columns.width).any(|c| !c.trim().is_empty()) {
            return Err(bad("it has more cells than the heading"));
        }
        let text = columns.texts.iter().map(|at| cell(Some(*at))).filter(|t| !t.is_empty()).collect::<Vec<_>>();
        let text = text.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        let amount = columns.amount_of(cell).map_err(bad)?;
        let on = cell(columns.day).trim_matches('\'');
        if on.is_empty() && amount == 0 {
            // A text that goes on in the next line.
            let before = rows.last_mut().ok_or(bad("its day is missing"))?;
            before.text = format!("{} {text}", before.text).trim().to_owned();
            continue;
        }
        if on.eq_ignore_ascii_case("pend") {
            pending.push(amount);
            continue;
        }
        if amount == 0 {
            return Err(bad("its amount is missing"));
        }
        if let Some((at, heading)) = &columns.currency {
            rupiah(*number, heading, cell(Some(*at)))?;
        }
        if let Some(given) = columns.account.map(|at| account_code(cell(Some(at)))) {
            let account = given.map_err(|_| bad("its account is missing"))?;
            if around.account.get_or_insert_with(|| account.clone()) != &account {
                return Err(bad("it is of another account; give each account's rows as a file of their own"));
            }
        }
        let balance = match cell(columns.balance) {
            "" => None,
            text => Some(hundredths(text).map_err(|_| bad("its balance is no number"))?),
        };
        let on = day(on, around.period).map_err(bad)?;
        rows.push(BankRow { line: *number, on, hundredths: amount, text, balance });
    }
    whole(&mut rows, &pending, &around)?;
    Ok(BankFile { format, account: around.account, rows, pending: pending.len() })
}

/// Puts rows in the order of time, and fails unless they lead from one balance to the other.
fn whole(rows: &mut [BankRow], pending: &[i64], around: &Around) -> Result<(), Error> {
    // Sums of very many rows would not fit into 64 bits.
    let wide = i128::from;
    let sum: i128 = rows.iter().map(|r| wide(r.hundredths)).sum();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let mut newest_first = first.on > last.on;
    if let (Some(top), Some(bottom)) = (first.balance, last.balance) {
        let rises = wide(top) - wide(first.hundredths) + sum == wide(bottom);
        let falls = wide(bottom) - wide(last.hundredths) + sum == wide(top);
        if !rises && !falls {
            return Err(Error::BankTotals);
        }
        newest_first = if rises && falls { newest_first } else { falls };
    }
    if let (Some(opening), Some(closing)) = (around.opening, around.closing) {
        let waiting: i128 = pending.iter().copied().map(wide).sum();
        let led_to = wide(opening) + sum;
        if led_to != wide(closing) && led_to + waiting != wide(closing) {
            return Err(Error::BankTotals);
        }
    }
    if newest_first {
        rows.reverse();
    }
    Ok(())
}

impl Columns {
    /// Reads a heading row; `None` when it is none.
    fn of(cells: &[String]) -> Option<(BankFormat, Self)> {
        let names: Vec<String> = cells
            .iter()
            .map(|c| c.trim().trim_matches('\u{feff}').to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let mut found = Self { width: names.len(), ..Self::default() };
        let (mut branch, mut teller, mut account, mut post) = (false, false, false, false);
        for (at, name) in names.iter().enumerate() {
            match name.as_str() {
                "tanggal transaksi" | "date" | "post date" | "postdate" if found.day.is_none() => {
                    post = name == "post date";
                    found.day = Some(at);
                }
                "keterangan" | "description" | "remarks" | "uraian transaksi" | "reference no." | "reference no"
                | "additionaldesc" => found.texts.push(at),
                "jumlah" | "nominal" => found.amount = Some(at),
                "tipe" => found.sign = Some(at),
                // The letters for in and out have no heading of their own.
                "" if found.amount.is_some() && found.amount == at.checked_sub(1) => found.sign = Some(at),
                "kredit" | "credit" | "credit amount" => found.credit = Some(at),
                "debet" | "debit" | "debit amount" => found.debit = Some(at),
                "saldo" | "balance" | "close balance" => found.balance = Some(at),
                "account no" | "accountno" => {
                    account = true;
                    found.account = Some(at);
                }
                "mata uang" | "currency" | "ccy" | "curr" | "valuta" => {
                    found.currency = cells.get(at).map(|heading| (at, heading.trim().to_owned()));
                }
                "cabang" => branch = true,
                "teller" => teller = true,
                _ => {}
            }
        }
        let amounts = found.amount.is_some() || (found.credit.is_some() && found.debit.is_some());
        if found.day.is_none() || found.texts.is_empty() || !amounts {
            return None;
        }
        let format = match () {
            () if branch && found.amount.is_some() => BankFormat::Bca,
            () if account => BankFormat::Mandiri,
            () if teller => BankFormat::Bri,
            () if post || (found.amount.is_some() && found.sign.is_some()) => BankFormat::Bni,
            () => return None,
        };
        Some((format, found))
    }

    fn amount_of<'a>(&self, cell: impl Fn(Option<usize>) -> &'a str) -> Result<i64, &'static str> {
        if self.amount.is_none() {
            let (credit, debit) = (hundredths(cell(self.credit))?, hundredths(cell(self.debit))?);
            return match (credit, debit) {
                // Money in that is below zero is a transfer that the bank took back.
                (amount, 0) => Ok(amount),
                // Some banks write a minus before what went out, others none.
                (0, amount) => Ok(-amount.abs()),
                _ => Err("it has money in and money out"),
            };
        }
        let text = cell(self.amount);
        let amount = hundredths(text)?;
        if amount == 0 {
            return Ok(0);
        }
        if self.sign.is_some() {
            return match cell(self.sign).trim_matches('\'').to_ascii_uppercase().as_str() {
                "CR" | "C" | "K" | "KREDIT" | "CREDIT" => Ok(amount),
                "DB" | "DR" | "D" | "DEBIT" | "DEBET" => Ok(-amount.abs()),
                _ => Err("it does not say whether money came in or went out"),
            };
        }
        // Without letters, a credit of BCA's business file is one by `CR` or by nothing.
        Ok(amount)
    }
}

impl Around {
    /// Notes what a line above or below the rows says. Fails where it names another currency than rupiah.
    fn look(&mut self, number: usize, line: &str) -> Result<(), Error> {
        let plain = line.replace(['"', '\''], "");
        let lower = plain.to_lowercase();
        for label in ["mata uang", "currency"] {
            let after = lower.split_once(label).map_or("", |(_, after)| after);
            let mut words = after.split([' ', '\t', ':', ',', ';', '=']).filter(|word| !word.is_empty());
            // Another heading may stand behind it.
            if let Some(code) = words.next().filter(|word| CURRENCIES.split(' ').any(|code| code == *word)) {
                rupiah(number, label, code)?;
            }
        }
        if self.account.is_none() && (lower.contains("rekening") || lower.contains("account")) {
            let number = |word: &&str| word.bytes().filter(u8::is_ascii_digit).count() >= 6;
            let word = plain.split([':', ',', ';', ' ', '\t', '=']).find(number);
            self.account = word.and_then(|word| account_code(word).ok());
        }
        if lower.contains("periode") || lower.contains("period") {
            let words = plain.split([':', ',', ';', ' ', '\t']).filter(|word| word.contains('/'));
            let days: Vec<Date> = words.filter_map(|word| day(word, None).ok()).collect();
            if let [from, until] = days[..] {
                self.period = Some((from, until));
            }
        }
        for (label, kept) in [("saldo awal", &mut self.opening), ("saldo akhir", &mut self.closing)] {
            if let Some((_, after)) = lower.split_once(label) {
                let from = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
                let sign = if after[..from].trim_end().ends_with('-') { -1 } else { 1 };
                let amount: String =
                    after[from..].chars().take_while(|c| c.is_ascii_digit() || ".,".contains(*c)).collect();
                *kept = hundredths(amount.trim_end_matches([',', '.']))
                    .ok()
                    .filter(|_| !amount.is_empty())
                    .map(|n| n * sign);
            }
        }
        Ok(())
    }
}

fn is_footer(cell: &str) -> bool {
    let cell = cell.trim_matches(['"', '\'']).to_lowercase();
    ["saldo awal", "saldo akhir", "mutasi kredit", "mutasi debet", "mutasi debit", "total"]
        .iter()
        .any(|label| cell.starts_with(label))
}

fn heading(lines: &[(usize, String)]) -> Option<(usize, char, BankFormat, Columns)> {
    lines.iter().take(PREAMBLE).enumerate().find_map(|(at, (_, line))| {
        [',', ';', '\t'].into_iter().find_map(|divider| {
            let (format, columns) = Columns::of(&cells(line, divider))?;
            Some((at, divider, format, columns))
        })
    })
}

/// The lines of a file with their numbers; a line end in quotes ends no line.
fn records(text: &str) -> Vec<(usize, String)> {
    let mut records: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in (1..).zip(text.lines()) {
        match records.last_mut() {
            Some((_, before)) if open => {
                before.push(' ');
                before.push_str(line);
            }
            _ => records.push((number, line.to_owned())),
        }
        open ^= line.matches('"').count() % 2 == 1;
    }
    records
}

/// The cells of a line.
fn cells(line: &str, divider: char) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut signs = line.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => {
                signs.next();
                if let Some(cell) = cells.last_mut() {
                    cell.push('"');
                }
            }
            '"' => quoted = !quoted,
            _ if sign == divider && !quoted => cells.push(String::new()),
            _ => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(sign);
                }
            }
        }
    }
    cells
}
