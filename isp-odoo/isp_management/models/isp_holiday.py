import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL


class IspHoliday(models.Model):
    _name = "isp.holiday"
    _description = "Day on which nobody is isolated"
    _order = "date desc, id desc"

    name = fields.Char(required=True, translate=True)
    date = fields.Date(required=True, index=True)
    company_id = fields.Many2one("res.company", help="Empty: for every company.", index=True)

    _sql_constraints = [("day_unique", "unique(company_id, date)", "This day is in the list already.")]

    @api.constrains("date", "company_id")
    def _check_day_of_every_company(self):
        """A day of every company is there once; to the database two without a company differ."""
        for day in self.filtered(lambda one: not one.company_id):
            if self.sudo().search_count([("company_id", "=", False), ("date", "=", day.date)]) > 1:
                raise ValidationError(_("This day is in the list already."))


class IspPublicHoliday(models.Model):
    """The public holidays that the engine knows, to be looked at: the settings say which of them are kept."""

    _name = "isp.public_holiday"
    _description = "Public holiday"
    _auto = False
    _order = "date"

    name = fields.Char(readonly=True)
    date = fields.Date(readonly=True)
    kind = fields.Selection([("national", "National holiday"), ("joint_leave", "Joint leave")], readonly=True)
    estimated = fields.Boolean("May still move", readonly=True, help="It waits for the sighting of the moon.")
    kept = fields.Boolean("Nobody is isolated", compute="_compute_kept", help="As the settings of the company say.")

    @property
    def _table_query(self):
        days = isp_engine.public_holidays("id" if (self.env.lang or "").startswith("id") else "en")
        rows = [(number, day.name, day.date, day.kind, day.estimated) for number, day in enumerate(days, 1)]
        return SQL("(SELECT * FROM (VALUES %s) AS day (id, name, date, kind, estimated))", SQL(", ").join(rows))

    @api.depends_context("company")
    def _compute_kept(self):
        kept = {"all": ("national", "joint_leave"), "national": ("national",), "none": ()}[self.env.company.isp_public_holidays]
        for day in self:
            day.kept = day.kind in kept
