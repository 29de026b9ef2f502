"""What the provider of ``wheel_host`` keeps: its policies, lines and invoices, made of a case's."""

from datetime import date, datetime, time, timedelta
from typing import Any

import isp_engine as isp
from isp_engine.cases import Refusal

HOURS = {"WIB": 7, "WITA": 8, "WIT": 9}
CYCLES = {1: "monthly", 3: "quarterly", 6: "semiannual", 12: "annual"}


def day_of(at: datetime, zone: str) -> date:
    return (at + timedelta(hours=HOURS[zone])).replace(tzinfo=None).date() if at.utcoffset() == timedelta(0) else at.date()


def day(text: str | None) -> Any:
    return text and date.fromisoformat(text)


def moment(text: str | None) -> Any:
    return text and datetime.fromisoformat(text.replace("Z", "+00:00"))


def allowed(answer: Any) -> Any:
    """An answer of the wheel, unless it is why the wish is refused."""
    if isinstance(answer, isp.InvalidValue):
        raise Refusal(answer.code, str(answer))
    return answer


class Policies:
    """The policies of a case as the wheel takes them."""

    def __init__(self, policy: dict[str, Any]) -> None:
        billing, tax, fee = policy["billing"], policy["tax"], policy["late_fee"]
        names = ("issue_lead_days", "payment_terms_days", "catch_up_periods", "while_isolated", "credit_on_pause", "credit_on_termination")
        self.billing = isp.BillingPolicy(**{name: billing[name] for name in names})
        isolation = dict(policy["isolation"])
        isolation["isolate_at"] = time.fromisoformat(isolation["isolate_at"])
        isolation["holidays"] = [day(text) for text in isolation["holidays"]]
        self.isolation = isp.IsolationPolicy(**isolation)
        rules = [isp.TaxRule(day(r["from"]), r["base_numerator"], r["base_denominator"], r["percent"]) for r in tax["rules"]]
        self.tax = isp.TaxPolicy(pkp=tax["pkp"], rules=rules)
        self.outage = isp.OutagePolicy(**policy["outage"])
        self.clock = isp.ClockPolicy(**policy["clock"])
        dunning = dict(policy["dunning"])
        for name in ("quiet_until", "quiet_from"):
            dunning[name] = time.fromisoformat(dunning[name])
        self.dunning = isp.DunningPolicy(**dunning)
        self.promise = isp.PromisePolicy(**policy["promise"])
        self.late_fee = None
        if fee:
            amount = fee["amount"].get("percent") or {"fixed": fee["amount"]["fixed"]}
            self.late_fee = isp.LateFeePolicy(after_days=fee["after_days"], with_ppn=fee["with_ppn"], **amount)


class Line:
    """A subscription with what is wanted of it."""

    def __init__(self, of: dict[str, Any]) -> None:
        self.of, self.zone, self.customer = of, of["zone"], of["customer"]
        off = of["discount"] and of["discount"]["off"]
        discount = None
        if off:
            ((kind, value),) = off.items()
            discount = isp.Discount(kind, value, day(of["discount"]["until"]))
        held = of["held_price"] and isp.HeldPrice(of["held_price"]["price"], day(of["held_price"]["until"]))
        start = day(of["start"])
        self.terms = isp.Subscription(
            of["name"], of["package"], start, of["day"], cycle=CYCLES[of["cycle"]], timing=of["timing"], zone=self.zone,
            billed_from=start, held_price=held, discount=discount,
        )
        self.access, self.cause, self.isolated_overdue = "closed", None, None
        self.events: list[isp.AccessEvent] = []
        self.spans: list[isp.IsolatedSpan] = []

    def becomes(self, access: str, cause: str | None, event: isp.AccessEvent) -> None:
        if self.access == "isolated" and access != "isolated":
            self.spans[-1] = self.spans[-1]._replace(until=event.at)
        if access == "isolated" and self.access != "isolated":
            self.spans.append(isp.IsolatedSpan(event.at))
        if event.kind == "isolated_arrears":
            self.isolated_overdue = event.overdue
        elif not (event.kind == "reopened" and event.overdue and self.cause == "arrears"):
            self.isolated_overdue = None
        self.access, self.cause = access, cause
        self.events.append(event)


class Invoice:
    """An invoice with what was paid of it, and when."""

    def __init__(
        self, line: Line, kind: str, period: tuple[date, date], issued: date, due: date, lines: Any, dpp: int, ppn: int, package: str = "",
        late: "Invoice | None" = None,
    ) -> None:
        # Of a late fee, the invoice that was late.
        self.package, self.late = package, late
        self.line, self.kind, self.period, self.issued, self.due = line, kind, period, issued, due
        self.lines, self.dpp, self.ppn = lines, dpp, ppn
        self.total = sum(amount for _, amount in lines)
        self.paid: list[tuple[datetime, str, int]] = []

    @property
    def open(self) -> int:
        return self.total - sum(amount for *_, amount in self.paid)
