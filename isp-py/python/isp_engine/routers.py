"""MikroTik routers: what they should have, what they have, and making it so.

Every call takes many routers and gives one answer for each, in order: a dead router delays nobody else and raises
nothing, it has :attr:`error` set. The interpreter is released, Ctrl-C ends the wait. Never call these inside a
transaction: write down what is wanted, commit, call, write down what was seen.
"""

from isp_engine._isp_engine import (
    apply_routers as apply,
)
from isp_engine._isp_engine import (
    import_secrets,
)
from isp_engine._isp_engine import (
    observe_routers as observe,
)
from isp_engine._isp_engine import (
    parse_ip_address,
    parse_mac,
)
from isp_engine._isp_engine import (
    plan_routers as plan,
)
from isp_engine._isp_engine import (
    router_status as status,
)
from isp_engine.records import (
    Account,
    AccountOutcome,
    AccountSeen,
    FieldChange,
    FoundAccount,
    FoundPackage,
    GroupBurst,
    GroupIsolation,
    KnownAccount,
    Machine,
    PlanStep,
    Router,
    RouterApplied,
    RouterImport,
    RouterPlan,
    RouterSeen,
    RouterSettings,
    RouterStatus,
)

__all__ = [
    "Account",
    "AccountOutcome",
    "AccountSeen",
    "FieldChange",
    "FoundAccount",
    "FoundPackage",
    "GroupBurst",
    "GroupIsolation",
    "KnownAccount",
    "Machine",
    "PlanStep",
    "Router",
    "RouterApplied",
    "RouterImport",
    "RouterPlan",
    "RouterSeen",
    "RouterSettings",
    "RouterStatus",
    "apply",
    "import_secrets",
    "observe",
    "parse_ip_address",
    "parse_mac",
    "plan",
    "status",
]
