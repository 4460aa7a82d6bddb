-- SPDX-License-Identifier: Apache-2.0
-- The spool of one import: a file that lives as long as its report.

-- One row for each data row that names a statement.
CREATE TABLE claims (
  statement TEXT NOT NULL,
  row       INTEGER NOT NULL,
  line      INTEGER NOT NULL,
  name      TEXT NOT NULL,      -- claim_id
  claim     TEXT NOT NULL,      -- JSON, a list; empty when the row is bad
  PRIMARY KEY (statement, row)
) WITHOUT ROWID;

CREATE TABLE statements (
  name    TEXT PRIMARY KEY,
  first   INTEGER NOT NULL,             -- first row; the order of filing
  rows    INTEGER NOT NULL,
  size    INTEGER NOT NULL,             -- bytes of its claims, as JSON
  head    TEXT NOT NULL,                -- JSON, of the first good row
  because TEXT NOT NULL DEFAULT '',     -- why it cannot be filed, told of its good rows
  fate    TEXT NOT NULL DEFAULT '',     -- see fate
  id      BLOB,                         -- of the account to file
  report  BLOB                          -- of the document it was told in
) WITHOUT ROWID;
CREATE INDEX statements_first ON statements (first);
CREATE INDEX statements_fate ON statements (fate, first);

-- Documents by id, and whether they are in the ledger.
CREATE TABLE reports (
  id    BLOB PRIMARY KEY,
  filed INTEGER NOT NULL
) WITHOUT ROWID;

-- Everything wrong with any row, in words. A row may stand here more than once.
CREATE TABLE bad (
  row       INTEGER NOT NULL,
  line      INTEGER NOT NULL,
  statement TEXT NOT NULL,
  claim     TEXT NOT NULL,
  col       TEXT NOT NULL,
  rule      TEXT NOT NULL,
  reason    TEXT NOT NULL,
  cause     INTEGER NOT NULL -- see cause
);
CREATE INDEX bad_row ON bad (row);

-- Names that stand in lines which cannot be read: statements of these names are held.
CREATE TABLE suspects (
  name    TEXT PRIMARY KEY,
  because TEXT NOT NULL
) WITHOUT ROWID;

-- Words for places that the agreement does not know.
CREATE TABLE places (
  text TEXT PRIMARY KEY,
  first INTEGER NOT NULL,
  rows INTEGER NOT NULL
) WITHOUT ROWID;

-- Words of other columns for which there is no code.
CREATE TABLE unmapped (
  col   TEXT NOT NULL,
  text  TEXT NOT NULL,
  first INTEGER NOT NULL,
  rows  INTEGER NOT NULL,
  PRIMARY KEY (col, text)
) WITHOUT ROWID;

-- Rows that are kept although they are odd, and why. A row may stand here more than once.
CREATE TABLE flagged (
  row       INTEGER NOT NULL,
  line      INTEGER NOT NULL,
  statement TEXT NOT NULL,
  reason    TEXT NOT NULL
);
