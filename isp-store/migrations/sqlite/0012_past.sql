-- What a line was billed by before each change, so that the past can be told as it was; only added to.
-- place: 1, 2, 3 and so on of a line, as two changes may have one moment. terms: JSON, see src/subscription.rs.

CREATE TABLE former_terms (
    tenant_id       BLOB NOT NULL,
    subscription_id BLOB NOT NULL,
    place           INTEGER NOT NULL CHECK (place > 0),
    until           INTEGER NOT NULL,
    terms           TEXT NOT NULL,
    PRIMARY KEY (tenant_id, subscription_id, place),
    FOREIGN KEY (tenant_id, subscription_id) REFERENCES subscriptions (tenant_id, subscription_id)
) STRICT;

-- References are compared without blanks too, as a statement of account breaks them anywhere. Payments that are one by that
-- are all kept: the first that stands holds the key, as in 0007.
UPDATE payments SET set_aside = lower(hex(payment_id)) WHERE set_aside = '' AND reference LIKE '% %';
UPDATE payments SET identity = lower(provider) || ' ' || replace(lower(reference), ' ', '') WHERE reference LIKE '% %';
UPDATE payments SET set_aside = '' WHERE reference LIKE '% %' AND (tenant_id, payment_id) IN (
    SELECT tenant_id, payment_id FROM (
        SELECT p.tenant_id, p.payment_id, p.set_aside,
            ROW_NUMBER() OVER (PARTITION BY p.tenant_id, p.identity
                ORDER BY CASE WHEN p.set_aside = '' THEN 0 ELSE 1 END, p.received_at, p.payment_id) AS place
        FROM payments p
        WHERE NOT EXISTS (
            SELECT 1 FROM payment_reversals r WHERE r.tenant_id = p.tenant_id AND r.payment_id = p.payment_id)
    ) standing WHERE place = 1);
