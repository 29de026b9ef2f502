"""Changes of terms: each served day is charged once, whatever was billed ahead or late (rules B6, B7, B11, B12)."""

from datetime import date, datetime
from typing import Any

import isp_engine as isp
from stories import at, day, package, refused, subscription

NO_PPN = isp.TaxPolicy(pkp=False)
PACKAGES = [package(price=300_000), package("Q", price=600_000)]
POSTPAID: dict[str, Any] = {"timing": "postpaid", "billed_from": day("2026-07-01")}


def charge(key: isp.Key, start: str, end: str, amount: int = 300_000, issued: str | None = None, **more: Any) -> isp.LineCharge:
    lines = [isp.InvoiceLine("subscription", amount)]
    return isp.LineCharge(key, "subscription", "P", day(start), day(end), day(issued or start), lines, **more)


def decide(line: isp.TermsFacts, now: datetime, position: date | None = None, **policy: Any) -> isp.TermsChange:
    """The one answer, which is no refusal."""
    rules = isp.BillingPolicy(**policy)
    (change,) = isp.decide_terms([line], PACKAGES, now, position=position, policy=rules, tax=NO_PPN)
    assert isinstance(change, isp.TermsChange), change
    return change


def test_a_postpaid_period_that_was_billed_ahead_is_not_billed_again_when_the_day_moves() -> None:
    # June was invoiced on the 24th, a week ahead.
    june = charge(1, "2026-06-01", "2026-07-01", issued="2026-06-24")
    line = subscription("2026-05-01", 1, **POSTPAID)
    wish = isp.MoveBillingDay(15, day("2026-06-27"))
    change = decide(isp.TermsFacts(line, wish, [june]), at("2026-06-27 14:00"), issue_lead_days=7)
    assert (change.invoices, change.notes, change.access, change.charged, change.given_back) == ((), (), None, 0, 0)
    assert (change.since, change.subscription.day, change.subscription.charged_until) == (day("2026-07-15"), 15, day("2026-07-01"))
    assert change.next is not None
    coming = change.next.invoice
    assert (coming.period_start, coming.period_end, coming.total) == (day("2026-07-01"), day("2026-07-15"), 140_000)
    assert (coming.issue_date, coming.due_date) == (day("2026-07-08"), day("2026-07-18"))
    # The run bills what was foretold.
    rules = isp.BillingPolicy(issue_lead_days=7)
    plan = isp.plan_billing([change.subscription], PACKAGES, at("2026-07-08 08:00"), position=day("2026-07-14"), policy=rules, tax=NO_PPN)
    assert plan.invoices == [coming]


def test_a_package_at_once_adjusts_what_was_billed_ahead() -> None:
    june = charge(1, "2026-06-01", "2026-07-01", issued="2026-06-24")
    line = subscription("2026-05-01", 1, **POSTPAID)
    wish = isp.PackageAtOnce("Q", day("2026-06-27"))
    change = decide(isp.TermsFacts(line, wish, [june]), at("2026-06-27 14:00"), issue_lead_days=7)
    ((kind, more),) = change.invoices
    # Four of 30 days at twice the price.
    assert (kind, more.package, more.total, change.charged) == ("adjustment", "Q", 40_000, 40_000)
    assert [(line.kind, line.amount) for line in more.lines] == [("subscription", 80_000), ("credit", -40_000)]
    assert (change.subscription.package, change.access, change.since) == ("Q", "regroup", day("2026-06-27"))


def test_the_next_package_begins_after_what_was_charged() -> None:
    july = charge(2, "2026-07-01", "2026-08-01", issued="2026-06-24")
    line = subscription("2026-05-01", 1, billed_from=None)
    facts = isp.TermsFacts(line, isp.NextPackage("Q"), [charge(1, "2026-06-01", "2026-07-01"), july])
    change = decide(facts, at("2026-06-26 14:00"), day("2026-07-03"), issue_lead_days=7)
    assert change.subscription.change == isp.PackageChange("Q", day("2026-08-01"))
    assert change.since == day("2026-08-01")


def test_an_end_said_afterwards_takes_back_what_was_never_served_with_its_late_fee() -> None:
    fee = isp.LateCharge("D7", [isp.InvoiceLine("late_fee", 5_000)])
    charges = [charge("F6", "2026-06-01", "2026-07-01"), charge("F7", "2026-07-01", "2026-08-01", late_fees=[fee])]
    line = subscription("2026-05-01", 1, billed_from=None)
    facts = isp.TermsFacts(line, isp.EndLine(day("2026-06-20")), charges)
    change = decide(facts, at("2026-07-20 10:00"), day("2026-07-20"))
    assert [(n.charge, n.invoice, n.reason, n.total) for n in change.notes] == [
        ("F7", None, "termination", 300_000),
        ("D7", None, "termination", 5_000),
    ]
    assert (change.access, change.subscription.end, change.next) == ("close", day("2026-06-20"), None)
    # With the policy, 20 to 30 June too.
    change = decide(facts, at("2026-07-20 10:00"), day("2026-07-20"), credit_on_termination=True)
    assert [(n.charge, n.total) for n in change.notes] == [("F6", 110_000), ("F7", 300_000), ("D7", 5_000)]
    assert change.given_back == 415_000


