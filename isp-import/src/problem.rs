//! What is wrong with a row.

use std::fmt;

use serde::Serialize;

/// A bad cell, row or file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// Name of the file, without its folder.
    pub file: String,
    /// Line in the file, counted from 1; the header is line 1. 0 for the file as a whole.
    pub line: u64,
    /// The column as the file's header names it; empty for the row as a whole.
    pub column: String,
    /// Why.
    #[serde(serialize_with = "as_code")]
    pub problem: Problem,
}

fn as_code<S: serde::Serializer>(problem: &Problem, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(problem.code())
}

impl fmt::Display for RowError {
    /// `customers.csv:7 (nik): NIK is not valid ... [customer.nik]`, for logs and tests.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if !self.column.is_empty() {
            write!(f, " ({})", self.column)?;
        }
        write!(f, ": {} [{}]", self.problem, self.problem.code())
    }
}

/// Why a row cannot be taken. No variant holds what is personal in a cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The domain refuses the value.
    #[error(transparent)]
    Value(#[from] isp_core::Error),
    /// The file cannot be opened or read.
    #[error("the file cannot be read: {0}")]
    File(String),
    /// A file that is no workbook by what is in it, or a workbook that calls itself CSV.
    #[error("the file is not a workbook that can be read, or a workbook under the name of a CSV file")]
    Workbook,
    /// A row about a customer whose data was erased.
    #[error("the data of this customer was erased; leave the row out")]
    Erased,
    /// A workbook that would take more memory than a provider's books ever do.
    #[error(
        "the workbook is too large to be read: delete what stands far outside of the table, or divide it into several files"
    )]
    TooLarge,
    /// No sheet of a workbook is what was asked for.
    #[error("no sheet of this workbook is of that kind; name the sheet so")]
    NoSuchSheet,
    /// Two files of the same kind.
    #[error("{other} is of the same kind; leave one of both out")]
    TwoFiles {
        /// The other one.
        other: String,
    },
    /// No line near the top holds a known column.
    #[error("no line is a header with known columns: {known}")]
    NoHeader {
        /// The columns that are known.
        known: String,
    },
    /// A column that this file does not have.
    #[error("no column of this file is called so; known are {known}")]
    UnknownColumn {
        /// The columns that are known.
        known: String,
    },
    /// A column that a sheet with everything has, in a file of customers or of lines.
    #[error("a column of a sheet with everything; this file is read as a file of something else")]
    ColumnOfEverything,
    /// Two columns that mean the same.
    #[error("two columns mean the same")]
    RepeatedColumn,
    /// A needed column is missing.
    #[error("this column is missing")]
    MissingColumn,
    /// A sheet of customers without their numbers.
    #[error("customers have no numbers in this sheet")]
    NoCustomerNumbers,
    /// More or fewer cells than the header.
    #[error("the row has {found} cells, the header {expected}")]
    Cells {
        /// Cells in the row.
        found: usize,
        /// Cells in the header.
        expected: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("the text is not UTF-8; save the file as \"CSV UTF-8\"")]
    Utf8,
    /// An opened quotation mark without an end, or other broken CSV.
    #[error("the row is not valid CSV")]
    Csv,
    /// A spreadsheet shows an error in the cell, such as `#REF!`.
    #[error("the spreadsheet shows an error in this cell")]
    SheetError,
    /// Digits of which a spreadsheet may have lost some.
    #[error("a spreadsheet may have lost digits of it")]
    Rounded,
    /// The sheet is hidden.
    #[error("this sheet is hidden")]
    HiddenSheet,
    /// Rows that are hidden or filtered away.
    #[error("{count} rows are hidden: {lines}")]
    HiddenRows {
        /// How many.
        count: usize,
        /// Which.
        lines: String,
    },
    /// A column that is hidden.
    #[error("this column is hidden")]
    HiddenColumn,
    /// Nobody knows whether the day or the month comes first.
    #[error("the day or the month may come first")]
    DayOrder,
    /// Most NIK of a file end in 0.
    #[error("{count} of {of} NIK end in 0, as after rounding by a spreadsheet")]
    RoundedNiks {
        /// How many do.
        count: usize,
        /// Of how many.
        of: usize,
    },
    /// A package has other terms on an earlier line.
    #[error("line {first_line} has other terms for this package")]
    OtherTerms {
        /// The earlier line.
        first_line: u64,
    },
    /// The cell names something that is neither in the files nor in the database.
    #[error("no such {0}, neither in the files nor in the database")]
    Unknown(Noun),
    /// The row names a package that is neither in the files nor in the database.
    #[error("the package {} is neither in the files nor in the database", .name.as_deref().unwrap_or("of this row"))]
    UnknownPackage {
        /// What the row calls it; `None` where that may be something else than a package.
        name: Option<String>,
    },
    /// A row of a sheet with everything sells a package at another price than the books.
    #[error("{package} costs {books} a month in the books, and here {here}")]
    OtherPrice {
        /// The package.
        package: isp_core::text::Code,
        /// Its price in the sheet.
        here: isp_core::Money,
        /// Its price in the books.
        books: isp_core::Money,
    },
    /// A package is named by a name that several have.
    #[error("{count} packages have this name; write the code")]
    WhichPackage {
        /// How many.
        count: usize,
    },
    /// The same key stands in an earlier line.
    #[error("the same {noun} stands in line {first_line}")]
    Repeated {
        /// What is the same.
        noun: Noun,
        /// The earlier line.
        first_line: u64,
    },
    /// The database has the key for somebody else.
    #[error("the database has this {0} for somebody else")]
    Taken(Noun),
    /// Not an IPv4 or IPv6 address.
    #[error("not an IP address")]
    Ip,
    /// Not a number in the range.
    #[error("not a whole number from {least} to {most}")]
    Number {
        /// Smallest accepted.
        least: u32,
        /// Largest accepted.
        most: u32,
    },
    /// An installation of a customer without a subscription.
    #[error("the customer has no subscription that this could be the installation of")]
    NoSubscription,
    /// The row is likely to be one that is in the books already, corrected; written beside it, it would count twice.
    #[error("this {row} is likely the {known} of the books, corrected")]
    LikelyDouble {
        /// What the row says.
        row: String,
        /// What the books have.
        known: String,
    },
    /// A line that names no router, where there is none to take.
    #[error("there is no router yet")]
    NoRouterYet,
    /// Two rows of one NIK.
    #[error("{row} has the NIK of {other}")]
    SameNik {
        /// The row.
        row: String,
        /// The row above it.
        other: String,
    },
    /// A line that names no router, where there are several.
    #[error("there are {count} routers")]
    WhichRouter {
        /// How many.
        count: usize,
    },
    /// An installation without a fee, of a kind without a price.
    #[error("no fee is given and this kind has no price yet")]
    NoFee,
}

