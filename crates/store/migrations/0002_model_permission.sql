-- Which models the keys of a workspace may call, and how fast. The default workspace has no rows: it may call all.
CREATE TABLE model_grants (
    workspace_id TEXT   NOT NULL REFERENCES workspaces (id),
    model        TEXT   NOT NULL,
    rpm          BIGINT NOT NULL CHECK (rpm >= 1), -- calls a minute
    tpm          BIGINT CHECK (tpm >= 1),          -- tokens a minute; null: not metered in tokens
    PRIMARY KEY (workspace_id, model)
);

-- The gateway's windows of the last minute, written once a second, so that a restart forgets no call. A row stays when
-- its minute is over: it says when the model was last called.
CREATE TABLE limit_windows (
    account_id      TEXT   NOT NULL REFERENCES accounts (id),
    region          TEXT   NOT NULL,
    model           TEXT   NOT NULL,
    workspace_id    TEXT   NOT NULL, -- empty: the window of the account as a whole
    charges         TEXT   NOT NULL, -- JSON: [[Unix second, calls, tokens], …]
    last_charged_at BIGINT NOT NULL, -- with a call, or with the tokens of one
    last_called_at  BIGINT,          -- with a call
    PRIMARY KEY (account_id, region, model, workspace_id)
);
CREATE INDEX limit_windows_by_workspace ON limit_windows (workspace_id);
CREATE INDEX limit_windows_by_time ON limit_windows (last_charged_at);
