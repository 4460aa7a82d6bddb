// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"hash/maphash"
	"strings"

	"truceline/linkage"
)

// What records are made of is taken from large pieces, so that a million of them are not
// millions of small ones.

// slab gives slices of one piece after the other.
type slab[T any] struct{ free []T }

func (s *slab[T]) take(n int) []T {
	if len(s.free) < n {
		s.free = make([]T, max(n, 4096))
	}
	out := s.free[:n:n]
	s.free = s.free[n:]
	return out
}

// texts keeps strings of which each comes once.
type texts struct{ b strings.Builder }

func (t *texts) add(s []byte) string {
	if t.b.Cap()-t.b.Len() < len(s) {
		t.b = strings.Builder{}
		t.b.Grow(max(len(s), 64<<10))
	}
	from := t.b.Len()
	t.b.Write(s)
	return t.b.String()[from:]
}

// intern keeps a string of which few come often.
func intern(m map[string]string, b []byte) string {
	s, ok := m[string(b)]
	if !ok {
		s = string(b)
		m[s] = s
	}
	return s
}

// names finds records of one name. It is a hash table of their numbers: a map of a
// million names would take as long as all the rest.
type names struct {
	seed  maphash.Seed // what is found does not depend on it
	slots []nameSlot
	used  int
}

type nameSlot struct {
	record int32 // number + 1; 0 if the slot is free
	hash   uint32
}

func newNames() *names { return &names{seed: maphash.MakeSeed(), slots: make([]nameSlot, 1<<12)} }

// add takes the last of the records. If one before it has its name, it tells which.
func (n *names) add(records []linkage.Record) (first int, ok bool) {
	if n.used*2 >= len(n.slots) {
		n.grow()
	}
	r := &records[len(records)-1]
	hash := maphash.String(n.seed, r.ID)
	h := uint32(hash>>32) ^ uint32(hash)
	// Sources are few, and most ids of one are those of another too.
	h ^= uint32(maphash.String(n.seed, r.Source))
	mask := uint32(len(n.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		s := &n.slots[at]
		if s.record == 0 {
			*s = nameSlot{int32(len(records)), h}
			n.used++
			return 0, true
		}
		if s.hash != h {
			continue
		}
		if o := &records[s.record-1]; o.ID == r.ID && o.Source == r.Source {
			return int(s.record - 1), false
		}
	}
}

func (n *names) grow() {
	old := n.slots
	n.slots = make([]nameSlot, 2*len(old))
	mask := uint32(len(n.slots) - 1)
	for _, s := range old {
		if s.record == 0 {
			continue
		}
		at := s.hash & mask
		for n.slots[at].record != 0 {
			at = (at + 1) & mask
		}
		n.slots[at] = s
	}
}
