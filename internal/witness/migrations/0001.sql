-- SPDX-License-Identifier: Apache-2.0

-- The last head of each log that was cosigned. The row is written in the transaction that
-- decides, before any cosignature is given out.
CREATE TABLE held (
  origin     TEXT PRIMARY KEY,
  size       INTEGER NOT NULL CHECK (size >= 0),
  root       BLOB NOT NULL CHECK (length(root) = 32),
  at         INTEGER NOT NULL CHECK (at > 0), -- Unix seconds, the time in the cosignatures
  checkpoint BLOB NOT NULL                    -- the signed note: the log's lines, then ours
) STRICT, WITHOUT ROWID;

-- Whatever the program does wrong, the file never goes back and never changes its mind.
CREATE TRIGGER held_forward BEFORE UPDATE ON held
WHEN new.origin <> old.origin OR new.size < old.size OR new.at < old.at OR (new.size = old.size AND new.root <> old.root)
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;

CREATE TRIGGER held_kept BEFORE DELETE ON held
BEGIN SELECT RAISE(ABORT, 'a witness forgets nothing'); END;
