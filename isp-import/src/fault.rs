//! What many rows share is said once. Every host that tells a person what is wrong with an import tells it so.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use isp_core::text::Language;

use super::problem::RowError;

/// So many lines, or runs of lines, are listed.
const LISTED: usize = 10;

/// What is wrong with one row, or with many in the same words.
#[derive(Debug)]
pub struct Fault<'a> {
    /// The first of the errors; the others differ from it in their lines alone.
    pub first: &'a RowError,
    /// Their lines, in the order of the errors, which is never empty.
    pub lines: Vec<u64>,
}

impl Fault<'_> {
    /// The lines as a person reads them, `3, 5-9, 12`: the first ten runs, and `...` where there are more. Empty for a
    /// file as a whole.
    #[must_use]
    pub fn listed(&self) -> String {
        let mut lines: Vec<u64> = self.lines.iter().copied().filter(|line| *line != 0).collect();
        lines.sort_unstable();
        lines.dedup();
        let mut listed: Vec<String> = lines
            .chunk_by(|before, after| before + 1 == *after)
            .filter_map(|run| Some((run.first()?, run.last()?)))
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        if listed.len() > LISTED {
            listed.truncate(LISTED);
            listed.push("...".to_owned());
        }
        listed.join(", ")
    }
}

/// Puts the errors of one file and column that have the same words together, each group where its first error stands. A
/// question stays alone, because each has an answer of its own.
#[must_use]
pub fn faults(errors: &[RowError]) -> Vec<Fault<'_>> {
    let mut known: HashMap<(&str, &str, &str, String), usize> = HashMap::new();
    let mut faults: Vec<Fault<'_>> = Vec::new();
    for error in errors {
        let (problem, at) = (&error.problem, faults.len());
        if !problem.is_question() {
            let words = problem.said(Language::En);
            match known.entry((&error.file, &error.column, problem.code(), words)) {
                Entry::Occupied(there) => {
                    if let Some(fault) = faults.get_mut(*there.get()) {
                        fault.lines.push(error.line);
                    }
                    continue;
                }
                Entry::Vacant(new) => {
                    new.insert(at);
                }
            }
        }
        faults.push(Fault { first: error, lines: vec![error.line] });
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::problem::{Noun, Problem};
    use super::*;

    fn error(line: u64, column: &str, problem: Problem) -> RowError {
        RowError { file: "semua.csv".into(), line, column: column.into(), problem }
    }

    fn shown(errors: &[RowError]) -> Vec<(String, usize, &'static str)> {
        faults(errors).iter().map(|f| (f.listed(), f.lines.len(), f.first.problem.code())).collect()
    }

    #[test]
    fn what_many_rows_share_is_said_once_and_the_rest_each() {
        let router = |line| error(line, "router", Problem::NoRouterYet);
        let twice = |line, first_line| error(line, "username", Problem::Repeated { noun: Noun::Username, first_line });
        let mut errors: Vec<RowError> = (2..=91).map(router).collect();
        errors.extend([error(40, "ip", Problem::Ip), twice(50, 3), twice(60, 4), router(95)]);
        errors.push(error(96, "router", Problem::WhichRouter { count: 3 }));
        errors.push(error(97, "ip_2", Problem::Ip));
        errors.sort_by_key(|error| error.line);
        assert_eq!(
            shown(&errors),
            [
                ("2-91, 95".to_owned(), 91, "import.no_router_yet"),
                ("40".to_owned(), 1, "import.ip"),
                ("50".to_owned(), 1, "import.repeated"),
                ("60".to_owned(), 1, "import.repeated"),
                ("96".to_owned(), 1, "import.which_router"),
                ("97".to_owned(), 1, "import.ip"),
            ]
        );
    }

    #[test]
    fn questions_and_files_stay_apart() {
        let asked = || Problem::Value(isp_core::Error::Implausible { field: "price", value: "Rp1".into() });
        let other = RowError { file: "lain.csv".into(), ..error(3, "ip", Problem::Ip) };
        let errors = [error(2, "price", asked()), error(3, "price", asked()), error(3, "ip", Problem::Ip), other];
        assert_eq!(faults(&errors).len(), 4);
    }

    #[test]
    fn the_first_lines_are_listed() {
        let odd: Vec<RowError> = (0..300).map(|n| error(2 * n + 3, "nik", Problem::Csv)).collect();
        assert_eq!(shown(&odd), [("3, 5, 7, 9, 11, 13, 15, 17, 19, 21, ...".to_owned(), 300, "import.csv")]);
    }
}
