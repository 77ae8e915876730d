-- The first minute of which no block was deleted: the log never begins before it, whatever the clock said since.
ALTER TABLE usage_state ADD COLUMN deleted_to INTEGER NOT NULL DEFAULT 0;
-- Until now the log began where everything before was deleted, if the clock was right.
UPDATE usage_state SET deleted_to = min(log_from, unixepoch() / 60);
