// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"truceline/cosign"
	"truceline/internal/cosigned"
	"truceline/ledger"
	"truceline/quorum"
)

// sizes are the heads that a store holds, of those up to a size.
func sizes(t *testing.T, s *cosigned.Store, most int64) (out []int64) {
	t.Helper()
	for size := range most + 1 {
		_, ok, err := s.At(ctx, size)
		must(t, err)
		if ok {
			out = append(out, size)
		}
	}
	return out
}

func wantSizes(t *testing.T, what string, s *cosigned.Store, want ...int64) {
	t.Helper()
	if got := sizes(t, s, 40); !reflect.DeepEqual(got, want) {
		t.Errorf("%s: the store holds %v, want %v", what, got, want)
	}
}

func TestThinning(t *testing.T) {
	w := newWorld(t, 4)
	s, p := w.fresh(t), w.policy(t, 2, 3)
	for size := int64(1); size <= 5; size++ {
		w.add(t, s, p, size, by{0, start})
	}
	w.add(t, s, p, 3, by{3, start})
	wantSizes(t, "nothing is witnessed", s, 1, 2, 3, 4, 5)
	w.add(t, s, p, 4, by{1, start})
	wantSizes(t, "4 is witnessed, 3 is the last of a cosigner", s, 3, 4, 5)
	w.add(t, s, p, 6, by{0, start}, by{1, start})
	wantSizes(t, "5 is nobody's last", s, 3, 4, 6)
	if a := w.add(t, s, p, 5, by{0, start}); a.New != 0 || a.NowWitnessed || len(a.Head.Marks) != 1 {
		t.Errorf("a head that does not stay: %+v", a)
	}
	wantSizes(t, "5 again", s, 3, 4, 6)
	if a := w.add(t, s, p, 5, by{0, start}, by{2, start}); a.New != 2 || !a.NowWitnessed {
		t.Errorf("a head that is witnessed late: %+v", a)
	}
	wantSizes(t, "5 witnessed late", s, 3, 4, 5, 6)
	w.add(t, s, p, 7, by{3, start})
	wantSizes(t, "3 is nobody's last", s, 4, 5, 6, 7)
	before, after, err := s.Bracket(ctx, 5)
	must(t, err)
	if before == nil || before.Size != 5 || after == nil || after.Size != 6 {
		t.Errorf("record 5 stands between %+v and %+v", before, after)
	}
	if before, after, err = s.Bracket(ctx, 3); err != nil || before != nil || after == nil || after.Size != 4 {
		t.Errorf("record 3 stands between %+v and %+v, %v", before, after, err)
	}
	if before, after, err = s.Bracket(ctx, 6); err != nil || before == nil || before.Size != 6 || after != nil {
		t.Errorf("record 6 stands between %+v and %+v, %v", before, after, err)
	}
	must(t, s.Check(ctx))
}

func TestWaitingHeadsAreBounded(t *testing.T) {
	cosigned.KeepWaiting(t, 3)
	w := newWorld(t, 2)
	s := w.fresh(t)
	w.add(t, s, nil, 1, by{1, start})
	for size := int64(1); size <= 9; size++ {
		w.add(t, s, nil, size, by{0, start})
	}
	wantSizes(t, "three wait, and one is a cosigner's last", s, 1, 7, 8, 9)
	w.add(t, s, w.policy(t, 2, 2), 10, by{0, start}, by{1, start})
	wantSizes(t, "fewer wait, below a witnessed one", s, 10)
	must(t, s.Check(ctx))
}

func TestPolicyMayChange(t *testing.T) {
	w := newWorld(t, 3)
	s, two, three := w.fresh(t), w.policy(t, 2, 3), w.policy(t, 3, 3)
	w.add(t, s, nil, 1, by{0, start}, by{1, start + 1})
	if a := w.add(t, s, three, 1); a.NowWitnessed {
		t.Errorf("two of three meet three of three: %+v", a)
	}
	if a := w.add(t, s, two, 1); !a.NowWitnessed || a.New != 0 || a.Head.MetAt != start+1 || a.Head.SureAt != start {
		t.Errorf("the policy came later than the cosignatures: %+v", a)
	}
	for _, p := range []*quorum.Policy{nil, three} {
		if a := w.add(t, s, p, 1); a.NowWitnessed || a.Head.MetAt != start+1 || a.Head.Policy != two.String() {
			t.Errorf("under another policy: %+v", a)
		}
	}
	if a := w.add(t, s, three, 1, by{2, start + 5}); a.New != 1 || a.NowWitnessed || a.Head.MetAt != start+1 || a.Head.SureAt != start+1 {
		t.Errorf("a third, under another policy: %+v", a)
	}
	none := *two
	none.Quorum = quorum.None
	if a := w.add(t, s, &none, 2, by{0, start}); a.NowWitnessed || a.Head.MetAt != 0 {
		t.Errorf("without a quorum nothing is witnessed: %+v", a)
	}
	broken := *two
	broken.Quorum = "nobody"
	if _, err := s.Add(ctx, w.head(t, 3, 0, by{0, start}), w.log, w.vkeys, &broken); err == nil {
		t.Error("a policy that is none is taken")
	}
	wantSizes(t, "in the end", s, 1, 2)
}

