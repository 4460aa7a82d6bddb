// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"truceline/internal/local"
	"truceline/linkage"
)

// WritePairs writes a file of pairs whose A and B are numbers of records: a before b by
// source and id, rows sorted, the probability with six decimals. Until the file is whole
// and durable, path is what it was before.
//
// Names are written as they are, so that they can be told apart and found again. A
// spreadsheet may take one that begins with "=" for a formula.
func WritePairs(path string, records []linkage.Record, pairs []linkage.Pair) error {
	return writeTo(path, func(w io.Writer) error { return EncodePairs(w, records, pairs) })
}

// EncodePairs writes what WritePairs does, to w.
func EncodePairs(w io.Writer, records []linkage.Record, pairs []linkage.Pair) error {
	o, err := newOut(w, records)
	if err != nil {
		return err
	}
	sorted := make([]linkage.Pair, len(pairs))
	for i, p := range pairs {
		if p.A < 0 || p.B < 0 || p.A >= len(records) || p.B >= len(records) || p.A == p.B {
			return fmt.Errorf("pair %d is of records %d and %d among %d", i, p.A, p.B, len(records))
		}
		if !(p.Probability >= 0 && p.Probability <= 1) {
			return fmt.Errorf("pair %d has the probability %g", i, p.Probability)
		}
		if o.compare(p.A, p.B) > 0 {
			p.A, p.B = p.B, p.A
		}
		sorted[i] = p
	}
	byNames := func(p, q linkage.Pair) int { return cmp.Or(o.compare(p.A, q.A), o.compare(p.B, q.B)) }
	if !slices.IsSortedFunc(sorted, byNames) {
		slices.SortFunc(sorted, byNames)
	}
	o.WriteString("source_a,id_a,source_b,id_b,probability\n") // an error stays until Flush
	for i, p := range sorted {
		if i > 0 && byNames(sorted[i-1], p) == 0 {
			return fmt.Errorf("the pair of %q of %q and %q of %q comes twice", records[p.A].ID, records[p.A].Source, records[p.B].ID, records[p.B].Source)
		}
		o.name(p.A)
		o.name(p.B)
		o.line = strconv.AppendFloat(o.line, math.Abs(p.Probability), 'f', 6, 64) // no -0
		if err := o.end(); err != nil {
			return err
		}
	}
	return o.Flush()
}

// WriteClusters writes a file that says of each record in which cluster it is. Records
// of equal numbers are in one; the numbers themselves do not matter. A cluster is named
// for the member that stands first, so that the same clusters have the same names
// whatever was done to find them. Until the file is whole and durable, path is what it
// was before.
func WriteClusters(path string, records []linkage.Record, cluster []int) error {
	return writeTo(path, func(w io.Writer) error { return EncodeClusters(w, records, cluster) })
}

// EncodeClusters writes what WriteClusters does, to w.
func EncodeClusters(w io.Writer, records []linkage.Record, cluster []int) error {
	if len(cluster) != len(records) {
		return fmt.Errorf("%d clusters for %d records", len(cluster), len(records))
	}
	o, err := newOut(w, records)
	if err != nil {
		return err
	}
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, o.compare)
	first := map[int]int{}
	o.WriteString("source,id,cluster\n") // an error stays until Flush
	for i, r := range order {
		if i > 0 && o.compare(order[i-1], r) == 0 {
			return fmt.Errorf("the record %q of %q comes twice", records[r].ID, records[r].Source)
		}
		if _, ok := first[cluster[r]]; !ok {
			first[cluster[r]] = r
		}
		o.name(r)
		o.cell(clusterName(&records[first[cluster[r]]]))
		if err := o.end(); err != nil {
			return err
		}
	}
	return o.Flush()
}

// colons tells the colon after the source from those in it.
var colons = strings.NewReplacer(`\`, `\\`, `:`, `\:`)

// clusterName is the name of the cluster whose first member is r: source, colon, id.
func clusterName(r *linkage.Record) string { return colons.Replace(r.Source) + ":" + r.ID }

// out writes lines about records.
type out struct {
	*bufio.Writer
	records []linkage.Record
	line    []byte
}

// newOut refuses names that could not be read again.
func newOut(w io.Writer, records []linkage.Record) (*out, error) {
	for i := range records {
		for _, s := range []string{records[i].Source, records[i].ID} {
			if s == "" || !utf8.ValidString(s) {
				return nil, fmt.Errorf("record %d, %q of %q: a name is empty or not UTF-8", i, records[i].ID, records[i].Source)
			}
		}
	}
	return &out{Writer: bufio.NewWriterSize(w, 64<<10), records: records}, nil
}

func (o *out) compare(a, b int) int {
	x, y := &o.records[a], &o.records[b]
	return cmp.Or(cmp.Compare(x.Source, y.Source), cmp.Compare(x.ID, y.ID))
}

// name begins a line, or goes on in it, with the two cells of a record's name.
func (o *out) name(i int) {
	o.cell(o.records[i].Source)
	o.line = append(o.line, ',')
	o.cell(o.records[i].ID)
	o.line = append(o.line, ',')
}

// cell puts what needs it in quotes: also what the reader would trim.
func (o *out) cell(s string) {
	if !strings.ContainsAny(s, ",\"\r\n") && string(trim([]byte(s))) == s && !strings.HasPrefix(s, "\ufeff") {
		o.line = append(o.line, s...)
		return
	}
	o.line = append(o.line, '"')
	o.line = append(o.line, strings.ReplaceAll(s, `"`, `""`)...)
	o.line = append(o.line, '"')
}

func (o *out) end() error {
	o.line = append(o.line, '\n')
	_, err := o.Write(o.line)
	o.line = o.line[:0]
	return err
}

// writeTo writes a file whole or not at all: to a temporary one beside it, which takes
// its name when it is durable.
func writeTo(path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return errors.New("it is there and is not a file")
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once renamed
	if err := errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return local.SyncDir(filepath.Dir(path))
}
