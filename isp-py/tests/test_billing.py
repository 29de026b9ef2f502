"""Billing stories, each with the rule of the domain it shows."""

from datetime import date
from decimal import Decimal

import pytest
from dateutil.relativedelta import relativedelta

import isp_engine as isp
from isp_engine.records import Cycle
from stories import WIT, at, day, package, subscription


def test_the_price_of_a_day() -> None:
    home = isp.Package("HOME", [isp.Price(date(2026, 1, 1), 150_000), isp.Price(date(2026, 3, 1), 175_000)])
    prices = [isp.prices_on([home], date(2026, month, 1)) for month in (2, 3)]
    assert (prices, isp.prices_on([home], date(2025, 12, 31))) == ([[150_000], [175_000]], [None])


def test_overdue_is_the_day_after_the_due_date() -> None:
    invoices = [isp.OpenInvoice("a", date(2026, 1, 1), date(2026, 1, 11), 166_500, 0), isp.OpenInvoice("b", date(2026, 1, 1), date(2026, 1, 11), 1, 1)]
    assert (isp.overdue(invoices, date(2026, 1, 11)), isp.overdue(invoices, date(2026, 1, 12))) == ([], ["a"])


def starts(plan: isp.BillingPlan) -> list[str]:
    return [str(invoice.period_start) for invoice in plan.invoices]


def test_the_anchor_31_clamps_and_comes_back_c2() -> None:
    plan = isp.plan_billing([subscription("2026-01-31", 31)], [package()], at("2026-05-31 00:00"))
    assert starts(plan) == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
    assert {invoice.total for invoice in plan.invoices} == {166_500}
    # A run that dies before it moves the position must not bill from the start again.
    assert plan.billed_from == [isp.BilledFrom(1, day("2026-06-01"))]
    assert plan.problems == []
    assert plan.next_position == day("2026-05-31")


def test_the_civil_day_is_the_zones_c1() -> None:
    row = subscription("2026-03-01", 1)
    midnight_wit = at("2026-03-01 00:00", WIT)
    assert starts(isp.plan_billing([row], [package()], midnight_wit)) == []
    assert starts(isp.plan_billing([row._replace(zone="WIT")], [package()], midnight_wit)) == ["2026-03-01"]


def test_a_quarter_is_three_months_of_the_price_c2() -> None:
    row = subscription("2025-10-31", 31, cycle="quarterly")
    plan = isp.plan_billing([row], [package()], at("2026-04-30 08:00"))
    assert starts(plan) == ["2025-10-31", "2026-01-31", "2026-04-30"]
    assert plan.invoices[0][2:] == (
        day("2025-10-31"),
        day("2026-01-31"),
        day("2025-10-31"),
        day("2026-04-30"),
        (isp.InvoiceLine("subscription", 450_000, None, None), isp.InvoiceLine("ppn", 49_500, None, None)),
        450_000,
        49_500,
        499_500,
    )


def test_a_fixed_day_prorates_the_first_period_c5() -> None:
    # 15 to 31 January is 17 of 31 days of Rp155.000.
    row = subscription("2026-01-15", 1)
    plan = isp.plan_billing([row], [package(price=155_000)], at("2026-02-01 08:00"))
    first, second = plan.invoices
    assert first.lines == (isp.InvoiceLine("subscription", 85_000, 17, 31), isp.InvoiceLine("ppn", 9_350, None, None))
    assert (first.period_start, first.period_end) == (day("2026-01-15"), day("2026-02-01"))
    assert second.dpp == 155_000


def test_postpaid_is_billed_when_the_period_ends_b1() -> None:
    row = subscription("2026-01-10", 10, timing="postpaid")
    plan = isp.plan_billing([row], [package()], at("2026-02-10 00:01"))
    assert [(i.period_start, i.issue_date) for i in plan.invoices] == [(day("2026-01-10"), day("2026-02-10"))]


def test_lead_and_terms_move_issue_and_due_b1_b2() -> None:
    policy = isp.BillingPolicy(issue_lead_days=7, payment_terms_days=14)
    plan = isp.plan_billing([subscription("2026-02-08", 8)], [package()], at("2026-02-01 09:00"), policy=policy)
    assert [(i.issue_date, i.due_date) for i in plan.invoices] == [(day("2026-02-01"), day("2026-02-15"))]
    assert plan.next_position == day("2026-02-08")


def test_the_position_bills_only_what_came_due_since_b3_b4() -> None:
    rows = [subscription("2025-01-05", 5, key=1, billed_from=None), subscription("2025-01-20", 20, 2, billed_from=None)]
    plan = isp.plan_billing(rows, [package()], at("2026-03-10 08:00"), position=day("2026-03-01"))
    assert [(i.subscription, str(i.period_start)) for i in plan.invoices] == [(1, "2026-03-05")]
    again = isp.plan_billing(rows, [package()], at("2026-03-10 09:00"), position=plan.next_position)
    assert again.invoices == []


def test_too_many_missed_periods_are_a_problem_and_the_rest_goes_on_b4_b8() -> None:
    rows = [
        subscription("2024-01-01", 1, key="late"),
        subscription("2026-03-01", 1, key="good"),
        subscription("2026-03-01", 1, key="lost")._replace(package="gone"),
    ]
    plan = isp.plan_billing(rows, [package()], at("2026-03-01 08:00"))
    assert [i.subscription for i in plan.invoices] == ["late"] * 12 + ["good"]
    assert [(p.subscription, p.code) for p in plan.problems] == [
        ("late", "billing.catch_up_limit"),
        ("lost", "package.unknown"),
    ]
    assert plan.problems[0].message == "27 periods are due, more than the limit of 12"
    # What is left over waits for the next run.
    assert plan.billed_from == [isp.BilledFrom("late", day("2025-01-01")), isp.BilledFrom("good", day("2026-03-02"))]
    rest = [rows[0]._replace(billed_from=day("2025-01-01"))]
    again = isp.plan_billing(rest, [package()], at("2026-03-01 08:00"), position=plan.next_position)
    assert (starts(again)[0], starts(again)[-1]) == ("2025-01-01", "2025-12-01")


