// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"truceline/acts"
	"truceline/internal/ledgerstore"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/place"
	"truceline/record"
)

// Officer is on whose behalf the node files an act.
type Officer struct {
	ID     record.ID
	Member string // code
	Roles  []string
}

// Done is an act that is durable and in the ledger.
type Done struct {
	// Act stands in every record of an act of several; zero for an act of one.
	Act      record.ID
	Receipts []registry.Receipt // in the order of the records
	Kinds    []record.Kind
}

// First is the first record of a kind; zero where there is none.
func (d Done) First(kind record.Kind) record.ID {
	for i, k := range d.Kinds {
		if k == kind {
			return d.Receipts[i].ID
		}
	}
	return record.ID{}
}

// Do does an act of the catalogue: plans its records, files them as one, and waits until
// the tables show them. The error is an *acts.Denied, an *acts.Invalid, or a refusal of
// the mechanism's; then nothing was filed.
func (n *Node) Do(ctx context.Context, who Officer, act *acts.Act, v acts.Values) (Done, error) {
	drafts, err := n.planToFile(ctx, who, act, v, true)
	if err != nil {
		return Done{}, err
	}
	var out Done
	if len(drafts) > 1 {
		if out.Act, err = record.NewID(n.opts.Rand); err != nil {
			return Done{}, err
		}
	}
	var list []Draft
	for _, d := range drafts {
		list = append(list, Draft{ID: d.ID, Kind: d.Kind, Member: who.Member, Body: d.Body, Subjects: d.Subjects, Supersedes: d.Supersedes, Audience: d.Audience, Readers: d.Readers, Officer: who.ID, Act: out.Act})
		out.Kinds = append(out.Kinds, d.Kind)
	}
	if out.Receipts, err = n.FileTogether(ctx, list); err != nil {
		return Done{}, err
	}
	// What is filed is filed: a reader who does not wait for the tables sees them a
	// moment later.
	_ = n.Sync(ctx)
	return out, nil
}

// Plan makes the records of an act and files nothing. Its errors are those of Do, but
// for rules that only show at the door. What is to be sealed is not sealed yet: the draft's
// body is empty but for the escrow.
func (n *Node) Plan(ctx context.Context, who Officer, act *acts.Act, v acts.Values) ([]acts.Draft, error) {
	return n.planToFile(ctx, who, act, v, false)
}

// planToFile is Plan; to file what is planned, it seals what is to be sealed.
func (n *Node) planToFile(ctx context.Context, who Officer, act *acts.Act, v acts.Values, file bool) ([]acts.Draft, error) {
	drafts, err := n.plan(ctx, who, act, v, nil, file)
	if !errors.Is(err, errToLearn) {
		return drafts, err
	}
	// The plan asks for a model. It is learnt while the registry goes on, and the plan
	// made again with it.
	fitted, err := n.learn(ctx)
	if err != nil {
		return nil, err
	}
	return n.plan(ctx, who, act, v, fitted, file)
}

// plan makes a plan with the model that was learnt for it, if one was.
func (n *Node) plan(ctx context.Context, who Officer, act *acts.Act, v acts.Values, fitted *record.Linkage, file bool) (drafts []acts.Draft, err error) {
	n.ledger.View(func(s *mechanism.State) {
		w := n.world(ctx, s, who)
		if fitted != nil {
			w.Fitted = func() (*record.Linkage, error) { return fitted, nil }
		}
		if !file && w.Seal != nil {
			w.Seal = func(incident record.ID, _ *record.Account) (*record.Sealed, error) { return n.sealable(s, incident) }
		}
		drafts, err = act.Plan(w, v)
	})
	return drafts, err
}

// Offer tells whether the officer may do the act on something now; nil, or why not.
func (n *Node) Offer(ctx context.Context, who Officer, act *acts.Act, subject record.ID) (err error) {
	n.ledger.View(func(s *mechanism.State) { err = act.Offer(n.world(ctx, s, who), subject) })
	return err
}

// world is what acts are planned in. It is used under View, so that what it calls must
// not ask the registry.
func (n *Node) world(ctx context.Context, s *mechanism.State, who Officer) acts.World {
	w := acts.World{
		State: s, Member: who.Member, Roles: who.Roles,
		NewID: func() (record.ID, error) { return record.NewID(n.opts.Rand) },
		Read: func(id record.ID) (*record.Statement, record.Body, error) {
			index, ok := s.IndexOf(id)
			if !ok {
				return nil, nil, fmt.Errorf("read record %s: there is none: %w", id, ledgerstore.ErrNotFound)
			}
			f, err := n.at(ctx, index)
			if err != nil {
				return nil, nil, err
			}
			if f.Body == nil {
				return f.Statement, nil, nil
			}
			body, err := record.ParseBody(f.Statement.Kind, f.Body)
			return f.Statement, body, err
		},
		Together: func(id record.ID) ([]record.ID, error) {
			r, err := n.Projection.Record(ctx, id)
			if err != nil {
				return nil, err
			}
			if r.Act.IsZero() {
				return []record.ID{id}, nil
			}
			list, err := n.Projection.Act(ctx, r.Act)
			var out []record.ID
			for _, r := range list {
				out = append(out, r.ID)
			}
			return out, err
		},
		Fitted: func() (*record.Linkage, error) { return nil, errToLearn },
		Lines:  func() ([]place.Line, error) { return n.courses.of(s.Pack()) },
	}
	w.Now = n.opts.Now
	w.Disclose = func(id record.ID, paths []string) (*record.Disclosure, error) { return n.disclose(ctx, s, id, paths) }
	n.sealing(ctx, s, &w)
	n.custody(ctx, s, &w)
	return w
}
