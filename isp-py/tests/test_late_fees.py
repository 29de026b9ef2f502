"""Late fees (rule B10): once for a period that is paid late, after a grace, shown before they are charged."""

from decimal import Decimal
from typing import Any

import pytest

import isp_engine as isp
from stories import WIT, at, day, refused

SEVEN = isp.LateFeePolicy(after_days=7, fixed=10_000)


def late(key: isp.Key = 1, due: str = "2026-01-15", unpaid: isp.Money = 166_500, **more: Any) -> isp.LateInvoice:
    return isp.LateInvoice(key, day(due), unpaid, **more)


def charged(text: str, *rows: isp.LateInvoice, policy: isp.LateFeePolicy = SEVEN, **more: Any) -> list[Any]:
    return [tuple(fee)[:6] for fee in isp.late_fees(rows or (late(),), at(text), policy, **more)]


def test_it_is_coming_then_due_and_dated_on_its_day() -> None:
    fee = (1, day("2026-01-22"), 10_000, 0, 10_000)
    assert charged("2026-01-15 12:00") == [], "not overdue yet"
    assert charged("2026-01-16 00:00") == [(*fee, False)]
    assert charged("2026-01-21 23:59") == [(*fee, False)]
    assert charged("2026-01-22 00:00") == [(*fee, True)]
    # A late run charges the day that it missed, when it says which day was charged last.
    assert charged("2026-01-25 08:00", since=day("2026-01-21")) == [(*fee, True)]
    assert (SEVEN.day(day("2026-01-15")), SEVEN.due_on(day("2026-01-22"))) == (day("2026-01-22"), day("2026-01-15"))
    [fee_] = isp.late_fees([late()], at("2026-01-22 08:00"), SEVEN, billing=isp.BillingPolicy(payment_terms_days=3))
    assert fee_.due_date == day("2026-01-25")


def test_what_was_passed_by_before_the_policy_was_set_is_not_charged() -> None:
    assert charged("2026-01-25 08:00") == []
    assert charged("2026-01-25 08:00", since=day("2026-01-22")) == []


def test_nothing_unpaid_bears_no_fee() -> None:
    assert charged("2026-01-22 08:00", late(unpaid=0)) == []


def test_a_share_with_a_minimum_and_ppn() -> None:
    share = isp.LateFeePolicy(after_days=7, percent=2, minimum=Decimal(5_000), with_ppn=True)
    rows = [late("small"), late("big", unpaid=499_500)]
    fees = charged("2026-01-22 08:00", *rows, policy=share)
    assert fees == [
        ("small", day("2026-01-22"), 5_000, 550, 5_550, True),
        ("big", day("2026-01-22"), 9_990, 1_099, 11_089, True),
    ]
    assert charged("2026-01-22 08:00", *rows, policy=share, tax=isp.TaxPolicy(pkp=False))[0][3:5] == (0, 5_000)
    assert (share.fee(166_500), share.fee(499_500), share.fee(0)) == (5_000, 9_990, 0)


def test_the_day_is_the_zones() -> None:
    midnight_in_jayapura = at("2026-01-22 00:00", WIT)
    rows = [late("wib"), late("wit", zone="WIT")]
    fees = isp.late_fees(rows, midnight_in_jayapura, SEVEN)
    assert [(fee.invoice, fee.due) for fee in fees] == [("wib", False), ("wit", True)]


@pytest.mark.parametrize(
    ("settings", "code", "field"),
    [
        ({}, "policy.invalid", "amount"),
        ({"fixed": 0}, "policy.invalid", "amount"),
        ({"fixed": 10_000, "after_days": 0}, "policy.invalid", "amount"),
        ({"fixed": 10_000.0}, "value.type", "fixed"),
        ({"fixed": -1}, "money.negative", "fixed"),
        ({"fixed": 10_000, "percent": 2}, "value.type", "percent"),
        ({"fixed": 10_000, "minimum": 5_000}, "value.type", "minimum"),
        ({"percent": 101}, "value.range", "percent"),
        ({"percent": 2, "minimum": -1}, "money.negative", "minimum"),
        ({"percent": 2, "with_ppn": 1}, "value.type", "with_ppn"),
        ({"percent": 2, "after_days": 366}, "value.range", "after_days"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], code: str, field: str) -> None:
    def make() -> isp.LateFeePolicy:
        return isp.LateFeePolicy(**{"after_days": 7, **settings})

    error = refused(make)
    assert (error.code, error.field) == (code, field)


def test_rows_that_make_no_sense() -> None:
    for row, field, code in (
        (late(unpaid=1.5), "unpaid", "value.type"),  # type: ignore[arg-type]
        (late(unpaid=-1), "unpaid", "money.negative"),
        (late(zone="UTC"), "zone", "value.not_one_of"),
        (late(key=1), "key", "value.duplicate"),
    ):
        error = refused(isp.late_fees, [late(), row._replace(key=row.key if code == "value.duplicate" else 2)], at("2026-01-22 08:00"), SEVEN)
        assert (error.row, error.field, error.code) == (1, field, code)
    assert refused(isp.late_fees, [], at("2026-01-22 08:00"), isp.BillingPolicy()).code == "value.type"
    assert repr(SEVEN) == "LateFeePolicy(after_days=7, fixed=10000, with_ppn=False)"
    assert SEVEN == isp.LateFeePolicy(after_days=7, fixed=10_000) != isp.LateFeePolicy(after_days=8, fixed=10_000)


def test_a_hundred_thousand_rows() -> None:
    rows = [late(key, unpaid=100_000 + key) for key in range(100_000)]
    fees = isp.late_fees(rows, at("2026-01-22 08:00"), isp.LateFeePolicy(after_days=7, percent=2, with_ppn=True))
    assert [fee.invoice for fee in fees] == list(range(100_000))
    assert all(fee.dpp + fee.ppn == fee.total for fee in fees)
