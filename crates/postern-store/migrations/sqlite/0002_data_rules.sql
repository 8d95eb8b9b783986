-- Data rules: what is looked for in requests and answers, and what is done about it.

CREATE TABLE data_rules (
    rule_key   INTEGER PRIMARY KEY AUTOINCREMENT,
    env        TEXT    NOT NULL REFERENCES environments (name),
    name       TEXT    NOT NULL,
    -- What the rule says, with the words and patterns that people gave it.
    sealed     BLOB    NOT NULL,
    created_ms BIGINT  NOT NULL,
    changed_ms BIGINT  NOT NULL,
    version    BIGINT  NOT NULL
);
CREATE UNIQUE INDEX data_rules_by_name ON data_rules (env, name);
