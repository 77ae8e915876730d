-- Keys that are restricted, end by themselves, are disabled, or were given a new secret.
ALTER TABLE api_keys ADD COLUMN permission TEXT NOT NULL DEFAULT '{"kind":"all"}'; -- JSON, as the API has it
ALTER TABLE api_keys ADD COLUMN disabled_at BIGINT;
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT;          -- null: never
ALTER TABLE api_keys ADD COLUMN previous_secret_hash BLOB;  -- of the secret before the last reset, if it was to overlap
ALTER TABLE api_keys ADD COLUMN previous_masked TEXT;
ALTER TABLE api_keys ADD COLUMN previous_expires_at BIGINT; -- when that secret stops working
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;        -- brought up to date at most once a minute
ALTER TABLE api_keys ADD COLUMN refused_address TEXT;       -- where the last call came from that the list of addresses refused
ALTER TABLE api_keys ADD COLUMN refused_at BIGINT;
CREATE INDEX api_keys_by_owner ON api_keys (account_id, region, owner_id) WHERE deleted_at IS NULL;
