// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
	"truceline/vault"
)

// released is what the record of a bundle shows of other records, if it is a release.
type released struct {
	items []*item // in the order of the body; nil if nothing of them is looked at
	gap   string  // why nothing can be checked
	fault error   // what is wrong with them as a whole
}

// Shown is what a release shows of one record.
type Shown struct {
	Index     int64
	LoggedAt  int64             // the registry's clock, Unix milliseconds
	Statement *record.Statement // nil if the envelope could not be read, or is not proved to be the log's
	Finding   string            // "good", or why not
	// Fields are those shown. They are proved to be those of the record if Finding is "good".
	Fields []record.DisclosedField
	failed bool
}

// readReleased finds what the record shows. Only a body to which its statement commits is
// looked at: of any other, what it shows is nobody's word.
func readReleased(own *record.Line, paths [][]tlog.Hash, taken map[int64]bool) released {
	e, err := record.ParseEnvelope(own.Envelope)
	var st *record.Statement
	if err == nil {
		st, err = e.Statement()
	}
	if err != nil {
		return released{} // what the layer of envelopes says of it is enough
	}
	if st.Kind != record.ReleaseMade {
		if len(paths) > 0 {
			return released{fault: fmt.Errorf("the file proves what a release shows, and its record is a %s", st.Kind)}
		}
		return released{}
	}
	if own.Body == nil || own.Enc != record.EncPlain || !ledger.Commits(st.Body, ledger.Salt(own.BodySalt), own.Body) {
		return released{gap: "what it shows was not given"}
	}
	body, err := record.ParseBody(record.ReleaseMade, own.Body)
	switch {
	case err != nil:
		return released{gap: "what it shows could not be read"}
	case len(paths) == 0:
		return released{gap: "the file does not prove that the records it shows are in the log: it has no paths of them"}
	}
	items, err := shownItems(own, body.(*record.Released), paths, taken)
	return released{items: items, fault: err}
}

// takeReleased puts the records that the bundle's own shows among the others, in order.
func (p *parsed) takeReleased(own *record.Line) error {
	if len(p.Released) > MaxRecords {
		return fmt.Errorf("released: %d paths are more than any release needs", len(p.Released))
	}
	var paths [][]tlog.Hash
	for i, list := range p.Released {
		path, err := parseHashes(list)
		if err != nil || len(path) == 0 {
			return fmt.Errorf("released, %d: they are not 1 to %d hashes in their one spelling", i, ledger.MaxProofHashes)
		}
		paths = append(paths, path)
	}
	taken := map[int64]bool{}
	for _, it := range p.records {
		taken[it.line.Index] = true
	}
	p.released = readReleased(own, paths, taken)
	p.records = append(p.records, p.released.items...)
	slices.SortStableFunc(p.records, func(a, b *item) int { return cmp.Compare(a.line.Index, b.line.Index) })
	return nil
}

func shownItems(own *record.Line, b *record.Released, paths [][]tlog.Hash, taken map[int64]bool) (out []*item, err error) {
	if len(paths) != len(b.Items) {
		return nil, fmt.Errorf("it shows %d records, and the file has the paths of %d", len(b.Items), len(paths))
	}
	for i := range b.Items {
		d := &b.Items[i]
		if d.Index >= own.Index || taken[d.Index] {
			return nil, fmt.Errorf("it shows record %d, which does not come before it, or stands in the file already", d.Index)
		}
		taken[d.Index] = true
		envelope, err := base64.StdEncoding.DecodeString(d.Envelope)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", d.Index, err) // the form of the body rules it out
		}
		line := &record.Line{Index: d.Index, LoggedAt: d.LoggedAt, LeafSalt: d.LeafSalt, Envelope: envelope}
		out = append(out, &item{line: line, path: paths[i], shown: d})
	}
	return out, nil
}

// show finds the records that the bundle's own shows, whose authors' keys matter. What has
// not its form is left to the check.
func (m *maker) show() {
	b, ok := m.own.body.(*record.Released)
	if !ok {
		return
	}
	for i := range b.Items {
		d := &b.Items[i]
		x := &bearing{item: item{line: &record.Line{Index: d.Index}, shown: d}, take: true}
		if raw, err := base64.StdEncoding.DecodeString(d.Envelope); err == nil {
			if x.envelope, err = record.ParseEnvelope(raw); err == nil {
				x.statement, _ = x.envelope.Statement()
			}
		}
		if x.statement != nil {
			m.about[x.statement.Member] = true
		}
		m.shown = append(m.shown, x)
	}
}

// released are the paths of the records that the bundle's own shows.
func (m *maker) released(ctx context.Context) (out [][]string, err error) {
	for _, x := range m.shown {
		if x.line.Index >= m.head.Size {
			return nil, fmt.Errorf("it shows record %d, and the head has %d", x.line.Index, m.head.Size)
		}
		hashes, err := m.from.Inclusion(ctx, x.line.Index, m.head.Size)
		if err != nil {
			return nil, err
		}
		out = append(out, formatHashes(hashes))
	}
	return out, nil
}

// showing takes a record that a release shows through its one layer.
func (c *checker) showing(it *item) {
	shown := Shown{Index: it.line.Index, LoggedAt: it.line.LoggedAt, Fields: it.shown.Fields}
	o, ours := c.leaf(it)
	if !ours {
		o = wrong("%w", o.err)
	} else if o.good() {
		o = c.shownRecord(it)
		shown.Statement = it.statement
	}
	shown.Finding, shown.failed = c.settle(it, Release, o), o.err != nil
	c.report.Shown = append(c.report.Shown, shown)
}

// shownRecord judges the envelope and the fields of a record that is the log's.
func (c *checker) shownRecord(it *item) outcome {
	o, later := c.open(it)
	if later != "" {
		c.report.update(fmt.Sprintf("record %d (%s)", it.line.Index, later))
		return unsure("update needed: %s", later)
	}
	if o.err != nil {
		return o
	}
	if _, err := vault.CheckDisclosure(it.shown); err != nil {
		return outcome{err: err}
	}
	return c.roster.check(it)
}

// release says of the record itself what is wrong with all that it shows.
func (c *checker) release() {
	switch x := &c.file.released; {
	case x.fault != nil:
		c.report.problem(c.file.index, Release, "%v", x.fault)
	case x.gap != "":
		c.report.unchecked(c.file.index, Release, "%s", x.gap)
	}
}

// write prints what is shown. Of what is not proved nothing is printed but that.
func (s *Shown) write(p *printer) {
	p.line("\nshows of record %d", s.Index)
	if st := s.Statement; st != nil {
		p.line("  id          %s", st.ID)
		p.line("  kind        %s", st.Kind)
		p.line("  filed by    %s", st.Member)
		p.line("  claimed at  %s by the author's clock: a claim", clock(st.ClaimedAt))
	}
	p.line("  logged at   %s by the registry's clock", clock(s.LoggedAt))
	p.line("  release     %s", s.Finding)
	if s.failed {
		return
	}
	for _, f := range s.Fields {
		p.line("  %s  %s", f.Path, f.Value)
	}
}
