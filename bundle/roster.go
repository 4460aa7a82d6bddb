// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"

	"truceline/record"
)

// roster knows whose key signs from which index to which, as far as the records of a
// bundle say. Records are missing between them, and any of these may change keys: so a key
// that no record here brings may be good, and what a missing record would explain is not
// wrong. What it may not be whatever is missing, is wrong.
type roster struct {
	registry string // member code
	members  map[string]bool
	keys     map[record.KeyID]*signingKey
	officers map[record.ID]string // officer to member
}

type signingKey struct {
	key     record.Key
	member  string
	officer record.ID // zero: the key of the member's node
	brought int64     // index of the record that brought it
	from    int64     // first index at which it signs
	until   int64     // first index at which it does not; -1: none is known
}

func newRoster() *roster {
	return &roster{members: map[string]bool{}, keys: map[record.KeyID]*signingKey{}, officers: map[record.ID]string{}}
}

func (k *signingKey) validAt(index int64) bool {
	return index >= k.from && (k.until < 0 || index < k.until)
}

func untilText(until int64) string {
	if until < 0 {
		return " on"
	}
	return fmt.Sprintf(" to before index %d", until)
}

// outcome of one layer of one record: good if both are empty.
type outcome struct {
	err    error
	unsure string
}

func (o outcome) good() bool { return o.err == nil && o.unsure == "" }

func wrong(format string, a ...any) outcome  { return outcome{err: fmt.Errorf(format, a...)} }
func unsure(format string, a ...any) outcome { return outcome{unsure: fmt.Sprintf(format, a...)} }

// signer finds the key that signs it under id. mission.opened brings the first keys
// itself, key.rotated the new one.
func (r *roster) signer(it *item, id record.KeyID) (*signingKey, bool) {
	at := it.line.Index
	switch b := it.body.(type) {
	case *record.Mission:
		for _, k := range b.Registry.Keys {
			if k.ID() == id {
				return &signingKey{key: k, member: b.Registry.Code, until: -1}, true
			}
		}
	case *record.KeyRotation:
		if b.New.ID() == id {
			return &signingKey{key: b.New, member: it.statement.Member, brought: at, from: at, until: -1}, true
		}
	}
	k, ok := r.keys[id]
	return k, ok
}

// check judges every signature of a record: good, under a key that its member has at this
// index, at least one of them its node's.
func (r *roster) check(it *item) outcome {
	st, at := it.statement, it.line.Index
	node, missing := false, ""
	for _, sig := range it.envelope.Signatures {
		k, ok := r.signer(it, sig.KeyID)
		switch {
		case !ok:
			node = true // it may be the node's
			if missing == "" {
				missing = fmt.Sprintf("no record here that stands before it brings the key %s, which signed it", sig.KeyID)
			}
			continue
		case !k.key.Verify(record.PAE(it.envelope.Type, it.envelope.Payload), sig.Sig):
			return wrong("the signature of key %s does not verify", sig.KeyID)
		case k.member != st.Member:
			return wrong("key %s is a key of %s, and the statement is filed by %s", sig.KeyID, k.member, st.Member)
		case !k.validAt(at):
			return wrong("key %s of %s is not valid at index %d: it signs from index %d%s", sig.KeyID, k.member, at, k.from, untilText(k.until))
		case !k.officer.IsZero() && k.officer != st.Officer:
			return wrong("key %s belongs to officer %s, who did not file this", sig.KeyID, k.officer)
		}
		// The new key of a rotation proves that it is held; the old one files it.
		rotation, is := it.body.(*record.KeyRotation)
		if k.officer.IsZero() && !(is && sig.KeyID == rotation.New.ID()) {
			node = true
		}
	}
	if !node {
		return wrong("no key of %s's node signed", st.Member)
	}
	return outcome{unsure: missing}
}

