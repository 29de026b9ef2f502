-- The step in which a fee was cut into instalments. Orders of before were cut to the rupiah, and their later parts go with those
-- that are invoiced.
ALTER TABLE installation_orders ADD COLUMN instalment_step BIGINT NOT NULL DEFAULT 1 CHECK (instalment_step > 0);
