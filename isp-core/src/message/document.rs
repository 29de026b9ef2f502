//! A file that goes with a message.

use std::fmt;

/// A PDF file that goes with a message. Personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name, as the customer sees it: letters, digits, `-`, `_`, `+` and `.`, with its ending.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

impl Document {
    /// The name of a file that holds papers: that of the first number, and how many more there are.
    ///
    /// ```
    /// use isp_core::message::Document;
    /// assert_eq!(Document::name_of("INV-202601-000042", 0), "INV-202601-000042.pdf");
    /// assert_eq!(Document::name_of("TRX 77/A", 2), "TRX-77-A+2.pdf");
    /// ```
    #[must_use]
    pub fn name_of(number: &str, more: usize) -> String {
        let plain = |sign: char| if sign.is_ascii_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
        let number: String = number.chars().map(plain).collect();
        match more {
            0 => format!("{number}.pdf"),
            more => format!("{number}+{more}.pdf"),
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}
