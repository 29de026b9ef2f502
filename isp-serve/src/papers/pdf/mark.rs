//! What is drawn where. All lengths are thousandths of a point (1/72 inch), counted from the upper left corner of the sheet.

use crate::papers::Sheet;

/// A tenth of a millimetre is 283 of these.
pub(super) const fn mm(tenths: i64) -> i64 {
    tenths * 283_465 / 1_000
}

/// How dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Black,
    Grey,
    Light,
}

/// One thing on a sheet.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// A line of text; `y` is where the letters stand.
    Text { x: i64, y: i64, size: i64, bold: bool, ink: Ink, text: String },
    /// A filled rectangle.
    Bar { x: i64, y: i64, width: i64, height: i64, ink: Ink },
    /// The logo.
    Logo { x: i64, y: i64, width: i64, height: i64 },
    /// A QR code with its quiet zone.
    Code { x: i64, y: i64, side: i64, text: String },
}

/// What is on one sheet.
pub(super) type Page = Vec<Mark>;

/// The sizes on a sheet.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) margin: i64,
    /// Letters of the text, of the small print, of the provider's name, of the title and of totals.
    pub(super) base: i64,
    pub(super) small: i64,
    pub(super) name: i64,
    pub(super) title: i64,
    pub(super) total: i64,
}

impl Scale {
    pub(super) const fn of(sheet: Sheet) -> Self {
        match sheet {
            Sheet::A4 => Self {
                width: mm(2100),
                height: mm(2970),
                margin: mm(160),
                base: 10_500,
                small: 9_000,
                name: 14_000,
                title: 17_000,
                total: 12_000,
            },
            Sheet::A5 => Self {
                width: mm(1480),
                height: mm(2100),
                margin: mm(90),
                base: 8_600,
                small: 7_600,
                name: 11_000,
                title: 13_000,
                total: 10_000,
            },
        }
    }
}
