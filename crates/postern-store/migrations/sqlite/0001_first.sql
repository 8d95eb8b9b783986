-- The first schema. Times are whole milliseconds since 1970. What was deleted but is still spoken of
-- (environments, principals, upstreams) keeps its row with `deleted_ms`; its number is never given
-- to another.

CREATE TABLE installation (
    only_row        BIGINT PRIMARY KEY CHECK (only_row = 1),
    installation_id TEXT   NOT NULL,
    created_ms      BIGINT NOT NULL,
    revision        BIGINT NOT NULL
);

-- A name is never used again: tokens and audit entries carry it.
CREATE TABLE environments (
    name            TEXT   PRIMARY KEY NOT NULL,
    description     TEXT   NOT NULL,
    token_ttl_max_s BIGINT,
    created_ms      BIGINT NOT NULL,
    deleted_ms      BIGINT,
    version         BIGINT NOT NULL
);

CREATE TABLE principals (
    principal_key INTEGER PRIMARY KEY AUTOINCREMENT,
    env           TEXT    NOT NULL REFERENCES environments (name),
    -- A keyed mark of the name, to find it by.
    name_mark     BLOB    NOT NULL,
    -- Name, team and tenant; empty when deleted.
    sealed        BLOB    NOT NULL,
    disabled      BIGINT  NOT NULL,
    created_ms    BIGINT  NOT NULL,
    deleted_ms    BIGINT,
    version       BIGINT  NOT NULL
);
CREATE UNIQUE INDEX principals_by_mark ON principals (env, name_mark) WHERE deleted_ms IS NULL;

CREATE TABLE upstreams (
    upstream_key       INTEGER PRIMARY KEY AUTOINCREMENT,
    env                TEXT    NOT NULL REFERENCES environments (name),
    name               TEXT    NOT NULL,
    kind               TEXT    NOT NULL,
    url                TEXT    NOT NULL,
    -- 'env' and 'file' name where the credential is; 'sealed' has it in credential_sealed.
    credential_kind    TEXT,
    credential_name    TEXT,
    credential_sealed  BLOB,
    credential_version BIGINT  NOT NULL,
    settings           TEXT    NOT NULL,
    created_ms         BIGINT  NOT NULL,
    deleted_ms         BIGINT,
    version            BIGINT  NOT NULL
);
CREATE UNIQUE INDEX upstreams_by_name ON upstreams (env, name) WHERE deleted_ms IS NULL;

CREATE TABLE policies (
    env        TEXT   NOT NULL REFERENCES environments (name),
    name       TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (env, name)
);

CREATE TABLE tokens (
    token_id         TEXT   PRIMARY KEY NOT NULL,
    kind             TEXT   NOT NULL CHECK (kind IN ('server', 'admin')),
    -- NULL only for an administrator of the whole installation.
    env              TEXT   REFERENCES environments (name),
    principal_key    BIGINT REFERENCES principals (principal_key),
    role             TEXT,
    -- Grants with the numbers of their upstreams, limits, and every word about people. Bound to the
    -- columns here and to the numbers and ends of the secrets: changed by hand, it does not open.
    sealed           BLOB   NOT NULL,
    created_ms       BIGINT NOT NULL,
    expires_ms       BIGINT NOT NULL,
    revoked_ms       BIGINT,
    -- Of secrets that are gone; those that are there have their own.
    last_used_ms     BIGINT,
    version          BIGINT NOT NULL,
    idempotency_mark BLOB   UNIQUE,
    request_mark     BLOB,
    CHECK (kind = 'admin' OR (env IS NOT NULL AND principal_key IS NOT NULL AND role IS NULL)),
    CHECK (kind = 'server' OR (principal_key IS NULL AND role IS NOT NULL))
);
CREATE INDEX tokens_by_age ON tokens (created_ms, token_id);
CREATE INDEX tokens_by_env ON tokens (env, created_ms, token_id);
CREATE INDEX tokens_by_principal ON tokens (principal_key, created_ms, token_id);
-- Few among many, and asked for alone.
CREATE INDEX tokens_revoked ON tokens (env, created_ms, token_id) WHERE revoked_ms IS NOT NULL;

CREATE TABLE token_secrets (
    token_id         TEXT   NOT NULL REFERENCES tokens (token_id),
    -- 1 for the first, rising with each rotation.
    number           BIGINT NOT NULL,
    digest           BLOB   NOT NULL,
    pepper_version   BIGINT NOT NULL,
    last_four        TEXT   NOT NULL,
    created_ms       BIGINT NOT NULL,
    expires_ms       BIGINT NOT NULL,
    last_used_ms     BIGINT,
    idempotency_mark BLOB,
    PRIMARY KEY (token_id, number)
) WITHOUT ROWID;

-- What a principal made at a provider under the shared credential.
CREATE TABLE owned (
    upstream_key  BIGINT NOT NULL REFERENCES upstreams (upstream_key),
    kind          TEXT   NOT NULL,
    owned_id      TEXT   NOT NULL,
    principal_key BIGINT NOT NULL REFERENCES principals (principal_key),
    expires_ms    BIGINT NOT NULL,
    PRIMARY KEY (upstream_key, kind, owned_id)
) WITHOUT ROWID;
CREATE INDEX owned_by_expiry ON owned (expires_ms);
