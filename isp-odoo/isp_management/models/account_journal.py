from odoo import fields, models


class AccountJournal(models.Model):
    _inherit = "account.journal"

    isp_billing_batches = fields.Integer(
        "Billing batches", readonly=True, copy=False, help="Counted up by each batch of a billing run, which it locks with.",
    )
