// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
)

// A registry that keeps two histories shows each witness whichever it likes, in any order.
// Witnesses decide by cosign.Decide and die at any moment; what was on their disk stays. A
// dishonest one signs whatever it is shown. What is witnessed is decided by quorum.Policy.

// The two histories: the first two records are common, then they part.
const (
	common  = 2
	longest = 4
)

// head is a tree of one of the histories.
type head struct {
	fork byte // 'a' or 'b'; of common sizes 'a'
	size int
}

func (h head) norm() head {
	if h.size <= common {
		h.fork = 'a'
	}
	return h
}

// prefix tells whether h is of one history with o.
func (h head) with(o head) bool {
	h, o = h.norm(), o.norm()
	return h.fork == o.fork || h.size <= common || o.size <= common
}

// forest has the roots and proofs of both histories.
type forest struct {
	hashes map[byte]tlog.HashReaderFunc
	leaves map[byte][]tlog.Hash
}

func grow(t *testing.T) *forest {
	f := &forest{map[byte]tlog.HashReaderFunc{}, map[byte][]tlog.Hash{}}
	for _, fork := range []byte("ab") {
		var stored []tlog.Hash
		read := func(indexes []int64) ([]tlog.Hash, error) {
			out := make([]tlog.Hash, len(indexes))
			for i, x := range indexes {
				out[i] = stored[x]
			}
			return out, nil
		}
		for n := range longest {
			data := []byte{'r', byte(n)}
			if n >= common {
				data = append(data, fork)
			}
			hs, err := tlog.StoredHashes(int64(n), data, tlog.HashReaderFunc(read))
			if err != nil {
				t.Fatal(err)
			}
			stored = append(stored, hs...)
		}
		f.hashes[fork] = read
	}
	return f
}

