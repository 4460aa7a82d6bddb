// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"truceline/internal/projection"
	"truceline/record"
)

// Source is what an export reads.
type Source interface {
	// Accounts yields every account that counts, in its latest version, in the order in
	// which they were filed.
	Accounts(ctx context.Context) iter.Seq2[projection.Account, error]
	// Report finds a document; projection.ErrNotFound if there is none that counts.
	Report(ctx context.Context, id record.ID) (projection.Report, error)
}

var _ Source = (*projection.DB)(nil)

// Export writes accounts as the CSV that Import takes and returns the number of rows
// after the header. Withdrawn accounts are left out.
//
// Cells are the exact texts of the ledger: nothing is put before a text that a
// spreadsheet may take for a formula, so that what is exported and imported again is
// the same. Lines end with "\n", and cells are quoted only where they must be.
func Export(ctx context.Context, src Source, w io.Writer) (rows int, err error) {
	return ExportNamed(ctx, src, w, nil)
}

// ExportNamed is Export, and tells the statement_id under which each account stands in
// the file.
func ExportNamed(ctx context.Context, src Source, w io.Writer, named func(account record.ID, name string)) (rows int, err error) {
	spool, err := newSpool() // for the names used, which may be many
	if err != nil {
		return 0, fmt.Errorf("export accounts: %w", err)
	}
	e := &exporter{ctx: ctx, src: src, out: csv.NewWriter(w), spool: spool, named: named}
	err = e.run()
	if err = errors.Join(err, spool.close()); err != nil {
		return e.rows, fmt.Errorf("export accounts: %w", err)
	}
	return e.rows, nil
}

type exporter struct {
	ctx   context.Context
	src   Source
	out   *csv.Writer
	spool *spool
	named func(record.ID, string) // nil: nobody asks
	rows  int

	last   record.ID // the document read last; many accounts in a row share one
	report record.Report
}

func (e *exporter) run() error {
	var line [gedFirst]string
	for c := range gedFirst {
		line[c] = c.String()
	}
	if err := e.out.Write(line[:]); err != nil {
		return err
	}
	for acc, err := range e.src.Accounts(e.ctx) {
		if err != nil {
			return err
		}
		if acc.State == "withdrawn" {
			continue
		}
		if err := e.account(&acc); err != nil {
			return fmt.Errorf("account %s: %w", acc.ID, err)
		}
	}
	e.out.Flush()
	return e.out.Error()
}

func (e *exporter) account(acc *projection.Account) error {
	name, err := e.name(acc)
	if err != nil {
		return err
	}
	if e.named != nil {
		e.named(acc.ID, name)
	}
	if acc.Report != e.last {
		r, err := e.src.Report(e.ctx, acc.Report)
		if err != nil && !errors.Is(err, projection.ErrNotFound) {
			return err
		}
		e.last, e.report = acc.Report, r.Body
	}
	if acc.Report.IsZero() {
		e.report = record.Report{}
	}
	b := &acc.Body
	for i := range b.Claims {
		c := &b.Claims[i]
		line := [gedFirst]string{
			colClaim: c.External, colStatement: name,
			colClaimant: b.Claimant.Name, colClaimantKind: b.Claimant.Kind, colSpeaksFor: b.Claimant.Party,
			colCarrier: b.Carrier, colOrigin: strings.Join(b.Origins, "; "), colSaidOn: string(b.SaidOn),
			colEventStart: string(c.When.Start), colEventEnd: string(c.When.End), colTimeNote: c.When.Note,
			colPlaceText: c.PlaceText, colElement: string(c.Element), colMeasure: c.Measure, colGroup: c.Group, colSubset: c.Subset,
			colLow: figure(c.Low), colHigh: figure(c.High), colBound: c.Bound,
			colScope: string(c.Scope), colStance: c.Stance, colDerived: "no", colFirstHand: c.FirstHand,
			colWords: c.Words, colNote: c.Note, colSourceTitle: e.report.Title, colSourceURL: e.report.URL,
		}
		if c.Derived {
			line[colDerived] = "yes"
		}
		if err := e.out.Write(line[:]); err != nil {
			return err
		}
		e.rows++
	}
	return nil
}

// name is the statement_id of an account: its recorder's name for it if that can stand
// in a file and no account before has it, else the account's own id.
func (e *exporter) name(acc *projection.Account) (string, error) {
	id := acc.ID.String()
	name := acc.Body.External
	if name == "" || name != strings.TrimSpace(name) || checkText(colStatement, name) != "" {
		name = id
	}
	for n := 1; ; n++ {
		taken, err := e.spool.number("SELECT count(*) FROM statements WHERE name = ?", name)
		if err != nil {
			return "", err
		}
		if taken == 0 {
			return name, e.spool.exec("INSERT INTO statements (name, first, rows, size, head) VALUES (?, 0, 0, 0, '')", name)
		}
		name = id
		if n > 1 { // somebody named an account after this one's id
			name += "-" + strconv.Itoa(n)
		}
	}
}

func figure(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
