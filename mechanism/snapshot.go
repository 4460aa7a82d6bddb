// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"truceline/record"
)

// Hash is SHA-256 over everything in the state, in one order. Two nodes that have
// folded the same entries have the same hash.
func (s *State) Hash() record.Digest {
	h := sha256.New()
	put := func(list string, fields ...any) {
		fmt.Fprintf(h, "%s", list)
		for _, f := range fields {
			v := fmt.Sprint(f)
			var n [4]byte
			binary.BigEndian.PutUint32(n[:], uint32(len(v)))
			h.Write(n[:])
			h.Write([]byte(v))
		}
	}
	put("head", s.size, s.logged, s.mission, s.origin, s.registry, s.packVersion)
	if s.pack != nil {
		put("pack", s.packDigest)
	}
	for _, a := range s.adopting {
		put("adopting", a.Version, a.Part, a.Parts, a.SHA256, hex.EncodeToString(a.Pack))
	}
	for _, m := range s.Members() {
		put("member", m.Code, m.Name, m.Role)
		if m.Left {
			put("left", m.Code)
		}
	}
	for _, c := range s.Cosigners() {
		put("cosigner", c.Member, c.Role, c.VKey, c.URL, c.From, c.Until)
	}
	for _, id := range sorted(s.keys, func(k record.KeyID) []byte { return k[:] }) {
		k := s.keys[id]
		put("key", id, k.key.Alg, k.key.Public, k.member, k.officer, k.from, k.until)
	}
	byID := func(id record.ID) []byte { return id[:] }
	for _, id := range sorted(s.officers, byID) {
		put("officer", id, s.officers[id])
	}
	for _, id := range sorted(s.seen, byID) {
		r := s.seen[id]
		put("seen", id, r.index, r.kind, r.member, hex.EncodeToString(r.digest[:]))
	}
	for _, id := range sorted(s.accounts, byID) {
		a := s.accounts[id]
		put("account", id, a.member, a.claimant.Kind, a.claimant.Name, a.claimant.Party, a.current, a.claims, a.batch, a.withdrawn, a.aside, a.links, a.audience)
	}
	for _, id := range sorted(s.incidents, byID) {
		in := s.incidents[id]
		put("incident", id, in.class, in.number, in.alias, in.batch, in.links, in.merged, in.undone)
	}
	for _, id := range sorted(s.links, byID) {
		l := s.links[id]
		put("link", id, l.account, l.incident, l.last, l.undone)
	}
	for _, id := range sorted(s.batches, byID) {
		b := s.batches[id]
		put("batch", id, b.member, b.file, b.rows, b.closed, b.withdrawn, b.rests)
	}
	for _, id := range sorted(s.reports, byID) {
		put("report", id, s.reports[id])
	}
	for _, id := range sorted(s.acts, byID) {
		a := s.acts[id]
		put("act", id, a.on, a.before, a.claims, a.rested, a.undone)
	}
	for _, code := range sorted(s.recipients, func(c string) []byte { return []byte(c) }) {
		put("recipient", code, s.recipients[code].age, s.recipients[code].id)
	}
	for _, x := range s.Epochs() {
		put("epoch", x.ID, x.Audience, strings.Join(x.Readers, " "), x.Member, x.Index)
	}
	for _, id := range sorted(s.erased, byID) {
		x := s.erased[id]
		put("erased", id, x.by, strings.Join(x.confirmed, " "))
	}
	nums := slices.Collect(maps.Keys(s.numbers))
	slices.SortFunc(nums, func(a, b numberKey) int {
		if c := cmpString(string(a.class), string(b.class)); c != 0 {
			return c
		}
		if a.year != b.year {
			return a.year - b.year
		}
		return b2i(a.members) - b2i(b.members)
	})
	for _, k := range nums {
		row := "number"
		if k.members {
			row = "members_number"
		}
		put(row, k.class, k.year, s.numbers[k])
	}
	s.blind.hash(put)
	s.releases.hash(put)
	s.apart.hash(put)
	return record.Digest(h.Sum(nil))
}

func sorted[K comparable, V any](m map[K]V, key func(K) []byte) []K {
	out := slices.Collect(maps.Keys(m))
	slices.SortFunc(out, func(a, b K) int { return bytes.Compare(key(a), key(b)) })
	return out
}
