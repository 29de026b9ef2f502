//! Proofs of transfer (*bukti transfer*): a picture or a page by which a customer says that something was paid (rule P8).
//!
//! While the first proof of an invoice waits for review, no run isolates the line of that invoice. It waits for so many working
//! days from its arrival, or from the day on which the line could be isolated first, and no longer; a second proof of the invoice is kept and holds nothing.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::ids::{CustomerId, InvoiceId, PaymentId, ProofId, derive};
use crate::money::{Money, plausible_amount};
use crate::payment::Transfer;
use crate::text::{given, hex, one_line};

/// A proof of transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The row: it follows from the customer and the file, so that the same file sent twice is one proof.
    pub id: ProofId,
    /// Whose.
    pub customer_id: CustomerId,
    /// The invoices that it is for; at least one.
    pub invoices: Vec<InvoiceId>,
    /// How much was transferred, as the customer says.
    pub amount: Money,
    /// When it arrived.
    pub arrived_at: DateTime<Utc>,
    /// Who took it, or the way by which it came.
    pub by: String,
    /// Kind, size and digest of what was sent, without its content.
    pub file: ProofFile,
    /// What a person said about it; `None` while it waits.
    #[serde(default)]
    pub review: Option<Review>,
}

/// What is known of a proof's file without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofFile {
    /// Its name, as it was sent.
    pub name: String,
    /// What it is, by its first bytes.
    pub kind: FileKind,
    /// Its length in bytes.
    pub size: u32,
    /// Its SHA-256 in hex digits.
    pub sha256: String,
}

impl ProofFile {
    /// The largest file that is taken.
    pub const MOST_BYTES: usize = 5 * 1024 * 1024;
    /// The longest name that is kept.
    const LONGEST_NAME: usize = 100;

    /// Looks at a file. What it is follows from its content and never from its name.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::ProofTooLarge`], [`Error::ProofKind`].
    pub fn of(name: &str, content: &[u8]) -> Result<Self, Error> {
        if content.is_empty() {
            return Err(Error::Empty { field: "file" });
        }
        let too_large = Error::ProofTooLarge { most: Self::MOST_BYTES / (1024 * 1024) };
        let size = u32::try_from(content.len()).map_err(|_| too_large.clone())?;
        if content.len() > Self::MOST_BYTES {
            return Err(too_large);
        }
        let kind = FileKind::of(content).ok_or(Error::ProofKind)?;
        // A name says nothing that matters: a folder before it and what is too long or unprintable goes.
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain: String = last.chars().filter(|c| !c.is_control()).take(Self::LONGEST_NAME).collect();
        let name = one_line("file", &plain, Self::LONGEST_NAME).unwrap_or_else(|_| format!("bukti.{}", kind.code()));
        Ok(Self { name, kind, size, sha256: hex(&Sha256::digest(content)) })
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A photo.
    Jpeg,
    /// A screenshot.
    Png,
    /// A picture in the web's own format.
    Webp,
    /// A document.
    Pdf,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Webp, Self::Pdf];

    /// What a file is by its first bytes; `None` for anything else.
    #[must_use]
    pub fn of(content: &[u8]) -> Option<Self> {
        match content {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }

    /// Its code, which is the end of its name, too.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Pdf => "pdf",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }

    /// Reads its code.
    ///
    /// # Errors
    /// [`Error::NotOneOf`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.into_iter().find(|kind| kind.code() == text);
        known.ok_or(Error::NotOneOf { field: "kind", expected: "jpeg, png, webp, pdf" })
    }
}

/// The bytes of a proof's file. They show a person's account, so they are never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ProofContent(Vec<u8>);

impl ProofContent {
    /// Keeps bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ProofContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProofContent({} bytes)", self.0.len())
    }
}

/// What a person said about a proof. There is one review of a proof, and it stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What.
    pub verdict: Verdict,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Why; empty for one that was accepted.
    pub reason: String,
}

/// What became of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "payment_id", rename_all = "snake_case")]
pub enum Verdict {
    /// The money is there: this is its payment.
    Accepted(PaymentId),
    /// The money is not there.
    Rejected,
    /// The proof was recorded by mistake, such as at another customer: it counts for no invoice.
    TakenBack,
}

/// What a person may say about a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewKind {
    /// The money is there.
    Accepted,
    /// It is not.
    Rejected,
    /// The proof was recorded by mistake.
    TakenBack,
}

