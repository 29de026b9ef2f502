-- What a customer said last: that no messages are wanted, or that they are wanted again. Webhooks come in any order.

ALTER TABLE opt_outs ADD COLUMN muted INTEGER NOT NULL DEFAULT 1 CHECK (muted IN (0, 1));
