-- A code is bound to the browser that asked for it. Codes that were pending are dropped: people ask for another.
DROP TABLE email_codes;

-- One row a browser that waits for a code, for any address, member or not, so that an answer tells nothing about who is one.
CREATE TABLE sign_in_codes (
    nonce_hash BLOB   NOT NULL PRIMARY KEY, -- keyed hash of the browser's cookie
    email      TEXT   NOT NULL,
    code_hash  BLOB   NOT NULL,             -- keyed, of address, cookie and code
    network    TEXT   NOT NULL,             -- where the browser is: an IPv4 address or an IPv6 /64
    sent_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tries_left BIGINT NOT NULL
);
CREATE INDEX sign_in_codes_by_expiry ON sign_in_codes (expires_at);
CREATE INDEX sign_in_codes_by_network ON sign_in_codes (network, sent_at);

-- How often something was done in a window of time: codes that were asked for, and wrong codes.
CREATE TABLE sign_in_counts (
    subject TEXT   NOT NULL PRIMARY KEY, -- what is counted, and for whom
    weight  BIGINT NOT NULL,             -- 0: codes asked for, 1: wrong codes; the lighter are evicted first
    count   BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX sign_in_counts_by_end ON sign_in_counts (ends_at);
CREATE INDEX sign_in_counts_by_weight ON sign_in_counts (weight, count, last_at);

-- Browsers in which a member signed in before. They have budgets of their own.
CREATE TABLE known_browsers (
    token_hash BLOB   NOT NULL PRIMARY KEY, -- keyed hash of the browser's cookie
    member_id  TEXT   NOT NULL REFERENCES members (id),
    created_at BIGINT NOT NULL,             -- the last sign-in; each makes a new row
    expires_at BIGINT NOT NULL
);
CREATE INDEX known_browsers_by_member ON known_browsers (member_id, created_at);
CREATE INDEX known_browsers_by_expiry ON known_browsers (expires_at);
