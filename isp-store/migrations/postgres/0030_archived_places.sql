-- Sites and routers that are used no more are archived, because their history names them.
ALTER TABLE sites ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE routers ADD COLUMN archived BOOLEAN NOT NULL DEFAULT FALSE;
