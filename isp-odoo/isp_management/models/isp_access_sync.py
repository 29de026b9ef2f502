"""Which lines a router still has to hear of, and what it answered."""

from isp_engine import routers as engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..logic.retry import wait_after
from .isp_router import ISOLATION_METHODS
from .isp_subscription_service import KNOWN_BY

# A change of one of these has to reach the router.
ROUTER_FIELDS = {"desired_access", "package_id", "ppp_password_sealed", "router_id", *KNOWN_BY}


# A change of one of these has to reach the routers of all lines of the package.
ROUTER_TERMS = {
    "user_group", "speed_down", "speed_up", "burst_down", "burst_up", "burst_threshold_down", "burst_threshold_up",
    "burst_seconds", "isolation_method",
}
BURST_SECONDS = 16


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    router_package_id = fields.Many2one(
        "isp.package", "Package on the router", readonly=True, copy=False, help="Whose speed the router last confirmed."
    )
    router_pending = fields.Boolean(
        "Router has to hear", readonly=True, copy=False, help="Something changed since the router last confirmed."
    )
    router_revision = fields.Integer(readonly=True, copy=False, help="Counts what the router has to hear.")
    router_adopt = fields.Boolean(
        "Take over the account", copy=False,
        help="An account of this name that is on the router already, without our mark, becomes this line's.",
    )
    router_drift = fields.Char("Differs", readonly=True, copy=False, help="What the last comparison found.")
    router_drift_at = fields.Datetime("Compared on", readonly=True, copy=False)

    def init(self):
        result = super().init()
        self.env.cr.execute("""
            CREATE INDEX IF NOT EXISTS isp_subscription_router_pending
            ON isp_subscription (router_id, router_next_attempt) WHERE router_pending
        """)
        return result

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered(lambda s: s.desired_access != "closed")._isp_router_changed()
        return lines

    def write(self, vals):
        touched = ROUTER_FIELDS & vals.keys()
        if not touched:
            return super().write(vals)
        values = {line.id: [line.sudo()[name] for name in touched] for line in self}
        result = super().write(vals)
        self.filtered(lambda s: values[s.id] != [s.sudo()[name] for name in touched])._isp_router_changed()
        return result

    def _isp_router_changed(self):
        """The routers have to hear of these lines, soon after the commit."""
        if not self:
            return
        for (pending, revision), lines in self.sudo().grouped(lambda s: (s.state != "draft", s.router_revision)).items():
            lines.write({
                "router_pending": pending,
                "router_revision": revision + 1,
                "router_attempts": 0,
                "router_next_attempt": False,
            })
        self.env["isp.router"]._isp_trigger_sync()

    @api.model
    def _isp_due_domain(self, now):
        return [
            ("router_pending", "=", True),
            ("router_id", "!=", False),
            ("state", "!=", "draft"),
            "|", ("router_next_attempt", "=", False), ("router_next_attempt", "<=", now),
        ]

    def _isp_owner(self):
        """The name of a line for ever and everywhere; the mark on the router is made from it."""
        self.ensure_one()
        return "%s:%s" % (self.env["ir.config_parameter"].sudo().get_param("database.uuid"), self.id)

    def _isp_package_now(self):
        """The package in force today: a planned change holds from its day on."""
        self.ensure_one()
        return self.next_package_id if self._isp_plan_has_come() else self.package_id

    def _isp_accounts(self, now):
        """The accounts of these lines; a line that has none gets the reason written on it."""
        accounts = []
        for line in self:
            try:
                accounts.append(line._isp_account())
            except UserError as error:
                line._isp_failed(now, "subscription.no_account", str(error))
        return accounts

    # What the router answered

    def _isp_failed(self, now, code, answer):
        """Not done: say why and when it is tried again."""
        for line in self.sudo():
            attempts = line.router_attempts + 1
            line.write({
                "last_router_answer": answer,
                "last_router_code": code,
                "last_router_at": now,
                "router_attempts": attempts,
                "router_next_attempt": now + wait_after(attempts),
            })
            line.isolation_event_ids.filtered(lambda e: e.state == "pending").write(
                {"attempts": attempts, "router_answer": answer}
            )

    def _isp_answered(self, outcome, revision, now):
        """Write what the router said to one line; returns the events that it agrees with for the first time."""
        self.ensure_one()
        line = self.sudo()
        if outcome.state != "done":
            line._isp_failed(now, outcome.code, outcome.answer)
            return line.isolation_event_ids.browse()
        missing = outcome.access == "closed" and outcome.answer == "no account"
        vals = {
            "observed_access": "missing" if missing else outcome.access,
            "observed_at": now,
            "last_router_answer": outcome.answer,
            "last_router_code": False,
            "last_router_at": now,
            "router_attempts": 0,
            "router_next_attempt": False,
            "router_drift": False,
            "router_drift_at": now,
            "router_package_id": line._isp_package_now().id,
        }
        if line.router_revision == revision:
            vals["router_pending"] = False
        if outcome.access != "closed":
            vals["router_adopt"] = False
        line.write(vals)
        agreed = line.isolation_event_ids.filtered(
            lambda e: e.state == "pending" and e.desired_access == outcome.access
        )
        for event in agreed:
            event.write({
                "state": "done",
                "observed_at": now,
                "router_answer": outcome.answer,
                "attempts": event.attempts + 1,
            })
        return agreed


class IspPackage(models.Model):
    _inherit = "isp.package"

    isolation_method = fields.Selection(
        ISOLATION_METHODS, "Isolated by", tracking=True,
        help="How lines of this package are isolated, such as shops without a payment page. Empty: as the router isolates the others.",
    )

    @api.constrains("speed_down", "speed_up", "burst_down", "burst_up", "burst_threshold_down", "burst_threshold_up")
    def _check_burst(self):
        for package in self.filtered("burst_down"):
            if package.burst_down <= package.speed_down:
                raise ValidationError(_("A burst is faster than the speed."))
            pairs = ((package.burst_down, package.burst_up), (package.burst_threshold_down, package.burst_threshold_up))
            for down, up in pairs:
                # Routers get one proportion for both directions.
                if up and abs(down * package.speed_up - up * package.speed_down) * 100 > down * package.speed_up:
                    raise ValidationError(_("Burst and threshold have the same proportion to the speed in both directions."))

    def _isp_burst(self):
        self.ensure_one()

        def percent(kbps):
            return max(round(100 * kbps / self.speed_down), 1)

        threshold = percent(self.burst_threshold_down) if self.burst_threshold_down else 100
        return engine.GroupBurst(
            self.user_group, max(percent(self.burst_down), 101), threshold, self.burst_seconds or BURST_SECONDS
        )

    def write(self, vals):
        names = ROUTER_TERMS & vals.keys()
        before = {package.id: [package[name] for name in names] for package in self}
        result = super().write(vals)
        changed = self.filtered(lambda p: before[p.id] != [p[name] for name in names])
        if changed:
            self.env["isp.subscription"].sudo().search(
                [("package_id", "in", changed.ids), ("state", "in", ("active", "paused"))]
            )._isp_router_changed()
        return result
