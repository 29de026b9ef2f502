//! A table as people read it: headings in their language, columns that fit the screen.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use crate::i18n::Texts;
use crate::output::Cell;

/// What stands between two columns, and at both ends of a row, where there is room for it.
const GAP: usize = 3;

/// What stands between two columns where room is short.
const NARROW: usize = 2;

/// These say nothing that most people look for. They go while all else would fit whole, the least important first.
const GO_FIRST: [&str; 18] = [
    "answer",
    "callback",
    "account_id",
    "checksum",
    "bytes",
    "tenant",
    "tax",
    "language",
    "zone",
    "attempts",
    "holder",
    "mac",
    "outdoor_unit",
    "cpe_router",
    "ip",
    "group",
    "service",
    "sold",
];

/// These go when not all fits although long texts were made shorter, the least important first. After them go other words, the
/// last column first, then numbers, then amounts; see [`Importance`].
const GO_NEXT: [&str; 41] = [
    "id",
    "biller",
    "months",
    "timing",
    "billing_day",
    "recorded",
    "created",
    "updated",
    "kind",
    "channel",
    "collector",
    "speed",
    "officer",
    "given_back",
    "written_off",
    "credit",
    "statement",
    "period",
    "coordinates",
    "anchor",
    "discount",
    "start",
    "issued",
    "isolated",
    "site",
    "address",
    "confirmed",
    "paid",
    "ppn",
    "provider",
    "price",
    "access",
    "next_attempt",
    "username",
    "topic",
    "router",
    "package",
    "overdue",
    "by",
    "status",
    "state",
];

/// Names and the like: cut where room is short, as far as this many signs.
const CUT: [&str; 6] = ["name", "address", "outdoor_unit", "cpe_router", "holder", "file"];
const CUT_TO: usize = 12;

/// Sentences: they take several lines where room is short, of no fewer signs than these.
const WRAPPED: [&str; 19] = [
    "note", "reason", "reversed", "changes", "command", "evidence", "clue", "finding", "todo", "sentence", "value",
    "expected", "actual", "text", "remark", "ended", "invoices", "at", "what",
];
const WRAPPED_TO: usize = 12;

/// A heading.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    /// The key of its column; `None` where each table has other columns, such as months.
    pub(crate) key: Option<&'static str>,
    /// As it is read.
    pub(crate) text: String,
    /// True for numbers.
    pub(crate) right: bool,
    /// True for what the table is looked at for.
    pub(crate) needed: bool,
}

/// Headings, and the cells below them.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) headings: Vec<Heading>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// How much a column matters on a screen that has no room for all, those that go first first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Importance {
    /// Nothing stands in it.
    Empty,
    /// One of [`GO_FIRST`].
    Little(usize),
    /// Nothing but zeros stands in it.
    Zeros,
    /// One of [`GO_NEXT`].
    Some(usize),
    /// Other words; the columns are counted from the right.
    Words(usize),
    /// Of months, the oldest goes first; the total is last.
    Month(usize),
    /// Other numbers.
    Numbers(usize),
    /// Other amounts.
    Amounts(usize),
    /// What the table is looked at for.
    Needed,
}

/// What a column takes.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// With all of its heading and cells on one line.
    whole: usize,
    /// With all of its cells on one line.
    cells: usize,
    /// When its heading takes several lines, and its texts are cut or do so, too.
    least: usize,
}

