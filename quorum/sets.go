// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// MaxSets is the most sets of witnesses that are listed one by one.
const MaxSets = 1000

// family is all minimal sets of witnesses that can do something: be a quorum, hold one up,
// or stand between two. Each name is in one group at most, so that a policy is a tree and
// the sets of a group are put together from those of its members, which share no witness.
type family struct {
	size  int      // of the smallest set
	count uint64   // of minimal sets; stays at the largest number once it is reached
	sets  []uint64 // bit i is witness i; nil where there are more than MaxSets
}

// rule says how many of n usable members it takes, where the group asks for k of them.
type rule func(k, n int) int

var (
	// A quorum of a group needs k members.
	quorums rule = func(k, n int) int { return k }
	// Silence holds a group up when fewer than k members are left.
	stalls rule = func(k, n int) int { return n - k + 1 }
	// Two quorums of a group have at least 2k-n members in common.
	splits rule = func(k, n int) int { return max(0, 2*k-n) }
)

// usable tells whether n can be met at all by signatures that are counted.
func (n *node) usable() bool {
	if n.witness >= 0 {
		return n.countable
	}
	count := 0
	for _, m := range n.members {
		if m.usable() {
			count++
		}
	}
	return count >= n.threshold
}

// family works out the minimal sets of a usable node.
func (n *node) family(r rule) family {
	if n.witness >= 0 {
		return family{1, 1, []uint64{1 << n.witness}}
	}
	var members []family
	usable := 0
	free := 0 // members that take no witness at all
	for _, m := range n.members {
		if !m.usable() {
			continue
		}
		usable++
		if f := m.family(r); f.size > 0 {
			members = append(members, f)
		} else {
			free++
		}
	}
	return choose(members, r(n.threshold, usable)-free)
}

// choose puts together the sets that take t of the members, one set of each.
func choose(members []family, t int) family {
	if t <= 0 {
		return family{0, 1, []uint64{0}}
	}
	slices.SortStableFunc(members, func(a, b family) int { return cmp.Compare(a.size, b.size) })
	// ways[j] counts the choices of j members so far: elementary symmetric polynomials.
	ways := make([]uint64, t+1)
	ways[0] = 1
	out := family{}
	for i, m := range members {
		if i < t {
			out.size += m.size
		}
		for j := min(t, i+1); j > 0; j-- {
			ways[j] = add(ways[j], mul(ways[j-1], m.count))
		}
	}
	if out.count = ways[t]; out.count > MaxSets {
		return out
	}
	// No member has more sets than the whole, so that all of theirs are at hand.
	var pick func(i, left int, set uint64)
	pick = func(i, left int, set uint64) {
		if left == 0 {
			out.sets = append(out.sets, set)
			return
		}
		for ; i <= len(members)-left; i++ {
			for _, s := range members[i].sets {
				pick(i+1, left-1, set|s)
			}
		}
	}
	pick(0, t, 0)
	return out
}

func add(a, b uint64) uint64 {
	if sum, carry := bits.Add64(a, b, 0); carry == 0 {
		return sum
	}
	return math.MaxUint64
}

func mul(a, b uint64) uint64 {
	if high, low := bits.Mul64(a, b); high == 0 {
		return low
	}
	return math.MaxUint64
}

// witnesses adds the places of all witnesses below n.
func (n *node) witnesses(into map[int]bool) {
	if n.witness >= 0 {
		into[n.witness] = true
	}
	for _, m := range n.members {
		m.witnesses(into)
	}
}

// compareSets orders smaller sets first, then as the policy orders its witnesses.
func compareSets(a, b uint64) int {
	return cmp.Or(cmp.Compare(bits.OnesCount64(a), bits.OnesCount64(b)), cmp.Compare(bits.Reverse64(b), bits.Reverse64(a)))
}
