"""How a line gets onto the network, and what it is known by on its router: a user name, an address, or the MAC address of a box."""

from collections import Counter

import isp_engine
from isp_engine import routers as engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.osv import expression

SERVICES = [("pppoe", "PPPoE"), ("hotspot", "Hotspot"), ("static", "Static IP"), ("dhcp", "DHCP")]
# Nobody logs in.
BY_ADDRESS = ("static", "dhcp")
KNOWN_BY = ("service", "ppp_username", "ip_address", "mac")


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    service = fields.Selection(
        SERVICES, "Way onto the network", default="pppoe", required=True, tracking=True,
        help="PPPoE and hotspot log in with user and password. A static line is known by its address, a DHCP line by the MAC address"
        " of its box.",
    )
    ip_address = fields.Char(tracking=True)
    mac = fields.Char(
        "MAC address", copy=False, tracking=True, help="Of the box of a DHCP line. Replacing the device asks for that of the new one.",
    )
    known_by = fields.Char("Known on the router by", compute="_compute_known_by")

    _sql_constraints = [
        (f"{column}_on_router",
         f"exclude using btree (router_id with =, {column} with =) where (service in ('static', 'dhcp') and state <> 'terminated')",
         message)
        for column, message in (
            ("ip_address", "This router has a line with this address already."),
            ("mac", "This router has a line with this MAC address already."),
        )
    ]

    @api.depends(*KNOWN_BY)
    def _compute_known_by(self):
        for line in self:
            line.known_by = {"static": line.ip_address, "dhcp": line.mac}.get(line.service, line.ppp_username)

    @api.model
    def _isp_normal(self, vals):
        """Addresses as the engine reads them; what is none is refused. A user name has no spaces round it."""
        found = {"ppp_username": vals["ppp_username"].strip() or False} if vals.get("ppp_username") else {}
        for name, parse in (("ip_address", engine.parse_ip_address), ("mac", engine.parse_mac)):
            if not vals.get(name):
                continue
            try:
                found[name] = parse(vals[name])
            except isp_engine.InvalidValue as error:
                words = {
                    "ip_address": _("%s is no IPv4 address that a customer can have. It is written as 10.20.0.7."),
                    "mac": _("%s is no MAC address that a customer's box can have. It is written as AA:BB:CC:00:11:22."),
                }
                raise ValidationError(words[name] % vals[name]) from error
        return {**vals, **found}

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [self._isp_normal(vals) for vals in vals_list]
        self._isp_check_names([(vals.get("router_id"), vals.get("ppp_username")) for vals in vals_list])
        return super().create(vals_list)

    def write(self, vals):
        if not vals.keys() & {"router_id", *KNOWN_BY}:
            return super().write(vals)
        vals = self._isp_normal(vals)
        self._isp_check_moved(vals)
        if vals.keys() & {"router_id", "ppp_username"}:
            self._isp_check_names([
                (vals.get("router_id", line.router_id.id), vals.get("ppp_username", line.ppp_username)) for line in self
            ])
        return super().write(vals)

    def _isp_check_names(self, named):
        """Refuse a user name that another line of its router has, before the database does: what it refuses is logged with the whole
        row, and a user name may be somebody's number. ``named`` are the router and the user name of each of these or of new lines."""
        named = [(router, name) for router, name in named if router and name]
        if not named:
            return
        routers = self.env["isp.router"].browse({router for router, _name in named})
        twice = next((pair for pair, times in Counter(named).items() if times > 1), None)
        if twice:
            raise ValidationError(_("Two of these lines have the same PPPoE user on %s.", routers.browse(twice[0]).display_name))
        others = self.sudo().with_context(active_test=False).search([
            ("router_id", "in", routers.ids), ("ppp_username", "in", [name for _router, name in named]), ("id", "not in", self.ids),
        ])
        wanted = set(named)
        for line in others:
            if (line.router_id.id, line.ppp_username) in wanted:
                raise ValidationError(_(
                    "%(router)s has a line with this PPPoE user already: %(line)s.", router=line.router_id.display_name, line=line.name,
                ))

    def _isp_check_moved(self, vals):
        """An account that was left behind would go on serving, and nobody would know of it."""
        for line in self.filtered(lambda s: s.router_id and s.observed_access in ("open", "isolated")):
            moves = "router_id" in vals and vals["router_id"] != line.router_id.id
            changes = {name for name in KNOWN_BY if name in vals and (vals[name] or False) != line[name]}
            if line.service in BY_ADDRESS and "service" not in changes:
                # The engine takes what has the line's mark along to another address or box of the same router.
                by = "ip_address" if line.service == "static" else "mac"
                named = by in changes and not vals[by]
            else:
                named = "service" in changes or ("ppp_username" in changes and line.ppp_username)
            if moves or named:
                raise UserError(_(
                    "%(line)s is in service as %(user)s on %(router)s. Pause it and let the router confirm before it moves.",
                    line=line.display_name, user=line.known_by, router=line.router_id.display_name,
                ))

    def _isp_complete(self):
        """Whether there is an account to speak of."""
        line = self.sudo()
        return bool(line.known_by and (line.service in BY_ADDRESS or line.ppp_password_sealed))

    def _isp_account(self):
        """What the router should have for this line; raises UserError when something is missing."""
        self.ensure_one()
        line = self.sudo()
        if not line._isp_complete():
            missing = {"static": _("The IP address is missing."), "dhcp": _("The MAC address is missing.")}
            raise UserError(missing.get(line.service) or _("The PPPoE user or its password is missing."))
        by_address = line.service in BY_ADDRESS
        package = line._isp_package_now()
        return engine.Account(
            line.id,
            line._isp_owner(),
            "" if by_address else line.ppp_username,
            "" if by_address else line._isp_open("ppp_password"),
            package.user_group,
            "%dk/%dk" % (package.speed_down, package.speed_up),
            line.desired_access,
            line.router_adopt,
            service=line.service,
            ip_address=line.ip_address or None if by_address else None,
            mac=line.mac or None if line.service == "dhcp" else None,
            succeeds=[before._isp_owner() for before in line._isp_before()] if by_address else [],
        )

    def _isp_before(self):
        """Lines that are over and had this address or box on this router before: what they left there is taken over."""
        self.ensure_one()
        had = [[(name, "=", self[name])] for name in ("ip_address", "mac") if self[name]]
        return self.with_context(active_test=False).search([
            ("router_id", "=", self.router_id.id), ("service", "in", BY_ADDRESS), ("state", "=", "terminated"), ("id", "!=", self.id),
            *expression.OR(had),
        ])
