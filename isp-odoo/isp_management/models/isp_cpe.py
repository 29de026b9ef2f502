import ipaddress

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from .isp_guard_mixin import PROGRAM

OWNERSHIP = [("lent", "Lent"), ("owned", "Owned by the customer")]


class IspCpe(models.Model):
    _name = "isp.cpe"
    _description = "Customer's device (CPE)"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.sealed.mixin", "isp.guard.mixin"]
    _order = "name desc, id desc"
    _rec_names_search = ["name", "serial", "router_serial", "customer_id.name", "ip_address"]
    _check_company_auto = True
    _isp_sealed = {"password": ("password_sealed", "isp_management.group_technician")}
    # Where a device is its history tells, which the buttons write.
    _isp_guarded_later = dict.fromkeys(("state", "installed_on", "returned_on", "company_id"), PROGRAM)

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one("isp.customer", check_company=True, ondelete="restrict", index=True, tracking=True)
    subscription_id = fields.Many2one(
        "isp.subscription", check_company=True, ondelete="restrict", index=True,
        domain="[('customer_id', '=', customer_id)]",
    )
    outdoor_unit = fields.Char("Outdoor unit", tracking=True, help="Model of the antenna or the ONT.")
    serial = fields.Char("Serial of the outdoor unit", copy=False, tracking=True)
    outdoor_mac = fields.Char("MAC of the outdoor unit", copy=False)
    router = fields.Char(tracking=True, help="Model of the customer's router.")
    router_serial = fields.Char("Serial of the router", copy=False, tracking=True)
    router_mac = fields.Char("MAC of the router", copy=False)
    ip_address = fields.Char("IP address", copy=False, tracking=True)
    username = fields.Char("User", copy=False)
    password = fields.Char(compute="_compute_sealed", inverse="_inverse_sealed")
    password_sealed = fields.Char(groups="base.group_system", copy=False)
    ownership = fields.Selection(OWNERSHIP, default="lent", required=True, tracking=True)
    value = fields.Monetary(help="What a lent device costs that does not come back.")
    state = fields.Selection(
        [("stock", "In stock"), ("installed", "Installed"), ("returned", "Returned"), ("lost", "Lost")],
        default="stock", required=True, copy=False, tracking=True, index=True,
    )
    installed_on = fields.Date(readonly=True, copy=False)
    returned_on = fields.Date(readonly=True, copy=False)
    note = fields.Text()
    device_history_ids = fields.One2many("isp.device_history", "cpe_id", "History")

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a device with this number already."),
        ("serial_unique", "unique(company_id, serial)", "There is a device with this serial already."),
        ("value_positive", "check(value >= 0)", "A value is not negative."),
    ]

    @api.depends("password_sealed")
    def _compute_sealed(self):
        return super()._compute_sealed()

    @api.constrains("ip_address")
    def _check_ip_address(self):
        for cpe in self.filtered("ip_address"):
            try:
                ipaddress.ip_address(cpe.ip_address)
            except ValueError as error:
                raise ValidationError(_("%s is not an IP address.", cpe.ip_address)) from error

    @api.constrains("subscription_id", "customer_id")
    def _check_subscription(self):
        for cpe in self:
            if cpe.subscription_id and cpe.subscription_id.customer_id != cpe.customer_id:
                raise ValidationError(_("The subscription is another customer's."))

    @api.depends("name", "outdoor_unit", "router")
    def _compute_display_name(self):
        for cpe in self:
            cpe.display_name = " ".join(filter(None, (cpe.name, cpe.outdoor_unit or cpe.router)))

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
                vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("isp.cpe")
        return super().create(vals_list)

    def write(self, vals):
        if "active" in vals and not vals["active"]:
            there = self.filtered(lambda c: c.active and c.state == "installed")
            if there:
                raise UserError(_("%s is at a customer's place: say first that it came back or was lost.", there[0].display_name))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_stock(self):
        if self.filtered("device_history_ids"):
            raise UserError(_("A device with a history is archived, not deleted."))

    def _isp_device_name(self):
        self.ensure_one()
        return " / ".join(filter(None, (self.outdoor_unit, self.serial, self.router, self.router_serial))) or self.name

    def _isp_log(self, kind, reason, day=None):
        self.ensure_one()
        if not self.customer_id:
            raise UserError(_("%s belongs to no customer yet: choose its customer first.", self.display_name))
        return self.env["isp.device_history"].create({
            "company_id": self.company_id.id,
            "customer_id": self.customer_id.id,
            "cpe_id": self.id,
            "kind": kind,
            "device": self._isp_device_name(),
            "reason": reason,
            "ownership": self.ownership,
            **({"date": day} if day else {}),
        })

    def _isp_installed_on(self, day, reason):
        """It stands at its customer's place since a day."""
        self._isp_log("installed", reason, day)
        self._isp_may_write().write({"state": "installed", "installed_on": day, "returned_on": False})

    def action_install(self):
        for cpe in self.filtered(lambda c: c.state != "installed"):
            cpe._isp_log("installed", _("Installed"))
            cpe._isp_may_write().write({"state": "installed", "installed_on": cpe.company_id._isp_today(), "returned_on": False})
        return True

    def action_return(self):
        for cpe in self.filtered(lambda c: c.state == "installed"):
            cpe._isp_log("returned", _("Returned"))
            cpe._isp_may_write().write({"state": "returned", "returned_on": cpe.company_id._isp_today()})
        return True

    def action_lost(self):
        self.filtered(lambda c: c.state == "installed")._isp_may_write().write({"state": "lost"})
        return True
