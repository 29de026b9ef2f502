"""Talking to the routers: commit what is wanted, call the engine, write down what was seen."""

import logging
import time

from isp_engine import routers as engine
from psycopg2 import errors as pg

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..logic import router_calls, transaction
from .isp_reason import trouble_words
from .isp_router import ISOLATION_METHODS

_logger = logging.getLogger(__name__)

# Accounts that one call takes to one router; the rest follows in the next.
BATCH = 200
# Another process wrote the same rows: read them again and write.
COLLISIONS = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable)
ATTEMPTS = 4


class IspRouter(models.Model):
    _inherit = "isp.router"

    isolation_method = fields.Selection(
        ISOLATION_METHODS, "Isolate by", default="profile", required=True, tracking=True,
        help="Reopen isolated lines before this is changed.",
    )
    isolation_list = fields.Char("Address list of isolated lines", default="ISOLIR", required=True, tracking=True)
    isolation_rate = fields.Char("Speed of isolated lines", default="64k/64k", required=True, tracking=True, help="Upload/download.")
    remove_closed = fields.Boolean(
        "Remove closed accounts", tracking=True,
        help="Accounts of lines that ended or pause are taken off the router once nothing runs on them; else they stay, disabled.",
    )
    address_pool = fields.Char("Address pool", help="Given to the profiles that are made; it must exist on the router.")
    local_address = fields.Char(help="The router's own address in the profiles that are made.")
    tls_fingerprint = fields.Char(
        "Certificate (SHA-256)", tracking=True, help="With TLS: the fingerprint of the router's certificate, as /certificate/print shows it."
    )
    account_count = fields.Integer("Accounts", readonly=True, copy=False)
    session_count = fields.Integer("Sessions", readonly=True, copy=False)
    pending_count = fields.Integer("Lines it has to hear of", compute="_compute_pending_count")
    drift_count = fields.Integer("Lines that differ", compute="_compute_pending_count")
    drift_at = fields.Datetime("Compared on", readonly=True, copy=False)

    def _compute_pending_count(self):
        lines = self.env["isp.subscription"].sudo()
        own = [("router_id", "in", self.ids)]
        pending = dict(lines._read_group([*own, ("router_pending", "=", True)], ["router_id"], ["__count"]))
        drift = dict(lines._read_group([*own, ("router_drift", "!=", False)], ["router_id"], ["__count"]))
        for router in self:
            router.pending_count = pending.get(router.sudo(), 0)
            router.drift_count = drift.get(router.sudo(), 0)

    def write(self, vals):
        result = super().write(vals)
        concerned = []
        if {"isolation_profile", "isolation_list", "isolation_rate"} & vals.keys():
            concerned.append("isolated")
        if vals.get("remove_closed"):
            concerned.append("closed")
        if concerned:
            self.env["isp.subscription"].sudo().search(
                [("router_id", "in", self.ids), ("desired_access", "in", concerned)]
            )._isp_router_changed()
        return result

    def _isp_now(self):
        return self.env.company._isp_now().replace(tzinfo=None)

    def _isp_engine_router(self, accounts=(), approved=False):
        """The engine's record of this router; raises UserError when it has no password."""
        self.ensure_one()
        router = self.sudo()
        password = router._isp_open("password")
        if not password:
            raise UserError(_("%s has no password.", router.display_name))
        host = "[%s]" % router.host if ":" in router.host else router.host
        settings = engine.RouterSettings(
            isolation_profile=router.isolation_profile,
            isolation_list=router.isolation_list,
            isolation_rate=router.isolation_rate,
            pool=router.address_pool or None,
            local_address=router.local_address or None,
            isolation=router.isolation_method,
            bursts=router._isp_bursts(),
            isolations=router._isp_isolations(),
            remove_closed=router.remove_closed,
        )
        return engine.Router(
            router.id,
            "%s%s:%d" % ("tls://" if router.use_tls else "", host, router.port),
            router.username,
            password,
            list(accounts),
            settings,
            router.subscription_count,
            approved,
            router.tls_fingerprint or None,
            *router._isp_machines(),
        )

    def _isp_bursts(self):
        """The bursts of the company's packages, by group."""
        return [package._isp_burst() for package in self._isp_packages([("burst_down", ">", 0)])]

    def _isp_isolations(self):
        """How lines of packages are isolated that are not isolated as the others of the router."""
        own = self._isp_packages([("isolation_method", "!=", False)])
        return [engine.GroupIsolation(package.user_group, package.isolation_method) for package in own]

    def _isp_packages(self, domain):
        packages = self.env["isp.package"].sudo().with_context(active_test=False)
        return packages.search([("company_id", "=", self.company_id.id), *domain])

    @api.constrains("isolation_method")
    def _check_isolation_method(self):
        for router in self:
            if router._isp_wanted_lines().filtered(lambda s: s.observed_access == "isolated"):
                raise ValidationError(_("Lines of %s are isolated. Reopen them before they are isolated another way.", router.name))

    def _isp_deadline(self):
        """Seconds that one router of these may take for a whole call."""
        return 3 * max(self.mapped("timeout_seconds"), default=10)

    @api.model
    def _isp_trigger_sync(self):
        """Have the cron run soon after the commit of this transaction; once is enough."""
        data = self.env.cr.precommit.data
        if not data.get("isp_sync_triggered"):
            data["isp_sync_triggered"] = True
            self.env.ref("isp_management.cron_router_sync").sudo()._trigger()

    # Bringing routers to what is wanted

    @api.model
    def _cron_isp_sync(self):
        """Take what is wanted to every router that has to hear of something; tried again until they agree."""
        lines = self.env["isp.subscription"].sudo()
        groups = lines._read_group(lines._isp_due_domain(self._isp_now()), ["company_id"], ["router_id:recordset"])
        routers = {company.id: routers for company, routers in groups}
        transaction.for_each(
            self.env, self.env["res.company"].sudo().browse(routers),
            lambda company: self.sudo().with_company(company).browse(routers[company.id].ids).filtered("active")._isp_sync(),
            "router synchronisation",
        )

    def _isp_sync(self, lines=None, approved=False):
        """Apply what is due on these routers (or these lines of theirs), all routers at once.

        A router that another process is talking to is left to it. Returns how many lines a router answered for.
        """
        locked = self.browse()
        try:
            for router in self:
                if transaction.try_lock(self.env, transaction.LOCK_ROUTER, router.id):
                    locked |= router
            return locked._isp_sync_locked(lines, approved)
        finally:
            for router in locked:
                transaction.unlock(self.env, transaction.LOCK_ROUTER, router.id)

    def _isp_sync_locked(self, lines, approved):
        now = self._isp_now()
        company = self.env.company
        work, revisions = [], {}
        for router in self.sudo():
            own = lines.filtered(lambda s, r=router: s.router_id == r) if lines is not None else router._isp_due_lines(now)
            passes = approved or bool(router.breaker_approved_until and router.breaker_approved_until > now)
            try:
                accounts = own._isp_accounts(now)
                if accounts:
                    work.append(router._isp_engine_router(accounts, passes))
            except UserError as error:
                router._isp_trouble("router.no_password", str(error))
                own._isp_failed(now, "router.no_password", str(error))
                continue
            revisions.update((line.id, line.router_revision) for line in own)
        policy, deadline = company._isp_isolation_policy(), self._isp_deadline()
        # From here to the next statement no transaction is open.
        transaction.commit(self.env)
        answers, refused = router_calls.call(engine.apply, work, policy=policy, deadline=deadline)
        answered = 0
        for router in work:
            answered += self.browse(router.key)._isp_record(
                lambda self, router=router: self._isp_applied(router, answers.get(router.key), refused, revisions)
            )
        return answered

    def _isp_due_lines(self, now):
        self.ensure_one()
        lines = self.env["isp.subscription"].sudo()
        return lines.search(
            [*lines._isp_due_domain(now), ("router_id", "=", self.id)], order="router_next_attempt nulls first, id", limit=BATCH
        )

    def _isp_record(self, write):
        """Write in a transaction of its own; when another process wrote the same rows, read again and write again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                done = write(self)
                transaction.commit(self.env)
                return done
            except COLLISIONS as error:
                if not transaction.may_commit(self.env) or attempt == ATTEMPTS:
                    raise
                _logger.info("router %s, attempt %s: %s", self.id, attempt, type(error).__name__)
                self.env.cr.rollback()
                self.env.invalidate_all()
                time.sleep(0.1 * attempt)

    def _isp_applied(self, router, answer, refused, revisions):
        """Write down what one router answered; returns for how many lines."""
        self.ensure_one()
        now = self._isp_now()
        lines = self.env["isp.subscription"].sudo()
        given = lines.browse([account.key for account in router.accounts])
        bad = {account.key: refused[router.key, account.key] for account in router.accounts
               if (router.key, account.key) in refused}
        for key, error in bad.items():
            lines.browse(key)._isp_failed(now, error.code, str(error))
        error = refused.get(router.key) or (answer and answer.error)
        if error:
            self._isp_trouble(error.code, str(error))
            given.filtered(lambda s: s.id not in bad)._isp_failed(now, error.code, str(error))
            return 0
        self._isp_well(now)
        self._isp_met(answer.machine, now)
        # Together, so that what is read of one is read of all.
        by_id, agreed = {line.id: line for line in given}, self.env["isp.isolation_event"].sudo()
        for outcome in answer.accounts:
            agreed |= by_id[outcome.account]._isp_answered(outcome, revisions.get(outcome.account), now)
        # Customers hear of it now.
        agreed._isp_confirmed()
        if answer.isolates:
            self._isp_trip(answer.isolates)
        return len(answer.accounts)

    def _isp_well(self, now):
        self.sudo().write({"state": "ok", "last_seen": now, "last_error": False, "last_error_code": False})

    def _isp_trouble(self, code, text):
        self.sudo().write({"state": "trouble", "last_error": text, "last_error_code": code})

    # The breaker

    def _isp_trip(self, waiting):
        """Too many lines at once: nobody is isolated until a manager has looked."""
        for router in self.sudo():
            if not router.breaker_tripped:
                router.activity_schedule(
                    "mail.mail_activity_data_todo",
                    summary=_("%s lines would be isolated at once", waiting),
                    note=_("More than the breaker lets pass. Look at them and approve, or find out what went wrong."),
                    user_id=router.company_id._isp_colleague("isp_management.group_manager").id,
                )
            router.write({"breaker_tripped": True, "breaker_waiting": waiting})

    def action_isp_breaker(self):
        self.ensure_one()
        wizard = self.env["isp.breaker.wizard"].create({"router_id": self.id})
        return wizard._isp_show(_("Isolations that wait for approval"))

    # Looking

    def _isp_log_sending(self, why):
        """A person has the routers' passwords sent: to which address is noted before they leave."""
        for router in self:
            place = "%s%s:%d" % ("tls://" if router.use_tls else "", router.host, router.port)
            router._isp_log_use("password", _("%(why)s, sent to %(place)s", why=why, place=place))

    def action_isp_test(self):
        """Connection test: who is it, which version, how many accounts."""
        self.check_access_rights("write")
        self.check_access_rule("write")
        work = [router._isp_engine_router() for router in self]
        deadline = self._isp_deadline()
        self._isp_log_sending(_("Connection test"))
        transaction.commit(self.env)
        answers, refused = router_calls.call(engine.status, work, deadline=deadline)
        texts, well = [], True
        now = self._isp_now()
        for router in self:
            error = refused.get(router.id) or answers[router.id].error
            if error:
                well = False
                router._isp_trouble(error.code, str(error))
                texts.append("%s: %s [%s]" % (router.name, trouble_words(error.code, str(error)), error.code))
                continue
            status = answers[router.id]
            router._isp_well(now)
            router._isp_met(status.machine, now)
            router.sudo().write({
                "version": status.version,
                "account_count": status.accounts,
                "session_count": status.sessions,
            })
            texts.append(_(
                "%(name)s answers as %(identity)s, RouterOS %(version)s: %(accounts)s accounts, %(sessions)s online, in %(ms)s ms.",
                name=router.name, identity=status.identity, version=status.version, accounts=status.accounts,
                sessions=status.sessions, ms=status.milliseconds,
            ))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": _("Connection test"),
                "message": "\n".join(texts),
                "type": "success" if well else "danger",
                "sticky": not well,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _cron_isp_drift(self):
        """Compare every router with what is wanted; what differs is listed, and brought right by the next sync."""
        transaction.for_each(
            self.env, self.env["res.company"].sudo().search([]),
            lambda company: self.sudo().with_company(company).search([("company_id", "=", company.id)])._isp_compare(),
            "comparison of routers",
        )

    def _isp_wanted_lines(self):
        """The lines that these routers should have."""
        return self.env["isp.subscription"].sudo().search(
            [("router_id", "in", self.ids), ("state", "in", ("active", "paused"))]
        ).filtered("known_by")

    def _isp_compare(self):
        """Plan all lines of these routers and write what differs on them; returns the plans by router id."""
        now = self._isp_now()
        work = []
        for router in self.sudo():
            lines = router._isp_wanted_lines()
            try:
                work.append(router._isp_engine_router([line._isp_account() for line in lines if line._isp_complete()]))
            except UserError as error:
                router._isp_trouble("router.no_password", str(error))
        policy, deadline = self.env.company._isp_isolation_policy(), self._isp_deadline()
        transaction.commit(self.env)
        answers, refused = router_calls.call(engine.plan, work, policy=policy, deadline=deadline)
        for router in self.browse([router.key for router in work]):
            error = refused.get(router.id) or answers[router.id].error
            if error:
                router._isp_record(lambda self, error=error: self._isp_trouble(error.code, str(error)))
            else:
                router._isp_record(lambda self, plan=answers[router.id]: self._isp_compared(plan, now))
        return answers

    def _isp_compared(self, plan, now):
        self.ensure_one()
        self._isp_well(now)
        self.sudo().drift_at = now
        lines = self.env["isp.subscription"].sudo()
        differing = lines.browse()
        by_id = {line.id: line for line in lines.browse([step.account for step in plan.steps if step.account is not None])}
        for step in plan.steps:
            if step.account is None:
                continue
            line = by_id[step.account]
            text = difference(step)
            if (line.router_drift or None) != text or line.router_drift_at is False:
                line.write({"router_drift": text, "router_drift_at": now})
            if text and not line.router_pending:
                differing |= line
        differing._isp_router_changed()

    def action_isp_plan(self):
        self.ensure_one()
        return self.env["isp.router.plan.wizard"]._isp_open_for(self)

    def action_isp_import(self):
        self.ensure_one()
        return self.env["isp.router.import.wizard"]._isp_open_for(self)

    def action_isp_pending(self):
        return self._isp_lines_action(_("Lines it has to hear of"), [("router_pending", "=", True)])

    def action_isp_drift(self):
        return self._isp_lines_action(_("Lines that differ from the router"), [("router_drift", "!=", False)])

    def _isp_lines_action(self, name, domain):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_subscription_drift_action")
        return {**action, "name": name, "domain": [("router_id", "=", self.id), *domain]}


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    def action_isp_sync_now(self):
        """Take this line to its router now, instead of at the next run."""
        self.check_access_rights("write")
        self.check_access_rule("write")
        self.router_id._isp_log_sending(_("Line taken to its router"))
        for router in self.router_id:
            lines = self.sudo().filtered(lambda s, r=router: s.router_id == r and s.state != "draft")
            router.with_company(router.company_id)._isp_sync(lines)
        return {"type": "ir.actions.client", "tag": "soft_reload"}


def difference(step):
    """A step of a plan in a few words, or None when there is none."""
    if step.action in ("keep", "absent") and not step.ends_sessions:
        return None
    if step.action == "conflict":
        return step.reason
    parts = ["%s: %s → %s" % (change.field, change.old or "-", change.new or "-") for change in step.changes]
    if step.action == "create":
        parts.insert(0, "+")
    if step.ends_sessions:
        parts.append("⟳")
    return ", ".join(parts) or step.action
