from odoo import fields, models

from . import sql


class IspReportFinance(models.Model):
    """What was billed, collected and spent, from the journal items.

    A payment is split by the invoices that it was matched with, so that money in has a package and a site; what is not
    matched is the customers' credit and has none. The receivable column sums to the balance of the receivable accounts.
    """

    _name = "isp.report.finance"
    _description = "Monthly finance"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "date"
    _depends = {
        "account.move": [
            "state", "move_type", "reversed_entry_id", "isp_subscription_id", "isp_installation_fee_id",
            "isp_late_fee_of_id", "isp_write_off_of_id",
        ],
        "account.move.line": [
            "balance", "amount_residual", "date", "account_id", "product_id", "partner_id", "parent_state", "company_id",
            "display_type", "payment_id", "statement_line_id", "journal_id",
        ],
        "res.company": ["isp_pph23_journal_id"],
        "account.partial.reconcile": ["debit_move_id", "credit_move_id", "amount"],
        "account.account": ["account_type"],
        "isp.subscription": ["package_id", "router_id"],
        "isp.installation_fee": ["subscription_id"],
        "isp.router": ["location"],
        "isp.package": ["product_id"],
        "isp.expense": ["move_id"],
        "isp.device_history": ["move_id", "cpe_id"],
    }

    date = fields.Date(readonly=True)
    package_id = fields.Many2one("isp.package", readonly=True)
    router_id = fields.Many2one("isp.router", readonly=True)
    site = fields.Char(readonly=True)
    move_id = fields.Many2one("account.move", "Journal entry", readonly=True)
    partner_id = fields.Many2one("res.partner", "Contact", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    billed = fields.Float("Billed without PPN", digits=(16, 0), readonly=True)
    ppn = fields.Float("PPN", digits=(16, 0), readonly=True)
    billed_total = fields.Float("Billed", digits=(16, 0), readonly=True)
    collected = fields.Float(digits=(16, 0), readonly=True)
    withheld = fields.Float("PPh 23 withheld", digits=(16, 0), readonly=True, help="Tax that customers kept back, by their slips: an asset, no money.")
    cost = fields.Float("Costs", digits=(16, 0), readonly=True)
    receivable = fields.Float("Change of receivables", digits=(16, 0), readonly=True, help="Billed less collected, withheld and written off.")

    @property
    def _table_query(self):
        return """
            WITH x AS (%s), sold AS (%s),
            packages AS (
                SELECT l.move_id, min(sold.package_id) AS package_id
                FROM account_move_line l JOIN sold ON sold.product_id = l.product_id GROUP BY l.move_id
            ),
            line AS (
                SELECT l.id, l.date, l.move_id, l.partner_id, l.company_id, l.company_currency_id, l.product_id,
                       l.balance, l.amount_residual, l.display_type, a.account_type, a.internal_group,
                       l.payment_id IS NOT NULL OR l.statement_line_id IS NOT NULL AS paying,
                       coalesce(l.journal_id = k.isp_pph23_journal_id, false) AS slip
                FROM account_move_line l JOIN account_account a ON a.id = l.account_id JOIN res_company k ON k.id = l.company_id
                WHERE l.parent_state = 'posted'
            ),
            received AS (SELECT * FROM line WHERE account_type = 'asset_receivable' AND paying),
            split AS (
                SELECT p.id * 4::bigint + 1 AS id, c.date, c.move_id, c.partner_id, c.company_id, c.company_currency_id,
                       d.move_id AS about_id, p.amount, c.slip
                FROM account_partial_reconcile p JOIN received c ON c.id = p.credit_move_id
                JOIN account_move_line d ON d.id = p.debit_move_id
                UNION ALL
                SELECT p.id * 4::bigint + 2, d.date, d.move_id, d.partner_id, d.company_id, d.company_currency_id,
                       c.move_id, -p.amount, d.slip
                FROM account_partial_reconcile p JOIN received d ON d.id = p.debit_move_id
                JOIN account_move_line c ON c.id = p.credit_move_id
                UNION ALL
                SELECT id * 4::bigint + 3, date, move_id, partner_id, company_id, company_currency_id, NULL,
                       -amount_residual, slip
                FROM received WHERE amount_residual <> 0
            ),
            entry AS (
                SELECT l.id * 4::bigint AS id, l.date, l.move_id, l.partner_id, l.company_id, l.company_currency_id,
                       l.move_id AS about_id, l.product_id,
                       CASE WHEN doc AND l.internal_group = 'income' THEN -l.balance ELSE 0 END AS billed,
                       CASE WHEN doc AND l.display_type = 'tax' THEN -l.balance ELSE 0 END AS ppn,
                       0 AS collected, 0 AS withheld,
                       CASE WHEN l.internal_group = 'expense' THEN l.balance ELSE 0 END AS cost,
                       CASE WHEN l.account_type = 'asset_receivable' THEN l.balance ELSE 0 END AS receivable
                FROM line l
                JOIN (SELECT move_id, move_type IN ('out_invoice', 'out_refund', 'out_receipt') AS doc FROM x) m
                  ON m.move_id = l.move_id
                WHERE NOT (l.account_type = 'asset_receivable' AND l.paying)
                  AND (l.account_type = 'asset_receivable' OR l.internal_group = 'expense'
                       OR doc AND (l.internal_group = 'income' OR l.display_type = 'tax'))
                UNION ALL
                SELECT id, date, move_id, partner_id, company_id, company_currency_id, about_id, NULL, 0, 0,
                       CASE WHEN slip THEN 0 ELSE amount END, CASE WHEN slip THEN amount ELSE 0 END, 0, -amount
                FROM split
            )
            SELECT e.id, e.date, e.move_id, e.partner_id, e.company_id, e.company_currency_id AS currency_id,
                   coalesce(sold.package_id, packages.package_id) AS package_id, x.router_id, r.location AS site,
                   e.billed, e.ppn, e.billed + e.ppn AS billed_total, e.collected, e.withheld, e.cost, e.receivable
            FROM entry e
            LEFT JOIN x ON x.move_id = e.about_id
            LEFT JOIN isp_router r ON r.id = x.router_id
            LEFT JOIN sold ON sold.product_id = e.product_id
            LEFT JOIN packages ON packages.move_id = e.about_id
        """ % (sql.SUBJECT, sql.PACKAGE_OF_PRODUCT)
