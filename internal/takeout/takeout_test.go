// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"bytes"
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
	"time"

	"truceline/evidence"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/internal/registry"
	"truceline/internal/takeout"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

var day = time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)

// held is what a node of these tests holds beside its records.
type held struct {
	node     *node.Node
	copy     []byte
	evidence []byte
	account  record.ID // of the first account, linked to first
	first    record.ID // an incident
	merged   record.ID // an incident merged into it
}

const (
	officerName = "Somebody Whose Name Is Private"
	draftText   = "a sentence that nobody has filed yet"
)

// filled is a node with a little of everything that a bag may hold, and of what it must not.
func filled(t *testing.T) *held {
	t.Helper()
	dir := nodetest.Create(t)
	h := &held{copy: []byte("<p>as it was published"), evidence: twoHistories(t, dir)}
	h.node = nodetest.Open(t, dir)
	n, ctx := h.node, t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sum, _, err := n.Copies.Put(ctx, bytes.NewReader(h.copy))
	ok(err)
	_, _, err = n.Copies.Put(ctx, strings.NewReader("kept, and named by nobody"))
	ok(err)
	rep := nodetest.MustFile(t, n, node.Draft{Kind: record.ReportFiled, Member: nodetest.Desk(n), Body: &record.Report{
		Title: "What was said", Copies: []record.Copy{{SHA256: sum, Size: len(h.copy)}, {SHA256: record.Digest{1}, Size: 1}},
	}})
	account := nodetest.Account(n, "Spokesman", 3)
	account.Subjects = []record.Subject{{ID: rep, Role: record.RoleReport}}
	h.account = nodetest.MustFile(t, n, account)
	second := nodetest.MustFile(t, n, nodetest.Account(n, "Another", 4))
	gone := nodetest.MustFile(t, n, nodetest.Account(n, "A third", 5))
	h.first, h.merged = nodetest.MustFile(t, n, nodetest.Incident(n, "At the ferry")), nodetest.MustFile(t, n, nodetest.Incident(n, "Near the ferry"))
	file := func(k record.Kind, b record.Body, s ...record.Subject) {
		t.Helper()
		nodetest.MustFile(t, n, node.Draft{Kind: k, Member: nodetest.Desk(n), Body: b, Subjects: s})
	}
	link := func(account, incident record.ID, claims ...int) {
		t.Helper()
		file(record.IncidentLinked, &record.Link{Claims: claims, Reason: "same day", Role: record.LinkAbout}, record.Subject{ID: account, Role: record.RoleAccount}, record.Subject{ID: incident, Role: record.RoleIncident})
	}
	link(h.account, h.first)
	link(second, h.merged, 1)
	link(gone, h.first)
	file(record.AccountWithdrawn, &record.Reason{Reason: "an error"}, record.Subject{ID: gone, Role: record.RoleAccount})
	file(record.IncidentAliased, &record.Reason{Reason: "one and the same"}, record.Subject{ID: h.merged, Role: record.RoleIncident}, record.Subject{ID: h.first, Role: record.RoleInto})
	for i := range 250 { // full and partial groups
		nodetest.MustFile(t, n, nodetest.Report(n, fmt.Sprint("report ", i)))
	}
	// Refused, and the refusal kept.
	_, err = n.File(ctx, node.Draft{Kind: record.AccountWithdrawn, Member: nodetest.Desk(n), Body: &record.Reason{Reason: "x"}, Subjects: []record.Subject{{ID: rep, Role: record.RoleAccount}}})
	if !errors.As(err, new(*registry.Refused)) {
		t.Fatal(err)
	}
	// What must stay here.
	officer, err := n.Enrol(ctx, record.ID{}, nodetest.Desk(n), officerName, []string{office.Roles[0]})
	ok(err)
	_, err = n.Office.SaveDraft(ctx, office.Draft{Officer: officer, Kind: office.DraftStatement, Title: "x", Values: map[string][]string{"words": {draftText}}})
	ok(err)
	return h
}

// twoHistories makes what a node has that has found its log's key under two trees.
func twoHistories(t *testing.T, dir string) []byte {
	t.Helper()
	priv, cfg, err := local.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	skey, err := priv.Key("log")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	var heads [2][]byte
	for i := range heads {
		c := ledger.Checkpoint{Origin: cfg.Origin, Size: 5}
		c.Root[0] = byte(i)
		if heads[i], err = ledger.Sign(c, signer); err != nil {
			t.Fatal(err)
		}
	}
	b, err := evidence.NewTwoHistories(evidence.Log{Key: cfg.LogKey}, heads[0], heads[1])
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s-%x.json", node.TwoHistories, sha256.Sum256(b))
	list, err := json.Marshal([]node.Alarm{{At: 1, Accuses: true, Evidence: name, Index: -1, Kind: node.TwoHistories, What: "x"}, {At: 2, Index: 3, Kind: node.FalseTime, What: "without a proof"}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, local.AlarmFile), list)
	write(t, filepath.Join(dir, local.EvidenceFolder, name), b)
	write(t, filepath.Join(dir, local.EvidenceFolder, "of-no-alarm.json"), b)
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// bagOf writes a bag into a new folder.
func bagOf(t *testing.T, n *node.Node, v takeout.Viewer, now time.Time) (string, *takeout.Written) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bag")
	out, err := takeout.Write(t.Context(), n, dir, takeout.Options{Viewer: v, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return dir, out
}

// tree reads every file of a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func check(t *testing.T, dir string, o verify.Options) (*takeout.Report, string) {
	t.Helper()
	r, err := takeout.Check(t.Context(), dir, takeout.CheckOptions{Log: o})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Write(&b, true); err != nil {
		t.Fatal(err)
	}
	return r, b.String()
}

func TestABagHoldsWhatItsReaderMayHave(t *testing.T) {
	h := filled(t)
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
	h := filled(t)
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
	h := filled(t)
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
	h := filled(t)
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
	if steps < 10 {
		t.Errorf("only %d steps", steps)
	}
}

func TestWhoMayHaveIt(t *testing.T) {
	h := filled(t)
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
	h := filled(t)
	write(t, filepath.Join(h.node.Path(local.CopiesFolder), fmt.Sprintf("%x", sha256.Sum256(h.copy))), []byte("something else"))
	dir, out := bagOf(t, h.node, takeout.Own(h.node), day)
	if out.Copies != 0 || out.Damaged != 1 {
		t.Errorf("%+v", out)
	}
	if r, said := check(t, dir, verify.Options{}); r.Outcome() != verify.Good {
		t.Error(said)
	}
}
