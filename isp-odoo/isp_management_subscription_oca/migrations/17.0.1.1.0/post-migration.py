from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Invoices that were written before a subscription was joined to its line become the line's."""
    if version:
        subscriptions = api.Environment(cr, SUPERUSER_ID, {})["sale.subscription"]
        subscriptions.search([("isp_subscription_id", "!=", False)])._isp_adopt_invoices()
