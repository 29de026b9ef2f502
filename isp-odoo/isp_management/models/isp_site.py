"""Where routers stand: a place with its time zone."""

import re

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from .res_company import ZONES

DEGREES = re.compile(r"-?[0-9]{1,2}(\.[0-9]+)?,-?[0-9]{1,3}(\.[0-9]+)?")


class IspSite(models.Model):
    _name = "isp.site"
    _description = "Site"
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True)
    code = fields.Char(copy=False, index="btree_not_null", help="What spreadsheets call it; empty: its name.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    zone = fields.Selection(
        ZONES, required=True, default=lambda self: self.env.company.isp_zone,
        help="New lines on a router of this site count their days by this clock. A line in service keeps its own.",
    )
    coordinates = fields.Char(help="Degrees with a decimal point, latitude first: -6.914744,107.609810.")
    router_ids = fields.One2many("isp.router", "site_id", "Routers")
    note = fields.Text()

    _sql_constraints = [
        ("name_unique", "unique(company_id, name)", "There is a site with this name already."),
        ("code_unique", "unique(company_id, code)", "There is a site with this code already."),
    ]


    @api.constrains("coordinates")
    def _check_coordinates(self):
        for site in self.filtered("coordinates"):
            if not DEGREES.fullmatch(site.coordinates):
                raise ValidationError(_("%s are no coordinates. They are written as -6.914744,107.609810.", site.coordinates))


class IspRouter(models.Model):
    _inherit = "isp.router"

    site_id = fields.Many2one("isp.site", check_company=True, ondelete="restrict", index=True, tracking=True)
    location = fields.Char("Name of the site", compute="_compute_location", inverse="_inverse_location", store=True)

    @api.depends("site_id.name")
    def _compute_location(self):
        for router in self:
            router.location = router.site_id.name

    def _inverse_location(self):
        """A site by its name, as a file that is imported has it; one that nobody knows yet is made."""
        for router in self:
            name = (router.location or "").strip()
            sites = self.env["isp.site"].with_context(active_test=False)
            site = sites.search([("company_id", "=", router.company_id.id), ("name", "=", name)], limit=1) if name else sites
            router.site_id = site or (
                name and sites.create({"name": name, "company_id": router.company_id.id, "zone": router.company_id.isp_zone})
            )
        # As the site is called, and not as it was typed.
        self.env.add_to_compute(self._fields["location"], self)


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    @api.onchange("router_id")
    def _onchange_router_zone(self):
        if self.state == "draft" and self.router_id.site_id:
            self.zone = self.router_id.site_id.zone

    @api.model_create_multi
    def create(self, vals_list):
        routers = self.env["isp.router"].sudo().browse({vals.get("router_id") for vals in vals_list} - {None, False})
        zones = {router.id: router.site_id.zone for router in routers}
        return super().create([
            {"zone": zones[vals["router_id"]], **vals} if zones.get(vals.get("router_id")) else vals for vals in vals_list
        ])
