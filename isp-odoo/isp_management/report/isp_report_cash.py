from odoo import fields, models


class IspReportCash(models.Model):
    """Where the money is, month by month: cash, banks, collectors, and what is on its way to a bank.

    One row for an account in a month; opening, received, other, not yet known and moved, less spent, is closing. What the other
    items of an entry say is its money: received where they pay what customers owe, not yet known on the suspense account of a
    bank, else spent or, when it came, other money. What went from one account of money to another is moved.
    """

    _name = "isp.report.cash"
    _description = "Where the money is"
    _auto = False
    _order = "date desc, account_id"
    _rec_name = "date"
    _depends = {
        "account.move.line": ["balance", "date", "account_id", "parent_state", "company_id", "move_id"],
        "account.account": ["account_type", "reconcile"],
        "account.payment": ["move_id"],
        "account.payment.method.line": ["payment_account_id", "journal_id", "payment_method_id"],
        "account.journal": ["type", "suspense_account_id"],
        "res.company": [
            "account_journal_payment_debit_account_id", "account_journal_payment_credit_account_id", "transfer_account_id",
            "account_journal_suspense_account_id", "isp_pph23_journal_id",
        ],
    }

    date = fields.Date("Month", readonly=True)
    account_id = fields.Many2one("account.account", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    opening = fields.Float("At the beginning", digits=(16, 0), readonly=True)
    received = fields.Float("From customers", digits=(16, 0), readonly=True, help="Less what was taken back.")
    other = fields.Float("Other money", digits=(16, 0), readonly=True, help="From the owner, a loan, interest.")
    unknown = fields.Float("Not yet known", digits=(16, 0), readonly=True, help="On a bank statement, and nobody has said what it is.")
    moved = fields.Float(digits=(16, 0), readonly=True, help="From other accounts of money, less what went to them.")
    spent = fields.Float(digits=(16, 0), readonly=True)
    closing = fields.Float("At the end", digits=(16, 0), readonly=True)

    @property
    def _table_query(self):
        return """
            WITH way AS (
                SELECT coalesce(w.payment_account_id, CASE m.payment_type WHEN 'inbound' THEN c.account_journal_payment_debit_account_id
                                                      ELSE c.account_journal_payment_credit_account_id END) AS account_id
                FROM account_payment_method_line w
                JOIN account_payment_method m ON m.id = w.payment_method_id
                JOIN account_journal j ON j.id = w.journal_id AND j.type IN ('bank', 'cash')
                JOIN res_company c ON c.id = j.company_id AND c.isp_pph23_journal_id IS DISTINCT FROM j.id
            ),
            money AS (
                SELECT id FROM account_account WHERE account_type = 'asset_cash'
                UNION SELECT account_id FROM way WHERE account_id IS NOT NULL
                -- Also where payments lay on their way before the settings were changed.
                UNION SELECT l.account_id
                FROM account_payment p
                JOIN account_move_line l ON l.move_id = p.move_id
                JOIN account_account a ON a.id = l.account_id AND a.account_type = 'asset_current' AND a.reconcile
                JOIN res_company c ON c.id = a.company_id AND c.transfer_account_id IS DISTINCT FROM a.id
            ),
            suspense AS (
                SELECT suspense_account_id AS id FROM account_journal WHERE suspense_account_id IS NOT NULL
                UNION SELECT account_journal_suspense_account_id FROM res_company WHERE account_journal_suspense_account_id IS NOT NULL
            ),
            item AS (
                SELECT l.move_id, l.account_id, l.company_id, date_trunc('month', min(l.date))::date AS month, sum(l.balance) AS balance
                FROM account_move_line l JOIN money ON money.id = l.account_id WHERE l.parent_state = 'posted'
                GROUP BY l.move_id, l.account_id, l.company_id
            ),
            side AS (
                SELECT l.move_id,
                       coalesce(-sum(l.balance) FILTER (WHERE a.account_type = 'asset_receivable'), 0) AS received,
                       coalesce(-sum(l.balance) FILTER (WHERE a.account_type <> 'asset_receivable' AND s.id IS NOT NULL), 0) AS unknown,
                       coalesce(-sum(l.balance) FILTER (WHERE o.what AND l.balance < 0), 0) AS other,
                       coalesce(sum(l.balance) FILTER (WHERE o.what AND l.balance > 0), 0) AS spent
                FROM account_move_line l
                JOIN (SELECT DISTINCT move_id FROM item) i ON i.move_id = l.move_id
                JOIN account_account a ON a.id = l.account_id
                JOIN res_company c ON c.id = a.company_id
                LEFT JOIN suspense s ON s.id = a.id
                CROSS JOIN LATERAL (
                    SELECT a.account_type <> 'asset_receivable' AND s.id IS NULL AND a.id IS DISTINCT FROM c.transfer_account_id AS what
                ) o
                WHERE l.account_id NOT IN (SELECT id FROM money)
                GROUP BY l.move_id
            ),
            -- What an entry brings or costs falls on its accounts of money on that side; the rest went from one to another.
            part AS (
                SELECT i.*, s.received, s.unknown, s.other, s.spent,
                       CASE WHEN i.balance * n.net > 0
                            THEN i.balance / sum(i.balance) FILTER (WHERE i.balance * n.net > 0) OVER (PARTITION BY i.move_id)
                            ELSE 0 END AS weight
                FROM item i
                JOIN side s ON s.move_id = i.move_id
                CROSS JOIN LATERAL (SELECT s.received + s.unknown + s.other - s.spent AS net) n
            ),
            change AS (
                SELECT account_id, company_id, month, sum(balance) AS balance, sum(received) AS received, sum(unknown) AS unknown,
                       sum(other) AS other, sum(spent) AS spent, sum(balance - received - unknown - other + spent) AS moved
                FROM (
                    SELECT account_id, company_id, month, balance, weight * received AS received, weight * unknown AS unknown,
                           weight * other AS other, weight * spent AS spent
                    FROM part
                    UNION ALL
                    SELECT account_id, company_id, month, balance, 0, 0, 0, 0 FROM item WHERE move_id NOT IN (SELECT move_id FROM side)
                ) x
                GROUP BY account_id, company_id, month
            ),
            month AS (
                SELECT c.account_id, c.company_id, m.month::date AS month
                FROM (SELECT account_id, company_id, min(month) AS first, max(month) AS last FROM change GROUP BY account_id, company_id) c
                CROSS JOIN LATERAL generate_series(c.first, greatest(c.last, date_trunc('month', now())::date), interval '1 month') AS m (month)
            )
            SELECT row_number() OVER (ORDER BY m.company_id, m.account_id, m.month) AS id, m.month AS date, m.account_id, m.company_id,
                   sum(coalesce(c.balance, 0)) OVER (PARTITION BY m.company_id, m.account_id ORDER BY m.month) - coalesce(c.balance, 0) AS opening,
                   coalesce(c.received, 0) AS received, coalesce(c.other, 0) AS other, coalesce(c.unknown, 0) AS unknown,
                   coalesce(c.moved, 0) AS moved, coalesce(c.spent, 0) AS spent,
                   sum(coalesce(c.balance, 0)) OVER (PARTITION BY m.company_id, m.account_id ORDER BY m.month) AS closing
            FROM month m LEFT JOIN change c ON c.account_id = m.account_id AND c.company_id = m.company_id AND c.month = m.month
        """
