// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/peer"
	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify"
	"truceline/when"
)

// school is a node of the invented example that can learn.
func school(t *testing.T) (*node.Node, *nodetest.Fitter) {
	t.Helper()
	f := &nodetest.Fitter{}
	n, err := node.Open(context.Background(), nodetest.Create(t), node.Options{Now: time.Now, Rand: rand.Reader, Fitter: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	f.Node = n
	return n, f
}

func fit(t *testing.T, n *node.Node) record.ID {
	t.Helper()
	done, err := doAct(n, acts.Operations, "linkage.fit", "reason", "more accounts than before")
	if err != nil {
		t.Fatal(err)
	}
	return done.First(record.LinkageFitted)
}

// inForce is the model that accounts are compared by; zero where there is none.
func inForce(t *testing.T, n *node.Node) projection.Fitted {
	t.Helper()
	if err := n.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	f, ok, err := n.Projection.LinkageInForce(context.Background())
	if err != nil || ok == f.ID.IsZero() {
		t.Fatal(f, ok, err)
	}
	return f
}

// A model is learnt from all that is here, names it by size and root, and is in force
// until a later one is; undone, the one before it is again.
func TestFitNamesWhatItLearntFrom(t *testing.T) {
	ctx := context.Background()
	n, f := school(t)
	if got := inForce(t, n); !got.ID.IsZero() {
		t.Fatalf("before anything was learnt: %+v", got)
	}
	nodetest.MustFile(t, n, nodetest.Account(n, "one", 1))
	head := n.Registry.Head()
	first := fit(t, n)
	got := inForce(t, n)
	want, _, err := f.FitLinkage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != first || got.Size != head.Size || got.Root != record.Digest(head.Root) || got.Index != head.Size || got.Schema != linkage.SchemaVersion ||
		got.Reason != "more accounts than before" || got.Member != nodetest.Desk(n) || got.Undone != -1 || got.Known() != nil {
		t.Errorf("%+v of a ledger of %d, %s", got, head.Size, head.Root)
	}
	if !reflect.DeepEqual(got.Params.Record(), want.Record()) {
		t.Errorf("filed %+v, learnt %+v", got.Params, want)
	}
	if _, err := linkage.NewModel(got.Params); err != nil {
		t.Error(err)
	}
	// Whoever holds the ledger finds the same root for that size, however long it is now.
	nodetest.MustFile(t, n, nodetest.Account(n, "two", 2))
	if root, err := n.Log().Root(ctx, got.Size); err != nil || record.Digest(root) != got.Root {
		t.Errorf("root %s, %v", root, err)
	}
	for _, size := range []int64{0, n.Registry.Head().Size + 1} {
		if _, err := n.Log().Root(ctx, size); !node.IsNotFound(err) {
			t.Errorf("the tree of size %d: %v", size, err)
		}
	}

	second := fit(t, n)
	if got := inForce(t, n); got.ID != second || got.Size <= head.Size {
		t.Errorf("after the second: %+v", got)
	}
	undo := func(id record.ID) record.ID {
		t.Helper()
		done, err := doAct(n, acts.Operations, "act.undo", "record", id.String(), "reason", "x")
		if err != nil {
			t.Fatal(err)
		}
		return done.Receipts[0].ID
	}
	undone := undo(second)
	if got := inForce(t, n); got.ID != first {
		t.Errorf("the one before is not in force again: %+v", got)
	}
	again := undo(undone) // filed once more, as it was
	if got := inForce(t, n); got.ID != again || got.Size <= head.Size {
		t.Errorf("done again: %+v", got)
	}
	undo(again)
	undo(first)
	if got := inForce(t, n); !got.ID.IsZero() {
		t.Errorf("all are undone: %+v", got)
	}
	list, err := n.Projection.LinkageHistory(ctx)
	if err != nil || len(list) != 3 || list[0].ID != again || list[1].ID != second || list[2].ID != first || list[1].Undone < 0 {
		t.Errorf("history %+v, %v", list, err)
	}
	sameWhenRebuilt(t, n)
	out := t.TempDir() + "/log"
	if _, err := peer.Export(ctx, n, out, nil); err != nil {
		t.Fatal(err)
	}
	var state record.Digest
	n.Registry.View(func(s *mechanism.State) { state = s.Hash() })
	if r, err := verify.Log(ctx, verify.Dir(out), verify.Options{Key: n.Config.LogKey, Rules: true}); err != nil || !r.OK() || !r.Complete() || r.StateHash != state {
		t.Error(err, r.Verdict())
	}
}

func sameWhenRebuilt(t *testing.T, n *node.Node) {
	t.Helper()
	ctx := context.Background()
	var before, after bytes.Buffer
	if err := errors.Join(n.Sync(ctx), n.Projection.Dump(ctx, &before), n.Rebuild(ctx), n.Projection.Dump(ctx, &after)); err != nil {
		t.Fatal(err)
	}
	if before.String() != after.String() || !strings.Contains(before.String(), "models ") {
		t.Errorf("dumps of %d and %d bytes differ", before.Len(), after.Len())
	}
}

// While a node learns, the registry goes on: what is filed meanwhile is no part of it.
func TestTheRegistryGoesOnWhileANodeLearns(t *testing.T) {
	n, f := school(t)
	size := n.Registry.Head().Size
	f.During = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, err := n.File(ctx, nodetest.Report(n, "meanwhile"))
		return err
	}
	fit(t, n)
	if got := inForce(t, n); got.Size != size || got.Index != size+1 {
		t.Errorf("learnt from %d records and filed as record %d, want %d and %d", got.Size, got.Index, size, size+1)
	}
	// Two at once learn one after the other.
	f.During = func(context.Context) error { time.Sleep(20 * time.Millisecond); return nil }
	f.AtOnce.Store(0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := doAct(n, acts.Operations, "linkage.fit", "reason", "x"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most := f.AtOnce.Load(); most != 1 {
		t.Errorf("%d at once", most)
	}
}

type tooFew struct{}

func (tooFew) Error() string   { return "no accounts" }
func (tooFew) NotEnough() bool { return true }

// What keeps a node from learning is told, and nothing is filed.
func TestFitFails(t *testing.T) {
	ctx := context.Background()
	n, f := school(t)
	size := n.Registry.Head().Size
	a, _ := acts.Find("linkage.fit")
	who := func(roles ...string) node.Officer { return node.Officer{Member: nodetest.Desk(n), Roles: roles} }
	var denied *acts.Denied
	if _, err := n.Do(ctx, who(acts.Desk), a, acts.Values{"reason": {"x"}}); !errors.As(err, &denied) {
		t.Error(err)
	}
	var invalid *acts.Invalid
	if _, err := n.Do(ctx, who(acts.Operations), a, acts.Values{}); !errors.As(err, &invalid) {
		t.Error(err)
	}
	if err := n.Offer(ctx, who(acts.Operations), a, record.ID{}); err != nil {
		t.Error(err)
	}
	if calls := f.Calls.Load(); calls > 0 {
		t.Errorf("learnt %d times in vain", calls)
	}
	var refusal *mechanism.Refusal
	f.During = func(context.Context) error { return tooFew{} }
	if _, err := n.Do(ctx, who(acts.Operations), a, acts.Values{"reason": {"x"}}); !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, "no accounts") {
		t.Error(err)
	}
	broken := errors.New("the disk is gone")
	f.During = func(context.Context) error { return broken }
	if _, err := n.Do(ctx, who(acts.Operations), a, acts.Values{"reason": {"x"}}); !errors.Is(err, broken) || errors.As(err, new(*mechanism.Refusal)) {
		t.Error(err)
	}
	f.During, f.Beyond = nil, 1
	if _, err := n.Do(ctx, who(acts.Operations), a, acts.Values{"reason": {"x"}}); !node.IsNotFound(err) {
		t.Errorf("of records that are not here: %v", err)
	}
	f.Beyond = 0
	stopped, cancel := context.WithCancel(ctx)
	f.During = func(context.Context) error { cancel(); return nil }
	if _, err := n.Do(stopped, who(acts.Operations), a, acts.Values{"reason": {"x"}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n.Registry.Head().Size != size {
		t.Error("something was filed")
	}
}

// A model that the rules admit and nobody can compare by is left aside.
func TestModelsThatAreNone(t *testing.T) {
	n, _ := school(t)
	good := fit(t, n)
	ctx := context.Background()
	f := inForce(t, n)
	file := func(edit func(b *record.Linkage)) {
		t.Helper()
		p := *f.Params.Record()
		b := &record.Linkage{Params: p, Prefix: record.Prefix{Root: f.Root, Size: f.Size}, Reason: "x", Schema: 1}
		edit(b)
		nodetest.MustFile(t, n, node.Draft{Kind: record.LinkageFitted, Member: nodetest.Desk(n), Body: b})
	}
	file(func(b *record.Linkage) { b.Schema = linkage.SchemaVersion + 1 })
	file(func(b *record.Linkage) { b.Params.Fields = b.Params.Fields[1:] })
	if got := inForce(t, n); got.ID != good {
		t.Errorf("in force: %+v", got)
	}
	list, err := n.Projection.LinkageHistory(ctx)
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	var update *record.UpdateError
	if err := list[1].Known(); !errors.As(err, &update) || !strings.Contains(err.Error(), "update needed") {
		t.Errorf("a later schema: %v", err)
	}
	if err := list[0].Known(); err == nil || errors.As(err, &update) {
		t.Errorf("a field too few: %v", err)
	}
}

// What the tables teach, anybody learns again who folds the records that the model names;
// of few accounts they teach nothing.
func TestAnybodyLearnsItAgain(t *testing.T) {
	ctx := context.Background()
	n := nodetest.Open(t, nodetest.Create(t))
	a, _ := acts.Find("linkage.fit")
	who := node.Officer{Member: nodetest.Desk(n), Roles: []string{acts.Operations}}
	if err := n.Offer(ctx, who, a, record.ID{}); err != nil {
		t.Error(err)
	}
	var refusal *mechanism.Refusal
	if _, err := n.Do(ctx, who, a, acts.Values{"reason": {"x"}}); !errors.As(err, &refusal) || refusal.Code != mechanism.StateForbids {
		t.Errorf("of no accounts: %v", err)
	}
	file := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			d := nodetest.Account(n, fmt.Sprintf("%d of three", i%3), int64(i/3%5))
			c := &d.Body.(*record.Account).Claims[0]
			c.When = when.Span{Start: when.Date(fmt.Sprintf("2031-05-%02d", 1+i/3%28))}
			c.Places = []string{n.Pack().Places[i/3%2].Code}
			nodetest.MustFile(t, n, d)
		}
	}
	file(0, 45)
	id := fit(t, n)
	f := inForce(t, n)
	if f.ID != id || f.Params.Records < 45 || f.Params.Pairs == 0 {
		t.Fatalf("%+v", f)
	}
	file(45, 60) // what comes later changes nothing
	d, err := projection.Open(ctx, t.TempDir()+"/again.db")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.CatchUp(ctx, n.Store(), f.Size, nil); err != nil {
		t.Fatal(err)
	}
	again, size, err := d.FitLinkage(ctx)
	if err != nil || size != f.Size || !reflect.DeepEqual(again.Record(), f.Params.Record()) {
		t.Errorf("learnt again from %d records, of %d: %v\n%+v\n%+v", size, f.Size, err, again, f.Params)
	}
	if root, err := n.Log().Root(ctx, f.Size); err != nil || record.Digest(root) != f.Root {
		t.Errorf("root %s, %v", root, err)
	}
}

// Whoever has the records learns the model again; one whose numbers are others, or that
// names another history, is found out.
func TestRelearn(t *testing.T) {
	ctx := context.Background()
	n := nodetest.Open(t, nodetest.Create(t))
	for i := range 45 {
		d := nodetest.Account(n, fmt.Sprintf("%d of three", i%3), int64(i/3%5))
		c := &d.Body.(*record.Account).Claims[0]
		c.When = when.Span{Start: when.Date(fmt.Sprintf("2031-05-%02d", 1+i/3%28))}
		c.Places = []string{n.Pack().Places[i/3%2].Code}
		nodetest.MustFile(t, n, d)
	}
	fit(t, n)
	f := inForce(t, n)
	if err := n.Relearn(ctx, &f, nil); err != nil {
		t.Errorf("the model as it was filed: %v", err)
	}
	for what, spoil := range map[string]func(f *projection.Fitted){
		"a number":      func(f *projection.Fitted) { f.Params.Prior++ },
		"the size":      func(f *projection.Fitted) { f.Size-- },
		"a larger size": func(f *projection.Fitted) { f.Size += 1000 },
		"the root":      func(f *projection.Fitted) { f.Root[0]++ },
	} {
		f := inForce(t, n)
		spoil(&f)
		if err := n.Relearn(ctx, &f, nil); !errors.Is(err, node.ErrOtherModel) {
			t.Errorf("%s is another: %v", what, err)
		}
	}
	f.Schema++
	var update *record.UpdateError
	if err := n.Relearn(ctx, &f, nil); !errors.As(err, &update) {
		t.Errorf("of a schema that is not known: %v", err)
	}
}
