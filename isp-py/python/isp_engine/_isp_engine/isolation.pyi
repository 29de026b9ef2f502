"""Who is isolated and reopened, and why."""

from collections.abc import Sequence
from datetime import datetime

from isp_engine._isp_engine.policies import IsolationPolicy, PromisePolicy
from isp_engine.errors import InvalidValue
from isp_engine.records import (
    AccessFacts,
    Decision,
    Exemption,
    ExplainFacts,
    Explanation,
    Hand,
    HandFacts,
    Key,
    Language,
    PromiseWish,
    PublicHoliday,
)

def public_holidays(language: Language | None = None) -> list[PublicHoliday]: ...
def decide_isolation(
    lines: Sequence[AccessFacts], now: datetime, *, policy: IsolationPolicy | None = None
) -> list[Decision]: ...
def check_promises(
    wishes: Sequence[PromiseWish], *, policy: PromisePolicy | None = None
) -> list[InvalidValue | None]: ...
def check_exemptions(exemptions: Sequence[Exemption]) -> list[InvalidValue | None]: ...
def decide_by_hand(lines: Sequence[HandFacts], action: Hand, by: str, reason: str) -> list[Key]: ...
def explain(
    lines: Sequence[ExplainFacts],
    now: datetime,
    *,
    policy: IsolationPolicy | None = None,
    language: Language | None = None,
) -> list[Explanation]: ...
