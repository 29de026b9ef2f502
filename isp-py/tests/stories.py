"""Short ways to write dated stories."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import isp_engine as isp

WIB = timezone(timedelta(hours=7))
WITA = timezone(timedelta(hours=8))
WIT = timezone(timedelta(hours=9))


def day(text: str) -> date:
    return date.fromisoformat(text)


def at(text: str, zone: timezone = WIB) -> datetime:
    """A moment written as local time: ``2026-01-15 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def package(key: isp.Key = "P", price: isp.Money = 150_000, **more: Any) -> isp.Package:
    return isp.Package(key, [isp.Price(day("2022-04-01"), price)], **more)


def subscription(start: str, anchor: int, key: isp.Key = 1, **more: Any) -> isp.Subscription:
    """A subscription to package ``P``, to be billed from its start."""
    return isp.Subscription(key, "P", day(start), anchor, **{"billed_from": day(start), **more})


def invoice(key: isp.Key, due: str, total: isp.Money = 166_500, paid: isp.Money = 0) -> isp.OpenInvoice:
    return isp.OpenInvoice(key, day(due) - timedelta(days=10), day(due), total, paid)


def refused(call: Any, *args: Any, **kwargs: Any) -> isp.InvalidValue:
    """The exception with which a call refuses its arguments."""
    try:
        answer = call(*args, **kwargs)
    except isp.InvalidValue as error:
        return error
    raise AssertionError(f"not refused: {answer!r}")
