-- Since when all sums by minute and by hour are there, in Unix milliseconds: what began before may be deleted.
ALTER TABLE usage_state ADD COLUMN minutes_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage_state ADD COLUMN hours_from INTEGER NOT NULL DEFAULT 0;
