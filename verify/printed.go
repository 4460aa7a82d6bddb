// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Write prints the report. verbose also names every record that could not be checked
// in full; otherwise only the first few are named.
func (r *Report) Write(w io.Writer, verbose bool) error {
	p := &printer{w: w}
	if r.NotRead != nil {
		p.line("not read  %s", r.NotRead)
		p.line("")
		p.line("verdict   %s", r.Verdict())
		return p.err
	}
	p.line("log       %s", orDash(r.Origin))
	p.line("size      %s%s", plural(r.Size, "record"), r.times())
	p.line("root      %s", orDash(r.Root))
	p.line("key       %s", orDash(r.Key))
	if r.KeyFromLog {
		p.line("          WARNING: no key was given, and this one comes from the log itself. That the log agrees")
		p.line("          with itself is shown; whose log it is, is not. Get the key from somebody else: --key")
	}
	p.line("files     %d read and compared", r.Files)
	p.line("")
	p.line("layer         good    failed  could not be checked")
	for _, l := range layers {
		if t := r.Layers[l]; l == Rule && !r.RulesChecked {
			p.line("%-8s not checked: ask for the rules to be replayed (--rules)", l)
		} else {
			p.line("%-8s %9d %9d %9d", l, t.Good, t.Failed, t.Unchecked)
		}
	}
	r.writeLeftOut(p)
	if !r.StateHash.IsZero() {
		p.line("state     %s", r.StateHash)
	} else if r.RulesChecked && r.Size > 0 {
		p.line("state     none: not every record could be folded")
	}
	r.writeWitnesses(p)
	r.writeWord(p)
	r.writeLists(p, verbose)
	r.writeKeys(p)
	if r.Detail != nil {
		r.Detail.write(p)
	}
	if r.RecordMissing != "" {
		p.line("\nrecord %s is not in this log of %s, or was not given: name it by its id, or by its index from 0", r.RecordMissing, plural(r.Size, "record"))
	}
	p.line("")
	p.line("verdict   %s", r.Verdict())
	return p.err
}

func (r *Report) writeLists(p *printer, verbose bool) {
	few := 10
	if verbose {
		few = maxListed
	}
	if len(r.Problems) > 0 {
		p.line("\nproblems")
	}
	for i, x := range r.Problems {
		if i == max(few, 100) {
			break
		}
		where := string(x.Layer)
		if x.Index >= 0 {
			where = fmt.Sprintf("record %d, %s", x.Index, x.Layer)
		}
		p.line("  %s, %s: %s", where, x.Path, x.What)
	}
	if more := r.ProblemCount - int64(min(len(r.Problems), max(few, 100))); more > 0 {
		p.line("  and %d more", more)
	}
	if len(r.Unread) > 0 {
		p.line("\ncould not be read")
	}
	for _, x := range r.Unread {
		p.line("  %s: %s", x.Path, x.What)
	}
	if more := r.UnreadCount - int64(len(r.Unread)); more > 0 {
		p.line("  and %d more", more)
	}
	if len(r.Unchecked) > 0 {
		p.line("\ncould not be checked")
	}
	for i, x := range r.Unchecked {
		if i == few {
			p.line("  and more (-v names up to %d)", maxListed)
			break
		}
		which := fmt.Sprintf("record %d", x.From)
		if x.To > x.From {
			which = fmt.Sprintf("records %d to %d", x.From, x.To)
		}
		p.line("  %s, %s: %s", which, x.Layer, x.Why)
	}
	if len(r.Notes) > 0 {
		p.line("\nnotes")
	}
	for _, n := range r.Notes {
		p.line("  %s", n)
	}
	if r.noted > len(r.Notes) {
		p.line("  and %d more", r.noted-len(r.Notes))
	}
}

func (r *Report) times() string {
	if r.LastLogged == 0 {
		return ""
	}
	return fmt.Sprintf(", logged %s to %s", clock(r.FirstLogged), clock(r.LastLogged))
}

// printer writes lines until the first error. Log files are a stranger's: nothing in
// them may reach the terminal but visible text, and no line but by its format.
type printer struct {
	w   io.Writer
	err error
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

func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
