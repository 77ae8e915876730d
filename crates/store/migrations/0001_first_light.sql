-- Times are Unix milliseconds in UTC. Ids are opaque texts. Secrets are never here: only keyed hashes of them.
-- Every table that holds an account's things has account_id, and every query names it.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);

CREATE TABLE accounts (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    id          TEXT   NOT NULL PRIMARY KEY,
    account_id  TEXT   NOT NULL REFERENCES accounts (id),
    email       TEXT   NOT NULL UNIQUE, -- lower case
    role        TEXT   NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    created_at  BIGINT NOT NULL,
    disabled_at BIGINT
);
CREATE INDEX members_by_account ON members (account_id, created_at);

CREATE TABLE sessions (
    token_hash   BLOB   NOT NULL PRIMARY KEY,
    member_id    TEXT   NOT NULL REFERENCES members (id),
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL, -- brought up to date at most once a minute
    expires_at   BIGINT NOT NULL  -- the end, however busy
);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE sign_in_links (
    token_hash BLOB   NOT NULL PRIMARY KEY,
    member_id  TEXT   NOT NULL REFERENCES members (id),
    expires_at BIGINT NOT NULL
);

-- A row for any address that asked, member or not, so that an answer tells nothing about who is one.
CREATE TABLE email_codes (
    email         TEXT   NOT NULL PRIMARY KEY,
    code_hash     BLOB   NOT NULL,
    sent_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    tries_left    BIGINT NOT NULL,
    hour_start    BIGINT NOT NULL, -- the hour in which codes are counted
    codes_in_hour BIGINT NOT NULL
);

CREATE TABLE workspaces (
    id          TEXT    NOT NULL PRIMARY KEY,
    account_id  TEXT    NOT NULL REFERENCES accounts (id),
    region      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL, -- the name as it is compared and searched: NFKC, lower case
    is_default  BOOLEAN NOT NULL,
    created_at  BIGINT  NOT NULL,
    archived_at BIGINT,
    version     BIGINT  NOT NULL
);
CREATE UNIQUE INDEX workspaces_by_name ON workspaces (account_id, region, name_key) WHERE archived_at IS NULL;

CREATE TABLE api_keys (
    id              TEXT   NOT NULL PRIMARY KEY,
    account_id      TEXT   NOT NULL REFERENCES accounts (id),
    region          TEXT   NOT NULL,
    workspace_id    TEXT   NOT NULL REFERENCES workspaces (id),
    owner_id        TEXT   NOT NULL REFERENCES members (id),
    description     TEXT   NOT NULL,
    description_key TEXT   NOT NULL, -- as it is searched: NFKC, lower case
    public_id       TEXT   NOT NULL UNIQUE,
    secret_hash     BLOB   NOT NULL,
    masked          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    deleted_at      BIGINT,
    version         BIGINT NOT NULL
);
CREATE INDEX api_keys_in_order ON api_keys (workspace_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX api_keys_by_region ON api_keys (account_id, region) WHERE deleted_at IS NULL;

CREATE TABLE audit (
    id           TEXT   NOT NULL PRIMARY KEY,
    account_id   TEXT   NOT NULL REFERENCES accounts (id),
    at           BIGINT NOT NULL,
    actor_id     TEXT,
    actor_email  TEXT   NOT NULL,
    action       TEXT   NOT NULL, -- the operation's name, such as api_key_create
    object_kind  TEXT   NOT NULL,
    object_id    TEXT   NOT NULL,
    region       TEXT,
    workspace_id TEXT,
    address      TEXT   NOT NULL, -- where the request came from
    request_id   TEXT   NOT NULL,
    detail       TEXT   NOT NULL  -- JSON: what was changed; never a secret
);
CREATE INDEX audit_in_order ON audit (account_id, at DESC, id DESC);

-- Answers kept for a day, to be repeated when a client sends the same request again.
CREATE TABLE idempotent_answers (
    account_id      TEXT   NOT NULL REFERENCES accounts (id),
    member_id       TEXT   NOT NULL,
    idempotency_key TEXT   NOT NULL,
    fingerprint     BLOB   NOT NULL, -- of operation, path and body
    status          BIGINT NOT NULL,
    body            TEXT   NOT NULL, -- without a secret
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (account_id, member_id, idempotency_key)
);
CREATE INDEX idempotent_answers_by_age ON idempotent_answers (created_at);
