"""Isolation stories (rules I1 to I6). 15 January 2026 is a Thursday."""

from datetime import time, timedelta
from typing import Any, get_args

import pytest

import isp_engine as isp
from isp_engine import records
from stories import WIT, WITA, at, day, invoice

START = day("2025-06-01")


def line(access: records.Access = "open", due: str = "2026-01-10", **more: Any) -> isp.AccessFacts:
    return isp.AccessFacts(1, START, access, [invoice("A", due)], **more)


def decide(facts: isp.AccessFacts, text: str, **more: Any) -> tuple[str, str]:
    (decision,) = isp.decide_isolation([facts], at(text), **more)
    return decision.action, decision.reason


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-10 23:59", ("keep", "nothing_overdue")),
        ("2026-01-11 10:00", ("keep", "within_grace")),
        ("2026-01-14 23:59", ("keep", "within_grace")),
        ("2026-01-15 09:59", ("keep", "before_hour")),
        ("2026-01-15 10:00", ("isolate", "overdue_too_long")),
        ("2026-01-17 12:00", ("keep", "day_not_allowed")),
        ("2026-01-19 10:00", ("isolate", "overdue_too_long")),
    ],
)
def test_five_days_at_ten_on_a_working_day_i1(moment: str, expected: tuple[str, str]) -> None:
    assert decide(line(), moment) == expected


def test_the_public_holidays_are_told() -> None:
    days = isp.public_holidays()
    assert [one.date for one in days] == sorted({one.date for one in days})
    assert isp.PublicHoliday(day("2026-02-17"), "national", "Tahun Baru Imlek", False) in days
    [english] = [one.name for one in isp.public_holidays("en") if one.date == day("2026-02-17")]
    assert english == "Lunar New Year"
    for one in days:
        for kept in ("all", "national", "none"):
            policy = isp.IsolationPolicy(public_holidays=kept, on_weekends=True)  # type: ignore[arg-type]
            moment = at("%s 12:00" % one.date)
            facts = isp.AccessFacts(1, day("2020-01-01"), "open", [invoice("A", str(one.date - timedelta(days=30)))])
            (decision,) = isp.decide_isolation([facts], moment, policy=policy)
            kept_day = kept == "all" or kept == one.kind
            assert (decision.reason == "day_not_allowed") == kept_day, (one, kept)


def test_nobody_is_isolated_on_a_public_holiday_i1() -> None:
    row = line(due="2026-02-01")
    imlek, joint_leave = "2026-02-17 10:00", "2026-02-16 10:00"
    national = isp.IsolationPolicy(public_holidays="national")
    none = isp.IsolationPolicy(public_holidays="none")
    assert decide(row, imlek) == decide(row, joint_leave) == ("keep", "day_not_allowed")
    assert decide(row, imlek, policy=national) == ("keep", "day_not_allowed")
    assert decide(row, joint_leave, policy=national) == ("isolate", "overdue_too_long")
    assert decide(row, imlek, policy=none) == ("isolate", "overdue_too_long")
    assert (isp.IsolationPolicy().public_holidays, none.public_holidays) == ("all", "none")


def test_the_decision_carries_its_evidence_i7() -> None:
    two = isp.AccessFacts("x", START, "open", [invoice("A", "2026-01-10", paid=66_500), invoice("B", "2026-02-10")])
    assert isp.decide_isolation([two], at("2026-02-18 10:00")) == [
        isp.Decision("x", "isolate", "overdue_too_long", 266_500, 39)
    ]


def test_the_hour_is_local() -> None:
    ten_wita = at("2026-01-15 10:00", WITA)
    zones: list[records.Zone] = ["WIB", "WITA", "WIT"]
    rows = [line(zone=zone)._replace(subscription=zone) for zone in zones]
    rows = [row._replace(invoices=[invoice(row.zone, "2026-01-10")]) for row in rows]
    decided = isp.decide_isolation(rows, ten_wita)
    assert [(d.subscription, d.reason) for d in decided] == [
        ("WIB", "before_hour"),
        ("WITA", "overdue_too_long"),
        ("WIT", "overdue_too_long"),
    ]
    assert at("2026-01-15 11:00", WIT) == ten_wita


