from odoo import _, api, fields, models
from odoo.exceptions import UserError


class IspInstallationKind(models.Model):
    _name = "isp.installation_kind"
    _description = "Kind of installation"
    _order = "sequence, name, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, copy=False)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    price = fields.Monetary(required=True)
    instalments = fields.Integer(default=1, required=True, help="In how many monthly parts the fee may be paid.")
    product_id = fields.Many2one(
        "product.product", required=True, check_company=True, ondelete="restrict",
        domain="[('type', '=', 'service')]",
    )
    tax_ids = fields.Many2many(
        "account.tax", string="Taxes", check_company=True, domain="[('type_tax_use', '=', 'sale')]",
        default=lambda self: self.env.company.account_sale_tax_id,
    )

    _sql_constraints = [
        ("code_unique", "unique(company_id, code)", "There is a kind with this code already."),
        ("price_positive", "check(price >= 0)", "A price is not negative."),
        ("instalments_range", "check(instalments between 1 and 12)", "A fee is paid in 1 to 12 parts."),
    ]

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access_rights("create")
        for vals in vals_list:
            if not vals.get("product_id"):
                vals["product_id"] = self.env["isp.package"]._isp_new_product(vals).id
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["isp.installation_fee"].sudo().search_count([("kind_id", "in", self.ids)], limit=1):
            raise UserError(_("A kind that was ever used is archived, not deleted."))
