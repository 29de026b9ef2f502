//! The Python classes that are read and made, looked up once a process.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple, PyType};

use crate::error;

macro_rules! kinds {
    ($($name:ident: $($field:ident)+;)+) => {
        /// A record class of `isp_engine.records`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                $name,
            )+
        }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$name),+];

            /// Its name.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// Its fields, in order.
            pub(crate) const fn fields(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$(stringify!($field)),+]),+ }
            }
        }
    };
}

kinds! {
    Price: since amount;
    Package: key prices tax_mode;
    TaxRule: since base_numerator base_denominator percent;
    Taxable: price on mode;
    Taxed: dpp ppn rounding total base;
    PackageChange: package since;
    HeldPrice: price until;
    Discount: kind value until;
    Subscription: key package start day cycle timing zone billed_from end paused_from change held_price discount isolated
        charged_until;
    IsolatedSpan: since until;
    InvoiceLine: kind amount days of_days;
    Invoice: subscription package period_start period_end issue_date due_date lines dpp ppn total;
    BilledFrom: subscription billed_from;
    Problem: subscription code message;
    SkippedPeriod: subscription period_start period_end;
    BillingPlan: invoices billed_from problems next_position skipped fees;
    LateInvoice: key due_date unpaid zone period_start given;
    LateFee: invoice on dpp ppn total due due_date;
    GivenBack: period_start period_end lines same_outage;
    Charge: key period_start period_end lines given zone;
    IsolatedFacts: charges isolated start billed_from;
    CreditNote: charge period_start period_end lines dpp ppn total;
    NoteGiven: reason period_start period_end issue_date lines;
    LateCharge: key lines given;
    LineCharge: key kind package period_start period_end issue_date lines given late_fees;
    NextPackage: package;
    PackageAtOnce: package since;
    MoveBillingDay: day since;
    PauseLine: since;
    ResumeLine: since;
    EndLine: end;
    TermsFacts: subscription wish charges access;
    TermsInvoice: kind invoice;
    TermsNote: charge invoice reason period_start period_end lines dpp ppn total;
    TermsChange: subscription since invoices notes access next charged given_back fingerprint;
    OpenInvoice: key issue_date due_date total paid;
    Notified: invoice kind level;
    DunningFacts: customer invoices notified reachable zone;
    Statement: key issue_date due_date;
    Notice: key customer kind invoices statements zone;
    JoinedNotice: notices statement;
    Reminder: customer kind level invoices not_before keys;
    Credit: payment left since note_of;
    PaidPart: invoice payment amount note_of;
    AllocationFacts: customer invoices credit paid;
    Allocation: customer payment invoice amount;
    KnownPayment: key customer amount paid_at reversed;
    Withholding: dpp withheld open;
    PaymentNotice: key customer provider reference amount paid_at told known owed invoices;
    ReceivedPayment: notice outcome payment identity;
    RequestWish: key debt kept;
    PaymentRequest: wish debt amount expires_at kept_until;
    Transfer: key amount on booked_at;
    AskedPayment: key customer amount made_at kept_until paid cancelled transfers;
    BankPayer: customer code name phone;
    BankMoney: key amount on text said owed_by;
    MoneyMatch: money request payment doubt candidates;
    OwedDebt: customer issue_date due_date amount;
    OwedSum: customer amount;
    WriteOffWish: invoice open by reason;
    WriteOff: invoice amount;
    Correction: on amount;
    CorrectionWish: charge amount on reason before;
    FeeCharged: key on total ppn back for_payments;
    BilledInvoice: key issue_date due_date total zone period_start given fees;
    Came: payment at amount only;
    LateFeeFacts: invoices money payment;
    FeeBack: invoice fee amount;
    FeeAgain: invoice nth on dpp ppn total due_date;
    UnpaidWhenLate: invoice unpaid;
    InstallationFee: key fee on instalments with_first_invoice first_invoice_issued taken;
    FeePart: number on due_date lines dpp ppn total;
    FeeSchedule: key parts;
    FirstFee: key subscription fee;
    InvoicedFee: key subscription period_start on total;
    Grid: start day cycle;
    PromiseWish: made_on until lines made;
    HandFacts: subscription access cause;
    Ending: kind at by reason;
    EndingWish: key kind at by reason known;
    Promise: made_on until ending;
    Exemption: since until reason ending;
    Outage: since until ending;
    AccessFacts: subscription start access invoices cause isolated_overdue zone end paused_from promise exemption outage
        promises exemptions outages proofs;
    Proof: invoice arrived_at reviewed_at taken_back;
    ProofWish: name content owed amount waiting sure;
    ProofFile: name kind media_type size sha256 amount;
    ReviewWish: verdict by reason reviewed;
    OtherPayment: name amount paid_at;
    TransferWish: amount paid_at open others;
    ClockDoubt: code last days;
    PublicHoliday: date kind name estimated;
    Decision: subscription action reason overdue days_late;
    LedgerRow: day account amount kind package site;
    AccountAmount: account amount;
    ProfitLossRow: month group revenue costs revenue_total costs_total result cash_in cash_out;
    ProfitLoss: rows total;
    AccessEvent: at kind by reason overdue;
    ExplainFacts: line event observed observed_at dpps;
    Explanation: subscription access reason sentence evidence;
    RouterSettings: isolation_profile isolation_list isolation_rate isolation_pool pool local_address tls_authority
        isolation bursts isolations remove_closed;
    GroupBurst: group percent threshold_percent seconds;
    GroupIsolation: group isolation;
    Account: key owner username password group speed access adopt service ip_address mac succeeds;
    Router: key address username password accounts settings subscribers approved tls_fingerprint machine other_machines;
    FieldChange: field old new;
    PlanStep: what name account action changes code reason ends_sessions isolates;
    RouterPlan: router error steps text isolates limit;
    AccountOutcome: account state access changed code answer;
    RouterApplied: router error accounts isolates limit machine;
    AccountSeen: account access answer;
    RouterSeen: router error accounts;
    RouterStatus: router error identity version board uptime cpu_load accounts sessions milliseconds machine;
    Machine: identity serial;
    KnownAccount: key owner username customer phone;
    FoundAccount: name password profile rate_limit remote_address disabled online comment verdict subscriptions
        confidence evidence customer phone service;
    FoundPackage: profile speed accounts;
    RouterImport: router error accounts packages;
    SimulatedSecret: name profile disabled remote_address owner comment;
    SimulatedProfile: name rate_limit address_list;
    SimulatedSession: name profile rate_limit address address_list;
    MessageTemplate: kind language name body positional;
    Sender: name pay_to contact;
    Owed: number amount due_date;
    Demand: owed total overdue isolation_date isolated;
    QueuedMessage: key kind not_before invoices about lines payment reachable zone statements proofs served;
    MessageLine: package access cause isolated_at told confirmed;
    MessagePayment: amount reference paid_at reversed;
    MessageLook: message action reason at content demand;
    Channel: phone_number_id access_token base_url graph_version templates sender;
    DueSoon: package invoices amount due_date;
    Overdue: package invoices amount due_date days_late isolation_date;
    Isolated: package amount since;
    PaymentReceived: amount reference paid_on still_open;
    Reopened: package since;
    Message: key callback to name content language demand attempts link;
    Sent: message outcome provider_id retry_after scope code reason retryable tried fate wait rests template;
    StatusEvent: message_id status at callback code billable category;
    InboundEvent: message_id at sender kind text in_reply_to;
    TemplateEvent: name language event reason;
    ReportedStatus: status code;
    DeliveryFacts: key statuses state code;
    Delivery: key state code;
    SentMessage: message_id to callback template language parameters text held;
    SignedWebhook: signature body;
    GatewaySettings: name kind key sandbox merchant webhook_key email callback_url base_url;
    GatewayAsk: reference amount channel description payer expires_at;
    GatewayAnswer: provider_id number biller qris url expires_at fee;
    GatewayRefund: state provider_id reason;
    GatewayNotice: reference provider_id state gross payer_fee fee paid_at channel sure;
    GatewayTransaction: reference id asked paid method state;
    SheetFile: name content kind;
    SheetAnswer: file line;
    SheetSite: code name zone coordinates;
    SheetRouter: code site address username password;
    SheetPackage: code name price tax_mode speed group;
    SheetCustomer: code name nik address phone language invoicing coordinates;
    SheetLine: customer package router site service username password ip_address mac start billing_day cycle timing
        billed_from held_price discount end next_package billed;
    SheetDevice: serial customer outdoor_unit router ip_address username password ownership value installed_on
        installed;
    SheetFee: code name price;
    SheetInstallation: customer username kind kind_name fee on instalments with_first_invoice taken_back;
    SheetExpense: on category amount note site paid_from taken_back;
    SheetBooks: sites routers packages customers lines devices installation_kinds installations expenses cash;
    SheetRow: file line verdict columns updatable record;
    SheetProblem: file line column code message is_question;
    SheetFault: file lines listed column code message is_question;
    SheetNotice: file column code message line lines;
    SheetCopy: name content;
    SheetsRead: read_as rows problems faults notices copies;
}

