"""What is refused at the door, with the place of the value and a stable code."""

import pickle
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest

import isp_engine as isp
from stories import at, day, invoice, package, refused, subscription

NOW = at("2026-03-13 10:00")
TODAY = day("2026-03-13")


def place(error: isp.InvalidValue) -> tuple[str, str | None, int | None]:
    return error.code, error.field, error.row


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (1.0, "value.type"),
        (True, "value.type"),
        ("150000", "value.type"),
        (None, "value.type"),
        (Decimal("0.5"), "money.fraction"),
        (Decimal("1E-40"), "money.fraction"),
        (Decimal("NaN"), "money.format"),
        (Decimal("-Infinity"), "money.format"),
        (Decimal("1E+999999"), "money.range"),
        (10_000_000_000_001, "money.range"),
        (10**30, "money.range"),
    ],
)
def test_money_is_int_or_whole_decimal_everywhere(amount: Any, code: str) -> None:
    good = isp.Taxable(1_000, TODAY)
    assert place(refused(isp.ppn, [good, isp.Taxable(amount, TODAY)])) == (code, "price", 1)
    assert place(refused(isp.format_rupiah, amount)) == (code, "amount", None)
    assert place(refused(isp.plan_billing, [], [package(price=amount)], NOW)) == (
        code,
        "packages[0].prices[0].amount",
        None,
    )
    if amount is not None:
        row = subscription("2026-01-05", 5, held_price=isp.HeldPrice(amount))
        assert place(refused(isp.plan_billing, [row], [package()], NOW)) == (code, "held_price.price", 0)
        line = isp.AccessFacts(1, TODAY, "open", isolated_overdue=amount)
        assert place(refused(isp.decide_isolation, [line], NOW)) == (code, "isolated_overdue", 0)
    open_one = invoice("A", "2026-03-10", paid=amount)
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (isp.due_reminders, ([isp.DunningFacts(1, [invoice("B", "2026-03-10"), open_one])], NOW)),
        (isp.decide_isolation, ([isp.AccessFacts(1, TODAY, "open", [invoice("B", "2026-03-10"), open_one])], NOW)),
        (isp.allocate, ([isp.AllocationFacts(1, [invoice("B", "2026-03-10"), open_one], [])],)),
    ]
    for call, arguments in calls:
        assert place(refused(call, *arguments)) == (code, "invoices[1].paid", 0)
    credit = isp.AllocationFacts(1, [], [isp.Credit("p", amount)])
    assert place(refused(isp.allocate, [credit])) == (code, "credit[0].left", 0)


def test_whole_decimals_are_amounts() -> None:
    for amount in (Decimal("1000"), Decimal("1000.00"), Decimal("1E+3")):
        assert isp.ppn([isp.Taxable(amount, TODAY)])[0].dpp == 1_000
    assert isp.format_rupiah(Decimal("-0.0")) == "Rp0"
    assert isp.format_rupiah(Decimal("0E-30")) == "Rp0"


@pytest.mark.parametrize("amount", [-1, Decimal(-1)])
def test_amounts_below_zero_where_they_make_no_sense(amount: Any) -> None:
    row = subscription("2026-01-05", 5, held_price=isp.HeldPrice(amount))
    assert place(refused(isp.plan_billing, [row], [package()], NOW)) == ("money.negative", "held_price.price", 0)
    credit = isp.AllocationFacts(1, [], [isp.Credit("p", amount)])
    assert refused(isp.allocate, [credit]).code == "money.negative"
    assert place(refused(isp.plan_billing, [], [package(price=amount)], NOW)) == (
        "value.not_positive",
        "packages[0].prices",
        None,
    )


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (NOW, "value.type"),
        (datetime(2026, 3, 13), "value.type"),
        ("2026-03-13", "value.type"),
        (20_525, "value.type"),
        (None, "value.type"),
        (date(1969, 12, 31), "date.range"),
        (date(2200, 1, 1), "date.range"),
    ],
)
def test_days_are_dates_and_no_datetimes(when: Any, code: str) -> None:
    assert place(refused(isp.ppn, [isp.Taxable(1, when)])) == (code, "on", 0)
    row = subscription("2026-01-05", 5)
    assert place(refused(isp.plan_billing, [row, row._replace(key=2, start=when)], [package()], NOW)) == (
        code,
        "start",
        1,
    )
    late = isp.OpenInvoice("A", TODAY, when, 1)
    assert place(refused(isp.allocate, [isp.AllocationFacts(1, [late], [])])) == (code, "invoices[0].due_date", 0)
    if when is not None:
        assert place(refused(isp.plan_billing, [], [], NOW, position=when)) == (code, "position", None)
        assert place(refused(isp.IsolationPolicy, holidays=[when])) == (code, "holidays[0]", None)


