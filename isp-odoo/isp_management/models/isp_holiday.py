from odoo import fields, models


class IspHoliday(models.Model):
    _name = "isp.holiday"
    _description = "Day on which nobody is isolated"
    _order = "date desc, id desc"

    name = fields.Char(required=True, translate=True)
    date = fields.Date(required=True, index=True)
    company_id = fields.Many2one("res.company", help="Empty: for every company.", index=True)

    _sql_constraints = [("day_unique", "unique(company_id, date)", "This day is in the list already.")]
