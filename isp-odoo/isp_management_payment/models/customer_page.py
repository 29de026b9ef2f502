"""The ways to pay online on the page that the link in a message opens."""

from odoo import fields, models

from ..const import CHANNELS, KINDS, OWN


class IspCustomer(models.Model):
    _inherit = "isp.customer"

    def _isp_page(self):
        page = super()._isp_page()
        return {**page, "ways": self._isp_ways(page["moves"])}

    def _isp_ways(self, moves):
        """Each provider with a method that Odoo's own page would offer for these invoices."""
        currency = moves.currency_id
        if not moves or currency != self.company_id.currency_id:
            return []
        providers = self.env["payment.provider"].sudo()._get_compatible_providers(
            self.company_id.id, self.partner_id.id, sum(moves.mapped("amount_residual")), currency_id=currency.id,
        )
        return [
            (provider, method)
            for provider in providers.filtered(lambda one: one.code in (*KINDS, OWN))
            for method in provider.payment_method_ids.filtered(lambda one: one.active and one.code in CHANNELS)
        ]

    def _isp_begin_payment(self, provider, method, moves):
        """The transaction that pays all of these invoices, as Odoo's page makes it."""
        transactions, invoices = self.env["payment.transaction"].sudo(), [fields.Command.set(moves.ids)]
        return transactions.create({
            "provider_id": provider.id, "payment_method_id": method.id, "amount": sum(moves.mapped("amount_residual")),
            "currency_id": moves.currency_id.id, "partner_id": self.sudo().partner_id.id, "operation": "online_redirect",
            "invoice_ids": invoices, "reference": transactions._compute_reference(provider.code, invoice_ids=invoices),
        })