// changesKeys tells whether records of kind k can change who may sign.
func changesKeys(k record.Kind) bool {
	switch k {
	case record.MissionOpened, record.MemberAdmitted, record.KeyAdded, record.KeyRotated, record.KeyRevoked, record.MemberLeft, record.OfficerEnrolled:
		return true
	}
	return false
}

// fold takes in a record whose signatures and body are good. What is not good changes
// nothing. Every key comes from records that go back to record 0, so that the registry is
// known here.
func (r *roster) fold(it *item) outcome {
	by, at := it.statement.Member, it.line.Index
	next := at + 1
	switch b := it.body.(type) {
	case *record.Mission:
		r.registry = b.Registry.Code // which filed it, or its keys would not be the filer's
		r.members[r.registry] = true
		return r.add(at, at, b.Registry.Code, record.ID{}, b.Registry.Keys...)
	case *record.Admission:
		switch {
		case by != r.registry:
			return wrong("%s cannot admit the member %s", by, b.Code)
		case r.members[b.Code]:
			return unsure("%s is a member already, and no record here says that it left", b.Code)
		}
		o := r.add(at, next, b.Code, record.ID{}, b.Keys...)
		r.members[b.Code] = r.members[b.Code] || o.err == nil
		return o
	case *record.KeyAddition:
		if by != b.Member {
			return wrong("%s may not act on the keys of %s", by, b.Member)
		}
		return r.add(at, next, by, record.ID{}, b.Key)
	case *record.KeyRotation:
		return r.rotate(it, b)
	case *record.KeyRevocation:
		k, ok := r.keys[b.Key]
		switch {
		case by != b.Member:
			return wrong("%s may not act on the keys of %s", by, b.Member)
		case !ok:
			return unsure("no record here brings the key %s, which it ends", b.Key)
		case k.member != by || !k.validAt(at):
			return wrong("the key %s is not one of %s that is valid at index %d", b.Key, by, at)
		}
		k.until = next
	case *record.Departure:
		switch {
		case b.Member == r.registry || by != b.Member && by != r.registry:
			return wrong("%s cannot say that %s leaves", by, b.Member)
		case !r.members[b.Member]:
			return unsure("no record here admits %s, which it says leaves", b.Member)
		}
		for _, k := range r.keys {
			if k.member == b.Member && k.validAt(at) {
				k.until = next
			}
		}
		delete(r.members, b.Member) // it may be admitted again
	case *record.Enrolment:
		if m, ok := r.officers[b.Officer]; ok {
			return wrong("officer %s is enrolled already, with %s", b.Officer, m)
		}
		if b.Key != nil {
			if o := r.add(at, next, by, b.Officer, *b.Key); o.err != nil {
				return o
			}
		}
		r.officers[b.Officer] = by
	}
	return outcome{}
}

// rotate puts one key in the place of another. check has seen that the member signed.
func (r *roster) rotate(it *item, b *record.KeyRotation) outcome {
	by, at := it.statement.Member, it.line.Index
	if !it.signedWith(b.Old) || !it.signedWith(b.New.ID()) {
		return wrong("a rotation is signed by the old key and by the new, and this one is not")
	}
	old := r.keys[b.Old] // there, for its signature was judged
	if old == nil || !old.officer.IsZero() {
		return wrong("the key %s is not one of %s's node", b.Old, by)
	}
	if o := r.add(at, at+1, by, record.ID{}, b.New); o.err != nil {
		return o
	}
	old.until = at + 1
	return outcome{}
}

// add puts keys on the roster. No key comes there twice, whatever is missing.
func (r *roster) add(brought, from int64, member string, officer record.ID, keys ...record.Key) outcome {
	for _, k := range keys {
		if old, ok := r.keys[k.ID()]; ok {
			return wrong("key %s is known already, as %s's", k.ID(), old.member)
		}
	}
	for _, k := range keys {
		r.keys[k.ID()] = &signingKey{key: k, member: member, officer: officer, brought: brought, from: from, until: -1}
	}
	return outcome{}
}
