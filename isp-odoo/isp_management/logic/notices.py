"""When a message may go out, and what a status means. Needs no Odoo."""

from datetime import datetime, timedelta, timezone

# Reminders and isolation respect people's evenings; money and a line that is open again are good news at any hour.
QUIET_KINDS = {"due_soon", "overdue", "isolated"}

# What Meta reported, as the log's states and back. "held" counts as sent: Meta has it.
STATES = {"queued": "sent", "sent": "sent", "failed": "failed", "delivered": "delivered", "read": "read"}
ENGINE_STATES = {"failed": "failed", "delivered": "delivered", "read": "read", "sent": "sent"}


def next_allowed(kind, now, hours, policy):
    """The earliest moment from ``now`` (aware) at which a kind may go out, in a zone ``hours`` ahead of UTC."""
    if kind not in QUIET_KINDS:
        return now
    zone = timezone(timedelta(hours=hours))
    local = now.astimezone(zone)
    if policy.quiet_until <= local.time() < policy.quiet_from:
        return now
    day = local.date() + timedelta(days=1 if local.time() >= policy.quiet_from else 0)
    return datetime.combine(day, policy.quiet_until, zone).astimezone(timezone.utc)


def isolation_day(due, policy):
    """The first day on which a line may be isolated for an invoice that was due on ``due``."""
    day = due + timedelta(days=policy.isolate_after_days)
    for _ in range(60):
        if policy.allows_day(day):
            break
        day += timedelta(days=1)
    return day
