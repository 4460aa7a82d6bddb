// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"truceline/bundle"
	"truceline/record"
)

// TestTooMuch: what is larger than a bundle can be is refused before it is looked at.
func TestTooMuch(t *testing.T) {
	good, o := goodFile(t)
	w, dir := &world{t: t}, t.TempDir()
	var names []string
	var list []onDisk
	big := w.edit(good, func(f *form) {
		for i := range bundle.MaxRecords {
			p := f.Records[0]
			p.Line = strings.Replace(p.Line, `"index":0`, fmt.Sprintf(`"index":%d`, 1000+i), 1)
			f.Records = append(f.Records, p)
		}
	})
	for name, b := range map[string][]byte{
		"bytes":         append(bytes.Clone(good), bytes.Repeat([]byte(" "), bundle.MaxFile)...),
		"nothing but 0": make([]byte, 100<<20),
		"records":       big,
		"depth":         []byte(strings.Repeat(`{"a":`, 1<<20)),
		"a long line":   w.edit(good, func(f *form) { f.Record.Line += strings.Repeat(" ", record.MaxLine) }),
		"a long proof":  w.edit(good, func(f *form) { f.Record.Proof += strings.Repeat("— a AAAAAAA=\n", 1<<16) }),
	} {
		is(t, w.check(b, o), bundle.Wrong, []string{"- file"}, none)
		if s := text(w.check(b, o)); len(s) > 5000 {
			t.Errorf("%s: the report has %d bytes", name, len(s))
		}
		names, list = append(names, name), append(list, onDisk{File: write(t, dir, name, b), Key: o.Key})
	}
	for i, v := range secondChecker(t, list...) {
		v.sees(t, names[i], "failed", []string{"- file"}, none)
	}
}

