// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// A cable that is out says nothing about the log.
func TestNothingRead(t *testing.T) {
	l := story()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for name, from := range map[string]verify.Fetcher{
		"refused":      verify.HTTP("http://127.0.0.1:1/log", nil),
		"bad address":  verify.HTTP("http://[::1/log", nil),
		"no log there": verify.HTTP(server.URL, nil),
		"empty folder": verify.Dir(t.TempDir()),
		"no folder":    verify.Dir(t.TempDir() + "/none"),
	} {
		r := check(t, from, verify.Options{Key: l.Mission.LogKey, Rules: true})
		if s := text(r); r.Outcome() != verify.Incomplete || r.NotRead == nil || r.OK() || strings.Contains(s, "FAILED") || !strings.Contains(s, "verdict   NOT CHECKED") {
			t.Errorf("%s: %s", name, s)
		}
	}
}

// flaky loses the connection for some files.
type flaky struct {
	memory
	lost string
}

func (f flaky) Read(ctx context.Context, path string) ([]byte, error) {
	if strings.HasPrefix(path, f.lost) {
		return nil, &verify.UnreadError{Err: errors.New("connection reset")}
	}
	return f.memory.Read(ctx, path)
}

func TestConnectionLost(t *testing.T) {
	l := story()
	for _, lost := range []string{"records", "tile/entries", "tile"} {
		r := check(t, flaky{memory(l.Files()), lost}, verify.Options{Key: l.Mission.LogKey})
		if s := text(r); r.Outcome() != verify.Incomplete || r.OnlyMissing() || !strings.Contains(s, "connection reset") || !strings.Contains(s, "verdict   NOT CHECKED to the end") {
			t.Errorf("%s: %s", lost, s)
		}
		if r := check(t, flaky{memory(l.Files()), lost}, verify.Options{}); r.Outcome() != verify.Incomplete {
			t.Errorf("%s, no key: %s", lost, text(r))
		}
	}
}

func TestOutcomes(t *testing.T) {
	l := story()
	files := memory(l.Files())
	key := l.Mission.LogKey
	if r := check(t, files, verify.Options{Key: key}); r.Outcome() != verify.Good || !strings.HasPrefix(r.Verdict(), "OK") {
		t.Error(text(r))
	}
	if r := check(t, files, verify.Options{Key: key, Record: "x\ny"}); r.Outcome() != verify.Incomplete || !strings.Contains(text(r), "record x\ufffdy is not in this log") {
		t.Error(text(r))
	}
	lines := bytes.SplitAfter(files["records/000.p/40"], []byte("\n"))
	files["records/000.p/40"] = slices.Concat(lines[:39]...)
	if r := check(t, files, verify.Options{Key: key}); r.Outcome() != verify.Incomplete || !r.OnlyMissing() {
		t.Error(text(r))
	}
	// A gap where a key was brought names the keys that could not be judged; those that came
	// after it are known, if the gap brought no more.
	gap := slices.Concat(slices.Concat(lines[:17]...), slices.Concat(lines[18:]...))
	files["records/000.p/40"] = gap
	if r := check(t, files, verify.Options{Key: key}); len(r.UnknownKeys) != 1 || r.UnknownKeys[0].Member != "DRN" || !strings.Contains(text(r), "said to be of DRN: 1 record") || strings.Count(text(r), "(its signatures could not be checked)") != 2 {
		t.Error(text(r))
	}
}

func TestKeyOfAnotherLog(t *testing.T) {
	l := story()
	otherKey := strings.Replace(l.Mission.LogKey, "ledger.", "other.", 1)
	if _, err := verify.Log(t.Context(), memory(l.Files()), verify.Options{Key: "rubbish"}); err == nil || !strings.Contains(err.Error(), "NAME+8 hexadecimal digits+base64") {
		t.Error(err)
	}
	if _, err := verify.Log(t.Context(), memory(l.Files()), verify.Options{Key: otherKey}); err == nil {
		t.Error("a key with another's hash was taken")
	}
	m := memory(l.Files())
	m["checkpoint"] = bytes.Replace(m["checkpoint"], []byte("ledger.example.org/lakes\n"), []byte("ledger.example.org/other\n"), 1)
	if r := check(t, m, verify.Options{Key: l.Mission.LogKey}); r.Outcome() != verify.Wrong || !strings.Contains(text(r), `this log is "ledger.example.org/other" and the key is for "ledger.example.org/lakes"`) {
		t.Error(text(r))
	}
}

// A log cannot print a verdict of its own.
func TestLogPrintsNoLines(t *testing.T) {
	l := story()
	m := memory(l.Files())
	first, rest, _ := bytes.Cut(m["records/000.p/40"], []byte("\n"))
	line, err := record.ParseLine(first)
	if err != nil {
		t.Fatal(err)
	}
	line.Body = bytes.Replace(line.Body, []byte(`"log_key":"`), []byte(`"log_key":"x\nverdict   OK: all is well\n`), 1)
	encoded, err := line.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m["records/000.p/40"] = slices.Concat(encoded, []byte("\n"), rest)
	for _, key := range []string{"", l.Mission.LogKey} {
		r, err := verify.Log(t.Context(), m, verify.Options{Key: key, Record: "0"})
		if err != nil {
			t.Fatal(err)
		}
		if s := text(r); strings.Contains(s, "\nverdict   OK") || r.OK() {
			t.Error(s)
		}
	}
}

func TestKeyChangesAreListed(t *testing.T) {
	l := story()
	for i := range 30 {
		l.Append(l.Mission.File("OMB", record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer(fmt.Sprint("more ", i)).Key(), Member: "OMB"}))
	}
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey})
	s := text(r)
	if r.KeyCount != 43 || !strings.Contains(s, "record 16, key.revoked: key ") || strings.Count(s, " of OMB, added") > 20 || !strings.Contains(s, "  and 23 more") {
		t.Errorf("%d: %s", r.KeyCount, s)
	}
}

// TestDeparturesAreListed: each key that ended with its member's departure, and who said so.
func TestDeparturesAreListed(t *testing.T) {
	l := turnover()
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey})
	ended := map[string]int{}
	for _, k := range r.Keys {
		if k.Kind == record.MemberLeft {
			ended[fmt.Sprint(k.Member, " by ", k.By, ", ", k.Sure)]++
			if e := l.Entries[k.Index].Statement; e.Kind != record.MemberLeft || e.Member != k.By {
				t.Errorf("%+v is not of record %d", k, k.Index)
			}
		}
	}
	want := map[string]int{"guest by book, true": 1, "watch by watch, true": 2, "DRN by DRN, true": 1}
	if !maps.Equal(ended, want) {
		t.Errorf("%v, want %v", ended, want)
	}
	id := keyID(verifytest.Signer("turnover guest"))
	s := text(r)
	for range 20 {
		if again := text(check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey})); again != s {
			t.Fatalf("two reports on one log:\n%s\n%s", s, again)
		}
	}
	if !strings.Contains(s, fmt.Sprintf("member.left: key %s of guest, ended, for its member left, by book", id)) {
		t.Error(s)
	}
}
