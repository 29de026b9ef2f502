"""Profit and loss, and the sentence that says why a line is open or isolated."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, TypeAlias

from isp_engine.records.decisions import Access, Key, Money, Reason
from isp_engine.records.isolation import AccessFacts

LedgerAccount: TypeAlias = Literal[
    "receivable",
    "cash",
    "bank",
    "gateway",
    "collector",
    "pph23_prepaid",
    "customer_credit",
    "ppn_payable",
    "revenue_subscription",
    "revenue_installation",
    "revenue_late_fee",
    "discounts",
    "rounding",
    "device_cost",
    "expense_bandwidth",
    "expense_salaries",
    "expense_electricity",
    "expense_fees",
    "expense_other",
    "write_off",
]
EntryKind: TypeAlias = Literal[
    "invoices",
    "payment",
    "reversal",
    "credit",
    "credit_note",
    "write_off",
    "deposit",
    "gateway_fee",
    "payout",
    "refund",
    "package_change",
    "device_cost",
    "expense",
]
Grouping: TypeAlias = Literal["month", "package", "site"]
AccessEventKind: TypeAlias = Literal[
    "registered", "isolated_arrears", "isolated_manual", "reopened", "group_changed", "closed"
]
Language: TypeAlias = Literal["id", "en"]


# Profit and loss


class LedgerRow(NamedTuple):
    """An amount of the journal, or the sum of many: debit positive, credit negative.

    ``day`` is any day of its month; ``kind`` tells customers' money from what was spent where the account is
    ``cash``; ``package`` and ``site`` are the caller's names, for splitting.
    """

    day: date
    account: LedgerAccount
    amount: Money
    kind: EntryKind = "invoices"
    package: str | None = None
    site: str | None = None


class AccountAmount(NamedTuple):
    """An amount of one account: positive is earned for revenue, spent for costs."""

    account: LedgerAccount
    amount: int


class ProfitLossRow(NamedTuple):
    """A month, or a month and group; ``month`` (its first day) and ``group`` are ``None`` in the row of totals."""

    month: date | None
    group: str | None
    revenue: tuple[AccountAmount, ...]
    costs: tuple[AccountAmount, ...]
    revenue_total: int
    costs_total: int
    result: int
    cash_in: int
    cash_out: int


class ProfitLoss(NamedTuple):
    """The report: rows by month and group, and all of them together."""

    rows: tuple[ProfitLossRow, ...]
    total: ProfitLossRow


# Why


class AccessEvent(NamedTuple):
    """The last thing that happened to a line: when (aware), what, by whom (``engine`` for the engine) and why."""

    at: datetime
    kind: AccessEventKind
    by: str = "engine"
    reason: str = ""
    overdue: Money = 0


class ExplainFacts(NamedTuple):
    """A line as it was at the moment that is asked about. Name its invoices by their numbers: these are shown. By ``dpps``, the prices
    without PPN of the customer's invoices, oldest first, it is seen that a slip of PPh 23 is awaited."""

    line: AccessFacts
    event: AccessEvent | None = None
    observed: Access | None = None
    observed_at: datetime | None = None
    dpps: Sequence[Money] = ()


class Explanation(NamedTuple):
    """Why a line is as it is: the rule that held, one sentence, and the facts behind it, one each."""

    subscription: Key
    access: Access
    reason: Reason
    sentence: str
    evidence: tuple[str, ...]
