// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"truceline/mechanism"
	"truceline/record"
)

// MaxListed is how many bad rows, flagged rows, places and spellings a Report holds;
// WriteBad and WriteFlagged write every row.
const MaxListed = 20

// Report says what became of every row of a file. Close it when done with it.
//
// Rows are data rows; a row whose cells are all blank is none.
// Accepted + Present + Rejected + NotReached = Total, whatever happened.
type Report struct {
	Name       string        `json:"name"`                 // of the file
	FileSHA256 record.Digest `json:"file_sha256,omitzero"` // zero when the file was not read to its end
	Delimiter  string        `json:"delimiter,omitempty"`
	// Batch is the batch the file went into; zero when nothing was to be filed.
	Batch record.ID `json:"batch,omitzero"`

	Total      int64 `json:"total"`       // rows read
	Accepted   int64 `json:"accepted"`    // filed by this run; in a dry run: that would be filed
	Present    int64 `json:"present"`     // in the ledger already, with the same content
	Rejected   int64 `json:"rejected"`    // not filed, each listed with its reason
	NotReached int64 `json:"not_reached"` // the import was cancelled or failed before their turn

	// Of the rejected rows: Held are good ones whose statement goes not in because of
	// another row; Unfiled are those of UnfiledAccounts good statements, not filed because
	// others are bad and Options.OnBad is Stop: with Skip they are accepted.
	Held            int64 `json:"held,omitempty"`
	Unfiled         int64 `json:"unfiled,omitempty"`
	UnfiledAccounts int64 `json:"unfiled_accounts,omitempty"`

	Accounts  int64 `json:"accounts"`  // accounts filed by this run; in a dry run: that would be
	Documents int64 `json:"documents"` // documents filed by this run

	DryRun    bool `json:"dry_run"`
	Stopped   bool `json:"stopped,omitempty"`   // there were bad rows, and Options.OnBad is Stop
	Cancelled bool `json:"cancelled,omitempty"` // the context ended; running the same file again goes on
	Continued bool `json:"continued,omitempty"` // an earlier run of the file had been cut short

	Ignored []string `json:"ignored,omitempty"` // columns that are not read
	Blank   int64    `json:"blank,omitempty"`   // rows without any content, not counted
	Tags    bool     `json:"tags,omitempty"`    // a row of tags under the header was skipped, not counted
	// Bad are the first bad rows in the order of the file, at most 20, without those that
	// are rejected because of others. A row may be listed with several columns.
	Bad []Bad `json:"bad,omitempty"`
	// PlaceRows counts rows whose place_text means no place of the agreement, and
	// PlaceTexts how many different texts they have. The text is kept as it is.
	PlaceRows     int64          `json:"place_rows,omitempty"`
	PlaceTexts    int64          `json:"place_texts,omitempty"`
	UnknownPlaces []UnknownPlace `json:"unknown_places,omitempty"` // the first of them, at most 20
	// Flagged counts rows that break a rule of their own data set and are kept as they
	// are, rejected for another reason or not; Flags are the first of them, at most 20.
	Flagged int64  `json:"flagged,omitempty"`
	Flags   []Flag `json:"flags,omitempty"`
	// Unmapped are texts that no code stands for, so that what belongs to them is kept in
	// words and not as a claim, at most 20 of UnmappedTexts.
	UnmappedTexts int64      `json:"unmapped_texts,omitempty"`
	Unmapped      []Unmapped `json:"unmapped,omitempty"`
	// Respelled are codes that the file writes in other letters, the first 20.
	Respelled []Respelling `json:"respelled,omitempty"`

	spool *spool // holds the bad and the flagged rows; nil when there are none
}

// Bad is one thing wrong with one row.
type Bad struct {
	Row       int64          `json:"row"`  // 1 is the first data row
	Line      int64          `json:"line"` // of the file, from 1, where the row begins
	Statement string         `json:"statement,omitempty"`
	Claim     string         `json:"claim,omitempty"`
	Column    string         `json:"column,omitempty"` // empty when it is the row as a whole
	Rule      mechanism.Code `json:"rule,omitempty"`   // the rule at the door that it breaks, if it is one
	Reason    string         `json:"reason"`
}

// Flag is a row that is kept although something about it is odd.
type Flag struct {
	Row       int64  `json:"row"`
	Line      int64  `json:"line"`
	Statement string `json:"statement,omitempty"`
	Reason    string `json:"reason"`
}

// Unmapped is a text that no code stands for.
type Unmapped struct {
	Column string `json:"column"`
	Text   string `json:"text,omitempty"`
	Rows   int64  `json:"rows"`
}

// String is the column and what stands in it, if anything does.
func (u Unmapped) String() string {
	if u.Text == "" {
		return u.Column
	}
	return fmt.Sprintf("%s %q", u.Column, clip(u.Text))
}