def test_subclasses_of_date_are_days() -> None:
    class Day(date):
        pass

    assert isp.ppn([isp.Taxable(1_000, Day(2026, 1, 1))])[0].ppn == 110


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (datetime(2026, 3, 13, 10), "datetime.naive"),
        (TODAY, "value.type"),
        ("now", "value.type"),
        (None, "value.type"),
        (1_700_000_000, "value.type"),
        (datetime(1969, 12, 31, tzinfo=timezone.utc), "date.range"),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=12))), "date.range"),
    ],
)
def test_moments_are_aware(now: Any, code: str) -> None:
    calls: list[tuple[Any, tuple[Any, ...]]] = [
        (isp.plan_billing, ([], [], now)),
        (isp.due_reminders, ([], now)),
        (isp.decide_isolation, ([], now)),
    ]
    for call, arguments in calls:
        assert place(refused(call, *arguments)) == (code, "now", None)
    outage = isp.AccessFacts(1, TODAY, "open", outage=isp.Outage(now))
    assert place(refused(isp.decide_isolation, [outage], NOW)) == (code, "outage.since", 0)


def test_one_moment_in_any_zone_is_one_moment() -> None:
    row = subscription("2026-03-13", 13)
    for zone in (timezone.utc, timezone(timedelta(hours=-11)), timezone(timedelta(hours=9, minutes=30))):
        plan = isp.plan_billing([row], [package()], at("2026-03-13 00:00").astimezone(zone))
        assert len(plan.invoices) == 1
        before = isp.plan_billing([row], [package()], at("2026-03-12 23:59").astimezone(zone))
        assert before.invoices == []


@pytest.mark.parametrize("key", [True, 1.0, None, b"x", 2**70])
def test_keys_are_int_or_str(key: Any) -> None:
    error = refused(isp.plan_billing, [subscription("2026-01-05", 5, key=key)], [package()], NOW)
    assert (error.field, error.row) == ("key", 0)
    assert error.code == ("value.range" if key == 2**70 else "value.type")
    assert refused(isp.due_reminders, [isp.DunningFacts(key, [])], NOW).field == "customer"
    assert refused(isp.decide_isolation, [isp.AccessFacts(key, TODAY, "open")], NOW).field == "subscription"


def test_a_key_names_one_row() -> None:
    rows = [subscription("2026-01-05", 5, key=7), subscription("2026-01-06", 6, key=7)]
    assert place(refused(isp.plan_billing, rows, [package()], NOW)) == ("value.duplicate", "key", 1)
    assert place(refused(isp.plan_billing, [], [package(), package()], NOW)) == (
        "value.duplicate",
        "packages[1].key",
        None,
    )
    twice = isp.AllocationFacts(1, [], [isp.Credit("p", 1), isp.Credit("p", 1)])
    assert place(refused(isp.allocate, [twice])) == ("value.duplicate", "credit[1].payment", 0)
    # An int and a str are two keys.
    assert isp.plan_billing([rows[0], rows[1]._replace(key="7")], [package()], NOW).problems == []


