// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/projection"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

func TestCreateIsAllOrNothing(t *testing.T) {
	dir := t.TempDir() + "/node"
	c := node.Creation{Agreement: []byte(`{"agreement":1}`), Origin: "x.invalid/y", Now: time.Now, Rand: rand.Reader}
	if err := node.Create(context.Background(), dir, c); err == nil {
		t.Fatal("an agreement without a pack was accepted")
	}
	if left, _ := filepath.Glob(filepath.Dir(dir) + "/*"); len(left) != 0 {
		t.Errorf("a failed init left %v", left)
	}
	if left, _ := filepath.Glob(filepath.Dir(dir) + "/.*"); len(left) != 0 {
		t.Errorf("a failed init left %v", left)
	}
	if _, err := node.Open(context.Background(), dir, node.Options{Now: time.Now, Rand: rand.Reader}); err == nil || !strings.Contains(err.Error(), "truceline init") {
		t.Errorf("opening nothing: %v; it must name the next command", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/mine", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := node.Create(context.Background(), dir, c); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("init in a folder with files: %v", err)
	}
}

func TestKeysAreForTheOwnerOnly(t *testing.T) {
	dir := nodetest.Create(t)
	files, err := filepath.Glob(dir + "/keys/*.key")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range append(files, dir+"/"+local.ConfigFile) {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f, info.Mode(), err)
		}
	}
}

