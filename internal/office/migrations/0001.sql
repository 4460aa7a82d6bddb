-- Times are Unix milliseconds; 0 stands for none. Ids are 16 bytes.

CREATE TABLE officers (
    id          BLOB PRIMARY KEY,
    member      TEXT NOT NULL,
    roles       TEXT NOT NULL, -- separated by spaces
    state       TEXT NOT NULL,
    name_erased INTEGER NOT NULL DEFAULT 0,
    created     INTEGER NOT NULL,
    changed     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Bodies of records that name officers. The ledger holds a commitment to each.
CREATE TABLE names (
    statement BLOB PRIMARY KEY, -- id of the record's statement
    officer   BLOB NOT NULL,
    n         INTEGER NOT NULL, -- order of keeping; the highest is the name in use
    name      TEXT NOT NULL,
    body      BLOB NOT NULL,
    salt      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX names_of ON names (officer, n);

CREATE TABLE invitations (
    hash     BLOB PRIMARY KEY, -- SHA-256 of the token
    id       BLOB NOT NULL,
    officer  BLOB NOT NULL REFERENCES officers (id),
    invited_by BLOB NOT NULL,  -- zeros: whoever runs the node
    created  INTEGER NOT NULL,
    expires  INTEGER NOT NULL,
    reusable INTEGER NOT NULL,
    used     INTEGER NOT NULL DEFAULT 0,
    void     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX invitations_of ON invitations (officer);

CREATE TABLE sign_ins (
    hash      BLOB PRIMARY KEY, -- SHA-256 of the token
    id        BLOB NOT NULL UNIQUE,
    officer   BLOB NOT NULL REFERENCES officers (id),
    created   INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    seen      INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    agent     TEXT NOT NULL,
    ended     INTEGER NOT NULL DEFAULT 0,
    ended_by  TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_of ON sign_ins (officer, created);

CREATE TABLE drafts (
    id      BLOB PRIMARY KEY,
    officer BLOB NOT NULL REFERENCES officers (id),
    kind    TEXT NOT NULL,
    title   TEXT NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    vals    TEXT NOT NULL -- JSON; last, so that a list need not read it
) STRICT;
CREATE INDEX drafts_of ON drafts (officer, changed);

CREATE TABLE lists (
    id      BLOB PRIMARY KEY,
    officer BLOB NOT NULL REFERENCES officers (id),
    name    TEXT NOT NULL,
    page    TEXT NOT NULL,
    query   TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (officer, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE later (
    member  TEXT NOT NULL,
    account BLOB NOT NULL,
    officer BLOB NOT NULL,
    until   INTEGER NOT NULL,
    note    TEXT NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (member, account)
) STRICT, WITHOUT ROWID;

-- A name was erased and its bytes may still stand in the files.
CREATE TABLE purge (due INTEGER PRIMARY KEY) STRICT;
