// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"truceline/agreement"
	"truceline/internal/intake"
	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/ledger"
	"truceline/record"
)

// tables are what the lines of a log come to: files in a folder that lasts until close.
type tables struct {
	dir   string
	names []string // of the files, of tableFiles
	about about
	pack  *agreement.Pack // in force; nil: none is
	given *given
}

// about says whose tables they are.
type about struct {
	Exercise string    `json:"exercise,omitempty"`
	Mission  record.ID `json:"mission"`
	Origin   string    `json:"origin"`
	Records  int64     `json:"records"` // of the log that they reach to, given or not
	V        int       `json:"v"`
}

// computeTables folds the lines that were given. The tables are made out of sight of any
// node, and are the same wherever they are made.
func computeTables(ctx context.Context, g *given, progress func(what string, done, total int64)) (t *tables, err error) {
	t = &tables{about: about{Records: g.size, V: 1}, given: g}
	if t.dir, err = os.MkdirTemp("", "truceline-tables-*"); err != nil {
		return nil, fmt.Errorf("compute the tables: %w", err)
	}
	if err := t.compute(ctx, progress); err != nil {
		return nil, errors.Join(fmt.Errorf("compute the tables: %w", err), t.close())
	}
	return t, nil
}

func (t *tables) close() error { return os.RemoveAll(t.dir) }

func (t *tables) path(name string) string { return filepath.Join(t.dir, name) }

func (t *tables) compute(ctx context.Context, progress func(what string, done, total int64)) error {
	if err := t.identify(ctx); err != nil {
		return err
	}
	db, err := projection.Open(ctx, t.path(local.ProjectionFile))
	if err != nil {
		return err
	}
	defer db.Close()
	step := func(done, total int64) { progress("fold the records", done, total) }
	if err := db.CatchUp(ctx, t.given, t.given.count(), step); err != nil {
		return err
	}
	if t.pack, err = db.Pack(ctx); err != nil {
		return err
	}
	if t.pack != nil && t.pack.Exercise {
		t.about.Exercise = exerciseWord
	}
	names := map[record.ID]string{} // of the accounts in the CSV
	err = t.put(accountsFile, func(w io.Writer) error {
		_, err := intake.ExportNamed(ctx, db, w, func(id record.ID, name string) { names[id] = name })
		return err
	})
	if err != nil {
		return err
	}
	err = t.put(incidentsFile, func(w io.Writer) error {
		return (&incidents{db: db, given: t.given, names: names, about: t.about}).write(ctx, w)
	})
	if err != nil || t.pack == nil {
		return err
	}
	err = t.put(agreementFile, func(w io.Writer) error { return writeJSON(w, agreement.File{Agreement: 1, Pack: t.pack}) })
	if err != nil || t.pack.Policy == "" {
		return err
	}
	return t.put(policyFile, func(w io.Writer) error {
		_, err := io.WriteString(w, t.pack.Policy)
		return err
	})
}

// identify takes mission and origin from the first record that was given.
func (t *tables) identify(ctx context.Context) error {
	for e, err := range t.given.Entries(ctx, 0, 1) {
		if err != nil {
			return err
		}
		st, err := statementOf(e.Envelope)
		if err != nil {
			return err
		}
		t.about.Mission, t.about.Origin = st.Mission, st.Origin
		return nil
	}
	return errors.New("the log has no record that may be read")
}

// put makes one file of the tables.
func (t *tables) put(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(t.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	t.names = append(t.names, name)
	return nil
}

// writeJSON writes canonical JSON and a line feed.
func writeJSON(w io.Writer, v any) error {
	b, err := record.Canonical(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

func statementOf(envelope []byte) (*record.Statement, error) {
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	return e.Statement()
}

// reports calls f with every document that a line tells of.
func (g *given) reports(ctx context.Context, f func(*record.Report)) error {
	for e, err := range g.Entries(ctx, 0, g.count()) {
		if err != nil {
			return err
		}
		st, err := statementOf(e.Envelope)
		if err != nil {
			return err
		}
		if st.Kind != record.ReportFiled || e.Body == nil || e.BodySalt == (ledger.Salt{}) {
			continue
		}
		body, err := record.ParseBody(st.Kind, e.Body)
		if err != nil && st.Boxed() {
			continue // the rules never saw it
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", g.index(e.Index), err)
		}
		f(body.(*record.Report))
	}
	return nil
}

// copies are the archived copies that documents name.
func (g *given) copies(ctx context.Context) (map[record.Digest]bool, error) {
	out := map[record.Digest]bool{}
	err := g.reports(ctx, func(r *record.Report) {
		for _, c := range r.Copies {
			out[c.SHA256] = true
		}
	})
	return out, err
}
