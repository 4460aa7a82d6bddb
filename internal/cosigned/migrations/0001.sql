-- Columns "at", "met_at" and "sure_at" are Unix seconds by cosigners' clocks; "seen_at" is
-- Unix milliseconds by this node's.

-- The log whose heads these are: one row once the first head is kept.
CREATE TABLE log (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    origin TEXT NOT NULL
) STRICT;

CREATE TABLE cosigners (
    id   INTEGER PRIMARY KEY,
    vkey TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE policies (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE heads (
    size          INTEGER PRIMARY KEY,
    root          BLOB NOT NULL CHECK (length(root) = 32),
    log_signature BLOB NOT NULL, -- four bytes of the key's hash, then the signature
    policy        INTEGER REFERENCES policies (id), -- the one it met; NULL: none yet
    met_at        INTEGER NOT NULL DEFAULT 0,
    sure_at       INTEGER NOT NULL DEFAULT 0,
    CHECK ((policy IS NULL) = (met_at = 0) AND (met_at = 0) = (sure_at = 0))
) STRICT;
CREATE INDEX heads_witnessed ON heads (size) WHERE met_at <> 0;
CREATE INDEX heads_waiting ON heads (size) WHERE met_at = 0;

-- One cosigner's cosignatures of one head: the newest, and the oldest where it is another.
CREATE TABLE marks (
    size            INTEGER NOT NULL REFERENCES heads (size),
    cosigner        INTEGER NOT NULL REFERENCES cosigners (id),
    at              INTEGER NOT NULL,
    seen_at         INTEGER NOT NULL,
    signature       BLOB NOT NULL CHECK (length(signature) = 64),
    first_at        INTEGER,
    first_seen_at   INTEGER,
    first_signature BLOB CHECK (length(first_signature) = 64),
    PRIMARY KEY (size, cosigner),
    CHECK ((first_at IS NULL) = (first_signature IS NULL) AND (first_at IS NULL) = (first_seen_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX marks_last ON marks (cosigner, size);
