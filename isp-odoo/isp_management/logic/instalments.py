"""The instalments of an installation fee, month by month (rule B9)."""

import calendar


# The steps in which parts are cut until their PPN adds up: 11 % of a hundred are whole rupiah.
STEPS = (1, 100, 1000)


def schedule(fee, count, day, taxed=None):
    """Cut a fee into ``count`` parts, equal but for the last, as ``[(number, day, amount)]``; never prorated.

    ``taxed`` says what an amount comes to with PPN: the parts are cut so that with it, too, they sum to the fee.
    """
    for step in STEPS if taxed else STEPS[:1]:
        parts = _parts(fee, count, day, step)
        if not taxed or abs(sum(taxed(amount) for _number, _day, amount in parts) - taxed(fee)) < 0.004:
            return parts
    return _parts(fee, count, day, 1)


def _parts(fee, count, day, step):
    each = max((2 * fee + count * step) // (2 * count * step), 1) * step
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
