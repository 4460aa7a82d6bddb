// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"truceline/bundle"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// memory is a log of which there are only the files.
type memory map[string][]byte

func (m memory) Read(_ context.Context, path string) ([]byte, error) {
	b, ok := m[path]
	if !ok {
		return nil, fmt.Errorf("there is no %s: %w", path, fs.ErrNotExist)
	}
	return b, nil
}

func verified(t testing.TB, m memory, o verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.Log(context.Background(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTheLogsAreGood: what the tests here call a good log, the rules admit.
func TestTheLogsAreGood(t *testing.T) {
	w := newWorld(t, "bundle")
	c := newCase(t, "admitted")
	c.opening(c.members()...)
	for name, l := range map[string]*verifytest.Log{"world": w.log, "turnover": turnover(t).log} {
		if r := verified(t, l.Files(), verify.Options{Key: l.Mission.LogKey, Rules: true}); r.Outcome() != verify.Good {
			var b strings.Builder
			r.Write(&b, true)
			t.Errorf("%s: %s", name, b.String())
		}
	}
}

// turnover is a log with departures, members that come back, cosigners and policies.
func turnover(t testing.TB) *world {
	m := verifytest.NewMission("bundle turnover")
	w := &world{t: t, Mission: m, log: &verifytest.Log{Mission: m}}
	w.log.Append(m.Turnover()...)
	return w
}

// TestBundlesOfOtherLogs: nothing is wrong with the bundle of any record of a log that the
// rules admit, at any head; what is left is that nobody vouches for these.
func TestBundlesOfOtherLogs(t *testing.T) {
	logs := map[string]*world{"turnover": turnover(t)}
	for name, records := range map[string]func(m *verifytest.Mission) []verifytest.Filing{"story": (*verifytest.Mission).Story, "acts": (*verifytest.Mission).Acts} {
		m := verifytest.NewMission("bundle " + name)
		w := &world{t: t, Mission: m, log: &verifytest.Log{Mission: m}}
		w.log.Append(records(m)...)
		logs[name] = w
	}
	for name, w := range logs {
		for i := range w.size() {
			for _, size := range []int{i + 1, w.size()} {
				b := w.make(i, bundle.Heads{Head: w.head(size)})
				r := w.check(b, bundle.Options{Key: w.LogKey})
				if _, unchecked := found(r); !slices.Equal(unchecked, wordless) || len(r.Problems) > 0 {
					t.Errorf("%s, record %d of %d: %s", name, i, size, text(r))
				}
			}
		}
	}
}

// readLogCase reads a case of a log from testdata/vectors/cases.
func readLogCase(t *testing.T, path string) (memory, string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Key   string `json:"vkey"`
		Files map[string]string
	}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	m := memory{}
	for path, s := range c.Files {
		m[path] = []byte(s)
		if strings.HasPrefix(path, "tile/") {
			if m[path], err = hex.DecodeString(s); err != nil {
				t.Fatal(err)
			}
		}
	}
	return m, c.Key
}

// TestAgainstTheWholeLog makes the bundle of every record of every case of a log and
// compares: what is wrong with a record in the log is never good in its bundle, and what is
// good there is never wrong here.
func TestAgainstTheWholeLog(t *testing.T) {
	paths, err := filepath.Glob("../testdata/vectors/cases/*.json")
	if err != nil || len(paths) < 100 {
		t.Fatal(len(paths), err)
	}
	compared, wrong := 0, 0
	for _, path := range paths {
		m, key := readLogCase(t, path)
		from, err := bundle.ReadCopy(context.Background(), m, key)
		if err != nil {
			continue // not whole, or not of its head
		}
		size := verified(t, m, verify.Options{Key: key}).Size
		for i := range size {
			b, err := bundle.Assemble(context.Background(), from, i)
			if err != nil && strings.Contains(err.Error(), "this copy lacks record") {
				continue // its own line, or that of record 0
			}
			if err != nil {
				t.Fatalf("%s, record %d: %v", path, i, err)
			}
			r, err := bundle.Check(b, bundle.Options{Key: key})
			if err != nil {
				t.Fatal(err)
			}
			whole := verified(t, m, verify.Options{Key: key, Record: fmt.Sprint(i)})
			compared++
			wrong += compare(t, fmt.Sprintf("%s, record %d", filepath.Base(path), i), r, whole)
		}
	}
	if compared < 200 || wrong < 40 {
		t.Errorf("only %d records were compared, of which %d are wrong", compared, wrong)
	}
}

// restsOnOthers is what may be wrong with a record only beside one that its bundle does not
// hold. That nothing of it is, is the word of those who say that the rules were kept. The
// last is wrong in a log alone: in a bundle its holder may show what was in a box.
var restsOnOthers = []string{"logged_at goes back", "its id stands for a record already", "is enrolled already", "is known already", "was given in the clear"}

// compare holds what a bundle shows of its record against what the log shows of it. It
// tells how many layers are wrong in the log.
func compare(t *testing.T, name string, r *bundle.Report, whole *verify.Report) (wrong int) {
	t.Helper()
	if r.Record == nil || whole.Detail == nil {
		if len(r.Problems) == 0 && r.Update == "" {
			t.Errorf("%s: nothing was found of the record, and nothing is wrong\n%s", name, text(r))
		}
		return 0
	}
	for layer, said := range whole.Detail.Layers {
		ours := r.Record.Layers[bundle.Layer(layer)]
		switch {
		case layer == verify.Rule:
		case strings.HasPrefix(said, "FAILED"):
			if wrong++; ours == "good" && !slices.ContainsFunc(restsOnOthers, func(s string) bool { return strings.Contains(said, s) }) {
				t.Errorf("%s, %s: the log says %q, the bundle that it is good\n%s", name, layer, said, text(r))
			}
		case said == "good" && strings.HasPrefix(ours, "FAILED"):
			t.Errorf("%s, %s: good in the log, and in the bundle %q", name, layer, ours)
		}
	}
	return wrong
}

// TestCopy makes bundles from the files of a log alone: more than one group of records, a
// head that was witnessed earlier, and copies that are none.
func TestCopy(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, "bundle")
	for w.size() < 650 {
		w.file("book", record.ClockTicked, nil)
	}
	w.file("book", record.KeyAdded, &record.KeyAddition{Key: keyOf(strange), Member: "book"}) // after what was witnessed
	for w.size() < 700 {
		w.file("book", record.ClockTicked, nil)
	}
	files := memory(w.log.Files())
	files["witnessed"] = w.full(600)
	for _, key := range []string{w.LogKey, ""} {
		from, err := bundle.ReadCopy(ctx, files, key)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int64{0, 55, 300, 599, 600, 699} {
			b, r, err := bundle.Make(ctx, from, i)
			if err != nil {
				t.Fatalf("record %d: %v", i, err)
			}
			outcome, size := bundle.Good, int64(600)
			if i >= 600 {
				outcome, size = bundle.Incomplete, 700
			}
			if again := w.check(b, w.known()); again.Outcome() != outcome || again.Size != size || r.Record.Index != i {
				t.Errorf("record %d: %s", i, text(again))
			}
		}
		id := w.log.Entries[300].Statement.ID
		if i, ok := from.Find(id); !ok || i != 300 {
			t.Errorf("%s is found at %d, %t", id, i, ok)
		}
		if _, ok := from.Find(record.ID{1}); ok {
			t.Error("a record is found that is not there")
		}
		if _, _, err := bundle.Make(ctx, from, 700); err == nil {
			t.Error("a bundle of what is not there")
		}
	}
	notTheLog(t, w, files)
}

func notTheLog(t *testing.T, w *world, files memory) {
	for name, spoil := range map[string]func(m memory){
		"no head":         func(m memory) { delete(m, "checkpoint") },
		"a group missing": func(m memory) { delete(m, "records/001") },
		"a line missing, and its entry": func(m memory) {
			m["records/001"] = m["records/001"][strings.Index(string(m["records/001"]), "\n")+1:]
			delete(m, "tile/entries/001")
		},
		"a line missing, and another entry": func(m memory) {
			m["records/001"] = m["records/001"][strings.Index(string(m["records/001"]), "\n")+1:]
			b := slices.Clone(m["tile/entries/001"])
			b[30] ^= 1
			m["tile/entries/001"] = b
		},
		"another record": func(m memory) {
			m["records/001"] = []byte(strings.Replace(string(m["records/001"]), `"logged_at":17723`, `"logged_at":17724`, 1))
		},
		"a head of nobody": func(m memory) { m["checkpoint"] = []byte("x") },
		"a huge head":      func(m memory) { m["checkpoint"] = []byte(verifytest.Origin + "\n9007199254740991\n") },
		"no size":          func(m memory) { m["checkpoint"] = []byte(verifytest.Origin + "\n-1\n") },
	} {
		m := maps.Clone(files)
		spoil(m)
		for _, key := range []string{w.LogKey, ""} {
			if _, err := bundle.ReadCopy(context.Background(), m, key); err == nil {
				t.Errorf("%s: taken for a copy", name)
			}
		}
	}
	m := maps.Clone(files)
	m["records/000"] = m["records/000"][strings.Index(string(m["records/000"]), "\n")+1:]
	if _, err := bundle.ReadCopy(context.Background(), m, ""); err == nil {
		t.Error("no key was given, and the record that names it is missing: taken for a copy")
	}
	if _, err := bundle.ReadCopy(context.Background(), files, verifytest.NewMission("another").LogKey); err == nil {
		t.Error("the key of another log is taken")
	}
	// A head that is none is passed over, for the one that the log has.
	for name, b := range map[string][]byte{"another log's": newWorld(t, "another").full(50), "nonsense": []byte("x"), "too new": w.full(700)} {
		m := maps.Clone(files)
		m["witnessed"] = b
		from, err := bundle.ReadCopy(context.Background(), m, w.LogKey)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := from.Heads(context.Background(), 3); err != nil || name != "too new" && string(h.Head) != string(files["checkpoint"]) {
			t.Errorf("%s: %.60q, %v", name, h.Head, err)
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := bundle.ReadCopy(ended, waiting{files}, w.LogKey); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended call: %v", err)
	}
}

// TestCopyForEverybody makes bundles from a copy of which the lines of what not everybody
// may read were left out.
func TestCopyForEverybody(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, "bundle")
	w.Epoch = record.ID{7}
	var hidden, shown []int
	for range 3 {
		hidden = append(hidden, w.file("OMB", record.AccountFiled, bodyOf(7), verifytest.For(record.AudienceMembers)))
		shown = append(shown, w.file("OMB", record.AccountFiled, bodyOf(8)))
		for range 120 {
			w.file("book", record.ClockTicked, nil)
		}
	}
	files := memory(w.log.Files())
	for _, i := range hidden {
		path := ledger.GroupPath("records", int64(i/256), min(256, w.size()-i/256*256))
		files[path] = bytes.Replace(files[path], append(w.log.Line(i), '\n'), nil, 1)
	}
	files["witnessed"] = w.full(w.size())
	from, err := bundle.ReadCopy(ctx, files, w.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range shown {
		b, _, err := bundle.Make(ctx, from, int64(i))
		if err != nil {
			t.Fatal(err)
		}
		is(t, w.check(b, w.known()), bundle.Good, none, none)
	}
	for _, i := range hidden {
		if b, _, err := bundle.Make(ctx, from, int64(i)); err == nil || b != nil || !strings.Contains(err.Error(), fmt.Sprintf("lacks record %d", i)) {
			t.Errorf("of a record that is not there: %v", err)
		}
		if _, ok := from.Find(w.log.Entries[i].Statement.ID); ok {
			t.Error("a record is found that is not there")
		}
	}
}

// waiting is files on a line that is cut when the call ends.
type waiting struct{ memory }

func (w waiting) Read(ctx context.Context, path string) ([]byte, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return w.memory.Read(ctx, path)
}