impl Problem {
    /// A stable code; also the key of its text in the locales.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Value(error) => error.code(),
            Self::File(_) => "import.file",
            Self::Workbook => "import.workbook",
            Self::Erased => "import.erased",
            Self::TooLarge => "import.too_large",
            Self::NoSuchSheet => "import.no_such_sheet",
            Self::TwoFiles { .. } => "import.two_files",
            Self::SheetError => "import.sheet_error",
            Self::Rounded => "import.rounded",
            Self::HiddenSheet => "import.hidden_sheet",
            Self::HiddenRows { .. } => "import.hidden_rows",
            Self::HiddenColumn => "import.hidden_column",
            Self::DayOrder => "import.day_order",
            Self::RoundedNiks { .. } => "import.rounded_niks",
            Self::OtherTerms { .. } => "import.other_terms",
            Self::NoHeader { .. } => "import.no_header",
            Self::UnknownColumn { .. } => "import.unknown_column",
            Self::ColumnOfEverything => "import.column_of_everything",
            Self::UnknownPackage { .. } => "import.unknown_package",
            Self::WhichPackage { .. } => "import.which_package",
            Self::OtherPrice { .. } => "import.other_price",
            Self::RepeatedColumn => "import.repeated_column",
            Self::MissingColumn => "import.missing_column",
            Self::NoCustomerNumbers => "import.no_customer_numbers",
            Self::Cells { .. } => "import.cells",
            Self::Utf8 => "import.utf8",
            Self::Csv => "import.csv",
            Self::Unknown(_) => "import.unknown",
            Self::Repeated { .. } => "import.repeated",
            Self::Taken(_) => "import.taken",
            Self::Ip => "import.ip",
            Self::Number { .. } => "import.number",
            Self::NoSubscription => "import.no_subscription",
            Self::NoFee => "import.no_fee",
            Self::NoRouterYet => "import.no_router_yet",
            Self::WhichRouter { .. } => "import.which_router",
            Self::LikelyDouble { .. } => "import.likely_double",
            Self::SameNik { .. } => "import.same_nik",
        }
    }

    /// True when a person may say that the row is right as it is: it looks like a slip or a double.
    pub const fn is_question(&self) -> bool {
        matches!(
            self,
            Self::LikelyDouble { .. }
                | Self::SameNik { .. }
                | Self::RoundedNiks { .. }
                | Self::Rounded
                | Self::HiddenSheet
                | Self::HiddenRows { .. }
                | Self::HiddenColumn
                | Self::Value(isp_core::Error::Implausible { .. } | isp_core::Error::CashShort { .. })
        )
    }
}

/// What a cell refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Noun {
    /// A site.
    Site,
    /// A router.
    Router,
    /// A package.
    Package,
    /// A customer.
    Customer,
    /// A user name on a router, or what stands for it.
    Username,
    /// The serial number of a device.
    Serial,
}

impl Noun {
    /// The key of its name in the locales.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Site => "noun.site",
            Self::Router => "noun.router",
            Self::Package => "noun.package",
            Self::Customer => "noun.customer",
            Self::Username => "noun.username",
            Self::Serial => "noun.serial",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Site => "site",
            Self::Router => "router",
            Self::Package => "package",
            Self::Customer => "customer",
            Self::Username => "user name on this router",
            Self::Serial => "serial number",
        })
    }
}
