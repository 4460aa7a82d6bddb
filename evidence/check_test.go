// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/evidence"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

func TestWrongOptions(t *testing.T) {
	w, list := allFiles(t)
	other := newWorld(t, "another log")
	for _, v := range list {
		for what, o := range map[string]evidence.Options{
			"a key that is none":          {LogKey: "rubbish"},
			"a policy that is none":       {Policy: "rubbish"},
			"a policy for another log":    {Policy: other.policy},
			"a bound below any":           {ClockBoundMS: -1},
			"a bound beyond any":          {ClockBoundMS: evidence.MaxBoundMS + 1},
			"a policy without this log":   {LogKey: w.LogKey, Policy: other.policy},
			"a witness key for the log's": {LogKey: w.witnesses["OMB"].VKey()},
		} {
			if _, err := evidence.Check(v.file, o); !errors.As(err, new(*evidence.OptionError)) {
				t.Errorf("%s, %s: %v", v.name, what, err)
			}
		}
		_, err := evidence.Check(v.file, evidence.Options{LogKey: other.LogKey})
		if err == nil || errors.As(err, new(*evidence.OptionError)) || errors.As(err, new(*evidence.IncompleteError)) {
			t.Errorf("%s, for another log: %v", v.name, err)
		}
	}
}

// TestWhoseKey: the key is the caller's, the caller's policy's, or the file's own word.
func TestWhoseKey(t *testing.T) {
	w, list := allFiles(t)
	for _, v := range list {
		for _, x := range []struct {
			o        evidence.Options
			fromFile bool
		}{{evidence.Options{}, true}, {evidence.Options{ClockBoundMS: bound}, true}, {evidence.Options{LogKey: w.LogKey}, false}, {evidence.Options{Policy: w.policy}, false}} {
			f, err := evidence.Check(v.file, x.o)
			if err != nil || f.KeyFromFile != x.fromFile {
				t.Errorf("%s, %+v: %+v, %v", v.name, x.o, f, err)
				continue
			}
			var b bytes.Buffer
			w.must(f.Write(&b))
			if strings.Contains(b.String(), "WARNING") != x.fromFile {
				t.Errorf("%s: %s", v.name, b.String())
			}
		}
	}
}

// TestWrite shows the page that people read.
func TestWrite(t *testing.T) {
	w, list := allFiles(t)
	for _, v := range list {
		if v.name != "revoked-key" {
			continue
		}
		f, err := evidence.Check(v.file, w.options())
		w.must(err)
		var b bytes.Buffer
		w.must(f.Write(&b))
		for _, want := range []string{
			"evidence  revoked-key\n", "log       ledger.example.org/lakes\n", "\nfinding   The log ledger.example.org/lakes holds at index 43 a record of OMB that is signed with key ",
			"\nproved\n  ", "\nnot proved\n  ", "\nverdict   IT HOLDS, against the log ledger.example.org/lakes.\n",
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%q is missing in\n%s", want, b.String())
			}
		}
	}
	f := &evidence.Finding{Sentence: "a\x1b[2Jb\nc", Proved: []string{"\u202eevil"}}
	var b bytes.Buffer
	w.must(f.Write(&b))
	if s := b.String(); strings.ContainsAny(s, "\x1b\u202e") || strings.Contains(s, "b\nc") {
		t.Errorf("%q reaches the terminal", s)
	}
}

