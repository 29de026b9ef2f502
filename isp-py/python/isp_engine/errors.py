"""The one exception tree of the package.

::

    IspError
    +-- InvalidValue (also ValueError)   a value that the engine does not take
    +-- Refused                          the other side does not let us, until a person acts
    +-- NotVerified                      a webhook that is not believed
    +-- RetryableError                   nothing is wrong with the values: later
        +-- NotReached                   certainly nothing happened
        +-- OutcomeUnknown               it may have happened

Catch :class:`RetryableError` to try again later; every other :class:`IspError` stays wrong until somebody changes
something. The message is English and for logs; translate by ``code``, which never changes its meaning. No message
holds a NIK, a phone number or a password.
"""

from typing import ClassVar

__all__ = ["InvalidValue", "IspError", "NotReached", "NotVerified", "OutcomeUnknown", "Refused", "RetryableError"]


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


class Refused(IspError):
    """The other side does not let us: credentials, rights, version. Trying again does not help until a person acts."""


class NotVerified(IspError):
    """A webhook that is not believed, or not understood. Nothing of it may be used."""


class RetryableError(IspError):
    """Something outside did not answer, or said "later"; nothing is wrong with the values."""

    retryable: ClassVar[bool] = True


class NotReached(RetryableError):
    """The other side was not reached, or only read: certainly nothing happened."""


class OutcomeUnknown(RetryableError):
    """No answer to something that was asked for: it may have happened. Routers are read again before a repeat."""
