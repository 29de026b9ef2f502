"""Money that comes in: whose it is, what it pays, and the books."""

from collections.abc import Sequence
from datetime import datetime

from isp_engine.errors import InvalidValue
from isp_engine.records import (
    Allocation,
    AllocationFacts,
    AskedPayment,
    BankMoney,
    BankPayer,
    Grouping,
    Key,
    LedgerRow,
    Money,
    MoneyMatch,
    OwedDebt,
    OwedSum,
    PaymentNotice,
    PaymentRequest,
    ProfitLoss,
    ProofFile,
    ProofWish,
    ReceivedPayment,
    RequestWish,
    ReviewWish,
    TransferWish,
)

def allocate(customers: Sequence[AllocationFacts]) -> list[Allocation]: ...
def payment_identity(provider: str, reference: str, customer: Key | None = None) -> str: ...
def qris_asking(code: str, amount: int) -> str: ...
def qris_shop(code: str) -> str: ...
def ask_payments(
    wishes: Sequence[RequestWish], now: datetime, *, valid_hours: int | None = None
) -> list[PaymentRequest | InvalidValue]: ...
def match_requests(
    money: Sequence[BankMoney], requests: Sequence[AskedPayment], payers: Sequence[BankPayer] | None = None
) -> list[MoneyMatch]: ...
def sums_owed(debts: Sequence[OwedDebt]) -> list[OwedSum]: ...
def receive_payments(notices: Sequence[PaymentNotice], now: datetime) -> list[ReceivedPayment | InvalidValue]: ...
def check_proofs(wishes: Sequence[ProofWish]) -> list[ProofFile | InvalidValue]: ...
def check_transfers(wishes: Sequence[TransferWish]) -> list[InvalidValue | None]: ...
def review_proofs(wishes: Sequence[ReviewWish]) -> list[InvalidValue | None]: ...
def format_rupiah(amount: Money) -> str: ...
def profit_loss(rows: Sequence[LedgerRow], *, by: Grouping | None = None) -> ProfitLoss: ...
