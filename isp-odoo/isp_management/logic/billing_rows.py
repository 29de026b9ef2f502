"""From a database row of a subscription to what the engine bills, and from its plan to batches to write."""

from datetime import timedelta
from typing import NamedTuple

import isp_engine as isp
from dateutil.relativedelta import relativedelta

from .money import rupiah
from .policy import CYCLE_MONTHS

# Read in this order, see `of_row`.
COLUMNS = (
    "id", "package_id", "activation_date", "billing_day", "cycle", "timing", "zone", "billed_from", "end_date",
    "paused_from", "next_package_id", "change_date", "held_price", "held_until", "discount_kind", "discount_value",
    "discount_until", "billing_error_code", "old_package_id", "changed_on",
)
# Where a row names packages.
PACKAGES = (1, 10, 18)


class Batch(NamedTuple):
    """What one transaction writes: the invoices of whole subscriptions and the marks that belong to them."""

    invoices: list
    marks: dict
    problems: list


def first_open(timing, cycle, billed_from, position, start):
    """The first day on which a period may start that is not billed: a postpaid one is billed when it is over."""
    mark = billed_from or (position + timedelta(days=1) if position else start)
    return mark - relativedelta(months=CYCLE_MONTHS[cycle]) if timing == "postpaid" else mark


def of_row(row, isolated=(), position=None):
    """Turn a row of `COLUMNS` into the engine's subscription, and the day from which on it does not know the package (two
    changes lie in what is to be billed); raises ValueError when it makes no sense there."""
    (key, package, start, day, cycle, timing, zone, billed_from, end, paused_from, next_package, change_date, held,
     held_until, discount_kind, discount, discount_until, _error, old_package, changed_on) = row
    if not start or not day:
        raise ValueError("the first day of service or the billing day is missing")
    change = isp.PackageChange(next_package, change_date) if next_package and change_date else None
    unknown_from = None
    if old_package and changed_on and first_open(timing, cycle, billed_from, position, start) < changed_on:
        unknown_from = change_date if change else None
        change = isp.PackageChange(package, changed_on)
        package = old_package
    return isp.Subscription(
        key=key,
        package=package,
        start=start,
        day=day,
        cycle=cycle,
        timing=timing,
        zone=zone,
        billed_from=billed_from,
        # Odoo keeps the last day of service, the engine the day after.
        end=end + timedelta(days=1) if end else None,
        paused_from=paused_from,
        change=change,
        held_price=isp.HeldPrice(rupiah(held), held_until) if held else None,
        discount=isp.Discount(discount_kind, rupiah(discount), discount_until) if discount_kind and discount else None,
        isolated=isolated,
    ), unknown_from


def cut(plan, days, timings):
    """Leave for the next run what starts on or after the days of ``days``, by subscription; the marks say so."""
    kept, marks = [], {}
    for invoice in plan.invoices:
        day = days.get(invoice.subscription)
        if day and invoice.period_start >= day:
            trigger = trigger_day(invoice, timings[invoice.subscription])
            marks[invoice.subscription] = min(marks.get(invoice.subscription, trigger), trigger)
        else:
            kept.append(invoice)
    if not marks:
        return plan
    others = [mark for mark in plan.billed_from if mark.subscription not in marks]
    return plan._replace(invoices=kept, billed_from=others + [isp.BilledFrom(key, day) for key, day in marks.items()])


def isolated_spans(events):
    """The times in which a line was isolated, from its (action, moment) pairs, oldest first; moments are aware."""
    spans, since = [], None
    for action, at in events:
        if action == "isolate":
            since = since or at
        elif since:
            spans.append(isp.IsolatedSpan(since, at))
            since = None
    if since:
        spans.append(isp.IsolatedSpan(since))
    return spans


def batches(plan, size):
    """Cut a plan into batches of about ``size`` invoices, never through a subscription."""
    marks = {mark.subscription: mark.billed_from for mark in plan.billed_from}
    problems = {problem.subscription: problem for problem in plan.problems}
    found, invoices, at = [], [], {}
    for invoice in plan.invoices:
        if len(invoices) >= size and invoice.subscription != invoices[-1].subscription:
            found.append(_batch(invoices, marks, problems))
            invoices = []
        invoices.append(invoice)
        at[invoice.subscription] = True
    found.append(_batch(invoices, marks, problems))
    # What has a mark or a problem and no invoice goes with the last one.
    found[-1].marks.update({key: mark for key, mark in marks.items() if key not in at})
    found[-1].problems.extend(problem for key, problem in problems.items() if key not in at)
    return [batch for batch in found if batch.invoices or batch.marks or batch.problems]


def trigger_day(invoice, timing):
    """The day that decides when a period is billed: its start when prepaid, its end when postpaid."""
    return invoice.period_end if timing == "postpaid" else invoice.period_start


def _batch(invoices, marks, problems):
    keys = dict.fromkeys(invoice.subscription for invoice in invoices)
    return Batch(
        invoices,
        {key: marks[key] for key in keys if key in marks},
        [problems[key] for key in keys if key in problems],
    )
