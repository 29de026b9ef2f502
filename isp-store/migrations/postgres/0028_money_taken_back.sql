-- Deposits of collectors and payouts of gateways can be taken back.
ALTER TABLE endings DROP CONSTRAINT endings_record_check;
ALTER TABLE endings ADD CONSTRAINT endings_record_check
    CHECK (record IN ('promise', 'exemption', 'outage', 'expense', 'installation', 'deposit', 'payout'));
