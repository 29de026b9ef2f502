"""Spreadsheets, read row by row."""

from collections.abc import Sequence
from datetime import date, datetime

from isp_engine.records import DayOrder, Language, SheetAnswer, SheetBooks, SheetFile, SheetsRead

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