/// The classes and names. Plain references to Python objects: they survive a fork.
pub(crate) struct Types {
    pub(crate) date: Py<PyType>,
    pub(crate) datetime: Py<PyType>,
    pub(crate) time: Py<PyType>,
    pub(crate) decimal: Py<PyType>,
    pub(crate) utc: Py<PyAny>,
    pub(crate) from_ordinal: Py<PyAny>,
    pub(crate) new_tuple: Py<PyAny>,
    pub(crate) to_ordinal: Py<PyString>,
    records: Vec<Py<PyType>>,
}

static TYPES: PyOnceLock<Types> = PyOnceLock::new();

impl Types {
    /// Looks everything up, when the module is imported.
    ///
    /// Filling a `PyOnceLock` lets go of the interpreter while the cell is locked. Were one filled at the first call,
    /// a fork by another thread in that moment would leave a child that waits for the lock for ever: hence all cells
    /// that a call may reach are filled here, those inside PyO3 included, and `intern!` is not used in this crate.
    pub(crate) fn fill(py: Python<'_>) -> PyResult<()> {
        let types = TYPES.get_or_try_init(py, || Self::load(py))?;
        types.date.bind(py).name()?;
        error::fill(py);
        Ok(())
    }

    /// What was looked up.
    pub(crate) fn of(py: Python<'_>) -> PyResult<&'static Self> {
        TYPES.get(py).ok_or_else(|| PyImportError::new_err("isp_engine was not imported to its end"))
    }

    /// The class of a kind of record.
    pub(crate) fn class(&self, kind: Kind) -> &Py<PyType> {
        &self.records[kind as usize]
    }

    fn load(py: Python<'_>) -> PyResult<Self> {
        let datetime = py.import("datetime")?;
        let module = py.import("isp_engine.records")?;
        let class = |module: &Bound<'_, PyModule>, name: &str| -> PyResult<Py<PyType>> {
            Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let mut records = Vec::with_capacity(Kind::ALL.len());
        for kind in Kind::ALL {
            let record = class(&module, kind.name())?;
            let fields: Vec<String> = record.bind(py).getattr("_fields")?.extract()?;
            if fields != kind.fields() {
                let text =
                    format!("isp_engine.records.{} and the native module are of different versions", kind.name());
                return Err(PyImportError::new_err(text));
            }
            records.push(record);
        }
        let date = class(&datetime, "date")?;
        Ok(Self {
            from_ordinal: date.getattr(py, "fromordinal")?,
            date,
            datetime: class(&datetime, "datetime")?,
            time: class(&datetime, "time")?,
            decimal: class(&py.import("decimal")?, "Decimal")?,
            utc: datetime.getattr("timezone")?.getattr("utc")?.unbind(),
            to_ordinal: PyString::intern(py, "toordinal").unbind(),
            new_tuple: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
            records,
        })
    }
}
