"""Types of the native module. ``tests/test_types.py`` and stubtest hold them against the module itself."""

from collections.abc import Sequence
from datetime import date, datetime, time
from types import TracebackType
from typing import Final, Literal, final

from isp_engine.errors import InvalidValue
from isp_engine.records import (
    AccessFacts,
    Allocation,
    AllocationFacts,
    AskedPayment,
    BankMoney,
    BankPayer,
    BilledInvoice,
    BillingPlan,
    Came,
    CancelOutcome,
    Channel,
    Charge,
    ClockDoubt,
    CorrectionWish,
    CreditNote,
    DayOrder,
    Decision,
    Delivery,
    DeliveryFacts,
    DunningFacts,
    Ending,
    EndingWish,
    Event,
    Exemption,
    ExplainFacts,
    Explanation,
    FeeAgain,
    FeeBack,
    FeeCharged,
    FeeSchedule,
    FirstFee,
    GatewayAnswer,
    GatewayAsk,
    GatewayKind,
    GatewayNotice,
    GatewayRefund,
    GatewaySettings,
    GatewayTransaction,
    Grouping,
    Hand,
    HandFacts,
    InstallationFee,
    IsolatedFacts,
    JoinedNotice,
    Key,
    KnownAccount,
    Language,
    LateFee,
    LateFeeFacts,
    LateInvoice,
    LedgerRow,
    Message,
    MessageLook,
    MessageTemplate,
    Money,
    MoneyMatch,
    Notice,
    NoticeState,
    NotificationKind,
    OpenInvoice,
    OtherPayment,
    Outage,
    OwedDebt,
    OwedSum,
    Package,
    PaidPart,
    PayChannel,
    PaymentNotice,
    PaymentRequest,
    ProfitLoss,
    PromiseWish,
    ProofFile,
    ProofWish,
    PublicHoliday,
    QueuedMessage,
    Reason,
    ReceivedPayment,
    Reminder,
    RequestWish,
    ReviewWish,
    Router,
    RouterApplied,
    RouterImport,
    RouterPlan,
    RouterSeen,
    RouterStatus,
    Sender,
    Sent,
    SentMessage,
    SheetAnswer,
    SheetBooks,
    SheetFile,
    SheetsRead,
    SignedWebhook,
    SimulatedProfile,
    SimulatedSecret,
    SimulatedSession,
    Subscription,
    TaxRule,
    Taxable,
    Taxed,
    TemplateKind,
    TermsChange,
    TermsFacts,
    TransferWish,
    UnpaidWhenLate,
    WriteOff,
    WriteOffWish,
    Zone,
)

__all__ = [
    "BillingPolicy",
    "ClockPolicy",
    "DunningPolicy",
    "IsolationPolicy",
    "LateFeePolicy",
    "Nik",
    "OutagePolicy",
    "PARAMETERS",
    "Phone",
    "PromisePolicy",
    "REASONS",
    "SENDER_PARAMETERS",
    "SimulatedGateway",
    "SimulatedRouter",
    "SimulatedWhatsApp",
    "TaxPolicy",
    "WORDS",
    "__version__",
    "allocate",
    "answer_subscription",
    "apply_routers",
    "ask_gateway",
    "ask_payments",
    "cancel_at_gateway",
    "case_lacks",
    "check_clock",
    "check_exemptions",
    "check_promises",
    "check_proofs",
    "check_transfers",
    "compare_case",
    "correct_invoices",
    "decide_by_hand",
    "decide_isolation",
    "decide_terms",
    "due_reminders",
    "end_records",
    "explain",
    "fee_paid",
    "fold_statuses",
    "format_rupiah",
    "gateway_acknowledgement",
    "gateway_refund_status",
    "gateway_status",
    "import_secrets",
    "installation_fees",
    "isolation_credits",
    "join_notices",
    "late_fees",
    "late_fees_again",
    "late_fees_back",
    "match_requests",
    "observe_routers",
    "outage_credits",
    "overdue",
    "parse_ip_address",
    "parse_mac",
    "parse_nik",
    "parse_niks",
    "parse_phone",
    "parse_phones",
    "payment_identity",
    "plan_billing",
    "plan_routers",
    "ppn",
    "preview_messages",
    "prices_on",
    "profit_loss",
    "public_holidays",
    "qris_asking",
    "qris_shop",
    "read_case",
    "receive_gateway_webhook",
    "receive_payments",
    "receive_webhook",
    "refresh_messages",
    "refund_at_gateway",
    "review_proofs",
    "router_status",
    "send_messages",
    "sums_owed",
    "template_registrations",
    "unpaid_when_late",
    "verify_webhook",
    "write_offs",
    "read_spreadsheets",
]

