// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"cmp"
	"slices"

	"truceline/cosign"
	"truceline/quorum"
	"truceline/record"
)

// Cosigner is a key that a member has named for cosigning checkpoints.
type Cosigner struct {
	Member string
	Role   record.CosignerRole
	VKey   string
	URL    string // where the member's node is reached; empty where it cannot be
	From   int64  // first index at which it is the member's
	Until  int64  // first index at which it no longer is; -1: still
}

type cosigner struct {
	Cosigner
	public string // the bytes of the key, which serve in one role only
}

// Cosigners lists every cosigner there ever was, by member, role, and the order in which
// they were named.
func (s *State) Cosigners() []Cosigner {
	out := make([]Cosigner, 0, len(s.cosigners))
	for _, c := range s.cosigners {
		out = append(out, c.Cosigner)
	}
	slices.SortFunc(out, func(a, b Cosigner) int {
		return cmp.Or(cmp.Compare(a.Member, b.Member), cmp.Compare(a.Role, b.Role), cmp.Compare(a.From, b.From), cmp.Compare(a.VKey, b.VKey))
	})
	return out
}

// Cosigner looks a verifier key up.
func (s *State) Cosigner(vkey string) (Cosigner, bool) {
	c, ok := s.cosigners[vkey]
	return c.Cosigner, ok
}

// LogKey is the verifier key of the log, as the first record names it.
func (s *State) LogKey() string { return s.logKey }

// Registry is the code of the member that puts records in order.
func (s *State) Registry() string { return s.registry }

// Policy is the C2SP tlog-policy of the agreement in force; empty where nobody witnesses.
func (s *State) Policy() string {
	if s.pack == nil {
		return ""
	}
	return s.pack.Policy
}

func (s *State) guardCosigner(e *Entry, b *record.Cosigner) (func(), error) {
	member := e.Statement.Member
	v, err := cosign.NewVerifier(b.VKey)
	if err != nil {
		return nil, refuse(Malformed, "the cosigner's key: %v", err)
	}
	public := b.Public() // a type byte, and the key
	if k := record.NewKey([]byte(public[1:])); k.Validate() != nil {
		return nil, refuse(Malformed, "the cosigner's key: %v", k.Validate())
	}
	if b.Role != record.OutsideCosigner {
		if want := cosign.KeyName(s.origin, cosign.Role(b.Role), member); v.Name() != want {
			return nil, refuse(StateForbids, "the key is named %.100q: the %s key of %s is named %s", v.Name(), b.Role, member, want)
		}
	}
	for _, c := range s.cosigners {
		if c.public == public && (c.Member != member || c.Role != b.Role || c.VKey != b.VKey || c.Until >= 0) {
			return nil, refuse(StateForbids, "the bytes of this key are those of %s, %s of %s: a key has one role; make a new one", c.VKey, c.Role, c.Member)
		}
	}
	return func() {
		s.endCosigners(func(c cosigner) bool {
			return c.Member == member && c.Role == b.Role && b.Role != record.OutsideCosigner && c.VKey != b.VKey
		})
		from := s.size + 1
		if c, ok := s.cosigners[b.VKey]; ok {
			from = c.From // only its address is another
		}
		set(s, s.cosigners, b.VKey, cosigner{Cosigner{member, b.Role, b.VKey, b.URL, from, -1}, public})
	}, nil
}

// endCosigners ends the cosigners that stand and that which picks.
func (s *State) endCosigners(which func(cosigner) bool) {
	for vkey, c := range s.cosigners {
		if c.Until < 0 && which(c) {
			c.Until = s.size + 1
			set(s, s.cosigners, vkey, c)
		}
	}
}

// guardDeparture lets a member leave. Nobody can put it out but an agreement that calls
// it a former member, which the registry then enters.
func (s *State) guardDeparture(e *Entry, b *record.Departure) (func(), error) {
	m, ok := s.members[b.Member]
	switch by := e.Statement.Member; {
	case !ok || m.Left:
		return nil, refuse(NotAMember, "%s is not on the roster", b.Member)
	case b.Member == s.registry:
		return nil, refuse(StateForbids, "the registry cannot leave the mechanism: nobody could file any more")
	case by != b.Member && by != s.registry:
		return nil, refuse(NoRight, "%s may not say that %s leaves", by, b.Member)
	case by != b.Member && !s.codes.former[b.Member]:
		return nil, refuse(NotInAgreement, "the agreement in force does not call %s a former member: it leaves by its own word, or when the agreement says so", b.Member)
	}
	return func() {
		m.Left = true
		set(s, s.members, b.Member, m)
		for id, k := range s.keys {
			if k.member == b.Member && (k.until < 0 || k.until > s.size+1) {
				k.until = s.size + 1
				set(s, s.keys, id, k)
			}
		}
		s.endCosigners(func(c cosigner) bool { return c.Member == b.Member })
	}, nil
}

// guardPolicy holds a policy to the mission: its one log is the mission's, and each
// witness that it names was named by a member other than the registry. So the operator's
// own witness never counts.
func (s *State) guardPolicy(text string) error {
	if text == "" {
		return nil
	}
	p, err := quorum.Parse(text)
	if err != nil {
		return refuse(NotInAgreement, "the agreement's policy: %v", err)
	}
	if len(p.Logs) != 1 || p.Logs[0].VKey != s.logKey {
		return refuse(NotInAgreement, "the agreement's policy must name this log and no other: %s", s.logKey)
	}
	for _, w := range p.Witnesses {
		c, ok := s.cosigners[w.VKey]
		switch {
		case !ok || c.Until >= 0 || c.Role != record.WitnessCosigner && c.Role != record.OutsideCosigner:
			return refuse(NotInAgreement, "the agreement's policy names the witness %s, whose key no member has named for that: its member files cosigner.named first", w.Name)
		case c.Member == s.registry:
			return refuse(NotInAgreement, "the agreement's policy names the witness %s of the registry: the operator's own witness never counts", w.Name)
		}
	}
	return nil
}

// NodeKeys lists the keys of a member's node that are valid for the next record, in order
// of their ids.
func (s *State) NodeKeys(member string) []record.Key {
	var out []record.Key
	for _, id := range sorted(s.keys, func(k record.KeyID) []byte { return k[:] }) {
		if k := s.keys[id]; k.member == member && k.officer.IsZero() && k.validAt(s.size) {
			out = append(out, k.key)
		}
	}
	return out
}
