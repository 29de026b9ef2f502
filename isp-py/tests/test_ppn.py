"""PPN: worked numbers, and an oracle in Decimal."""

import random
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import isp_engine as isp
from stories import day, refused


def test_the_rule_of_the_day() -> None:
    # 2024: 11 % of 150.000. 2025: 12 % of 11/12 of it, which is 137.500.
    last_of_2024, first_of_2025 = day("2024-12-31"), day("2025-01-01")
    assert isp.ppn([isp.Taxable(150_000, last_of_2024), isp.Taxable(150_000, first_of_2025)]) == [
        isp.Taxed(150_000, 16_500, 0, 166_500, 150_000),
        isp.Taxed(150_000, 16_500, 0, 166_500, 137_500),
    ]
    # The ladders part by a rupiah where the share of 11/12 is rounded first:
    # 150.032 x 11 % = 16.503,52; x 11/12 = 137.529,3, 137.529 x 12 % = 16.503,48.
    both = isp.ppn([isp.Taxable(150_032, last_of_2024), isp.Taxable(150_032, first_of_2025)])
    assert [taxed.ppn for taxed in both] == [16_504, 16_503]


def test_an_inclusive_price_is_met_to_the_rupiah() -> None:
    on = day("2026-01-01")
    assert isp.ppn([isp.Taxable(55_000, on, "inclusive"), isp.Taxable(222_000, on, "inclusive")]) == [
        isp.Taxed(49_549, 5_450, 1, 55_000, 45_420),
        isp.Taxed(200_000, 22_000, 0, 222_000, 183_333),
    ]


def test_both_ladders_agree_with_decimal() -> None:
    chance = random.Random(20_250_101)
    prices = [chance.randrange(1, 5_000_000) for _ in range(5_000)]
    whole = Decimal(1)
    for on, numerator, denominator, rate in [
        (date(2023, 6, 1), 1, 1, Decimal("0.11")),
        (date(2025, 6, 1), 11, 12, Decimal("0.12")),
    ]:
        for price, taxed in zip(prices, isp.ppn([isp.Taxable(Decimal(p), on) for p in prices])):
            base = (Decimal(price) * numerator / denominator).quantize(whole, ROUND_HALF_UP)
            assert taxed == (price, taxed.ppn, 0, price + taxed.ppn, base)
            assert taxed.ppn == (base * rate).quantize(whole, ROUND_HALF_UP)
        for price, taxed in zip(prices, isp.ppn([isp.Taxable(p, on, "inclusive") for p in prices])):
            assert taxed.dpp + taxed.ppn + taxed.rounding == taxed.total == price
            assert taxed.rounding in (0, 1)


def test_own_rules_and_no_rule() -> None:
    tax = isp.TaxPolicy(rules=[isp.TaxRule(day("2030-01-01"), 1, 1, 15)])
    assert isp.ppn([isp.Taxable(100_000, day("2030-01-01"))], tax=tax) == [isp.Taxed(100_000, 15_000, 0, 115_000, 100_000)]
    rows = [isp.Taxable(1_000, day("2030-01-01")), isp.Taxable(1_000, day("2029-12-31"))]
    error = refused(isp.ppn, rows, tax=tax)
    assert (error.code, error.row, error.field) == ("tax.no_rule", 1, "on")
    assert str(error) == "row 1, on: no tax rule covers 2029-12-31"
    assert isp.ppn([isp.Taxable(1_000, day("2000-01-01"))], tax=isp.TaxPolicy(pkp=False)) == [isp.Taxed(1_000, 0, 0, 1_000, 0)]


def test_the_rules_of_the_law_are_the_default() -> None:
    assert isp.TaxPolicy().rules == (
        isp.TaxRule(day("2022-04-01"), 1, 1, 11),
        isp.TaxRule(day("2025-01-01"), 11, 12, 12),
    )