// UnknownPlace is a text that means no place of the agreement.
type UnknownPlace struct {
	Text string `json:"text,omitempty"`
	Rows int64  `json:"rows"`
}

// Respelling is a code written with other case, spaces, underscores or hyphens than
// the agreement has.
type Respelling struct {
	Column  string `json:"column"`
	Written string `json:"written"`
	Read    string `json:"read"`
	Rows    int64  `json:"rows"`
}

// Close removes the temporary files. The numbers and lists stay.
func (r *Report) Close() error {
	s := r.spool
	r.spool = nil
	return s.close()
}

// WriteBad writes every bad row as CSV: row, line, statement_id, claim_id, column,
// rule, reason. It is meant for a spreadsheet: cells that one would take for a formula
// begin with an apostrophe.
func (r *Report) WriteBad(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"row", "line", "statement_id", "claim_id", "column", "rule", "reason"}) // errors are kept until Error
	if r.spool != nil {
		if err := r.spool.bad(causeStop, -1, func(b Bad) error {
			return out.Write([]string{strconv.FormatInt(b.Row, 10), strconv.FormatInt(b.Line, 10), inert(b.Statement), inert(b.Claim), b.Column, string(b.Rule), inert(b.Reason)})
		}); err != nil {
			return fmt.Errorf("write the bad rows: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the bad rows: %w", err)
	}
	return nil
}

// inert keeps a spreadsheet from taking a text for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// bad gives the bad rows up to a cause in the order of the file; a limit of -1 means all.
func (s *spool) bad(c cause, limit int, f func(Bad) error) error {
	return s.query("SELECT row, line, statement, claim, col, rule, reason FROM bad WHERE cause <= ? ORDER BY row, rowid LIMIT ?", func(rows *sql.Rows) error {
		var b Bad
		if err := rows.Scan(&b.Row, &b.Line, &b.Statement, &b.Claim, &b.Column, &b.Rule, &b.Reason); err != nil {
			return err
		}
		return f(b)
	}, int(c), limit)
}

// finish fills in what only the spool knows, and lets go of it when no row is bad.
func (r *Report) finish(s *spool) error {
	if err := s.bad(causeReal, MaxListed, func(b Bad) error { r.Bad = append(r.Bad, b); return nil }); err != nil {
		return err
	}
	var err error
	if r.Held, err = s.number("SELECT count(*) FROM bad WHERE cause = ?", int(causeHeld)); err != nil {
		return err
	}
	if err := s.query("SELECT count(*), coalesce(sum(rows), 0) FROM places", func(rows *sql.Rows) error {
		return rows.Scan(&r.PlaceTexts, &r.PlaceRows)
	}); err != nil {
		return err
	}
	if err := s.query("SELECT text, rows FROM places ORDER BY first LIMIT ?", func(rows *sql.Rows) error {
		var p UnknownPlace
		err := rows.Scan(&p.Text, &p.Rows)
		r.UnknownPlaces = append(r.UnknownPlaces, p)
		return err
	}, MaxListed); err != nil {
		return err
	}
	if err := r.finishOdd(s); err != nil {
		return err
	}
	if len(r.Bad) == 0 && r.Flagged == 0 {
		return s.close()
	}
	r.spool = s
	return nil
}

// finishOdd fills in what is kept and told.
func (r *Report) finishOdd(s *spool) (err error) {
	if r.Flagged, err = s.number("SELECT count(DISTINCT row) FROM flagged"); err != nil {
		return err
	}
	if err := s.flags(MaxListed, func(f Flag) error { r.Flags = append(r.Flags, f); return nil }); err != nil {
		return err
	}
	if r.UnmappedTexts, err = s.number("SELECT count(*) FROM unmapped"); err != nil {
		return err
	}
	return s.query("SELECT col, text, rows FROM unmapped ORDER BY rows DESC, first, col LIMIT ?", func(rows *sql.Rows) error {
		var u Unmapped
		err := rows.Scan(&u.Column, &u.Text, &u.Rows)
		r.Unmapped = append(r.Unmapped, u)
		return err
	}, MaxListed)
}

// flags gives the flagged rows in the order of the file; a limit of -1 means all.
func (s *spool) flags(limit int, f func(Flag) error) error {
	return s.query("SELECT row, line, statement, reason FROM flagged ORDER BY row, rowid LIMIT ?", func(rows *sql.Rows) error {
		var x Flag
		if err := rows.Scan(&x.Row, &x.Line, &x.Statement, &x.Reason); err != nil {
			return err
		}
		return f(x)
	}, limit)
}

// WriteFlagged writes every flagged row as CSV: row, line, statement_id, reason. It is
// meant for a spreadsheet, as WriteBad is.
func (r *Report) WriteFlagged(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"row", "line", "statement_id", "reason"}) // errors are kept until Error
	if r.spool != nil {
		if err := r.spool.flags(-1, func(f Flag) error {
			return out.Write([]string{strconv.FormatInt(f.Row, 10), strconv.FormatInt(f.Line, 10), inert(f.Statement), inert(f.Reason)})
		}); err != nil {
			return fmt.Errorf("write the flagged rows: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the flagged rows: %w", err)
	}
	return nil
}

