// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"truceline/agreement"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// Door is what an import needs of a node.
type Door interface {
	// Pack is the agreement in force; nil before the first.
	Pack() *agreement.Pack
	// CheckAccount tells whether the agreement in force has every code of an account.
	CheckAccount(*record.Account) error
	// Find looks for a record in the ledger by its statement's id.
	Find(ctx context.Context, id record.ID) (*node.Found, bool, error)
	// BatchState is open, closed or withdrawn; empty if there is no such batch.
	BatchState(id record.ID) string
	// File files one record. When it returns without an error the record is durable.
	File(ctx context.Context, d node.Draft) (registry.Receipt, error)
	// Mission is the id of the mission.
	Mission() record.ID
}

var _ Door = (*node.Node)(nil)

// OnBad says what an import does when rows are bad.
type OnBad int

// What an import does when rows are bad.
const (
	Stop OnBad = iota // file nothing
	Skip              // file the statements of which no row is bad
)

// MarshalText writes stop or skip.
func (o OnBad) MarshalText() ([]byte, error) {
	switch o {
	case Stop:
		return []byte("stop"), nil
	case Skip:
		return []byte("skip"), nil
	}
	return nil, fmt.Errorf("%d does not say what to do with bad rows", o)
}

// UnmarshalText reads stop or skip.
func (o *OnBad) UnmarshalText(b []byte) error {
	switch string(b) {
	case "stop":
		*o = Stop
	case "skip":
		*o = Skip
	default:
		return fmt.Errorf("%.20q does not say what to do with bad rows: stop or skip", b)
	}
	return nil
}

// Options of an import.
type Options struct {
	Member string // code of the member that records the accounts; its key must be on the node
	// Officer is who files; zero: the officer that files from the node when nobody is
	// signed in.
	Officer record.ID
	DryRun  bool // check everything, file nothing
	OnBad   OnBad
	// Name is the file's name, which stands in the batch's record. Folders in it are dropped.
	Name string
	// Progress, if set, hears how many rows are settled. total is 0 while the file is read.
	Progress func(done, total int64)
}

type importer struct {
	door    Door
	opts    Options
	mission record.ID
	report  *Report
	spool   *spool
	form    *form

	rows map[fate]int64 // rows of the statements by what became of them
	lone int64          // rejected rows that name no statement

	batch     record.ID // this file's batch, open or to be opened
	try       int       // of batch
	judged    bool      // a dry run came to its end
	respelled map[Respelling]int
}

// Import takes accounts in from a CSV file. The form and the rules are those of
// docs/formats/accounts-csv.md.
//
// The report is never nil and its numbers always add up, also beside an error. An
// error means that the import did not run to its end: the file or the options cannot
// be used at all, something failed, or ctx ended. Bad rows are not an error.
func Import(ctx context.Context, door Door, r io.Reader, opts Options) (*Report, error) {
	return importForm(ctx, door, r, opts, func(*agreement.Pack) (*form, error) { return accountsForm(), nil })
}

func importForm(ctx context.Context, door Door, r io.Reader, opts Options, makeForm func(*agreement.Pack) (*form, error)) (report *Report, err error) {
	name := plainName(opts.Name)
	im := &importer{
		door: door, opts: opts, mission: door.Mission(), rows: map[fate]int64{}, respelled: map[Respelling]int{},
		report: &Report{Name: name, DryRun: opts.DryRun},
	}
	if name == "" {
		return im.report, errors.New("import: the file's name is needed")
	}
	pack := door.Pack()
	if err := checkMember(pack, opts.Member); err != nil {
		return im.report, fmt.Errorf("import %s: %w", name, err)
	}
	if im.form, err = makeForm(pack); err != nil {
		return im.report, fmt.Errorf("import %s: %w", name, err)
	}
	if im.spool, err = newSpool(); err != nil {
		return im.report, fmt.Errorf("import %s: %w", name, err)
	}
	err = im.run(ctx, r, pack)
	if ctx.Err() != nil && err != nil {
		im.report.Cancelled = true
	}
	im.count()
	if again := im.report.finish(im.spool); again != nil {
		err = errors.Join(err, again, im.spool.close())
	}
	if err != nil {
		return im.report, fmt.Errorf("import %s: %w", name, err)
	}
	return im.report, nil
}

func checkMember(p *agreement.Pack, code string) error {
	if p == nil {
		return errors.New("no agreement is adopted yet")
	}
	var may []string
	for _, m := range p.Members {
		if mechanism.MayFile(m.Role, record.BatchOpened) && mechanism.MayFile(m.Role, record.AccountFiled) {
			if m.Code == code {
				return nil
			}
			may = append(may, m.Code)
		}
	}
	return fmt.Errorf("%.64q is no member that may record accounts: choose one of %s", code, strings.Join(may, ", "))
}

// count settles the numbers of the report. What was not accounted for was not reached.
func (im *importer) count() {
	r := im.report
	r.Accepted = im.rows[fateAccepted]
	if im.judged {
		r.Accepted = im.rows[fateNew]
	}
	r.Present = im.rows[fatePresent] + im.rows[fateResumed]
	r.Rejected = im.rows[fateRejected] + im.lone
	r.NotReached = r.Total - r.Accepted - r.Present - r.Rejected
}

func (im *importer) progress(done, total int64) {
	if im.opts.Progress != nil {
		im.opts.Progress(done, total)
	}
}

