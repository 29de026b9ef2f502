"""Spreadsheets of an owner: what exists already, the rows that were read, and what is wrong with them.

The records of sites, routers and so on go both ways: they say what exists, and what a row of a file says.
"""

from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple, TypeAlias

from isp_engine._masked import masked
from isp_engine.records.decisions import Cycle, Discount, HeldPrice, Money, TaxMode, Timing, Zone
from isp_engine.records.reports import Language
from isp_engine.records.routers import LineService

SheetKind: TypeAlias = Literal[
    "sites", "routers", "packages", "customers", "subscriptions", "cpes", "installations", "expenses", "everything"
]
RowVerdict: TypeAlias = Literal["new", "same", "differs", "left_out", "refused"]
DayOrder: TypeAlias = Literal["dmy", "mdy"]
Invoicing: TypeAlias = Literal["per_subscription", "per_customer"]
Ownership: TypeAlias = Literal["owned", "lent"]
ExpenseCategory: TypeAlias = Literal["bandwidth", "salaries", "electricity", "fees", "other"]
PaidFrom: TypeAlias = Literal["cash", "bank", "gateway", "pph23"]


class SheetFile(NamedTuple):
    """A file by its name without a folder. Masked in ``repr``: it is full of people.

    ``kind`` says what its rows are, where neither its name nor its columns do.
    """

    name: str
    content: bytes
    kind: SheetKind | None = None

    def __repr__(self) -> str:
        return masked(self, "content")


class SheetAnswer(NamedTuple):
    """A row whose questions a person answers with yes; without a line all of the file, as :class:`SheetProblem` names it."""

    file: str
    line: int | None = None


class SheetSite(NamedTuple):
    """A place with its time zone; ``coordinates`` are degrees, ``-6.9147,107.6098``."""

    code: str
    name: str
    zone: Zone
    coordinates: str | None = None


class SheetRouter(NamedTuple):
    """A router at a site. The password is masked in ``repr``.

    ``address`` is as in :class:`isp_engine.records.Router`. A row without a password is of a router that is known.
    """

    code: str
    site: str
    address: str
    username: str
    password: str | None = None

    def __repr__(self) -> str:
        return masked(self, "password")


class SheetPackage(NamedTuple):
    """A package: its price today, its speed (``20M/10M``, download first), and the profile on the routers."""

    code: str
    name: str
    price: Money
    tax_mode: TaxMode
    speed: str
    group: str


class SheetCustomer(NamedTuple):
    """A customer. ``None``: a row says nothing, or nothing is known. Personal: masked in ``repr``."""

    code: str
    name: str
    nik: str | None = None
    address: str | None = None
    phone: str | None = None
    language: Language | None = None
    invoicing: Invoicing | None = None
    coordinates: str | None = None

    def __repr__(self) -> str:
        return masked(self, "name", "nik", "address", "phone", "coordinates")


class SheetLine(NamedTuple):
    """A line of a customer. The password is masked in ``repr``.

    ``username`` is of a line that logs in, ``ip_address`` of a static one, ``mac`` of a DHCP one. A row that is new has
    the router, the site, the billing day and ``billed_from``, the first day that is billed, as they will be. ``end`` is
    the day after the last, ``next_package`` one that is planned, ``billed`` that it had a periodic invoice: a row never
    has these.
    """

    customer: str
    package: str
    router: str | None
    site: str | None
    service: LineService
    username: str | None
    password: str | None
    ip_address: str | None
    mac: str | None
    start: date
    billing_day: int | None = None
    cycle: Cycle = "monthly"
    timing: Timing = "prepaid"
    billed_from: date | None = None
    held_price: HeldPrice | None = None
    discount: Discount | None = None
    end: date | None = None
    next_package: str | None = None
    billed: bool = False

    def __repr__(self) -> str:
        return masked(self, "password")


class SheetDevice(NamedTuple):
    """A device at a customer's place. The password is masked in ``repr``.

    ``installed`` is false for one that came back, ``customer`` is ``None`` for one that nobody has: a row always has both.
    """

    serial: str
    customer: str | None
    outdoor_unit: str | None = None
    router: str | None = None
    ip_address: str | None = None
    username: str | None = None
    password: str | None = None
    ownership: Ownership = "lent"
    value: Money | None = None
    installed_on: date | None = None
    installed: bool = True

    def __repr__(self) -> str:
        return masked(self, "password")


