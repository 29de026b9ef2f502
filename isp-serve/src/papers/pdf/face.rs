//! The letters: which glyph stands for a sign, how wide it is, and where a line of text ends.

use krilla::text::Font;
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};

use super::PdfError;

const REGULAR: &[u8] = include_bytes!("../../../fonts/Roboto-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../../fonts/Roboto-Bold.ttf");

/// One weight of the letters.
pub(super) struct Face {
    pub(super) font: Font,
    letters: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    /// Units of the font in the size of its letters.
    pub(super) units: u16,
}

/// Both weights.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    pub(super) fn load() -> Result<Self, PdfError> {
        Ok(Self { regular: Face::load(REGULAR)?, bold: Face::load(BOLD)? })
    }

    pub(super) fn face(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }
}

impl Face {
    fn load(data: &'static [u8]) -> Result<Self, PdfError> {
        let font =
            Font::new(data.into(), 0).ok_or_else(|| PdfError::Library("the letters cannot be read".to_owned()))?;
        let read = FontRef::new(data).map_err(|error| PdfError::Library(error.to_string()))?;
        let whole = LocationRef::default();
        Ok(Self {
            font,
            letters: read.charmap(),
            widths: read.glyph_metrics(Size::unscaled(), whole),
            units: read.metrics(Size::unscaled(), whole).units_per_em,
        })
    }

    /// The glyph of a sign with its width in units of the font; glyph 0, an empty box, when the font has none.
    pub(super) fn glyph(&self, sign: char) -> (u32, u16) {
        let glyph = self.letters.map(sign).unwrap_or_default();
        // Widths in an unscaled font are whole numbers of 16 bits.
        let width = self.widths.advance_width(glyph).unwrap_or_default();
        (glyph.to_u32(), width as u16)
    }

    /// How wide a line of text is.
    pub(super) fn width(&self, text: &str, size: i64) -> i64 {
        let units: i64 = text.chars().map(|sign| i64::from(self.glyph(sign).1)).sum();
        units * size / i64::from(self.units)
    }

    /// The lines that a text makes: it is parted at blanks, and inside a word only where the word alone is too wide.
    pub(super) fn lines(&self, text: &str, size: i64, width: i64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(last) = lines.last_mut() {
                let longer = format!("{last} {word}");
                if self.width(&longer, size) <= width {
                    *last = longer;
                    continue;
                }
            }
            let mut part = String::new();
            for sign in word.chars() {
                part.push(sign);
                if self.width(&part, size) > width && part.chars().count() > 1 {
                    part.pop();
                    lines.push(std::mem::replace(&mut part, sign.to_string()));
                }
            }
            lines.push(part);
        }
        lines
    }
}