// TestClocksThatAreNotSet: a time that cannot be meant is kept, and proves nothing.
func TestClocksThatAreNotSet(t *testing.T) {
	const day = 86400
	w := newWorld(t, 2)
	s, p := w.fresh(t), w.policy(t, 1, 1)
	for i, c := range []struct {
		at    int64
		count bool
	}{{0, false}, {1, false}, {1577836799, false}, {1577836800, true}, {start, true}, {start + day, true}, {start + day + 1, false}, {1<<63 - 1, false}} {
		size := int64(i + 1)
		if c.at == 0 { // our own signers refuse it, others need not
			continue
		}
		a := w.add(t, s, p, size, by{0, c.at})
		if a.New != 1 || a.NowWitnessed != c.count || len(a.Head.Marks) != 1 || a.Head.Marks[0].At != c.at {
			t.Errorf("signed at %d: %+v", c.at, a)
		}
		if r, err := p.Check(a.Head.Note); err != nil || !r.Witnessed {
			t.Errorf("signed at %d: the note says %+v %v", c.at, r, err)
		}
	}
	if a := w.add(t, s, p, 7, by{0, start + 5}); a.New != 1 || !a.NowWitnessed || a.Head.MetAt != start+5 || a.Head.Marks[0].FirstAt != start+5 {
		t.Errorf("its clock was set: %+v", a)
	}
	if a := w.add(t, s, p, 7, by{0, start + day + 1}); a.New != 0 || a.Head.Marks[0].At != start+5 {
		t.Errorf("its clock was lost again: %+v", a)
	}
	w.clock.set(start + 10)
	if a := w.add(t, s, p, 7, by{0, start + day + 1}); a.New != 1 || a.Head.SureAt != start+day+1 || a.Head.MetAt != start+5 {
		t.Errorf("this node's own clock was behind: %+v", a)
	}
	must(t, s.Check(ctx))
}

func TestWhatIsNotTaken(t *testing.T) {
	w, other := newWorld(t, 3), newWorld(t, 1)
	s := w.fresh(t)
	w.add(t, s, nil, 3, by{0, start})
	skey, vkey, err := ledger.GenerateKey(seed(2000), "another.example/ledger")
	must(t, err)
	other.sign, err = ledger.NewSigner(skey)
	must(t, err)
	other.log, err = ledger.NewVerifier(vkey)
	must(t, err)
	text := ledger.Checkpoint{Origin: origin, Size: 4, Root: root(4, 0)}.Text()
	sig, err := w.who[0].Cosign(text, start)
	must(t, err)
	foreign, err := ledger.Sign(ledger.Checkpoint{Origin: other.log.Name(), Size: 9, Root: root(9, 0)}, other.sign)
	must(t, err)
	unnamed, err := ledger.Sign(ledger.Checkpoint{Origin: origin, Size: 9, Root: root(9, 0)}, other.sign)
	must(t, err)
	for name, c := range map[string]struct {
		note []byte
		log  *world
		want error
	}{
		"nothing":                         {nil, w, nil},
		"no signature by the log":         {[]byte(text + "\n" + cosign.Lines(sig)), w, cosigned.ErrUnsigned},
		"a bad signature by the log":      {spoil(w.head(t, 4, 0)), w, nil},
		"a bad signature by a cosigner":   {spoil(w.head(t, 4, 0, by{0, start}, by{1, start})), w, nil},
		"two lines of one key":            {w.head(t, 4, 0, by{0, start}, by{0, start + 1}), w, nil},
		"another log":                     {foreign, other, cosigned.ErrOtherLog},
		"a head of another log's name":    {unnamed, other, cosigned.ErrOtherLog},
		"a head that ends in the middle":  {w.head(t, 4, 0, by{0, start})[:150], w, nil},
		"a head with other text after it": {append(w.head(t, 4, 0, by{0, start}), "x\n"...), w, nil},
	} {
		a, err := s.Add(ctx, c.note, c.log.log, w.vkeys, nil)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || errors.As(err, new(*cosigned.Fork)) || !reflect.DeepEqual(a, cosigned.Added{}) {
			t.Errorf("%s: %+v, error %v", name, a, err)
		}
	}
	if _, err := s.Add(ctx, w.head(t, 4, 0), w.log, []string{w.vkey}, nil); err == nil {
		t.Error("the log's key is taken for a cosigner's")
	}
	if a, err := s.Add(ctx, w.head(t, 4, 0, by{0, start}), w.log, w.vkeys[1:], nil); err != nil || a.New != 0 || len(a.Head.Marks) != 0 || !bytes.Equal(a.Head.Note, w.head(t, 4, 0)) {
		t.Errorf("a stranger's cosignature: %+v %v", a, err)
	}
	wantSizes(t, "in the end", s, 3)
	must(t, s.Check(ctx))
}

