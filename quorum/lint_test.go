// SPDX-License-Identifier: Apache-2.0

package quorum_test

import (
	"bytes"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/quorum"
)

// byHand works a policy out by trying every set of witnesses, and every two of them.
type byHand struct {
	smallest, shared int
	split, stall     [][]string
}

func tryAll(p *quorum.Policy) byHand {
	groups := make(map[string]quorum.Group)
	for _, g := range p.Groups {
		groups[g.Name] = g
	}
	place := make(map[string]int)
	for i, w := range p.Witnesses {
		place[w.Name] = i
	}
	var met func(name string, set uint) bool
	met = func(name string, set uint) bool {
		g, ok := groups[name]
		if !ok {
			return set&(1<<place[name]) != 0
		}
		n := 0
		for _, m := range g.Members {
			if met(m, set) {
				n++
			}
		}
		return n >= g.Threshold
	}
	all := uint(1)<<len(p.Witnesses) - 1
	var quorums []uint
	for set := range all + 1 {
		if met(p.Quorum, set) {
			quorums = append(quorums, set)
		}
	}
	splits := make([]bool, all+1) // sets that hold all that some two quorums share
	for _, a := range quorums {
		for _, b := range quorums {
			splits[a&b] = true
		}
	}
	stalls := make([]bool, all+1)
	for set := range all + 1 {
		stalls[set] = !met(p.Quorum, all&^set)
	}
	minimal := func(can []bool) (out [][]string) {
		for size := 0; size <= len(p.Witnesses); size++ {
			var of [][]string
			for set := range all + 1 {
				if !can[set] || bits.OnesCount(set) != size {
					continue
				}
				least := true
				for sub := (set - 1) & set; set != 0; sub = (sub - 1) & set {
					if can[sub] {
						least = false
					}
					if sub == 0 {
						break
					}
				}
				if least {
					names := []string{}
					for i, w := range p.Witnesses {
						if set&(1<<i) != 0 {
							names = append(names, w.Name)
						}
					}
					of = append(of, names)
				}
			}
			slices.SortFunc(of, slices.Compare)
			out = append(out, of...)
		}
		return out
	}
	r := byHand{smallest: 99, split: minimal(splits), stall: minimal(stalls)}
	for _, q := range quorums {
		r.smallest = min(r.smallest, bits.OnesCount(q))
	}
	r.shared = len(r.split[0])
	return r
}

func equal(a quorum.Sets, b [][]string) bool {
	return a.Count == uint64(len(b)) && slices.EqualFunc(a.Sets, b, slices.Equal[[]string])
}

// The report's arithmetic is what trying every set gives.
func TestLintAgreesWithTryingAll(t *testing.T) {
	signers, log := testSigners(t, 8), newLog(t, testOrigin)
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t, 8, signers, log)
		r := p.Lint()
		if p.Quorum == quorum.None {
			if r.Faults != -1 || len(r.Idle) != len(p.Witnesses) || r.Failed() {
				t.Fatalf("%s%+v", p, r)
			}
			return
		}
		want := tryAll(p)
		if r.Smallest != want.smallest || r.Shared != want.shared || r.Faults != want.shared-1 || !equal(r.Split, want.split) || !equal(r.Stall, want.stall) {
			t.Fatalf("the report on\n%sis %+v, want %+v", p, r, want)
		}
		var alone []string
		for _, set := range want.stall {
			if len(set) == 1 {
				alone = append(alone, set[0])
			}
		}
		got := slices.Sorted(slices.Values(r.Alone))
		if !slices.Equal(got, alone) {
			t.Fatalf("alone: %v, want %v\n%s", got, alone, p)
		}
		if r.Failed() != (want.shared == 0) {
			t.Fatalf("failed is %v\n%s%+v", r.Failed(), p, r)
		}
	})
}

// k of n: two quorums share 2k-n, and n-k+1 can hold the rest up.
func TestLintOfKOfN(t *testing.T) {
	for n := 1; n <= 48; n++ {
		for k := 1; k <= n; k++ {
			p := kOfN(t, k, n)
			r := p.Lint()
			if want := max(2*k-n, 0); r.Shared != want || r.Faults != want-1 || r.Smallest != k || len(r.Witnesses) != n {
				t.Fatalf("%d of %d: %+v", k, n, r)
			}
			if want := choose(n, n-k+1); r.Stall.Count != want || (r.Stall.Sets == nil) != (want > quorum.MaxSets) {
				t.Fatalf("%d of %d: %d sets hold the rest up, %d listed, want %d", k, n, r.Stall.Count, len(r.Stall.Sets), want)
			}
			if r.Failed() != (2*k <= n) {
				t.Fatalf("%d of %d: failed is %v", k, n, r.Failed())
			}
		}
	}
}

func choose(n, k int) uint64 {
	c := uint64(1)
	for i := 1; i <= k; i++ {
		c = c * uint64(n-i+1) / uint64(i)
	}
	return c
}

var manyNames = func() (out []string) {
	for i := range quorum.MaxEntries {
		out = append(out, fmt.Sprintf("w%02d", i))
	}
	return out
}()

var manyKeys = make(map[string]string)

func kOfN(t *testing.T, k, n int) *quorum.Policy {
	t.Helper()
	p := &quorum.Policy{Logs: []quorum.Log{{VKey: newLog(t, testOrigin).vkey}}, Quorum: "g"}
	for _, name := range manyNames[:n] {
		if manyKeys[name] == "" {
			manyKeys[name] = newWitness(t, name).VKey()
		}
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: name, VKey: manyKeys[name]})
	}
	p.Groups = []quorum.Group{{Name: "g", Threshold: k, Members: manyNames[:n]}}
	return p
}

