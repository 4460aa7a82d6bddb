// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
)

// cosigner is a key that a member has named for cosigning heads.
type cosigner struct {
	record.Cosigner
	member string
	public string // the bytes of the key
	index  int64
	ended  bool
	fault  string // why the rules cannot have admitted it, as far as the records here tell
}

// name takes in a good record that names a cosigner.
func (c *checker) name(it *item, b *record.Cosigner) {
	now := &cosigner{Cosigner: *b, member: it.statement.Member, public: b.Public(), index: it.line.Index}
	now.fault = c.cosignerFault(now)
	for _, was := range c.cosigners {
		if was.member == now.member && was.Role == now.Role && b.Role != record.OutsideCosigner {
			was.ended = true
		}
	}
	c.cosigners = append(c.cosigners, now)
}

func (c *checker) cosignerFault(now *cosigner) string {
	if now.Role != record.OutsideCosigner {
		v, err := cosign.NewVerifier(now.VKey)
		if err != nil {
			return fmt.Sprintf("the key that it names is none: %v", err)
		}
		if want := cosign.KeyName(c.head.Origin, cosign.Role(now.Role), now.member); v.Name() != want {
			return fmt.Sprintf("the key is named %.300q, and the %s key of %s is named %s", v.Name(), now.Role, now.member, want)
		}
	}
	for _, was := range c.cosigners {
		if was.public == now.public && (was.member != now.member || was.Role != now.Role || was.VKey != now.VKey || was.ended) {
			return fmt.Sprintf("the bytes of the key are those that record %d names for %s, as %s: a key has one role, once", was.index, was.member, was.Role)
		}
	}
	return ""
}

// leave ends the cosigners of a member that leaves.
func (c *checker) leave(member string) {
	for _, x := range c.cosigners {
		x.ended = x.ended || x.member == member
	}
}

// cannotSee is what only the members' rules statements show.
const cannotSee = "whether a key was revoked in a record that is not in this bundle cannot be seen, nor whether the rules admit the record"

// rules looks for a quorum of members who say that every record under the head passed the
// rules. It is the policy's quorum, with the rules key of each member in the place of its
// witness's.
func (c *checker) rules() {
	r := c.report
	for _, x := range c.cosigners {
		if x.fault != "" {
			r.problem(x.index, Rule, "%s", x.fault)
		}
	}
	if c.policy == nil || c.policy.Quorum == quorum.None {
		r.unchecked(-1, Rule, "%s: no policy says whose word it takes", cannotSee)
		return
	}
	keys, err := c.rulesKeys()
	if err != nil {
		r.problem(-1, Rule, "%v", err)
		return
	}
	known := []note.Verifier{c.file.log}
	for _, k := range keys {
		known = append(known, k)
	}
	_, n, err := ledger.ParseCheckpoint(c.file.proof.Checkpoint, known...)
	if err != nil {
		r.problem(-1, Rule, "%v", err)
		return
	}
	var count []string // the witnesses whose members say so
	for _, w := range c.policy.Witnesses {
		member, of := cosign.MemberOf(c.head.Origin, w.VKey)
		if of == cosign.Rules {
			continue
		}
		if at, ok := signedAt(n, keys[member]); ok {
			r.RulesBy, count = append(r.RulesBy, Word{w.Name, at}), append(count, w.VKey)
		} else {
			r.RulesMissing = append(r.RulesMissing, w.Name)
		}
	}
	if met, err := c.policy.Met(count...); err != nil || !met {
		r.unchecked(-1, Rule, "%s: %s", cannotSee, split(r.RulesBy, r.RulesMissing, "say that all records passed the rules"))
		return
	}
	r.good(Rule)
}

// rulesKeys finds the rules keys, by member: those that the policy names, if it names any,
// else those of the records here.
func (c *checker) rulesKeys() (map[string]note.Verifier, error) {
	out := map[string]note.Verifier{}
	add := func(member, vkey string) error {
		v, err := cosign.NewVerifier(vkey)
		if err == nil {
			out[member] = v
		}
		return err
	}
	given := false
	for _, w := range c.policy.Witnesses {
		if member, role := cosign.MemberOf(c.head.Origin, w.VKey); role == cosign.Rules {
			given = true
			_ = add(member, w.VKey) // a policy is read already: what is no key here is of a later type, and never counts
		}
	}
	if given {
		return out, nil
	}
	c.report.RulesFromFile = true
	for _, x := range c.cosigners {
		if x.Role != record.RulesCosigner || x.ended || x.fault != "" {
			continue
		}
		for _, w := range c.policy.Witnesses {
			if (&record.Cosigner{VKey: w.VKey}).Public() == x.public {
				return nil, fmt.Errorf("the rules key that record %d names for %s has the bytes of the witness %s: a key has one role", x.index, x.member, w.Name)
			}
		}
		if err := add(x.member, x.VKey); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// signedAt finds the good cosignature under a key, and its time in Unix seconds.
func signedAt(n *note.Note, key note.Verifier) (int64, bool) {
	if key == nil {
		return 0, false
	}
	for _, s := range n.Sigs {
		if s.Name == key.Name() && s.Hash == key.KeyHash() {
			at, err := cosign.SignedAt(s)
			return at, err == nil
		}
	}
	return 0, false
}

// consistent checks that a head beside is signed by the log and continued by the head that
// everything is proved against.
func (c *checker) consistent(b *beside) (ledger.Checkpoint, error) {
	head, _, err := ledger.ParseCheckpoint([]byte(b.Head), c.file.log)
	if err != nil {
		return head, err
	}
	if head.Origin != c.head.Origin {
		return head, fmt.Errorf("it is of the log %.300q, not %q", head.Origin, c.head.Origin)
	}
	var proof []tlog.Hash
	if proof, err = parseHashes(b.Consistency); err != nil {
		return head, err
	}
	return head, ledger.CheckConsistency(proof, head.Size, head.Root, c.head.Size, c.head.Root)
}

// NameRules gives a policy in which the rules keys among vkeys stand beside the witnesses
// of their members, for [Options.Policy]. They are called rules/<member>, and no group
// holds them, so that the quorum stays what it was. Other keys are left.
func NameRules(p *quorum.Policy, origin string, vkeys ...string) (*quorum.Policy, error) {
	out := *p
	out.Witnesses = slices.Clone(p.Witnesses)
	for _, w := range p.Witnesses {
		member, role := cosign.MemberOf(origin, w.VKey)
		if role != cosign.Witness {
			continue
		}
		for _, vkey := range vkeys {
			if of, role := cosign.MemberOf(origin, vkey); of == member && role == cosign.Rules {
				out.Witnesses = append(out.Witnesses, quorum.Witness{Name: "rules/" + member, VKey: vkey})
			}
		}
	}
	if err := out.Validate(); err != nil {
		return nil, fmt.Errorf("bundle: naming the rules keys in a policy: %w", err)
	}
	return &out, nil
}
