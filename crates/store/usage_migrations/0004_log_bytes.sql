-- Bytes of the blocks that are both in the log and in the sums; moves in the transactions that fold and delete them. 48 is
-- what a block takes beside its calls: row, index, and its share of their pages.
ALTER TABLE usage_state ADD COLUMN log_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE usage_state SET log_bytes =
    (SELECT coalesce(sum(length(calls) + 48), 0) FROM call_blocks WHERE seq <= usage_state.folded);
-- The time of the last round of deletion that took the clock for right, in Unix milliseconds; 0: there was none.
ALTER TABLE usage_state ADD COLUMN clock_at INTEGER NOT NULL DEFAULT 0;
-- Changed by a write that finds out whether the file can be written.
ALTER TABLE usage_state ADD COLUMN probed_at INTEGER NOT NULL DEFAULT 0;
