"""Whom to isolate, reopen or close: the engine decides, this writes what is wanted. No router is called here."""

import logging
from collections import defaultdict
from datetime import timedelta

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..logic import access_rows, transaction
from ..logic.money import OWED_FROM

_logger = logging.getLogger(__name__)

PAGE = 500
WANTED = {"isolate": "isolated", "reopen": "open", "close": "closed"}
# What takes service away, which a breaker counts. It never holds an opening.
CUTS = ("isolate", "close")


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    # What the decision rests on

    def _isp_open_moves(self):
        """The open invoices of each line, oldest first: its own, and those of its installation."""
        moves = self.env["account.move"].sudo().search([
            ("move_type", "=", "out_invoice"),
            ("state", "=", "posted"),
            ("amount_residual", ">=", OWED_FROM),
            "|", ("isp_subscription_id", "in", self.ids), ("isp_installation_fee_id.subscription_id", "in", self.ids),
        ], order="invoice_date_due, invoice_date, id")
        found = defaultdict(moves.browse)
        for move in moves:
            found[(move.isp_subscription_id or move.isp_installation_fee_id.subscription_id).id] |= move
        return found

    def _isp_access_facts(self, now, key="id"):
        """The engine's facts, a row a line."""
        lines = self.sudo()
        moves = lines._isp_open_moves()
        customers, recent = lines.customer_id, now.replace(tzinfo=None) - timedelta(days=2)
        # All that may hold, in whatever zone: the engine decides which do.
        still = [("customer_id", "in", customers.ids), ("until", ">=", recent.date()), *self.env["isp.ending.mixin"]._isp_said()]
        promises = self._isp_by("isp.promise", still, "customer_id")
        exemptions = self._isp_by("isp.exemption", still, "customer_id")
        lasting = ["|", ("until", "=", False), ("until", ">", fields.Datetime.to_string(recent))]
        outages = self._isp_by("isp.outage", [("router_id", "in", lines.router_id.ids), *lasting], "router_id")
        proofs = self.env["account.move"].browse().union(*moves.values())._isp_proof_rows(key)
        return [
            access_rows.access_facts(
                line, [access_rows.open_invoice(move, move[key]) for move in moves[line.id]],
                promises[line.customer_id.id], exemptions[line.customer_id.id], outages[line.router_id.id],
                [row for move in moves[line.id] for row in proofs[move.id]],
            )
            for line in lines
        ]

    def _isp_by(self, model, domain, name):
        found = defaultdict(list)
        for record in self.env[model].sudo().search(domain):
            found[record[name].id].append(record)
        return found

    # The run

    @api.model
    def _cron_isp_isolation(self):
        """Decide about every line of every company that may need it."""
        transaction.for_each(
            self.env, self.env["res.company"].sudo().search([]),
            lambda company: company._isp_begin_run() and self._isp_access_of(company), "isolation",
        )

    @api.model
    def _isp_access_of(self, company):
        own = self.sudo().with_company(company)
        own._isp_planned_changes()
        own.env["isp.promise"]._isp_settle(company)
        own._isp_isolation_run(company)
        own._isp_end_passed(company)

    @api.model
    def _isp_end_passed(self, company):
        """The last day of service is over: the line is closed by now, and not in service any more."""
        self.search([
            ("company_id", "=", company.id), ("state", "in", ("active", "paused")), ("end_date", "<", company._isp_today()),
            # One that the breaker holds back is served until somebody has looked.
            ("desired_access", "=", "closed"),
        ])._isp_state_follows()

    @api.model
    def _isp_isolation_run(self, company, routers=None):
        """Decide about the lines of a company, of some routers if given; returns what was done, by action.

        All decisions are taken before any is written, so that a router's breaker sees the whole of it (rule I6).
        """
        now, policy = company._isp_now(), company._isp_isolation_policy()
        domain = self._isp_candidates(company)
        if routers is not None:
            domain.append(("router_id", "in", routers.ids))
        lines = self.sudo().with_context(active_test=False).search(domain, order="id")
        # Nobody is isolated beside money that could not be assigned.
        stuck = set(lines._isp_pay_overdue(company).ids)
        decisions = {}
        for page in split_every(PAGE, lines.ids, self.sudo().browse):
            for decision in isp_engine.decide_isolation(page._isp_access_facts(now), now, policy=policy):
                if decision.action != "keep" and not (decision.action == "isolate" and decision.subscription in stuck):
                    decisions[decision.subscription] = decision
        held = self._isp_check_breakers(company, decisions, policy, routers)
        done = defaultdict(int)
        for ids in split_every(PAGE, [key for key in decisions if key not in held]):
            self.sudo()._isp_do([decisions[key] for key in ids])
            for key in ids:
                done[decisions[key].action] += 1
            transaction.commit(self.env)
        if done or held:
            _logger.info("isolation run of company %s: %s, %s held back", company.id, dict(done), len(held))
        return {**done, "held": len(held)}

    def _isp_pay_overdue(self, company):
        """Money that came in without being assigned pays what is overdue, before anybody is isolated for it. Returns the lines of
        customers whose money could not be assigned: one of them stops nobody else."""
        today, stuck = company._isp_today(), self.browse()
        for page in split_every(PAGE, self.ids, self.browse):
            overdue = self.env["account.move"]
            for moves in page._isp_open_moves().values():
                overdue |= moves._isp_overdue(today)
            if self._isp_try_to_pay(overdue):
                stuck |= page._isp_beside_credit(overdue)
                continue
            for customer in overdue._isp_customers():
                own = overdue.filtered(lambda move, customer=customer: move._isp_customers() == customer)
                why = []
                if not self._isp_try_to_pay(own, why):
                    _logger.error("the credit of %s pays nothing, and no line of theirs is isolated: %s", customer.customer_code, why[0])
                    stuck |= page.filtered(lambda line, customer=customer: line.customer_id == customer)
        return stuck

    def _isp_beside_credit(self, moves):
        """The lines of customers who owe beside credit on another receivable account, which Odoo reconciles with none of their invoices:
        their contact's account was changed. They are not isolated for it; a person moves the credit."""
        owing, found = moves.filtered(lambda move: move.amount_residual >= OWED_FROM), self.browse()
        credits = self.env["isp.credit"]._isp_credits_of(owing) if owing else self.env["account.move.line"]
        for customer in owing._isp_customers() if credits else ():
            own = owing.filtered(lambda move, customer=customer: move._isp_customers() == customer)
            owed = own.line_ids.filtered(lambda item: item.account_type == "asset_receivable" and not item.reconciled)
            theirs = credits.filtered(lambda item, customer=customer: customer in item.partner_id._isp_payer_among(customer) and item.account_id not in owed.account_id)
            if theirs:
                found |= self.filtered(lambda line, customer=customer: line.customer_id == customer)
                what = _("Credit on the account %s pays no invoice: move it to the account of the invoices.", theirs.account_id[:1].code)
                if what not in customer.activity_ids.mapped("summary"):
                    customer.activity_schedule("mail.mail_activity_data_todo", summary=what, user_id=customer.company_id._isp_colleague().id)
        return found

    def _isp_try_to_pay(self, moves, why=None):
        """Whether what these invoices' customers have too much was assigned; all of it or nothing."""
        try:
            with self.env.cr.savepoint():
                self.env["isp.credit"]._isp_pay_from_credit(moves)
                self.env["isp.credit"]._isp_notes_come_home(moves)
            return True
        except UserError as error:
            self.env.invalidate_all(flush=False)
            if why is not None:
                why.append(str(error))
            return False

    @api.model
    def _isp_candidates(self, company):
        today = company._isp_today()
        overdue = [
            ("company_id", "=", company.id), ("move_type", "=", "out_invoice"), ("state", "=", "posted"),
            ("amount_residual", ">=", OWED_FROM), ("invoice_date_due", "<", today),
        ]
        moves = self.env["account.move"].sudo().search(
            [*overdue, "|", ("isp_subscription_id", "!=", False), ("isp_installation_fee_id", "!=", False)]
        )
        owing = moves.isp_subscription_id | moves.isp_installation_fee_id.subscription_id
        return [
            ("company_id", "=", company.id),
            ("state", "!=", "draft"),
            ("activation_date", "!=", False),
            "|", "|", "|", "|",
            ("id", "in", owing.ids),
            ("desired_access", "=", "isolated"),
            "&", ("desired_access", "=", "closed"), ("state", "=", "active"),
            "&", ("desired_access", "!=", "closed"), ("end_date", "<", today),
            "&", ("desired_access", "!=", "closed"), ("paused_from", "<=", today),
        ]

    @api.model
    def _isp_check_breakers(self, company, decisions, policy, routers):
        """Mark routers of which too many lines would be isolated or closed at once; returns the lines to hold back."""
        by_router = defaultdict(list)
        cut_off = self.sudo().browse([key for key, decision in decisions.items() if decision.action in CUTS])
        for line in cut_off:
            by_router[line.router_id].append(line.id)
        served = dict(self.sudo()._read_group(
            [("company_id", "=", company.id), ("state", "=", "active")], ["router_id"], ["__count"]
        ))
        now = company._isp_now().replace(tzinfo=None)
        held = set()
        for router, ids in by_router.items():
            approved = router.breaker_approved_until and router.breaker_approved_until > now
            if len(ids) > policy.breaker_limit(served.get(router, 0)) and not approved:
                held.update(ids)
                if router:
                    router._isp_trip(len(ids))
        looked_at = routers if routers is not None else self.env["isp.router"].sudo().search(
            [("company_id", "=", company.id), ("breaker_tripped", "=", True)]
        )
        for router in looked_at.filtered("breaker_tripped"):
            if not held.intersection(by_router.get(router, [])):
                router.sudo().write({"breaker_tripped": False, "breaker_waiting": 0})
        return held

    def _isp_follow(self):
        """Decide about these lines at once, as after something that protected them is over."""
        for company in self.sudo().company_id:
            own = self.sudo().filtered(
                lambda s, company=company: s.company_id == company and s.state != "draft" and s.activation_date
            )
            now = company._isp_now()
            stuck = set(own._isp_pay_overdue(company).ids)
            decided = isp_engine.decide_isolation(own._isp_access_facts(now), now, policy=company._isp_isolation_policy())
            own._isp_do([
                decision for decision in decided
                if decision.action != "keep" and not (decision.action == "isolate" and decision.subscription in stuck)
            ])

    # What is wanted

    def _isp_do(self, decisions):
        """Do what was decided about lines, all of it at once: what concerns one customer is said together."""
        self.browse([of.subscription for of in decisions])._isp_want_all([
            {"action": of.action, "reason_code": of.reason, "overdue": of.overdue, "days_late": of.days_late} for of in decisions
        ])

    def _isp_want(self, action, reason_code, *, cause="arrears", reason=None, overdue=0, days_late=0, user=None, announce=True):
        """Write the wish and its event in this transaction; the routers hear of it after the commit."""
        self.ensure_one()
        return self._isp_want_all([{
            "action": action, "reason_code": reason_code, "cause": cause, "reason": reason, "overdue": overdue, "days_late": days_late,
            "user": user, "announce": announce,
        }])

    def _isp_want_all(self, wishes):
        """The same for many lines, each with its wish as keywords of ``_isp_want``."""
        lines, announced, rows, groups = self.sudo(), [], [], defaultdict(self.browse)
        robot = self.env.ref("base.user_root").id
        lines.isolation_event_ids.filtered(lambda e: e.state in ("waiting", "pending")).state = "superseded"
        for line, wish in zip(lines, wishes):
            now = line.company_id._isp_now().replace(tzinfo=None)
            action, cause, reason = wish["action"], wish.get("cause", "arrears"), wish.get("reason")
            overdue, wanted = wish.get("overdue", 0), WANTED[wish["action"]]
            # Leaving a pause is no reopening that anybody waits for.
            announced.append(
                wish.get("announce", True) and (action == "isolate" or (action == "reopen" and line.desired_access == "isolated"))
            )
            vals = {"desired_access": wanted, "access_reason": reason or wish["reason_code"]}
            if action == "isolate":
                vals.update(access_cause=cause, isolated_overdue=overdue, isolated_since=now)
            else:
                # The overdue amount stays: reopening for a part gives the rest its own grace.
                vals.update(access_cause=False, isolated_since=False)
            groups[tuple(vals.items())] |= line
            rows.append({
                "company_id": line.company_id.id,
                "subscription_id": line.id,
                # Worked out all the same, but then nothing is left to write.
                "customer_id": line.customer_id.id,
                "router_id": line.router_id.id,
                "action": action,
                "cause": cause,
                "reason_code": wish["reason_code"],
                "reason": reason,
                "overdue": overdue,
                "days_late": wish.get("days_late", 0),
                "decided_at": now,
                "user_id": wish["user"].id if wish.get("user") else robot,
                "desired_access": wanted,
            })
        # Many lines of a run want the same.
        for vals, own in groups.items():
            own.sudo().write(dict(vals))
        events = self.env["isp.isolation_event"].sudo().create(rows)
        events.browse([event.id for event, tell in zip(events, announced) if tell])._isp_announce()
        return events

    def _isp_last_event(self):
        """What last isolated or reopened a line: a message about an earlier one is over."""
        self.ensure_one()
        return self.isolation_event_ids.filtered(lambda e: e.action != "close").sorted(lambda e: (e.decided_at, e.id))[-1:]

    def _isp_by_hand(self, action, reason):
        """A person isolates or reopens. What a person isolated only a person reopens (rule I3)."""
        for line in self:
            if line.state != "active":
                raise self.env["isp.refusals"]._isp_refuse("subscription.not_serving", _("%s is not in service.", line.display_name))
        facts = [isp_engine.HandFacts(line.id, line.desired_access, line.access_cause or None) for line in self.sudo()]
        try:
            concerned = isp_engine.decide_by_hand(facts, action, self.env.user.name, reason or "")
        except isp_engine.InvalidValue as error:
            raise self.env["isp.refusals"]._isp_refuse(error.code) from error
        code = "isolated_by_hand" if action == "isolate" else "reopened_by_hand"
        wish = {"action": action, "reason_code": code, "cause": "manual", "reason": reason, "user": self.env.user}
        self.browse(concerned)._isp_want_all([wish] * len(concerned))

    def _isp_reopen_paid(self):
        """Reopen the lines whose payment has come in, in the transaction of the payment (rule P5)."""
        lines = self.sudo().filtered(
            lambda s: s.state == "active" and s.desired_access == "isolated" and s.access_cause != "manual"
        )
        for company in lines.company_id:
            now = company._isp_now()
            own = lines.filtered(lambda s, company=company: s.company_id == company)
            facts = own._isp_access_facts(now)
            decided = isp_engine.decide_isolation(facts, now, policy=company._isp_isolation_policy())
            own._isp_do([decision for decision in decided if decision.action == "reopen"])

    def action_isp_isolate(self):
        return self.env["isp.isolation.wizard"]._isp_open_for(self, "isolate")

    def action_isp_reopen(self):
        return self.env["isp.isolation.wizard"]._isp_open_for(self, "reopen")


class AccountMove(models.Model):
    _inherit = "account.move"

    def _isp_overdue(self, today):
        """Those that are past their due date and not paid, as the engine has it (rule A1)."""
        return self.browse(isp_engine.overdue([access_rows.open_invoice(move, move.id) for move in self], today))


class IspPromise(models.Model):
    _inherit = "isp.promise"

    @api.model
    def _isp_settle(self, company):
        """Promises that ended: kept when nothing is overdue any more, broken when something is. Paid early is kept."""
        today = company._isp_today()
        running = self.sudo().search([("company_id", "=", company.id), ("state", "=", "running")])
        for promise in running:
            # What else the contact owes is another business, and no promise was made about it.
            moves = self.env["account.move"].union(*promise.customer_id.subscription_ids._isp_open_moves().values())
            owed = moves._isp_overdue(today)
            if not owed and moves and promise.until >= today:
                continue
            if not owed:
                promise.state = "kept"
            elif promise.until < today:
                promise.state = "broken"