func TestFileIsDurableAndOrdered(t *testing.T) {
	dir := nodetest.Create(t)
	n := nodetest.Open(t, dir)
	ctx := context.Background()
	var mu sync.Mutex
	got := map[int64]record.ID{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 40 {
				r, err := n.File(ctx, nodetest.Report(n, fmt.Sprintf("%d-%d", w, i)))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				got[r.Index] = r.ID
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(got) != 320 {
		t.Fatalf("%d different places for 320 records", len(got))
	}
	head := n.Registry.Head()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = nodetest.Open(t, dir)
	if again := n.Registry.Head(); again.Size != head.Size || again.Root != head.Root {
		t.Errorf("after reopening the head is %v, was %v", again, head)
	}
	last := int64(0)
	for e, err := range n.Store().Entries(ctx, 0, head.Size) {
		if err != nil {
			t.Fatal(err)
		}
		if e.LoggedAt < last {
			t.Errorf("entry %d is logged before the one ahead of it", e.Index)
		}
		last = e.LoggedAt
		if id, ok := got[e.Index]; ok && id != e.ID {
			t.Errorf("entry %d is %x, the receipt said %s", e.Index, e.ID, id)
		}
	}
}

func TestARetryGetsItsReceiptAgain(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	ctx := context.Background()
	sub, err := n.Sign(nodetest.Report(n, "once"), true)
	if err != nil {
		t.Fatal(err)
	}
	first, err := n.Registry.Submit(ctx, sub)
	if err != nil {
		t.Fatal(err)
	}
	nodetest.MustFile(t, n, nodetest.Report(n, "between"))
	again, err := n.Registry.Submit(ctx, sub)
	if err != nil || !again.Repeated || again.Index != first.Index || again.LeafSalt != first.LeafSalt || again.LoggedAt != first.LoggedAt {
		t.Errorf("retry: %+v, %v; first %+v", again, err, first)
	}
	// The same record twice at once is one record.
	sub, err = n.Sign(nodetest.Report(n, "twin"), true)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	indexes := make([]int64, 16)
	for i := range indexes {
		wg.Go(func() {
			r, err := n.Registry.Submit(ctx, sub)
			if err != nil {
				t.Error(err)
			}
			indexes[i] = r.Index
		})
	}
	wg.Wait()
	for _, ix := range indexes {
		if ix != indexes[0] {
			t.Errorf("twins stand at %v", indexes)
			break
		}
	}
}

func TestRefusalsAreSignedAndChangeNothing(t *testing.T) {
	dir := nodetest.Create(t)
	n := nodetest.Open(t, dir)
	ctx := context.Background()
	before := n.Registry.Head()
	d := nodetest.Account(n, "somebody", 3)
	d.Body.(*record.Account).Claims[0].Measure = "no_such_measure"
	_, err := n.File(ctx, d)
	if err == nil || !strings.Contains(err.Error(), "refusals/") {
		t.Errorf("%v; it must say where the signed refusal is", err)
	}
	var refused *registry.Refused
	if !errors.As(err, &refused) || refused.Code != mechanism.NotInAgreement {
		t.Fatalf("%v, want a refusal with code %s", err, mechanism.NotInAgreement)
	}
	kept, err := filepath.Glob(dir + "/refusals/account.filed-*.dsse.json")
	if err != nil || len(kept) != 1 {
		t.Fatalf("refusals kept: %v, %v", kept, err)
	}
	if b, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(b, refused.Signed) {
		t.Errorf("the refusal kept is not the one signed: %v", err)
	}
	var key record.Key
	n.Registry.View(func(s *mechanism.State) {
		for e, err := range n.Store().Entries(ctx, 0, 1) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := record.ParseBody(record.MissionOpened, e.Body)
			if err != nil {
				t.Fatal(err)
			}
			key = b.(*record.Mission).Registry.Keys[0]
		}
	})
	doc, err := record.OpenRefusal(refused.Signed, key)
	if err != nil || doc.Code != string(mechanism.NotInAgreement) || doc.Origin != n.Config.Origin || doc.Mission != n.Mission() {
		t.Errorf("signed refusal %+v, %v", doc, err)
	}
	tampered := bytes.Replace(refused.Signed, []byte(`"sig":"`), []byte(`"sig":"A`), 1)
	if _, err := record.OpenRefusal(tampered, key); err == nil {
		t.Error("a tampered refusal opens")
	}
	if after := n.Registry.Head(); after.Size != before.Size || after.Root != before.Root {
		t.Error("a refusal changed the ledger")
	}
	if _, err := n.Registry.Submit(ctx, registry.Submission{Envelope: []byte("{")}); !errors.As(err, &refused) || refused.Code != mechanism.Malformed {
		t.Errorf("garbage: %v", err)
	}
}

// Two processes may hold one ledger: the size in the transaction keeps them apart.
func TestTwoNodesOnOneLedger(t *testing.T) {
	dir := nodetest.Create(t)
	a, b := nodetest.Open(t, dir), nodetest.Open(t, dir)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i, n := range []*node.Node{a, b} {
		wg.Go(func() {
			for j := range 60 {
				if _, err := n.File(ctx, nodetest.Report(n, fmt.Sprintf("%d-%d", i, j))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, n := range []*node.Node{a, b} {
		if err := n.Registry.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if x, y := a.Registry.Head(), b.Registry.Head(); x.Root != y.Root || x.Size != y.Size {
		t.Errorf("heads %d and %d", x.Size, y.Size)
	}
	var x, y record.Digest
	a.Registry.View(func(s *mechanism.State) { x = s.Hash() })
	b.Registry.View(func(s *mechanism.State) { y = s.Hash() })
	if x != y {
		t.Error("the two have folded the same ledger to different states")
	}
}

func TestRebuildGivesTheSameTables(t *testing.T) {
	dir := nodetest.Create(t)
	n := nodetest.Open(t, dir)
	ctx := context.Background()
	story(t, n)
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	var before, after bytes.Buffer
	if err := n.Projection.Dump(ctx, &before); err != nil {
		t.Fatal(err)
	}
	if err := n.Rebuild(ctx); err != nil {
		t.Fatal(err)
	}
	if err := n.Projection.Dump(ctx, &after); err != nil {
		t.Fatal(err)
	}
	if before.Len() < 1000 || before.String() != after.String() {
		t.Errorf("dumps of %d and %d bytes differ", before.Len(), after.Len())
	}
	n.Close()
	// A projection of another form is thrown away at the next start, not misread.
	if err := os.WriteFile(dir+"/"+local.ProjectionFile, []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	n = nodetest.Open(t, dir)
	var third bytes.Buffer
	if err := n.Projection.Dump(ctx, &third); err != nil || third.String() != before.String() {
		t.Errorf("after a damaged file: %d bytes, %v", third.Len(), err)
	}
}

// story files every kind a desk can: accounts, amended and withdrawn, incidents,
// links, undone links, a merge, a batch that is closed and one that is not.
func story(t *testing.T, n *node.Node) {
	t.Helper()
	reason := func(kind record.Kind, subjects ...record.Subject) {
		nodetest.MustFile(t, n, node.Draft{Kind: kind, Member: nodetest.Desk(n), Body: &record.Reason{Reason: "because"}, Subjects: subjects})
	}
	link := func(acc, in record.ID) record.ID {
		return nodetest.MustFile(t, n, node.Draft{Kind: record.IncidentLinked, Member: nodetest.Desk(n), Body: &record.Link{Reason: "same day", Role: record.LinkAbout},
			Subjects: []record.Subject{{ID: acc, Role: record.RoleAccount}, {ID: in, Role: record.RoleIncident}}})
	}
	i1, i2 := nodetest.MustFile(t, n, nodetest.Incident(n, "first")), nodetest.MustFile(t, n, nodetest.Incident(n, "second"))
	a1, a2 := nodetest.MustFile(t, n, nodetest.Account(n, "one", 1)), nodetest.MustFile(t, n, nodetest.Account(n, "two", 2))
	a3 := nodetest.MustFile(t, n, nodetest.Account(n, "three", 3))
	link(a1, i1)
	l2 := link(a2, i1)
	link(a2, i2)
	link(a3, i2)
	reason(record.IncidentUnlinked, record.Subject{ID: l2, Role: record.RoleLink})
	amended := nodetest.Account(n, "one", 9)
	amended.Kind, amended.Supersedes = record.AccountAmended, a1
	amended.Subjects = []record.Subject{{ID: a1, Role: record.RoleAccount}}
	nodetest.MustFile(t, n, amended)
	reason(record.AccountWithdrawn, record.Subject{ID: a3, Role: record.RoleAccount})
	reason(record.IncidentAliased, record.Subject{ID: i2, Role: record.RoleIncident}, record.Subject{ID: i1, Role: record.RoleInto})
	nodetest.MustFile(t, n, node.Draft{Kind: record.LinkageFitted, Member: nodetest.Desk(n), Body: verifytest.Linkage(1, record.Digest{1})})
	for _, closed := range []bool{true, false} {
		batch := nodetest.MustFile(t, n, node.Draft{Kind: record.BatchOpened, Member: nodetest.Desk(n), Body: &record.Batch{FileSHA256: record.Digest{1}, Name: "f.csv", Rows: 1}})
		in := record.Subject{ID: batch, Role: record.RoleBatch}
		d := nodetest.Account(n, "in a batch", 4)
		d.Subjects = append(d.Subjects, in)
		nodetest.MustFile(t, n, d)
		if closed {
			nodetest.MustFile(t, n, node.Draft{Kind: record.BatchClosed, Member: nodetest.Desk(n), Body: &record.BatchEnd{Accepted: 1}, Subjects: []record.Subject{in}})
		}
	}
}

func TestTheTablesSayWhatTheStorySays(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	ctx := context.Background()
	story(t, n)
	if err := n.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	c, err := n.Projection.Counts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c.Accounts != 3 || c.Claims != 3 || c.Incidents != 1 || c.Unlinked != 1 {
		t.Errorf("counts %+v, want 3 accounts (one withdrawn, one in an open batch not counted), 1 incident (one merged), 1 unlinked", c)
	}
	list, matched, err := n.Projection.Incidents(ctx, projection.Filter{Text: "first"})
	if err != nil || matched != 1 || len(list) != 1 {
		t.Fatalf("incidents %v, %d, %v", list, matched, err)
	}
	in := list[0]
	if in.Number != "001/2031" || in.State != "open" || in.Accounts != 2 {
		t.Errorf("incident %+v, want number 001/2031, open, two accounts (one through the merge)", in)
	}
	accounts, err := n.Projection.AccountsOf(ctx, in.ID)
	if err != nil || len(accounts) != 3 {
		t.Fatalf("%d accounts, %v; want 3 with the withdrawn one", len(accounts), err)
	}
	states := map[string]string{}
	for _, a := range accounts {
		states[a.Body.Claimant.Name] = a.State
	}
	if states["one"] != "amended" || states["two"] != "recorded" || states["three"] != "withdrawn" {
		t.Errorf("states %v", states)
	}
	for _, a := range accounts {
		if a.Body.Claimant.Name == "one" {
			v, err := n.Projection.Versions(ctx, a.ID)
			if err != nil || len(v) != 2 || *v[0].Body.Claims[0].Low != 1 || *v[1].Body.Claims[0].Low != 9 || *a.Body.Claims[0].Low != 9 {
				t.Errorf("versions %+v, %v", v, err)
			}
		}
	}
	history, err := n.Projection.HistoryOf(ctx, in.ID)
	if err != nil || len(history) != 13 {
		t.Errorf("history has %d records, want 13: two openings, three accounts, four links, an unlinking, an amendment, a withdrawal, a merge; %v", len(history), err)
	}
	if _, err := n.Projection.Incident(ctx, record.ID{9}); !errors.Is(err, projection.ErrNotFound) {
		t.Errorf("unknown incident: %v", err)
	}
}