@pytest.mark.parametrize("word", ["Monthly", " monthly", "", "bulanan"])
def test_unknown_words_name_their_field(word: Any) -> None:
    row = subscription("2026-01-05", 5)
    for field in ("cycle", "timing", "zone"):
        error = refused(isp.plan_billing, [row._replace(**{field: word})], [package()], NOW)
        assert place(error) == ("value.not_one_of", field, 0)
    assert str(error) == "row 0, zone: is not one of: WIB, WITA, WIT"
    assert place(refused(isp.ppn, [isp.Taxable(1, TODAY, word)])) == ("value.not_one_of", "mode", 0)
    discount = subscription("2026-01-05", 5, discount=isp.Discount(word, 1))
    assert place(refused(isp.plan_billing, [discount], [package()], NOW)) == ("value.not_one_of", "discount.kind", 0)
    for field in ("access", "cause", "zone"):
        line = isp.AccessFacts(1, TODAY, "open")._replace(**{field: word})
        assert place(refused(isp.decide_isolation, [line], NOW)) == ("value.not_one_of", field, 0)
    sent = isp.DunningFacts(1, [], [isp.Notified("A", word, 3)])
    assert place(refused(isp.due_reminders, [sent], NOW)) == ("value.not_one_of", "notified[0].kind", 0)


@pytest.mark.parametrize("word", [1, None, b"monthly", True])
def test_words_are_str(word: Any) -> None:
    row = subscription("2026-01-05", 5)._replace(cycle=word)
    assert place(refused(isp.plan_billing, [row], [package()], NOW)) == ("value.type", "cycle", 0)


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, "calendar.billing_day"), (32, "calendar.billing_day"), (256, "value.range"), (-1, "value.range")]
    + [(5.0, "value.type"), (True, "value.type"), ("5", "value.type"), (10**30, "value.range")],
)
def test_billing_days(number: Any, code: str) -> None:
    row = subscription("2026-01-05", 5)._replace(day=number)
    assert place(refused(isp.plan_billing, [row], [package()], NOW)) == (code, "day", 0)


@pytest.mark.parametrize("number", [0, 101])
def test_percents(number: int) -> None:
    row = subscription("2026-01-05", 5, discount=isp.Discount("percent", number))
    assert place(refused(isp.plan_billing, [row], [package()], NOW)) == ("value.range", "discount.value", 0)
    assert refused(isp.IsolationPolicy, reopen_when_paid_percent=number).field == "reopen_when_paid_percent"


@pytest.mark.parametrize("flag", [1, 0, None, "yes"])
def test_flags_are_bool(flag: Any) -> None:
    row = isp.DunningFacts(1, [], reachable=flag)
    assert place(refused(isp.due_reminders, [row], NOW)) == ("value.type", "reachable", 0)


def test_an_int_enum_is_an_int() -> None:
    class Amount(IntEnum):
        FEE = 2_500

    assert isp.format_rupiah(Amount.FEE) == "Rp2.500"


@pytest.mark.parametrize("row", [None, (), (1, 2), {"key": 1}, isp.Credit(1, 2), tuple.__new__(isp.Subscription, (1,))])
def test_rows_are_the_records_of_the_call(row: Any) -> None:
    error = refused(isp.plan_billing, [subscription("2026-01-05", 5), row], [package()], NOW)
    assert place(error) == ("value.type", None, 1)
    assert str(error).startswith("row 1: expected Subscription, got ")


@pytest.mark.parametrize("rows", [None, 1, "abc", {}, iter([]), {1, 2}])
def test_lists_are_lists_or_tuples(rows: Any) -> None:
    assert place(refused(isp.ppn, rows)) == ("value.type", "prices", None)
    assert place(refused(isp.allocate, [isp.AllocationFacts(1, rows, [])])) == ("value.type", "invoices", 0)
    assert place(refused(isp.parse_phones, rows)) == ("value.type", "texts", None)


