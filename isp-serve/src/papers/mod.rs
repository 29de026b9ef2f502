//! Bills and receipts for customers. [`bill`] and [`receipt`] say what stands on one; [`document`] shows it as one HTML page with
//! nothing from elsewhere, and [`pdf`] as a PDF file, both on sheets of A4 or A5.

mod bill;
mod content;
mod page;
mod pdf;
mod receipt;
#[cfg(test)]
mod tests;

use isp_core::engine::{BillPaper, Papers, ReceiptPaper};
use isp_core::message::Sender;
use isp_core::payment::Qris;
use isp_core::ports::PortError;
use isp_core::protection::FileKind;
use isp_core::text::Language;

pub use bill::bill;
pub use content::{Fact, Paper, Row, Sign, Sum, Ways, Whose};
pub use page::document;
pub use pdf::{PdfError, pdf};
pub use receipt::receipt;

/// Whose papers these are, besides name, ways to pay and contact, which messages have, too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letterhead {
    /// The address, a line each.
    pub address: Vec<String>,
    /// The tax number.
    pub npwp: Option<String>,
    /// A picture that stands in front of the name.
    pub logo: Option<Logo>,
    /// The size of a sheet.
    pub size: Sheet,
}

/// A logo: a picture that was read through once.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    kind: FileKind,
    content: Vec<u8>,
}

impl Logo {
    /// The largest file.
    pub const LARGEST: usize = 512 * 1024;
    /// The most pixels, so that a small file cannot ask for much memory.
    pub const PIXELS: u64 = 4_000_000;

    /// Takes a picture: JPEG, PNG or WEBP of at most [`Logo::LARGEST`] bytes and [`Logo::PIXELS`] pixels that can be read to its
    /// end. `None` for anything else.
    #[must_use]
    pub fn of(content: &[u8]) -> Option<Self> {
        let kind = FileKind::of(content).filter(|kind| *kind != FileKind::Pdf)?;
        let logo = (content.len() <= Self::LARGEST).then(|| Self { kind, content: content.to_vec() })?;
        pdf::readable(&logo).then_some(logo)
    }
}

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logo").field("kind", &self.kind).field("bytes", &self.content.len()).finish()
    }
}

impl Papers for Stationery<'_> {
    fn bills(&self, bills: &[BillPaper]) -> Result<Vec<u8>, PortError> {
        let papers: Vec<Paper> = bills.iter().map(|paper| bill(paper, self)).collect();
        self.file(&papers)
    }

    fn receipt(&self, paper: &ReceiptPaper) -> Result<Vec<u8>, PortError> {
        self.file(&[receipt(paper, self)])
    }
}

impl Stationery<'_> {
    /// One file, named by its first paper and in its language.
    fn file(&self, papers: &[Paper]) -> Result<Vec<u8>, PortError> {
        let (title, language) =
            papers.first().map_or(("", Language::Id), |first| (first.number.as_str(), first.language));
        let refused = |error: PdfError| PortError::Refused { code: error.code(), reason: error.to_string() };
        pdf(title, papers, self.letterhead, language).map_err(refused)
    }
}

/// The size of a sheet of paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sheet {
    /// 210 x 297 mm.
    #[default]
    A4,
    /// 148 x 210 mm.
    A5,
}

impl Sheet {
    /// Its name, as CSS has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A4 => "A4",
            Self::A5 => "A5",
        }
    }

    /// Reads its name, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::A4, Self::A5].into_iter().find(|sheet| sheet.name().eq_ignore_ascii_case(text.trim()))
    }
}

/// What papers of a provider have in common.
#[derive(Debug, Clone, Copy)]
pub struct Stationery<'a> {
    /// Name, ways to pay and contact.
    pub sender: Option<&'a Sender>,
    /// Address, tax number and logo.
    pub letterhead: &'a Letterhead,
    /// The provider's own QRIS code.
    pub qris: Option<&'a Qris>,
}

/// The name of a file for a paper that is named so, without its ending.
#[must_use]
pub fn file_name(named: &str) -> String {
    let plain = |sign: char| if sign.is_ascii_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
    named.chars().map(plain).collect()
}

/// Words in the language of a paper.
#[derive(Clone, Copy)]
struct Words(Language);

impl Words {
    fn of(self, indonesian: &'static str, english: &'static str) -> &'static str {
        if self.0 == Language::Id { indonesian } else { english }
    }
}