impl Verdict {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(self) -> ReviewKind {
        match self {
            Self::Accepted(_) => ReviewKind::Accepted,
            Self::Rejected => ReviewKind::Rejected,
            Self::TakenBack => ReviewKind::TakenBack,
        }
    }
}

/// Whether a proof may be reviewed so: by somebody, with a reason unless the money is there, and once.
///
/// # Errors
/// [`Error::ProofReviewed`]; [`Error::Empty`] without who or why.
pub fn check_review(kind: ReviewKind, by: &str, reason: &str, reviewed: bool) -> Result<(), Error> {
    if reviewed {
        return Err(Error::ProofReviewed);
    }
    given("by", by)?;
    if kind == ReviewKind::Accepted { Ok(()) } else { given("reason", reason) }
}

/// A payment of the customer in money that stands, and that belongs to no proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPayment {
    /// What it is called: its provider and reference.
    pub name: String,
    /// How much.
    pub amount: Money,
    /// When the customer paid.
    pub paid_at: DateTime<Utc>,
}

/// Whether the money of a proof that is accepted is new (rule P8). The bank's file, or another officer, may have been faster, under a
/// reference that does not stand on the customer's picture. `open` is what is still open of the proof's invoices, `others` are the
/// customer's other payments.
///
/// ```
/// use isp_core::{calendar::{Date, Zone}, Error, Money, protection::proof::{OtherPayment, money_is_new}};
/// let day = |text| Date::parse(text).unwrap().at(9, 0, Zone::Wib);
/// let (rp, friday) = (Money::rupiah, day("2026-01-16"));
/// let of_bank = OtherPayment { name: "bri MUT-1".into(), amount: rp(166_500), paid_at: day("2026-01-19") };
/// let booked = Error::ProofBooked { payment: "bri MUT-1".into() };
/// assert_eq!(money_is_new(rp(166_500), friday, rp(166_500), &[of_bank.clone()]), Err(booked));
/// assert_eq!(money_is_new(rp(166_500), day("2026-02-16"), rp(166_500), &[of_bank]), Ok(()));
/// assert_eq!(money_is_new(rp(166_500), friday, Money::ZERO, &[]), Err(Error::ProofSettled));
/// ```
///
/// # Errors
/// [`Error::ProofBooked`], [`Error::ProofSettled`]; who is sure that the customer paid twice says so.
pub fn money_is_new(amount: Money, paid_at: DateTime<Utc>, open: Money, others: &[OtherPayment]) -> Result<(), Error> {
    let apart = |other: &OtherPayment| (other.paid_at - paid_at).abs();
    let same =
        |other: &&OtherPayment| other.amount == amount && apart(other) <= TimeDelta::days(Transfer::APART.into());
    match others.iter().filter(same).min_by_key(|other| apart(other)) {
        Some(other) => Err(Error::ProofBooked { payment: other.name.clone() }),
        None if open.is_positive() => Ok(()),
        None => Err(Error::ProofSettled),
    }
}

impl Review {
    /// A first review.
    ///
    /// # Errors
    /// As [`check_review`].
    pub fn try_new(verdict: Verdict, at: DateTime<Utc>, by: &str, reason: &str) -> Result<Self, Error> {
        check_review(verdict.kind(), by, reason, false)?;
        Ok(Self { verdict, at, by: by.trim().to_owned(), reason: reason.trim().to_owned() })
    }
}

impl Proof {
    /// So many of a customer may wait at once.
    pub const MOST_WAITING: usize = 5;

    /// Over how much a new proof is: what the customer says, else what is owed of its invoices.
    ///
    /// ```
    /// use isp_core::{Error, money::Money, protection::Proof};
    /// let (owed, most) = (Money::rupiah(166_500), Proof::MOST_WAITING);
    /// assert_eq!(Proof::admit(None, owed, 0, false), Ok(owed));
    /// assert_eq!(Proof::admit(Some(Money::rupiah(100_000)), owed, 0, false), Ok(Money::rupiah(100_000)));
    /// assert_eq!(Proof::admit(None, Money::ZERO, 0, false), Err(Error::NothingOwed));
    /// assert_eq!(Proof::admit(None, owed, most, false), Err(Error::TooManyProofs { limit: most }));
    /// // Who types one rupiah is asked, and may be sure of it.
    /// assert!(Proof::admit(Some(Money::rupiah(1)), owed, 0, false).is_err());
    /// assert_eq!(Proof::admit(Some(Money::rupiah(1)), owed, 0, true), Ok(Money::rupiah(1)));
    /// ```
    ///
    /// # Errors
    /// [`Error::NothingOwed`], [`Error::TooManyProofs`]; [`Error::NotPositive`] for the amount, and [`Error::Implausible`] unless
    /// somebody is sure of it.
    pub fn admit(amount: Option<Money>, owed: Money, waiting: usize, sure: bool) -> Result<Money, Error> {
        if !owed.is_positive() {
            return Err(Error::NothingOwed);
        }
        if waiting >= Self::MOST_WAITING {
            return Err(Error::TooManyProofs { limit: Self::MOST_WAITING });
        }
        match amount {
            Some(amount) if !amount.is_positive() => Err(Error::NotPositive { field: "amount" }),
            Some(amount) if amount != owed && !sure => plausible_amount("amount", amount).map(|()| amount),
            Some(amount) => Ok(amount),
            None => Ok(owed),
        }
    }