__version__: Final[str]
REASONS: Final[tuple[Reason, ...]]
WORDS: Final[dict[str, tuple[str, ...]]]
PARAMETERS: Final[dict[TemplateKind, tuple[str, ...]]]
SENDER_PARAMETERS: Final[dict[TemplateKind, tuple[str, ...]]]

@final
class BillingPolicy:
    def __new__(
        cls,
        *,
        issue_lead_days: int | None = None,
        payment_terms_days: int | None = None,
        catch_up_periods: int | None = None,
        while_isolated: Literal["bill", "skip", "prorate"] | None = None,
        credit_on_pause: bool | None = None,
        credit_on_termination: bool | None = None,
    ) -> BillingPolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def issue_lead_days(self) -> int: ...
    @property
    def payment_terms_days(self) -> int: ...
    @property
    def catch_up_periods(self) -> int: ...
    @property
    def credit_on_pause(self) -> bool: ...
    @property
    def credit_on_termination(self) -> bool: ...
    def due_date(self, issued: date, written: date) -> date: ...
    @property
    def while_isolated(self) -> Literal["bill", "skip", "prorate"]: ...

@final
class ClockPolicy:
    def __new__(cls, *, max_days_between_runs: int | None = None) -> ClockPolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def max_days_between_runs(self) -> int: ...

@final
class DunningPolicy:
    def __new__(
        cls,
        *,
        due_soon_days: Sequence[int] | None = None,
        overdue_days: Sequence[int] | None = None,
        quiet_until: time | None = None,
        quiet_from: time | None = None,
    ) -> DunningPolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def due_soon_days(self) -> tuple[int, ...]: ...
    @property
    def overdue_days(self) -> tuple[int, ...]: ...
    @property
    def quiet_until(self) -> time: ...
    @property
    def quiet_from(self) -> time: ...
    def next_sending(self, kind: NotificationKind, zone: Zone, now: datetime) -> datetime: ...

@final
class IsolationPolicy:
    def __new__(
        cls,
        *,
        isolate_after_days: int | None = None,
        isolate_at: time | None = None,
        on_weekends: bool | None = None,
        public_holidays: Literal["all", "national", "none"] | None = None,
        holidays: Sequence[date] | None = None,
        reopen_when_paid_percent: int | None = None,
        breaker_count: int | None = None,
        breaker_percent: int | None = None,
        isolate_from: Money | None = None,
        proof_working_days: int | None = None,
    ) -> IsolationPolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def isolate_after_days(self) -> int: ...
    @property
    def isolate_at(self) -> time: ...
    @property
    def on_weekends(self) -> bool: ...
    @property
    def public_holidays(self) -> Literal["all", "national", "none"]: ...
    @property
    def holidays(self) -> tuple[date, ...]: ...
    @property
    def reopen_when_paid_percent(self) -> int | None: ...
    @property
    def breaker_count(self) -> int: ...
    @property
    def breaker_percent(self) -> int: ...
    @property
    def isolate_from(self) -> int: ...
    @property
    def proof_working_days(self) -> int: ...
    def allows_day(self, day: date) -> bool: ...
    def breaker_limit(self, subscribers: int) -> int: ...

@final
class LateFeePolicy:
    def __new__(
        cls,
        *,
        after_days: int,
        fixed: Money | None = None,
        percent: int | None = None,
        minimum: Money | None = None,
        with_ppn: bool | None = None,
    ) -> LateFeePolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def after_days(self) -> int: ...
    @property
    def fixed(self) -> int | None: ...
    @property
    def percent(self) -> int | None: ...
    @property
    def minimum(self) -> int: ...
    @property
    def with_ppn(self) -> bool: ...
    def fee(self, unpaid: Money) -> int: ...
    def day(self, due_date: date) -> date: ...
    def due_on(self, day: date) -> date: ...

@final
class OutagePolicy:
    def __new__(
        cls, *, min_hours: int | None = None, by: Literal["day", "hour"] | None = None
    ) -> OutagePolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def min_hours(self) -> int: ...
    @property
    def by(self) -> Literal["day", "hour"]: ...

@final
class PromisePolicy:
    def __new__(cls, *, max_days: int | None = None, per_period: int | None = None) -> PromisePolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def max_days(self) -> int: ...
    @property
    def per_period(self) -> int: ...

@final
class TaxPolicy:
    def __new__(cls, *, pkp: bool | None = None, rules: Sequence[TaxRule] | None = None) -> TaxPolicy: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def pkp(self) -> bool: ...
    @property
    def rules(self) -> tuple[TaxRule, ...]: ...

