from isp_engine import InvalidValue, gateways

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.isp_management.models.isp_sealed_mixin import MASK

from ..const import ASKED_ABOUT, CHANNELS, DEFAULT_METHODS, KINDS, OWN, WEBHOOK

DEADLINE = 15


class PaymentProvider(models.Model):
    _name = "payment.provider"
    _inherit = ["payment.provider", "isp.sealed.mixin"]
    _isp_sealed = {
        "isp_key": ("isp_key_sealed", "base.group_system"), "isp_webhook_key": ("isp_webhook_key_sealed", "base.group_system"),
    }

    code = fields.Selection(
        selection_add=[("isp_midtrans", "Midtrans"), ("isp_tripay", "Tripay"), ("isp_duitku", "Duitku"), (OWN, "Own QRIS code")],
        ondelete={code: "set default" for code in (*KINDS, OWN)},
    )
    isp_key = fields.Char(
        "Key", compute="_compute_sealed", inverse="_inverse_sealed", groups="base.group_system",
        help="Midtrans: server key. Tripay and Duitku: API key. Stored encrypted. A key of the sandbox goes with test mode.",
    )
    isp_key_sealed = fields.Char(groups="base.group_system", copy=False)
    isp_webhook_key = fields.Char(
        "Private key", compute="_compute_sealed", inverse="_inverse_sealed", groups="base.group_system",
        help="Tripay signs its webhooks with it. Stored encrypted.",
    )
    isp_webhook_key_sealed = fields.Char(groups="base.group_system", copy=False)
    isp_merchant = fields.Char("Merchant code", groups="base.group_system", help="Tripay and Duitku need it.")
    isp_email = fields.Char(
        "Address for the gateway", groups="base.group_system",
        help="Tripay and Duitku want an e-mail address of each payer. They get this one of yours, so that none of a customer is given away.",
    )
    isp_base_url = fields.Char(
        "Address of the API", groups="base.group_system", help="Empty: the gateway's own. Another one is for tests, such as a simulator's.",
    )
    isp_sandbox = fields.Boolean(
        "In the gateway's sandbox", compute="_compute_isp_sandbox", store=True, groups="base.group_system",
        help="Where it asks. One that is switched off still hears of what it asked for before, where it asked for it.",
    )
    isp_webhook_url = fields.Char("Webhook address", compute="_compute_isp_webhook_url", groups="base.group_system")

    @api.depends("isp_key_sealed", "isp_webhook_key_sealed")
    def _compute_sealed(self):
        return super()._compute_sealed()

    @api.depends("state")
    def _compute_isp_sandbox(self):
        for provider in self:
            provider.isp_sandbox = provider.state == "test" if provider.state != "disabled" else provider.isp_sandbox

    @api.depends("code")
    def _compute_isp_webhook_url(self):
        for provider in self:
            path = WEBHOOK % provider.id
            provider.isp_webhook_url = provider.get_base_url() + path if provider.code in KINDS and provider.id else False

    @api.constrains("code", "state", "isp_key_sealed", "isp_webhook_key_sealed", "isp_merchant", "isp_email", "isp_base_url")
    def _check_isp_gateway(self):
        """A provider that is switched on can work, as far as that is seen without calling it."""
        if self.env.context.get("isp_keys_first"):
            return
        for provider in self.filtered(lambda one: one.code in KINDS and one.state != "disabled"):
            try:
                gateways.acknowledgement(provider._isp_gateway())
            except (InvalidValue, UserError) as error:
                raise ValidationError(_("%(provider)s cannot be switched on: %(why)s", provider=provider.name, why=error)) from error

    @api.constrains("code", "state", "company_id")
    def _check_isp_own_code(self):
        for provider in self.filtered(lambda one: one.code == OWN and one.state != "disabled"):
            if not provider.company_id.sudo().isp_qris:
                raise ValidationError(_(
                    "Write down the static QRIS code of %s first (ISP / Configuration / Settings, Paying).", provider.company_id.name,
                ))

    def write(self, vals):
        """A key is sent to the address of the API: to another one only by who has it."""
        if "isp_base_url" in vals and vals.get("isp_key", MASK) == MASK:
            for provider in self.sudo().filtered("isp_key_sealed"):
                if (provider.isp_base_url or False) != (vals["isp_base_url"] or False):
                    raise UserError(_("The address of %s changes: type its key again.", provider.name))
        keys = {name: value for name, value in vals.items() if name in self._isp_sealed}
        if not keys:
            return super().write(vals)
        # Odoo looks at what is stored before it seals what was typed, and who sets a provider up saves both at once.
        super(PaymentProvider, self.with_context(isp_keys_first=True)).write(keys)
        result = super().write({name: value for name, value in vals.items() if name not in keys})
        self._check_isp_gateway()
        return result

    def _isp_gateway(self):
        """The engine's record of this account at a gateway."""
        self.ensure_one()
        provider = self.sudo()
        key = provider._isp_open("isp_key")
        if not key:
            raise UserError(_("%s has no key.", provider.name))
        return gateways.GatewaySettings(
            provider._isp_name(), KINDS[provider.code], key, sandbox=provider.isp_sandbox, merchant=provider.isp_merchant or "",
            webhook_key=provider._isp_open("isp_webhook_key") or "", email=provider.isp_email or "",
            callback_url=provider.isp_webhook_url or None, base_url=provider.isp_base_url or None,
        )

    def _isp_hears(self):
        """Whether its webhooks are read: also when it was switched off since it asked, for the money comes all the same."""
        self.ensure_one()
        if self.code not in KINDS or self.state != "disabled":
            return self.code in KINDS
        return bool(self.env["payment.transaction"].sudo().search_count([
            ("provider_id", "=", self.id), ("isp_asked_at", ">", fields.Datetime.now() - ASKED_ABOUT),
        ], limit=1))

    def _isp_name(self):
        """What its payments are paid through, in the books: Midtrans' references are not Tripay's."""
        return KINDS[self.code]

    def _get_supported_currencies(self):
        currencies = super()._get_supported_currencies()
        return currencies.filtered(lambda one: one.name == "IDR") if self.code in (*KINDS, OWN) else currencies

    def _get_default_payment_method_codes(self):
        if self.code == OWN:
            return {"qris"}
        return DEFAULT_METHODS if self.code in KINDS else super()._get_default_payment_method_codes()

    @api.model
    def _isp_methods(self):
        return self.env["payment.method"].with_context(active_test=False).search([("code", "in", list(CHANNELS))])
