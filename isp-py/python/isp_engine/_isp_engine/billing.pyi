"""What is charged and given back: invoices, PPN, late fees, installations, credit notes."""

from collections.abc import Sequence
from datetime import date, datetime

from isp_engine._isp_engine.policies import BillingPolicy, ClockPolicy, LateFeePolicy, OutagePolicy, TaxPolicy
from isp_engine.errors import InvalidValue
from isp_engine.records import (
    BillingPlan,
    Charge,
    ClockDoubt,
    CorrectionWish,
    CreditNote,
    Ending,
    EndingWish,
    FeeAgain,
    FeeBack,
    FeeSchedule,
    FirstFee,
    InstallationFee,
    IsolatedFacts,
    Key,
    LateFee,
    LateFeeFacts,
    LateInvoice,
    Money,
    OpenInvoice,
    Outage,
    Package,
    Subscription,
    Taxable,
    Taxed,
    TermsChange,
    TermsFacts,
    UnpaidWhenLate,
    WriteOff,
    WriteOffWish,
)

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
def prices_on(packages: Sequence[Package], day: date) -> list[int | None]: ...
def overdue(invoices: Sequence[OpenInvoice], today: date) -> list[Key]: ...
def check_clock(
    last_run: datetime | None, now: datetime, *, policy: ClockPolicy | None = None
) -> ClockDoubt | None: ...
def end_records(wishes: Sequence[EndingWish]) -> list[Ending | InvalidValue]: ...
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
