// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"truceline/mechanism"
	"truceline/record"
)

// roster knows whose key signs from which index to which. It folds the records that
// change keys and nothing else, so that signatures can be judged without the rules.
type roster struct {
	registry string // member code
	members  map[string]bool
	keys     map[record.KeyID]*signingKey
	officers map[record.ID]string // officer to member
	// unsure says why keys may have changed unseen; empty while all is known.
	unsure string
}

type signingKey struct {
	key     record.Key
	member  string
	officer record.ID // zero: the key of the member's node
	from    int64     // first index at which it signs
	until   int64     // first index at which it does not; -1: still valid
}

func newRoster() *roster {
	return &roster{members: map[string]bool{}, keys: map[record.KeyID]*signingKey{}, officers: map[record.ID]string{}}
}

func (k *signingKey) validAt(index int64) bool {
	return index >= k.from && (k.until < 0 || index < k.until)
}

// lookup finds a key, valid or not. It is read by several goroutines while nothing is folded.
func (r *roster) lookup(id record.KeyID) (record.Key, bool) {
	if k, ok := r.keys[id]; ok {
		return k.key, true
	}
	return record.Key{}, false
}

// clone gives a roster that goes its own way from here on.
func (r *roster) clone() *roster {
	out := &roster{registry: r.registry, members: maps.Clone(r.members), keys: map[record.KeyID]*signingKey{}, officers: maps.Clone(r.officers), unsure: r.unsure}
	for id, k := range r.keys {
		k := *k
		out.keys[id] = &k
	}
	return out
}

// keysOf lists the keys of a member that are valid at an index, in order of id.
func (r *roster) keysOf(member string, index int64) []record.KeyID {
	var out []record.KeyID
	for id, k := range r.keys {
		if k.member == member && k.validAt(index) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b record.KeyID) int { return bytes.Compare(a[:], b[:]) })
	return out
}

// signer finds the key that signs e under id. mission.opened brings the first keys
// itself, key.rotated the new one.
func (r *roster) signer(e *mechanism.Entry, id record.KeyID) (*signingKey, bool) {
	st := e.Statement
	switch b := e.Body.(type) {
	case *record.Mission:
		for _, k := range b.Registry.Keys {
			if k.ID() == id {
				return &signingKey{key: k, member: b.Registry.Code, until: -1}, true
			}
		}
	case *record.KeyRotation:
		if b.New.ID() == id {
			return &signingKey{key: b.New, member: st.Member, from: e.Index, until: -1}, true
		}
	}
	k, ok := r.keys[id]
	return k, ok
}

// lose notes that keys may have changed unseen. Only the first reason is kept.
func (r *roster) lose(format string, a ...any) {
	if r.unsure == "" {
		r.unsure = fmt.Sprintf(format, a...)
	}
}

// check judges every signature of e: good, under a key that its member has at this
// index, at least one of them its node's. unsure is set when that cannot be known.
func (r *roster) check(e *mechanism.Entry) (err error, unsure string) {
	st, node := e.Statement, false
	unseen := r.unsure // why a key that is not on the roster may be good
	if unseen == "" && e.Body == nil && (st.Kind == record.MissionOpened || st.Kind == record.KeyRotated) {
		unseen = "its body, which brings a key that signs it, was not given"
	}
	for _, sig := range e.Envelope.Signatures {
		k, ok := r.signer(e, sig.KeyID)
		switch {
		case !ok && unseen != "":
			unsure, node = unseen, true // it may be the node's
			continue
		case !ok:
			return fmt.Errorf("key %s is not on the roster", sig.KeyID), ""
		case !e.SignedBy(k.key, sig):
			return fmt.Errorf("the signature of key %s does not verify", sig.KeyID), ""
		case k.member != st.Member:
			return fmt.Errorf("key %s is a key of %s, and the statement is filed by %s", sig.KeyID, k.member, st.Member), ""
		case !k.validAt(e.Index):
			return fmt.Errorf("key %s of %s is not valid at index %d: it signs from index %d%s", sig.KeyID, k.member, e.Index, k.from, untilText(k.until)), ""
		case !k.officer.IsZero() && k.officer != st.Officer:
			return fmt.Errorf("key %s belongs to officer %s, who did not file this", sig.KeyID, k.officer), ""
		}
		// The new key of a rotation proves that it is held; the old one files it.
		rotation, is := e.Body.(*record.KeyRotation)
		if k.officer.IsZero() && !(is && sig.KeyID == rotation.New.ID()) {
			node = true
		}
	}
	switch {
	case !node:
		return fmt.Errorf("no key of %s's node signed", st.Member), ""
	case r.unsure != "":
		return nil, r.unsure // a key may have been revoked by what is missing
	}
	return nil, unsure
}

