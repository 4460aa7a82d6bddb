// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"truceline/agreement"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// ProposePolicy writes the policy by which so many of the witnesses that members have
// named must cosign. The registry's own never counts.
func (n *Node) ProposePolicy(need int) (*quorum.Policy, error) {
	p := &quorum.Policy{Logs: []quorum.Log{{VKey: n.Config.LogKey}}, Quorum: "members"}
	g := quorum.Group{Name: "members", Threshold: need}
	for _, c := range n.Cosigners() {
		if !policyWitness(c) || c.Member == n.Config.Registry {
			continue
		}
		name := c.Member
		for i := 2; contains(g.Members, name); i++ {
			name = fmt.Sprintf("%s-%d", c.Member, i)
		}
		w := quorum.Witness{Name: name, VKey: c.VKey}
		if c.Role == record.OutsideCosigner {
			w.URL = c.URL
		}
		p.Witnesses = append(p.Witnesses, w)
		g.Members = append(g.Members, name)
	}
	if need < 1 || need > len(g.Members) {
		return nil, fmt.Errorf("write a policy: %d of %d witnesses cannot be: as many as were named can be asked for", need, len(g.Members))
	}
	p.Groups = []quorum.Group{g}
	return p, p.Validate()
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// AdoptPolicy adopts the agreement in force with another policy, as its next version.
func (n *Node) AdoptPolicy(ctx context.Context, need int) error {
	p, err := n.ProposePolicy(need)
	if err != nil {
		return err
	}
	return n.Adopt(ctx, func(pack *agreement.Pack) { pack.Policy = p.String() })
}

// Adopt adopts the next version of the agreement: the one in force, changed. Its parts are
// filed as one act.
func (n *Node) Adopt(ctx context.Context, change func(*agreement.Pack)) error {
	if n.Registry == nil {
		return errors.New("adopt an agreement: only the registry's node enters it")
	}
	var next agreement.Pack
	var version int
	n.ledger.View(func(s *mechanism.State) {
		if s.Pack() != nil {
			next, version = *s.Pack(), s.PackVersion()+1
		}
	})
	if version == 0 {
		return errors.New("adopt an agreement: none is in force yet")
	}
	change(&next)
	if err := next.Validate(); err != nil {
		return fmt.Errorf("adopt an agreement: %w", err)
	}
	parts, err := next.Parts(version)
	if err != nil {
		return err
	}
	act, err := record.NewID(n.opts.Rand)
	if err != nil {
		return err
	}
	var drafts []Draft
	for _, p := range parts {
		drafts = append(drafts, Draft{Kind: record.AgreementAdopted, Member: n.Config.Registry, Body: p, Act: act})
	}
	if _, err := n.FileTogether(ctx, drafts); err != nil {
		return fmt.Errorf("adopt version %d of the agreement: %w", version, err)
	}
	return nil
}
