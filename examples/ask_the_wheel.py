"""A month of one customer, decided by the wheel: billed, isolated, paid, opened again.

Needs only the wheel, in a virtual environment: ``make wheel && python3 -m venv .venv && .venv/bin/python -m pip install
dist/isp_engine-*.whl``, then ``.venv/bin/python examples/ask_the_wheel.py``.
Everything is a value that goes in and a value that comes out: keep them where you like.
"""

from datetime import date, datetime, timezone

import isp_engine as isp

home = isp.Package("HOME-20", prices=[isp.Price(date(2025, 1, 1), 150_000)])
siti = isp.Subscription(key=41, package="HOME-20", start=date(2026, 1, 31), day=31, billed_from=date(2026, 1, 31))


def at(month: int, day: int, hour: int) -> datetime:
    """A moment by the clock of Jakarta (WIB)."""
    return datetime(2026, month, day, hour - 7, tzinfo=timezone.utc)


plan = isp.plan_billing([siti], [home], at(1, 31, 9))
[invoice] = plan.invoices
print(f"31 January: billed {isp.format_rupiah(invoice.total)} for {invoice.period_start} to {invoice.period_end}, due {invoice.due_date}")
assert invoice.total == 166_500, "150,000 and PPN"

opened = isp.OpenInvoice("INV-1", issue_date=invoice.issue_date, due_date=invoice.due_date, total=invoice.total)
line = isp.AccessFacts(41, start=siti.start, access="open", invoices=[opened])
[decision] = isp.decide_isolation([line], at(3, 2, 10))
print(f"2 March: {decision.action}, {decision.reason}, {decision.days_late} days late")
assert decision.action == "isolate"

[paid] = isp.allocate([isp.AllocationFacts("siti", [opened], [isp.Credit("PAY-9", 200_000)])])
print(f"3 March: pays Rp200.000, {isp.format_rupiah(paid.amount)} of it for {paid.invoice}")
assert paid.amount == 166_500

isolated = line._replace(access="isolated", cause="arrears", invoices=[opened._replace(paid=paid.amount)])
[decision] = isp.decide_isolation([isolated], at(3, 3, 20))
print(f"3 March: {decision.action}, {decision.reason}")
assert decision.action == "reopen"

[why] = isp.explain([isp.ExplainFacts(line)], at(3, 2, 9), language="en")
print(f"why on 2 March at 9: {why.sentence}")
assert why.reason == "before_hour", "the hour of isolation is ten"