class SheetFee(NamedTuple):
    """A kind of installation with its price."""

    code: str
    name: str
    price: Money


class SheetInstallation(NamedTuple):
    """An installation with its fee, of a line (``username``, or what a static or DHCP line is known by).

    ``kind`` is a code; ``kind_name`` is how a row writes it. One that was ``taken_back`` is not charged again.
    """

    customer: str
    username: str | None
    kind: str
    kind_name: str
    fee: Money | None
    on: date
    instalments: int = 1
    with_first_invoice: bool = False
    taken_back: bool = False


class SheetExpense(NamedTuple):
    """An expense. One that was ``taken_back`` is not booked again."""

    on: date
    category: ExpenseCategory
    amount: Money
    note: str = ""
    site: str | None = None
    paid_from: PaidFrom = "cash"
    taken_back: bool = False


class SheetBooks(NamedTuple):
    """What exists already. Each list is all that there is of its kind; ``cash`` is the cash in the office."""

    sites: Sequence[SheetSite] = ()
    routers: Sequence[SheetRouter] = ()
    packages: Sequence[SheetPackage] = ()
    customers: Sequence[SheetCustomer] = ()
    lines: Sequence[SheetLine] = ()
    devices: Sequence[SheetDevice] = ()
    installation_kinds: Sequence[SheetFee] = ()
    installations: Sequence[SheetInstallation] = ()
    expenses: Sequence[SheetExpense] = ()
    cash: Money = 0


SheetRecord: TypeAlias = (
    SheetSite
    | SheetRouter
    | SheetPackage
    | SheetCustomer
    | SheetLine
    | SheetDevice
    | SheetInstallation
    | SheetExpense
)


class SheetRow(NamedTuple):
    """A row that was read, and what becomes of it.

    ``new`` is not there yet, ``same`` is. One that ``differs`` does so in ``columns``, and is changed when the call says
    ``update``, where it is ``updatable``: what billing or a router rests on is not changed by an import. ``left_out`` is
    over, or was before the first day that is billed here. ``refused`` is held back by a problem of it or of a row that it
    names.
    """

    file: str
    line: int
    verdict: RowVerdict
    columns: tuple[str, ...]
    updatable: bool
    record: SheetRecord


class SheetProblem(NamedTuple):
    """Why a row is not taken; ``line`` is 0 for a file. Nothing of a cell is in it, but codes and names of customers where
    two are compared. A question (``is_question``) is taken when a person accepts the row."""

    file: str
    line: int
    column: str
    code: str
    message: str
    is_question: bool


class SheetFault(NamedTuple):
    """Problems of one file and column in the same words, to be shown once. ``lines`` are their lines, ``listed`` is these as a person
    reads them: ``"2-41, 50, 60-61"``, the first ten runs, with ``...`` where there are more. A question stands alone."""

    file: str
    lines: tuple[int, ...]
    listed: str
    column: str
    code: str
    message: str
    is_question: bool


class SheetNotice(NamedTuple):
    """What a person should know: how cells of a column were read, what was left aside. ``lines`` is how many, from ``line`` on."""

    file: str
    column: str
    code: str
    message: str
    line: int
    lines: int


class SheetCopy(NamedTuple):
    """A file with one column more that says what is wrong in each row, as CSV. Masked in ``repr``."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return masked(self, "content")


class SheetsRead(NamedTuple):
    """All that was read. It may be written when there are no ``problems``; ``faults`` are these as a person is told of them.

    ``read_as`` says which file or sheet was read as what; ``copies`` are empty unless they were asked for.
    """

    read_as: tuple[tuple[str, SheetKind], ...]
    rows: tuple[SheetRow, ...]
    problems: tuple[SheetProblem, ...]
    faults: tuple[SheetFault, ...]
    notices: tuple[SheetNotice, ...]
    copies: tuple[SheetCopy, ...]
