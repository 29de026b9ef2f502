"""When to try again."""

from datetime import timedelta

LONGEST = timedelta(minutes=15)


def wait_after(attempts):
    """1, 2, 4, 8 and then 15 minutes: a router that comes back is noticed soon, a dead one is not pestered."""
    return min(timedelta(minutes=2 ** min(max(attempts - 1, 0), 6)), LONGEST)
