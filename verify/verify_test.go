// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// story is a log of the forty records.
func story() *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission("story")}
	l.Append(l.Mission.Story()...)
	return l
}

func check(tb testing.TB, f verify.Fetcher, o verify.Options) *verify.Report {
	tb.Helper()
	r, err := verify.Log(context.Background(), f, o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func text(r *verify.Report) string {
	var b strings.Builder
	_ = r.Write(&b, true) // a Builder takes everything
	return b.String()
}

func TestGoodLog(t *testing.T) {
	l := story()
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Rules: true})
	if !r.OK() || !r.Complete() || r.StateHash.IsZero() || r.Files != 4 || len(r.Notes) != 0 || r.KeyFromLog {
		t.Fatal(text(r))
	}
	for layer, tally := range r.Layers {
		if *tally != (verify.Tally{Good: 40}) {
			t.Errorf("%s: %+v", layer, *tally)
		}
	}
	if s := text(r); !strings.Contains(s, "OK: every file, leaf, signature, body and rule of 40 records.") {
		t.Error(s)
	}
	r = check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey})
	if s := text(r); !r.OK() || r.Complete() || !strings.Contains(s, "not checked: ask for the rules") || !strings.Contains(s, "The rules were not asked for") {
		t.Error(s)
	}
}

func TestKeyFromTheLogItself(t *testing.T) {
	l := story()
	r := check(t, memory(l.Files()), verify.Options{})
	if !r.OK() || !r.KeyFromLog || r.Key != l.Mission.LogKey || !strings.Contains(text(r), "WARNING: no key was given") {
		t.Fatal(text(r))
	}
	other := verifytest.NewMission("another")
	if r := check(t, memory(l.Files()), verify.Options{Key: other.LogKey}); r.OK() || r.Size != 0 {
		t.Fatal("another log's key was taken:", text(r))
	}
	if _, err := verify.Log(context.Background(), memory(l.Files()), verify.Options{Key: "x"}); err == nil {
		t.Fatal("a malformed key was taken")
	}
	// The checkpoint is signed with the key given, and mission.opened names another.
	l.Mission.Log, l.Mission.LogKey = other.Log, other.LogKey
	r = check(t, memory(l.Files()), verify.Options{Key: other.LogKey})
	if r.OK() || r.Problems[0].Index != 0 || !strings.Contains(r.Problems[0].What, "names the log's key") {
		t.Fatal(text(r))
	}
}

// TestRootAt: the root of a part is that of the log when it had so many records.
func TestRootAt(t *testing.T) {
	l := story()
	files := memory(l.Files())
	for _, size := range []int{1, 7, 20, len(l.Entries)} {
		part := &verifytest.Log{Mission: l.Mission, Entries: l.Entries[:size]}
		want := check(t, memory(part.Files()), verify.Options{Key: l.Mission.LogKey}).Root
		if r := check(t, files, verify.Options{Key: l.Mission.LogKey, RootAt: int64(size)}); r.RootAt != want {
			t.Errorf("at %d: %q, not %q", size, r.RootAt, want)
		}
	}
	for _, size := range []int64{0, int64(len(l.Entries)) + 1} {
		if r := check(t, files, verify.Options{Key: l.Mission.LogKey, RootAt: size}); r.RootAt != "" {
			t.Errorf("at %d: %q", size, r.RootAt)
		}
	}
}