    /// A proof that arrived with this file. `nth` counts the proofs of the same file that were taken back before.
    ///
    /// # Errors
    /// [`Error::Empty`] without an invoice or without who took it, [`Error::NotPositive`] for the amount.
    pub fn try_new(
        customer_id: CustomerId,
        invoices: &[InvoiceId],
        amount: Money,
        arrived_at: DateTime<Utc>,
        by: &str,
        file: ProofFile,
        nth: usize,
    ) -> Result<Self, Error> {
        given("by", by)?;
        if invoices.is_empty() {
            return Err(Error::Empty { field: "invoices" });
        }
        if !amount.is_positive() {
            return Err(Error::NotPositive { field: "amount" });
        }
        let mut invoices = invoices.to_vec();
        invoices.sort_unstable();
        invoices.dedup();
        let id = ProofId(derive(customer_id.0, &["proof", &file.sha256, &nth.to_string()]));
        Ok(Self { id, customer_id, invoices, amount, arrived_at, by: by.trim().to_owned(), file, review: None })
    }

    /// `waiting`, `accepted`, `rejected` or `taken_back`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self.review.as_ref().map(|review| review.verdict) {
            None => "waiting",
            Some(Verdict::Accepted(_)) => "accepted",
            Some(Verdict::Rejected) => "rejected",
            Some(Verdict::TakenBack) => "taken_back",
        }
    }

    /// True while nobody has reviewed it.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.review.is_none()
    }

    /// The proof, unless it was reviewed before.
    ///
    /// # Errors
    /// [`Error::ProofReviewed`].
    pub fn to_review(&self) -> Result<&Self, Error> {
        if self.waits() { Ok(self) } else { Err(Error::ProofReviewed) }
    }

    /// What a decision reads of it, one for each of its invoices.
    pub fn times(&self) -> impl Iterator<Item = ProofTimes> + use<> {
        let (arrived_at, review) = (self.arrived_at, self.review.as_ref());
        let reviewed_at = review.map(|review| review.at);
        let taken_back = review.is_some_and(|review| review.verdict == Verdict::TakenBack);
        let of = move |invoice_id| ProofTimes { invoice_id, arrived_at, reviewed_at, taken_back };
        self.invoices.clone().into_iter().map(of)
    }
}

/// When a proof of one invoice waited: all that a decision about access reads of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofTimes {
    /// What the proof is for.
    pub invoice_id: InvoiceId,
    /// When it arrived.
    pub arrived_at: DateTime<Utc>,
    /// When it was reviewed.
    #[serde(default)]
    pub reviewed_at: Option<DateTime<Utc>>,
    /// True when that review said that it was recorded by mistake: then another proof may be the invoice's first.
    #[serde(default)]
    pub taken_back: bool,
}

impl ProofTimes {
    /// The first proof of an invoice that counts at a moment: only this one can hold isolation back, so nobody postpones for ever.
    #[must_use]
    pub fn first(all: &[Self], invoice: InvoiceId, now: DateTime<Utc>) -> Option<&Self> {
        let counts = |of: &&Self| {
            let gone = of.taken_back && of.is_reviewed(now);
            of.invoice_id == invoice && of.arrived_at <= now && !gone
        };
        all.iter().filter(counts).min_by_key(|of| of.arrived_at)
    }

    /// True when somebody had reviewed it by a moment.
    #[must_use]
    pub fn is_reviewed(&self, now: DateTime<Utc>) -> bool {
        self.reviewed_at.is_some_and(|at| at <= now)
    }
}
