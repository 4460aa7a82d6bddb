// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"truceline/record"
)

//go:embed schema.sql
var schema string

// spool keeps the rows of one import on disk. It belongs to one goroutine. Nothing in
// it outlives the import, so it pays for no durability: one transaction is begun and
// never committed, and the file is removed.
type spool struct {
	dir   string
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// fate is what becomes of a statement.
type fate string

const (
	fateUnknown  fate = ""
	fateNew      fate = "new"      // good, and not in the ledger
	fateAccepted fate = "accepted" // filed by this run
	fateResumed  fate = "resumed"  // filed into this file's open batch by an earlier run
	fatePresent  fate = "present"  // in the ledger before
	fateRejected fate = "rejected"
)

// statement is the rows of one statement_id together.
type statement struct {
	name    string
	first   int64
	rows    int64
	size    int64
	head    head
	because string
	id      record.ID
	report  record.ID
}

// pageSize is how many statements are in memory at a time.
const pageSize = 256

func newSpool() (_ *spool, err error) {
	s := &spool{stmts: map[string]*sql.Stmt{}}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make a temporary database for the rows: %w; check that the folder for temporary files can be written", err), s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "truceline-import-*"); err != nil {
		return s, err
	}
	path := filepath.ToSlash(filepath.Join(s.dir, "rows.db"))
	q := url.Values{"_pragma": {"journal_mode(OFF)", "synchronous(OFF)", "locking_mode(EXCLUSIVE)", "cache_size(-8000)"}}
	if s.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()); err != nil {
		return s, err
	}
	s.db.SetMaxOpenConns(1)
	// Not the caller's context: an interrupted statement would roll the rows back.
	if s.conn, err = s.db.Conn(context.Background()); err != nil {
		return s, err
	}
	if _, err = s.conn.ExecContext(context.Background(), schema+";BEGIN"); err != nil {
		return s, err
	}
	// Where an open file can lose its name it does so now, so that a process that is
	// killed leaves nobody's words behind. Elsewhere close removes it.
	os.RemoveAll(s.dir)
	return s, nil
}

func (s *spool) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	s.stmts, s.conn, s.db, s.dir = nil, nil, nil, ""
	return errors.Join(errs...)
}

func (s *spool) stmt(query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	if s.conn == nil {
		return nil, errors.New("the report is closed")
	}
	st, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.stmts[query] = st
	}
	return st, err
}

func (s *spool) exec(query string, args ...any) error {
	st, err := s.stmt(query)
	if err == nil {
		_, err = st.Exec(args...)
	}
	if err != nil {
		return fmt.Errorf("keep the rows in the temporary database: %w; check that there is room for temporary files", err)
	}
	return nil
}

