// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"truceline/linkage"
)

// Name is that of a record.
type Name struct{ Source, ID string }

// Compare orders names by source, then id, byte by byte.
func (n Name) Compare(o Name) int {
	return cmp.Or(cmp.Compare(n.Source, o.Source), cmp.Compare(n.ID, o.ID))
}

// Pair is two records and the probability that they tell of one incident.
type Pair struct {
	A, B        Name // A stands before B
	Probability float64
}

// Label says in which cluster a record is, or of which incident it is.
type Label struct {
	Name
	Cluster string
}

// Columns of files of results.
var (
	pairColumns  = [][]string{{"source_a"}, {"id_a"}, {"source_b"}, {"id_b"}, {"probability"}}
	labelColumns = [][]string{{"source"}, {"id"}, {"cluster", "truth"}}
)

// ReadPairs reads a file of pairs, in any order. If any row cannot be read, or a pair
// comes twice, it returns a *Refused and nothing else.
func ReadPairs(ctx context.Context, r io.Reader) ([]Pair, error) {
	var out []Pair
	seen := map[[2]Name]int64{}
	sources, ids := map[string]string{}, map[string]string{}
	t := newTable(r, pairColumns)
	err := t.read(ctx, func() {
		a := Name{intern(sources, t.cell(0)), intern(ids, t.cell(1))}
		b := Name{intern(sources, t.cell(2)), intern(ids, t.cell(3))}
		p, ok := parseDecimal(t.cell(4), 0, 1)
		if !ok {
			t.fault(4, "a probability from 0 to 1")
		}
		switch c := a.Compare(b); {
		case c == 0:
			t.fault(3, "the id of another record")
			return
		case c > 0:
			a, b = b, a
		}
		if line, twice := seen[[2]Name{a, b}]; twice {
			t.fault(3, fmt.Sprintf("a pair that does not stand on line %d already", line))
		}
		seen[[2]Name{a, b}] = t.rows.line
		out = append(out, Pair{a, b, p})
	})
	if err != nil {
		return nil, fmt.Errorf("read pairs: %w", err)
	}
	return out, nil
}

// ReadLabels reads a file of clusters, or of the truth, which has a column truth in place
// of cluster. If any row cannot be read, or a record comes twice, it returns a *Refused and
// nothing else.
func ReadLabels(ctx context.Context, r io.Reader) ([]Label, error) {
	var out []Label
	seen := map[Name]int64{}
	sources, clusters := map[string]string{}, map[string]string{}
	t := newTable(r, labelColumns)
	err := t.read(ctx, func() {
		n := Name{intern(sources, t.cell(0)), string(t.cell(1))}
		if line, twice := seen[n]; twice {
			t.fault(1, fmt.Sprintf("an id that its source %.60q does not have on line %d already", n.Source, line))
		}
		seen[n] = t.rows.line
		out = append(out, Label{n, intern(clusters, t.cell(2))})
	})
	if err != nil {
		return nil, fmt.Errorf("read clusters: %w", err)
	}
	return out, nil
}

// Align gives the label of each record, in their order. It fails where one has none;
// labels of other records do not matter.
func Align(records []linkage.Record, labels []Label) ([]string, error) {
	of := make(map[Name]string, len(labels))
	for _, l := range labels {
		of[l.Name] = l.Cluster
	}
	out := make([]string, len(records))
	missing, first := 0, Name{}
	for i := range records {
		n := Name{records[i].Source, records[i].ID}
		label, ok := of[n]
		if !ok {
			if missing++; missing == 1 || n.Compare(first) < 0 {
				first = n
			}
			continue
		}
		out[i] = label
	}
	if missing > 0 {
		return nil, fmt.Errorf("%d of %d records have no label, among them %.60q of %.60q", missing, len(records), first.ID, first.Source)
	}
	return out, nil
}

// table reads a file in which each column that is looked for has something in each row.
type table struct {
	rows   *rows
	wanted [][]string
	header *header
	faults faults
}

func newTable(r io.Reader, wanted [][]string) *table { return &table{rows: newRows(r), wanted: wanted} }

func (t *table) cell(c int) []byte { return t.rows.cells[t.header.at[c]] }

func (t *table) fault(c int, want string) {
	cell := t.cell(c)
	t.faults.add(Fault{t.rows.line, t.header.names[t.header.at[c]], string(cell[:min(len(cell), 200)]), want})
}

// read calls row for each row that has all cells.
func (t *table) read(ctx context.Context, row func()) error {
	var err error
	if t.header, err = readHeader(t.rows, t.wanted); err != nil {
		return err
	}
	for c := range t.wanted {
		if err := t.header.need(t.wanted, c); err != nil {
			return err
		}
	}
	var bad *malformed
	for ; ; t.faults.rows++ {
		if t.faults.rows%every == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := t.rows.next()
		switch {
		case err == io.EOF:
			return t.faults.err()
		case errors.As(err, &bad):
			t.faults.add(Fault{Line: t.rows.line, Want: bad.why})
		case err != nil:
			return err
		case len(t.rows.cells) != len(t.header.names):
			t.faults.add(Fault{Line: t.rows.line, Want: fmt.Sprintf("the row has %d cells, and the header %d", len(t.rows.cells), len(t.header.names))})
		case slices.ContainsFunc(t.header.at, func(c int) bool { return len(t.rows.cells[c]) == 0 }):
			c := slices.IndexFunc(t.header.at, func(c int) bool { return len(t.rows.cells[c]) == 0 })
			t.fault(c, "anything: the cell is empty")
		case !utf8.Valid(t.rows.raw):
			t.faults.add(Fault{Line: t.rows.line, Want: "the row is not text in UTF-8"})
		default:
			row()
		}
	}
}
