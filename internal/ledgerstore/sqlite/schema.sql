-- SPDX-License-Identifier: Apache-2.0
-- Schema version 1 of a mission's ledger. The head row is the commit point: every append
-- moves it from the size it read to the size it wrote, in the transaction of its rows.

CREATE TABLE head (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  size       INTEGER NOT NULL CHECK (size >= 0),
  root       BLOB NOT NULL CHECK (length(root) = 32),
  logged_at  INTEGER NOT NULL, -- of the last entry, Unix milliseconds
  checkpoint BLOB              -- signed note; NULL until the first append
) STRICT;

-- Small columns first: reading them never touches the pages a long body overflows to.
CREATE TABLE entry (
  idx       INTEGER PRIMARY KEY CHECK (idx >= 0),
  id        BLOB NOT NULL CHECK (length(id) = 16),
  logged_at INTEGER NOT NULL, -- Unix milliseconds
  leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
  leaf_salt BLOB NOT NULL CHECK (length(leaf_salt) = 32),
  body_salt BLOB CHECK (length(body_salt) = 32),
  envelope  BLOB NOT NULL,
  body      BLOB
) STRICT;

CREATE UNIQUE INDEX entry_id ON entry (id);

-- Full tiles only. Partial ones are computed from the rows.
CREATE TABLE tile (
  level INTEGER NOT NULL CHECK (level >= 0),
  n     INTEGER NOT NULL CHECK (n >= 0),
  data  BLOB NOT NULL CHECK (length(data) = 8192),
  PRIMARY KEY (level, n)
) STRICT;
