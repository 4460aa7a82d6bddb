-- The tables of a projection. Everything here is computed from the ledger and may
-- be deleted. Ids are 16-byte blobs, times Unix milliseconds, lists JSON arrays.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE records (
  idx        INTEGER PRIMARY KEY,
  id         BLOB NOT NULL UNIQUE,
  kind       TEXT NOT NULL,
  member     TEXT NOT NULL,
  officer    BLOB NOT NULL,
  audience   TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  logged_at  INTEGER NOT NULL,
  subjects   TEXT NOT NULL,
  has_body   INTEGER NOT NULL,
  batch      BLOB NOT NULL,          -- 16 zero bytes: none
  counted    INTEGER NOT NULL,
  act        BLOB NOT NULL,          -- shared by records filed as one act; 16 zero bytes: none
  undone     INTEGER NOT NULL,       -- index of the record that undid it; -1: none
  reason     TEXT NOT NULL           -- that its body gives; empty where it gives none
) STRICT;
-- Records whose body is not for everybody, and whether it is shown here.
CREATE TABLE boxes (
  idx   INTEGER PRIMARY KEY,
  id    BLOB NOT NULL UNIQUE,
  shown INTEGER NOT NULL
) STRICT;
CREATE INDEX boxes_closed ON boxes (idx) WHERE shown = 0;
CREATE INDEX records_officer ON records (officer, idx);
-- Whether anything that pages compute with is for fewer than everybody.
CREATE INDEX records_fewer ON records (idx) WHERE audience NOT IN ('public','own') AND substr(kind, 1, 8) IN ('account.','incident','notice.f','report.f');
CREATE INDEX records_act ON records (act) WHERE act <> x'00000000000000000000000000000000';
CREATE INDEX records_batch ON records (batch) WHERE batch <> x'00000000000000000000000000000000';

CREATE TABLE adoptions (version INTEGER, part INTEGER, body TEXT NOT NULL, PRIMARY KEY (version, part)) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
  id        BLOB PRIMARY KEY,
  idx       INTEGER NOT NULL,
  recorder  TEXT NOT NULL,
  logged_at INTEGER NOT NULL,
  batch     BLOB NOT NULL,
  counted   INTEGER NOT NULL,
  body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- so that they are counted without their bodies
CREATE INDEX reports_counted ON reports (idx) WHERE counted;

