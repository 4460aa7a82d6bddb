// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"truceline/internal/office"
	"truceline/mechanism"
	"truceline/record"
)

// Enrol makes a new officer of a member: an opaque id in the ledger, and beside it a
// record that commits to the name, which only this node's book holds. by is the officer
// who does it; zero for whoever runs the node. With a *Queued the officer is in the book,
// and what makes them one waits to go out, before all that they file.
func (n *Node) Enrol(ctx context.Context, by record.ID, member, name string, roles []string) (record.ID, error) {
	fail := func(err error) (record.ID, error) {
		return record.ID{}, fmt.Errorf("enrol an officer of %s: %w", member, err)
	}
	if name = strings.TrimSpace(name); name == "" {
		return fail(errors.New("a name is needed: colleagues must know whom they share a desk with; it can be erased later"))
	}
	if _, ok := n.signers[member]; !ok {
		return fail(errors.New("this node has no key of that member: enrol its officers on its own node"))
	}
	id, err := record.NewID(n.opts.Rand)
	if err != nil {
		return fail(err)
	}
	if err := n.Office.AddOfficer(ctx, id, member, roles); err != nil {
		return fail(err)
	}
	act, err := record.NewID(n.opts.Rand)
	if err != nil {
		return fail(err)
	}
	_, err = n.FileTogether(ctx, []Draft{
		{Kind: record.OfficerEnrolled, Member: member, Body: &record.Enrolment{Officer: id}, Officer: by, Act: act},
		{Kind: record.OfficerNamed, Member: member, Body: &record.Naming{Name: name, Officer: id}, Officer: by, Act: act},
	})
	if errors.As(err, new(*Queued)) {
		return id, err
	}
	if err != nil {
		// The book must not show an officer whom the ledger does not know.
		return fail(errors.Join(err, n.Office.EraseName(ctx, id), n.Office.Leave(ctx, id)))
	}
	return id, nil
}

// Invite makes a link's token with which an officer signs in; it is shown once. The
// officer's earlier links are void.
func (n *Node) Invite(ctx context.Context, by, officer record.ID, o office.InviteOptions) (token string, err error) {
	token, _, err = n.Office.Invite(ctx, officer, by, o)
	return token, err
}

// Officer finds who an officer of this node is.
func (n *Node) Officer(ctx context.Context, id record.ID) (Officer, error) {
	o, err := n.Office.Officer(ctx, id)
	if err != nil {
		return Officer{}, err
	}
	if o.State == office.Left {
		return Officer{}, fmt.Errorf("officer %s: %w", id, office.ErrLeft)
	}
	return Officer{ID: o.ID, Member: o.Member, Roles: o.Roles}, nil
}

// Everybody is the officer that acts from this node's command line when none is named:
// the one made with the node, who has every role.
func (n *Node) Everybody(member string) Officer {
	return Officer{ID: n.Config.Officers[member], Member: member, Roles: office.Roles}
}

// Desks lists the members for which this node files: those whose keys are here, the
// registry apart.
func (n *Node) Desks() (out []string) {
	n.ledger.View(func(s *mechanism.State) {
		for _, m := range s.Members() {
			if _, ok := n.signers[m.Code]; ok && m.Role != record.RegistryRole {
				out = append(out, m.Code)
			}
		}
	})
	return out
}

// DemoLife is how long the links of a demonstration work.
const DemoLife = 365 * 24 * time.Hour
