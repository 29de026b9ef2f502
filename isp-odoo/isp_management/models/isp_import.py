"""Moving in with Odoo's own import: the files to begin with."""

from odoo import _, api, models

PLACE = "/isp_management/static/import/%s.csv"


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    @api.model
    def get_import_templates(self):
        return [{"label": _("Template for customers"), "template": PLACE % "customers"}]


class IspSubscription(models.Model):
    _inherit = "isp.subscription"

    @api.model
    def get_import_templates(self):
        return [{"label": _("Template for subscriptions"), "template": PLACE % "subscriptions"}]


class IspCpe(models.Model):
    _inherit = "isp.cpe"

    @api.model
    def get_import_templates(self):
        return [{"label": _("Template for devices"), "template": PLACE % "devices"}]