def test_the_price_in_force_on_the_start_of_the_period_b5() -> None:
    prices = [isp.Price(day("2026-03-01"), Decimal("170000")), isp.Price(day("2026-01-01"), 150_000)]
    plan = isp.plan_billing([subscription("2026-01-20", 20)], [isp.Package("P", prices)], at("2026-03-20 08:00"))
    assert [i.dpp for i in plan.invoices] == [150_000, 150_000, 170_000]
    early = isp.plan_billing([subscription("2025-12-20", 20)], [isp.Package("P", prices)], at("2025-12-20 08:00"))
    assert [p.code for p in early.problems] == ["package.no_price"]


def test_held_prices_and_discounts_end_on_their_day_b5() -> None:
    held = subscription("2026-01-05", 5, held_price=isp.HeldPrice(120_000, day("2026-02-05")))
    percent = subscription("2026-01-05", 5, key=2, discount=isp.Discount("percent", 10, day("2026-02-05")))
    amount = subscription("2026-01-05", 5, key=3, discount=isp.Discount("amount", Decimal(25_000)))
    plan = isp.plan_billing([held, percent, amount], [package()], at("2026-02-05 08:00"))
    assert [(i.subscription, i.dpp) for i in plan.invoices] == [
        (1, 120_000),
        (1, 150_000),
        (2, 135_000),
        (2, 150_000),
        (3, 125_000),
        (3, 125_000),
    ]
    assert [line.amount for line in plan.invoices[2].lines] == [150_000, -15_000, 14_850]


def test_a_package_change_a_pause_and_an_end_b6_b7() -> None:
    change = subscription("2026-01-05", 5, change=isp.PackageChange("BIG", day("2026-02-05")))
    pause = subscription("2026-01-05", 5, key=2, paused_from=day("2026-02-01"))
    ended = subscription("2026-01-05", 5, key=3, end=day("2026-02-19"))
    packages = [package(), package("BIG", 300_000)]
    plan = isp.plan_billing([change, pause, ended], packages, at("2026-03-05 08:00"))
    assert [(i.subscription, i.package, i.dpp) for i in plan.invoices] == [
        (1, "P", 150_000),
        (1, "BIG", 300_000),
        (1, "BIG", 300_000),
        (2, "P", 150_000),
        (3, "P", 150_000),
        (3, "P", 75_000),
    ]
    assert plan.invoices[-1].lines[0] == isp.InvoiceLine("subscription", 75_000, 14, 28)


def test_an_inclusive_price_is_met_with_a_rounding_line() -> None:
    plan = isp.plan_billing(
        [subscription("2026-01-01", 1)], [package(price=55_000, tax_mode="inclusive")], at("2026-01-01 08:00")
    )
    (invoice,) = plan.invoices
    assert [(line.kind, line.amount) for line in invoice.lines] == [
        ("subscription", 49_549),
        ("ppn", 5_450),
        ("rounding", 1),
    ]
    assert invoice.total == 55_000


def test_who_is_not_a_pkp_charges_no_ppn() -> None:
    plan = isp.plan_billing(
        [subscription("2026-01-01", 1)], [package()], at("2026-01-01 08:00"), tax=isp.TaxPolicy(pkp=False)
    )
    assert [(i.ppn, i.total, len(i.lines)) for i in plan.invoices] == [(0, 150_000, 1)]


@pytest.mark.parametrize(("cycle", "months"), [("monthly", 1), ("quarterly", 3)])
@pytest.mark.parametrize("anchor", range(1, 32))
def test_periods_agree_with_dateutil_from_2024_to_2044(anchor: int, cycle: Cycle, months: int) -> None:
    start = date(2024, 1, anchor)
    row = isp.Subscription("s", "P", start, anchor, cycle, billed_from=start)
    policy = isp.BillingPolicy(catch_up_periods=120)
    billed: list[tuple[date, date]] = []
    position = None
    for year in (2032, 2040, 2044):
        now = at(f"{year}-12-31 12:00")
        plan = isp.plan_billing([row], [package()], now, position=position, policy=policy)
        assert plan.problems == []
        billed += [(i.period_start, i.period_end) for i in plan.invoices]
        position, row = plan.next_position, row._replace(billed_from=None)
    expected = [start + relativedelta(months=k * months) for k in range(21 * 12 // months + 1)]
    assert billed == list(zip(expected[:-1], expected[1:]))


def test_a_hundred_thousand_rows_keep_their_keys_and_their_order() -> None:
    packages = [package(k, 100_000 + 1_000 * k) for k in range(20)]
    start = day("2026-01-15")
    rows = [isp.Subscription(key, key % 20, start, 15, billed_from=start) for key in range(1_000_000, 1_100_000)]
    plan = isp.plan_billing(rows, packages, at("2026-01-15 08:00"))
    assert [i.subscription for i in plan.invoices] == list(range(1_000_000, 1_100_000))
    assert all(i.package == i.subscription % 20 for i in plan.invoices)
    assert sum(i.dpp for i in plan.invoices) == 5_000 * sum(100_000 + 1_000 * k for k in range(20))
    assert all(sum(line.amount for line in i.lines) == i.total for i in plan.invoices)
