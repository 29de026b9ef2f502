"""Odoo's floats and the engine's whole rupiah."""


def rupiah(amount):
    """Turn an Odoo amount into whole rupiah; raises ValueError when it has a fraction."""
    whole = round(amount)
    if abs(amount - whole) > 0.004:
        raise ValueError("not a whole rupiah: %s" % amount)
    return whole


def rupiah_up(amount):
    """Whole rupiah that are owed for ``amount``: a fraction of a rupiah counts as one, so that no residual is lost."""
    whole = round(amount)
    if amount - whole > 0.004:
        return whole + 1
    return whole
