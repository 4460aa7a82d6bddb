// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"

	"truceline/record"
)

// KeyChange is one change of who may sign for whom.
type KeyChange struct {
	Index  int64
	Kind   record.Kind
	By     string // member that filed it
	Member string // whose key it is
	Key    record.KeyID
	What   string // what happens to the key, in a word or two
	Sure   bool   // the record's signatures could be checked

	asGiven bool // they are good as given
}

// UnknownKey is a key that signed records and could not be judged.
type UnknownKey struct {
	Key     record.KeyID
	Member  string // the member that the first of the records says it is filed by
	First   int64  // index of the first record
	Records int64
}

// maxKeys is how many changes of keys a printed report names.
const maxKeys = 20

func (v *verifier) keyChanges(index int64, it *item, env outcome) {
	if it.entry == nil || !it.whole {
		return
	}
	st := it.entry.Statement
	add := func(member, what string, id record.KeyID) {
		v.report.KeyCount++
		if len(v.report.Keys) < maxListed {
			v.report.Keys = append(v.report.Keys, KeyChange{index, st.Kind, st.Member, member, id, what, env.unsure == "", env.asGiven})
		}
	}
	switch b := it.entry.Body.(type) {
	case *record.Mission:
		for _, k := range b.Registry.Keys {
			add(b.Registry.Code, "opens the mission", k.ID())
		}
	case *record.Admission:
		for _, k := range b.Keys {
			add(b.Code, "admitted", k.ID())
		}
	case *record.KeyAddition:
		add(b.Member, "added", b.Key.ID())
	case *record.KeyRotation:
		add(st.Member, "replaced", b.Old)
		add(st.Member, "replaces it", b.New.ID())
	case *record.KeyRevocation:
		add(b.Member, "revoked", b.Key)
	case *record.Departure:
		for _, id := range v.current().keysOf(b.Member, index) {
			add(b.Member, "ended, for its member left", id)
		}
	case *record.Enrolment:
		if b.Key != nil {
			add(st.Member, "of officer "+b.Officer.String(), b.Key.ID())
		}
	}
}

// unknownKeys notes the keys that signed a record and are not known because of a gap.
// It is asked before the record can change its own keys.
func (v *verifier) unknownKeys(index int64, it *item) {
	if it.entry == nil || v.roster.unsure == "" {
		return
	}
	known := v.current()
	for _, sig := range it.entry.Envelope.Signatures {
		if _, ok := known.signer(it.entry, sig.KeyID); ok {
			continue
		}
		v.unknownKey(sig.KeyID, it.entry.Statement.Member, index)
	}
}

func (v *verifier) unknownKey(id record.KeyID, member string, index int64) {
	for i := range v.report.UnknownKeys {
		if u := &v.report.UnknownKeys[i]; u.Key == id {
			u.Records++
			return
		}
	}
	if len(v.report.UnknownKeys) < 100 {
		v.report.UnknownKeys = append(v.report.UnknownKeys, UnknownKey{id, member, index, 1})
	}
}

func (r *Report) writeKeys(p *printer) {
	if len(r.UnknownKeys) > 0 {
		p.line("\nsignatures that could not be checked, for records that may have brought the key are missing")
	}
	for _, u := range r.UnknownKeys {
		p.line("  key %s, said to be of %s: %s, the first %d", u.Key, u.Member, plural(u.Records, "record"), u.First)
	}
	if len(r.Keys) > 0 {
		p.line("\nkeys, and who may speak for whom")
	}
	for i, k := range r.Keys {
		if i == maxKeys {
			break
		}
		by := ""
		if k.By != k.Member {
			by = fmt.Sprintf(", by %s", k.By)
		}
		if !k.Sure {
			by += " (its signatures could not be checked)"
		}
		p.line("  record %d, %s: key %s of %s, %s%s", k.Index, k.Kind, k.Key, k.Member, k.What, by)
	}
	if more := r.KeyCount - int64(min(len(r.Keys), maxKeys)); more > 0 {
		p.line("  and %d more", more)
	}
}
