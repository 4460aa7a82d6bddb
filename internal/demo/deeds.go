// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"truceline/acts"
	"truceline/example"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/mechanism"
	"truceline/record"
)

// DoDeeds has officers do the acts of an example, each on the node of its member and by its
// form, in their order. What was done already is not done again, so that acts that were cut
// short can be gone on with. A deed is done once the node of its member shows it, and DoDeeds
// returns once every node shows the last.
func DoDeeds(ctx context.Context, set *example.Set, members map[string]*node.Node) error {
	deeds, err := set.Deeds()
	if err != nil {
		return err
	}
	d := doer{members: members, filed: map[string]record.ID{}}
	for _, x := range deeds {
		if err := d.do(ctx, x); err != nil {
			return fmt.Errorf("do the acts of the example: %s of %s: %w", x.Ref, x.Member, err)
		}
	}
	return nil
}

type doer struct {
	members map[string]*node.Node
	filed   map[string]record.ID
}

func (d *doer) do(ctx context.Context, x example.Deed) error {
	n, ok := d.members[x.Member]
	act, known := acts.Find(x.Act)
	if !ok || !known {
		return fmt.Errorf("there is no node of the member, or no act %.40q", x.Act)
	}
	values, err := d.values(ctx, n, x)
	if err != nil {
		return err
	}
	if _, ok := act.Field("form"); ok { // the same form files the same record
		token := exampleID(n.Mission(), "form", x.Ref)
		values["form"] = []string{token.String()}
		d.filed[x.Ref] = acts.FormID(token, act.Kinds[0])
	}
	who, err := officerOf(ctx, n, x.Member, x.Role)
	if err != nil {
		return err
	}
	if err := d.once(ctx, n, who, act, x, values); err != nil {
		return err
	}
	for _, m := range d.members { // what comes next may be another's
		for done := false; !done; {
			var err error
			if done, err = d.done(ctx, m, x, values); err == nil && !done {
				err = sleep(ctx, lookAgain)
			}
			if err != nil {
				return fmt.Errorf("wait until %s shows it: %w", m.Config.Member, err)
			}
		}
		if err := m.Sync(ctx); err != nil {
			return err
		}
	}
	return nil
}

// once does a deed unless it was done, also by a start that was cut short: then what was
// signed goes out by itself.
func (d *doer) once(ctx context.Context, n *node.Node, who node.Officer, act *acts.Act, x example.Deed, values acts.Values) error {
	for {
		if done, err := d.done(ctx, n, x, values); done || err != nil {
			return err
		}
		_, err := n.Do(ctx, who, act, values)
		var refused *mechanism.Refusal
		switch {
		case err == nil || errors.As(err, new(*node.Queued)) || errors.As(err, new(*acts.Filed)) || errors.As(err, &refused) && refused.Code == mechanism.DuplicateID:
			return nil
		case !errors.Is(err, node.ErrWaiting) && !errors.Is(err, node.ErrBehind):
			return err
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return err
		}
	}
}

// done tells whether a deed was done, as far as a node knows.
func (d *doer) done(ctx context.Context, n *node.Node, x example.Deed, values acts.Values) (bool, error) {
	if id := d.filed[x.Ref]; !id.IsZero() {
		_, ok, err := n.Find(ctx, id)
		return ok, err
	}
	release, err := record.ParseID(values.Get("release"))
	if err != nil {
		return false, fmt.Errorf("%s cannot be told from what was done before", x.Act)
	}
	p, _, ok := n.Proposal(release)
	if !ok {
		return false, nil
	}
	said := func(list []mechanism.Said) bool {
		return slices.ContainsFunc(list, func(s mechanism.Said) bool { return s.Member == x.Member })
	}
	switch x.Act {
	case "release.consent":
		return said(p.Consents), nil
	case "release.reply":
		return said(p.Replies), nil
	}
	return !p.Made.IsZero(), nil
}

// values are a deed's, with what they name.
func (d *doer) values(ctx context.Context, n *node.Node, x example.Deed) (acts.Values, error) {
	out := acts.Values{}
	for name, list := range x.Values {
		for _, v := range list {
			refs, opened := x.Names(v)
			for text, ref := range refs {
				id := d.filed[ref]
				if opened[text] {
					var err error
					if id, err = openedOf(ctx, n, id); err != nil {
						return nil, err
					}
				}
				v = replaceWhole(v, text, id.String())
			}
			out[name] = append(out[name], v)
		}
	}
	return out, nil
}

// replaceWhole replaces a reference, and not one that it is the beginning of.
func replaceWhole(v, text, by string) string {
	if head, rest, ok := strings.Cut(v, text); ok && !strings.HasPrefix(rest, "!") {
		return head + by + rest
	}
	return v
}

// openedOf waits until a sealed account is opened, by its author's node, and gives the
// record that opened it.
func openedOf(ctx context.Context, n *node.Node, sealed record.ID) (out record.ID, err error) {
	for {
		n.Look(func(s *mechanism.State) {
			c, _, _ := s.SealedAccount(sealed)
			f, _ := s.Filing(c.Incident)
			for _, a := range f.Answers {
				if a.Sealed == sealed {
					out = a.Opened
				}
			}
		})
		if !out.IsZero() {
			return out, await(ctx, n, out)
		}
		if err := sleep(ctx, lookAgain); err != nil {
			return out, fmt.Errorf("wait until account %s is opened: %w; its author's node does that once the members have witnessed that all have answered", sealed, err)
		}
	}
}

// officerOf is the demonstration's officer of a member with the role.
func officerOf(ctx context.Context, n *node.Node, member, role string) (node.Officer, error) {
	have, err := n.Office.Officers(ctx, member)
	if err != nil {
		return node.Officer{}, err
	}
	for _, o := range have {
		if o.State != office.Left && slices.Equal(o.Roles, []string{role}) {
			return node.Officer{ID: o.ID, Member: member, Roles: o.Roles}, nil
		}
	}
	return node.Officer{}, fmt.Errorf("%s has no officer with the role %s alone", member, role)
}
