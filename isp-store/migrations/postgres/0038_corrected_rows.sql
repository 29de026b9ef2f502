-- A row of a bank's file that may be a kept one written anew, and the balance that each who told of a mutation told.

ALTER TABLE mutations ADD COLUMN may_correct_id UUID;
ALTER TABLE mutation_tellings ADD COLUMN balance BIGINT;
