"""From a database row of a subscription to what the engine bills, and from its plan to batches to write."""

from typing import NamedTuple

import isp_engine as isp

from .clock import day_after
from .money import rupiah

# Read in this order, see `of_row`.
COLUMNS = (
    "id", "package_id", "activation_date", "service_from", "billing_day", "cycle", "timing", "zone", "billed_from", "charged_until",
    "end_date", "paused_from", "next_package_id", "change_date", "held_price", "held_until", "discount_kind", "discount_value",
    "discount_until", "old_package_id", "changed_on",
)
# Where a row names packages.
PACKAGES = (COLUMNS.index("package_id"), COLUMNS.index("next_package_id"), COLUMNS.index("old_package_id"))
START, BILLED_FROM, TIMING, END = (COLUMNS.index(name) for name in ("activation_date", "billed_from", "timing", "end_date"))


class Batch(NamedTuple):
    """What one transaction writes: the invoices of whole subscriptions and the marks that belong to them."""

    invoices: list
    marks: dict
    problems: list
    fees: list


def of_row(row, isolated=()):
    """Turn a row of `COLUMNS` into the engine's subscription; raises ValueError when it makes no sense there."""
    (key, package, start, service_from, day, cycle, timing, zone, billed_from, charged_until, end, paused_from, next_package,
     change_date, held, held_until, discount_kind, discount, discount_until, old_package, changed_on) = row
    if not start or not day:
        raise ValueError("the first day of service or the billing day is missing")
    change = None
    if next_package and change_date:
        change = isp.PackageChange(next_package, change_date)
    elif old_package and changed_on:
        # The change came to pass: what began before it is billed with the package before.
        change, package = isp.PackageChange(package, changed_on), old_package
    return isp.Subscription(
        key=key,
        package=package,
        start=service_from or start,
        day=day,
        cycle=cycle,
        timing=timing,
        zone=zone,
        billed_from=billed_from,
        end=day_after(end) if end else None,
        paused_from=paused_from,
        change=change,
        held_price=isp.HeldPrice(rupiah(held), held_until) if held else None,
        discount=isp.Discount(discount_kind, rupiah(discount), discount_until) if discount_kind and discount else None,
        isolated=isolated,
        charged_until=charged_until,
    )


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
            found.append(_batch(invoices, marks, problems, plan.fees))
            invoices = []
        invoices.append(invoice)
        at[invoice.subscription] = True
    found.append(_batch(invoices, marks, problems, plan.fees))
    # What has a mark, a problem or a fee of its own and no invoice goes with the last one.
    found[-1].marks.update({key: mark for key, mark in marks.items() if key not in at})
    found[-1].problems.extend(problem for key, problem in problems.items() if key not in at)
    found[-1].fees.extend(fee for fee in plan.fees if fee.subscription not in at)
    return [batch for batch in found if batch.invoices or batch.marks or batch.problems or batch.fees]


def fees_of(waiting, subscriptions):
    """The waiting installation fees of subscriptions, as the engine takes them; ``waiting`` are records."""
    keys = {subscription.key for subscription in subscriptions}
    return [
        isp.FirstFee(fee.id, fee.subscription_id.id, rupiah(fee.amount)) for fee in waiting if fee.subscription_id.id in keys
    ]


def trigger_day(invoice, timing):
    """The day that decides when a period is billed: its start when prepaid, its end when postpaid."""
    return invoice.period_end if timing == "postpaid" else invoice.period_start


def _batch(invoices, marks, problems, fees):
    keys = dict.fromkeys(invoice.subscription for invoice in invoices)
    return Batch(
        invoices,
        {key: marks[key] for key in keys if key in marks},
        [problems[key] for key in keys if key in problems],
        [fee for fee in fees if fee.subscription in keys],
    )