// query calls scan for each row of the answer.
func (s *spool) query(query string, scan func(*sql.Rows) error, args ...any) error {
	st, err := s.stmt(query)
	if err != nil {
		return fmt.Errorf("read the temporary database: %w", err)
	}
	rows, err := st.Query(args...)
	if err != nil {
		return fmt.Errorf("read the temporary database: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *spool) number(query string, args ...any) (n int64, err error) {
	err = s.query(query, func(r *sql.Rows) error { return r.Scan(&n) }, args...)
	return n, err
}

// headOf is the head of the first good row of a statement; ok is false when there is
// none yet. first is the first row of the statement, 0 when it is new.
func (s *spool) headOf(name string) (h head, first int64, ok bool, err error) {
	err = s.query("SELECT head, first FROM statements WHERE name = ?", func(r *sql.Rows) error {
		var text string
		if err := r.Scan(&text, &first); err != nil || text == "" {
			return err
		}
		ok = true
		return json.Unmarshal([]byte(text), &h)
	}, name)
	return h, first, ok, err
}

// add keeps a row that names a statement. first tells that it is the statement's first,
// newHead that it is its first good one.
func (s *spool) add(p *parsedRow, row, line int64, first, newHead bool) error {
	claim, headText := "", ""
	if len(p.faults) == 0 {
		var err error
		if claim, err = compact(p.claims); err != nil {
			return err
		}
		if newHead {
			if headText, err = compact(p.head); err != nil {
				return err
			}
		}
	}
	if err := s.exec("INSERT INTO claims (statement, row, line, name, claim) VALUES (?, ?, ?, ?, ?)", p.statement, row, line, p.claimID, claim); err != nil {
		return err
	}
	if first {
		return s.exec("INSERT INTO statements (name, first, rows, size, head) VALUES (?, ?, 1, ?, ?)", p.statement, row, len(claim), headText)
	}
	if newHead && headText != "" {
		return s.exec("UPDATE statements SET rows = rows + 1, size = size + ?, head = ? WHERE name = ?", len(claim), headText, p.statement)
	}
	return s.exec("UPDATE statements SET rows = rows + 1, size = size + ? WHERE name = ?", len(claim), p.statement)
}

func compact(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.String(), err
}

// hold marks a statement as not to be filed. The first reason stays.
func (s *spool) hold(statement, because string) error {
	return s.exec("UPDATE statements SET because = ? WHERE name = ? AND because = ''", because, statement)
}

// cause tells what is wrong with a row itself from what it is rejected with.
type cause int

const (
	causeReal cause = iota // wrong with the row, or with its statement and listed on its first row
	causeHeld              // rejected because of another row of the statement or beside it
	causeStop              // nothing is wrong with it; other rows are bad, and the import stopped
)

// tell notes what is odd about a good row, and what no code stands for.
func (s *spool) tell(p *parsedRow, row, line int64) error {
	if p.unknownPlace != "" {
		if err := s.exec("INSERT INTO places (text, first, rows) VALUES (?, ?, 1) ON CONFLICT (text) DO UPDATE SET rows = rows + 1", p.unknownPlace, row); err != nil {
			return err
		}
	}
	for _, u := range p.unmapped {
		if err := s.exec("INSERT INTO unmapped (col, text, first, rows) VALUES (?, ?, ?, 1) ON CONFLICT (col, text) DO UPDATE SET rows = rows + 1", u.column.String(), u.text, row); err != nil {
			return err
		}
	}
	for _, f := range p.flags {
		if err := s.exec("INSERT INTO flagged (row, line, statement, reason) VALUES (?, ?, ?, ?)", row, line, clip(p.statement), f); err != nil {
			return err
		}
	}
	return nil
}

// fault lists one thing wrong with a row.
func (s *spool) fault(row, line int64, statement, claim string, f fault, c cause) error {
	return s.exec("INSERT INTO bad (row, line, statement, claim, col, rule, reason, cause) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		row, line, clip(statement), clip(claim), f.column.String(), string(f.rule), f.reason, int(c))
}

// faultRest lists every row of a statement of which nothing is listed yet. Of the
// statement's first row the cause is first.
func (s *spool) faultRest(st *statement, f fault, first cause) error {
	return s.exec(`INSERT INTO bad (row, line, statement, claim, col, rule, reason, cause)
		SELECT row, line, substr(statement, 1, 80), substr(name, 1, 80), ?, ?, ?, iif(row = ?, ?, ?) FROM claims
		WHERE statement = ? AND NOT EXISTS (SELECT 1 FROM bad WHERE bad.row = claims.row)`,
		f.column.String(), string(f.rule), f.reason, st.first, int(first), int(causeHeld), st.name)
}

// rejectNew rejects every statement that could be filed and was not.
func (s *spool) rejectNew(reason string) error {
	if err := s.exec(`INSERT INTO bad (row, line, statement, claim, col, rule, reason, cause)
		SELECT row, line, substr(statement, 1, 80), substr(claims.name, 1, 80), '', '', ?, ? FROM claims
		JOIN statements ON statements.name = claims.statement WHERE statements.fate = ?`, reason, int(causeStop), string(fateNew)); err != nil {
		return err
	}
	return s.exec("UPDATE statements SET fate = ? WHERE fate = ?", string(fateRejected), string(fateNew))
}

// settle writes down what becomes of a statement.
func (s *spool) settle(st *statement, f fate) error {
	return s.exec("UPDATE statements SET fate = ?, id = ?, report = ? WHERE name = ?", string(f), st.id[:], st.report[:], st.name)
}

// page gives the next statements of a fate after row, in the order of the file.
func (s *spool) page(f fate, after int64) (out []*statement, err error) {
	err = s.query("SELECT name, first, rows, size, head, because, id, report FROM statements WHERE fate = ? AND first > ? ORDER BY first LIMIT ?", func(r *sql.Rows) error {
		st := &statement{}
		var headText string
		var id, report []byte
		if err := r.Scan(&st.name, &st.first, &st.rows, &st.size, &headText, &st.because, &id, &report); err != nil {
			return err
		}
		copy(st.id[:], id)
		copy(st.report[:], report)
		out = append(out, st)
		if headText == "" {
			return nil
		}
		return json.Unmarshal([]byte(headText), &st.head)
	}, string(f), after, pageSize)
	return out, err
}

// claimRow is one row of a statement, as kept.
type claimRow struct {
	row, line int64
	name      string         // the file's name of the claim
	claims    []record.Claim // without their numbers
}

// claims reads the rows of one statement.
func (s *spool) claims(name string) (out []claimRow, err error) {
	err = s.query("SELECT row, line, name, claim FROM claims WHERE statement = ? ORDER BY row", func(r *sql.Rows) error {
		var c claimRow
		var text string
		if err := r.Scan(&c.row, &c.line, &c.name, &text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &c.claims); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, name)
	return out, err
}
