// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"

	"truceline/internal/cosigned"
	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/web"
	"truceline/mechanism"
	"truceline/record"
)

// others shows the pages how a node stands with the others of its mission.
type others struct {
	node *node.Node
	// baseURL is where people reach this node's pages.
	baseURL string
	members bool // who asks may read what members read
}

var _ web.Nodes = others{}

// alarms are those that who asks may know of.
func (o others) alarms(ctx context.Context) ([]node.Alarm, error) {
	if o.members {
		return o.node.Alarms(), nil
	}
	return o.node.PublicAlarms(ctx)
}

// Standing implements web.Nodes.
func (o others) Standing(ctx context.Context) (web.Standing, error) {
	n := o.node
	list, err := o.alarms(ctx)
	st := web.Standing{Member: n.Config.Member, Alarms: list}
	if err != nil {
		return st, err
	}
	if n.Registry == nil {
		contact, err := n.Line()
		st.Contact, st.Cut = contact, err != nil
		st.Restored, _ = n.Restored()
		return st, nil
	}
	st.Member, st.Registry = n.Config.Registry, true
	switch err := n.Waiting(); {
	case err == nil:
	case errors.Is(err, node.ErrWaiting):
		st.Hold = web.HoldWitnesses
		var silent *node.Silent
		if errors.As(err, &silent) {
			st.Silent = o.membersOf(silent.Witnesses)
		}
	case errors.Is(err, node.ErrBehind):
		st.Hold = web.HoldBehind
	default:
		st.Hold = web.HoldOther
	}
	return st, nil
}

// membersOf gives the members whose witnesses the policy calls by these names.
func (o others) membersOf(names []string) []string {
	policy, err := o.node.Policy()
	if err != nil || policy == nil {
		return names
	}
	of := map[string]string{}
	o.node.Look(func(s *mechanism.State) {
		for _, w := range policy.Witnesses {
			if c, ok := s.Cosigner(w.VKey); ok && c.Role == record.WitnessCosigner {
				of[w.Name] = c.Member
			}
		}
	})
	out := make([]string, len(names))
	for i, name := range names {
		if out[i] = name; of[name] != "" {
			out[i] = of[name]
		}
	}
	return out
}

// Evidence implements web.Nodes.
func (o others) Evidence(ctx context.Context, name string) ([]byte, error) {
	list, err := o.alarms(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(a node.Alarm) bool { return a.Evidence == name }) {
		return nil, web.ErrNotFound
	}
	b, err := o.node.Evidence(name)
	if errors.Is(err, os.ErrNotExist) {
		err = errors.Join(web.ErrNotFound, err)
	}
	return b, err
}

// Cosigning implements web.Nodes.
func (o others) Cosigning(ctx context.Context) (web.Cosigning, error) {
	n := o.node
	c := web.Cosigning{Keys: n.Cosigners(), RegistryURL: n.Config.RegistryURL}
	if n.Registry != nil {
		c.RegistryURL = o.baseURL
	}
	var err error
	if c.Policy, err = n.Policy(); err != nil {
		return c, fmt.Errorf("who has cosigned: %w", err)
	}
	if c.Last, err = n.Cosigned.Last(ctx); err != nil {
		return c, fmt.Errorf("who has cosigned: %w", err)
	}
	head, err := n.Witnessed(ctx)
	switch {
	case err == nil:
		c.Witnessed = &head
	case !errors.Is(err, ledgerstore.ErrNotFound):
		return c, fmt.Errorf("who has cosigned: %w", err)
	}
	return c, nil
}

// Bracket implements web.Nodes.
func (o others) Bracket(ctx context.Context, index int64) (before, after *cosigned.Head, err error) {
	return o.node.Cosigned.Bracket(ctx, index)
}

// Cookie names the cookie of a node's sign-ins. Several nodes may run on one host, and
// browsers send a cookie to all its ports.
func Cookie(n *node.Node) string {
	sum := sha256.Sum256([]byte(n.Config.Mission.String() + "/" + n.Config.Member))
	return fmt.Sprintf("truceline_signin_%x", sum[:4])
}