func (im *importer) run(ctx context.Context, r io.Reader, pack *agreement.Pack) error {
	if err := im.read(ctx, r, newCodebook(pack)); err != nil {
		return err
	}
	if err := im.findBatch(ctx); err != nil {
		return err
	}
	if err := im.judge(ctx); err != nil {
		return err
	}
	if im.rows[fateRejected]+im.lone > 0 && im.opts.OnBad == Stop {
		return im.stop("nothing was filed: other rows are bad")
	}
	if im.opts.DryRun {
		im.judged = true
		return im.countNew()
	}
	return lineLost(im.file(ctx))
}

// stop rejects what is good and not filed, because other rows are bad.
func (im *importer) stop(reason string) error {
	r := im.report
	r.Stopped, r.Unfiled = true, im.rows[fateNew]
	if err := im.spool.query("SELECT count(*) FROM statements WHERE fate = ?", func(rows *sql.Rows) error { return rows.Scan(&r.UnfiledAccounts) }, string(fateNew)); err != nil {
		return err
	}
	im.rows[fateRejected] += im.rows[fateNew]
	im.rows[fateNew] = 0
	return im.spool.rejectNew(reason)
}

// read spools every row of the file.
func (im *importer) read(ctx context.Context, r io.Reader, book *codebook) error {
	sum := sha256.New()
	br := bufio.NewReaderSize(io.TeeReader(r, sum), maxHeader+len(utf8BOM))
	begin, err := start(br)
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	if bytes.HasPrefix(begin, []byte("\xff\xfe")) || bytes.HasPrefix(begin, []byte("\xfe\xff")) {
		return errors.New("the file is UTF-16 text: save it as CSV UTF-8")
	}
	p := newParser(br, im.form.detectDelimiter(begin))
	im.report.Delimiter = string(p.delim)
	header, err := p.next()
	if err == io.EOF {
		return errors.New("the file is empty: its first line names the columns")
	}
	if err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	l, err := im.form.readHeader(header)
	if err != nil {
		return err
	}
	im.report.Ignored, p.keep = l.ignored, l.keep()
	rr := &rowReader{im: im, rp: &rowParser{layout: l, book: book, delim: p.delim, respell: im.respell}}
	for {
		row, err := p.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
		if row.blank {
			im.report.Blank++
			continue
		}
		if im.report.Total == 0 && im.form.tags != nil && im.form.tags(l, row) {
			im.report.Tags = true
			continue
		}
		im.report.Total++
		if err := rr.take(row); err != nil {
			return err
		}
		if im.report.Total%512 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			im.progress(im.report.Total, 0)
		}
	}
	im.report.FileSHA256 = record.Digest(sum.Sum(nil))
	return rr.end()
}

// respell remembers a code that is written in other letters.
func (im *importer) respell(c column, written, read string) {
	key := Respelling{Column: c.String(), Written: clip(written), Read: read}
	i, ok := im.respelled[key]
	if !ok {
		if len(im.report.Respelled) == MaxListed {
			return
		}
		i = len(im.report.Respelled)
		im.respelled[key] = i
		im.report.Respelled = append(im.report.Respelled, key)
	}
	im.report.Respelled[i].Rows++
}

// rowReader gives rows to statements.
type rowReader struct {
	im *importer
	rp *rowParser

	before string // statement of the row before; empty when that row names none
	stray  string // told of the next statement: the row before may belong to it
	open   string // told of all: the rest of the file is lost
}

func (rr *rowReader) take(raw *rawRow) error {
	im, row := rr.im, rr.im.report.Total
	if raw.open {
		rr.open = fmt.Sprintf("the quote that row %d (line %d) opens does not end, so that the rows after it cannot be told", row, raw.line)
	}
	if rr.rp.swallows(raw) {
		return rr.takeLines(raw)
	}
	p := rr.rp.parse(raw)
	beside := ""
	if raw.fault != "" { // what follows may be the rest of it, or it the rest of what is before
		beside = fmt.Sprintf("a quote of row %d (line %d), beside this statement, stands in the wrong place and may have taken in a row of it", row, raw.line)
		if err := im.spool.hold(rr.before, beside); err != nil {
			return err
		}
	}
	if len(p.faults) == 0 {
		if err := im.spool.tell(p, row, raw.line); err != nil {
			return err
		}
	}
	if p.statement == "" {
		return rr.takeStray(p, row, raw.line)
	}
	if err := rr.keep(p, row, raw.line); err != nil {
		return err
	}
	because := rr.stray
	rr.before, rr.stray = p.statement, beside
	if because == "" {
		return nil
	}
	return im.spool.hold(p.statement, because)
}

// takeStray lists a row that names no statement, and holds the statements of the rows
// beside it: it probably belongs to one of them, and a statement goes in whole.
func (rr *rowReader) takeStray(p *parsedRow, row, line int64) error {
	rr.im.lone++
	for _, f := range p.faults {
		if err := rr.im.spool.fault(row, line, "", p.claimID, f, causeReal); err != nil {
			return err
		}
	}
	rr.stray = fmt.Sprintf("row %d (line %d), beside this statement, names no statement and may belong to it", row, line)
	return rr.im.spool.hold(rr.before, rr.stray)
}

func (rr *rowReader) end() error {
	if err := rr.im.spool.exec("UPDATE statements SET because = (SELECT because FROM suspects WHERE suspects.name = statements.name) WHERE because = '' AND name IN (SELECT name FROM suspects)"); err != nil {
		return err
	}
	if rr.open == "" {
		return nil
	}
	return rr.im.spool.exec("UPDATE statements SET because = ? WHERE because = ''", rr.open)
}