// TestManyBundles crosses full tiles and bundles, in a log of clock ticks.
func TestManyBundles(t *testing.T) {
	m := verifytest.NewMission("many")
	l := &verifytest.Log{Mission: m}
	l.Append(m.Opening()...)
	for _, size := range []int{255, 256, 257, 600} {
		for len(l.Entries) < size {
			l.Append(m.File("book", record.ClockTicked, nil))
		}
		files := memory(l.Files())
		var done, total int64
		r := check(t, files, verify.Options{Key: m.LogKey, Rules: true, Progress: func(d, n int64) { done, total = d, n }})
		if !r.OK() || !r.Complete() || r.Files != int64(len(files)) || done != int64(size) || total != done {
			t.Fatalf("size %d: %s", size, text(r))
		}
	}
	// Files of earlier sizes stay in a folder that is exported again, and must agree.
	files := memory(l.Files())
	full := len(files)
	files["tile/0/002.p/7"] = files["tile/0/002.p/88"][:7*32]
	files["tile/entries/002.p/7"] = files["tile/entries/002.p/88"][:7*(2+ledger.LeafSize)]
	lines := strings.SplitAfter(string(files["records/002.p/88"]), "\n")
	files["records/002.p/7"] = []byte(strings.Join(lines[:7], ""))
	files["tile/0/000.p/9"] = files["tile/0/000"][:9*32]
	r := check(t, files, verify.Options{Key: m.LogKey})
	if !r.OK() || r.Files != int64(full+4) || len(r.Notes) != 0 {
		t.Fatal(text(r))
	}
	for _, path := range []string{"tile/0/002.p/7", "tile/entries/002.p/7", "records/002.p/7", "tile/0/000.p/9"} {
		for _, bad := range [][]byte{flip(files[path], 5, 1), files[path][:len(files[path])-1], append(slices.Clone(files[path]), 1), {}} {
			if len(bad) == 0 && strings.HasPrefix(path, "records/") {
				continue // a bundle of which nothing may be had
			}
			broken := maps.Clone(files)
			broken[path] = bad
			if r := check(t, broken, verify.Options{Key: m.LogKey}); r.OK() || r.Problems[0].Path != path {
				t.Errorf("%s with %d bytes: %s", path, len(bad), r.Verdict())
			}
		}
	}
	files["README"], files["tile/0/003.p/1"], files["tile/0/000.p/09"] = nil, nil, nil
	if r := check(t, files, verify.Options{Key: m.LogKey}); !r.OK() || len(r.Notes) != 3 {
		t.Error(text(r))
	}
}

func flip(b []byte, at int, mask byte) []byte {
	b = slices.Clone(b)
	b[at] ^= mask
	return b
}

// TestEveryByte changes every byte of every file of a small log. Of the large one it
// changes one byte in five of the small files and one in 61 of the record bundle. Each
// change is found, with the key, and without it with the rules. -short tries fewer.
func TestEveryByte(t *testing.T) {
	m := verifytest.NewMission("small")
	next := verifytest.Signer("small next")
	nk := next.Key()
	bk := m.Signer("book").Key()
	small := &verifytest.Log{Mission: m}
	small.Append(m.Opening()[0],
		m.File("book", record.KeyRotated, &record.KeyRotation{New: nk, Old: bk.ID()}, verifytest.SignedBy(m.Signer("book"), next)),
		m.File("book", record.ClockTicked, nil, verifytest.SignedBy(next)))
	one, few := 1, 61
	if testing.Short() {
		one, few = 7, 997
	}
	t.Run("small", func(t *testing.T) { everyByte(t, small, one) })
	t.Run("large", func(t *testing.T) { everyByte(t, story(), few) })
}

func everyByte(t *testing.T, l *verifytest.Log, step int) {
	files := memory(l.Files())
	if r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true}); !r.OK() {
		t.Fatal(text(r))
	}
	var wait sync.WaitGroup
	gate := make(chan struct{}, runtime.GOMAXPROCS(0))
	try := func(path string, bad []byte, what string) {
		gate <- struct{}{}
		wait.Go(func() {
			defer func() { <-gate }()
			broken := maps.Clone(files)
			broken[path] = bad
			if r := check(t, broken, verify.Options{Key: l.Mission.LogKey}); r.OK() {
				t.Errorf("%s, %s: not found with the key", path, what)
			}
			if r := check(t, broken, verify.Options{Rules: true}); r.OK() {
				t.Errorf("%s, %s: not found without the key", path, what)
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for path, data := range files {
		every := step
		if !strings.HasPrefix(path, "records/") && len(data) < 3000 {
			every = min(step, 5)
		}
		for at := random.IntN(every); at < len(data); at += every {
			tried++
			try(path, flip(data, at, 1<<random.IntN(8)), fmt.Sprintf("bit of byte %d", at))
			if step == 1 {
				try(path, flip(data, at, byte(1+random.IntN(255))), fmt.Sprintf("byte %d", at))
			}
		}
		try(path, append(slices.Clone(data), '\n'), "a line feed more")
		try(path, append(slices.Clone(data), 0), "a byte more")
		try(path, data[:len(data)-1], "a byte less")
		try(path, data[1:], "the first byte gone")
		try(path, append([]byte{'\n'}, data...), "a byte before")
		gone := maps.Clone(files)
		delete(gone, path)
		if r := check(t, gone, verify.Options{Key: l.Mission.LogKey}); r.OK() {
			t.Errorf("%s: not missed", path)
		}
	}
	wait.Wait()
	t.Logf("%d places in %d files", tried, len(files))
}
