// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"truceline/record"
)

// few is how many of a list are printed unless all are asked for.
const few = 10

// Write prints the report for people, in English. verbose names everything that others
// stop at.
func (r *Report) Write(w io.Writer, verbose bool) error {
	p := &printer{w: w, most: few}
	if verbose {
		p.most = MaxRecords * len(layers)
	}
	if r.exercise() {
		p.line("EXERCISE  what this record says is invented: it is of an exercise, and tells of no real event")
	}
	p.line("log       %s", orDash(r.Origin))
	p.line("head      %s", r.headText())
	p.line("key       %s", orDash(r.Key))
	if r.KeyFromFile {
		p.line("          WARNING: no key was given, and this one comes from the file itself. That the file agrees")
		p.line("          with itself is shown; whose log it is, is not. Get the key from somebody else: --key")
	}
	r.writePolicy(p)
	p.line("")
	p.line("layer         good    failed  could not be checked")
	for _, l := range layers {
		if t := r.Layers[l]; *t != (Tally{}) {
			p.line("%-8s %9d %9d %9d", l, t.Good, t.Failed, t.Unchecked)
		}
	}
	p.list("problems", len(r.Problems), func(i int) string {
		x := r.Problems[i]
		return where(x.Index, x.Layer) + ": " + x.What
	})
	p.list("could not be checked", len(r.Unchecked), func(i int) string {
		x := r.Unchecked[i]
		return where(x.Index, x.Layer) + ": " + x.Why
	})
	p.list("notes", len(r.Notes), func(i int) string { return r.Notes[i] })
	r.writeWords(p)
	p.list("the record rests on", len(r.Others), func(i int) string {
		return fmt.Sprintf("record %d, %s, filed by %s", r.Others[i].Index, r.Others[i].Kind, r.Others[i].By)
	})
	if r.Record != nil {
		r.Record.write(p, r.Bracket)
	}
	for i := range r.Shown {
		r.Shown[i].write(p)
	}
	p.line("")
	p.line("verdict   %s", r.Verdict())
	return p.err
}

// exercise tells whether the record is marked as invented, by who signed it.
func (r *Report) exercise() bool {
	return r.Record != nil && r.Record.Statement != nil && r.Record.Statement.Exercise
}

func (r *Report) headText() string {
	if r.Root == "" {
		return "-"
	}
	return fmt.Sprintf("%s, root %s", plural(int(r.Size), "record"), r.Root)
}

func (r *Report) writePolicy(p *printer) {
	switch {
	case r.Policy == "":
		p.line("policy    none")
		return
	case r.PolicyFromFile:
		p.line("policy    that of version %d of the agreement, which the file holds", r.PolicyVersion)
		p.line("          WARNING: no policy was given: who the witnesses are, and how many it takes, is the")
		p.line("          record's own word, and a later version may say otherwise. Get it from somebody else: --policy")
	default:
		p.line("policy    as given")
	}
	if r.RulesFromFile && len(r.RulesBy) > 0 {
		p.line("rules     WARNING: whose the rules keys are is the record's own word: the policy names none. Get one")
		p.line("          that does from somebody else: truceline policy show")
	}
}

// writeWords says who vouches for the head.
func (r *Report) writeWords(p *printer) {
	if len(r.Cosigned)+len(r.Missing) == 0 {
		return
	}
	p.line("\nthe head")
	for _, x := range r.Cosigned {
		p.line("  %-20s cosigned it at %s by its own clock", x.Name, second(x.At))
	}
	for _, name := range r.Missing {
		p.line("  %-20s has not cosigned it, as far as the file shows", name)
	}
	for _, x := range r.RulesBy {
		p.line("  %-20s says that all its records passed the rules", x.Name)
	}
}

func (d *Record) write(p *printer, b Bracket) {
	p.line("\nrecord %d", d.Index)
	if st := d.Statement; st != nil {
		p.line("  id          %s", st.ID)
		p.line("  kind        %s", st.Kind)
		p.line("  filed by    %s", st.Member)
		if !st.Officer.IsZero() {
			p.line("  officer     %s", st.Officer)
		}
		p.line("  audience    %s", strings.Join(append([]string{st.Audience}, st.Readers...), " "))
		for _, sub := range st.Subjects {
			p.line("  %-11s %s", sub.Role, sub.ID)
		}
		if !st.Supersedes.IsZero() {
			p.line("  supersedes  %s", st.Supersedes)
		}
		p.line("  claimed at  %s by the author's clock: a claim", clock(st.ClaimedAt))
	}
	p.line("  logged at   %s by the registry's clock", clock(d.LoggedAt))
	if b.NotYet > 0 {
		p.line("  not yet at  %s: by their clocks, a quorum of witnesses had cosigned no head with it", second(b.NotYet))
	}
	if b.By > 0 {
		p.line("  in by       %s: by their clocks, a quorum of witnesses had cosigned a head with it", second(b.By))
	}
	for _, k := range d.Keys {
		switch {
		case k.Member == "":
			p.line("  signed      %s, which no record here brings", k.ID)
		case k.Officer.IsZero():
			p.line("  signed      %s of %s, brought by record %d, valid from index %d%s", k.ID, k.Member, k.Brought, k.From, untilText(k.Until))
		default:
			p.line("  signed      %s of officer %s of %s, brought by record %d, valid from index %d%s", k.ID, k.Officer, k.Member, k.Brought, k.From, untilText(k.Until))
		}
	}
	for _, l := range []Layer{Leaf, Envelope, Body} {
		p.line("  %-11s %s", l, orDash(d.Layers[l]))
	}
	if d.Body != nil {
		p.line("  says        %s", d.Body)
	}
	if d.Statement != nil && d.Statement.Kind == record.ReleaseMade {
		p.line("  since then  no file shows whether another release has taken its place: the log does")
	}
}

func where(index int64, layer Layer) string {
	if index < 0 {
		return string(layer)
	}
	return fmt.Sprintf("record %d, %s", index, layer)
}

// printer writes lines until the first error. A file is a stranger's: nothing in it may
// reach the terminal but visible text, and no line but by its format.
type printer struct {
	w    io.Writer
	most int
	err  error
}

func (p *printer) line(format string, a ...any) {
	if p.err != nil {
		return
	}
	for i, x := range a {
		switch x := x.(type) {
		case int, int64:
		case []byte:
			a[i] = visible(string(x))
		default:
			a[i] = visible(fmt.Sprint(x))
		}
	}
	_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
}

// list prints so many of n lines under a title.
func (p *printer) list(title string, n int, text func(i int) string) {
	if n > 0 {
		p.line("\n" + title)
	}
	for i := range n {
		if i == p.most {
			p.line("  and %d more (-v)", n-i)
			return
		}
		p.line("  %s", text(i))
	}
}

func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func second(s int64) string { return time.Unix(s, 0).UTC().Format("2006-01-02T15:04:05Z") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
