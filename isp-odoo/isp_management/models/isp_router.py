from odoo import _, api, fields, models
from odoo.exceptions import UserError

from .isp_guard_mixin import MANAGER, PROGRAM
from .isp_sealed_mixin import MASK

# Where the password is sent to, and what proves that it is the router: another place needs the password again.
PLACE_FIELDS = ("host", "port", "use_tls", "tls_fingerprint")
ISOLATION_METHODS = [
    ("profile", "Isolation profile"), ("address_list", "Address list (fixed addresses)"),
    ("disable", "Account disabled (no payment page)"), ("hotspot", "Hotspot users"),
]


class IspRouter(models.Model):
    _name = "isp.router"
    _description = "MikroTik router"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.sealed.mixin", "isp.guard.mixin"]
    _order = "name, id"
    _check_company_auto = True
    _isp_sealed = {"password": ("password_sealed", "isp_management.group_technician")}
    _isp_guarded = {
        "active": MANAGER,
        **dict.fromkeys(
            ("state", "identity", "version", "last_seen", "last_error", "last_error_code", "breaker_tripped",
             "breaker_waiting", "breaker_approved_until", "account_count", "session_count", "drift_at", "serial", "machine_since"), PROGRAM,
        ),
    }
    _isp_guarded_later = {"company_id": PROGRAM}

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    host = fields.Char("Address", required=True, tracking=True, help="Name or IP address of the API.")
    port = fields.Integer(default=8728, required=True, tracking=True)
    use_tls = fields.Boolean("TLS", tracking=True, help="api-ssl, usually on port 8729.")
    timeout_seconds = fields.Integer("Time-out (s)", default=10, required=True)
    username = fields.Char("User", required=True, tracking=True)
    password = fields.Char(compute="_compute_sealed", inverse="_inverse_sealed")
    password_sealed = fields.Char(groups="base.group_system", copy=False)
    isolation_profile = fields.Char("Profile of isolated lines", default="ISOLIR", required=True, tracking=True)
    state = fields.Selection(
        [("unknown", "Not tested"), ("ok", "Reachable"), ("trouble", "In trouble")],
        default="unknown", required=True, copy=False, tracking=True,
    )
    identity = fields.Char(readonly=True, copy=False)
    version = fields.Char("RouterOS", readonly=True, copy=False)
    last_seen = fields.Datetime(readonly=True, copy=False)
    last_error = fields.Char(readonly=True, copy=False)
    last_error_code = fields.Char(readonly=True, copy=False)
    breaker_tripped = fields.Boolean("Isolation waits for approval", readonly=True, copy=False, tracking=True)
    breaker_waiting = fields.Integer("Lines waiting", readonly=True, copy=False)
    breaker_approved_until = fields.Datetime("Approved until", readonly=True, copy=False, tracking=True)
    note = fields.Text()
    subscription_ids = fields.One2many("isp.subscription", "router_id", "Subscriptions")
    subscription_count = fields.Integer(compute="_compute_subscription_count")
    outage_ids = fields.One2many("isp.outage", "router_id", "Outages")

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a router with this name already."),
        ("port_range", "check(port between 1 and 65535)", "A port lies between 1 and 65535."),
        ("timeout_range", "check(timeout_seconds between 1 and 120)", "The time-out lies between 1 and 120 seconds."),
    ]

    def _compute_subscription_count(self):
        counts = dict(self.env["isp.subscription"]._read_group(
            [("router_id", "in", self.ids), ("state", "in", ("active", "paused"))], ["router_id"], ["__count"]
        ))
        for router in self:
            router.subscription_count = counts.get(router, 0)

    @api.depends("password_sealed")
    def _compute_sealed(self):
        return super()._compute_sealed()

    def write(self, vals):
        self._isp_check_place(vals)
        return super().write(vals)

    def _isp_check_place(self, vals):
        """Another address needs the password again: who may write one would else have it sent to a listener of their own."""
        names = [name for name in PLACE_FIELDS if name in vals]
        if not names or vals.get("password", MASK) != MASK:
            return
        for router in self.filtered(lambda r: r.sudo().password_sealed):
            wanted = router.new({name: vals[name] for name in names})
            changed = [name for name in names if (router[name] or False) != (wanted[name] or False)]
            # A first fingerprint only makes it harder to take the router's place.
            if changed and not (changed == ["tls_fingerprint"] and not router.tls_fingerprint):
                raise UserError(_("The address of %s changes: type its password again.", router.name))

    def action_view_subscriptions(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_management.isp_subscription_action")
        return {**action, "domain": [("router_id", "=", self.id)], "context": {"default_router_id": self.id}}