def test_a_postpaid_end_bills_what_was_left_out() -> None:
    line = subscription("2026-05-01", 1, timing="postpaid", billed_from=None)
    facts = isp.TermsFacts(line, isp.EndLine(day("2026-06-20")), [charge(1, "2026-05-01", "2026-06-01")])
    change = decide(facts, at("2026-06-25 10:00"), day("2026-06-25"))
    ((kind, last),) = change.invoices
    assert (kind, last.period_start, last.period_end, last.total) == ("subscription", day("2026-06-01"), day("2026-06-20"), 190_000)


def test_a_pause_and_its_end_with_a_period_that_was_billed_ahead() -> None:
    charges = [charge(6, "2026-06-01", "2026-07-01"), charge(7, "2026-07-01", "2026-08-01", issued="2026-06-24")]
    line = subscription("2026-05-01", 1, billed_from=None)
    lead: dict[str, Any] = {"position": day("2026-07-03"), "issue_lead_days": 7}
    paused = decide(isp.TermsFacts(line, isp.PauseLine(day("2026-06-26")), charges), at("2026-06-26 14:00"), **lead)
    (note,) = paused.notes
    assert (note.charge, note.total, paused.access) == (7, 300_000, "close")
    given = isp.NoteGiven(note.reason, note.period_start, note.period_end, day("2026-06-26"), note.lines)
    facts = isp.TermsFacts(paused.subscription, isp.ResumeLine(day("2026-06-28")), [charges[0], charges[1]._replace(given=[given])], "closed")
    back = decide(facts, at("2026-06-28 08:00"), **lead)
    ((kind, july),) = back.invoices
    # The first day of July has an invoice, which was given back: an adjustment charges it again.
    assert (kind, july.period_start, july.total, back.access) == ("adjustment", day("2026-07-01"), 300_000, "reopen")
    assert back.subscription.charged_until == day("2026-08-01")


def test_days_that_nobody_charged_after_a_pause_are_billed_from_its_end() -> None:
    # Resumed on 21 March, billed on the 10th: the days up to then are the next invoice.
    line = subscription("2026-01-10", 10, billed_from=None, paused_from=day("2026-02-10"))
    facts = isp.TermsFacts(line, isp.ResumeLine(day("2026-03-21")), [charge(1, "2026-01-10", "2026-02-10")], "closed")
    change = decide(facts, at("2026-03-21 09:00"), day("2026-03-20"))
    assert change.next is not None
    coming = change.next.invoice
    assert (coming.period_start, coming.period_end, coming.total) == (day("2026-03-21"), day("2026-04-10"), 193_548)


def test_a_line_that_begins_names_its_first_invoice() -> None:
    change = decide(isp.TermsFacts(subscription("2026-06-16", 1)), at("2026-06-10 09:00"))
    assert (change.invoices, change.since) == ((), day("2026-06-16"))
    assert change.next is not None and change.next.invoice.total == 150_000


def test_many_at_once_and_what_the_rules_refuse() -> None:
    line = subscription("2026-05-01", 1, billed_from=None)
    wishes = [isp.PauseLine(day("2026-06-27")), isp.ResumeLine(day("2026-06-26")), isp.NextPackage("X"), isp.PauseLine(day("2026-06-26"))]
    lines = [isp.TermsFacts(line._replace(key=key), wish, [charge(1, "2026-06-01", "2026-07-01")]) for key, wish in enumerate(wishes)]
    answers = isp.decide_terms(lines, PACKAGES, at("2026-06-26 14:00"), position=day("2026-06-26"), tax=NO_PPN)
    codes = [answer.code if isinstance(answer, isp.InvalidValue) else "fine" for answer in answers]
    assert codes == ["subscription.day_ahead", "subscription.not_serving", "package.unknown", "fine"]
    first = answers[0]
    assert isinstance(first, isp.InvalidValue) and (first.row, first.field) == (0, "wish")


def test_the_fingerprint_names_facts_and_result() -> None:
    line = subscription("2026-05-01", 1, billed_from=None)
    facts = isp.TermsFacts(line, isp.PackageAtOnce("Q", day("2026-06-11")), [charge(1, "2026-06-01", "2026-07-01")])
    shown = decide(facts, at("2026-06-11 12:00"), day("2026-06-11"))
    again = decide(facts, at("2026-06-11 12:30"), day("2026-06-11"))
    assert shown.fingerprint == again.fingerprint
    lines = [isp.InvoiceLine("subscription", 30_000)]
    corrected = charge(1, "2026-06-01", "2026-07-01", given=[isp.NoteGiven("correction", day("2026-06-01"), day("2026-07-01"), day("2026-06-11"), lines)])
    assert decide(facts._replace(charges=[corrected]), at("2026-06-11 13:00"), day("2026-06-11")).fingerprint != shown.fingerprint


def test_facts_that_make_no_sense() -> None:
    line = subscription("2026-05-01", 1)
    now = at("2026-06-26 14:00")
    twice = isp.TermsFacts(line, None, [charge(1, "2026-06-01", "2026-07-01"), charge(2, "2026-06-01", "2026-07-01")])
    error = refused(isp.decide_terms, [twice], PACKAGES, now)
    assert (error.code, error.field) == ("value.duplicate", "charges[1].key")
    error = refused(isp.decide_terms, [isp.TermsFacts(line, "pause")], PACKAGES, now)  # type: ignore[arg-type]
    assert (error.code, error.field) == ("value.type", "wish")
    assert refused(isp.BillingPolicy, credit_on_pause=1).code == "value.type"
    assert isp.BillingPolicy(credit_on_pause=True, credit_on_termination=True).credit_on_pause
