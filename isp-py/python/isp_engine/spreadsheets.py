"""Spreadsheets in which an owner kept his books: read, checked and planned against what exists.

:func:`read` takes files (xlsx, xls, ods, CSV in any common encoding) by name and content and opens none. It says what
every row is and what would become of it, what is wrong with file, line and column, and how cells were read. It writes
nothing: who is content with what he sees writes the rows that are new, in one transaction.
"""

from isp_engine._isp_engine import (
    read_spreadsheets as read,
)
from isp_engine.records import (
    Discount,
    HeldPrice,
    SheetAnswer,
    SheetBooks,
    SheetCopy,
    SheetCustomer,
    SheetDevice,
    SheetExpense,
    SheetFault,
    SheetFee,
    SheetFile,
    SheetInstallation,
    SheetLine,
    SheetNotice,
    SheetPackage,
    SheetProblem,
    SheetRouter,
    SheetRow,
    SheetSite,
    SheetsRead,
)

__all__ = [
    "Discount",
    "HeldPrice",
    "SheetAnswer",
    "SheetBooks",
    "SheetCopy",
    "SheetCustomer",
    "SheetDevice",
    "SheetExpense",
    "SheetFault",
    "SheetFee",
    "SheetFile",
    "SheetInstallation",
    "SheetLine",
    "SheetNotice",
    "SheetPackage",
    "SheetProblem",
    "SheetRouter",
    "SheetRow",
    "SheetSite",
    "SheetsRead",
    "read",
]
