"""Calls to many routers in which one bad setting keeps nobody else from being heard."""

import re

import isp_engine

ACCOUNT = re.compile(r"accounts\[(\d+)\]")


def call(function, routers, **options):
    """Call the engine for these routers; returns its answers by router key, and what was refused before any call.

    The refusals map the key of a router or ``(router key, account key)`` to the ``InvalidValue``.
    """
    left, refused = list(routers), {}
    while True:
        try:
            answers = function(left, **options) if left else []
        except isp_engine.InvalidValue as error:
            if error.row is None:
                raise
            router = left[error.row]
            place = ACCOUNT.match(error.field or "")
            if place:
                accounts = list(router.accounts)
                refused[router.key, accounts.pop(int(place[1])).key] = error
                left[error.row] = router._replace(accounts=accounts)
            else:
                refused[router.key] = error
                del left[error.row]
        else:
            return {answer.router: answer for answer in answers}, refused
