-- Where customers and sites are on the map, in millionths of a degree. Both or neither.
ALTER TABLE sites ADD COLUMN latitude BIGINT CHECK (latitude BETWEEN -90000000 AND 90000000);
ALTER TABLE sites ADD COLUMN longitude BIGINT CHECK (longitude BETWEEN -180000000 AND 180000000)
    CHECK ((latitude IS NULL) = (longitude IS NULL));
ALTER TABLE customers ADD COLUMN latitude BIGINT CHECK (latitude BETWEEN -90000000 AND 90000000);
ALTER TABLE customers ADD COLUMN longitude BIGINT CHECK (longitude BETWEEN -180000000 AND 180000000)
    CHECK ((latitude IS NULL) = (longitude IS NULL));
