"""What is given back: for an outage (*restitusi*), and for days in isolation (rule B7)."""

from typing import Any

import pytest

import isp_engine as isp
from stories import WIB, at, day, package, refused, subscription

JANUARY = (day("2026-01-01"), day("2026-02-01"))


def charge(key: isp.Key = 1, period: tuple[Any, Any] = JANUARY, net: int = 310_000, ppn: int = 34_100, **more: Any) -> isp.Charge:
    lines = [isp.InvoiceLine("subscription", net), isp.InvoiceLine("ppn", ppn)]
    return isp.Charge(key, *period, lines, **more)


def outage(since: str, until: str | None) -> isp.Outage:
    return isp.Outage(at(since), at(until) if until else None)


def given(note: isp.CreditNote, **more: Any) -> isp.GivenBack:
    return isp.GivenBack(note.period_start, note.period_end, note.lines, **more)


def test_two_whole_days_of_sixty_hours() -> None:
    (note,) = isp.outage_credits([charge()], outage("2026-01-16 09:00", "2026-01-18 21:00"))
    assert (note.charge, note.period_start, note.period_end) == (1, day("2026-01-16"), day("2026-01-18"))
    # Two of 31 days of Rp310.000 and of its PPN.
    assert (note.dpp, note.ppn, note.total) == (20_000, 2_200, 22_200)
    assert [(line.kind, line.amount) for line in note.lines] == [("subscription", 20_000), ("ppn", 2_200)]
    assert (note.lines[0].days, note.lines[0].of_days) == (2, 31)


def test_by_the_hour() -> None:
    by_hour = isp.OutagePolicy(min_hours=4, by="hour")
    (note,) = isp.outage_credits([charge()], outage("2026-01-16 00:00", "2026-01-16 06:00"), policy=by_hour)
    assert note.total == 2_775, "a quarter of a day"
    assert isp.outage_credits([charge()], outage("2026-01-16 00:00", "2026-01-16 03:59"), policy=by_hour) == []


def test_nothing_while_it_lasts_when_it_was_short_or_for_other_days() -> None:
    assert isp.outage_credits([charge()], outage("2026-01-16 09:00", None)) == []
    assert isp.outage_credits([charge()], outage("2026-01-16 09:00", "2026-01-17 08:59")) == []
    assert isp.outage_credits([charge()], outage("2026-03-16 09:00", "2026-03-19 09:00")) == []


def test_the_same_outage_gives_back_once_and_no_day_is_given_back_twice() -> None:
    first = outage("2026-01-16 00:00", "2026-01-18 00:00")
    (note,) = isp.outage_credits([charge()], first)
    assert isp.outage_credits([charge(given=[given(note, same_outage=True)])], first) == []
    longer = outage("2026-01-16 00:00", "2026-01-19 00:00")
    (rest,) = isp.outage_credits([charge(given=[given(note)])], longer)
    assert (rest.period_start, rest.period_end, rest.total) == (day("2026-01-18"), day("2026-01-19"), 11_100)


def test_two_invoices_share_an_outage_over_their_border() -> None:
    february = charge(2, (day("2026-02-01"), day("2026-03-01")), 280_000, 30_800)
    notes = isp.outage_credits([charge(), february], outage("2026-01-31 12:00", "2026-02-02 12:00"))
    assert [(n.charge, n.total) for n in notes] == [(1, 11_100), (2, 11_100)]


def test_whole_days_in_isolation_up_to_yesterday() -> None:
    spans = [isp.IsolatedSpan(at("2026-01-16 10:00"), at("2026-01-20 15:00")), isp.IsolatedSpan(at("2026-01-28 10:00"))]
    facts = isp.IsolatedFacts([charge()], spans, start=day("2026-02-01"))
    notes = isp.isolation_credits([facts], at("2026-01-31 08:00"))
    # 17, 18 and 19, and 29 and 30 January: the 31st is not over.
    assert [(n.period_start, n.period_end, n.total) for n in notes] == [
        (day("2026-01-17"), day("2026-01-20"), 33_300),
        (day("2026-01-29"), day("2026-01-31"), 22_200),
    ]
    again = facts._replace(charges=[charge(given=[given(note) for note in notes])])
    assert isp.isolation_credits([again], at("2026-01-31 09:00")) == []
    (last,) = isp.isolation_credits([again], at("2026-02-01 08:00"))
    assert (last.period_start, last.total) == (day("2026-01-31"), 11_100)


