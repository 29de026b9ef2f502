"""The addon as a host of cases: each thing is done as a person or a cron does it, and read back from Odoo's own records."""

from datetime import date, datetime, timedelta, timezone

from isp_engine.cases import Refusal
from isp_engine.testing import SimulatedRouter, SimulatedWhatsApp

from odoo import Command, fields
from odoo.exceptions import UserError, ValidationError

from odoo.addons.isp_management.logic.terms_rows import items_of

CYCLES = {1: "monthly", 3: "quarterly", 6: "semiannual", 12: "annual"}
HOURS = {"WIB": 7, "WITA": 8, "WIT": 9}
POLICY = {
    "billing": {
        "issue_lead_days": "isp_issue_lead_days", "payment_terms_days": "isp_payment_terms_days",
        "catch_up_periods": "isp_catch_up_periods", "while_isolated": "isp_while_isolated",
        "credit_on_pause": "isp_credit_on_pause", "credit_on_termination": "isp_credit_on_termination",
    },
    "isolation": {
        "isolate_after_days": "isp_isolate_after_days", "isolate_from": "isp_isolate_from", "on_weekends": "isp_isolate_on_weekends",
        "public_holidays": "isp_public_holidays", "proof_working_days": "isp_proof_working_days",
        "breaker_count": "isp_breaker_count", "breaker_percent": "isp_breaker_percent",
    },
    "promise": {"max_days": "isp_promise_max_days", "per_period": "isp_promise_per_period"},
    "outage": {"min_hours": "isp_outage_min_hours", "by": "isp_outage_by"},
    "clock": {"max_days_between_runs": "isp_clock_days"},
}
# What a case uses when it looks at routers or phones; the others are lived without them.
OUTSIDE = {"step.router", "step.expect.router", "step.whatsapp", "step.expect.messages"}


def day(text):
    return text and date.fromisoformat(text)


