from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..models.isp_cpe import OWNERSHIP
from ..models.isp_find import boxed


class IspCpeReplaceWizard(models.TransientModel):
    _name = "isp.cpe.replace.wizard"
    _description = "Replace a device"
    _inherit = ["isp.show.mixin"]

    cpe_id = fields.Many2one("isp.cpe", "Old device", required=True, readonly=True)
    company_id = fields.Many2one(related="cpe_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    customer_id = fields.Many2one(related="cpe_id.customer_id")
    date = fields.Date(required=True)
    reason = fields.Char()
    old_state = fields.Selection(
        [("returned", "Taken back"), ("lost", "Broken or lost")], "The old one is", required=True, default="returned"
    )
    new_cpe_id = fields.Many2one(
        "isp.cpe", "From stock", domain="[('company_id', '=', company_id), ('state', 'in', ('stock', 'returned')), ('id', '!=', cpe_id)]",
        help="Empty: describe the new device here.",
    )
    outdoor_unit = fields.Char("Outdoor unit")
    serial = fields.Char("Serial of the outdoor unit")
    router = fields.Char()
    router_serial = fields.Char("Serial of the router")
    ownership = fields.Selection(OWNERSHIP, required=True)
    by_mac = fields.Boolean(compute="_compute_by_mac")
    mac = fields.Char(
        "MAC of the new box", compute="_compute_mac", store=True, readonly=False,
        help="The line is known on its router by the MAC address of its box, and goes over to this one.",
    )
    keep_access = fields.Boolean("Keep IP address, user and password", default=True)
    cost = fields.Monetary(help="Goes into the books as a device cost.")

    @api.depends("cpe_id")
    def _compute_by_mac(self):
        for wizard in self:
            wizard.by_mac = wizard.cpe_id.subscription_id.service == "dhcp"

    @api.depends("new_cpe_id")
    def _compute_mac(self):
        for wizard in self:
            name = wizard._isp_mac_field()
            wizard.mac = wizard.new_cpe_id[name] if name and wizard.new_cpe_id else wizard.mac

    def _isp_mac_field(self):
        """Which of the two boxes of a device a DHCP line is known by."""
        if not self.by_mac:
            return None
        known = self.cpe_id.subscription_id.mac
        return "outdoor_mac" if known and boxed(self.cpe_id.outdoor_mac or "") == known else "router_mac"

    @api.model
    def _isp_open_for(self, cpe):
        cpe.ensure_one()
        cpe.check_access_rights("write")
        cpe.check_access_rule("write")
        wizard = self.create({
            "cpe_id": cpe.id, "date": cpe.company_id._isp_today(), "outdoor_unit": cpe.outdoor_unit, "router": cpe.router,
            "ownership": cpe.ownership,
        })
        return wizard._isp_show(_("Replace %s", cpe.display_name))

    def action_confirm(self):
        """The new device takes the place of the old one, and the history tells both."""
        self.ensure_one()
        old, new = self.cpe_id._isp_hold(), self.new_cpe_id
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(_("Write down the reason: the device history tells it."))
        if old.state != "installed":
            raise UserError(_("%s is not installed.", old.display_name))
        if not new and not (self.outdoor_unit or self.router):
            raise UserError(_("Which device is the new one? Choose one from stock or describe it."))
        line, mac_field = old.subscription_id, self._isp_mac_field()
        if mac_field and not self.mac:
            raise UserError(_("%s is known on its router by the MAC address of its box: type that of the new one.", line.display_name))
        place = {
            "customer_id": old.customer_id.id, "subscription_id": old.subscription_id.id, "ownership": self.ownership,
            "state": "installed", "installed_on": self.date, "returned_on": False,
        }
        if new:
            new._isp_may_write().write(place)
        else:
            new = self.env["isp.cpe"].create({
                **place, "company_id": old.company_id.id, "outdoor_unit": self.outdoor_unit, "serial": self.serial,
                "router": self.router, "router_serial": self.router_serial, "value": old.value,
            })
        if mac_field:
            line.mac = self.mac
            new[mac_field] = line.mac
        if self.keep_access:
            new.write({"ip_address": old.ip_address, "username": old.username, "password": old._isp_open("password")})
        row = {"company_id": old.company_id.id, "customer_id": old.customer_id.id, "date": self.date, "reason": reason}
        history = self.env["isp.device_history"]
        if self.old_state == "returned":
            history.create({
                **row, "cpe_id": old.id, "kind": "returned", "device": old._isp_device_name(), "ownership": old.ownership,
            })
        history.create({
            **row, "cpe_id": new.id, "kind": "replaced", "device": new._isp_device_name(), "ownership": self.ownership,
            "cost": self.cost,
        })
        old._isp_may_write().write({
            "state": self.old_state, "returned_on": self.date if self.old_state == "returned" else False,
            "subscription_id": False,
        })
        return {
            "type": "ir.actions.act_window", "res_model": "isp.cpe", "res_id": new.id, "view_mode": "form",
            "views": [(False, "form")], "target": "current",
        }


class IspCpe(models.Model):
    _inherit = "isp.cpe"

    def action_replace(self):
        """Open the wizard that puts another device in the place of this one."""
        return self.env["isp.cpe.replace.wizard"]._isp_open_for(self)
