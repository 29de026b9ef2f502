//! A table as people read it: headings in their language, columns that fit the screen.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::i18n::Texts;
use crate::output::Cell;

/// What stands between two columns, and at both ends of a row.
const GAP: usize = 3;

/// A column never gets narrower than its widest cell; those that do not fit are left out. These go first, the least important
/// first. Then the last column goes, and so on. The first two columns stay: they say what a row is about.
const GO_FIRST: [&str; 44] = [
    "id",
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
    "speed",
    "sold",
    "confirmed",
    "note",
    "reason",
    "remark",
    "by",
    "officer",
    "at",
    "recorded",
    "created",
    "updated",
    "username",
    "months",
    "discount",
    "coordinates",
    "address",
    "site",
    "start",
    "anchor",
    "billing_day",
    "credit",
    "router",
    "days_late",
    "phone",
    "price",
    "package",
];

/// A heading.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    /// The key of its column; `None` where each table has other columns, such as months.
    pub(crate) key: Option<&'static str>,
    /// As it is read.
    pub(crate) text: String,
    /// True for numbers.
    pub(crate) right: bool,
}

/// Headings, and the cells below them.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) headings: Vec<Heading>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// As text, with at most so many signs a line. What is left out is named in the last line.
    pub(crate) fn text(&self, texts: &Texts, room: Option<usize>) -> String {
        let lines: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|c| c.shown(texts)).collect()).collect();
        let kept = room.map_or_else(|| (0..self.headings.len()).collect(), |room| self.fitting(&lines, room));
        let mut table = Table::new();
        let rule = LineStyle::none().fill('─').junction('─');
        table
            .load_style(TableStyle::new().header_separator(rule))
            .set_content_arrangement(ContentArrangement::Disabled);
        // Two columns always stay. On a screen that is too narrow for them their cells take several lines.
        if let Some(room) = room.filter(|room| self.needed(&lines, &kept) > *room) {
            let width = u16::try_from(room).unwrap_or(u16::MAX);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        table.set_header(kept.iter().map(|at| &self.headings[*at].text));
        for line in &lines {
            table.add_row(kept.iter().map(|at| &line[*at]));
        }
        for (place, at) in kept.iter().enumerate() {
            if let Some(shown) = table.column_mut(place).filter(|_| self.headings[*at].right) {
                shown.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut text: String = table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect();
        let left_out: Vec<&str> = (0..self.headings.len())
            .filter(|at| !kept.contains(at))
            .map(|at| self.headings[at].text.as_str())
            .collect();
        if !left_out.is_empty() {
            text += &texts.with("output.left_out", &[("columns", left_out.join(", "))]);
            text.push('\n');
        }
        text
    }

    /// How many signs a line of these columns has.
    fn needed(&self, lines: &[Vec<String>], kept: &[usize]) -> usize {
        kept.iter().map(|at| self.width(lines, *at)).sum::<usize>().saturating_sub(1)
    }

    /// How many signs a column has, with what stands between it and the next.
    fn width(&self, lines: &[Vec<String>], at: usize) -> usize {
        let cells = lines.iter().map(|line| line[at].chars().count());
        cells.chain([self.headings[at].text.chars().count()]).max().unwrap_or(0) + GAP
    }

    /// The columns that fit, in their order.
    fn fitting(&self, lines: &[Vec<String>], room: usize) -> Vec<usize> {
        let widths: Vec<usize> = (0..self.headings.len()).map(|at| self.width(lines, at)).collect();
        let mut kept: Vec<usize> = (0..widths.len()).collect();
        while kept.iter().map(|at| widths[*at]).sum::<usize>() > room + 1 && kept.len() > 2 {
            let rank =
                |at: usize| self.headings[at].key.and_then(|key| GO_FIRST.iter().position(|known| *known == key));
            let first = kept[2..].iter().copied().filter_map(|at| Some((rank(at)?, at))).min().map(|(_, at)| at);
            // Of months, the oldest goes; the total is last.
            let next = first.or_else(|| kept[1..].iter().copied().find(|at| self.headings[*at].key.is_none()));
            let gone = next.or(kept.last().copied());
            kept.retain(|at| Some(*at) != gone);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use isp_core::text::Language;

    use super::*;
    use crate::output::{Rows, column, number};

    fn shown(room: Option<usize>) -> String {
        let texts = Texts::load(Language::En).unwrap();
        let mut rows = Rows::new(&[column("code"), column("name"), column("tax"), column("address"), number("owed")]);
        rows.push(vec![
            Cell::text("P001"),
            Cell::text("Budi Santoso"),
            Cell::text("inclusive"),
            Cell::text("Jl. Merdeka 1, Bandung"),
            isp_core::Money::rupiah(165_000).into(),
        ]);
        rows.grid(&texts).text(&texts, room)
    }

    #[test]
    fn the_least_important_columns_go_first_and_are_named() {
        let all = shown(None);
        let width = all.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(all.contains("inclusive") && all.contains("Bandung"), "{all}");
        assert_eq!(shown(Some(width)), all, "what fits stays");
        let less = shown(Some(width - 1));
        assert!(!less.contains("inclusive") && less.contains("Bandung") && less.contains("Rp165.000"), "{less}");
        assert_eq!(less.lines().last().unwrap(), "Left out for the width of the screen: ppn (--wide shows all).");
        let least = shown(Some(40));
        assert!(least.contains("Rp165.000") && !least.contains("Bandung"), "{least}");
        for room in 16..width {
            let text = shown(Some(room));
            let table = text.lines().take_while(|line| !line.starts_with("Left out"));
            // Two columns stay, however narrow the screen is.
            assert!(text.contains("Budi") && text.contains("Santoso"), "{text}");
            assert!(table.map(|line| line.chars().count()).max().unwrap() <= room, "{room}: {text}");
        }
    }
}
