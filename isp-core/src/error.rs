//! One error enum for the whole domain, with stable codes.

use crate::calendar::Date;
use crate::money::Money;

/// What can be wrong with a value or a wish, before anything is written.
///
/// The text is lowercase English and never holds personal data: it names the field, not its content,
/// where the content is a NIK, a phone number, an address or a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A required field is empty.
    #[error("{field} is empty")]
    Empty {
        /// Name of the field.
        field: &'static str,
    },
    /// A field is longer than we keep.
    #[error("{field} is longer than {max} characters")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Longest accepted length, in characters.
        max: usize,
    },
    /// A code holds characters outside `A-Z a-z 0-9 . _ - / @ :`.
    #[error("{field} may hold only letters, digits and . _ - / @ :")]
    BadCode {
        /// Name of the field.
        field: &'static str,
    },
    /// The name of an account or profile on a router holds signs that routers keep in many ways, or that cannot be seen.
    #[error("{field} may hold only letters, digits, blanks and signs of a plain keyboard")]
    BadRouterName {
        /// Name of the field.
        field: &'static str,
    },
    /// An amount of money has a fraction of a rupiah.
    #[error("amount has a fraction of a rupiah")]
    MoneyFraction,
    /// An amount of money cannot be read.
    #[error("amount is not a number of rupiah")]
    MoneyFormat,
    /// An amount of money is outside plus or minus Rp10.000.000.000.000.
    #[error("amount is out of range")]
    MoneyRange,
    /// An amount must be more than zero.
    #[error("{field} must be more than zero")]
    NotPositive {
        /// Name of the field.
        field: &'static str,
    },
    /// A date cannot be read, or does not exist.
    #[error("date is not a calendar day written as YYYY-MM-DD or DD/MM/YYYY")]
    DateFormat,
    /// A billing day is not 1 to 31.
    #[error("billing day is not between 1 and 31")]
    BillingDay,
    /// A billing cycle is not 1, 3, 6 or 12 months.
    #[error("billing cycle is not 1, 3, 6 or 12 months")]
    Cycle,
    /// A period ends before or when it starts.
    #[error("period ends at or before its start")]
    EmptyPeriod,
    /// More days than are lived through at once.
    #[error("more than {most} days")]
    TooManyDays {
        /// How many may be.
        most: i32,
    },
    /// A time zone is not WIB, WITA or WIT.
    #[error("time zone is not WIB, WITA or WIT")]
    Zone,
    /// A NIK is not 16 digits with a plausible date of birth and serial.
    #[error("NIK is not valid: {reason}")]
    Nik {
        /// What is wrong, without the number.
        reason: &'static str,
    },
    /// A phone number is not an Indonesian mobile number.
    #[error("phone number is not valid: {reason}")]
    Phone {
        /// What is wrong, without the number.
        reason: &'static str,
    },
    /// A speed is zero or cannot be read.
    #[error("speed is not a positive number of kbps or Mbps")]
    Speed,
    /// One of a closed set of words was expected.
    #[error("{field} is not one of: {expected}")]
    NotOneOf {
        /// Name of the field.
        field: &'static str,
        /// The accepted words.
        expected: &'static str,
    },
    /// A value that is possible and likely to be a slip of the keyboard; who is sure repeats it and says so.
    #[error("{field} {value} looks like a slip")]
    Implausible {
        /// Name of the field.
        field: &'static str,
        /// The value, which is never personal.
        value: String,
    },
    /// The address of a router is neither an IP address nor a host name.
    #[error("router address is not valid: {reason}")]
    RouterAddress {
        /// What is wrong.
        reason: &'static str,
    },
    /// An IP address that no line can have.
    #[error("IP address is not valid: {reason}")]
    IpAddress {
        /// What is wrong.
        reason: &'static str,
    },
    /// A MAC address that no line can have.
    #[error("MAC address is not valid: {reason}")]
    Mac {
        /// What is wrong.
        reason: &'static str,
    },
    /// A field that lines of a service do not have, such as the password of a static line.
    #[error("a {service} line has no {field}")]
    NotForService {
        /// Name of the field.
        field: &'static str,
        /// The service.
        service: &'static str,
    },
    /// A package has no price on the day a period starts.
    #[error("package has no price on {on}")]
    NoPrice {
        /// The day without a price.
        on: Date,
    },
    /// A price that holds already cannot be taken away.
    #[error("the price of {on} holds already")]
    PriceBegan {
        /// The first day of that price.
        on: Date,
    },
    /// The package of a subscription is unknown.
    #[error("package of the subscription is unknown")]
    UnknownPackage,
    /// More periods are due than a catch-up may bill at once (rule B4).
    #[error("{due} periods are due, more than the limit of {limit}")]
    CatchUpLimit {
        /// Periods that are due.
        due: u32,
        /// The policy's limit.
        limit: u32,
    },
    /// No PPN rule covers a date.
    #[error("no tax rule covers {on}")]
    NoTaxRule {
        /// The day without a rule.
        on: Date,
    },
    /// The subscription is not in a state that allows the wish.
    #[error("subscription is not serving")]
    NotServing,
    /// The package of the subscription was changed at once on this day already.
    #[error("package was changed at once today already")]
    ChangedToday,
    /// A change at once from a day before one from which the line was changed already.
    #[error("the line was changed from {on} on; a change before that day cannot be said any more")]
    ChangedLater {
        /// The first day of the change that is there.
        on: Date,
    },
    /// A day that is still to come, where one of the past or today is wanted.
    #[error("{on} lies ahead")]
    DayAhead {
        /// The day.
        on: Date,
    },
    /// A last day that has passed: nothing would begin on or before it.
    #[error("{on} has passed")]
    DayPast {
        /// The day.
        on: Date,
    },
    /// A discount that takes off more than the price.
    #[error("the discount is more than the price, {price}")]
    DiscountAbovePrice {
        /// The price per month.
        price: Money,
    },
    /// An end that lies ahead cannot be taken back: days were billed only up to it, or given back for it.
    #[error("days were billed only up to the end on {on}, or given back for it")]
    EndSettled {
        /// The end.
        on: Date,
    },
    /// The line takes another package already from a day that is invoiced.
    #[error("the package changes on {from} already, and that is invoiced")]
    ChangePlanned {
        /// The day of that change.
        from: Date,
    },
    /// What a change was shown to come to is not what it would come to now.
    #[error("the line or its invoices have changed since")]
    ChangedSince,
    /// This day of a period was given back, and cannot be billed again today.
    #[error("this day was given back and cannot be billed again")]
    GivenBackToday,
    /// More would be given back than is left of an invoice.
    #[error("amount is more than the {left} that is left of it")]
    MoreThanLeft {
        /// What is left.
        left: Money,
    },
    /// A customer has made as many promises in this period as the policy allows.
    #[error("customer has promised {limit} times in this period already")]
    TooManyPromises {
        /// The policy's limit.
        limit: u32,
    },
    /// A promise runs longer than the policy allows.
    #[error("promise runs longer than {max_days} days")]
    PromiseTooLong {
        /// The policy's limit.
        max_days: u16,
    },
    /// A file that is too large for a proof of transfer.
    #[error("file is larger than {most} MB")]
    ProofTooLarge {
        /// The limit in megabytes.
        most: usize,
    },
    /// A file that is no picture and no PDF, whatever its name says.
    #[error("file is no JPEG, PNG, WEBP or PDF")]
    ProofKind,
    /// A customer has as many proofs of transfer waiting as may wait.
    #[error("{limit} proofs of the customer wait for review already")]
    TooManyProofs {
        /// The limit.
        limit: usize,
    },
    /// A proof of transfer was accepted, rejected or taken back before.
    #[error("proof was reviewed before")]
    ProofReviewed,
    /// The transfer of a proof seems to be booked already, from the bank's file or by somebody else (rule P8).
    #[error("payment {payment} may be this very transfer")]
    ProofBooked {
        /// What that payment is called: its provider and reference.
        payment: String,
    },
    /// The invoices of a proof are paid, so that its money would be credit (rule P8).
    #[error("the invoices of the proof are paid already")]
    ProofSettled,
    /// A payment on a day that has not begun yet (rule P7).
    #[error("{on} has not begun yet, so nothing can have been paid on it")]
    PaidInFuture {
        /// The day of paying.
        on: Date,
    },
    /// A payment on a day more than a year ago (rule P7).
    #[error("{on} is more than a year ago; a payment of that day is taken only when you insist")]
    PaidLongAgo {
        /// The day of paying.
        on: Date,
    },
    /// A customer who has a line, a payment or any other history cannot be removed.
    #[error("customer has a history")]
    CustomerHasHistory,
    /// The data of a customer of whom something is not over cannot be erased.
    #[error("the customer's data is still needed: {what}")]
    StillNeeded {
        /// For what: codes of [`crate::privacy::Needed`] with commas between them.
        what: String,
    },
    /// A site, router, package or kind of installation that something else names cannot be removed.
    #[error("the {what} is named by other records")]
    StillNamed {
        /// `site`, `router`, `package` or `installation_kind`.
        what: &'static str,
    },
    /// A site or router that is archived takes no lines, and an archived site no routers.
    #[error("the {what} is archived")]
    Archived {
        /// `site` or `router`.
        what: &'static str,
    },
    /// A site or router on which lines are served cannot be archived.
    #[error("{lines} lines that have not ended use the {what}")]
    StillServes {
        /// `site` or `router`.
        what: &'static str,
        /// How many.
        lines: u64,
    },
    /// A site with routers that are used cannot be archived.
    #[error("{routers} routers of the site are in use")]
    SiteHasRouters {
        /// How many.
        routers: u64,
    },
    /// A router that was not told yet to close accounts: once archived, it is told nothing.
    #[error("{waiting} wishes wait for the router")]
    RouterIsAwaited {
        /// How many.
        waiting: u64,
    },
    /// A promise, an outage or the like was ended or taken back before.
    #[error("it was ended or taken back before")]
    AlreadyEnded,
    /// A payment that cannot be taken back by itself: the amount of a credit note.
    #[error("payment of this kind cannot be reversed")]
    NotReversible,
    /// A credit note that goes with what it follows from, and cannot be taken back by itself.
    #[error("the credit note follows from {from} and goes with that")]
    NoteFollows {
        /// `package_change`, `pause`, `termination`, `isolation`, `late_fee` or `installation`.
        from: &'static str,
    },
    /// A credit note from which something else was worked out since, so that days would be charged twice.
    #[error("what was worked out on {on} rests on the credit note")]
    NoteBuiltOn {
        /// The day of it.
        on: Date,
    },
    /// A credit note that would be taken back before it was given.
    #[error("the credit note is of {on}, which is later")]
    NoteIsLater {
        /// Its day of issue.
        on: Date,
    },
    /// A provider's name that the program uses itself.
    #[error("provider name is kept for {what}")]
    ReservedProvider {
        /// What it stands for.
        what: &'static str,
    },
    /// A slip of PPh 23 for more than the customer owes: the rest would be credit that nobody paid in (rule P9).
    #[error("a slip of {amount} is more than the {owed} that the customer owes; the rest would be credit")]
    SlipAboveDebt {
        /// The tax of the slip.
        amount: Money,
        /// What the customer owes.
        owed: Money,
    },
    /// A slip of PPh 23 for an amount that is neither about 2 % nor about 4 % of the price without PPN (rule P9).
    #[error(
        "a slip of {amount} is neither about 2 % nor about 4 % of the price without PPN, which was {last} the last time"
    )]
    SlipOdd {
        /// The tax of the slip.
        amount: Money,
        /// The price without PPN of the customer's last invoice.
        last: Money,
    },
    /// A slip of PPh 23 with which more would be kept back than the tax on the invoices that it may be for (rule P9).
    #[error(
        "a slip of {amount} beside the {withheld} that slips settle already is more than the tax on these invoices"
    )]
    SlipTwice {
        /// The tax of the slip.
        amount: Money,
        /// What slips settle already.
        withheld: Money,
    },
    /// A QRIS code is damaged, or not the static code of a shop in Indonesia.
    #[error("QRIS code, tag {tag:02}: {reason}")]
    Qris {
        /// The tag.
        tag: u8,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than one QRIS payment may be.
    #[error("a QRIS payment may be at most {most}")]
    MoreThanQris {
        /// The limit.
        most: Money,
    },
    /// A payment request where nothing is owed.
    #[error("nothing is owed")]
    NothingOwed,
    /// All amounts near a debt are kept for other payment requests.
    #[error("all amounts near this debt are kept for other payment requests")]
    NoFreeAmount,
    /// A file that is none of those that banks give.
    #[error("it is no file of a bank that is known")]
    UnknownBankFile,
    /// A row of a bank's file that cannot be read.
    #[error("line {line}: {reason}")]
    BankRow {
        /// On which line of the file it stands.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A bank's file is of an account in another currency than rupiah.
    #[error("line {line}: {field} is in {currency}, and not in rupiah")]
    BankCurrency {
        /// On which line of the file it stands.
        line: usize,
        /// The tag or the heading that tells it.
        field: String,
        /// The currency, three letters.
        currency: String,
    },
    /// The rows of a bank's file do not lead from its opening balance to its closing one.
    #[error("the rows do not lead from the opening balance to the closing balance")]
    BankTotals,
    /// A bank's file has rows, and the bank has booked none of them yet.
    #[error("the bank has booked none of the file's rows yet")]
    BankNothingBooked,
    /// A bank's file does not tell its account, and nobody else does.
    #[error("the file does not tell its account")]
    NoAccount,
    /// A bank's file holds rows that are known already under another name of its account.
    #[error("its rows are known already under account {account}")]
    BankKnownAccount {
        /// The other name.
        account: String,
    },
    /// A bank's file is of another account than a person says.
    #[error("the file is of another account")]
    OtherAccount,
    /// Money that went out is nobody's payment.
    #[error("the money went out")]
    MoneyOut,
    /// A mutation was matched or ignored before.
    #[error("the mutation was matched or ignored before")]
    MutationSettled,
    /// A bank tells a mutation for a day that has not begun.
    #[error("the bank tells it for {on}, which has not begun")]
    MutationAhead {
        /// The day.
        on: Date,
    },
    /// A mutation is more than a year old: a person says whose it is.
    #[error("the bank tells it for {on}, more than a year ago")]
    MutationLongAgo {
        /// The day.
        on: Date,
    },
    /// Nothing was said of a mutation that could be taken back.
    #[error("the mutation waits already")]
    MutationWaits,
    /// A collector does not hold that much.
    #[error("on {on} the collector holds {holds}, less than that")]
    CollectorHoldsLess {
        /// What can be handed over on that day.
        holds: Money,
        /// The day of the deposit.
        on: Date,
    },
    /// A payment gateway does not hold that much.
    #[error("on {on} the gateway holds {holds}, less than that")]
    GatewayHoldsLess {
        /// What can be paid out on that day.
        holds: Money,
        /// The day of the payout.
        on: Date,
    },
    /// A customer has less credit than is to be paid out.
    #[error("the customer has credit of {holds}, less than that")]
    CreditIsLess {
        /// What there is.
        holds: Money,
    },
    /// Of a payment that is to go back through its gateway less is left, and the customer's credit is left of something else.
    #[error(
        "of this payment {holds} is left; the customer's credit of {notes} is of credit notes, {others} of other payments"
    )]
    CreditElsewhere {
        /// What is left of the payment.
        holds: Money,
        /// What is left of credit notes.
        notes: Money,
        /// What is left of other payments.
        others: Money,
    },
    /// A gateway was asked for a refund so lately that the call may still be on its way: nobody can say yet what became of it.
    #[error("the gateway was asked less than an hour ago, and may still answer")]
    RefundOnItsWay,
    /// A refund that a gateway gives back is taken back by the gateway's refusal only.
    #[error("the gateway was asked for this refund, and it is not refused")]
    RefundAtGateway,
    /// A payment or credit note of which a part was paid out to the customer cannot be taken back.
    #[error("a part of it was paid out to the customer")]
    PaidOut,
    /// More cash would be spent or given back than there is.
    #[error("on {on} there is {holds} in cash, less than that")]
    CashShort {
        /// What there is.
        holds: Money,
        /// The first day on which it is too little.
        on: Date,
    },
    /// More PPh 23 is used or given back than customers kept back by the books.
    #[error("on {on} there is {holds} of PPh 23 that customers kept back and that is not used yet, less than that")]
    Pph23Short {
        /// What is left of it.
        holds: Money,
        /// The first day on which it is too little.
        on: Date,
    },
    /// A device is already returned, or was never installed.
    #[error("device is not installed")]
    DeviceNotInstalled,
    /// An installation fee cannot go with the first periodic invoice and be paid in instalments.
    #[error("a fee that goes with the first invoice is paid in one part, not in instalments")]
    FeeTerms,
    /// An installation fee was to go with the first periodic invoice, which has been issued.
    #[error("the first invoice of the subscription has been issued already")]
    FirstInvoiceIssued,
    /// Another installation of the same line is invoiced on a day of this one.
    #[error("another installation of the subscription is invoiced on {on}")]
    InstallationClash {
        /// The day.
        on: crate::calendar::Date,
    },
    /// A policy's number is outside what makes sense.
    #[error("policy {field}: {reason}")]
    Policy {
        /// Name of the setting.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Error {
    /// A stable code for programs and translations; documented in `docs/errors.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty { .. } => "value.empty",
            Self::TooLong { .. } => "value.too_long",
            Self::BadCode { .. } => "value.bad_code",
            Self::BadRouterName { .. } => "value.bad_router_name",
            Self::MoneyFraction => "money.fraction",
            Self::MoneyFormat => "money.format",
            Self::MoneyRange => "money.range",
            Self::NotPositive { .. } => "value.not_positive",
            Self::DateFormat => "date.format",
            Self::BillingDay => "calendar.billing_day",
            Self::Cycle => "calendar.cycle",
            Self::EmptyPeriod => "calendar.empty_period",
            Self::TooManyDays { .. } => "calendar.too_many_days",
            Self::Zone => "calendar.zone",
            Self::Nik { .. } => "customer.nik",
            Self::Phone { .. } => "customer.phone",
            Self::Speed => "package.speed",
            Self::NotOneOf { .. } => "value.not_one_of",
            Self::Implausible { .. } => "value.implausible",
            Self::RouterAddress { .. } => "place.router_address",
            Self::IpAddress { .. } => "subscription.ip_address",
            Self::Mac { .. } => "subscription.mac",
            Self::NotForService { .. } => "subscription.not_for_service",
            Self::NoPrice { .. } => "package.no_price",
            Self::PriceBegan { .. } => "package.price_began",
            Self::UnknownPackage => "package.unknown",
            Self::CatchUpLimit { .. } => "billing.catch_up_limit",
            Self::NoTaxRule { .. } => "tax.no_rule",
            Self::NotServing => "subscription.not_serving",
            Self::ChangedToday => "subscription.changed_today",
            Self::ChangedLater { .. } => "subscription.changed_later",
            Self::DayAhead { .. } => "subscription.day_ahead",
            Self::DayPast { .. } => "subscription.day_past",
            Self::DiscountAbovePrice { .. } => "subscription.discount_above_price",
            Self::ChangePlanned { .. } => "subscription.change_planned",
            Self::EndSettled { .. } => "subscription.end_settled",
            Self::ChangedSince => "subscription.changed_since",
            Self::GivenBackToday => "subscription.given_back_today",
            Self::MoreThanLeft { .. } => "invoice.more_than_left",
            Self::TooManyPromises { .. } => "promise.too_many",
            Self::PromiseTooLong { .. } => "promise.too_long",
            Self::ProofTooLarge { .. } => "proof.too_large",
            Self::ProofKind => "proof.kind",
            Self::TooManyProofs { .. } => "proof.too_many",
            Self::ProofReviewed => "proof.reviewed",
            Self::ProofBooked { .. } => "proof.booked",
            Self::ProofSettled => "proof.settled",
            Self::PaidInFuture { .. } => "payment.paid_in_future",
            Self::PaidLongAgo { .. } => "payment.paid_long_ago",
            Self::CustomerHasHistory => "customer.has_history",
            Self::StillNeeded { .. } => "customer.still_needed",
            Self::StillNamed { .. } => "record.still_named",
            Self::Archived { .. } => "record.archived",
            Self::StillServes { .. } => "record.still_serves",
            Self::SiteHasRouters { .. } => "site.has_routers",
            Self::RouterIsAwaited { .. } => "router.awaited",
            Self::AlreadyEnded => "record.ended",
            Self::NotReversible => "payment.not_reversible",
            Self::NoteFollows { .. } => "credit_note.follows",
            Self::NoteBuiltOn { .. } => "credit_note.built_on",
            Self::NoteIsLater { .. } => "credit_note.later",
            Self::ReservedProvider { .. } => "payment.reserved_provider",
            Self::SlipAboveDebt { .. } => "payment.slip_above_debt",
            Self::SlipOdd { .. } => "payment.slip_odd",
            Self::SlipTwice { .. } => "payment.slip_twice",
            Self::Qris { .. } => "qris.damaged",
            Self::MoreThanQris { .. } => "qris.too_much",
            Self::NothingOwed => "request.nothing_owed",
            Self::NoFreeAmount => "request.no_free_amount",
            Self::UnknownBankFile => "bank.unknown_file",
            Self::BankRow { .. } => "bank.row",
            Self::BankTotals => "bank.totals",
            Self::BankCurrency { .. } => "bank.currency",
            Self::BankNothingBooked => "bank.nothing_booked",
            Self::NoAccount => "bank.no_account",
            Self::OtherAccount => "bank.other_account",
            Self::BankKnownAccount { .. } => "bank.known_account",
            Self::MoneyOut => "mutation.money_out",
            Self::MutationSettled => "mutation.settled",
            Self::MutationAhead { .. } => "mutation.ahead",
            Self::MutationLongAgo { .. } => "mutation.long_ago",
            Self::MutationWaits => "mutation.waits",
            Self::CollectorHoldsLess { .. } => "collector.holds_less",
            Self::GatewayHoldsLess { .. } => "gateway.holds_less",
            Self::CreditIsLess { .. } => "credit.less",
            Self::CreditElsewhere { .. } => "credit.elsewhere",
            Self::RefundOnItsWay => "refund.on_its_way",
            Self::RefundAtGateway => "refund.at_gateway",
            Self::PaidOut => "payment.paid_out",
            Self::CashShort { .. } => "money.cash_short",
            Self::Pph23Short { .. } => "money.pph23_short",
            Self::DeviceNotInstalled => "device.not_installed",
            Self::FeeTerms => "installation.fee_terms",
            Self::FirstInvoiceIssued => "installation.first_invoice_issued",
            Self::InstallationClash { .. } => "installation.clash",
            Self::Policy { .. } => "policy.invalid",
        }
    }

    /// A value stays wrong until somebody changes it, so nothing here is worth a retry.
    #[must_use]
    pub fn retryable(&self) -> bool {
        false
    }
}
