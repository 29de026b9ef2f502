"""SQL that several reports share. Nothing here comes from a user: only ids and dates of the server."""


def today(companies):
    """A table of each company's calendar day: the UTC date is yesterday in Jakarta until 07:00 (rule C1)."""
    rows = ", ".join("(%d, DATE '%s')" % (company.id, company._isp_today().isoformat()) for company in companies)
    return "SELECT * FROM (VALUES %s) AS t (company_id, today)" % rows


# The price per month that a subscription has today: the one it holds, else the package's.
MONTHLY_PRICE = """
    SELECT s.id AS subscription_id,
           CASE WHEN s.held_price > 0 AND (s.held_until IS NULL OR t.today < s.held_until) THEN s.held_price
                ELSE coalesce(p.price, 0) END AS price
    FROM isp_subscription s
    JOIN today t ON t.company_id = s.company_id
    LEFT JOIN (
        SELECT DISTINCT ON (p.package_id) p.package_id, p.price
        FROM isp_package_price p JOIN today t ON t.company_id = p.company_id
        WHERE p.date_from <= t.today
        ORDER BY p.package_id, p.date_from DESC
    ) p ON p.package_id = s.package_id
"""

# What each posted move is about. A credit note, a reversal or a write-off is about the invoice that it belongs to.
SUBJECT = """
    SELECT m.id AS move_id, m.move_type,
           coalesce(m.isp_subscription_id, o.isp_subscription_id) AS subscription_id,
           coalesce(m.isp_installation_fee_id, o.isp_installation_fee_id) AS fee_id,
           m.isp_late_fee_of_id IS NOT NULL OR o.isp_late_fee_of_id IS NOT NULL AS is_late_fee,
           w.isp_write_off_of_id IS NOT NULL AS is_write_off,
           e.id AS expense_id, e.category_id, d.id AS device_history_id,
           coalesce(s.router_id, fs.router_id, ds.router_id) AS router_id,
           coalesce(s.package_id, fs.package_id, ds.package_id) AS package_id
    FROM account_move m
    LEFT JOIN account_move w ON w.id = CASE WHEN m.isp_write_off_of_id IS NULL THEN m.reversed_entry_id ELSE m.id END
    LEFT JOIN account_move o ON o.id = coalesce(w.isp_write_off_of_id, m.reversed_entry_id)
    LEFT JOIN isp_subscription s ON s.id = coalesce(m.isp_subscription_id, o.isp_subscription_id)
    LEFT JOIN isp_installation_fee f ON f.id = coalesce(m.isp_installation_fee_id, o.isp_installation_fee_id)
    LEFT JOIN isp_subscription fs ON fs.id = f.subscription_id
    LEFT JOIN isp_expense e ON e.move_id = coalesce(o.id, m.id)
    LEFT JOIN isp_device_history d ON d.move_id = coalesce(o.id, m.id)
    LEFT JOIN isp_cpe c ON c.id = d.cpe_id
    LEFT JOIN isp_subscription ds ON ds.id = c.subscription_id
    WHERE m.state = 'posted'
"""

# A line's product says which package was sold then; a subscription only knows today's.
PACKAGE_OF_PRODUCT = "SELECT product_id, min(id) AS package_id FROM isp_package GROUP BY product_id"

# A package that another module sold and invoiced is subscription revenue too, with or without a line.
KIND = """
    CASE WHEN a.account_type IN ('income', 'income_other') THEN
             CASE WHEN x.is_late_fee THEN 'late_fee'
                  WHEN l.isp_installation_fee_id IS NOT NULL THEN 'installation'
                  WHEN x.subscription_id IS NOT NULL THEN 'subscription'
                  WHEN x.fee_id IS NOT NULL THEN 'installation'
                  WHEN sold.package_id IS NOT NULL THEN 'subscription' ELSE 'other_income' END
         ELSE CASE WHEN x.device_history_id IS NOT NULL THEN 'device'
                   WHEN x.expense_id IS NOT NULL THEN 'expense'
                   WHEN x.is_write_off THEN 'bad_debt' %s ELSE 'other_cost' END
    END
"""


def kind(costs=()):
    """What an item of the result is; ``costs`` are further kinds of costs of other addons, each with the SQL that knows it."""
    return KIND % " ".join("WHEN %s THEN '%s'" % (condition, name) for name, condition in costs)