// String says it in one line.
func (r *Report) String() string {
	s := fmt.Sprintf("%d rows: %d accepted, %d already present, %d rejected, %d not reached", r.Total, r.Accepted, r.Present, r.Rejected, r.NotReached)
	if len(r.Bad) > 0 {
		s += "; first: " + r.Bad[0].String()
	}
	return s
}

// String says it in one line.
func (b Bad) String() string {
	s := fmt.Sprintf("row %d (line %d)", b.Row, b.Line)
	if b.Column != "" {
		s += ", column " + b.Column
	}
	if b.Rule != "" {
		s += ", rule " + string(b.Rule)
	}
	return s + ": " + b.Reason
}

// Write says everything the report holds, in plain English, for a terminal.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	verb := ""
	if r.DryRun {
		verb = " (dry run: nothing was filed)"
	}
	fmt.Fprintf(&b, "%s: %d rows%s\n", r.Name, r.Total, verb)
	fmt.Fprintf(&b, "  accepted         %8d   in %d accounts\n", r.Accepted, r.Accounts)
	fmt.Fprintf(&b, "  already present  %8d\n", r.Present)
	fmt.Fprintf(&b, "  rejected         %8d\n", r.Rejected)
	if r.NotReached > 0 {
		fmt.Fprintf(&b, "  not reached      %8d\n", r.NotReached)
	}
	if r.Continued && !r.DryRun {
		b.WriteString("Went on with an import of this file that had been cut short.\n")
	}
	for _, bad := range r.Bad {
		fmt.Fprintf(&b, "  %s\n", bad)
	}
	if len(r.Bad) == MaxListed {
		b.WriteString("  These are the first. All of them: --bad-rows FILE\n")
	}
	if r.Held > 0 {
		fmt.Fprintf(&b, "  With them %s rejected: another row of the statement, or one beside it, is bad.\n", rowsAre(r.Held))
	}
	r.writeStopped(&b)
	r.writeOdd(&b)
	if r.PlaceRows > 0 {
		fmt.Fprintf(&b, "Places not known: %d in %d rows, kept as text:\n", r.PlaceTexts, r.PlaceRows)
		for _, p := range r.UnknownPlaces {
			fmt.Fprintf(&b, "  %q in %d rows\n", clip(p.Text), p.Rows)
		}
	}
	for _, s := range r.Respelled {
		fmt.Fprintf(&b, "Read %s %q as %s in %d rows\n", s.Column, s.Written, s.Read, s.Rows)
	}
	if len(r.Ignored) > 0 {
		fmt.Fprintf(&b, "Columns ignored: %q\n", r.Ignored)
	}
	if r.Tags {
		b.WriteString("The row of tags under the header was skipped.\n")
	}
	if r.Blank > 0 {
		fmt.Fprintf(&b, "Blank rows skipped: %d\n", r.Blank)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeOdd says what was kept as it is, or in words alone.
func (r *Report) writeOdd(b *strings.Builder) {
	if r.Flagged > 0 {
		fmt.Fprintf(b, "Flagged and kept as they are: %s\n", plural(r.Flagged, "row"))
		for _, f := range r.Flags {
			fmt.Fprintf(b, "  row %d (line %d): %s\n", f.Row, f.Line, f.Reason)
		}
		if len(r.Flags) == MaxListed {
			b.WriteString("  These are the first. All of them: --flagged-rows FILE\n")
		}
	}
	if r.UnmappedTexts > 0 {
		fmt.Fprintf(b, "Without a code, so that their figures stand in notes and not as claims: %d\n", r.UnmappedTexts)
		for _, u := range r.Unmapped {
			fmt.Fprintf(b, "  %s in %s\n", u, plural(u.Rows, "row"))
		}
	}
}

// writeStopped says what became of the good rows beside the bad ones.
func (r *Report) writeStopped(b *strings.Builder) {
	if !r.Stopped {
		return
	}
	what := "Nothing was filed, because rows are bad"
	if !r.Batch.IsZero() {
		what = "Nothing more was filed, because the registry refused a statement"
	}
	if r.Unfiled > 0 {
		fmt.Fprintf(b, "%s: %s good and rejected with the others.\nCorrect the bad rows and import the file again, or accept the %s in %s without them: --on-bad skip\n", what, rowsAre(r.Unfiled), plural(r.Unfiled, "row"), plural(r.UnfiledAccounts, "account"))
		return
	}
	fmt.Fprintf(b, "%s. Correct them and import the file again; --on-bad skip would accept nothing more.\n", what)
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func rowsAre(n int64) string {
	if n == 1 {
		return "1 row is"
	}
	return fmt.Sprintf("%d rows are", n)
}
