//! What the columns of each file are called, and what they mean.

mod cost;
mod customer;
mod device;
mod everything;
mod line;
mod package;
mod place;

use isp_core::tax::TaxMode;
use isp_core::text::Code;
use isp_core::typed::bare;
use isp_core::{Error, Money, Secret};

pub use cost::{ExpenseRow, InstallationRow};
pub use customer::CustomerRow;
pub use device::CpeRow;
pub(crate) use everything::{EverythingRow, speed_in, without_blanks};
pub use line::SubscriptionRow;
pub use package::PackageRow;
pub use place::{RouterRow, SiteRow};

use super::cells::Cells;
use super::sheet::{Column, Origin, Placed};

/// A row of a file: its columns, and how a line becomes a value.
pub(super) trait FileRow: Sized {
    /// The file's usual name.
    const FILE: &'static str;
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// Reads a line; what is wrong is reported through `cells`.
    fn read(cells: &mut Cells<'_, '_>) -> Option<Self>;
}

macro_rules! placed {
    ($($row:ty),* $(,)?) => {$(
        impl Placed for $row {
            fn at(&self) -> &Origin {
                &self.at
            }
        }
    )*};
}

placed!(SiteRow, RouterRow, PackageRow, CustomerRow, SubscriptionRow, CpeRow, InstallationRow, ExpenseRow);

/// Columns of several files.
const CODE: &[&str] = &["kode", "code", "id"];
const SITE: &[&str] = &["site", "lokasi", "kode_site", "kode_lokasi"];
const CUSTOMER_ID: &[&str] = customer::CUSTOMER;

/// A password, taken as it stands. An export holds none, and what is known already needs none.
fn password(cells: &mut Cells<'_, '_>) -> Option<Secret> {
    cells.verbatim("password").map(Secret::new)
}

/// True for a row of an export that says that it has ended or was taken back.
fn is_over(cells: &mut Cells<'_, '_>) -> Option<bool> {
    Some(cells.maybe("ended", |text| Ok::<_, Error>(text.to_owned()))?.is_some())
}

/// Reads a whole number, also as `5.0`.
fn whole_number(text: &str) -> Option<u32> {
    let text = bare(text);
    let whole = text.split_once(['.', ',']).map_or(text.as_str(), |(whole, fraction)| {
        if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') { whole } else { "" }
    });
    whole.bytes().all(|byte| byte.is_ascii_digit()).then(|| whole.parse().ok()).flatten()
}

/// The code of a package as a sheet names it: the code itself, or one made of the name.
fn package_code(text: &str) -> Result<Code, Error> {
    Code::parse("package", text).or_else(|_| {
        let plain: String = text.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { ' ' }).collect();
        let words: Vec<String> = plain.split_whitespace().map(str::to_uppercase).collect();
        Code::parse("package", &words.join("-"))
    })
}

fn positive(field: &'static str, text: &str) -> Result<Money, Error> {
    Money::parse(text).and_then(|m| if m.is_positive() { Ok(m) } else { Err(Error::NotPositive { field }) })
}

fn not_negative(field: &'static str, text: &str) -> Result<Money, Error> {
    Money::parse(text).and_then(|m| if m < Money::ZERO { Err(Error::NotPositive { field }) } else { Ok(m) })
}

/// Reads whether a price contains PPN, in the words of an owner.
pub fn tax_mode(text: &str) -> Result<TaxMode, Error> {
    match text.trim().to_lowercase().as_str() {
        "belum termasuk" | "belum" | "exclusive" | "tidak termasuk" => Ok(TaxMode::Exclusive),
        "termasuk" | "sudah termasuk" | "inclusive" => Ok(TaxMode::Inclusive),
        _ => Err(Error::NotOneOf { field: "tax", expected: "exclusive (belum termasuk), inclusive (termasuk)" }),
    }
}

/// The code of an installation kind: its name in capitals with `-` for blanks.
fn kind_code(text: &str) -> Result<Code, Error> {
    let words: Vec<String> = text.split_whitespace().map(str::to_uppercase).collect();
    Code::parse("kind", &words.join("-"))
}

fn yes_or_no(field: &'static str, text: &str) -> Result<bool, Error> {
    match text.to_lowercase().as_str() {
        "ya" | "y" | "yes" | "true" | "1" => Ok(true),
        "tidak" | "t" | "no" | "n" | "false" | "0" => Ok(false),
        _ => Err(Error::NotOneOf { field, expected: "ya, tidak" }),
    }
}
