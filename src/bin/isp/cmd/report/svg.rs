//! Charts as SVG: small, without scripts, readable in print and on a telephone. All coordinates are whole numbers.

use std::fmt::Write as _;

use isp_core::Money;
use isp_core::text::Language;

use super::html::escaped;
use super::picture::{Chart, Kind};
use crate::i18n::Texts;

/// Every chart is so wide in its own units; a telephone shows it about as large as this.
const WIDTH: i64 = 360;
const BAR: i64 = 24;
/// Where bars begin, and how long the longest is.
const LABELS: i64 = 112;
const LONGEST: i64 = 150;
/// The drawing of columns: its left and upper edge, and its size.
const LEFT: i64 = 52;
const TOP: i64 = 10;
const HIGH: i64 = 150;
const WIDE: i64 = WIDTH - LEFT - 4;
/// Labels below columns that do not touch.
const MONTHS: usize = 7;
/// Signs of a label beside a bar.
const SIGNS: usize = 17;

/// A chart as an SVG element.
pub(super) fn svg(chart: &Chart, texts: &Texts) -> String {
    match chart.kind {
        Kind::Bars => bars(chart),
        Kind::Columns => columns(chart, texts),
    }
}

fn open(chart: &Chart, height: i64) -> String {
    let title = escaped(&chart.title);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\" xmlns=\"http://www.w3.org/2000/svg\">"
    )
}

/// A value in full.
fn full(chart: &Chart, value: i64) -> String {
    if chart.money { Money::rupiah(value).to_string() } else { value.to_string() }
}

fn bars(chart: &Chart) -> String {
    let count = i64::try_from(chart.labels.len()).unwrap_or(0);
    let mut out = open(chart, count * BAR + 4);
    let values = chart.series.first().map_or(&[][..], |(_, values)| values.as_slice());
    let highest = values.iter().map(|value| value.abs()).max().unwrap_or(0).max(1);
    for ((label, value), place) in chart.labels.iter().zip(values).zip(0_i64..) {
        let (y, long) = (place * BAR, scaled(value.abs(), highest, LONGEST));
        let short: String = label.chars().take(SIGNS).collect();
        let short = if short.len() < label.len() { format!("{short}…") } else { short };
        let tone = if *value < 0 { "neg" } else { "s0" };
        let _ = write!(
            out,
            "<g><title>{}: {value}</title><text x=\"{}\" y=\"{text}\" class=\"e\">{}</text><rect class=\"{tone}\" x=\"{LABELS}\" y=\"{}\" width=\"{}\" height=\"14\"/><text x=\"{}\" y=\"{text}\">{value}</text></g>",
            escaped(label),
            LABELS - 6,
            escaped(&short),
            y + 4,
            long.max(1),
            LABELS + long + 5,
            text = y + 15,
            value = escaped(&full(chart, *value)),
        );
    }
    out + "</svg>"
}

fn columns(chart: &Chart, texts: &Texts) -> String {
    let all = || chart.series.iter().flat_map(|(_, values)| values.iter().copied());
    let (lowest, highest) = (all().min().unwrap_or(0).min(0), all().max().unwrap_or(0).max(0));
    let step = step(highest.max(-lowest));
    let (floor, ceiling) = (lowest.div_euclid(step) * step, -((-highest).div_euclid(step)) * step);
    let span = (ceiling - floor).max(1);
    let y = |value: i64| TOP + HIGH - scaled(value - floor, span, HIGH);
    let legend = TOP + HIGH + 34;
    let mut out = open(chart, legend + 16);
    let mut line = floor;
    while line <= ceiling {
        let class = if line == 0 { "zero" } else { "line" };
        let _ = write!(
            out,
            "<path class=\"{class}\" d=\"M{LEFT} {y}H{}\"/><text x=\"{}\" y=\"{}\" class=\"e\">{}</text>",
            LEFT + WIDE,
            LEFT - 5,
            y(line) + 4,
            short(line, texts.language()),
            y = y(line),
        );
        line += step;
    }
    let count = i64::try_from(chart.labels.len()).unwrap_or(1).max(1);
    let series = i64::try_from(chart.series.len()).unwrap_or(1).max(1);
    let place = WIDE / count;
    let width = (place * 4 / 5 / series).clamp(1, 26);
    let every = chart.labels.len().div_ceil(MONTHS).max(1);
    for ((label, at), x) in chart.labels.iter().enumerate().map(|(at, label)| (label, at)).zip(0_i64..) {
        let middle = LEFT + place * x + place / 2;
        for ((name, values), nth) in chart.series.iter().zip(0_i64..) {
            let value = values.get(at).copied().unwrap_or(0);
            let (top, bottom) = (y(value.max(0)), y(value.min(0)));
            let _ = write!(
                out,
                "<rect class=\"s{nth}\" x=\"{}\" y=\"{top}\" width=\"{width}\" height=\"{}\"><title>{}, {}: {}</title></rect>",
                middle - width * series / 2 + width * nth,
                bottom - top,
                escaped(label),
                escaped(name),
                escaped(&full(chart, value)),
            );
        }
        if at % every == 0 {
            let _ = write!(out, "<text x=\"{middle}\" y=\"{}\" class=\"m\">{}</text>", TOP + HIGH + 15, escaped(label));
        }
    }
    let mut x = LEFT - 44;
    for ((name, _), nth) in chart.series.iter().zip(0_i64..) {
        let _ = write!(
            out,
            "<rect class=\"s{nth}\" x=\"{x}\" y=\"{legend}\" width=\"10\" height=\"10\"/><text x=\"{}\" y=\"{}\">{}</text>",
            x + 14,
            legend + 9,
            escaped(name),
        );
        // About as wide as its letters, and a gap.
        x += 30 + 6 * i64::try_from(name.chars().count()).unwrap_or(0);
    }
    out + "</svg>"
}

