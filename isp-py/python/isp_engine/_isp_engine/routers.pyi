"""MikroTik routers: compared, written and read back."""

from collections.abc import Sequence

from isp_engine._isp_engine.policies import IsolationPolicy
from isp_engine.records import KnownAccount, Router, RouterApplied, RouterImport, RouterPlan, RouterSeen, RouterStatus

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
