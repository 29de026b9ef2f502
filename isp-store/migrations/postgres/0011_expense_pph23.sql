-- An expense may be paid with PPh 23 that customers kept back.
ALTER TABLE expenses DROP CONSTRAINT expenses_paid_from_check;
ALTER TABLE expenses ADD CONSTRAINT expenses_paid_from_check CHECK (paid_from IN ('cash', 'bank', 'gateway', 'pph23'));
