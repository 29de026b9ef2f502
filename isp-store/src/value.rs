//! Values that go to and come from a database, the same for both engines.

use chrono::{DateTime, Utc};
use isp_core::bank::{BankFormat, Clue, MutationState};
use isp_core::billing::{CreditReason, InvoiceKind};
use isp_core::calendar::{BillingDay, Cycle, Date, Zone};
use isp_core::customer::{Address, Invoicing, Phone};
use isp_core::device::{DeviceAction, Ownership};
use isp_core::ending::EndingKind;
use isp_core::ids::{
    AccessEventId, BankFileId, CpeId, CreditNoteId, CustomerId, DepositId, DeviceHistoryId, ExemptionId, ExpenseId,
    InstallationKindId, InstallationOrderId, InvoiceId, JournalEntryId, MutationId, OutageId, OutboxId, PackageId,
    PageLinkId, PaymentId, PaymentRequestId, PayoutId, PromiseId, ProofId, RefundId, RouterId, SiteId, StatementId,
    SubscriptionId, TellingId, TenantId, WebhookId, WorkerId,
};
use isp_core::isolation::access::AccessEventKind;
use isp_core::isolation::{Access, IsolationCause};
use isp_core::ledger::kept::Documents;
use isp_core::ledger::{Account, EntryKind};
use isp_core::message::NotificationKind;
use isp_core::money::Money;
use isp_core::payment::{Channel, GatewayState, PayChannel, RefundState};
use isp_core::ports::StoreError;
use isp_core::protection::FileKind;
use isp_core::subscription::{Service, Timing, ip_address};
use isp_core::text::{Code, Language, Name, Reference, RouterName};
use uuid::Uuid;

/// Which type a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Id,
    Int,
    Small,
    Bool,
    Text,
    Bytes,
    Day,
    Moment,
}

/// A value with its type; PostgreSQL wants the type of a null too.
#[derive(Clone)]
pub(crate) enum Value {
    Null(Kind),
    Id(Uuid),
    Int(i64),
    Small(i16),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Day(Date),
    Moment(DateTime<Utc>),
    /// A list of ids, for `IN IDS(($n))`.
    Ids(Vec<Uuid>),
    /// A list of texts, for `IN TEXTS(($n))`.
    Texts(Vec<String>),
}

/// A Rust type that a column holds.
pub(crate) trait Column: Sized {
    /// The column's type.
    const KIND: Kind;
    /// What is written.
    fn into_value(self) -> Value;
    /// What was read; the error says what is wrong without the value.
    fn from_value(value: Value) -> Result<Self, String>;
    /// What a null is read as.
    fn from_null() -> Result<Self, String> {
        Err("it is null".to_owned())
    }
}

impl<T: Column> Column for Option<T> {
    const KIND: Kind = T::KIND;
    fn into_value(self) -> Value {
        self.map_or(Value::Null(T::KIND), T::into_value)
    }
    fn from_value(value: Value) -> Result<Self, String> {
        T::from_value(value).map(Some)
    }
    fn from_null() -> Result<Self, String> {
        Ok(None)
    }
}

/// The arguments of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Column::into_value($value)),*] };
}
pub(crate) use args;

/// One row of an engine: gives the value of a column.
pub(crate) trait RawRow: Send + Sync {
    /// The value at an index, read as `kind`; `None` for null.
    fn value(&self, index: usize, kind: Kind) -> Result<Option<Value>, StoreError>;
}

/// Reads the columns of a row from left to right.
pub(crate) struct Reader<'r> {
    row: &'r dyn RawRow,
    next: usize,
    what: &'static str,
}

impl<'r> Reader<'r> {
    /// A reader of a row that holds a `what`.
    pub(crate) fn new(row: &'r dyn RawRow, what: &'static str) -> Self {
        Self { row, next: 0, what }
    }

    /// The next column.
    pub(crate) fn get<T: Column>(&mut self) -> Result<T, StoreError> {
        let index = self.next;
        self.next += 1;
        let read = match self.row.value(index, T::KIND)? {
            Some(value) => T::from_value(value),
            None => T::from_null(),
        };
        read.map_err(|reason| self.corrupt(&format!("column {}: {reason}", index + 1)))
    }

    /// An error about this row.
    pub(crate) fn corrupt(&self, reason: &str) -> StoreError {
        StoreError::Corrupt { what: self.what, reason: reason.to_owned() }
    }
}

fn other_type<T>() -> Result<T, String> {
    Err("it has another type".to_owned())
}

macro_rules! plain {
    ($($type:ty => $kind:ident),* $(,)?) => {$(
        impl Column for $type {
            const KIND: Kind = Kind::$kind;
            fn into_value(self) -> Value {
                Value::$kind(self)
            }
            fn from_value(value: Value) -> Result<Self, String> {
                match value {
                    Value::$kind(v) => Ok(v),
                    _ => other_type(),
                }
            }
        }
    )*};
}

