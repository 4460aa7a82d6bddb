// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"

	"truceline/agreement"
	"truceline/quorum"
	"truceline/record"
)

// Leave files that a member leaves the mechanism: on its own node, or on the registry's for
// one that the agreement in force calls a former member. From the next record on its keys
// sign nothing and its cosigners count nothing; what it said stays. It may come back with a
// new invitation.
func (n *Node) Leave(ctx context.Context, code, reason string) error {
	by := n.Config.Member
	if by == "" {
		by = n.Config.Registry
	}
	if _, err := n.File(ctx, Draft{Kind: record.MemberLeft, Member: by, Body: &record.Departure{Member: code, Reason: reason}, byNode: true}); err != nil {
		return fmt.Errorf("%s leaves: %w", code, err)
	}
	return nil
}

// Former has the agreement call a member a former one, as its next version, and files that
// it leaves. Only the registry's node can; what the members agreed on is theirs to show.
func (n *Node) Former(ctx context.Context, code, reason string) error {
	pack := n.Pack()
	if n.Registry == nil || pack == nil {
		return fmt.Errorf("make %s a former member: only the registry's node does, once an agreement is in force", code)
	}
	at := -1
	for i, m := range pack.Members {
		if m.Code == code {
			at = i
		}
	}
	if at < 0 {
		return fmt.Errorf("make %s a former member: the agreement names no such member", code)
	}
	if !pack.Members[at].Former {
		err := n.Adopt(ctx, func(next *agreement.Pack) {
			next.Members = append([]agreement.Member(nil), next.Members...)
			next.Members[at].Former = true
		})
		if s, bad := n.Standing(""); err != nil && bad == nil && s != nil && len(s.Gone) > 0 {
			err = fmt.Errorf("%w. The policy in force names witnesses whose keys stand no more (%v): adopt another first, with truceline policy adopt", err, s.Gone)
		}
		if err != nil {
			return err
		}
	}
	return n.Leave(ctx, code, reason)
}

// Standing is what the policy in force stands up to while some of its witnesses are gone.
type Standing struct {
	Report *quorum.Report // of the policy as it is
	Gone   []string       // names of its witnesses whose keys stand no more
	Met    bool           // whether those that are left can meet it
}

// Standing looks at the policy in force with the witnesses that stand, without those of the
// member leaving, if one is named; nil where there is no policy.
func (n *Node) Standing(leaving string) (*Standing, error) {
	p, err := n.Policy()
	if err != nil || p == nil {
		return nil, err
	}
	var operator, left []string
	stands := map[string]bool{}
	for _, c := range n.Cosigners() {
		switch {
		case c.Member == n.Config.Registry:
			operator = append(operator, c.VKey)
		case c.Member != leaving:
			stands[c.VKey] = true
		}
	}
	s := &Standing{Report: p.Lint(operator...)}
	for _, w := range p.Witnesses {
		if stands[w.VKey] {
			left = append(left, w.VKey)
		} else {
			s.Gone = append(s.Gone, w.Name)
		}
	}
	s.Met, err = p.Met(left...)
	return s, err
}
