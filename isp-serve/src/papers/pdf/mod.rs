//! Papers as a PDF file. The same papers make the same bytes: there is no clock and nothing random in it.

mod draw;
mod face;
mod flow;
mod mark;
#[cfg(test)]
mod tests;

use isp_core::text::Language;

use super::{Letterhead, Logo, Paper};
use face::Faces;

/// Why a PDF file could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PdfError {
    /// The library that writes the file refused.
    #[error("the PDF file cannot be made: {0}")]
    Library(String),
}

impl PdfError {
    /// A stable code for programs and documentation.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Library(_) => "paper.pdf",
        }
    }

    /// Never: the same papers would be refused again.
    #[must_use]
    pub fn retryable(&self) -> bool {
        false
    }
}

/// A PDF file that holds papers, each on sheets of its own. A table that is longer than a sheet goes on on the next one, under the
/// heads of its columns.
///
/// The letters are Roboto's, of which those that are used are in the file: Latin with all its accents, Greek and Cyrillic. A sign
/// of another script is shown as an empty box; who searches the file or copies from it finds the sign.
///
/// # Errors
/// [`PdfError::Library`].
pub fn pdf(title: &str, papers: &[Paper], letterhead: &Letterhead, language: Language) -> Result<Vec<u8>, PdfError> {
    let faces = Faces::load()?;
    let image = letterhead.logo.as_ref().map(draw::image).transpose()?;
    let size = image.as_ref().map(|image| image.size());
    let sheets: Vec<Vec<mark::Page>> =
        papers.iter().map(|paper| flow::pages(paper, &faces, letterhead.size, size)).collect();
    draw::file(title, papers, &sheets, &faces, image, letterhead.size, language)
}

/// True for a logo that can be read to its end and is not too large.
pub(super) fn readable(logo: &Logo) -> bool {
    let small = |image: &krilla::image::Image| {
        let (width, height) = image.size();
        (1..=Logo::PIXELS).contains(&(u64::from(width) * u64::from(height)))
    };
    // The picture is read when a file with it is written, so one is.
    draw::image(logo).is_ok_and(|image| small(&image) && draw::trial(image).is_ok())
}
