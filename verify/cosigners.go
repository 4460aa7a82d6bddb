// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"

	"truceline/cosign"
	"truceline/record"
)

// cosigners are the keys for cosigning that members have named in the records given, in
// their order. They decide nothing alone: whose word is taken, the policy says. They only
// take from it: a key that its member has not named, or has ended, says nothing.
type cosigners []*cosigner

type cosigner struct {
	role   record.CosignerRole
	vkey   string
	public string // the bytes of the key
	member string
	index  int64
	until  int64  // index of the record that ended it, or may have; -1: it stands
	fault  string // why the rules cannot have admitted it
}

// cosigner takes in a record that names a cosigner or lets a member leave, if it is not
// wrong. What of it is not sure brings no key, and ends those that it may have ended.
func (v *verifier) cosigner(index int64, it *item, env, body outcome) {
	if v.options.Policy == nil || env.err != nil || body.err != nil && it.committed {
		return
	}
	st := it.entry.Statement
	switch b := it.entry.Body.(type) {
	case *record.Cosigner:
		now := &cosigner{b.Role, b.VKey, b.Public(), st.Member, index, -1, ""}
		now.fault = v.cosigners.fault(v.report.Origin, v.report.Key, now)
		v.cosigners.end(index, func(c *cosigner) bool {
			return c.member == now.member && c.role == now.role && now.role != record.OutsideCosigner
		})
		if env.unsure == "" || env.asGiven {
			v.cosigners = append(v.cosigners, now)
		}
	case *record.Departure:
		v.cosigners.end(index, func(c *cosigner) bool { return c.member == b.Member })
	default:
		switch st.Kind {
		case record.CosignerNamed:
			v.cosigners.end(index, func(c *cosigner) bool { return c.member == st.Member })
		case record.MemberLeft:
			v.cosigners.end(index, func(*cosigner) bool { return true })
		}
	}
}

func (l cosigners) end(index int64, which func(*cosigner) bool) {
	for _, c := range l {
		if c.until < 0 && which(c) {
			c.until = index
		}
	}
}

// fault says why a key cannot be what it is named for: its name is another's, or its bytes
// are those of another key, whose signatures could be shown as its own.
func (l cosigners) fault(origin, logKey string, now *cosigner) string {
	if now.role == record.OutsideCosigner {
		return ""
	}
	k, err := cosign.NewVerifier(now.vkey)
	if err != nil || k.Name() != cosign.KeyName(origin, cosign.Role(now.role), now.member) {
		return "it has not the form and the name of its member's"
	}
	if log := (&record.Cosigner{VKey: logKey}).Public(); len(log) > 1 && log[1:] == now.public[1:] {
		return "its bytes are those of the log's key"
	}
	for _, was := range l {
		if was.public == now.public && (was.member != now.member || was.role != now.role || was.vkey != now.vkey || was.until >= 0) {
			return fmt.Sprintf("its bytes are those that record %d names for %s, as %s", was.index, was.member, was.role)
		}
	}
	return ""
}

// standing tells why a rules key does not stand for its member; empty if it does.
func (l cosigners) standing(member, vkey string) string {
	why := "no record that is given and good names its rules key"
	for _, c := range l {
		switch {
		case c.member != member || c.vkey != vkey || c.role != record.RulesCosigner:
		case c.fault != "":
			return fmt.Sprintf("its rules key of record %d counts for nothing: %s", c.index, c.fault)
		case c.until >= 0:
			why = fmt.Sprintf("its rules key ended with record %d", c.until)
		default:
			why = ""
		}
	}
	return why
}
