-- Times are Unix milliseconds; 0 stands for none. Ids are 16 bytes.

CREATE TABLE acts (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT, -- order of queueing, never used twice
    id             BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    member         TEXT NOT NULL,
    officer        BLOB NOT NULL CHECK (length(officer) = 16), -- zeros: none
    summary        TEXT NOT NULL,
    state          TEXT NOT NULL,
    queued_at      INTEGER NOT NULL,
    changed_at     INTEGER NOT NULL,
    tried_at       INTEGER NOT NULL DEFAULT 0,
    tries          INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT NOT NULL DEFAULT '',
    refusal_code   TEXT NOT NULL DEFAULT '',
    refusal_reason TEXT NOT NULL DEFAULT '',
    refusal        BLOB
) STRICT;
CREATE INDEX acts_by_state ON acts (state, seq);
CREATE INDEX acts_waiting ON acts (seq) WHERE state IN ('queued', 'sent');

-- Small columns first, so that a list need not read the pages of long bodies.
CREATE TABLE records (
    act       INTEGER NOT NULL REFERENCES acts (seq),
    n         INTEGER NOT NULL, -- order in the act, from 0
    id        BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    kind      TEXT NOT NULL,
    body_salt BLOB CHECK (length(body_salt) = 32),
    envelope  BLOB NOT NULL,
    body      BLOB,
    UNIQUE (act, n)
) STRICT;

CREATE TABLE receipts (
    record       BLOB PRIMARY KEY REFERENCES records (id),
    act          INTEGER NOT NULL REFERENCES acts (seq),
    n            INTEGER NOT NULL,
    place        INTEGER NOT NULL UNIQUE, -- index in the ledger
    logged_at    INTEGER NOT NULL,
    leaf_salt    BLOB NOT NULL CHECK (length(leaf_salt) = 32),
    witnessed_at INTEGER NOT NULL DEFAULT 0,
    witnesses    TEXT NOT NULL DEFAULT '[]', -- JSON
    checkpoint   BLOB NOT NULL,
    proof        BLOB,
    UNIQUE (act, n)
) STRICT;
CREATE INDEX receipts_unwitnessed ON receipts (place) WHERE witnessed_at = 0;
