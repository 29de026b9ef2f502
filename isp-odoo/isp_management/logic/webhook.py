"""Meta's status reports, event by event: one that nobody can read loses none of its neighbours.

The engine takes a body as a whole or not at all. What it does not take is cut into bodies of one event each; they are signed
anew with the same secret, after the signature over the whole was found right.
"""

import hashlib
import hmac
import json
from datetime import datetime, timedelta, timezone

import isp_engine
from isp_engine import whatsapp

ACCOUNT = "whatsapp_business_account"
# Nothing was reported before there was such a thing, and a clock that is a day ahead is wrong.
FIRST = datetime(2016, 1, 1, tzinfo=timezone.utc)
AHEAD = timedelta(days=1)


def receive(secret, signature, raw, now):
    """The events of a body and how many could not be read; raises NotVerified, with the code ``webhook.malformed`` only for a
    body that is signed and no notification. ``now`` is aware; an event with an impossible moment gets it."""
    try:
        events, lost = whatsapp.receive(secret, signature, raw), 0
    except isp_engine.NotVerified as error:
        if error.code != "webhook.malformed" or not _signed(secret, signature, raw):
            raise
        events, lost = _one_by_one(secret, raw, now)
    except ValueError:
        if not _signed(secret, signature, raw):
            raise isp_engine.NotVerified("the signature does not fit", "webhook.signature") from None
        events, lost = _one_by_one(secret, raw, now)
    return [_with_moment(event, now) for event in events], lost


def _signed(secret, signature, raw):
    return hmac.compare_digest((signature or "").encode(), _sign(secret, raw).encode())


def _sign(secret, raw):
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def _one_by_one(secret, raw, now):
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    entries = body.get("entry") if isinstance(body, dict) and body.get("object") == ACCOUNT else None
    if not isinstance(entries, list):
        raise isp_engine.NotVerified("the webhook body is not a whatsapp notification", "webhook.malformed")
    events, lost = [], 0
    for part in _parts(entries, now):
        try:
            one = json.dumps({"object": ACCOUNT, "entry": [part]}).encode()
            events += whatsapp.receive(secret, _sign(secret, one), one)
        except (isp_engine.IspError, ValueError, RecursionError):
            lost += 1
    return events, lost


def _parts(entries, now):
    """The entries of a body, each with one event."""
    for entry in entries:
        changes = entry.get("changes") if isinstance(entry, dict) else None
        for change in changes if isinstance(changes, list) else [None]:
            value = change.get("value") if isinstance(change, dict) else None
            statuses = value.get("statuses") if isinstance(value, dict) else None
            if not isinstance(statuses, list):
                yield {**entry, "changes": [change]} if isinstance(entry, dict) else entry
                continue
            for status in statuses:
                yield {**entry, "changes": [{**change, "value": {**value, "statuses": [_mended(status, now)]}}]}


def _mended(status, now):
    """A status whose moment can be read: milliseconds as seconds, and now for what is no moment."""
    if not isinstance(status, dict):
        return status
    try:
        seconds = int(str(status.get("timestamp"))[:20])
        if seconds >= 10**11:
            seconds //= 1000
        at = datetime.fromtimestamp(seconds, timezone.utc)
        possible = FIRST <= at <= now + AHEAD
    except (ValueError, OverflowError, OSError):
        possible = False
    return {**status, "timestamp": str(seconds if possible else int(now.timestamp()))}


def _with_moment(event, now):
    if isinstance(event, whatsapp.StatusEvent) and not FIRST <= event.at <= now + AHEAD:
        return event._replace(at=now)
    return event


def storable(event):
    """False when a text of the event has a NUL, which PostgreSQL does not keep."""
    return not any("\0" in value for value in event if isinstance(value, str))
