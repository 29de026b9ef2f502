"""Routers, the accounts they should have, and what they say."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from isp_engine._masked import masked
from isp_engine.errors import IspError
from isp_engine.records.decisions import Access, Key

StepAction: TypeAlias = Literal["keep", "absent", "create", "change", "remove", "conflict"]
LineService: TypeAlias = Literal["pppoe", "hotspot", "static", "dhcp"]
IsolationStrategy: TypeAlias = Literal["profile", "address_list", "disable", "hotspot"]
Verdict: TypeAlias = Literal["ours", "match", "conflict", "new"]
Evidence: TypeAlias = Literal["user_name", "phone", "full_name", "one_name"]


class GroupBurst(NamedTuple):
    """The burst of a group (profile): until the mean over ``seconds`` reaches ``threshold_percent`` of the speed, a line
    may have ``percent`` of it, which is above 100."""

    group: str
    percent: int
    threshold_percent: int
    seconds: int


class GroupIsolation(NamedTuple):
    """How the lines of a group (profile) are isolated, where it is not as the rest of the router's."""

    group: str
    isolation: IsolationStrategy


class RouterSettings(NamedTuple):
    """How accounts are kept on a router. ``None``: the engine's default.

    ``isolation`` says how: ``profile`` (default; the account gets the isolation profile and its session ends),
    ``address_list`` (its fixed address joins the list), ``disable`` (no payment page), or ``hotspot`` (hotspot users).

    ``isolation_profile`` (``isolir``), ``isolation_list`` (``ISOLIR``) and ``isolation_rate`` (``64k/64k``) make the
    profile of isolated accounts; ``pool`` and ``local_address`` go into the profiles that are made, and must exist on
    the router. ``tls_authority`` is the PEM that signs the certificates of routers reached by ``tls://``. ``isolations`` go
    before ``isolation``. With ``remove_closed`` the account of a closed line is removed once nothing runs on it; else it
    stays, disabled.
    """

    isolation_profile: str | None = None
    isolation_list: str | None = None
    isolation_rate: str | None = None
    isolation_pool: str | None = None
    pool: str | None = None
    local_address: str | None = None
    tls_authority: str | None = None
    isolation: IsolationStrategy | None = None
    bursts: Sequence[GroupBurst] = ()
    isolations: Sequence[GroupIsolation] = ()
    remove_closed: bool = False


class Account(NamedTuple):
    """What a router should allow one subscription. The password is masked in ``repr``.

    ``owner`` names the subscription for ever and everywhere, such as database id and row id: the mark that makes the
    account ours is made from it. ``group`` is the profile of its package, ``speed`` download and upload (``20M/10M``).
    ``adopt`` allows taking over an account of that name that has no mark yet. ``service`` is how the line gets onto the
    network: ``pppoe``, ``hotspot``, ``static`` or ``dhcp``. The last two have no user name and no password (both ``""``):
    a static line is known by its ``ip_address``, a DHCP line by the ``mac`` of its box, and may have an ``ip_address``
    of its own. Its mark tells what a line has left on the router for another address or box, and that goes along.
    ``succeeds`` are the owners of lines that had this user name, address or box on this router before and are over: what
    has their mark is taken over.
    """

    key: Key
    owner: str
    username: str
    password: str
    group: str
    speed: str
    access: Access
    adopt: bool = False
    service: LineService = "pppoe"
    ip_address: str | None = None
    mac: str | None = None
    succeeds: Sequence[str] = ()

    def __repr__(self) -> str:
        return masked(self, "password")


class Machine(NamedTuple):
    """Who a router is, as it says itself: its name, which people change, and its serial number or the id of a virtual
    one (``None`` where it tells none)."""

    identity: str
    serial: str | None = None


class Router(NamedTuple):
    """A router to talk to. The password is masked in ``repr``.

    ``address`` is ``host``, ``host:port`` or ``[v6]:port``, with ``tls://`` in front for api-ssl, whose certificate is
    checked by ``tls_fingerprint`` (SHA-256) or by the authority of the settings. ``subscribers`` is how many the
    router serves (``None``: as many as accounts are given) and ``approved`` that a person let the breaker pass.

    ``machine`` is the one that answered before (``RouterStatus.machine``, ``RouterApplied.machine``), ``other_machines``
    those that serve other routers. Where another machine answers, nothing is read or written, and ``error`` has the code
    ``router.other_machine``, until a person says that it is right. ``None``: whichever answers.
    """

    key: Key
    address: str
    username: str
    password: str
    accounts: Sequence[Account] = ()
    settings: RouterSettings | None = None
    subscribers: int | None = None
    approved: bool = False
    tls_fingerprint: str | None = None
    machine: Machine | None = None
    other_machines: Sequence[Machine] = ()

    def __repr__(self) -> str:
        return masked(self, "password")


