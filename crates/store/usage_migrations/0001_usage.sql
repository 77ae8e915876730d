-- Texts that calls repeat, each kept once: ids of keys and members, and models. 0 is the empty text: no model.
CREATE TABLE usage_names (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Workspaces that were called, with the region they are in.
CREATE TABLE usage_workspaces (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL UNIQUE,
    region       TEXT NOT NULL
);

-- The log: the calls of a workspace that ended in the same minute and were written together.
CREATE TABLE call_blocks (
    seq       INTEGER PRIMARY KEY, -- counts up; chosen before it is written
    workspace INTEGER NOT NULL,
    minute    INTEGER NOT NULL,    -- Unix minutes
    calls     BLOB    NOT NULL
);
CREATE INDEX call_blocks_by_minute ON call_blocks (workspace, minute, seq);

-- Sums over the log. A slot is step, workspace, kind and time in one number, so that what is read together lies
-- together, and a row of some kilobytes stays on its page, which it would not in a table without rowid.
CREATE TABLE usage_rollups (
    slot  INTEGER PRIMARY KEY,
    cells BLOB NOT NULL
);

-- One row: which blocks the sums hold, where the log begins, and what page tokens are checked with.
CREATE TABLE usage_state (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    folded   INTEGER NOT NULL, -- the last seq that is in the sums
    log_from INTEGER NOT NULL, -- the first minute that is in the log; older blocks count as deleted
    page_key BLOB    NOT NULL
);
INSERT INTO usage_state (id, folded, log_from, page_key) VALUES (1, 0, 0, randomblob(16));
