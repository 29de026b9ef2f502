-- Days before it are settled, whatever the grid of periods says.

ALTER TABLE subscriptions ADD COLUMN charged_until DATE;
