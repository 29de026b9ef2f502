"""The one place that turns settings into the engine's policies."""

from datetime import datetime, time, timedelta, timezone

import isp_engine as isp
from isp_engine import whatsapp

from .money import rupiah

CYCLE_MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12}
# The longest name that a message says.
NAME_LENGTH = 60
ZONE_HOURS = {"WIB": 7, "WITA": 8, "WIT": 9}


def noon(day, zone):
    """A day on which somebody paid, as a moment: Odoo keeps no time of day."""
    return datetime.combine(day, time(12), timezone(timedelta(hours=ZONE_HOURS[zone])))


def billing(settings):
    """Billing policy of a record with the ``isp_*`` settings, a company for instance."""
    return isp.BillingPolicy(
        issue_lead_days=settings.isp_issue_lead_days,
        payment_terms_days=settings.isp_payment_terms_days,
        catch_up_periods=settings.isp_catch_up_periods,
        while_isolated=settings.isp_while_isolated,
        credit_on_pause=settings.isp_credit_on_pause,
        credit_on_termination=settings.isp_credit_on_termination,
    )


def late_fee(settings):
    """Late fee policy, or None when none is charged."""
    if settings.isp_late_fee == "none":
        return None
    if settings.isp_late_fee == "fixed":
        amount = {"fixed": rupiah(settings.isp_late_fee_amount)}
    else:
        amount = {"percent": settings.isp_late_fee_percent, "minimum": rupiah(settings.isp_late_fee_minimum)}
    return isp.LateFeePolicy(after_days=settings.isp_late_fee_days, **amount)


def outage(settings):
    """What an outage gives back."""
    return isp.OutagePolicy(min_hours=settings.isp_outage_min_hours, by=settings.isp_outage_by)


def promise(settings):
    """How long a promise to pay may run, and how many a customer may make."""
    return isp.PromisePolicy(max_days=settings.isp_promise_max_days, per_period=settings.isp_promise_per_period)


def dunning(settings):
    """Reminder policy."""
    return isp.DunningPolicy(
        due_soon_days=day_list(settings.isp_due_soon_days),
        overdue_days=day_list(settings.isp_overdue_days),
        quiet_until=clock(settings.isp_quiet_until),
        quiet_from=clock(settings.isp_quiet_from),
    )


def isolation(settings, holidays=()):
    """Isolation policy; ``holidays`` are dates. 100 percent is the engine's own rule: nothing overdue is left."""
    percent = settings.isp_reopen_when_paid_percent
    return isp.IsolationPolicy(
        isolate_after_days=settings.isp_isolate_after_days,
        isolate_at=clock(settings.isp_isolate_at),
        on_weekends=settings.isp_isolate_on_weekends,
        public_holidays=settings.isp_public_holidays,
        holidays=list(holidays),
        reopen_when_paid_percent=percent if percent < 100 else None,
        breaker_count=settings.isp_breaker_count,
        breaker_percent=settings.isp_breaker_percent,
        isolate_from=rupiah(settings.isp_isolate_from),
        proof_working_days=settings.isp_proof_working_days,
    )


def clock_guard(settings):
    """When a run asks whether the clock is right."""
    return isp.ClockPolicy(max_days_between_runs=settings.isp_clock_days)


def sender(settings):
    """Who asks in messages, and how to pay: by the name in the settings, else by the company's own, as far as a name goes."""
    name = (settings.isp_sender_name or "").strip() or (settings.name or "").strip()[:NAME_LENGTH].strip()
    if not name:
        return None
    ways = [way.strip() for way in (settings.isp_pay_to or "").splitlines() if way.strip()]
    return whatsapp.Sender(name, ways, (settings.isp_sender_contact or "").strip() or None)


def tax(settings):
    """PPN: none for a company that is not a PKP."""
    return isp.TaxPolicy(pkp=settings.isp_pkp)


def day_list(text):
    """Read day offsets such as ``"3, 7"``; raises ValueError."""
    return [int(part) for part in (text or "").replace(";", ",").split(",") if part.strip()]


def clock(hours):
    """Turn Odoo's hours as a float (8.5) into a time of day, to the minute; 24 is not one."""
    minutes = round(hours * 60)
    return time(minutes // 60, minutes % 60)
