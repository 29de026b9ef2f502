-- Who told of a mutation: moota, a phone, or a file that came after the one that brought it.

ALTER TABLE mutations ADD COLUMN bank TEXT;

CREATE TABLE mutation_tellings (
    tenant_id   UUID NOT NULL,
    telling_id  UUID NOT NULL,
    mutation_id UUID NOT NULL,
    source      TEXT NOT NULL,
    told        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, telling_id),
    FOREIGN KEY (tenant_id, mutation_id) REFERENCES mutations (tenant_id, mutation_id)
);
-- A source tells of a mutation once.
CREATE UNIQUE INDEX mutation_tellings_source ON mutation_tellings (tenant_id, mutation_id, source);
