-- API keys: a prefix to look them up, a hash to check them; the key itself is known to its holder only.
CREATE TABLE api_keys (
    prefix       text PRIMARY KEY CHECK (prefix ~ '^[a-z2-7]{10}$'),
    name         text NOT NULL CHECK (name <> ''),
    key_hash     bytea NOT NULL UNIQUE CHECK (octet_length(key_hash) = 32),
    role         text NOT NULL CHECK (role IN ('viewer', 'analyst', 'reviewer', 'operator')),
    scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    rotated_from text REFERENCES api_keys (prefix),
    last_used_at timestamptz
);

CREATE INDEX api_keys_by_name ON api_keys (name, created_at);
