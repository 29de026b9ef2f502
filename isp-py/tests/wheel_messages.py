"""What the provider of ``wheel_host`` has to say: queued once, looked at once more, and said if it is still true."""

from datetime import datetime, timedelta
from typing import Any

import isp_engine as isp

HOURS = {"WIB": 7, "WITA": 8, "WIT": 9}


class Queued:
    """A message that waits."""

    def __init__(self, kind: Any, customer: str, zone: Any, not_before: datetime, **about: Any) -> None:
        self.kind, self.customer, self.zone, self.not_before = kind, customer, zone, not_before
        self.invoices: list[Any] = about.get("invoices", [])
        self.lines: list[tuple[Any, int]] = about.get("lines", [])
        self.payment: str | None = about.get("payment")
        self.state = "queued"


class Messages:
    """The outbox of a provider in plain Python."""

    def __init__(self, provider: Any, reachable: dict[str, bool], per_customer: set[str]) -> None:
        self.of, self.reachable, self.per_customer = provider, reachable, per_customer
        self.notices: list[tuple[Any, Any]] = []
        self.queue: list[Queued] = []
        self.notified: dict[str, list[isp.Notified]] = {}
        self.sent: list[tuple[str, datetime, str, int | None]] = []

    def remind(self, at: datetime) -> None:
        facts = [
            isp.DunningFacts(
                customer, [self.of.balance(i) for i in self.of.invoices if i.line.customer == customer and i.open > 0],
                self.notified.get(customer, ()), self.reachable[customer], self.first(customer).zone,
            )
            for customer in dict.fromkeys(line.customer for line in self.of.lines.values())
        ]
        for due in isp.due_reminders(facts, at, policy=self.of.policy.dunning):
            customer = str(due.customer)
            invoices = [self.of.invoices[int(key)] for key in due.invoices]
            named = dict.fromkeys(invoice.line for invoice in invoices)
            self.notified.setdefault(customer, []).extend(due.keys)
            self.queue.append(Queued(
                due.kind, customer, self.first(customer).zone, due.not_before, invoices=invoices,
                lines=[(line, len(line.events)) for line in named],
            ))

    def first(self, customer: str) -> Any:
        return next(line for line in self.of.lines.values() if line.customer == customer)

    def statements(self, customer: str) -> list[isp.Statement]:
        """The documents that a customer's invoices stand on, where there is one for several lines."""
        if customer not in self.per_customer:
            return []
        days = dict.fromkeys((i.issued, i.due) for i in self.of.invoices if i.line.customer == customer)
        return [isp.Statement(f"TG-{number}", *of) for number, of in enumerate(days)]

    def about_access(self, kind: Any, line: Any, at: datetime) -> None:
        del at
        self.notices.append((kind, line))

    def join(self, at: datetime) -> None:
        """Queue what a decision asks to be said."""
        facts = [
            isp.Notice(
                number, line.customer, kind, [self.of.balance(i) for i in self.of.invoices if i.line is line and i.open > 0],
                self.statements(line.customer), line.zone,
            )
            for number, (kind, line) in enumerate(self.notices)
        ]
        for joined in isp.join_notices(facts, at):
            notices = [self.notices[int(key)] for key in joined.notices]
            kind, first = notices[0]
            not_before = self.of.policy.dunning.next_sending(kind, first.zone, at)
            lines = [(line, len(line.events)) for _, line in notices]
            self.queue.append(Queued(kind, first.customer, first.zone, not_before, lines=lines))
        self.notices = []

    def received(self, customer: str, payment: str, at: datetime) -> None:
        self.queue.append(Queued("payment_received", customer, self.first(customer).zone, at, payment=payment))

    def deliver(self, at: datetime) -> None:
        self.join(at)
        waiting = [message for message in self.queue if message.state == "queued"]
        looks = isp.refresh_messages(
            [self.facts(number, message) for number, message in enumerate(waiting)], at,
            policy=self.of.policy.dunning, isolation=self.of.policy.isolation,
        )
        for message, look in zip(waiting, looks, strict=True):
            if look.action == "send":
                message.state = "sent"
                self.sent.append((message.customer, at, message.kind, getattr(look.content, "amount", None)))
            elif look.action == "drop":
                message.state = "dropped"

    def facts(self, key: int, message: Queued) -> isp.QueuedMessage:
        open_ = [i for i in self.of.invoices if i.line.customer == message.customer and i.open > 0]
        payment = message.payment and self.of.credit[message.payment]
        # A message that names no line speaks of the customer's first.
        lines = message.lines or [(self.first(message.customer), None)]
        return isp.QueuedMessage(
            key, message.kind, message.not_before, [self.of.balance(i) for i in open_],
            [self.of.invoices.index(i) for i in message.invoices],
            [
                isp.MessageLine(
                    line.of["package"], line.access, line.cause, line.spans[-1].since if line.access == "isolated" else None,
                    told=event == len(line.events),
                )
                for line, event in lines
            ],
            isp.MessagePayment(payment["amount"], payment["reference"], payment["paid_at"], payment["reversed"]) if payment else None,
            self.reachable[message.customer], message.zone, self.statements(message.customer),
            served=[self.of.facts(line, message.not_before) for line in self.of.lines.values() if line.customer == message.customer],
        )

    def sent_to(self, customer: str, zone: str) -> list[dict[str, Any]]:
        own = [(kind, at + timedelta(hours=HOURS[zone]), amount) for to, at, kind, amount in self.sent if to == customer]
        return [{"kind": kind, "on": str(at.date()), "at": at.strftime("%H:%M"), "amount": amount} for kind, at, amount in own]
