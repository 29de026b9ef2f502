-- PPh 23 that a customer kept back settles invoices too, by its slip. Each customer numbers its own slips: set_aside then holds the
-- customer's id for the one that stands.
ALTER TABLE payments DROP CONSTRAINT payments_channel_check;
ALTER TABLE payments ADD CONSTRAINT payments_channel_check
    CHECK (channel IN ('cash', 'bank', 'gateway', 'pph23', 'credit_note', 'write_off'));