class FieldChange(NamedTuple):
    """One difference, in RouterOS's words."""

    field: str
    old: str
    new: str


class PlanStep(NamedTuple):
    """What would happen to a profile or an account, or to the queue or lease of a line that nobody logs in for.

    ``account`` is the key of the account, ``None`` for a profile. ``code`` and ``reason`` tell why a conflict cannot be
    touched. ``ends_sessions`` are running under terms that do not hold any more; ``isolates`` cuts somebody off.
    """

    what: Literal["profile", "account", "queue", "lease"]
    name: str
    account: Key | None
    action: StepAction
    changes: tuple[FieldChange, ...]
    code: str | None
    reason: str | None
    ends_sessions: int
    isolates: bool


class RouterPlan(NamedTuple):
    """The difference between what a router should have and what it has; ``text`` shows it like a diff.

    ``error`` is set when the router gave no answer. ``isolates`` more than ``limit`` needs approval (rule I6).
    """

    router: Key
    error: IspError | None
    steps: tuple[PlanStep, ...]
    text: str
    isolates: int
    limit: int


class AccountOutcome(NamedTuple):
    """What the router said to one account.

    ``done``: read back, ``access`` is so now; ``refused``: it did not take it, see ``code``; ``held``: the breaker
    stopped it before the router was asked.
    """

    account: Key
    state: Literal["done", "refused", "held"]
    access: Access | None
    changed: bool
    code: str | None
    answer: str


class RouterApplied(NamedTuple):
    """The outcome for each account, in order; none when ``error`` is set. Then each may be in either state.

    ``isolates`` is how many lines would have been cut off when the breaker held them back, else 0. ``machine`` is who
    answered: to be remembered, and given as ``Router.machine`` the next time.
    """

    router: Key
    error: IspError | None
    accounts: tuple[AccountOutcome, ...]
    isolates: int
    limit: int
    machine: Machine | None


class AccountSeen(NamedTuple):
    """What the router allows an account now; ``None``: neither of the three for sure, see ``answer``."""

    account: Key
    access: Access | None
    answer: str


class RouterSeen(NamedTuple):
    """What a router allows now, account by account, in order; none when ``error`` is set."""

    router: Key
    error: IspError | None
    accounts: tuple[AccountSeen, ...]


class RouterStatus(NamedTuple):
    """A connection test. ``accounts`` and ``sessions`` count all of them, ours or not; empty when ``error`` is set.
    ``machine`` is who answered."""

    router: Key
    error: IspError | None
    identity: str
    version: str
    board: str
    uptime: str
    cpu_load: int | None
    accounts: int
    sessions: int
    milliseconds: int
    machine: Machine | None


class KnownAccount(NamedTuple):
    """A subscription that an account found on a router may belong to. Personal: masked in ``repr``."""

    key: Key
    owner: str
    username: str
    customer: str
    phone: str | None = None

    def __repr__(self) -> str:
        return masked(self, "customer", "phone")


class FoundAccount(NamedTuple):
    """An account as it stands on a router, and whose it seems to be. Personal: masked in ``repr``.

    ``verdict`` is ``ours`` (it has our mark), ``match`` (one subscription fits, by ``evidence`` and ``confidence`` 0 to
    100), ``conflict`` (several fit, or another account fits as well) or ``new``; then ``customer`` and ``phone`` are
    what the comment says.
    """

    name: str
    password: str | None
    profile: str
    rate_limit: str | None
    remote_address: str | None
    disabled: bool
    online: bool
    comment: str
    verdict: Verdict
    subscriptions: tuple[Key, ...]
    confidence: int | None
    evidence: Evidence | None
    customer: str
    phone: str | None
    service: LineService = "pppoe"

    def __repr__(self) -> str:
        return masked(self, "password", "comment", "customer", "phone")


class FoundPackage(NamedTuple):
    """A profile that accounts use, and its speed (``20M/10M``) if it is one that a package can have."""

    profile: str
    speed: str | None
    accounts: int


class RouterImport(NamedTuple):
    """What was found on a router; nothing when ``error`` is set."""

    router: Key
    error: IspError | None
    accounts: tuple[FoundAccount, ...]
    packages: tuple[FoundPackage, ...]


class SimulatedSecret(NamedTuple):
    """An account as a simulated router stores it. ``owner`` is the mark's, ``comment`` what people wrote."""

    name: str
    profile: str
    disabled: bool
    remote_address: str | None
    owner: str | None
    comment: str


class SimulatedProfile(NamedTuple):
    """A profile as a simulated router stores it; ``rate_limit`` has upload first, as RouterOS writes it."""

    name: str
    rate_limit: str | None
    address_list: str | None


class SimulatedSession(NamedTuple):
    """A session that runs on a simulated router, with what it got at login."""

    name: str
    profile: str
    rate_limit: str | None
    address: str | None
    address_list: str | None
