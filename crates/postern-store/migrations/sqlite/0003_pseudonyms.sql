-- Placeholders that outlive their request, one row a token: what they stand for is given back to
-- that token alone.

CREATE TABLE pseudonyms (
    token_id   TEXT   PRIMARY KEY NOT NULL REFERENCES tokens (token_id),
    env        TEXT   NOT NULL REFERENCES environments (name),
    -- The placeholders with their values, bound to the other columns.
    sealed     BLOB   NOT NULL,
    expires_ms BIGINT NOT NULL
);
CREATE INDEX pseudonyms_by_expiry ON pseudonyms (expires_ms);
