"""Odoo's floats and the engine's whole rupiah."""

import math

# What is less than a rupiah is settled. A little less than one, because floats are.
OWED_FROM = 0.996


def rupiah(amount):
    """Turn an Odoo amount into whole rupiah; raises ValueError when it has a fraction."""
    whole = round(amount)
    if abs(amount - whole) > 0.004:
        raise ValueError("not a whole rupiah: %s" % amount)
    return whole


def rupiah_owed(amount):
    """Whole rupiah that are asked for ``amount``: nobody is asked for, or isolated for, a fraction that no coin pays.

    Books that round to 0.01 have such fractions; where rupiah are whole there are none.
    """
    return math.floor(amount + 0.004)


def rest_of(amount, *taken):
    """What is left of an amount of Odoo's books, to the cent."""
    return round(amount - sum(taken), 2)


def whole(amount):
    """An amount of Odoo's books in whole rupiah; only where they keep a smaller fraction is anything rounded."""
    return round(amount)