def naive(moment):
    """A moment as Odoo has it."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return moment and moment.astimezone(timezone.utc).replace(tzinfo=None)


class OdooHost:
    """One case in one company, whose settings and rows the caller rolls back."""

    def __init__(self, test):
        self.test, self.company = test, test.company
        self.packages, self.routers, self.customers, self.lines, self.outages = {}, {}, {}, {}, {}
        self.held = {}
        self.simulated, self.meta, self.last_protection = {}, None, {}

    def env(self, at):
        """An environment in which it is that moment."""
        env = self.test.env
        return env(context={**env.context, "isp_now": fields.Datetime.to_string(naive(at))})

    # The provider

    def begin(self, case):
        self.company.isp_zone = case["sites"][0]["zone"]
        self.company.sudo().isp_billed_through = False
        # Late fees count from the day on which the policy is set.
        self.do_policy(case["steps"][0]["moments"][0], case["policy"])
        outside = bool(OUTSIDE & set(case["uses"]))
        for site in case["sites"]:
            self.routers[site["code"]] = self.test.router.copy({"name": "R-%s" % site["code"], "password": "rahasia"})
            if outside:
                self.connect(site["code"], self.routers[site["code"]])
        if outside:
            self.meta = self.opened(SimulatedWhatsApp(sender=True))
            self.test.env["isp.channel"].create({
                "name": "CS", "phone_number_id": self.meta.phone_number_id, "base_url": self.meta.base_url,
                "access_token": self.meta.access_token,
            })
        self.ppn = self.tax_of(case["policy"]["tax"]["rules"])
        included = self.ppn.copy({"name": "PPN in the price", "price_include": True, "include_base_amount": True})
        for package in case["packages"]:
            made = self.test.new_package(package["code"], package["prices"][0]["price"], tax_ids=[Command.set(self.ppn.ids)])
            if package["ppn"] == "inclusive":
                made.tax_ids = [Command.set(included.ids)]
            if not case["policy"]["tax"]["pkp"]:
                made.tax_ids = [Command.clear()]
            dated = package["prices"] if package["prices"][-1]["from"] > "2000-01-01" else ()
            if dated:
                made.price_ids.unlink()
            for price in dated:
                self.do_price(None, package["code"], price["price"], made=made, **{"from": price["from"]})
            self.packages[package["code"]] = made
        for number, customer in enumerate(case["customers"]):
            self.customers[customer["code"]] = self.test.new_customer(
                customer["code"], **({"mobile": "0812-0000-%04d" % number} if customer["reachable"] else {"mobile": False}),
                invoicing=customer["invoicing"],
            )

    def opened(self, simulator):
        self.test.addCleanup(simulator.close)
        return simulator

    def connect(self, site, router):
        simulated = self.simulated[site] = self.opened(SimulatedRouter(identity="r-%s" % site.lower()))
        host, port = simulated.address.split(":")
        router.write({
            "host": host, "port": int(port), "username": simulated.username, "password": simulated.password, "timeout_seconds": 2,
        })

    def tax_of(self, rules):
        """Odoo's taxes are the rules of PPN: one of the provider's own is a tax with its rate."""
        if len(rules) != 1:
            return self.test.ppn
        [rule] = rules
        rate = rule["percent"] * rule["base_numerator"] / rule["base_denominator"]
        return self.test.ppn.copy({"name": "PPN %s" % rate, "amount": rate})

    def do_policy(self, at, policy):
        vals = {name: policy[part][key] for part, names in POLICY.items() for key, name in names.items()}
        isolation, fee, dunning = policy["isolation"], policy["late_fee"], policy["dunning"]
        hour, minute = isolation["isolate_at"].split(":")
        vals.update(
            isp_isolate_at=int(hour) + int(minute) / 60, isp_pkp=policy["tax"]["pkp"],
            isp_reopen_when_paid_percent=isolation["reopen_when_paid_percent"] or 100, isp_late_fee="none",
        )
        if fee:
            kind = "percent" if "percent" in fee["amount"] else "fixed"
            of = fee["amount"].get("percent") or {}
            vals.update(
                isp_late_fee=kind, isp_late_fee_days=fee["after_days"], isp_late_fee_ppn=fee["with_ppn"],
                isp_late_fee_amount=fee["amount"].get("fixed", 0), isp_late_fee_percent=of.get("percent", 0),
                isp_late_fee_minimum=of.get("minimum", 0),
            )
        vals.update({"isp_" + name: ", ".join(map(str, dunning[name])) for name in ("due_soon_days", "overdue_days")})
        for name in ("quiet_until", "quiet_from"):
            hour, minute = dunning[name].split(":")
            vals["isp_" + name] = int(hour) + int(minute) / 60
        self.company.with_env(self.env(at)).write(vals)
        for holiday in isolation["holidays"]:
            self.test.env["isp.holiday"].create({"name": holiday, "date": holiday, "company_id": self.company.id})

    def enter(self, subscription):
        off = subscription["discount"] and subscription["discount"]["off"]
        held = subscription["held_price"] or {}
        vals = {
            "customer_id": self.customers[subscription["customer"]].id,
            "package_id": self.packages[subscription["package"]].id,
            "router_id": self.routers[subscription["site"]].id,
            "zone": subscription["zone"], "cycle": CYCLES[subscription["cycle"]], "timing": subscription["timing"],
            "activation_date": day(subscription["start"]), "billing_day": subscription["day"],
            # Whoever types a line in late is asked; the cases bill it from its start (rule B4).
            "billed_from": day(subscription["start"]),
            "held_price": held.get("price", 0), "held_until": day(held.get("until")),
            "ppp_username": subscription["name"], "ppp_password": "sandi",
        }
        if off:
            ((kind, value),) = off.items()
            vals.update(discount_kind=kind, discount_value=value, discount_until=day(subscription["discount"]["until"]))
        line = self.test.env["isp.subscription"].create(vals)
        line.with_env(self.env(subscription["entered"])).action_activate()
        self.lines[subscription["name"]] = line

    # What happens

    def act(self, action, at):
        given = {key: value for key, value in action.items() if key != "do"}
        try:
            with self.test.env.cr.savepoint():
                getattr(self, "do_" + action["do"])(at, **given)
        except (UserError, ValidationError) as error:
            raise Refusal(getattr(error, "code", "odoo.refused"), str(error)) from error
        self.deliver(at)

    def deliver(self, at):
        """What was decided leaves at once, as the crons of every minute see to."""
        if self.meta:
            env = self.env(at)
            env["isp.router"]._cron_isp_sync()
            env["isp.notification"]._cron_isp_send()

    def do_router(self, at, site, down):
        router = self.simulated[site]
        router.down() if down else router.up()
        # Somebody who repaired it presses the button; else it is tried again a few minutes later.
        self.routers[site].subscription_ids.sudo().write({"router_next_attempt": False})

    def do_whatsapp(self, at, down):
        self.meta.down() if down else self.meta.up()

    def do_look(self, at):
        """Nothing."""

    def do_run(self, at, approve, confirm):
        env = self.env(at)
        clock = env["isp.clock"]._isp_of(self.company)
        if confirm:
            clock.with_user(self.test.env.user).action_isp_clock_is_right()
        env["isp.billing_run"]._cron_bill()
        if clock.doubt:
            # The other crons ask the same.
            env["isp.notification"]._cron_isp_reminders()
            env["isp.subscription"]._cron_isp_isolation()
            raise Refusal(clock.doubt)
        if self.meta:
            env["isp.notification"]._cron_isp_reminders()
        self.post_drafts(at)
        lines = env["isp.subscription"]
        lines._isp_planned_changes()
        env["isp.promise"]._isp_settle(self.company.with_env(env))
        lines._isp_isolation_run(self.company.with_env(env))
        for router in self.routers.values() if approve else ():
            env["isp.breaker.wizard"].create({"router_id": router.id}).action_approve()
        self.held = {code: router.breaker_waiting for code, router in self.routers.items()}

    def post_drafts(self, at):
        """What Odoo's own cron posts on its day."""
        today = (naive(at) + timedelta(hours=HOURS[self.company.isp_zone])).date()
        drafts = self.env(at)["account.move"].search(
            [("state", "=", "draft"), ("auto_post", "!=", "no"), ("date", "<=", today), ("company_id", "=", self.company.id)], order="date, id"
        )
        drafts._post()

    # Terms: each with the wizard, as a person

    def do_change_package(self, at, subscription, to, at_once):
        self.terms(at, subscription, "package", package_id=self.packages[to].id, at_once="now" if at_once else "next")

    def do_change_day(self, at, subscription, to):
        self.terms(at, subscription, "day", billing_day=to)

    def do_pause(self, at, subscription):
        self.terms(at, subscription, "pause")

    def do_resume(self, at, subscription):
        self.terms(at, subscription, "resume")

    def do_end(self, at, subscription, on):
        self.terms(at, subscription, "end", last_day=day(on) - timedelta(days=1), reason="moved")

    def terms(self, at, subscription, kind, **vals):
        line = self.lines[subscription].with_env(self.env(at)).with_context(isp_terms=kind)
        wizard = self.env(at)["isp.terms.wizard"].browse(line.action_isp_terms()["res_id"])
        wizard.write(vals)
        done = wizard.action_confirm()
        if done["type"] != "ir.actions.act_window_close":
            raise AssertionError("what was shown is not what is done")

    def do_pay(self, at, customer, amount, provider, reference, paid_at, collector, sure, payer_fee, fee):
        del collector, payer_fee, fee
        env = self.env(at)
        day_paid = (naive(paid_at) + timedelta(hours=HOURS[self.company.isp_zone])).date()
        moves = self.owed(customer)
        if moves:
            wizard = env["account.payment.register"].with_context(active_model="account.move", active_ids=moves.ids).create({
                "payment_date": day_paid, "amount": amount, "group_payment": True, "isp_provider": provider, "isp_reference": reference,
                "isp_insist": sure,
            })
            wizard._create_payments()
        else:
            env["account.payment"]._isp_receive(
                self.customers[customer].partner_id, amount, day_paid, provider, reference, told="insisting" if sure else "person"
            )

    def do_reverse(self, at, provider, reference, reason):
        payments = self.env(at)["account.payment"]
        if provider == "credit-note":
            # A credit note is an invoice in Odoo, and stands among no payments.
            raise Refusal("payment.not_reversible")
        payers = [customer.partner_id for customer in self.customers.values()]
        names = [payments._isp_identity_of(self.company, provider, reference, partner) for partner in payers]
        known = payments.search([("isp_identity", "in", names)], order="isp_stands desc, id desc", limit=1)
        if not known:
            raise Refusal("store.not_found")
        wizard = payments.env["isp.payment.reversal.wizard"].create({"payment_id": known.id, "reason": reason})
        wizard.action_confirm()

    def move_of(self, invoice):
        """The invoice of a line for a period."""
        late = invoice["kind"] == "late_fee"
        moves = self.test.env["account.move"].search([
            ("isp_subscription_id", "=", self.lines[invoice["subscription"]].id), ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"), ("isp_late_fee_of_id", "!=" if late else "=", False), ("isp_charge", "=", False),
        ])
        return moves.filtered(lambda m: str((m.isp_late_fee_of_id or m).isp_period_start) == invoice["start"])

    def do_write_off(self, at, invoice, reason):
        move = self.move_of(invoice).with_env(self.env(at))
        self.company.isp_bad_debt_account_id = self.bad_debts()
        action = move.action_isp_write_off()
        wizard = move.env[action["res_model"]].browse(action["res_id"])
        # The cases of the engine reopen what only this debt had isolated.
        wizard.write({"reason": reason, "reopen": True})
        wizard.action_confirm()

    def bad_debts(self):
        accounts = self.test.env["account.account"]
        vals = {"name": "Beban piutang", "code": "59999997", "account_type": "expense", "company_id": self.company.id}
        return accounts.search([("code", "=", vals["code"]), ("company_id", "=", self.company.id)]) or accounts.create(vals)

    def do_take_back_write_off(self, at, invoice, reason):
        del reason
        self.move_of(invoice).with_env(self.env(at)).action_isp_take_back()

    def do_correct(self, at, invoice, amount, reason):
        move = self.move_of(invoice).with_env(self.env(at))
        action = move.action_isp_correct()
        wizard = move.env[action["res_model"]].browse(action["res_id"])
        wizard.write({"amount": amount, "reason": reason})
        wizard.action_confirm()

    def do_cancel(self, at, invoice, bill_again):
        """A person cancels an invoice, and may have its period billed again."""
        line = self.lines[invoice["subscription"]]
        moves = line.move_ids.filtered(lambda m: str(m.isp_period_start) == invoice["start"] and not m.isp_charge)
        moves = moves.with_env(self.env(at))
        moves.filtered(lambda m: m.state == "posted").button_cancel()
        if bill_again:
            moves.action_isp_bill_again()

    def do_install(self, at, subscription, fee, on, instalments, with_first_invoice):
        line, env = self.lines[subscription], self.env(at)
        kind = env["isp.installation_kind"].create({
            "name": "PSB %s" % on, "code": "PSB%s" % on, "price": fee, "instalments": instalments, "tax_ids": [Command.set(self.ppn.ids)],
        })
        env["isp.installation_fee"].create({
            "customer_id": line.customer_id.id, "subscription_id": line.id, "kind_id": kind.id, "date": day(on),
            "with_first_invoice": with_first_invoice,
        }).action_invoice()

    def do_promise(self, at, customer, made_on, until):
        self.last_protection["promise", customer] = self.env(at)["isp.promise"].create(
            {"customer_id": self.customers[customer].id, "made_on": day(made_on), "until": day(until)}
        )

    def do_exempt(self, at, customer, until, reason, **since):
        self.last_protection["exemption", customer] = self.env(at)["isp.exemption"].create({
            "customer_id": self.customers[customer].id, "since": day(since["from"]), "until": day(until), "reason": reason,
        })

    def do_proof(self, at, customer, invoices, amount, file):
        moves = self.test.env["account.move"].union(*map(self.move_of, invoices))
        self.env(at)["isp.proof"]._isp_send(
            self.customers[customer], "%s.pdf" % file, b"%%PDF-1.4\n%% %s\n" % file.encode(), moves, amount
        )

    def do_review(self, at, customer, file, say, amount, provider, reference, reason, sure):
        """As the buttons do."""
        proof = self.env(at)["isp.proof"].search(
            [("customer_id", "=", self.customers[customer].id), ("file_name", "=", "%s.pdf" % file)], limit=1
        )
        action = proof._isp_ask(say, "")
        wizard = proof.env[action["res_model"]].browse(action["res_id"])
        vals = {"amount": amount or wizard.amount, "provider": provider, "reference": reference, "insist": sure}
        wizard.write(vals if say == "accepted" else {"reason": reason})
        wizard.action_confirm()

    def do_end_protection(self, at, what, customer, taken_back, reason):
        self.end(at, self.last_protection[what, customer], "taken_back" if taken_back else "ended", reason)

    def do_take_back_outage(self, at, name, reason):
        self.end(at, self.outages[name], "taken_back", reason)

    def end(self, at, record, kind, reason):
        """As the button does."""
        record = record.with_env(self.env(at))
        wizard = self.env(at)["isp.ending.wizard"].browse(record.action_isp_end()["res_id"])
        wizard.write({"kind": kind, "reason": reason})
        wizard.action_confirm()

    def do_outage(self, at, name, site, until, **since):
        self.outages[name] = self.env(at)["isp.outage"].create({
            "name": name, "router_id": self.routers[site].id, "since": naive(since["from"]), "until": naive(until) or False,
        })

    def do_end_outage(self, at, name, until):
        del at
        self.outages[name].until = naive(until)

    def do_credit_outage(self, at, name):
        action = self.outages[name].with_env(self.env(at)).action_give_back()
        wizard = self.env(at)[action["res_model"]].browse(action["res_id"])
        if wizard.line_ids:
            wizard.action_confirm()

    def do_isolate(self, at, customer, by, reason):
        self.by_hand(at, customer, "isolate", reason)

    def do_reopen(self, at, customer, by, reason):
        self.by_hand(at, customer, "reopen", reason)

    def by_hand(self, at, customer, action, reason):
        lines = self.customers[customer].subscription_ids.with_env(self.env(at))
        self.env(at)["isp.isolation.wizard"].create(
            {"subscription_ids": [Command.set(lines.ids)], "action": action, "reason": reason}
        ).action_confirm()

    def do_price(self, at, package, price, made=None, **since):
        self.test.env["isp.package.price"].create({
            "package_id": (made or self.packages[package]).id, "date_from": max(day(since["from"]), date(2000, 1, 1)), "price": price,
        })

    # What is to be seen

    def owed(self, customer):
        return self.test.env["account.move"].search([
            ("partner_id", "=", self.customers[customer].partner_id.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            ("amount_residual", ">", 0),
        ], order="invoice_date_due, invoice_date, id")

    def observe(self, subscription, at):
        self.test.env.invalidate_all()
        customer = subscription["customer"]
        seen = {
            "owed": round(sum(self.owed(customer).mapped("amount_residual"))),
            "credit": self.credit(customer),
            "held": self.held.get(subscription["site"], 0),
        }
        line = self.lines.get(subscription["name"])
        if not line:
            return seen
        if self.meta:
            seen.update(router=self.on_router(subscription["site"], line), messages=self.messages(customer, subscription["zone"]))
        why = line.with_env(self.env(at))._isp_explain()
        moves = self.test.env["account.move"].search([
            "|", ("isp_subscription_id", "=", line.id), ("isp_installation_fee_id.subscription_id", "=", line.id),
            ("state", "=", "posted"),
        ], order="id")
        seen.update(
            access=why.access, reason=why.reason, problem=line.billing_error_code or None,
            invoices=[self.invoice(move) for move in moves.filtered(lambda m: m.move_type == "out_invoice")],
            credit_notes=[self.note(move) for move in moves.filtered(lambda m: m.move_type == "out_refund")],
        )
        return seen

    def on_router(self, site, line):
        """What the router itself has."""
        account = self.simulated[site].secret(line.ppp_username)
        if account is None:
            return None
        if account.disabled:
            return "closed"
        return "isolated" if account.profile == self.routers[site].isolation_profile else "open"

    def messages(self, customer, zone):
        """What left for a customer, by the log; the phones have got as many."""
        sent = self.test.env["isp.notification"].search([("company_id", "=", self.company.id), ("state", "=", "sent")], order="sent_at, id")
        self.test.assertEqual(len(sent), len(self.meta.messages()))
        own = sent.filtered(lambda n: n.customer_id == self.customers[customer])
        local = [(message, message.sent_at + timedelta(hours=HOURS[zone])) for message in own]
        return [
            {"kind": message.kind, "on": str(at.date()), "at": at.strftime("%H:%M"), "amount": round(message.amount)}
            for message, at in local
        ]

    def credit(self, customer):
        items = self.test.env["account.move.line"].search([
            ("partner_id", "=", self.customers[customer].partner_id.id), ("account_type", "=", "asset_receivable"),
            ("parent_state", "=", "posted"), ("amount_residual", "<", 0),
        ])
        return -round(sum(items.mapped("amount_residual")))

    @staticmethod
    def kind(move):
        return "late_fee" if move.isp_late_fee_of_id else "installation" if move.isp_installation_fee_id else "subscription"

    def amounts(self, move):
        kind, fees = self.kind(move), items_of(move, True)

        def word(item):
            if item.price_subtotal >= 0:
                return kind
            # What a change gives back stands beside the discount on what it charges; only the text tells them apart.
            return "credit" if move.isp_charge == "change" and not item.name.startswith("Discount") else "discount"

        lines = [(word(item), round(item.price_subtotal)) for item in items_of(move, False)]
        lines += [("installation", round(item.price_subtotal)) for item in fees]
        fee_ppn = sum(item.price_total - item.price_subtotal for item in fees)
        lines += [(word, round(amount)) for word, amount in (("ppn", move.amount_tax - fee_ppn), ("installation_ppn", fee_ppn)) if amount]
        return {
            "lines": lines, "dpp": round(move.amount_untaxed), "ppn": round(move.amount_tax), "total": round(move.amount_total),
        }

    def invoice(self, move):
        of = move.isp_late_fee_of_id or move
        start, end = of.isp_period_start, of.isp_period_end
        if move.isp_installation_fee_id:
            start, end = move.invoice_date, move.invoice_date + timedelta(days=1)
        return {
            "kind": self.kind(move) if not move.isp_charge or move.isp_late_fee_of_id else "adjustment",
            "issued": str(move.invoice_date), "due": str(move.invoice_date_due),
            "period": {"start": str(start), "end": str(end)}, "open": round(move.amount_residual), **self.amounts(move),
        }

    def note(self, move):
        return {
            "period": {"start": str(move.isp_credit_start), "end": str(move.isp_credit_end)}, "issued": str(move.invoice_date),
            "reason": move.isp_credit_reason, **self.amounts(move),
        }
