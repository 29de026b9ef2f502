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


# By when payments were made (rules P4, P7)

NOON = "2026-01-25 12:00"


def books(*money: isp.Came, payment: isp.Key | None = "P", **more: Any) -> isp.LateFeeFacts:
    """January, due on the 15th, with its fee of the 22nd."""
    fee = isp.FeeCharged("FEE", day("2026-01-22"), 10_000)
    january = isp.BilledInvoice("JAN", day("2026-01-05"), day("2026-01-15"), 166_500, period_start=day("2026-01-05"), fees=[fee])
    return isp.LateFeeFacts([january._replace(**more)], money, payment)


def came(text: str, amount: isp.Money = 166_500, payment: isp.Key = "P", only: isp.Key | None = None) -> isp.Came:
    return isp.Came(payment, at(text), amount, only)


def test_a_fee_that_a_payment_of_before_makes_wrong_comes_back() -> None:
    def back(row: isp.LateFeeFacts, policy: isp.LateFeePolicy | None = SEVEN) -> list[isp.FeeBack]:
        return isp.late_fees_back([row], at(NOON), policy)

    in_time = came("2026-01-21 23:59")
    assert back(books(in_time)) == [isp.FeeBack("JAN", "FEE", 10_000)]
    # It is charged rightly, though no fees are charged any more; what was charged is the fact.
    assert back(books(in_time), None) == [isp.FeeBack("JAN", "FEE", 10_000)]
    # The day of the fee had begun; who paid a part of it pays the fixed fee; a note is for its own invoice only.
    assert back(books(came("2026-01-22 00:00"))) == []
    assert back(books(came("2026-01-21 23:59", 100_000))) == []
    assert back(books(came("2026-01-21 23:59", only="FEB"))) == []
    assert back(books(came("2026-01-21 23:59", only="JAN"))) == [isp.FeeBack("JAN", "FEE", 10_000)]
    # What a person gave back of it is not given back again.
    given = isp.FeeCharged("FEE", day("2026-01-22"), 10_000, back=7_500)
    assert back(books(in_time, fees=[given])) == [isp.FeeBack("JAN", "FEE", 2_500)]
    # Whichever was typed first: the other was in time.
    late = came("2026-01-24 09:00", payment="Q")
    assert back(books(in_time, late)) == back(books(late, in_time)) == [isp.FeeBack("JAN", "FEE", 10_000)]
    assert back(books(late, in_time, payment="Q")) == []


def test_a_fee_that_a_payment_had_spared_is_due_when_it_comes_back() -> None:
    def again(row: isp.LateFeeFacts, through: str | None = "2026-01-25", **more: Any) -> list[tuple[Any, ...]]:
        charged_through = through and day(through)
        return [tuple(fee)[:6] for fee in isp.late_fees_again([row], at(NOON), SEVEN, charged_through=charged_through, **more)]

    cheque, today = came("2026-01-06 10:00"), day("2026-01-25")
    assert again(books(cheque, fees=())) == [("JAN", 0, today, 10_000, 0, 10_000)]
    # The run has not come to its day, or it was charged and stands.
    assert again(books(cheque, fees=()), "2026-01-21") == []
    assert again(books(cheque, fees=()), None) == []
    assert again(books(came("2026-01-23 10:00"))) == []
    # It was given back for this payment: due again, with the PPN that it had; not what a person gave back.
    spared = isp.FeeCharged("FEE", day("2026-01-22"), 11_100, 1_100, back=11_100, for_payments=11_100)
    assert again(books(cheque, fees=[spared])) == [("JAN", 1, today, 10_000, 1_100, 11_100)]
    assert again(books(cheque, fees=[spared._replace(for_payments=0)])) == []
    # Days that a pause gave back from the first on were not owed (rule B12).
    paused = isp.NoteGiven("pause", day("2026-01-05"), day("2026-02-05"), day("2026-01-06"), [])
    assert again(books(cheque, fees=(), given=[paused])) == []
    assert again(books(cheque, fees=(), period_start=None)) == []
    [fee] = isp.late_fees_again(
        [books(cheque, fees=())], at(NOON), isp.LateFeePolicy(after_days=7, percent=10, with_ppn=True), charged_through=today,
        billing=isp.BillingPolicy(payment_terms_days=3),
    )
    assert (fee.dpp, fee.ppn, fee.total, fee.due_date) == (16_650, 1_832, 18_482, day("2026-01-28"))


def test_what_was_unpaid_when_the_day_of_a_fee_began() -> None:
    february = isp.BilledInvoice("FEB", day("2026-02-05"), day("2026-02-15"), 166_500, period_start=day("2026-02-05"))
    row = books(came("2026-01-20 09:00", 66_500), came("2026-02-10 09:00", 100_000, "Q"), payment=None)
    row = row._replace(invoices=[*row.invoices, february])
    # What came in February pays January first.
    assert isp.unpaid_when_late([row], SEVEN) == [isp.UnpaidWhenLate("JAN", 100_000), isp.UnpaidWhenLate("FEB", 166_500)]


def test_books_that_make_no_sense() -> None:
    for row, field, code in (
        (books(), "payment", "value.no_row"),
        (books(came("2026-01-06 10:00"), payment="Q"), "payment", "value.no_row"),
        (books(came("2026-01-06 10:00"), payment=None), "payment", "value.no_row"),
        (books(came("2026-01-06 10:00", 1.5)), "money[0].amount", "value.type"),  # type: ignore[arg-type]
        (books(came("2026-01-06 10:00"), zone="UTC"), "invoices[0].zone", "value.not_one_of"),
    ):
        for call in (isp.late_fees_back, isp.late_fees_again):
            error = refused(call, [row], at(NOON))
            assert (error.row, error.field, error.code) == (0, field, code)
    twice = books(came("2026-01-06 10:00"))
    assert refused(isp.late_fees_back, [twice, twice], at(NOON)).code == "value.duplicate"