// TestOptions: what is wrong with the call is no report.
func TestOptions(t *testing.T) {
	good, o := goodFile(t)
	for _, bad := range []bundle.Options{
		{Key: "x"}, {Policy: "x"}, {Key: o.Key + "="}, {Policy: strings.Replace(o.Policy, "quorum", "quorums", 1)},
		{Key: newWorld(t, "another").LogKey, Policy: o.Policy},
	} {
		if r, err := bundle.Check(good, bad); !errors.As(err, new(*bundle.OptionError)) || r != nil {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// TestReportIsFitForATerminal: nothing in a bundle reaches a terminal but visible text.
func TestReportIsFitForATerminal(t *testing.T) {
	c := newCase(t, "terminal")
	c.opening("DRN")
	c.target = c.file("DRN", record.AccountWithdrawn, &record.Reason{Reason: "first\nsecond\t\u202eevil \ufeff"}, aboutAnything(c))
	said := text(c.check([]byte(c.assemble()), bundle.Options{}))
	if !strings.Contains(said, "�evil �") {
		t.Errorf("the body is not shown: %s", said)
	}
	if i := strings.IndexFunc(said, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("byte %d is %q", i, said[i:i+3])
	}
}

// TestLists: a report names a few of many, and all when asked.
func TestLists(t *testing.T) {
	w := newWorld(t, "bundle")
	r := w.check(w.whole(w.size()-1), bundle.Options{})
	var short, long bytes.Buffer
	w.must(r.Write(&short, false))
	w.must(r.Write(&long, true))
	if len(r.Others) <= 10 || !strings.Contains(short.String(), fmt.Sprintf("and %d more (-v)", len(r.Others)-10)) || strings.Contains(long.String(), "more (-v)") {
		t.Errorf("%d others:\n%s", len(r.Others), short.String())
	}
	if err := r.Write(failing{}, false); err == nil {
		t.Error("a report that could not be written was")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

// TestTimesThatDoNotFit: a logged time outside of what witnesses say by more than the bound
// is pointed out, and is no fault of the file.
func TestTimesThatDoNotFit(t *testing.T) {
	for _, tt := range []struct {
		move int64 // of the logged time, in seconds, from where it fits
		says bool
	}{{-58, false}, {-70, true}, {58, false}, {70, true}} {
		c := newCase(t, "times")
		c.vouched()
		for i := c.target; i < c.size(); i++ {
			c.log.Entries[i].LoggedAt += tt.move * 1000
		}
		if tt.move < 0 { // the others are earlier still
			for i := range c.target {
				c.log.Entries[i].LoggedAt -= 1000 * 1000
			}
		}
		c.before = func() []byte { return c.world.head(11, all(11, c.members(), "witness")...) }
		r := c.check([]byte(c.assemble()), bundle.Options{Key: c.LogKey})
		is(t, r, bundle.Good, none, none)
		if strings.Contains(text(r), "DOES NOT FIT") != tt.says {
			t.Errorf("moved by %d s: %s", tt.move, text(r))
		}
	}
}

// TestTimesOfCases: which times the cases show.
func TestTimesOfCases(t *testing.T) {
	want := map[string]bundle.Bracket{
		"bracketed": {NotYet: second(12), By: second(13)}, "vouched": {By: second(13)}, "not-witnessed": {}, "before-not-witnessed": {By: second(13)},
		"after-not-witnessed": {By: second(14)}, "times-of-nobody": {}, "times-that-say-nothing": {}, "plain": {},
	}
	for i := range bundleCases {
		x := &bundleCases[i]
		b, ok := want[x.name]
		if !ok {
			continue
		}
		delete(want, x.name)
		f := x.file(t)
		r, err := bundle.Check([]byte(f.Bundle), bundle.Options{Key: f.Key, Policy: f.Policy})
		if err != nil || r.Bracket != b {
			t.Errorf("%s: %+v, %v; want %+v", x.name, r.Bracket, err, b)
		}
		if silent := x.name == "before-not-witnessed" || x.name == "after-not-witnessed" || x.name == "times-of-nobody"; silent != strings.Contains(text(r), "shows no time") {
			t.Errorf("%s: %s", x.name, text(r))
		}
	}
	if len(want) > 0 {
		t.Errorf("there are no cases %v", want)
	}
}

// TestJoined puts what one bundle holds into another of the same log: what comes out is of
// one of the two records, as it is, or is not good.
func TestJoined(t *testing.T) {
	w := newWorld(t, "bundle")
	list := [][]byte{w.whole(54), w.whole(55), w.whole(17), w.whole(0), w.make(10, bundle.Heads{Head: w.full(54)})}
	var forms []form
	for _, b := range list {
		var f form
		w.must(json.Unmarshal(b, &f))
		forms = append(forms, f)
	}
	fields := []func(to, from *form){
		func(to, from *form) { to.Record = from.Record },
		func(to, from *form) { to.Record.Line = from.Record.Line },
		func(to, from *form) { to.Record.Proof = from.Record.Proof },
		func(to, from *form) { to.Records = from.Records },
		func(to, from *form) { to.Before = from.Before },
		func(to, from *form) { to.After = from.After },
		func(to, from *form) { to.Before, to.After = from.After, from.Before },
	}
	good := 0
	for i := range forms {
		for j := range forms {
			for n, join := range fields {
				b := w.edit(list[i], func(f *form) { join(f, &forms[j]) })
				r := w.check(b, w.known())
				if r.Outcome() != bundle.Good {
					continue
				}
				good++
				d := r.Record
				e := w.log.Entries[d.Index]
				if d.Statement.ID != e.Statement.ID || d.LoggedAt != e.LoggedAt || !bytes.Equal(d.Body, e.Body) {
					t.Errorf("%d with field %d of %d: %+v", i, n, j, d)
				}
				// The last second without a record was before it was logged, the first with it after.
				if at := second(int(d.Index)); r.Bracket.NotYet > at+3 || r.Bracket.By != 0 && r.Bracket.By < at {
					t.Errorf("%d with field %d of %d: %+v of record %d", i, n, j, r.Bracket, d.Index)
				}
			}
		}
	}
	if good < len(forms)*len(fields)/2 {
		t.Errorf("only %d were good, not even what is the same in both", good)
	}
}

// FuzzCheck looks for a bundle that makes the check fail, or that says another thing of the
// example's log and is good.
func FuzzCheck(f *testing.F) {
	good, o := goodFile(f)
	f.Add(good)
	for i := range bundleCases {
		if x := &bundleCases[i]; len(x.name) < 12 {
			f.Add([]byte(x.file(f).Bundle))
		}
	}
	want, err := bundle.Check(good, o)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, options := range []bundle.Options{o, {}} {
			r, err := bundle.Check(b, options)
			if err != nil {
				t.Fatal(err)
			}
			if options.Key != "" && r.Outcome() == bundle.Good && another(r, want) {
				t.Fatalf("good, and says another thing: %s", text(r))
			}
			if s := text(r); !strings.Contains(s, "verdict") || slices.Contains([]byte(s), 0x1b) {
				t.Fatal(s)
			}
		}
	})
}
