"""The one exception tree of the package.

Catch :class:`RetryableError` to try again later; every other :class:`IspError` stays wrong until somebody changes
something. The message is English and for logs; translate by ``code``, which never changes its meaning. No message
holds a NIK, a phone number or a password.
"""

from typing import ClassVar

__all__ = ["InvalidValue", "IspError", "RetryableError"]


class IspError(Exception):
    """Anything that the engine refuses or fails at."""

    retryable: ClassVar[bool] = False
    """True when the same call may succeed later."""

    code: str
    """Stable and dotted, such as ``money.fraction``."""

    def __init__(self, message: str, code: str, *details: object) -> None:
        super().__init__(message, code, *details)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


class InvalidValue(IspError, ValueError):
    """A value that the engine does not take, with its place in what was given."""

    field: str | None
    """Name of the field, dotted through nested records: ``invoices[2].total``."""

    row: int | None
    """Index of the row in the list that was given, from 0; ``None`` outside a list."""

    def __init__(self, message: str, code: str, field: str | None = None, row: int | None = None) -> None:
        super().__init__(message, code, field, row)
        self.field = field
        self.row = row


class RetryableError(IspError):
    """Something outside did not answer, or said "later"; nothing is wrong with the values."""

    retryable: ClassVar[bool] = True