// TestKeysOfOneHash: a key's hash has 32 bits, so that whoever wants two keys of one hash
// finds them in a second.
func TestKeysOfOneHash(t *testing.T) {
	w := newWorld(t, 1)
	name := w.who[0].Name()
	var keys []string
	for _, n := range []int{1_011_427, 1_012_030} {
		skey, vkey, err := cosign.GenerateKey(seed(n), name)
		must(t, err)
		signer, err := cosign.NewSigner(skey)
		must(t, err)
		w.who, keys = append(w.who, signer), append(keys, vkey)
	}
	if keys[0][:len(name)+9] != keys[1][:len(name)+9] || keys[0] == keys[1] {
		t.Fatalf("the keys are %v: look for two of one hash", keys)
	}
	s := w.fresh(t)
	add := func(at int64, who int, cosigners ...string) cosigned.Added {
		a, err := s.Add(ctx, w.head(t, 1, 0, by{who, at}), w.log, cosigners, nil)
		must(t, err)
		return a
	}
	if a := add(start, 1, keys...); a.New != 0 {
		t.Errorf("both are known: %+v", a)
	}
	if a := add(start, 1, keys[0], w.vkeys[0], keys[0]); a.New != 1 || a.Head.Marks[0].VKey != keys[0] {
		t.Errorf("one is known, and named twice: %+v", a)
	}
	if a := add(start, 2, keys[1]); a.New != 0 || len(a.Head.Marks) != 1 {
		t.Errorf("the other after it: %+v", a)
	}
	if a := add(start+1, 1, keys[0]); a.New != 1 {
		t.Errorf("the one again: %+v", a)
	}
	must(t, s.Check(ctx))
}

func TestNoMoreThanANoteCarries(t *testing.T) {
	w := newWorld(t, ledger.MaxSignatures)
	s := w.fresh(t)
	var lines []by
	for who := range ledger.MaxSignatures - 1 {
		lines = append(lines, by{who, start})
	}
	if a := w.add(t, s, nil, 1, lines...); a.New != ledger.MaxSignatures-1 {
		t.Fatalf("%d are new", a.New)
	}
	_, err := s.Add(ctx, w.head(t, 1, 0, by{ledger.MaxSignatures - 1, start}), w.log, w.vkeys, nil)
	if !errors.Is(err, cosigned.ErrTooMany) {
		t.Error("one more:", err)
	}
	w.add(t, s, nil, 1, by{0, start + 1})
	must(t, s.Check(ctx))
}

// TestTwoStoresOnOneFile: two processes gather at once; nothing is lost or said twice.
func TestTwoStoresOnOneFile(t *testing.T) {
	w := newWorld(t, 4)
	path := t.TempDir() + "/cosigned.db"
	stores := []*cosigned.Store{w.open(t, path), w.open(t, path)}
	p := w.policy(t, 3, 4)
	const heads = 12
	var mu sync.Mutex
	fresh, witnessed := 0, map[int64]int{}
	var wg sync.WaitGroup
	for who := range w.who {
		for turn := range 2 { // everything twice
			wg.Go(func() {
				for size := int64(1); size <= heads; size++ {
					a, err := stores[(who+turn)%2].Add(ctx, w.head(t, size, 0, by{who, start + size}), w.log, w.vkeys, p)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					fresh += a.New
					if a.NowWitnessed {
						witnessed[size]++
					}
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	if fresh != heads*len(w.who) {
		t.Errorf("%d marks were new, of %d", fresh, heads*len(w.who))
	}
	for _, s := range stores {
		for size := int64(1); size <= heads; size++ {
			h, ok, err := s.At(ctx, size)
			if err != nil || !ok || len(h.Marks) != len(w.who) || h.MetAt != start+size || witnessed[size] != 1 {
				t.Errorf("head %d: %v %v, %d marks, met at %d, witnessed first %d times", size, ok, err, len(h.Marks), h.MetAt, witnessed[size])
			}
		}
		must(t, s.Check(ctx))
	}
}

// TestOneForkOfTwo: of two roots that come at the same moment over two stores one is kept.
func TestOneForkOfTwo(t *testing.T) {
	w := newWorld(t, 2)
	path := t.TempDir() + "/cosigned.db"
	stores := []*cosigned.Store{w.open(t, path), w.open(t, path)}
	for size := int64(1); size <= 10; size++ {
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i, s := range stores {
			wg.Go(func() {
				_, errs[i] = s.Add(ctx, w.head(t, size, int64(i), by{i, start}), w.log, w.vkeys, nil)
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.As(errors.Join(errs...), new(*cosigned.Fork)) {
			t.Fatal(fmt.Sprint("head ", size), errs)
		}
	}
}
