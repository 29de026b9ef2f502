"""Reminder stories (rules N1 to N5)."""

from datetime import time, timezone

import isp_engine as isp
from stories import WIT, at, invoice

DUE = "2026-03-10"


def due(facts: isp.DunningFacts, text: str, **more: isp.DunningPolicy) -> list[tuple[str, int]]:
    return [(r.kind, r.level) for r in isp.due_reminders([facts], at(text), **more)]


def test_three_days_before_and_three_days_after_n1() -> None:
    facts = isp.DunningFacts("siti", [invoice("A", DUE)])
    assert due(facts, "2026-03-06 09:00") == []
    assert due(facts, "2026-03-07 09:00") == [("due_soon", 3)]
    assert due(facts, "2026-03-10 09:00") == [("due_soon", 3)]
    assert due(facts, "2026-03-11 09:00") == []
    assert due(facts, "2026-03-13 09:00") == [("overdue", 3)]
    assert due(facts, "2026-03-30 09:00") == [("overdue", 3)]


def test_what_was_written_is_not_written_again_n2() -> None:
    sent = [isp.Notified("A", "due_soon", 3)]
    facts = isp.DunningFacts("siti", [invoice("A", DUE)], sent)
    assert due(facts, "2026-03-08 09:00") == []
    assert due(facts, "2026-03-13 09:00") == [("overdue", 3)]
    # Two levels reached in one go: the later one only.
    policy = isp.DunningPolicy(overdue_days=[3, 7])
    assert due(facts, "2026-03-20 09:00", policy=policy) == [("overdue", 7)]
    later = facts._replace(notified=[*sent, isp.Notified("A", "overdue", 7), isp.Notified("gone", "overdue", 3)])
    assert due(later, "2026-03-20 09:00", policy=policy) == []


def test_a_paid_invoice_and_a_customer_without_a_number_get_nothing_n3() -> None:
    assert due(isp.DunningFacts(1, [invoice("A", DUE, paid=166_500)]), "2026-03-13 09:00") == []
    assert due(isp.DunningFacts(1, [invoice("A", DUE)], reachable=False), "2026-03-13 09:00") == []


def test_quiet_hours_are_local_n4() -> None:
    facts = isp.DunningFacts(1, [invoice("A", DUE)])
    (late,) = isp.due_reminders([facts], at("2026-03-07 20:00"))
    assert late.not_before == at("2026-03-08 08:00")
    assert late.not_before.tzinfo is timezone.utc
    (early,) = isp.due_reminders([facts._replace(zone="WIT")], at("2026-03-07 07:30", WIT))
    assert early.not_before == at("2026-03-07 08:00", WIT)
    (open_hours,) = isp.due_reminders([facts], at("2026-03-07 12:34"))
    assert open_hours.not_before == at("2026-03-07 12:34")
    policy = isp.DunningPolicy(quiet_until=time(9, 30), quiet_from=time(17))
    (own,) = isp.due_reminders([facts], at("2026-03-07 09:00"), policy=policy)
    assert own.not_before == at("2026-03-07 09:30")


def test_invoices_of_one_day_make_one_message_oldest_first_n5() -> None:
    facts = isp.DunningFacts(9, [invoice("B", "2026-03-10"), invoice("A", "2026-03-09"), invoice("C", "2026-04-30")])
    other = isp.DunningFacts(3, [invoice("D", DUE)])

    def keys(*invoices: str) -> tuple[isp.Notified, ...]:
        return tuple(isp.Notified(key, "overdue", 3) for key in invoices)

    assert isp.due_reminders([facts, other], at("2026-03-13 09:00")) == [
        isp.Reminder(9, "overdue", 3, ("A", "B"), at("2026-03-13 09:00"), keys("A", "B")),
        isp.Reminder(3, "overdue", 3, ("D",), at("2026-03-13 09:00"), keys("D")),
    ]


def test_defaults_are_the_engines() -> None:
    policy = isp.DunningPolicy()
    assert (policy.due_soon_days, policy.overdue_days) == ((3,), (3,))
    assert (policy.quiet_until, policy.quiet_from) == (time(8), time(20))
    assert policy == isp.DunningPolicy(due_soon_days=(3,))
    assert policy != isp.DunningPolicy(due_soon_days=[5, 1])
