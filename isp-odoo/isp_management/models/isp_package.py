from datetime import date

import isp_engine

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.misc import format_date, formatLang

from ..logic.money import rupiah

# The first price of a package holds for every period before it was entered, too.
FIRST_DAY = date(2000, 1, 1)


class IspPackage(models.Model):
    _name = "isp.package"
    _description = "Internet package"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "sequence, name, id"
    _check_company_auto = True

    _rec_names_search = ["code", "name"]

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(required=True, copy=False, help="Short and stable, such as HOME-20.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    description = fields.Text(translate=True)
    price = fields.Monetary(
        "Monthly price", compute="_compute_price", inverse="_inverse_price",
        help="The price in force today. A new one holds from today on; others are planned in the price list.",
    )
    price_ids = fields.One2many("isp.package.price", "package_id", "Price list", copy=True)
    speed_down = fields.Integer("Download (kbit/s)", required=True, tracking=True)
    speed_up = fields.Integer("Upload (kbit/s)", required=True, tracking=True)
    burst_down = fields.Integer("Burst download (kbit/s)", help="0: no burst")
    burst_up = fields.Integer("Burst upload (kbit/s)")
    burst_threshold_down = fields.Integer("Burst threshold download (kbit/s)")
    burst_threshold_up = fields.Integer("Burst threshold upload (kbit/s)")
    burst_seconds = fields.Integer("Burst time (s)")
    user_group = fields.Char("User group", required=True, tracking=True, help="Name of the PPP profile on the routers.")
    product_id = fields.Many2one(
        "product.product", required=True, check_company=True, ondelete="restrict",
        domain="[('type', '=', 'service')]", help="Decides the income account of the invoices.",
    )
    tax_ids = fields.Many2many(
        "account.tax", string="Taxes", check_company=True, domain="[('type_tax_use', '=', 'sale')]",
        default=lambda self: self.env.company.account_sale_tax_id,
    )
    subscription_ids = fields.One2many("isp.subscription", "package_id", "Subscriptions")
    subscription_count = fields.Integer(compute="_compute_subscription_count")

    _sql_constraints = [
        ("code_unique", "unique(company_id, code)", "There is a package with this code already."),
        ("speed_positive", "check(speed_down > 0 and speed_up > 0)", "A speed is more than 0 kbit/s."),
    ]

    @api.depends("price_ids.date_from", "price_ids.price")
    @api.depends_context("isp_now")
    def _compute_price(self):
        saved = self.filtered("id")
        prices = {}
        if saved:
            # One query for a list of lines, of which each shows the price of its package.
            self.env["isp.package.price"].flush_model(["package_id", "date_from", "price"])
            companies = saved.company_id
            self.env.cr.execute("""
                SELECT DISTINCT ON (p.id) p.id, price.price
                FROM isp_package p
                JOIN unnest(%s, %s) AS d(company_id, today) ON d.company_id = p.company_id
                JOIN isp_package_price price ON price.package_id = p.id AND price.date_from <= d.today
                WHERE p.id = ANY(%s) ORDER BY p.id, price.date_from DESC
            """, (companies.ids, [company._isp_today() for company in companies], saved.ids))
            prices = dict(self.env.cr.fetchall())
        for package in self:
            if package.id:
                package.price = prices.get(package.id, 0)
            else:
                package.price = package._isp_price_on((package.company_id or self.env.company)._isp_today())

    def _inverse_price(self):
        for package in self:
            today = package.company_id._isp_today()
            same_day = package.price_ids.filtered(lambda p, today=today: p.date_from == today)
            if not package.price_ids:
                self.env["isp.package.price"].create(
                    {"package_id": package.id, "date_from": FIRST_DAY, "price": package.price}
                )
            elif same_day:
                same_day.price = package.price
            elif package._isp_price_on(today) != package.price:
                self.env["isp.package.price"].create(
                    {"package_id": package.id, "date_from": today, "price": package.price}
                )

    def _isp_price_on(self, day):
        """The monthly price in force on a day, 0 before the first."""
        self.ensure_one()
        prices = [isp_engine.Price(price.date_from, rupiah(price.price)) for price in self.price_ids if price.date_from]
        if not prices:
            return 0
        [price] = isp_engine.prices_on([isp_engine.Package(0, prices)], day)
        return price or 0

    def _compute_subscription_count(self):
        counts = dict(self.env["isp.subscription"]._read_group(
            [("package_id", "in", self.ids), ("state", "in", ("active", "paused"))], ["package_id"], ["__count"]
        ))
        for package in self:
            package.subscription_count = counts.get(package, 0)

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access_rights("create")
        for vals in vals_list:
            if not vals.get("product_id"):
                vals["product_id"] = self._isp_new_product(vals).id
        return super().create(vals_list)

    @api.model
    def _isp_new_product(self, vals):
        company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company
        return self.env["product.product"].sudo().with_company(company).create({
            "name": vals.get("name") or vals.get("code"),
            "default_code": vals.get("code"),
            "type": "service",
            "sale_ok": True,
            "purchase_ok": False,
            "taxes_id": False,
            "supplier_taxes_id": False,
            "company_id": company.id,
        }).with_user(self.env.user)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["isp.subscription"].sudo().with_context(active_test=False).search_count(
            [("package_id", "in", self.ids)], limit=1
        ):
            raise UserError(_("A package that was ever sold is archived, not deleted."))

    def action_view_subscriptions(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": _("Subscriptions"),
            "res_model": "isp.subscription",
            "view_mode": "tree,form",
            "domain": [("package_id", "=", self.id)],
            "context": {"default_package_id": self.id},
        }


class IspPackagePrice(models.Model):
    _name = "isp.package.price"
    _description = "Price of a package from a day on"
    _order = "package_id, date_from desc"
    _rec_name = "date_from"

    package_id = fields.Many2one("isp.package", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="package_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="package_id.currency_id")
    date_from = fields.Date("From", required=True, default=fields.Date.context_today)
    price = fields.Monetary("Monthly price", required=True)

    _sql_constraints = [
        ("day_unique", "unique(package_id, date_from)", "A package has one price a day."),
        ("price_positive", "check(price >= 0)", "A price is not negative."),
    ]

    @api.model_create_multi
    def create(self, vals_list):
        prices = super().create(vals_list)
        prices._isp_tell()
        return prices

    def write(self, vals):
        result = super().write(vals)
        if {"price", "date_from"} & vals.keys():
            self._isp_tell()
        return result

    def _isp_tell(self):
        """A price is told on the package: who set it, when, and from which day on."""
        for price in self:
            price.package_id._message_log(body=_(
                "Price from %(day)s: %(amount)s", day=format_date(self.env, price.date_from),
                amount=formatLang(self.env, price.price, currency_obj=price.currency_id),
            ))

    @api.ondelete(at_uninstall=False)
    def _unlink_told(self):
        for price in self:
            price.package_id._message_log(body=_(
                "Price from %(day)s taken out: %(amount)s", day=format_date(self.env, price.date_from),
                amount=formatLang(self.env, price.price, currency_obj=price.currency_id),
            ))

    @api.constrains("price")
    def _check_whole_rupiah(self):
        for price in self:
            try:
                rupiah(price.price)
            except ValueError as error:
                raise ValidationError(_("A price is in whole rupiah.")) from error