// TestMakersRefuse: what does not hold is not written.
func TestMakersRefuse(t *testing.T) {
	w := newWorld(t, "honest")
	l := w.known()
	p := func(i int) evidence.Proven { return w.proven(i, w.size(), seen(second(100))...) }
	f := w.File("OMB", record.AccountFiled, verifytest.Account(1))
	for what, make := range map[string]func() ([]byte, error){
		"two histories":  func() ([]byte, error) { return evidence.NewTwoHistories(l, w.head(20), w.head(20)) },
		"of two sizes":   func() ([]byte, error) { return evidence.NewTwoHistories(l, w.head(20), w.head(12)) },
		"no head":        func() ([]byte, error) { return evidence.NewTwoHistories(l, []byte("x"), w.head(12)) },
		"other prefix":   func() ([]byte, error) { return evidence.NewOtherPrefix(l, w.head(20), w.head(12), w.root(11), nil) },
		"logged twice":   func() ([]byte, error) { return evidence.NewLoggedTwice(l, p(10), p(11)) },
		"logged late":    func() ([]byte, error) { return evidence.NewLoggedLate(l, p(10)) },
		"logged early":   func() ([]byte, error) { return evidence.NewLoggedEarly(l, p(10), w.head(10, seen(second(11))...)) },
		"time goes back": func() ([]byte, error) { return evidence.NewTimeGoesBack(l, p(10), p(11)) },
		"revoked key":    func() ([]byte, error) { return evidence.NewRevokedKey(l, p(0), p(16), p(17)) },
		"broken rule":    func() ([]byte, error) { return evidence.NewBrokenRule(l, evidence.RuleBody, p(10), nil) },
		"withheld":       func() ([]byte, error) { return evidence.NewWithheld(l, f.Envelope, p(0), p(2), nil, w.head(20), 1) },
		"refused":        func() ([]byte, error) { return evidence.NewRefused(l, f.Envelope, f.Envelope, p(0), nil) },
		"dropped":        func() ([]byte, error) { return evidence.NewDropped(l, p(10), w.leaf(10), w.proof(10, 20, w.head(20))) },
		"far-off clock": func() ([]byte, error) {
			return evidence.NewFarOffClock(l, evidence.SideLate, evidence.ByRegistry, p(2), p(10), nil)
		},
		"no key": func() ([]byte, error) { return evidence.NewLoggedTwice(evidence.Log{}, p(10), p(10)) },
	} {
		if b, err := make(); err == nil {
			t.Errorf("%s: made %s", what, b)
		}
	}
}

// TestTidy: lines that a log puts under its heads cannot keep a file from being made, nor
// make one that others cannot read.
func TestTidy(t *testing.T) {
	w := newWorld(t, "tidy")
	other := w.fork(19)
	name := w.witnesses["OMB"].Name()
	hash := ""
	for line := range strings.Lines(string(w.head(20, saw{"OMB", 1}))) {
		if strings.Contains(line, name) {
			hash = strings.Fields(line)[2][:6]
		}
	}
	rubbish := "— \u0081odd AAAAAAAA\n— stranger AAAAAAAA\n— " + name + " " + hash + "AA\n"
	head := append(w.head(20, saw{"DRN", second(20)}), rubbish...)
	if _, _, err := ledger.ParseCheckpoint(head, must1(ledger.NewVerifier(w.LogKey))); err != nil {
		t.Fatal("a log could not even sign that: ", err)
	}
	for what, l := range map[string]evidence.Log{"with a policy": w.known(), "without": {Key: w.LogKey}} {
		b, err := evidence.NewTwoHistories(l, head, other.head(20))
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if kept := strings.Contains(string(b), "stranger"); kept != (l.Policy == "") {
			t.Errorf("%s: a stranger's line is kept: %t", what, kept)
		}
		if !strings.Contains(string(b), w.witnesses["DRN"].Name()) || strings.Contains(string(b), "odd") {
			t.Errorf("%s: %s", what, b)
		}
	}
}

func TestNotAFile(t *testing.T) {
	w := newWorld(t, "honest")
	deep := strings.Repeat(`{"a":`, 100_000)
	for _, b := range []string{"", "{}", "null", "[]", `{"v":1}`, "\x00", deep, strings.Repeat("[", 1<<20), string(make([]byte, evidence.MaxFile+1)), `{"evidence":"","log_key":"","v":1}`, `{"evidence":"refused","log_key":"","v":1}`} {
		if f, err := evidence.Check([]byte(b), w.options()); err == nil || errors.As(err, new(*evidence.IncompleteError)) {
			t.Errorf("%.40q: %+v, %v", b, f, err)
		}
	}
}

func TestTooLong(t *testing.T) {
	b := append([]byte(`{"again":"`), bytes.Repeat([]byte("x"), evidence.MaxFile)...)
	if _, err := evidence.Check(append(b, `"}`...), evidence.Options{}); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
}

// FuzzCheck: no bytes make Check panic, and none accuse but those that the log signed.
func FuzzCheck(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join(vectors, "*-*.json"))
	if err != nil || len(paths) < 15 {
		f.Fatal(paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	w := newWorld(f, "evidence")
	honest := newWorld(f, "honest")
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, o := range []evidence.Options{{}, w.options(), {Policy: w.policy}} {
			found, err := evidence.Check(b, o)
			if err != nil {
				continue
			}
			if len(found.Accused) > 0 && !bytes.Contains(b, []byte(w.LogKey)) {
				t.Fatalf("%s accuses %v", b, found.Accused)
			}
			for _, p := range found.Accused {
				if p.Role == evidence.RoleMember {
					t.Fatalf("%s accuses a member", b)
				}
			}
		}
		if found, err := evidence.Check(b, honest.options()); err == nil {
			t.Fatalf("%s says of a log that had no part in it: %s", b, found.Sentence)
		}
	})
}
