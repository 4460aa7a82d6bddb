// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
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

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/takeout"
	"truceline/record"
	"truceline/verify"
)

func TestABagHoldsWhatItsReaderMayHave(t *testing.T) {
	h := filled(t, 250) // full and partial groups
	n := h.node
	dir, out := bagOf(t, n, takeout.Own(n), day)
	files := tree(t, dir)
	size := n.Head().Size
	want := []string{
		"bag-info.txt", "bagit.txt", "data/README.txt", "data/accounts.csv", "data/agreement.json", fmt.Sprintf("data/copies/%x", sha256.Sum256(h.copy)),
		fmt.Sprintf("data/evidence/%s-%x.json", node.TwoHistories, sha256.Sum256(h.evidence)), "data/incidents.json",
		"data/log/checkpoint", "data/log/records/000", fmt.Sprintf("data/log/records/001.p/%d", size-256), "data/log/tile/0/000", fmt.Sprintf("data/log/tile/0/001.p/%d", size-256),
		"data/log/tile/1/000.p/1", "data/log/tile/entries/000", fmt.Sprintf("data/log/tile/entries/001.p/%d", size-256),
		"manifest-sha256.txt", "tagmanifest-sha256.txt",
	}
	var refusals []string
	got := slices.Sorted(maps.Keys(files))
	got = slices.DeleteFunc(got, func(path string) bool {
		is := strings.HasPrefix(path, "data/refusals/account.withdrawn-")
		if is {
			refusals = append(refusals, path)
		}
		return is
	})
	if !slices.Equal(got, want) || len(refusals) != 1 {
		t.Errorf("files\n%s\nnot\n%s\nrefusals %q", strings.Join(got, "\n"), strings.Join(want, "\n"), refusals)
	}
	if out.Records != size || out.Lines != size || out.Copies != 1 || out.Elsewhere != 1 || out.Damaged != 0 || out.Files != int64(len(files)-4) {
		t.Errorf("%+v", out)
	}
	r, said := check(t, dir, verify.Options{Key: n.Config.LogKey})
	if r.Outcome() != verify.Good || len(r.Compared) != 3 || r.Copies != 1 || r.Refusals != 1 || len(r.Proofs) != 1 || !r.Proofs[0].Holds || r.Proofs[0].Why != "" {
		t.Errorf("%+v\n%s", r, said)
	}
	if strings.Contains(said, "WRONG") || !strings.Contains(said, "accounts.csv, incidents.json, agreement.json: what the") || !strings.Contains(said, "EXERCISE") {
		t.Error(said)
	}

	// Nothing of the node's own, in any form in which it stands there.
	canaries := []string{officerName, draftText, "kept, and named by nobody"}
	keys, err := filepath.Glob(filepath.Join(n.Path("keys"), "*"))
	if err != nil || len(keys) < 2 {
		t.Fatal(keys, err)
	}
	for _, k := range keys {
		b, err := os.ReadFile(k)
		if err != nil {
			t.Fatal(err)
		}
		secret := strings.TrimSpace(string(b))
		canaries = append(canaries, secret)
		if raw, err := base64.StdEncoding.DecodeString(secret[strings.LastIndex(secret, "+")+1:]); err == nil && len(raw) >= 32 {
			canaries = append(canaries, string(raw[len(raw)-32:]))
		}
	}
	for path, content := range files {
		for _, c := range canaries {
			if strings.Contains(content, c) {
				t.Errorf("%s holds %q", path, c)
			}
		}
	}
}

