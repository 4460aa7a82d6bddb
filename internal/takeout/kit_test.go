// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// filled is a node with so many documents more, and a little of everything else that a bag
// may hold, and of what it must not.
func filled(t *testing.T, reports int) *held {
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
	for i := range reports {
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

// refused is a draft of NOR that the registry refuses: an account cannot be told of by a
// link to an incident that is none.
func refused(account record.ID) node.Draft {
	return node.Draft{Kind: record.IncidentLinked, Member: "NOR", Audience: record.AudienceMembers, Body: &record.Link{Reason: "x", Role: record.LinkAbout},
		Subjects: []record.Subject{{ID: account, Role: record.RoleAccount}, {ID: account, Role: record.RoleIncident}}}
}
