from odoo import fields, models


class IspReportCollector(models.Model):
    """Each payment that a collector took and each deposit, so that the sum is the cash in hand."""

    _name = "isp.report.collector"
    _description = "Cash with collectors"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "account.payment": ["isp_collector_id", "amount", "payment_type", "is_internal_transfer", "move_id"],
        "account.move": ["state", "date", "partner_id", "company_id", "name"],
    }

    date = fields.Date(readonly=True)
    collector_id = fields.Many2one("isp.collector", readonly=True)
    payment_id = fields.Many2one("account.payment", readonly=True)
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    collected = fields.Float(digits=(16, 0), readonly=True)
    deposited = fields.Float("Handed over", digits=(16, 0), readonly=True)
    holds = fields.Float("Cash in hand", digits=(16, 0), readonly=True)

    @property
    def _table_query(self):
        return """
            SELECT p.id, m.date, p.isp_collector_id AS collector_id, p.id AS payment_id,
                   CASE WHEN p.is_internal_transfer THEN NULL ELSE m.partner_id END AS partner_id,
                   m.company_id, p.currency_id, f.taken AS collected, f.given AS deposited, f.taken - f.given AS holds
            FROM account_payment p
            JOIN account_move m ON m.id = p.move_id AND m.state = 'posted'
            CROSS JOIN LATERAL (
                SELECT CASE WHEN p.is_internal_transfer THEN 0
                            WHEN p.payment_type = 'inbound' THEN p.amount ELSE -p.amount END AS taken,
                       CASE WHEN NOT p.is_internal_transfer THEN 0
                            WHEN p.payment_type = 'outbound' THEN p.amount ELSE -p.amount END AS given
            ) f
            WHERE p.isp_collector_id IS NOT NULL
        """
