"""The provider's settings as a form of the company: the manager reaches them without being Odoo's administrator."""

from lxml import etree

from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from ..refusals import Refusal
from .isp_guard_mixin import MANAGER

# How far the runs have come: moved by hand, days would be charged twice or never.
POSITIONS = ("isp_billed_through", "isp_late_fee_through")


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_has_fractions = fields.Boolean("Books with fractions of a rupiah", compute="_compute_isp_has_fractions")

    isp_is_rupiah = fields.Boolean("Books in rupiah", compute="_compute_isp_is_rupiah")

    isp_customer_lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(), "Language of new customers",
        help="Of their invoices, e-mails and messages. Empty: Indonesian where it is installed, else the company's own.",
    )

    def _isp_customer_language(self):
        """The language of a customer of whom nothing else is said."""
        self.ensure_one()
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        if self.isp_customer_lang:
            return self.isp_customer_lang
        return "id_ID" if "id_ID" in installed else self.partner_id.lang

    @api.depends("currency_id.rounding")
    def _compute_isp_has_fractions(self):
        """Books that were kept in rupiah before, with a rounding of 0.01, keep it: arrears are whole rupiah all the same."""
        for company in self:
            company.isp_has_fractions = company.currency_id.rounding < 1

    @api.depends("currency_id.name")
    def _compute_isp_is_rupiah(self):
        for company in self:
            company.isp_is_rupiah = company.currency_id.name == "IDR"

    def _isp_no_rupiah(self):
        """Why nothing is invoiced in these books, and the way out."""
        self.ensure_one()
        return _(
            "The books of %(company)s are kept in %(currency)s, and all prices here are rupiah: nothing is invoiced. While the company has no"
            " journal entry, set its currency to IDR (Settings, Companies). Afterwards make another company, with the country Indonesia.",
            company=self.name, currency=self.currency_id.name,
        )

    def _isp_check_rupiah(self):
        """Refuse to write an invoice that would ask for as many units of another currency."""
        self.ensure_one()
        if not self.sudo().isp_is_rupiah:
            raise Refusal("odoo.currency", self._isp_no_rupiah())

    def write(self, vals):
        """The manager's right to write reaches as far as the provider's own settings."""
        user = self.env.user
        moved = [] if self.env.su else [name for name in POSITIONS if name in vals]
        if moved:
            raise AccessError(_("%s is written by the runs only.", self._fields[moved[0]].get_description(self.env, ["string"])["string"]))
        if not self.env.su and not user.has_group("base.group_erp_manager"):
            other = sorted(name for name in vals if not name.startswith("isp_"))
            if other:
                raise AccessError(_("Of a company the manager changes the settings of the ISP only, not %s.", ", ".join(other)))
        return super().write(vals)

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        """The blocks are those of Odoo's own settings, so that a setting is written down once."""
        arch, view = super()._get_view(view_id, view_type, **options)
        places = arch.xpath("//div[@name='isp_settings']")
        if places:
            self._isp_fill_settings(places[0])
        return arch, view

    @api.model
    def _isp_fill_settings(self, place):
        settings = self.env["res.config.settings"]
        combined = self.env.ref("base.res_config_settings_view_form").sudo()._get_combined_arch()
        for app in combined.xpath("//app[@name='isp_management']"):
            for block in app.iter("block"):
                title = etree.SubElement(place, "h2")
                title.text, title.tail = block.get("title"), None
                title.set("class", "mt-4 border-bottom pb-1")
                box = etree.SubElement(place, "div", {"class": "row o_isp_settings", "name": block.get("name") or ""})
                for setting in block:
                    if setting.tag != "setting":
                        continue
                    node = etree.fromstring(etree.tostring(setting))
                    node.tail = None
                    for field in node.iter("field"):
                        related = settings._fields[field.get("name")].related
                        if related and related.startswith("company_id."):
                            field.set("name", related.split(".", 1)[1])
                    box.append(node)

    @api.model
    def action_isp_settings(self):
        """The settings of the company that one works in."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(_("The settings are for the group Manager."))
        return {
            "type": "ir.actions.act_window",
            "name": _("Settings"),
            "res_model": "res.company",
            "res_id": self.env.company.id,
            "views": [[self.env.ref("isp_management.isp_company_settings_view_form").id, "form"]],
            "context": {"create": False, "delete": False},
        }