func untilText(until int64) string {
	if until < 0 {
		return " on"
	}
	return fmt.Sprintf(" to before index %d", until)
}

// changesKeys tells whether records of kind k can change who may sign.
func changesKeys(k record.Kind) bool {
	switch k {
	case record.MissionOpened, record.MemberAdmitted, record.KeyAdded, record.KeyRotated, record.KeyRevoked, record.MemberLeft, record.OfficerEnrolled:
		return true
	}
	return false
}

// fold takes in a record whose signatures and body are good. It returns an error,
// and changes nothing, if the record changes keys that its member may not change.
func (r *roster) fold(e *mechanism.Entry) error {
	by, next := e.Statement.Member, e.Index+1
	switch b := e.Body.(type) {
	case *record.Mission:
		if e.Index != 0 || by != b.Registry.Code {
			return fmt.Errorf("mission.opened by %s at index %d does not open the mission", by, e.Index)
		}
		r.registry = b.Registry.Code
		r.members[r.registry] = true
		return r.add(e.Index, b.Registry.Code, record.ID{}, b.Registry.Keys...)
	case *record.Admission:
		if by != r.registry || r.members[b.Code] {
			return fmt.Errorf("%s cannot admit the member %s", by, b.Code)
		}
		if err := r.add(next, b.Code, record.ID{}, b.Keys...); err != nil {
			return err
		}
		r.members[b.Code] = true
	case *record.KeyAddition:
		if !r.mayAct(by, b.Member) {
			return fmt.Errorf("%s may not act on the keys of %s", by, b.Member)
		}
		return r.add(next, b.Member, record.ID{}, b.Key)
	case *record.KeyRotation:
		old, ok := r.keys[b.Old]
		if !ok || old.member != by || !old.officer.IsZero() || !old.validAt(e.Index) || !signedWith(e, b.Old) || !signedWith(e, b.New.ID()) {
			return fmt.Errorf("a rotation is signed by a valid key of %s's node and by the new key", by)
		}
		if err := r.add(next, by, record.ID{}, b.New); err != nil {
			return err
		}
		old.until = next
	case *record.KeyRevocation:
		k, ok := r.keys[b.Key]
		if !ok || k.member != b.Member || !k.validAt(e.Index) || !r.mayAct(by, b.Member) {
			return fmt.Errorf("%s cannot revoke the key %s of %s", by, b.Key, b.Member)
		}
		k.until = next
	case *record.Departure:
		if !r.members[b.Member] || b.Member == r.registry || by != b.Member && by != r.registry {
			return fmt.Errorf("%s cannot say that %s leaves", by, b.Member)
		}
		for _, id := range r.keysOf(b.Member, e.Index) {
			r.keys[id].until = next
		}
		delete(r.members, b.Member) // it may be admitted again
	case *record.Enrolment:
		if m, ok := r.officers[b.Officer]; ok {
			return fmt.Errorf("officer %s is enrolled already, with %s", b.Officer, m)
		}
		if b.Key != nil {
			if err := r.add(next, by, b.Officer, *b.Key); err != nil {
				return err
			}
		}
		r.officers[b.Officer] = by
	}
	return nil
}

// mayAct lets a member act on its own keys and nobody on another's.
func (r *roster) mayAct(by, member string) bool {
	return r.members[member] && by == member
}

func (r *roster) add(from int64, member string, officer record.ID, keys ...record.Key) error {
	for _, k := range keys {
		if old, ok := r.keys[k.ID()]; ok {
			return fmt.Errorf("key %s is known already, as %s's", k.ID(), old.member)
		}
	}
	for _, k := range keys {
		r.keys[k.ID()] = &signingKey{key: k, member: member, officer: officer, from: from, until: -1}
	}
	return nil
}

func signedWith(e *mechanism.Entry, id record.KeyID) bool {
	for _, sig := range e.Envelope.Signatures {
		if sig.KeyID == id {
			return true
		}
	}
	return false
}
