-- What cash and PPh 23 come to by the day is asked before any of it is spent, and once more in the commit. Written with OR, because
-- SQLite does not see that "account = 'cash'" is one of a list.
CREATE INDEX journal_lines_spent ON journal_lines (tenant_id, account, booked_on, amount)
    WHERE account = 'cash' OR account = 'pph23_prepaid';
