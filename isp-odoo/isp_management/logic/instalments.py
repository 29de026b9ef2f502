"""The instalments of an installation fee, month by month (rule B9)."""

import calendar


def schedule(fee, count, day):
    """Cut a fee into ``count`` parts, equal but for the last, as ``[(number, day, amount)]``; never prorated."""
    each = (2 * fee + count) // (2 * count)
    parts, rest = [], fee
    for index in range(count):
        amount = rest if index == count - 1 else min(each, rest)
        rest -= amount
        if amount > 0:
            parts.append((index + 1, _months_later(day, index), amount))
    return parts


def _months_later(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))
