//! What is recorded about money, places and persons, corrected and taken back.

use isp_core::Money;
use isp_core::calendar::Date;
use serde::{Deserialize, Serialize};

use crate::case::InvoiceRef;

/// What is recorded, corrected or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The last credit note of an invoice that stands is taken back.
    TakeBackNote {
        /// Of which invoice.
        invoice: InvoiceRef,
        /// Why.
        reason: String,
    },
    /// Credit is paid out.
    Refund {
        /// To whom.
        customer: String,
        /// How much; nothing for all of it.
        amount: Option<Money>,
        /// `cash` or `bank`.
        from: String,
        /// When.
        on: Date,
    },
    /// A collector hands cash over.
    Deposit {
        /// Who.
        collector: String,
        /// How much.
        amount: Money,
        /// `cash` or `bank`.
        to: String,
        /// When.
        on: Date,
        /// True when it takes the place of the last one.
        corrects: bool,
    },
    /// A payment gateway pays out.
    Payout {
        /// Which one.
        gateway: String,
        /// What arrives at the bank.
        net: Money,
        /// What it keeps.
        fee: Money,
        /// When.
        on: Date,
        /// True when it takes the place of the last one.
        corrects: bool,
    },
    /// The last one was recorded by mistake.
    TakeBack {
        /// Of what.
        what: Recorded,
        /// Why.
        reason: String,
    },
    /// A router or site is archived, or brought back.
    Archive {
        /// Which of the two.
        what: Place,
        /// The site, or the site whose router it is.
        site: String,
        /// False when it is brought back.
        archived: bool,
        /// Whether the person insists, where it is asked about.
        sure: bool,
    },
    /// A person is forgotten.
    Erase {
        /// Who.
        customer: String,
        /// Why.
        reason: String,
    },
}

/// What can be taken back as the last one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// Credit that was paid out.
    Refund,
    /// What a collector handed over.
    Deposit,
    /// What a gateway paid out.
    Payout,
}

/// What can be archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A router.
    Router,
    /// A site.
    Site,
}