@pytest.mark.parametrize("policy", [1, {}, "default", isp.TaxPolicy])
def test_policies_are_policies(policy: Any) -> None:
    assert place(refused(isp.plan_billing, [], [], NOW, policy=policy)) == ("value.type", "policy", None)
    assert place(refused(isp.ppn, [], tax=policy)) == ("value.type", "tax", None)
    assert str(refused(isp.decide_isolation, [], NOW, policy=policy)).startswith("policy: expected IsolationPolicy")


@pytest.mark.parametrize(
    ("policy", "settings", "expected"),
    [
        (isp.BillingPolicy, {"catch_up_periods": 0}, ("policy.invalid", "catch_up_periods")),
        (isp.BillingPolicy, {"catch_up_periods": 121}, ("value.range", "catch_up_periods")),
        (isp.BillingPolicy, {"issue_lead_days": -1}, ("value.range", "issue_lead_days")),
        (isp.BillingPolicy, {"payment_terms_days": 10.0}, ("value.type", "payment_terms_days")),
        (isp.DunningPolicy, {"due_soon_days": [3, "1"]}, ("value.type", "due_soon_days[1]")),
        (isp.DunningPolicy, {"due_soon_days": list(range(21))}, ("policy.invalid", "dunning")),
        (isp.DunningPolicy, {"quiet_until": time(21)}, ("policy.invalid", "dunning")),
        (isp.DunningPolicy, {"quiet_until": "08:00"}, ("value.type", "quiet_until")),
        (isp.IsolationPolicy, {"isolate_at": time(10, 0, 1)}, ("time.format", "isolate_at")),
        (isp.IsolationPolicy, {"isolate_at": time(10, tzinfo=timezone.utc)}, ("time.format", "isolate_at")),
        (isp.IsolationPolicy, {"on_weekends": 1}, ("value.type", "on_weekends")),
        (isp.TaxPolicy, {"rules": [isp.TaxRule(TODAY, 1, 0, 11)]}, ("value.range", "rules[0].base_denominator")),
        (isp.TaxPolicy, {"pkp": 1}, ("value.type", "pkp")),
    ],
)
def test_settings_that_make_no_sense(policy: Any, settings: dict[str, Any], expected: tuple[str, str]) -> None:
    error = refused(policy, **settings)
    assert (error.code, error.field) == expected


def test_one_exception_tree() -> None:
    error = refused(isp.format_rupiah, 0.5)
    assert isinstance(error, isp.IspError)
    assert isinstance(error, ValueError)
    assert (error.retryable, isp.RetryableError.retryable) == (False, True)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), place(again)) == (isp.InvalidValue, str(error), place(error))
    later = pickle.loads(pickle.dumps(isp.RetryableError("no answer", "router.timeout")))
    assert (str(later), later.code, later.retryable) == ("no answer", "router.timeout", True)


def test_nothing_that_was_given_is_changed() -> None:
    rows = [subscription("2026-01-05", 5), subscription("2026-01-06", 6, key="b")]
    packages = [package()]
    before = pickle.dumps((rows, packages))
    plan = isp.plan_billing(rows, packages, NOW)
    assert pickle.dumps((rows, packages)) == before
    assert pickle.loads(pickle.dumps(plan)) == plan


HALF = "Budi \ud83d"


@pytest.mark.parametrize(
    ("call", "arguments", "field", "row"),
    [
        (isp.parse_phone, (HALF,), "text", None),
        (isp.parse_niks, ([HALF],), None, 0),
        (isp.plan_billing, ([subscription("2026-01-05", 5, timing=HALF)], [package()], NOW), "timing", 0),
        (isp.allocate, ([isp.AllocationFacts(HALF, [], [])],), "customer", 0),
    ],
)
def test_half_a_sign_is_refused_in_words_and_never_shown(
    call: Any, arguments: tuple[Any, ...], field: str | None, row: int | None
) -> None:
    error = refused(call, *arguments)
    assert place(error) == ("value.half_sign", field, row)
    assert "surrogate" in str(error) and "Budi" not in str(error)