@final
class Phone:
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __lt__(self, other: Phone, /) -> bool: ...
    def __le__(self, other: Phone, /) -> bool: ...
    def __gt__(self, other: Phone, /) -> bool: ...
    def __ge__(self, other: Phone, /) -> bool: ...
    def __hash__(self) -> int: ...
    @property
    def e164(self) -> str: ...
    @property
    def digits(self) -> str: ...
    @property
    def masked(self) -> str: ...

@final
class Nik:
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    @property
    def masked(self) -> str: ...
    def reveal(self) -> str: ...

def plan_billing(
    subscriptions: Sequence[Subscription],
    packages: Sequence[Package],
    now: datetime,
    *,
    position: date | None = None,
    policy: BillingPolicy | None = None,
    tax: TaxPolicy | None = None,
    first_fees: Sequence[FirstFee] | None = None,
) -> BillingPlan: ...
def decide_terms(
    lines: Sequence[TermsFacts],
    packages: Sequence[Package],
    now: datetime,
    *,
    position: date | None = None,
    policy: BillingPolicy | None = None,
    tax: TaxPolicy | None = None,
) -> list[TermsChange | InvalidValue]: ...
def late_fees(
    invoices: Sequence[LateInvoice],
    now: datetime,
    policy: LateFeePolicy,
    *,
    since: date | None = None,
    tax: TaxPolicy | None = None,
    billing: BillingPolicy | None = None,
) -> list[LateFee]: ...
def outage_credits(
    charges: Sequence[Charge], outage: Outage, *, policy: OutagePolicy | None = None
) -> list[CreditNote]: ...
def isolation_credits(
    lines: Sequence[IsolatedFacts], now: datetime, *, position: date | None = None, policy: BillingPolicy | None = None
) -> list[CreditNote]: ...
def ppn(prices: Sequence[Taxable], *, tax: TaxPolicy | None = None) -> list[Taxed]: ...
def due_reminders(
    customers: Sequence[DunningFacts], now: datetime, *, policy: DunningPolicy | None = None
) -> list[Reminder]: ...
def prices_on(packages: Sequence[Package], day: date) -> list[int | None]: ...
def public_holidays(language: Language | None = None) -> list[PublicHoliday]: ...
def overdue(invoices: Sequence[OpenInvoice], today: date) -> list[Key]: ...
def join_notices(notices: Sequence[Notice], now: datetime) -> list[JoinedNotice]: ...
def refresh_messages(
    messages: Sequence[QueuedMessage],
    now: datetime,
    *,
    policy: DunningPolicy | None = None,
    isolation: IsolationPolicy | None = None,
) -> list[MessageLook]: ...
def check_clock(
    last_run: datetime | None, now: datetime, *, policy: ClockPolicy | None = None
) -> ClockDoubt | None: ...
def end_records(wishes: Sequence[EndingWish]) -> list[Ending | InvalidValue]: ...
def decide_isolation(
    lines: Sequence[AccessFacts], now: datetime, *, policy: IsolationPolicy | None = None
) -> list[Decision]: ...
def allocate(customers: Sequence[AllocationFacts]) -> list[Allocation]: ...
def payment_identity(provider: str, reference: str, customer: Key | None = None) -> str: ...
def qris_asking(code: str, amount: int) -> str: ...
def qris_shop(code: str) -> str: ...
def ask_gateway(
    gateway: GatewaySettings, ask: GatewayAsk, now: datetime, *, deadline: float | None = None
) -> GatewayAnswer: ...
def gateway_status(
    gateway: GatewaySettings,
    reference: str,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> GatewayNotice | None: ...
def cancel_at_gateway(
    gateway: GatewaySettings,
    reference: str,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> CancelOutcome: ...
def refund_at_gateway(
    gateway: GatewaySettings,
    reference: str,
    key: str,
    amount: int,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> GatewayRefund: ...
def gateway_refund_status(
    gateway: GatewaySettings,
    reference: str,
    key: str,
    *,
    provider_id: str | None = None,
    channel: PayChannel | None = None,
    deadline: float | None = None,
) -> GatewayRefund | None: ...
def receive_gateway_webhook(
    gateway: GatewaySettings, headers: Sequence[tuple[str, str]], body: bytes
) -> GatewayNotice | None: ...
def gateway_acknowledgement(gateway: GatewaySettings) -> str: ...
def ask_payments(
    wishes: Sequence[RequestWish], now: datetime, *, valid_hours: int | None = None
) -> list[PaymentRequest | InvalidValue]: ...
def match_requests(
    money: Sequence[BankMoney], requests: Sequence[AskedPayment], payers: Sequence[BankPayer] | None = None
) -> list[MoneyMatch]: ...
def sums_owed(debts: Sequence[OwedDebt]) -> list[OwedSum]: ...
def receive_payments(notices: Sequence[PaymentNotice], now: datetime) -> list[ReceivedPayment | InvalidValue]: ...
def write_offs(wishes: Sequence[WriteOffWish]) -> list[WriteOff | InvalidValue]: ...
def correct_invoices(wishes: Sequence[CorrectionWish]) -> list[CreditNote | InvalidValue | None]: ...
def late_fees_back(
    rows: Sequence[LateFeeFacts], now: datetime, policy: LateFeePolicy | None = None
) -> list[FeeBack]: ...
def late_fees_again(
    rows: Sequence[LateFeeFacts],
    now: datetime,
    policy: LateFeePolicy | None = None,
    *,
    charged_through: date | None = None,
    tax: TaxPolicy | None = None,
    billing: BillingPolicy | None = None,
) -> list[FeeAgain]: ...
def unpaid_when_late(rows: Sequence[LateFeeFacts], policy: LateFeePolicy) -> list[UnpaidWhenLate]: ...
def installation_fees(
    fees: Sequence[InstallationFee], *, policy: BillingPolicy | None = None, tax: TaxPolicy | None = None
) -> list[FeeSchedule | InvalidValue]: ...
def fee_paid(fee: Money, total: Money, paid: Money) -> int: ...
def check_promises(
    wishes: Sequence[PromiseWish], *, policy: PromisePolicy | None = None
) -> list[InvalidValue | None]: ...
def check_exemptions(exemptions: Sequence[Exemption]) -> list[InvalidValue | None]: ...
def check_proofs(wishes: Sequence[ProofWish]) -> list[ProofFile | InvalidValue]: ...
def check_transfers(wishes: Sequence[TransferWish]) -> list[InvalidValue | None]: ...
def review_proofs(wishes: Sequence[ReviewWish]) -> list[InvalidValue | None]: ...
def decide_by_hand(lines: Sequence[HandFacts], action: Hand, by: str, reason: str) -> list[Key]: ...
def parse_phone(text: str) -> Phone: ...
def parse_phones(texts: Sequence[str]) -> list[Phone | InvalidValue]: ...
def parse_nik(text: str) -> Nik: ...
def parse_mac(text: str) -> str: ...
def parse_ip_address(text: str) -> str: ...
def parse_niks(texts: Sequence[str]) -> list[Nik | InvalidValue]: ...
def format_rupiah(amount: Money) -> str: ...
def explain(
    lines: Sequence[ExplainFacts],
    now: datetime,
    *,
    policy: IsolationPolicy | None = None,
    language: Language | None = None,
) -> list[Explanation]: ...
def profit_loss(rows: Sequence[LedgerRow], *, by: Grouping | None = None) -> ProfitLoss: ...
def read_case(file: str, text: str) -> str: ...
def compare_case(file: str, text: str, report: str) -> list[str]: ...
def case_lacks(hosts: str, host: str, file: str, text: str) -> str | None: ...
def plan_routers(
    routers: Sequence[Router], *, policy: IsolationPolicy | None = None, deadline: float | None = None
) -> list[RouterPlan]: ...
def apply_routers(
    routers: Sequence[Router], *, policy: IsolationPolicy | None = None, deadline: float | None = None
) -> list[RouterApplied]: ...
def observe_routers(routers: Sequence[Router], *, deadline: float | None = None) -> list[RouterSeen]: ...
def router_status(routers: Sequence[Router], *, deadline: float | None = None) -> list[RouterStatus]: ...
def import_secrets(
    routers: Sequence[Router], known: Sequence[KnownAccount] | None = None, *, deadline: float | None = None
) -> list[RouterImport]: ...
def read_spreadsheets(
    files: Sequence[SheetFile],
    books: SheetBooks,
    now: datetime,
    *,
    language: Language | None = None,
    maps: Sequence[tuple[str, str]] | None = None,
    dates: DayOrder | None = None,
    billed_from: date | None = None,
    update: bool | None = None,
    accept: Sequence[SheetAnswer] | None = None,
    copies: bool | None = None,
) -> SheetsRead: ...
def send_messages(
    channel: Channel, messages: Sequence[Message], *, deadline: float | None = None
) -> list[Sent]: ...
def preview_messages(
    messages: Sequence[Message],
    *,
    templates: Sequence[MessageTemplate] | None = None,
    sender: Sender | None = None,
) -> list[str]: ...
def template_registrations(
    templates: Sequence[MessageTemplate] | None = None, *, sender: bool = False
) -> list[str]: ...
def verify_webhook(app_secret: str, signature: str | None, body: bytes) -> None: ...
def receive_webhook(app_secret: str, signature: str | None, body: bytes) -> list[Event]: ...
def answer_subscription(verify_token: str, query: str) -> str: ...
def fold_statuses(messages: Sequence[DeliveryFacts]) -> list[Delivery]: ...

@final
class SimulatedRouter:
    def __new__(
        cls,
        *,
        identity: str = "simulated",
        username: str = "api",
        password: str = "simulated",
        version: Literal["7.21.5", "7.9"] = "7.21.5",
        port: int = 0,
        auto_dial: bool = True,
        serial: str | None = None,
    ) -> SimulatedRouter: ...
    @property
    def address(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    def secrets(self) -> list[SimulatedSecret]: ...
    def felt(self, address: str, list: str = "ISOLIR") -> tuple[str | None, bool]: ...
    def plug_dhcp(self, mac: str, pool_address: str) -> None: ...
    def secret(self, name: str) -> SimulatedSecret | None: ...
    def password_is(self, name: str, password: str) -> bool: ...
    def profiles(self) -> list[SimulatedProfile]: ...
    def sessions(self) -> list[SimulatedSession]: ...
    def add_secret(
        self,
        name: str,
        password: str,
        *,
        profile: str = "default",
        comment: str = "",
        remote_address: str | None = None,
        disabled: bool = False,
    ) -> None: ...
    def add_hotspot_user(self, name: str, password: str, *, profile: str = "default", comment: str = "") -> None: ...
    def add_profile(self, name: str, rate_limit: str | None = None) -> None: ...
    def add_pool(self, name: str, ranges: str) -> None: ...
    def remove_secret(self, name: str) -> None: ...
    def plug(self, name: str, password: str) -> None: ...
    def unplug(self, name: str) -> None: ...
    def down(self) -> None: ...
    def up(self) -> None: ...
    def reboot(self, seconds: float) -> None: ...
    def fail(
        self,
        fault: str,
        *,
        detail: str | float | None = None,
        on: str | None = None,
        after: int = 0,
        times: int = 1,
    ) -> None: ...
    def heal(self) -> None: ...
    def counters(self) -> dict[str, int]: ...
    def reset_counters(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> SimulatedRouter: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class SimulatedGateway:
    def __new__(cls, kind: GatewayKind) -> SimulatedGateway: ...
    @property
    def settings(self) -> GatewaySettings: ...
    def transactions(self) -> list[GatewayTransaction]: ...
    def requests(self) -> int: ...
    def pay(self, reference: str, amount: int, at: datetime, *, fee: int | None = None) -> None: ...
    def set(self, reference: str, state: NoticeState) -> None: ...
    def webhook(self, reference: str) -> tuple[list[tuple[str, str]], bytes]: ...
    def fail(self, fault: str, *, code: int = 502, times: int = 1) -> None: ...
    def fail_refund(self, fault: str, *, code: int = 502) -> None: ...
    def settle_refunds(self, *, balance: int | None = None) -> None: ...
    def given_back(self, reference: str) -> int: ...
    def close(self) -> None: ...
    def __enter__(self) -> SimulatedGateway: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...

@final
class SimulatedWhatsApp:
    def __new__(
        cls, *, templates: Sequence[MessageTemplate] | None = None, sender: bool = False
    ) -> SimulatedWhatsApp: ...
    @property
    def base_url(self) -> str: ...
    @property
    def phone_number_id(self) -> str: ...
    @property
    def access_token(self) -> str: ...
    @property
    def app_secret(self) -> str: ...
    def messages(self) -> list[SentMessage]: ...
    def duplicates(self) -> dict[str, int]: ...
    def requests(self) -> int: ...
    def fail(self, fault: str, *, code: int | None = None, times: int = 1, after: int = 0) -> None: ...
    def fail_recipient(self, digits: str, code: int) -> None: ...
    def heal(self) -> None: ...
    def down(self) -> None: ...
    def up(self) -> None: ...
    def status_webhook(
        self, statuses: Sequence[tuple[str, str]], at: datetime, *, code: int | None = None
    ) -> SignedWebhook: ...
    def close(self) -> None: ...
    def __enter__(self) -> SimulatedWhatsApp: ...
    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
        /,
    ) -> None: ...