func TestIncidentsNameTheirAccounts(t *testing.T) {
	h := filled(t, 5)
	dir, _ := bagOf(t, h.node, takeout.Own(h.node), day)
	type link struct {
		Account     record.ID
		Claims      []int
		Index       int64
		State       string
		StatementID string `json:"statement_id"`
	}
	var f struct {
		About struct {
			Exercise string
			Mission  record.ID
			Records  int64
		}
		Incidents []struct {
			Accounts []link
			ID       record.ID
			Index    int64
			Label    string
			MergedIn record.ID `json:"merged_into"`
			Number   string
			State    string
		}
	}
	files := tree(t, dir)
	if err := json.Unmarshal([]byte(files["data/incidents.json"]), &f); err != nil {
		t.Fatal(err)
	}
	if f.About.Exercise != "EXERCISE" || f.About.Mission != h.node.Mission() || f.About.Records != h.node.Head().Size || len(f.Incidents) != 2 {
		t.Fatalf("%+v", f)
	}
	a, b := f.Incidents[0], f.Incidents[1]
	if a.ID != h.first || a.Label != "At the ferry" || a.State != "open" || a.Number != "001/2031" || !a.MergedIn.IsZero() || len(a.Accounts) != 2 {
		t.Errorf("%+v", a)
	}
	if b.ID != h.merged || b.State != "merged" || b.MergedIn != h.first || len(b.Accounts) != 1 || !slices.Equal(b.Accounts[0].Claims, []int{1}) {
		t.Errorf("%+v", b)
	}
	if a.Accounts[0].Account != h.account || a.Accounts[0].State != "recorded" || a.Accounts[1].State != "withdrawn" || a.Accounts[1].StatementID != "" {
		t.Errorf("%+v", a.Accounts)
	}
	index, err := h.node.Log().Index(t.Context(), h.first)
	if err != nil || a.Index != index || a.Accounts[0].Index <= index {
		t.Errorf("it was opened at %d, and is said to be at %d, %v", index, a.Index, err)
	}
	// The accounts are found in the table under the names given here.
	for _, l := range []link{a.Accounts[0], b.Accounts[0]} {
		if l.StatementID == "" || strings.Count(files["data/accounts.csv"], "\n,"+l.StatementID+",") != 1 {
			t.Errorf("the table has no row of statement %q", l.StatementID)
		}
	}
	if n := strings.Count(files["data/incidents.json"], "\n"); n != 4 {
		t.Errorf("%d lines, not an incident a line:\n%s", n, files["data/incidents.json"])
	}
}

// Two bags of one state are equal but for the day.
func TestOneStateOneBag(t *testing.T) {
	h := filled(t, 5)
	one, _ := bagOf(t, h.node, takeout.Own(h.node), day)
	two, _ := bagOf(t, h.node, takeout.Own(h.node), day.AddDate(0, 0, 3))
	a, b := tree(t, one), tree(t, two)
	if !slices.Equal(slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))) {
		t.Fatal("they have other files")
	}
	for path := range a {
		switch {
		case path == "bag-info.txt":
			if strings.Replace(b[path], "2031-05-07", "2031-05-04", 1) != a[path] {
				t.Errorf("bag-info.txt:\n%s\n%s", a[path], b[path])
			}
		case path == "tagmanifest-sha256.txt":
			if strings.Count(a[path], "\n") != 3 {
				t.Error(a[path])
			}
		case a[path] != b[path]:
			t.Errorf("%s differs", path)
		}
	}
}

// Wherever it is stopped, there is a whole bag or none.
func TestStoppedAnywhere(t *testing.T) {
	h := filled(t, 5)
	steps := 0
	for at := 1; ; at++ {
		dir := filepath.Join(t.TempDir(), "bag")
		ctx, cancel := context.WithCancel(t.Context())
		heard := 0
		_, err := takeout.Write(ctx, h.node, dir, takeout.Options{Viewer: takeout.Own(h.node), Now: day, Progress: func(string, int64, int64) {
			if heard++; heard == at {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			if heard >= at {
				t.Fatalf("stopped at step %d, and it says it is done", at)
			}
			break
		}
		steps++
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nothing was written") {
			t.Errorf("step %d: %v", at, err)
		}
		if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 0 {
			t.Errorf("step %d: %v is left, %v", at, entries, err)
		}
	}
	if steps < 6 {
		t.Errorf("only %d steps", steps)
	}
}

func TestWhoMayHaveIt(t *testing.T) {
	h := filled(t, 5)
	dir := filepath.Join(t.TempDir(), "bag")
	_, err := takeout.Write(t.Context(), h.node, dir, takeout.Options{Viewer: "DRN", Now: day})
	if err == nil || !strings.Contains(err.Error(), "for its own node") {
		t.Errorf("another member: %v", err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written for another member")
	}
	dir, _ = bagOf(t, h.node, takeout.Public, day)
	for path := range tree(t, dir) {
		if strings.HasPrefix(path, "data/copies") || strings.HasPrefix(path, "data/refusals") || strings.HasPrefix(path, "data/evidence") {
			t.Errorf("everybody is given %s, which is the member's", path)
		}
	}
	if r, said := check(t, dir, verify.Options{Key: h.node.Config.LogKey}); r.Outcome() != verify.Good {
		t.Error(said)
	}
}

func TestADamagedCopyIsLeftOut(t *testing.T) {
	h := filled(t, 5)
	write(t, filepath.Join(h.node.Path(local.CopiesFolder), fmt.Sprintf("%x", sha256.Sum256(h.copy))), []byte("something else"))
	dir, out := bagOf(t, h.node, takeout.Own(h.node), day)
	if out.Copies != 0 || out.Damaged != 1 {
		t.Errorf("%+v", out)
	}
	if r, said := check(t, dir, verify.Options{}); r.Outcome() != verify.Good {
		t.Error(said)
	}
}