impl Grid {
    /// As text, with at most so many signs a line. What is left out is named in the last line.
    pub(crate) fn text(&self, texts: &Texts, room: Option<usize>) -> String {
        let lines: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|c| c.shown(texts)).collect()).collect();
        let sizes: Vec<Size> = (0..self.headings.len()).map(|at| self.size(&lines, at)).collect();
        let whole = sizes.iter().map(|size| size.whole + GAP).sum::<usize>().saturating_sub(1);
        let Some(room) = room.filter(|room| whole > *room) else { return self.wide(&lines) };
        let kept = self.fitting(&sizes, room);
        let gone = |at: &usize| !kept.contains(at);
        // One thing alone is told line by line, and nothing of it is left out.
        if let [only] = lines.as_slice()
            && (0..sizes.len()).filter(gone).any(|at| !only[at].is_empty())
        {
            return self.told(only, room);
        }
        let mut text = self.narrow(&lines, &sizes, &kept, room);
        // Nobody misses a column that is empty.
        let left_out: Vec<&str> = (0..sizes.len())
            .filter(|at| gone(at) && self.importance(*at) != Importance::Empty)
            .map(|at| self.headings[at].text.as_str())
            .collect();
        if !left_out.is_empty() {
            text += &texts.with("output.left_out", &[("columns", left_out.join(", "))]);
            text.push('\n');
        }
        text
    }

    /// All columns, as wide as they are.
    fn wide(&self, lines: &[Vec<String>]) -> String {
        let mut table = Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table
            .load_style(TableStyle::new().header_separator(rule))
            .set_content_arrangement(ContentArrangement::Disabled);
        let all: Vec<usize> = (0..self.headings.len()).collect();
        self.filled(table, lines, &all)
    }

    /// The columns that are kept, made as narrow as they have to be.
    fn narrow(&self, lines: &[Vec<String>], sizes: &[Size], kept: &[usize], room: usize) -> String {
        let mut table = Table::new();
        table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::try_from(room).unwrap_or(u16::MAX));
        let Some(widths) = shared_out(sizes, kept, room) else {
            // Two columns always stay. On a screen that is too narrow for them their cells take several lines.
            return self.filled(table, lines, kept);
        };
        let mut cut = lines.to_vec();
        for (width, at) in widths.iter().zip(kept).filter(|(_, at)| self.is(**at, &CUT)) {
            for line in &mut cut {
                line[*at] = shortened(&line[*at], *width);
            }
        }
        table.set_header(kept.iter().map(|at| &self.headings[*at].text));
        for (place, width) in widths.iter().enumerate() {
            let behind = if place + 1 == widths.len() { 0 } else { NARROW };
            if let Some(column) = table.column_mut(place) {
                let sign = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
                column.set_padding((0, sign(behind)));
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(sign(width + behind))));
            }
        }
        self.filled(table, &cut, kept)
    }

    /// A table with these columns filled in.
    fn filled(&self, mut table: Table, lines: &[Vec<String>], kept: &[usize]) -> String {
        table.set_header(kept.iter().map(|at| &self.headings[*at].text));
        for line in lines {
            table.add_row(kept.iter().map(|at| &line[*at]));
        }
        for (place, at) in kept.iter().enumerate() {
            if let Some(shown) = table.column_mut(place).filter(|_| self.headings[*at].right) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// One row, a line for each column that says something.
    fn told(&self, row: &[String], room: usize) -> String {
        let said = || self.headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        let front = said().map(|(heading, _)| heading.text.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        for (heading, cell) in said() {
            let words = wrapped(cell, room.saturating_sub(front + GAP).max(CUT_TO));
            for (count, words) in words.iter().enumerate() {
                let name = if count == 0 { heading.text.as_str() } else { "" };
                text += &format!(" {name:front$}  {words}\n");
            }
        }
        text
    }

    /// What a column takes.
    fn size(&self, lines: &[Vec<String>], at: usize) -> Size {
        let heading = &self.headings[at].text;
        let cells = lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0);
        let word = heading.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
        let shrunk = match () {
            () if self.is(at, &CUT) => cells.min(CUT_TO),
            () if self.is(at, &WRAPPED) => cells.min(WRAPPED_TO),
            () => cells,
        };
        Size { whole: cells.max(heading.chars().count()), cells: cells.max(word), least: shrunk.max(word) }
    }

    fn is(&self, at: usize, list: &[&str]) -> bool {
        self.headings[at].key.is_some_and(|key| list.contains(&key))
    }

    fn importance(&self, at: usize) -> Importance {
        let heading = &self.headings[at];
        let place = |list: &[&str]| heading.key.and_then(|key| list.iter().position(|known| *known == key));
        let mut cells = self.rows.iter().map(|row| &row[at]);
        let zero = |cell: &Cell| match cell {
            Cell::Money(money) => money.is_zero(),
            Cell::Number(number) => *number == 0,
            Cell::Empty => true,
            _ => false,
        };
        if cells.clone().all(|cell| matches!(cell, Cell::Empty) || *cell == Cell::Text(String::new())) {
            return Importance::Empty;
        }
        if heading.needed {
            return Importance::Needed;
        }
        if let Some(place) = place(&GO_FIRST) {
            return Importance::Little(place);
        }
        if heading.key.is_some() && cells.clone().all(zero) {
            return Importance::Zeros;
        }
        if let Some(place) = place(&GO_NEXT) {
            return Importance::Some(place);
        }
        match heading.key {
            None => Importance::Month(at),
            Some(_) if cells.any(|cell| matches!(cell, Cell::Money(_))) => Importance::Amounts(at),
            Some(_) if heading.right => Importance::Numbers(at),
            Some(_) => Importance::Words(self.headings.len() - at),
        }
    }

    /// The columns that fit, in their order. The first two that say something stay: they say what a row is about.
    fn fitting(&self, sizes: &[Size], room: usize) -> Vec<usize> {
        let mut kept: Vec<usize> = (0..sizes.len()).collect();
        let takes = |kept: &[usize], size: fn(&Size) -> usize| {
            kept.iter().map(|at| size(&sizes[*at]) + NARROW).sum::<usize>().saturating_sub(NARROW)
        };
        let front: Vec<usize> =
            kept.iter().copied().filter(|at| self.importance(*at) != Importance::Empty).take(2).collect();
        let mut going: Vec<(Importance, usize)> =
            kept.iter().filter(|at| !front.contains(at)).map(|at| (self.importance(*at), *at)).collect();
        going.sort_unstable();
        for (importance, at) in going {
            let enough = match importance {
                Importance::Empty | Importance::Little(_) => takes(&kept, |size| size.cells) <= room,
                _ => takes(&kept, |size| size.least) <= room,
            };
            if !enough {
                kept.retain(|known| *known != at);
            }
        }
        kept
    }
}

/// How wide each column is that is kept; `None` where not even the narrowest fit.
fn shared_out(sizes: &[Size], kept: &[usize], room: usize) -> Option<Vec<usize>> {
    let mut widths: Vec<usize> = kept.iter().map(|at| sizes[*at].least).collect();
    let gaps = NARROW * kept.len().saturating_sub(1);
    let mut spare = room.checked_sub(widths.iter().sum::<usize>() + gaps)?;
    // Cells first, then headings; the narrowest of those that lack something first.
    for wanted in [|size: &Size| size.cells, |size: &Size| size.whole] {
        while spare > 0 {
            let lacking = (0..kept.len()).filter(|place| widths[*place] < wanted(&sizes[kept[*place]]));
            let Some(place) = lacking.min_by_key(|place| widths[*place]) else { break };
            widths[place] += 1;
            spare -= 1;
        }
    }
    Some(widths)
}

/// A text of at most so many signs.
fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let front: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", front.trim_end())
}