func TestLintFindings(t *testing.T) {
	fill := keys(t)
	e := newWitness(t, "w.example/E")
	for name, tt := range map[string]struct {
		policy   string
		operator []string
		faults   int
		failed   bool
		finds    []string // a part of each finding, in their order
	}{
		"3 of 3":                  {three + "group g all A B C\nquorum g\n", nil, 2, false, []string{"alone, leaves every new head unwitnessed: A, B, C"}},
		"2 of 3":                  {three + "group g 2 A B C\nquorum g\n", nil, 0, false, []string{"one dishonest witness"}},
		"1 of 3":                  {three + "group g any A B C\nquorum g\n", nil, -1, true, []string{"the log alone"}},
		"3 of 4":                  {three + "witness D <D>\ngroup g 3 A B C D\nquorum g\n", nil, 1, false, nil},
		"none":                    {three + "quorum none\n", nil, -1, false, []string{"not needed by its quorum: A, B, C", "the quorum is none"}},
		"no log":                  {"witness A <A>\nwitness B <B>\nwitness C <C>\nwitness D <D>\ngroup g 3 A B C D\nquorum g\n", nil, 1, false, []string{"names no log"}},
		"idle":                    {three + "witness D <D>\nwitness E <E>\ngroup g 3 A B C D\nquorum g\n", nil, 1, false, []string{"not needed by its quorum: E"}},
		"the operator's":          {three + "witness D <D>\ngroup g 3 A B C D\nquorum g\n", []string{newWitness(t, "w.example/D").VKey()}, 1, true, []string{`witness "D" belongs to the log's operator`}},
		"the operator's, idle":    {three + "witness D <D>\nwitness E <E>\ngroup g 3 A B C D\nquorum g\n", []string{e.VKey()}, 1, false, []string{"E"}},
		"the operator's, renamed": {three + "witness D <D>\ngroup g 3 A B C D\nquorum g\n", []string{fill.Replace("<renamed A>")}, 1, true, []string{`witness "A" belongs`}},
		"the operator's, plain":   {three + "witness D <D>\ngroup g 3 A B C D\nquorum g\n", []string{fill.Replace("<plain A>")}, 1, true, []string{`witness "A" belongs`}},
		"not a key":               {three + "witness D <D>\ngroup g 3 A B C D\nquorum g\n", []string{"x"}, 1, true, []string{"cannot be read"}},
		"the log's own":           {three + "witness O <O>\ngroup g 3 A B C O\nquorum g\n", nil, 1, true, []string{`witness "O" is also the log's own key`}},
		"ML-DSA":                  {three + "witness P <P>\ngroup g 3 A B C P\nquorum g\n", nil, 2, false, []string{"ML-DSA-44", "alone"}},
		"only ML-DSA":             {three + "witness P <P>\ngroup g all A P\nquorum g\n", nil, -1, true, []string{"never be met", "ML-DSA-44", "not needed by its quorum: B, C"}},
		"who stands for two":      {three + "witness D <D>\nwitness E <E>\ngroup x all A B\ngroup y 2 C D E\ngroup g all x y\nquorum g\n", nil, 2, false, []string{"unwitnessed: A, B"}},
	} {
		p, err := quorum.Parse(fill.Replace(tt.policy))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r := p.Lint(tt.operator...)
		ok := len(r.Findings) == len(tt.finds)
		for i := range min(len(r.Findings), len(tt.finds)) {
			ok = ok && strings.Contains(r.Findings[i].Text, tt.finds[i])
		}
		if !ok || r.Faults != tt.faults || r.Failed() != tt.failed {
			t.Errorf("%s: f = %d, failed %v, findings %+v", name, r.Faults, r.Failed(), r.Findings)
		}
	}
}

func TestWrite(t *testing.T) {
	fill := keys(t)
	p, err := quorum.Parse(fill.Replace(three + "witness D <D>\ngroup g 3 A B C D\nquorum g\n"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Lint().Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `Witnesses that count: 4 (A, B, C, D)
Smallest quorum: 3

Different records for different people
  Any two quorums share at least 2 witnesses.
  The policy withstands 1 dishonest witness (f = 1), whoever they are.
  The log can show two records only together with all witnesses of one of these sets:
    A, B
    A, C
    A, D
    B, C
    B, D
    C, D

Holding up
  New heads stay unwitnessed while all witnesses of one of these sets are silent:
    A, B
    A, C
    A, D
    B, C
    B, D
    C, D

The arithmetic is quorum intersection: an honest witness cosigns one of two diverging heads.
(Malkhi and Reiter, Byzantine Quorum Systems, 1998. For k of n: f = 2k-n-1.)

Nothing to remark.
`
	if b.String() != want {
		t.Errorf("the report reads\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	if err := kOfN(t, 30, 48).Lint().Write(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "more than 1000 are not computed one by one") {
		t.Errorf("the report hides what it did not compute:\n%s", b.String())
	}
	b.Reset()
	if err := (&quorum.Policy{Quorum: "x"}).Lint().Write(&b); err != nil || !strings.HasPrefix(b.String(), "error: ") {
		t.Errorf("an invalid policy: %q, %v", b.String(), err)
	}
}