plain! {
    Uuid => Id, i64 => Int, i16 => Small, bool => Bool, String => Text, Vec<u8> => Bytes, Date => Day,
    DateTime<Utc> => Moment,
}

macro_rules! ids {
    ($($id:ident),* $(,)?) => {$(
        impl Column for $id {
            const KIND: Kind = Kind::Id;
            fn into_value(self) -> Value {
                Value::Id(self.0)
            }
            fn from_value(value: Value) -> Result<Self, String> {
                Uuid::from_value(value).map(Self)
            }
        }
    )*};
}

ids! {
    TenantId, SiteId, RouterId, CustomerId, PackageId, SubscriptionId, InstallationKindId, InstallationOrderId, CpeId,
    DeviceHistoryId, InvoiceId, PaymentId, JournalEntryId, AccessEventId, OutboxId, PromiseId, ExemptionId, OutageId,
    ExpenseId, CreditNoteId, DepositId, StatementId, WorkerId, PaymentRequestId, PayoutId, RefundId, BankFileId, MutationId,
    TellingId, WebhookId,
    PageLinkId, ProofId,
}

/// Types that are written as another one.
macro_rules! through {
    ($($type:ty => $inner:ty, $write:expr, $read:expr);* $(;)?) => {$(
        impl Column for $type {
            const KIND: Kind = <$inner as Column>::KIND;
            fn into_value(self) -> Value {
                let write: fn(Self) -> $inner = $write;
                write(self).into_value()
            }
            fn from_value(value: Value) -> Result<Self, String> {
                let read: fn($inner) -> Result<Self, isp_core::Error> = $read;
                read(<$inner>::from_value(value)?).map_err(|e| e.to_string())
            }
        }
    )*};
}

const RANGE: isp_core::Error = isp_core::Error::NotOneOf { field: "number", expected: "a number of its range" };
const WORD: isp_core::Error = isp_core::Error::NotOneOf { field: "word", expected: "a word of its list" };

through! {
    Money => i64, Money::as_i64, |v| Ok(Self::rupiah(v));
    u64 => i64, |v| i64::try_from(v).unwrap_or(i64::MAX), |v| Self::try_from(v).map_err(|_| RANGE);
    u32 => i64, i64::from, |v| Self::try_from(v).map_err(|_| RANGE);
    u16 => i64, i64::from, |v| Self::try_from(v).map_err(|_| RANGE);
    u8 => i16, i16::from, |v| Self::try_from(v).map_err(|_| RANGE);
    BillingDay => i16, |v| i16::from(v.day()), |v| Self::try_new(u8::try_from(v).map_err(|_| RANGE)?);
    Cycle => i16, |v| i16::from(v.months()), |v| Self::try_from(u8::try_from(v).map_err(|_| RANGE)?);
    InvoiceKind => i16,
        |v| match v { InvoiceKind::Subscription => 1, InvoiceKind::Installation => 2, InvoiceKind::LateFee => 3,
            InvoiceKind::Adjustment => 4 },
        |v| match v {
            1 => Ok(Self::Subscription),
            2 => Ok(Self::Installation),
            3 => Ok(Self::LateFee),
            4 => Ok(Self::Adjustment),
            _ => Err(WORD),
        };
    Code => String, String::from, |v| Self::parse("code", &v);
    RouterName => String, String::from, |v| Self::parse("username", &v);
    Reference => String, String::from, |v| Self::parse("reference", &v);
    Name => String, String::from, |v| Self::parse("name", &v);
    Address => String, String::from, |v| Self::parse(&v);
    Phone => String, String::from, |v| Self::parse(&v);
    Zone => String, |v| v.name().to_owned(), |v| Self::ALL.into_iter().find(|z| z.name() == v).ok_or(WORD);
    Invoicing => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Language => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Ownership => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    EndingKind => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    FileKind => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    DeviceAction => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Access => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    IsolationCause => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    AccessEventKind => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    NotificationKind => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    EntryKind => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    BankFormat => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Clue => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    MutationState => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Channel => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    PayChannel => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    GatewayState => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    RefundState => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    CreditReason => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Documents => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Account => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    Service => String, |v| v.code().to_owned(), |v| Self::parse(&v);
    std::net::Ipv4Addr => String, |v| v.to_string(), |v| ip_address(&v);
    Timing => String, |v| match v { Timing::Prepaid => "prepaid", Timing::Postpaid => "postpaid" }.to_owned(),
        |v| Self::parse(&v);
}
