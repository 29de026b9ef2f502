-- Deposits of collectors, payouts of gateways and refunds (migration 33) can be taken back.
ALTER TABLE endings DROP CONSTRAINT endings_record_check;
ALTER TABLE endings ADD CONSTRAINT endings_record_check
    CHECK (record IN ('promise', 'exemption', 'outage', 'expense', 'installation', 'deposit', 'payout', 'refund'));
