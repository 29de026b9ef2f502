//! How large a workbook may be. A file of a kilobyte can unpack to gigabytes, or hold a cell in the last corner of a sheet; the program
//! that reads it serves others, too.

use std::io::{Cursor, Read, copy, sink};

use zip::ZipArchive;

use super::hidden;
use crate::problem::Problem;

/// Bytes to which all parts may unpack: a sheet of 100,000 rows and twenty columns has about 80 million.
const UNPACKED: u64 = 256 * 1024 * 1024;
/// Places in the lines of all sheets: 100,000 rows of forty columns.
const PLACES: u64 = 4_000_000;

/// The room for places that is left.
#[derive(Debug, Clone)]
pub(super) struct Room(u64);

impl Default for Room {
    fn default() -> Self {
        Self(PLACES)
    }
}

impl Room {
    /// Takes the room of so many places.
    ///
    /// # Errors
    /// [`Problem::TooLarge`].
    pub(super) fn take(&mut self, places: u64) -> Result<(), Problem> {
        self.0 = self.0.checked_sub(places).ok_or(Problem::TooLarge)?;
        Ok(())
    }
}

/// Whether what a workbook unpacks to can be read. One that is no archive, such as `.xls`, is as large as its file.
///
/// # Errors
/// [`Problem::TooLarge`], or [`Problem::Workbook`].
pub(super) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else { return Ok(()) };
    let mut left = UNPACKED;
    for at in 0..zip.len() {
        // What cannot be unpacked is not read later, either.
        let Ok(part) = zip.by_index(at) else { continue };
        if part.size() > left {
            return Err(Problem::TooLarge);
        }
        // The archive may say less than there is.
        let unpacked = copy(&mut part.take(left + 1), &mut sink()).unwrap_or(0);
        left = left.checked_sub(unpacked).ok_or(Problem::TooLarge)?;
    }
    // The reader of `.ods` lays out all places at once.
    let places = hidden::places(bytes).map_err(|_| Problem::Workbook)?;
    Room::default().take(places.unwrap_or(0))
}
