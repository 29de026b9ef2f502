//! Questions that a person has answered: rows that look like a slip or a double and are right.

use std::collections::HashSet;
use std::str::FromStr;

use super::problem::RowError;

/// The rows whose questions are answered with yes.
#[derive(Debug, Clone, Default)]
pub struct Accept(HashSet<Accepted>);

/// A row, `customers.csv:7`, or all rows of a file, `customers.csv`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Accepted {
    file: String,
    line: Option<u64>,
}

impl Accepted {
    /// A line of a file as [`RowError`] names both; without a line all of the file.
    #[must_use]
    pub fn new(file: String, line: Option<u64>) -> Self {
        Self { file, line }
    }
}

impl FromStr for Accepted {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = "not a file of the import, or a file and a line such as customers.csv:7";
        match text.rsplit_once(':') {
            _ if text.trim().is_empty() => Err(bad),
            None => Ok(Self { file: text.trim().to_owned(), line: None }),
            Some((file, line)) => {
                let line = line.trim().parse().map_err(|_| bad)?;
                Ok(Self { file: file.trim().to_owned(), line: Some(line) })
            }
        }
    }
}

impl Accept {
    /// Those rows.
    pub fn new(accepted: impl IntoIterator<Item = Accepted>) -> Self {
        Self(accepted.into_iter().collect())
    }

    /// True when what is wrong with a row is a question, and it was answered.
    pub fn covers(&self, error: &RowError) -> bool {
        let answered = |line| self.0.contains(&Accepted { file: error.file.clone(), line });
        error.problem.is_question() && (answered(None) || answered(Some(error.line)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::Problem;
    use super::*;

    #[test]
    fn only_questions_of_these_rows_are_answered() {
        let error = |line, problem| RowError { file: "a.csv".into(), line, column: String::new(), problem };
        let asked = || Problem::Value(isp_core::Error::Implausible { field: "price", value: "Rp1".into() });
        let accept = Accept::new(["a.csv:2".parse().unwrap()]);
        assert!(accept.covers(&error(2, asked())) && !accept.covers(&error(3, asked())));
        assert!(!accept.covers(&error(2, Problem::Ip)));
        assert!(Accept::new(["a.csv".parse().unwrap()]).covers(&error(9, asked())));
        assert!("".parse::<Accepted>().is_err() && "a.csv:x".parse::<Accepted>().is_err());
    }
}
