-- From which money a device's cost was paid. Until now each was taken out of the cash.
ALTER TABLE device_history ADD COLUMN paid_from TEXT NOT NULL DEFAULT 'cash'
    CHECK (paid_from IN ('cash', 'bank', 'gateway'));
