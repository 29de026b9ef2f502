"""A provider in plain Python that asks the wheel for every decision, and only writes down what it is told."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any

import isp_engine as isp
from isp_engine.cases import Refusal
from wheel_messages import Messages
from wheel_records import Invoice, Line, Policies, allowed, day, day_of, moment

# Why a late fee is given back.
IN_TIME = "paid in time"


class Provider:
    """The host."""

    def begin(self, case: dict[str, Any]) -> None:
        self.policy = Policies(case["policy"])
        self.packages = {p["code"]: p for p in case["packages"]}
        self.lines: dict[str, Line] = {}
        self.invoices: list[Invoice] = []
        self.credit: dict[str, dict[str, Any]] = {}
        self.notes: list[tuple[Invoice, isp.CreditNote, str, date, str]] = []
        self.protections: dict[str, dict[str, list[Any]]] = {"promise": defaultdict(list), "exemption": defaultdict(list)}
        self.proofs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.last_run: datetime | None = None
        self.messages = Messages(
            self, {c["code"]: c["reachable"] for c in case["customers"]},
            {c["code"] for c in case["customers"] if c["invoicing"] == "per_customer"},
        )
        self.outages: dict[str, tuple[str, isp.Outage]] = {}
        self.position: date | None = None
        self.problems: dict[Any, str] = {}
        self.held: dict[str, int] = {}
        self.fee_parts: list[tuple[Line, isp.FeePart]] = []
        self.first_fees: list[isp.FirstFee] = []

    def enter(self, subscription: dict[str, Any]) -> None:
        line = self.lines[subscription["name"]] = Line(subscription)
        at = moment(subscription["entered"])
        active = line.terms.start <= day_of(at, line.zone)
        event = isp.AccessEvent(at, "registered" if active else "closed", reason="in_service" if active else "pending")
        line.becomes("open" if active else "closed", None, event)

    def act(self, action: dict[str, Any], at: datetime) -> None:
        getattr(self, "do_" + action["do"])(at, **{key: value for key, value in action.items() if key != "do"})
        self.messages.deliver(at)

    def do_look(self, at: datetime) -> None:
        """Nothing."""

    # The daily run

    def do_run(self, at: datetime, approve: bool, confirm: bool) -> None:
        doubt = None if confirm else isp.check_clock(self.last_run, at, policy=self.policy.clock)
        if doubt:
            raise Refusal(doubt.code)
        self.last_run = at if confirm or not self.last_run else max(self.last_run, at)
        self.bill(at)
        self.messages.remind(at)
        self.enforce(at, approve)

    def bill(self, at: datetime) -> None:
        packages = self.catalog()
        terms = [line.terms._replace(isolated=line.spans) for line in self.lines.values()]
        plan = isp.plan_billing(
            terms, packages, at, position=self.position, policy=self.policy.billing, tax=self.policy.tax, first_fees=self.first_fees,
        )
        looked_at = {invoice.subscription for invoice in plan.invoices}
        for planned in plan.invoices:
            line = self.lines[planned.subscription]
            period = (planned.period_start, planned.period_end)
            if not any(i.line is line and i.kind == "subscription" and i.period[0] == period[0] for i in self.invoices):
                lines = [(part.kind, part.amount) for part in planned.lines]
                made = Invoice(line, "subscription", period, planned.issue_date, planned.due_date, lines, planned.dpp, planned.ppn, planned.package)
                self.invoices.append(made)
        for fee in plan.fees:
            self.first_fees = [waiting for waiting in self.first_fees if waiting.key != fee.key]
        self.bill_fee_parts(at)
        if self.policy.billing.while_isolated == "prorate":
            for name in looked_at:
                self.give_isolated_back(self.lines[name], at)
        for new in plan.billed_from:
            line = self.lines[new.subscription]
            line.terms = line.terms._replace(billed_from=new.billed_from)
        self.problems = {problem.subscription: problem.code for problem in plan.problems}
        self.charge_late_fees(at)
        for customer in {line.customer for line in self.lines.values()}:
            self.allocate(customer, at)
        self.position = max(self.position or plan.next_position, plan.next_position)

    def catalog(self) -> list[isp.Package]:
        return [
            isp.Package(p["code"], [isp.Price(day(v["from"]), v["price"]) for v in p["prices"]], tax_mode=p["ppn"])
            for p in self.packages.values()
        ]

    def give_isolated_back(self, line: Line, at: datetime) -> None:
        own = [i for i in self.invoices if i.line is line and i.kind == "subscription"]
        facts = isp.IsolatedFacts([self.charge(number, i) for number, i in enumerate(own)], line.spans, line.terms.start, line.terms.billed_from)
        for note in isp.isolation_credits([facts], at, position=self.position, policy=self.policy.billing):
            self.give(own[note.charge], note, "isolation", at)

    def charge(self, key: int, invoice: Invoice, outage: str = "") -> isp.Charge:
        given = [
            isp.GivenBack(note.period_start, note.period_end, note.lines, same_outage=bool(outage) and about == outage)
            for of, note, _, _, about in self.notes if of is invoice
        ]
        lines = [isp.InvoiceLine(kind, amount) for kind, amount in invoice.lines]
        return isp.Charge(key, *invoice.period, lines, given, zone=invoice.line.zone)

    def give(
        self, invoice: Invoice, note: isp.CreditNote, reason: str, at: datetime, about: str = "", own_first: bool = False,
    ) -> None:
        self.notes.append((invoice, note, reason, day_of(at, invoice.line.zone), about))
        number = f"note {len(self.notes)}"
        self.credit[number] = {
            "customer": invoice.line.customer, "amount": note.total, "left": note.total, "reversed": False, "paid_at": at,
            "note_of": self.invoices.index(invoice),
        }
        if (own_first or reason in ("pause", "termination", "package_change")) and invoice.open:
            # It settles what is open of its own invoice first.
            settled = min(invoice.open, note.total)
            invoice.paid.append((at, number, settled))
            self.credit[number]["left"] -= settled
        self.allocate(invoice.line.customer, at)

    def charge_late_fees(self, at: datetime) -> None:
        policy = self.policy.late_fee
        if policy is None:
            return
        customers = {line.customer for line in self.lines.values()}
        unpaid = {of.invoice: of.unpaid for of in isp.unpaid_when_late([self.books(c) for c in customers], policy)}
        late = [
            isp.LateInvoice(n, i.due, unpaid[n], i.line.zone, i.period[0], self.given(i))
            for n, i in enumerate(self.invoices) if n in unpaid and not self.fees_of(i)
        ]
        since = self.position and self.position - timedelta(self.policy.billing.issue_lead_days)
        for fee in isp.late_fees(late, at, policy, since=since, tax=self.policy.tax, billing=self.policy.billing):
            if fee.due:
                self.charge_fee(self.invoices[fee.invoice], fee, 0)

    def charge_fee(self, of: Invoice, fee: isp.LateFee | isp.FeeAgain, nth: int) -> None:
        lines = [(kind, amount) for kind, amount in (("late_fee", fee.dpp), ("ppn", fee.ppn)) if amount]
        # There is one invoice of a kind for a first day, so each charge begins a day later.
        start = of.period[0] + timedelta(nth)
        period_ = (start, max(of.period[1], start + timedelta(1)))
        self.invoices.append(Invoice(of.line, "late_fee", period_, fee.on, fee.due_date, lines, fee.dpp, fee.ppn, late=of))

    def fees_of(self, late: Invoice) -> list[tuple[int, Invoice]]:
        return [(n, i) for n, i in enumerate(self.invoices) if i.late is late]

    def enforce(self, at: datetime, approve: bool) -> None:
        decided = {d.subscription: d for d in isp.decide_isolation([self.facts(line, at) for line in self.lines.values()], at, policy=self.policy.isolation)}
        self.held = {}
        for site in {line.of["site"] for line in self.lines.values()}:
            here = [line for line in self.lines.values() if line.of["site"] == site]
            isolations = [line for line in here if decided[line.of["name"]].action == "isolate"]
            served = sum(line.access != "closed" for line in here)
            if len(isolations) > self.policy.isolation.breaker_limit(served) and not approve:
                self.held[site] = len(isolations)
        for line in self.lines.values():
            decision = decided[line.of["name"]]
            if not (decision.action == "isolate" and line.of["site"] in self.held):
                self.follow(line, decision, at)

    def follow(self, line: Line, decision: isp.Decision, at: datetime) -> None:
        event = isp.AccessEvent(at, "isolated_arrears", reason=decision.reason, overdue=decision.overdue)
        if decision.action == "isolate":
            line.becomes("isolated", "arrears", event)
            self.messages.about_access("isolated", line, at)
        elif decision.action == "reopen":
            told = line.access == "isolated"
            line.becomes("open", None, event._replace(kind="reopened"))
            if told:
                self.messages.about_access("reopened", line, at)
        elif decision.action == "close":
            line.becomes("closed", None, event._replace(kind="closed"))

    def facts(self, line: Line, at: datetime) -> isp.AccessFacts:
        del at
        terms = line.terms
        return isp.AccessFacts(
            line.of["name"], terms.start, line.access, [self.balance(i) for i in self.invoices if i.line is line and i.open > 0],
            cause=line.cause, isolated_overdue=line.isolated_overdue, zone=line.zone, end=terms.end, paused_from=terms.paused_from,
            promises=self.protections["promise"][line.customer], exemptions=self.protections["exemption"][line.customer],
            outages=[outage for site, outage in self.outages.values() if site == line.of["site"]],
            proofs=self.proof_rows(line.customer),
        )

    def proof_rows(self, customer: str) -> list[isp.Proof]:
        return [
            isp.Proof(number, proof["arrived_at"], proof["reviewed_at"], proof["verdict"] == "taken_back")
            for proof in self.proofs[customer] for number in proof["invoices"]
        ]

    def balance(self, invoice: Invoice) -> isp.OpenInvoice:
        return isp.OpenInvoice(self.invoices.index(invoice), invoice.issued, invoice.due, invoice.total, invoice.total - invoice.open)

    # Money

    def allocate(self, customer: str, at: datetime, again: bool = False) -> None:
        """Credit pays what is open; ``again``, after a payment came back: notes pay their own invoices, and payments the oldest."""
        own = [(n, i) for n, i in enumerate(self.invoices) if i.line.customer == customer]
        note_of = lambda key: self.credit[key].get("note_of") if again else None
        credit = [
            isp.Credit(key, c["left"], None, note_of(key)) for key, c in self.credit.items() if c["customer"] == customer and c["left"] > 0
        ]
        paid = []
        for n, i in own if again else ():
            for key in {by for _, by, _ in i.paid if self.credit[by].get("money") or note_of(by) is not None}:
                paid.append(isp.PaidPart(n, key, sum(amount for _, by, amount in i.paid if by == key), note_of(key)))
        facts = isp.AllocationFacts(customer, [self.balance(i) for _, i in own], credit, paid)
        for made in isp.allocate([facts]):
            self.invoices[made.invoice].paid.append((at, made.payment, made.amount))
            self.credit[made.payment]["left"] -= made.amount

    def do_pay(self, at: datetime, customer: str, amount: int, provider: str, reference: str, paid_at: str, collector: str | None, sure: bool, payer_fee: int, fee: int) -> None:
        del collector, payer_fee, fee
        when, identity = moment(paid_at), isp.payment_identity(provider, reference)
        known = [isp.KnownPayment(key, c["customer"], c["amount"], c["paid_at"], c["reversed"]) for key, c in self.credit.items() if c.get("identity") == identity]
        slip = identity.startswith("pph23 ")
        owed = sum(self.balance(i).total - self.balance(i).paid for i in self.invoices if i.line.customer == customer)
        told: isp.Told = "insisting" if sure else "person"
        notice = isp.PaymentNotice("new", customer, provider, reference, amount, when, told, known, owed, self.withholdings(customer))
        received = allowed(isp.receive_payments([notice], at)[0])
        if received.outcome != "new":
            return
        key = f"{identity} {len(known)}"
        self.credit[key] = {
            "customer": customer, "amount": amount, "left": amount, "reversed": False, "identity": identity, "paid_at": when,
            "reference": reference, "money": True,
        }
        for back in isp.late_fees_back([self.books(customer, key)], at, self.policy.late_fee):
            fee = self.invoices[back.fee]
            wish = isp.CorrectionWish(self.charge(0, fee), back.amount, day_of(at, fee.line.zone), IN_TIME)
            self.give(fee, allowed(isp.correct_invoices([wish])[0]), "correction", at, IN_TIME, own_first=True)
        self.allocate(customer, at)
        if not slip:
            self.messages.received(customer, key, at)
        self.reopen_paid(customer, at)

    def withholdings(self, customer: str) -> list[isp.Withholding]:
        """What slips of PPh 23 may be for: a customer's invoices, oldest first, with what slips settle of them."""
        own = [i for i in self.invoices if i.line.customer == customer and i.kind != "late_fee"]
        slips = {key for key, c in self.credit.items() if c.get("identity", "").startswith("pph23 ") and not c["reversed"]}
        kept = lambda i: sum(amount for _, by, amount in i.paid if by in slips)
        return [isp.Withholding(i.total - i.ppn, kept(i), i.open > 0) for i in sorted(own, key=lambda i: i.issued)]

    def books(self, customer: str, payment: str | None = None) -> isp.LateFeeFacts:
        """The invoices of a customer, and the money as it came."""
        own = [(n, i) for n, i in enumerate(self.invoices) if i.line.customer == customer]
        invoices = [
            isp.BilledInvoice(
                n, i.issued, i.due, i.total, i.line.zone, i.period[0] if i.kind == "subscription" else None, self.given(i),
                [self.fee_charged(m, fee) for m, fee in self.fees_of(i)],
            )
            for n, i in own
        ]
        money = []
        for key, c in self.credit.items():
            if c["customer"] != customer or c["reversed"]:
                continue
            if c.get("money"):
                money.append(isp.Came(key, c["paid_at"], c["amount"]))
            else:
                money += [isp.Came(key, c["paid_at"], amount, n) for n, i in own for _, by, amount in i.paid if by == key]
        return isp.LateFeeFacts(invoices, money, payment)

    def fee_charged(self, key: int, fee: Invoice) -> isp.FeeCharged:
        back = [(note.total, about) for of, note, _, _, about in self.notes if of is fee]
        return isp.FeeCharged(
            key, fee.issued, fee.total, fee.ppn, sum(total for total, _ in back), sum(total for total, about in back if about == IN_TIME),
        )

    def reopen_paid(self, customer: str, at: datetime) -> None:
        lines = [line for line in self.lines.values() if line.customer == customer]
        for decision in isp.decide_isolation([self.facts(line, at) for line in lines], at, policy=self.policy.isolation):
            if decision.action == "reopen":
                self.follow(self.lines[decision.subscription], decision, at)

    def do_reverse(self, at: datetime, provider: str, reference: str, reason: str) -> None:
        del reason
        identity = isp.payment_identity(provider, reference)
        if identity == isp.payment_identity("credit-note", reference):
            raise Refusal("payment.not_reversible")
        standing = [key for key, c in self.credit.items() if c.get("identity") == identity]
        if not standing:
            raise Refusal("store.not_found")
        open_ = [key for key in standing if not self.credit[key]["reversed"]]
        if not open_:
            raise Refusal("store.duplicate")
        self.take_credit_back(open_[-1], at)

    def take_credit_back(self, key: str, at: datetime) -> None:
        """A payment or a write-off comes back: what it had paid is open again, and a late fee that it had spared is due."""
        of = self.credit[key]
        through = self.position and self.position - timedelta(self.policy.billing.issue_lead_days)
        due = isp.late_fees_again(
            [self.books(of["customer"], key)], at, self.policy.late_fee, charged_through=through, tax=self.policy.tax,
            billing=self.policy.billing,
        )
        of.update(left=0, reversed=True)
        for invoice in self.invoices:
            back = sum(amount for _, by, amount in invoice.paid if by == key)
            if back:
                invoice.paid.append((at, key, -back))
        self.allocate(of["customer"], at, again="money" in of)
        for fee in due:
            self.charge_fee(self.invoices[fee.invoice], fee, fee.nth)

    def invoice_of(self, invoice: dict[str, Any]) -> Invoice:
        line, start = self.lines[invoice["subscription"]], day(invoice["start"])
        return next(i for i in self.invoices if i.line is line and i.kind == invoice["kind"] and i.period[0] == start)

    def do_write_off(self, at: datetime, invoice: dict[str, Any], reason: str) -> None:
        of = self.invoice_of(invoice)
        given_up = allowed(isp.write_offs([isp.WriteOffWish(0, of.open, "Rina", reason)])[0])
        key = f"write-off {len(self.credit)}"
        self.credit[key] = {
            "customer": of.line.customer, "amount": given_up.amount, "left": 0, "reversed": False, "of": of, "paid_at": at,
        }
        of.paid.append((at, key, given_up.amount))
        self.reopen_paid(of.line.customer, at)

    def do_take_back_write_off(self, at: datetime, invoice: dict[str, Any], reason: str) -> None:
        del reason
        of = self.invoice_of(invoice)
        self.take_credit_back(next(key for key, c in self.credit.items() if c.get("of") is of and not c["reversed"]), at)

    def do_correct(self, at: datetime, invoice: dict[str, Any], amount: int, reason: str) -> None:
        of = self.invoice_of(invoice)
        today = day_of(at, of.line.zone)
        before = [isp.Correction(issued, note.total) for i, note, why, issued, _ in self.notes if i is of and why == "correction"]
        wish = isp.CorrectionWish(self.charge(0, of), amount, today, reason, before)
        note = allowed(isp.correct_invoices([wish])[0])
        if note:
            self.give(of, note, "correction", at)

    # Installations

    def do_install(self, at: datetime, subscription: str, fee: int, on: str, instalments: int, with_first_invoice: bool) -> None:
        line = self.lines[subscription]
        issued = any(i.line is line and i.kind == "subscription" for i in self.invoices)
        taken = [part.on for of, part in self.fee_parts if of is line]
        wish = isp.InstallationFee(0, fee, day(on), instalments, with_first_invoice, issued, taken)
        schedule = allowed(isp.installation_fees([wish], policy=self.policy.billing, tax=self.policy.tax)[0])
        self.fee_parts += [(line, part) for part in schedule.parts]
        if with_first_invoice:
            self.first_fees.append(isp.FirstFee(f"{subscription} {on}", subscription, fee))

    def bill_fee_parts(self, at: datetime) -> None:
        for line, part in self.fee_parts:
            period_ = (part.on, part.on + timedelta(1))
            known = any(i.line is line and i.kind == "installation" and i.period == period_ for i in self.invoices)
            if part.on <= day_of(at, line.zone) and not known:
                lines = [(of.kind, of.amount) for of in part.lines]
                due = self.policy.billing.due_date(part.on, day_of(at, line.zone))
                self.invoices.append(Invoice(line, "installation", period_, part.on, due, lines, part.dpp, part.ppn))

    def do_price(self, at: datetime, package: str, price: int, **since: str) -> None:
        del at
        self.packages[package]["prices"].append({"from": since["from"], "price": price})

    def do_policy(self, at: datetime, policy: dict[str, Any]) -> None:
        del at
        self.policy = Policies(policy)

    # Terms

    def do_change_package(self, at: datetime, subscription: str, to: str, at_once: bool) -> None:
        self.change(at, subscription, isp.PackageAtOnce(to, self.today(at, subscription)) if at_once else isp.NextPackage(to))

    def do_change_day(self, at: datetime, subscription: str, to: int) -> None:
        self.change(at, subscription, isp.MoveBillingDay(to, self.today(at, subscription)))

    def do_pause(self, at: datetime, subscription: str) -> None:
        self.change(at, subscription, isp.PauseLine(self.today(at, subscription)))

    def do_resume(self, at: datetime, subscription: str) -> None:
        self.change(at, subscription, isp.ResumeLine(self.today(at, subscription)))

    def do_end(self, at: datetime, subscription: str, on: str) -> None:
        self.change(at, subscription, isp.EndLine(day(on)))

    def today(self, at: datetime, name: str) -> date:
        return day_of(at, self.lines[name].zone)

    def change(self, at: datetime, name: str, wish: Any) -> None:
        line = self.lines[name]
        charges = [
            self.line_charge(n, i) for n, i in enumerate(self.invoices) if i.line is line and i.kind in ("subscription", "adjustment")
        ]
        facts = isp.TermsFacts(line.terms, wish, charges, line.access)
        (change,) = isp.decide_terms([facts], self.catalog(), at, position=self.position, policy=self.policy.billing, tax=self.policy.tax)
        if isinstance(change, isp.InvalidValue):
            raise Refusal(change.code, str(change))
        line.terms, new = change.subscription, []
        for kind, of in change.invoices:
            lines = [(part.kind, part.amount) for part in of.lines]
            period_ = (of.period_start, of.period_end)
            new.append(Invoice(line, kind, period_, of.issue_date, of.due_date, lines, of.dpp, of.ppn, of.package))
        self.invoices += new
        for note in change.notes:
            self.give(self.invoices[note.charge] if note.invoice is None else new[note.invoice], note, note.reason, at)
        if change.access == "close":
            reason = "paused" if line.terms.paused_from else "terminated"
            line.becomes("closed", None, isp.AccessEvent(at, "closed", reason=reason))
        elif change.access == "reopen":
            line.becomes("open", None, isp.AccessEvent(at, "reopened", reason="in_service"))

    def line_charge(self, key: int, of: Invoice) -> isp.LineCharge:
        fees = [isp.LateCharge(n, [isp.InvoiceLine(*part) for part in i.lines], self.given(i)) for n, i in self.fees_of(of)]
        lines = [isp.InvoiceLine(*part) for part in of.lines]
        return isp.LineCharge(key, of.kind, of.package, *of.period, of.issued, lines, self.given(of), fees)

    def given(self, of: Invoice) -> list[isp.NoteGiven]:
        return [
            isp.NoteGiven(reason, note.period_start, note.period_end, issued, note.lines)
            for invoice, note, reason, issued, _ in self.notes if invoice is of
        ]

    # Protection, and by hand

    def do_promise(self, at: datetime, customer: str, made_on: str, until: str) -> None:
        del at
        promise = isp.Promise(day(made_on), day(until))
        lines = [isp.Grid(line.terms.start, line.terms.day, line.terms.cycle) for line in self.lines.values() if line.customer == customer]
        made = [known.made_on for known in self.protections["promise"][customer] if not (known.ending and known.ending.kind == "taken_back")]
        wish = isp.PromiseWish(promise.made_on, promise.until, lines, made)
        allowed(isp.check_promises([wish], policy=self.policy.promise)[0])
        self.protections["promise"][customer].append(promise)

    def do_exempt(self, at: datetime, customer: str, until: str, reason: str, **since: str) -> None:
        del at
        exemption = isp.Exemption(day(since["from"]), day(until), reason)
        allowed(isp.check_exemptions([exemption])[0])
        self.protections["exemption"][customer].append(exemption)

    def do_proof(self, at: datetime, customer: str, invoices: list[dict[str, Any]], amount: int | None, file: str) -> None:
        named = [self.invoice_of(invoice) for invoice in invoices]
        own = named or [i for i in self.invoices if i.line.customer == customer and i.open > 0]
        known = self.proofs[customer]
        content = f"%PDF-1.4\n% {file}\n".encode()
        if any(proof["content"] == content and proof["verdict"] != "taken_back" for proof in known):
            return
        waiting = sum(proof["verdict"] is None for proof in known)
        wish = isp.ProofWish(f"{file}.pdf", content, sum(i.open for i in own), amount, waiting)
        looked = allowed(isp.check_proofs([wish])[0])
        known.append({
            "file": file, "content": content, "invoices": [self.invoices.index(i) for i in own], "amount": looked.amount, "arrived_at": at,
            "reviewed_at": None, "verdict": None,
        })

    def do_review(
        self, at: datetime, customer: str, file: str, say: isp.records.ProofVerdict, amount: int | None, provider: str, reference: str, reason: str,
        sure: bool,
    ) -> None:
        proof = [proof for proof in self.proofs[customer] if proof["file"] == file][-1]
        wish = isp.ReviewWish(say, "Rina", "" if say == "accepted" else reason, proof["verdict"] is not None)
        allowed(isp.review_proofs([wish])[0])
        if say == "accepted":
            money = amount or proof["amount"]
            identity = isp.payment_identity(provider, reference)
            if not sure and not any(c.get("identity") == identity and not c["reversed"] for c in self.credit.values()):
                # No case has two accepted proofs, so that each payment belongs to none.
                others = [
                    isp.OtherPayment(c["reference"], c["amount"], c["paid_at"]) for c in self.credit.values()
                    if c["customer"] == customer and c.get("money") and not c["reversed"]
                ]
                open_ = sum(self.invoices[n].open for n in proof["invoices"])
                allowed(isp.check_transfers([isp.TransferWish(money, proof["arrived_at"], open_, others)])[0])
            self.do_pay(at, customer, money, provider, reference, proof["arrived_at"].isoformat(), None, sure, 0, 0)
        proof.update(reviewed_at=at, verdict=say)

    def do_end_protection(self, at: datetime, what: str, customer: str, taken_back: bool, reason: str) -> None:
        known = self.protections[what][customer]
        last = max(range(len(known)), key=lambda n: known[n][0])
        known[last] = known[last]._replace(ending=self.ending(at, "taken_back" if taken_back else "ended", reason, known[last].ending))
        # Who is not protected any more is decided about at once.
        lines = [line for line in self.lines.values() if line.customer == customer]
        for decision in isp.decide_isolation([self.facts(line, at) for line in lines], at, policy=self.policy.isolation):
            self.follow(self.lines[decision.subscription], decision, at)

    def ending(self, at: datetime, kind: Any, reason: str, known: isp.Ending | None) -> isp.Ending:
        (ending,) = isp.end_records([isp.EndingWish(1, kind, at, "Rina", reason, known)])
        if isinstance(ending, isp.InvalidValue):
            raise Refusal(ending.code, str(ending))
        return ending

    def do_take_back_outage(self, at: datetime, name: str, reason: str) -> None:
        site, outage = self.outages[name]
        self.outages[name] = (site, outage._replace(ending=self.ending(at, "taken_back", reason, outage.ending)))

    def do_outage(self, at: datetime, name: str, site: str, until: str | None, **since: str) -> None:
        del at
        self.outages[name] = (site, isp.Outage(moment(since["from"]), moment(until)))

    def do_end_outage(self, at: datetime, name: str, until: str) -> None:
        del at
        site, outage = self.outages[name]
        self.outages[name] = (site, outage._replace(until=moment(until)))

    def do_credit_outage(self, at: datetime, name: str) -> None:
        site, outage = self.outages[name]
        hit = [i for i in self.invoices if i.line.of["site"] == site and i.kind == "subscription"]
        for note in isp.outage_credits([self.charge(n, i, name) for n, i in enumerate(hit)], outage, policy=self.policy.outage):
            self.give(hit[note.charge], note, "outage", at, name)

    def do_isolate(self, at: datetime, customer: str, by: str, reason: str) -> None:
        for line in self.by_hand(customer, "isolate", by, reason):
            line.becomes("isolated", "manual", isp.AccessEvent(at, "isolated_manual", by=by, reason=reason))
            self.messages.about_access("isolated", line, at)

    def do_reopen(self, at: datetime, customer: str, by: str, reason: str) -> None:
        for line in self.by_hand(customer, "reopen", by, reason):
            line.becomes("open", None, isp.AccessEvent(at, "reopened", by=by, reason=reason))
            self.messages.about_access("reopened", line, at)

    def by_hand(self, customer: str, action: Any, by: str, reason: str) -> list[Line]:
        own = [line for line in self.lines.values() if line.customer == customer]
        facts = [isp.HandFacts(n, line.access, line.cause) for n, line in enumerate(own)]
        try:
            return [own[n] for n in isp.decide_by_hand(facts, action, by, reason)]
        except isp.InvalidValue as error:
            raise Refusal(error.code, str(error)) from error

    # What is to be seen

    def observe(self, subscription: dict[str, Any], at: datetime) -> dict[str, Any]:
        line, customer = self.lines.get(subscription["name"]), subscription["customer"]
        seen: dict[str, Any] = {
            "owed": sum(i.open for i in self.invoices if i.line.customer == customer),
            "credit": sum(c["left"] for c in self.credit.values() if c["customer"] == customer),
            "problem": self.problems.get(subscription["name"]),
            "held": self.held.get(subscription["site"], 0),
            "messages": self.messages.sent_to(customer, subscription["zone"]),
        }
        if line is None:
            return seen
        facts = isp.ExplainFacts(self.facts(line, at), line.events[-1])
        (why,) = isp.explain([facts], at, policy=self.policy.isolation)
        seen.update(access=why.access, reason=why.reason)
        seen["invoices"] = [
            {
                "kind": i.kind, "period": period(*i.period), "issued": str(i.issued), "due": str(i.due),
                "lines": i.lines, "dpp": i.dpp, "ppn": i.ppn, "total": i.total, "open": i.open,
            }
            for i in self.invoices if i.line is line
        ]
        seen["credit_notes"] = [
            {
                "period": period(note.period_start, note.period_end), "reason": reason, "issued": str(issued),
                "lines": [(part.kind, part.amount) for part in note.lines], "dpp": note.dpp, "ppn": note.ppn, "total": note.total,
            }
            for i, note, reason, issued, _ in self.notes if i.line is line
        ]
        return seen


def period(start: date, end: date) -> dict[str, str]:
    return {"start": str(start), "end": str(end)}
