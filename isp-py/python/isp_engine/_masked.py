"""Records whose ``repr`` shows no secret: an ERP logs whatever it holds when something fails."""

from typing import Any


def masked(record: Any, *hidden: str) -> str:
    """The ``repr`` of a named tuple, with ``***`` for these fields where they are set."""
    fields = zip(record._fields, record, strict=True)
    shown = (f"{name}={'***' if name in hidden and value else repr(value)}" for name, value in fields)
    return f"{type(record).__name__}({', '.join(shown)})"
