"""Payments that were recorded before are known: late fees were charged with them in mind."""


def migrate(cr, version):
    cr.execute("""
        UPDATE account_move m SET isp_known = true
        WHERE m.state = 'posted' AND m.move_type = 'entry' AND EXISTS (
            SELECT 1 FROM account_move_line i WHERE i.move_id = m.id AND i.balance < 0
                AND i.account_id IN (SELECT id FROM account_account WHERE account_type = 'asset_receivable'))
    """)