/// A part of a length, as `value` is of `whole`.
fn scaled(value: i64, whole: i64, length: i64) -> i64 {
    i64::try_from(i128::from(value) * i128::from(length) / i128::from(whole.max(1))).unwrap_or(length)
}

/// A round distance between lines, so that there are at most five of them: 1, 2 or 5 with zeros.
fn step(highest: i64) -> i64 {
    let mut ten = 1_i64;
    loop {
        for digit in [1, 2, 5] {
            let step = ten.saturating_mul(digit);
            if highest / step < 4 || step == i64::MAX {
                return step;
            }
        }
        ten = ten.saturating_mul(10);
    }
}

/// A round number in few signs: 1,5 jt.
fn short(value: i64, language: Language) -> String {
    let units: [(i64, &str, &str); 4] =
        [(1_000_000_000_000, " T", "tn"), (1_000_000_000, " M", "bn"), (1_000_000, " jt", "m"), (1_000, " rb", "k")];
    let Some((unit, id, en)) = units.into_iter().find(|(unit, _, _)| value.abs() >= *unit) else {
        return value.to_string();
    };
    let tenths = i128::from(value) * 10 / i128::from(unit);
    let (whole, tenth) = (tenths / 10, (tenths % 10).abs());
    let (sign, name) = match language {
        Language::Id => (',', id),
        Language::En => ('.', en),
    };
    if tenth == 0 { format!("{whole}{name}") } else { format!("{whole}{sign}{tenth}{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_round_and_few() {
        for (highest, expected) in
            [(0, 1), (1, 1), (3, 1), (4, 2), (9, 5), (19, 5), (20, 10), (2_753_800, 1_000_000), (4_000_000, 2_000_000)]
        {
            assert_eq!(step(highest), expected, "{highest}");
        }
        assert!(step(i64::MAX) > 0);
    }

    #[test]
    fn numbers_are_short() {
        for (value, id, en) in [
            (0, "0", "0"),
            (999, "999", "999"),
            (1_500_000, "1,5 jt", "1.5m"),
            (-2_000_000_000, "-2 M", "-2bn"),
            (20_000, "20 rb", "20k"),
        ] {
            assert_eq!((short(value, Language::Id).as_str(), short(value, Language::En).as_str()), (id, en));
        }
    }

    #[test]
    fn every_chart_stays_in_its_frame() {
        let texts = Texts::load(Language::Id).unwrap();
        for values in [vec![], vec![0], vec![-5, 3], vec![i64::MAX / 4, -i64::MAX / 4], vec![1; 60]] {
            for kind in [Kind::Bars, Kind::Columns] {
                let chart = Chart {
                    title: "<b>&\"".into(),
                    kind,
                    money: false,
                    labels: values.iter().map(|value| format!("<{value}>")).collect(),
                    series: vec![("a".into(), values.clone()), ("b".into(), values.clone())],
                };
                let svg = svg(&chart, &texts);
                assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && !svg.contains("<b>"), "{svg}");
                for part in svg.split(" width=\"").skip(1).chain(svg.split(" height=\"").skip(1)) {
                    let size: i64 = part.split('"').next().unwrap().parse().unwrap();
                    assert!((0..=WIDTH).contains(&size), "{size}: {svg}");
                }
            }
        }
    }
}