CREATE TABLE accounts (
  id         BLOB PRIMARY KEY,
  current    BLOB NOT NULL,
  idx        INTEGER NOT NULL,       -- of current
  recorder   TEXT NOT NULL,          -- of current
  state      TEXT NOT NULL,
  reason     TEXT NOT NULL,
  aside      INTEGER NOT NULL,       -- said to be about no incident
  said_on    TEXT NOT NULL,
  claimant   TEXT NOT NULL,
  kind       TEXT NOT NULL,
  party      TEXT NOT NULL,
  carrier    TEXT NOT NULL,          -- its own, else its document's
  language   TEXT NOT NULL,          -- of its quote, else of its document
  claims     INTEGER NOT NULL,
  first_idx  INTEGER NOT NULL,
  batch      BLOB NOT NULL,
  counted    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- what a source told
CREATE INDEX accounts_claimant ON accounts (claimant, kind);
CREATE INDEX accounts_carrier ON accounts (carrier) WHERE carrier <> '';

CREATE TABLE versions (
  statement  BLOB PRIMARY KEY,
  account    BLOB NOT NULL,
  idx        INTEGER NOT NULL,
  recorder   TEXT NOT NULL,
  officer    BLOB NOT NULL,
  logged_at  INTEGER NOT NULL,
  claimed_at INTEGER NOT NULL,
  report     BLOB NOT NULL,
  before     BLOB NOT NULL,          -- the version that it took the place of
  undone     INTEGER NOT NULL,       -- index of the record that undid the amendment; -1: stands
  body       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX versions_account ON versions (account, idx);
CREATE INDEX versions_report ON versions (report);

-- the claims of the versions that stand
CREATE TABLE claims (
  account    BLOB NOT NULL,
  n          INTEGER NOT NULL,
  element    TEXT NOT NULL,
  measure    TEXT NOT NULL,
  grp        TEXT NOT NULL,
  subset     TEXT NOT NULL,
  scope      TEXT NOT NULL,
  stance     TEXT NOT NULL,
  bound      TEXT NOT NULL,
  low        INTEGER,                -- NULL: none was said
  high       INTEGER,                -- NULL: none was said
  derived    INTEGER NOT NULL,
  span_start TEXT NOT NULL,
  span_end   TEXT NOT NULL,
  places     TEXT NOT NULL,
  words      TEXT NOT NULL,
  place_text TEXT NOT NULL,
  PRIMARY KEY (account, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
  id         BLOB PRIMARY KEY,
  root       BLOB NOT NULL,          -- itself, or what it was merged into at the last
  number     TEXT NOT NULL,
  class      TEXT NOT NULL,
  label      TEXT NOT NULL,
  place_text TEXT NOT NULL,
  span_start TEXT NOT NULL,
  span_end   TEXT NOT NULL,
  span_note  TEXT NOT NULL,
  first_day  TEXT NOT NULL,          -- YYYY-MM-DD
  last_day   TEXT NOT NULL,
  year       INTEGER NOT NULL,
  types      TEXT NOT NULL,
  places     TEXT NOT NULL,
  external   TEXT NOT NULL,
  alias      BLOB NOT NULL,
  undone     INTEGER NOT NULL,       -- index of the record that undid the opening; -1: stands
  opened_by  TEXT NOT NULL,
  opened_at  INTEGER NOT NULL,
  idx        INTEGER NOT NULL,
  batch      BLOB NOT NULL,
  counted    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX incidents_root ON incidents (root);
CREATE INDEX incidents_alias ON incidents (alias) WHERE alias <> x'00000000000000000000000000000000';
CREATE INDEX incidents_year ON incidents (class, year, idx);
CREATE INDEX incidents_day ON incidents (class, first_day DESC);

CREATE TABLE incident_codes (
  incident BLOB NOT NULL,
  list     TEXT NOT NULL,            -- type or place
  code     TEXT NOT NULL,
  PRIMARY KEY (list, code, incident)
) STRICT, WITHOUT ROWID;

CREATE TABLE links (
  id       BLOB PRIMARY KEY,
  account  BLOB NOT NULL,
  incident BLOB NOT NULL,
  role     TEXT NOT NULL,
  claims   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  recorder TEXT NOT NULL,
  idx      INTEGER NOT NULL,
  undone   INTEGER NOT NULL          -- index of incident.unlinked; -1: stands
) STRICT, WITHOUT ROWID;
CREATE INDEX links_account ON links (account) WHERE undone = -1;
CREATE INDEX links_incident ON links (incident) WHERE undone = -1;

-- which records concern which incident or account, for their histories
CREATE TABLE concerns (what BLOB NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (what, idx)) STRICT, WITHOUT ROWID;
CREATE INDEX concerns_idx ON concerns (idx);

CREATE TABLE batches (
  id     BLOB PRIMARY KEY,
  member TEXT NOT NULL,
  name   TEXT NOT NULL,
  rows   INTEGER NOT NULL,
  file   TEXT NOT NULL,              -- SHA-256
  accepted INTEGER NOT NULL,         -- of the rows; -1 until it is closed
  present  INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  state  TEXT NOT NULL,
  reason TEXT NOT NULL,              -- of the withdrawal
  idx    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grades (
  id     BLOB PRIMARY KEY,
  source TEXT NOT NULL,
  grade  TEXT NOT NULL,
  reason TEXT NOT NULL,
  member TEXT NOT NULL,
  idx    INTEGER NOT NULL,
  undone INTEGER NOT NULL            -- index of the record that undid it; -1: stands
) STRICT, WITHOUT ROWID;
CREATE INDEX grades_source ON grades (source, idx);

-- models by which accounts are compared, as they were learnt
CREATE TABLE models (
  id     BLOB PRIMARY KEY,
  idx    INTEGER NOT NULL,
  schema INTEGER NOT NULL,           -- version of the comparison that it is for
  size   INTEGER NOT NULL,           -- of the prefix of the ledger that it was learnt from
  undone INTEGER NOT NULL,           -- index of the record that undid it; -1: stands
  body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX models_idx ON models (idx);

CREATE TABLE releases (
  id       BLOB PRIMARY KEY,         -- of release.made
  idx      INTEGER NOT NULL,
  year     INTEGER NOT NULL,         -- in which it was logged
  number   TEXT NOT NULL,
  audience TEXT NOT NULL,
  title    TEXT NOT NULL,
  replaces BLOB NOT NULL,            -- 16 zero bytes: none
  items    INTEGER NOT NULL,
  body     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX releases_idx ON releases (idx);
CREATE INDEX releases_replaces ON releases (replaces);

-- The words of every version of an account, under the index of its record, and of the
-- labels of incidents, as text.Fold writes them. Nothing is ever taken out: what counts
-- is for the tables above to say. Its own tables depend on how many records were folded
-- at once, so that a dump holds its words instead.
CREATE VIRTUAL TABLE search USING fts5(words, content = '', tokenize = 'ascii');
CREATE VIRTUAL TABLE search_terms USING fts5vocab(search, row);

-- Which record changed an account or an incident last. Who keeps either in memory reads
-- again what changed since. The fold updates the row of an account after all else that it
-- does to it.
CREATE TABLE changes (id BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX changes_idx ON changes (idx);
CREATE TRIGGER accounts_changed AFTER UPDATE ON accounts BEGIN
  INSERT OR REPLACE INTO changes SELECT new.id, coalesce(max(idx), -1) FROM records;
END;
CREATE TRIGGER links_new AFTER INSERT ON links BEGIN
  INSERT OR REPLACE INTO changes SELECT new.account, coalesce(max(idx), -1) FROM records;
END;
CREATE TRIGGER links_changed AFTER UPDATE ON links BEGIN
  INSERT OR REPLACE INTO changes SELECT new.account, coalesce(max(idx), -1) FROM records;
END;
CREATE TRIGGER incidents_new AFTER INSERT ON incidents BEGIN
  INSERT OR REPLACE INTO changes SELECT new.id, coalesce(max(idx), -1) FROM records;
END;
CREATE TRIGGER incidents_changed AFTER UPDATE ON incidents BEGIN
  INSERT OR REPLACE INTO changes SELECT new.id, coalesce(max(idx), -1) FROM records;
END;

-- what suggestions compare of all that was opened around a day, without reading the table
CREATE INDEX incidents_near ON incidents (first_day, last_day, class, span_start, span_end, types, places, counted, root, undone);
-- what was opened for more than one calendar month, by the days it reaches over
CREATE INDEX incidents_long ON incidents (last_day, first_day) WHERE substr(first_day, 1, 7) <> substr(last_day, 1, 7);

-- documents by their address
CREATE INDEX reports_url ON reports (json_extract(body, '$.url'));
