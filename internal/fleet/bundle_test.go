// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"truceline/bundle"
	"truceline/internal/fleet"
	"truceline/record"
)

// known is what a stranger gets from a member: the key, and the policy with the rules keys.
func known(t *testing.T, f *fleet.Fleet) bundle.Options {
	t.Helper()
	p, err := f.Nodes["NOR"].Policy()
	if err != nil || p == nil {
		t.Fatal(err)
	}
	text := p.String()
	for _, c := range f.Nodes["NOR"].Cosigners() {
		if c.Role == record.RulesCosigner {
			text = strings.Replace(text, "group ", "witness "+c.Member+"-rules "+c.VKey+"\ngroup ", 1)
		}
	}
	return bundle.Options{Key: f.Nodes["NOR"].Config.LogKey, Policy: text}
}

func bundleOf(t *testing.T, f *fleet.Fleet, code string, index int64, o bundle.Options) *bundle.Report {
	t.Helper()
	b, _, err := f.Nodes[code].Bundle(context.Background(), index)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	r, err := bundle.Check(b, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func said(r *bundle.Report) string {
	var b strings.Builder
	r.Write(&b, true)
	return b.String()
}

// Any node of a mission makes the bundle of any record: while nobody has cosigned it the
// bundle says so, and once they have it shows a stranger everything, with the time between
// two heads.
func TestBundles(t *testing.T) {
	f := fleet.New(t, 5)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	o := known(t, f)
	earliest := f.Clock.Now().Unix()
	f.Clock.Advance(time.Hour)
	id, err := f.File("NOR", f.Account("NOR", 3))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Round("NOR"); err != nil { // the registry has it, and only NOR has cosigned
		t.Fatal(err)
	}
	index, err := f.Registry().Locate(context.Background(), id.String())
	if err != nil {
		t.Fatal(err)
	}
	r := bundleOf(t, f, fleet.RegistryCode, index, o)
	if r.Outcome() != bundle.Incomplete || !strings.Contains(said(r), "not witnessed yet") {
		t.Errorf("before it is witnessed: %s", said(r))
	}
	f.Settle()
	f.Clock.Advance(time.Hour)
	if _, err := f.File("SUD", f.Account("SUD", 4)); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		r := bundleOf(t, f, code, index, o)
		if r.Outcome() != bundle.Good || r.RulesFromFile || r.Record.Statement.ID != id || len(r.RulesBy) < 3 {
			t.Fatalf("by %s: %s", code, said(r))
		}
		// Cosigned before it was filed, and an hour later when it was.
		if b := r.Bracket; b.NotYet < earliest || b.NotYet > earliest+600 || b.By < earliest+3600 || b.By > earliest+4200 {
			t.Errorf("by %s: %+v, from %d on", code, b, earliest)
		}
		if strings.Contains(said(r), "DOES NOT FIT") {
			t.Errorf("by %s: %s", code, said(r))
		}
	}
	everyRecord(t, f, o)
}

// everyRecord makes the bundles of all records, whoever filed them.
func everyRecord(t *testing.T, f *fleet.Fleet, o bundle.Options) {
	t.Helper()
	for i := range f.Registry().Head().Size {
		if r := bundleOf(t, f, "mon", i, o); r.Outcome() != bundle.Good {
			t.Errorf("record %d: %s", i, said(r))
		}
	}
	size := f.Registry().Head().Size
	if _, _, err := f.Registry().Bundle(context.Background(), size); err == nil {
		t.Error("a bundle of what is not there")
	}
}

// A node serves bundles, and the second checker, which is another program, agrees.
func TestServedBundle(t *testing.T) {
	f := fleet.New(t, 6)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	id, err := f.File("fac", f.Account("fac", 1))
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	o := known(t, f)
	client := &http.Client{Transport: f.Net.From("stranger")}
	dir := t.TempDir()
	policy := filepath.Join(dir, "policy")
	if err := os.WriteFile(policy, []byte(o.Policy), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{id.String(), "0"} {
		res, err := client.Get(fleet.URL("SUD") + "/log/bundle/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
			t.Fatalf("%d %s, %v: %.200s", res.StatusCode, res.Header, err, b)
		}
		if r, err := bundle.Check(b, o); err != nil || r.Outcome() != bundle.Good {
			t.Fatalf("%v: %s", err, said(r))
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("node", "../../scripts/check-bundle.mjs", path, "--key", o.Key, "--policy", policy).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "EXERCISE: what this record says is invented\nOK record ") {
			t.Errorf("the second checker: %v\n%s", err, out)
		}
	}
	for _, name := range []string{"999", "-1", "007/2025", strings.Repeat("0", 31) + "1", "x"} {
		res, err := client.Get(fleet.URL("SUD") + "/log/bundle/" + name)
		if err != nil || res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %v, %v", name, res, err)
		}
	}
}
