//! From marks on sheets to the file.

use isp_core::protection::FileKind;
use isp_core::text::Language;
use krilla::Document;
use krilla::color::rgb;
use krilla::destination::XyzDestination;
use krilla::error::KrillaError;
use krilla::geom::{PathBuilder, Point, Rect, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{GlyphId, KrillaGlyph};

use super::PdfError;
use super::face::{Face, Faces};
use super::mark::{Ink, Mark, Page, Scale};
use crate::pages::html::Code;
use crate::papers::{Logo, Paper, Sheet};

/// The quiet zone round a QR code, in its own squares.
const QUIET: usize = 4;

/// Points of thousandths of a point: the library wants floats, and only here there are any.
#[expect(clippy::float_arithmetic, reason = "the library takes points as floats")]
fn pt(thousandths: i64) -> f32 {
    thousandths as f32 / 1000.0
}

#[expect(clippy::float_arithmetic, reason = "the library takes widths as parts of the size of the letters")]
fn part(units: u16, of: u16) -> f32 {
    f32::from(units) / f32::from(of)
}

fn refused(error: &KrillaError) -> PdfError {
    PdfError::Library(match error {
        KrillaError::Image(_, _, reason) => format!("the logo: {reason}"),
        other => other.to_string(),
    })
}

/// The picture of a logo; it is read when a file with it is written.
pub(super) fn image(logo: &Logo) -> Result<Image, PdfError> {
    let data = logo.content.clone().into();
    match logo.kind {
        FileKind::Png => Image::from_png(data, true),
        FileKind::Jpeg => Image::from_jpeg(data, true),
        FileKind::Webp => Image::from_webp(data, true),
        FileKind::Pdf => Err("is no picture".to_owned()),
    }
    .map_err(|reason| PdfError::Library(format!("the logo: {reason}")))
}

/// Writes a file with nothing but a picture, and throws it away.
pub(super) fn trial(image: Image) -> Result<(), PdfError> {
    let mut document = Document::new();
    let mut page = document.start_page();
    let mut surface = page.surface();
    if let Some(size) = Size::from_wh(1.0, 1.0) {
        surface.draw_image(image, size);
    }
    surface.finish();
    page.finish();
    document.finish().map(drop).map_err(|error| refused(&error))
}

/// The file with all papers, with a mark for each where there are several.
pub(super) fn file(
    title: &str,
    papers: &[Paper],
    sheets: &[Vec<Page>],
    faces: &Faces,
    image: Option<Image>,
    sheet: Sheet,
    language: Language,
) -> Result<Vec<u8>, PdfError> {
    let scale = Scale::of(sheet);
    let mut document = Document::new();
    let mut metadata = Metadata::new().title(title.to_owned()).language(language.code().to_owned());
    if let Some(provider) = papers.first().map(|paper| &paper.provider).filter(|name| !name.is_empty()) {
        metadata = metadata.authors(vec![provider.clone()]);
    }
    document.set_metadata(metadata);
    let mut outline = Outline::new();
    let mut first = 0;
    for (paper, pages) in papers.iter().zip(sheets) {
        let to = XyzDestination::new(first, Point::from_xy(0.0, 0.0));
        outline.push_child(OutlineNode::new(paper.number.clone(), to));
        first += pages.len();
        for marks in pages {
            let size = PageSettings::from_wh(pt(scale.width), pt(scale.height))
                .ok_or_else(|| PdfError::Library("a sheet without size".to_owned()))?;
            let mut page = document.start_page_with(size);
            let mut surface = page.surface();
            marks.iter().for_each(|mark| draw(&mut surface, mark, faces, image.as_ref()));
            surface.finish();
            page.finish();
        }
    }
    if papers.len() > 1 {
        document.set_outline(outline);
    }
    document.finish().map_err(|error| refused(&error))
}

fn draw(surface: &mut Surface<'_>, mark: &Mark, faces: &Faces, image: Option<&Image>) {
    match mark {
        Mark::Text { x, y, size, bold, ink, text } => {
            let face = faces.face(*bold);
            let glyphs = glyphs(face, text);
            surface.set_fill(Some(fill(*ink)));
            surface.draw_glyphs(Point::from_xy(pt(*x), pt(*y)), &glyphs, face.font.clone(), text, pt(*size), false);
        }
        Mark::Bar { x, y, width, height, ink } => {
            let mut path = PathBuilder::new();
            if let Some(bar) = Rect::from_xywh(pt(*x), pt(*y), pt(*width), pt(*height)) {
                path.push_rect(bar);
            }
            fill_path(surface, path, *ink);
        }
        Mark::Logo { x, y, width, height } => {
            if let (Some(image), Some(size)) = (image, Size::from_wh(pt(*width), pt(*height))) {
                surface.push_transform(&Transform::from_translate(pt(*x), pt(*y)));
                surface.draw_image(image.clone(), size);
                surface.pop();
            }
        }
        Mark::Code { x, y, side, text } => {
            let Some(code) = Code::of(text) else { return };
            let squares = (code.side + 2 * QUIET) as i64;
            let at = |square: usize| (square + QUIET) as i64 * side / squares;
            let mut path = PathBuilder::new();
            for (column, row, run) in code.runs {
                let (left, top) = (at(column), at(row));
                let (right, bottom) = (at(column + run), at(row + 1));
                if let Some(dark) = Rect::from_ltrb(pt(x + left), pt(y + top), pt(x + right), pt(y + bottom)) {
                    path.push_rect(dark);
                }
            }
            fill_path(surface, path, Ink::Black);
        }
    }
}

fn glyphs(face: &Face, text: &str) -> Vec<KrillaGlyph> {
    let of = |(at, sign): (usize, char)| {
        let (glyph, width) = face.glyph(sign);
        let range = at..at + sign.len_utf8();
        KrillaGlyph::new(GlyphId::new(glyph), part(width, face.units), 0.0, 0.0, 0.0, range, None)
    };
    text.char_indices().map(of).collect()
}

fn fill_path(surface: &mut Surface<'_>, path: PathBuilder, ink: Ink) {
    if let Some(path) = path.finish() {
        surface.set_fill(Some(fill(ink)));
        surface.draw_path(&path);
    }
}

fn fill(ink: Ink) -> Fill {
    let grey = match ink {
        Ink::Black => 0x11,
        Ink::Grey => 0x55,
        Ink::Light => 0xbb,
    };
    Fill { paint: rgb::Color::new(grey, grey, grey).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}