func (f *forest) root(t *testing.T, h head) tlog.Hash {
	r, err := tlog.TreeHash(int64(h.size), f.hashes[h.norm().fork])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *forest) proof(t *testing.T, old int, h head) []tlog.Hash {
	if old == 0 || old >= h.size {
		return nil
	}
	p, err := tlog.ProveTree(int64(h.size), int64(old), f.hashes[h.norm().fork])
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const maxWitnesses = 4

// cast is the state: what each witness holds on disk, and what it has ever signed.
type cast struct {
	held   [maxWitnesses]head
	signed [maxWitnesses][2 * longest]bool // by fork and size
	asked  [maxWitnesses]head              // between deciding and writing down; zero: nothing
}

func slot(h head) int {
	h = h.norm()
	n := h.size - 1
	if h.fork == 'b' {
		n += longest
	}
	return n
}

func headOf(i int) head {
	if i >= longest {
		return head{'b', i - longest + 1}.norm()
	}
	return head{'a', i + 1}
}

// play says how witnesses behave; the shipped one decides, writes down, then signs.
type play struct {
	n, k, dishonest int
	largest         int // size of the largest head shown; 0: longest
	decide          func(cosign.Held, cosign.Request) cosign.Verdict
	signFirst       bool // signs before it has written down
	operator        bool // the last witness is the operator's, and counts
}

func (p play) policy(t *testing.T) (*quorum.Policy, []string) {
	_, logKey, err := ledger.GenerateKey(sha256Reader("log"), "model.invalid/log")
	if err != nil {
		t.Fatal(err)
	}
	pol := &quorum.Policy{Logs: []quorum.Log{{VKey: logKey}}, Quorum: "q"}
	g := quorum.Group{Name: "q", Threshold: p.k}
	var vkeys []string
	for i := range p.n {
		name := fmt.Sprint("w", i)
		_, vkey, err := cosign.GenerateKey(sha256Reader(name), "model.invalid/log/witness/"+name)
		if err != nil {
			t.Fatal(err)
		}
		pol.Witnesses = append(pol.Witnesses, quorum.Witness{Name: name, VKey: vkey})
		g.Members = append(g.Members, name)
		vkeys = append(vkeys, vkey)
	}
	pol.Groups = []quorum.Group{g}
	return pol, vkeys
}

// sha256Reader is a source of bytes that its name decides.
func sha256Reader(name string) *names { return &names{name: name} }

type names struct {
	name string
	n    int
}

func (s *names) Read(b []byte) (int, error) {
	for i := range b {
		if s.n%32 == 0 {
			s.name = fmt.Sprintf("%x", sha256.Sum256([]byte(s.name)))
		}
		b[i] = s.name[s.n%32]
		s.n++
	}
	return len(b), nil
}

func (p play) system(t *testing.T) system[cast] {
	f := grow(t)
	pol, vkeys := p.policy(t)
	met := map[uint]bool{} // by the set of those who signed
	for set := range uint(1) << p.n {
		var who []string
		for i := range p.n {
			if set>>i&1 == 1 {
				who = append(who, vkeys[i])
			}
		}
		ok, err := pol.Met(who...)
		if err != nil {
			t.Fatal(err)
		}
		met[set] = ok
	}
	honest := func(i int) bool { return i >= p.dishonest && !(p.operator && i == p.n-1) }
	request := func(held, h head) cosign.Verdict {
		var was cosign.Held
		if held.size > 0 {
			was = cosign.Held{Size: int64(held.size), Root: f.root(t, held)}
		}
		c := ledger.Checkpoint{Origin: "model.invalid/log", Size: int64(h.size), Root: f.root(t, h)}
		return p.decide(was, cosign.Request{Old: int64(held.size), Proof: f.proof(t, held.size, h), Checkpoint: c})
	}
	verdicts := map[[2]head]cosign.Verdict{}
	decide := func(held, h head) bool {
		k := [2]head{held, h.norm()}
		v, ok := verdicts[k]
		if !ok {
			v = request(held, h)
			verdicts[k] = v
		}
		return v == cosign.Accept
	}
	return system[cast]{
		start: []cast{{}},
		// Witnesses that behave alike can change places: what one reaches the other does.
		key: func(c cast) string {
			one := func(i int) string {
				var signed uint16
				for s, yes := range c.signed[i] {
					if yes {
						signed |= 1 << s
					}
				}
				return string([]byte{c.held[i].fork, byte(c.held[i].size), c.asked[i].fork, byte(c.asked[i].size), byte(signed), byte(signed >> 8)})
			}
			var good, bad []string
			for i := range p.n {
				if honest(i) {
					good = append(good, one(i))
				} else {
					bad = append(bad, one(i))
				}
			}
			slices.Sort(good)
			slices.Sort(bad)
			return strings.Join(append(bad, good...), "")
		},
		next: func(c cast) (out []step[cast]) {
			for i := range p.n {
				for s := range 2 * longest {
					h := headOf(s)
					if slot(h) != s || p.largest > 0 && h.size > p.largest {
						continue
					}
					n := c
					switch {
					case !honest(i):
						if n.signed[i][s] {
							continue
						}
						n.signed[i][s] = true
						out = append(out, step[cast]{fmt.Sprintf("dishonest witness %d signs %c%d", i, h.fork, h.size), n})
					case c.asked[i] == (head{}) && decide(c.held[i], h):
						n.asked[i] = h.norm()
						if p.signFirst {
							n.signed[i][s] = true
						}
						out = append(out, step[cast]{fmt.Sprintf("witness %d accepts %c%d", i, h.fork, h.size), n})
					}
				}
				if h := c.asked[i]; h != (head{}) {
					n := c
					n.held[i], n.asked[i] = h, head{}
					n.signed[i][slot(h)] = true
					out = append(out, step[cast]{fmt.Sprintf("witness %d writes %c%d down and signs", i, h.fork, h.size), n})
					d := c
					d.asked[i] = head{}
					out = append(out, step[cast]{fmt.Sprintf("witness %d dies before it has written", i), d})
				}
			}
			return out
		},
		wrong: func(c cast) string {
			for i := range p.n {
				if !honest(i) {
					continue
				}
				for s := range 2 * longest {
					for o := range s {
						if c.signed[i][s] && c.signed[i][o] && !headOf(s).with(headOf(o)) {
							return fmt.Sprintf("honest witness %d has signed two histories", i)
						}
					}
				}
			}
			var wit [2 * longest]bool
			for s := range wit {
				var set uint
				for i := range p.n {
					if c.signed[i][s] {
						set |= 1 << i
					}
				}
				wit[s] = met[set]
			}
			for s := range wit {
				for o := range s {
					if wit[s] && wit[o] && !headOf(s).with(headOf(o)) {
						return "two histories are witnessed"
					}
				}
			}
			return ""
		},
	}
}

func TestCosigningSearch(t *testing.T) {
	play{n: 1, k: 1, decide: cosign.Decide}.system(t).search(t).none(t, 10)
	play{n: 2, k: 2, decide: cosign.Decide}.system(t).search(t).none(t, 100)
	play{n: 3, k: 2, decide: cosign.Decide}.system(t).search(t).none(t, 1000)
	play{n: 3, k: 3, dishonest: 1, decide: cosign.Decide}.system(t).search(t).none(t, 1000)
	// The least that is safe with one dishonest, and that one cannot stall.
	play{n: 4, k: 3, dishonest: 1, largest: 3, decide: cosign.Decide}.system(t).search(t).none(t, 1000)
}

// 2k - n > f is not only enough but needed: with less the split is found.
func TestCosigningSearchFindsPlantedFaults(t *testing.T) {
	play{n: 3, k: 2, dishonest: 1, decide: cosign.Decide}.system(t).search(t).some(t, "two histories are witnessed")

	play{n: 2, k: 2, decide: cosign.Decide, signFirst: true}.system(t).search(t).some(t, "has signed two histories")

	trusting := func(held cosign.Held, r cosign.Request) cosign.Verdict {
		if r.Checkpoint.Size > held.Size {
			return cosign.Accept // a larger tree is taken for one that continues
		}
		return cosign.Decide(held, r)
	}
	play{n: 2, k: 2, decide: trusting}.system(t).search(t).some(t, "has signed two histories")

	// The operator's own witness counts, and signs what the operator likes.
	play{n: 3, k: 2, operator: true, decide: cosign.Decide}.system(t).search(t).some(t, "two histories are witnessed")
}