def test_a_policy_of_today_reaches_back_one_period() -> None:
    facts = isp.IsolatedFacts([charge()], [isp.IsolatedSpan(at("2026-01-05 00:00"))], start=day("2026-01-05"), billed_from=day("2026-06-01"))
    assert isp.isolation_credits([facts], at("2026-06-01 08:00")) == []
    # All were billed up to March: the line was looked at then, whatever mark lies ahead. The billing looks two weeks ahead.
    march, ahead = day("2026-03-10"), isp.BillingPolicy(issue_lead_days=14)
    assert isp.isolation_credits([facts], at("2026-06-01 08:00"), position=march) == []
    assert len(isp.isolation_credits([facts], at("2026-06-01 08:00"), position=march, policy=ahead)) == 1


def test_a_period_that_begins_in_isolation_is_left_out_under_skip() -> None:
    row = subscription("2026-01-05", 5, isolated=[isp.IsolatedSpan(at("2026-01-20 10:00"), at("2026-02-20 09:00"))])
    now = at("2026-03-05 08:00")
    skip = isp.plan_billing([row], [package()], now, policy=isp.BillingPolicy(while_isolated="skip"))
    assert [str(i.period_start) for i in skip.invoices] == ["2026-01-05", "2026-03-05"]
    assert skip.skipped == [isp.SkippedPeriod(1, day("2026-02-05"), day("2026-03-05"))]
    assert skip.billed_from == [isp.BilledFrom(1, day("2026-03-06"))]
    bill = isp.plan_billing([row], [package()], now)
    assert (len(bill.invoices), bill.skipped) == (3, [])
    assert isp.BillingPolicy(while_isolated="skip").while_isolated == "skip"
    # The invoice is issued a week ahead; what counts is how the trigger day itself begins.
    late = isp.BillingPolicy(while_isolated="skip", issue_lead_days=7)
    soon = row._replace(isolated=[isp.IsolatedSpan(at("2026-01-30 10:00"), at("2026-02-04 09:00"))])
    assert len(isp.plan_billing([soon], [package()], at("2026-02-05 08:00"), policy=late).invoices) == 2


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (charge(2)._replace(period_end=day("2026-01-01")), "period_end", "calendar.empty_period"),
        (charge(2)._replace(lines=[isp.InvoiceLine("subscription", 1.5)]), "lines[0].amount", "value.type"),  # type: ignore[arg-type]
        (charge(2)._replace(lines=[isp.InvoiceLine("tax", 1)]), "lines[0].kind", "value.not_one_of"),  # type: ignore[arg-type]
        (charge(2)._replace(given=[isp.GivenBack(*JANUARY, [], 1)]), "given[0].same_outage", "value.type"),  # type: ignore[arg-type]
        (charge(1), "key", "value.duplicate"),
    ],
)
def test_rows_that_make_no_sense(row: isp.Charge, field: str, code: str) -> None:
    error = refused(isp.outage_credits, [charge(), row], outage("2026-01-16 09:00", "2026-01-18 21:00"))
    assert (error.row, error.field, error.code) == (1, field, code)


def test_settings_and_spans_that_make_no_sense() -> None:
    assert refused(isp.BillingPolicy, while_isolated="ask").code == "value.not_one_of"
    assert refused(isp.OutagePolicy, by="week").code == "value.not_one_of"
    assert refused(isp.OutagePolicy, min_hours=-1).code == "value.range"
    naive = isp.IsolatedSpan(at("2026-01-20 10:00").replace(tzinfo=None))
    row = subscription("2026-01-05", 5, isolated=[naive])
    error = refused(isp.plan_billing, [row], [package()], at("2026-01-05 08:00"))
    assert (error.code, error.field) == ("datetime.naive", "isolated[0].since")
    assert repr(isp.OutagePolicy(by="hour")) == "OutagePolicy(min_hours=24, by=hour)"


def test_a_hundred_thousand_rows() -> None:
    rows = [charge(key, net=100_000 + key, ppn=11_000) for key in range(100_000)]
    lines = [isp.IsolatedFacts([row], [isp.IsolatedSpan(at("2026-01-16 10:00", WIB))], day("2026-02-01")) for row in rows]
    notes = isp.outage_credits(rows, outage("2026-01-16 00:00", "2026-01-19 00:00"))
    back = isp.isolation_credits(lines, at("2026-02-01 08:00"))
    assert [n.charge for n in notes] == [n.charge for n in back] == list(range(100_000))
    assert all(sum(line.amount for line in n.lines) == n.total for n in notes)