def test_a_promise_an_exemption_and_an_outage_protect_i2() -> None:
    now = "2026-01-15 10:00"
    promise = isp.Promise(day("2026-01-13"), day("2026-01-15"))
    assert decide(line(promise=promise), now) == ("keep", "promised")
    assert decide(line(promise=promise), "2026-01-19 10:00") == ("isolate", "overdue_too_long")
    exemption = isp.Exemption(day("2026-01-01"), day("2026-01-31"))
    assert decide(line(exemption=exemption), now) == ("keep", "exempt")
    assert decide(line(outage=isp.Outage(at("2026-01-15 03:00"))), now) == ("keep", "site_outage")
    over = isp.Outage(at("2026-01-15 03:00"), at("2026-01-15 10:00"))
    assert decide(line(outage=over), now) == ("isolate", "overdue_too_long")


def test_a_payment_reopens_only_what_arrears_caused_i3_i4() -> None:
    paid = [invoice("A", "2026-01-10", paid=166_500)]
    arrears = line("isolated", cause="arrears", isolated_overdue=166_500)
    manual = line("isolated", cause="manual")
    assert decide(arrears, "2026-01-18 02:00") == ("keep", "still_overdue")
    assert decide(arrears._replace(invoices=paid), "2026-01-18 02:00") == ("reopen", "paid")
    assert decide(manual._replace(invoices=paid), "2026-01-18 02:00") == ("keep", "isolated_by_hand")


def test_part_of_the_arrears_may_be_enough_i4() -> None:
    half = isp.IsolationPolicy(reopen_when_paid_percent=50)
    row = line("isolated", cause="arrears", isolated_overdue=166_500)
    short = row._replace(invoices=[invoice("A", "2026-01-10", paid=83_249)])
    enough = row._replace(invoices=[invoice("A", "2026-01-10", paid=83_250)])
    assert decide(short, "2026-01-18 02:00", policy=half) == ("keep", "still_overdue")
    assert decide(enough, "2026-01-18 02:00", policy=half) == ("reopen", "paid_enough")
    assert decide(enough, "2026-01-18 02:00") == ("keep", "still_overdue")


def test_a_pause_and_an_end_close_the_line_b7() -> None:
    now = "2026-01-15 10:00"
    assert decide(line(paused_from=day("2026-01-15")), now) == ("close", "paused")
    assert decide(line(end=day("2026-01-15")), now) == ("close", "terminated")
    assert decide(line("closed", end=day("2026-01-15")), now) == ("keep", "terminated")
    assert decide(line()._replace(start=day("2026-02-01")), now) == ("close", "pending")
    assert decide(line("closed"), now) == ("reopen", "in_service")


def test_settings_move_the_days_and_the_hour() -> None:
    policy = isp.IsolationPolicy(
        isolate_after_days=7, isolate_at=time(8, 30), on_weekends=True, holidays=[day("2026-01-18")]
    )
    assert decide(line(), "2026-01-17 08:29", policy=policy) == ("keep", "before_hour")
    assert decide(line(), "2026-01-17 08:30", policy=policy) == ("isolate", "overdue_too_long")
    assert decide(line(), "2026-01-18 08:30", policy=policy) == ("keep", "day_not_allowed")
    assert not policy.allows_day(day("2026-01-18"))
    assert policy.holidays == (day("2026-01-18"),)


def test_the_breaker_is_twenty_or_ten_percent_i6() -> None:
    policy = isp.IsolationPolicy()
    assert [policy.breaker_limit(n) for n in (0, 150, 200, 1_000)] == [20, 20, 20, 100]


def test_every_reason_is_in_the_stub() -> None:
    assert set(isp.REASONS) == set(get_args(records.Reason))
    assert len(isp.REASONS) == 19