/// A text in lines of at most so many signs, divided between words where they are short enough.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let signs: Vec<char> = word.chars().collect();
        let parts = signs.chunks(width.max(1)).map(|part| part.iter().collect::<String>());
        for (count, part) in parts.enumerate() {
            let last = lines.last_mut().map_or(0, |line| line.chars().count());
            match lines.last_mut() {
                Some(line) if count == 0 && last == 0 => *line = part,
                Some(line) if count == 0 && last + 1 + part.chars().count() <= width => {
                    line.push(' ');
                    line.push_str(&part);
                }
                _ => lines.push(part),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use isp_core::text::Language;

    use super::*;
    use crate::output::{Rows, column, number};

    fn shown(room: Option<usize>) -> String {
        let texts = Texts::load(Language::En).unwrap();
        let columns = [column("code"), column("name"), column("tax"), column("address"), column("end"), number("owed")];
        let mut rows = Rows::new(&columns);
        for (code, name) in [("P001", "Budi Santoso"), ("P002", "Siti")] {
            rows.push(vec![
                Cell::text(code),
                Cell::text(name),
                Cell::text("inclusive"),
                Cell::text("Jl. Merdeka 1, Bandung"),
                Cell::Empty,
                isp_core::Money::rupiah(165_000).into(),
            ]);
        }
        rows.grid(&texts).text(&texts, room)
    }

    #[test]
    fn the_least_important_columns_go_first_and_are_named() {
        let all = shown(None);
        let width = all.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(all.contains("inclusive") && all.contains("Bandung") && all.contains("end"), "{all}");
        assert_eq!(shown(Some(width)), all, "what fits stays");
        // An empty column goes without a word.
        let less = shown(Some(66));
        assert!(!less.contains("end") && !less.contains("Left out") && less.contains("inclusive"), "{less}");
        let less = shown(Some(60));
        assert!(!less.contains("inclusive") && less.contains("Bandung") && less.contains("Rp165.000"), "{less}");
        assert_eq!(less.lines().last().unwrap(), "Left out for the width of the screen: ppn (--wide shows all).");
        // A long text is cut before its column goes, and an amount is whole.
        let less = shown(Some(48));
        assert!(less.contains("Jl. Merdeka") && less.contains('…') && less.contains("Rp165.000"), "{less}");
        let least = shown(Some(38));
        assert!(least.contains("Rp165.000") && !least.contains("Merdeka"), "{least}");
        for room in 16..width {
            let text = shown(Some(room));
            let table = text.lines().take_while(|line| !line.starts_with("Left out"));
            // Two columns stay, however narrow the screen is.
            assert!(text.contains("Budi") && text.contains("Santoso"), "{text}");
            assert!(table.map(|line| line.chars().count()).max().unwrap() <= room, "{room}: {text}");
        }
    }

    #[test]
    fn one_row_that_does_not_fit_is_told_line_by_line() {
        let texts = Texts::load(Language::En).unwrap();
        let mut rows = Rows::new(&[column("code"), column("name"), column("address"), number("owed")]);
        let owed = isp_core::Money::rupiah(165_000);
        let address = "Jl. Merdeka 1, Bandung, Jawa Barat";
        rows.push(vec![Cell::text("P001"), Cell::text("Budi Santoso"), Cell::text(address), owed.into()]);
        let shown = |room| rows.grid(&texts).text(&texts, Some(room));
        assert_eq!(shown(200).lines().count(), 3);
        assert_eq!(
            shown(30),
            " code     P001\n name     Budi Santoso\n address  Jl. Merdeka 1,\n          Bandung, Jawa Barat\n owed     Rp165.000\n"
        );
    }

    #[test]
    fn what_the_table_is_looked_at_for_stays_and_sentences_take_several_lines() {
        let texts = Texts::load(Language::En).unwrap();
        let columns =
            [column("customer"), column("reference"), column("channel"), number("left"), column("reversed").needed()];
        let mut rows = Rows::new(&columns);
        for why in ["a slip of the keyboard, typed twice", ""] {
            let left = isp_core::Money::rupiah(1_000);
            rows.push(vec![
                Cell::text("P001"),
                Cell::text("KW-0042"),
                Cell::text("cash"),
                left.into(),
                if why.is_empty() { Cell::Empty } else { Cell::text(why) },
            ]);
        }
        let text = rows.grid(&texts).text(&texts, Some(44));
        for word in ["slip", "keyboard,", "twice", "Rp1.000"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains("cash"), "{text}");
        assert!(text.lines().take_while(|l| !l.starts_with("Left out")).all(|l| l.chars().count() <= 44), "{text}");
    }
}
