//! Reports as one page that needs nothing else: no script, no request, readable in print.

use std::fmt::Write as _;

use super::picture::Section;
use super::svg::svg;
use crate::i18n::Texts;
use crate::output::harmless;

const STYLE: &str = include_str!("page.css");

/// The page of some reports. `about` says whose they are and of which day.
pub(in crate::cmd) fn page(about: &str, sections: &[Section], texts: &Texts) -> String {
    let title = match sections {
        [one] => one.title.clone(),
        _ => texts.t("report.all"),
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header><h1>{title}</h1><p>{}</p>",
        texts.language().code(),
        escaped(about),
        title = escaped(&title),
    );
    if sections.len() > 1 {
        out += "<nav>";
        for (at, section) in sections.iter().enumerate() {
            let _ = write!(out, "<a href=\"#r{at}\">{}</a> ", escaped(&section.title));
        }
        out += "</nav>";
    }
    out += "</header>\n";
    for (at, section) in sections.iter().enumerate() {
        let _ = writeln!(out, "<section id=\"r{at}\">");
        if sections.len() > 1 {
            let _ = writeln!(out, "<h2>{}</h2>", escaped(&section.title));
        }
        out += "<div class=\"charts\">\n";
        for chart in &section.charts {
            let _ = writeln!(
                out,
                "<figure><figcaption>{}</figcaption>{}</figure>",
                escaped(&chart.title),
                svg(chart, texts)
            );
        }
        out += "</div>\n";
        for (heading, grid) in &section.tables {
            if !heading.is_empty() {
                let _ = writeln!(out, "<h3>{}</h3>", escaped(heading));
            }
            if grid.rows.is_empty() {
                let _ = writeln!(out, "<p>{}</p>", escaped(&texts.t("output.none")));
                continue;
            }
            out += "<div class=\"table\"><table>\n<thead><tr>";
            for column in &grid.headings {
                let class = if column.right { " class=\"n\"" } else { "" };
                let _ = write!(out, "<th{class}>{}</th>", escaped(&column.text));
            }
            out += "</tr></thead>\n<tbody>\n";
            for row in &grid.rows {
                out += "<tr>";
                for (column, cell) in grid.headings.iter().zip(row) {
                    let class = if column.right { " class=\"n\"" } else { "" };
                    let _ = write!(out, "<td{class}>{}</td>", escaped(&cell.shown(texts)));
                }
                out += "</tr>\n";
            }
            out += "</tbody></table></div>\n";
        }
        out += "</section>\n";
    }
    out + "</body>\n</html>\n"
}

/// A text that is only a text.
pub(in crate::cmd) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in harmless(text).chars() {
        match sign {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            sign => out.push(sign),
        }
    }
    out
}
