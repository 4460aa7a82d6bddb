// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"truceline/example"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// Member is what a story needs of the node of a member who tells a part of it.
type Member interface {
	FileTogether(context.Context, []node.Draft) ([]registry.Receipt, error)
	Find(context.Context, record.ID) (*node.Found, bool, error)
	Mission() record.ID
	Sync(context.Context) error
}

var _ Member = (*node.Node)(nil)

// FileStory has every member file its part of an example's story on its own node, in the
// order of the story, and by officers who are enrolled there first. members has a node for
// each code that the story names; one node may stand for several whose keys it has.
//
// A step is filed once the node of its member shows what it is about, and FileStory
// returns once every node shows the whole story; a node that is cut off is waited for until
// ctx is done. What is in the ledger already is not filed again, so that a story that was
// cut short can be told on. progress, if set, hears how many steps are filed.
func FileStory(ctx context.Context, set *example.Set, members map[string]*node.Node, progress func(what string, done, total int64)) error {
	steps, err := set.Steps()
	if err != nil {
		return fmt.Errorf("file the story: %w", err)
	}
	nodes := map[string]Member{}
	for code, n := range members {
		nodes[code] = n
	}
	if err := present(steps, nodes); err != nil {
		return fmt.Errorf("file the story: %w", err)
	}
	officers, err := storyOfficers(ctx, steps, members)
	if err != nil {
		return fmt.Errorf("file the story: %w", err)
	}
	if err := newTeller(nodes, officers).tell(ctx, steps, progress); err != nil {
		return fmt.Errorf("file the story: %w", err)
	}
	return nil
}

// present looks that every member of the story has a node, before anything is filed.
func present(steps []example.Step, nodes map[string]Member) error {
	missing := map[string]bool{}
	for _, s := range steps {
		if nodes[s.Member] == nil {
			missing[s.Member] = true
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no node of %s: the story needs one of each member that tells a part of it", strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	}
	return nil
}

// storyOfficer is an officer as a story names one.
type storyOfficer struct{ member, name string }

// storyOfficers finds the officers of a story on their members' nodes, and enrols those
// who are not there yet.
func storyOfficers(ctx context.Context, steps []example.Step, members map[string]*node.Node) (map[storyOfficer]record.ID, error) {
	roles := map[storyOfficer][]string{}
	var order []storyOfficer
	for _, s := range steps {
		o := storyOfficer{s.Member, s.Officer}
		if roles[o] == nil {
			order = append(order, o)
		}
		if role := roleFor(record.Kind(s.Kind)); !slices.Contains(roles[o], role) {
			roles[o] = append(roles[o], role)
		}
	}
	out := map[storyOfficer]record.ID{}
	for _, o := range order {
		n := members[o.member]
		have, err := n.Office.Officers(ctx, o.member)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(have, func(h office.Officer) bool { return h.State != office.Left && h.Name == o.name })
		if at >= 0 {
			out[o] = have[at].ID
		} else if out[o], err = n.Enrol(ctx, record.ID{}, o.member, o.name, roles[o]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// roleFor is the officers' role that files a kind.
func roleFor(kind record.Kind) string {
	if slices.Contains([]record.Kind{record.AccountFiled, record.AccountAmended, record.AccountWithdrawn}, kind) {
		return office.RoleDesk
	}
	return office.RoleOperations
}

// teller files the steps of a story.
type teller struct {
	members  map[string]Member
	officers map[storyOfficer]record.ID
	ids      map[string]record.ID // what each step before filed, by its ref
	versions map[string]version   // of an account, by the ref of its first filing
}

func newTeller(members map[string]Member, officers map[storyOfficer]record.ID) *teller {
	return &teller{members: members, officers: officers, ids: map[string]record.ID{}, versions: map[string]version{}}
}

// version is an account as the story left it.
type version struct{ record, document record.ID }

func (t *teller) tell(ctx context.Context, steps []example.Step, progress func(what string, done, total int64)) error {
	var last record.ID
	for i, s := range steps {
		if err := t.step(ctx, s); err != nil {
			return fmt.Errorf("step %s of %s: %w", s.Ref, s.Member, err)
		}
		last = t.ids[s.Ref]
		if progress != nil {
			progress("members file the story", int64(i+1), int64(len(steps)))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(t.members)) {
		if err := await(ctx, t.members[code], last); err != nil {
			return fmt.Errorf("the end of the story at %s: %w", code, err)
		}
	}
	return nil
}

// step files one step on its member's node, unless it is in the ledger.
func (t *teller) step(ctx context.Context, s example.Step) error {
	m := t.members[s.Member]
	drafts, err := t.drafts(m.Mission(), s)
	if err != nil {
		return err
	}
	own := drafts[len(drafts)-1].ID
	if _, ok, err := m.Find(ctx, own); ok || err != nil {
		return err
	}
	for _, id := range needs(drafts) {
		if err := await(ctx, m, id); err != nil {
			return err
		}
	}
	_, err = m.FileTogether(ctx, drafts)
	var refused *registry.Refused
	if errors.As(err, &refused) && refused.Code == mechanism.DuplicateID {
		// It was filed before a start that was cut short, and has not come back to its own
		// node yet. If it does not come, the id is another's, and that is the error.
		wait, stop := context.WithTimeout(ctx, comesBack)
		defer stop()
		if await(wait, m, own) == nil {
			return nil
		}
	}
	if err != nil {
		return err
	}
	// The next step waits until this one is in the ledger, so that the order is the story's.
	return await(ctx, m, own)
}

// comesBack is how long a record that the registry has may take to its own node.
const comesBack = 20 * time.Second

// drafts are the records of a step, its own last, and notes what later steps ask of it.
// Their ids are the same each time the story is told in a mission.
func (t *teller) drafts(mission record.ID, s example.Step) ([]node.Draft, error) {
	kind := record.Kind(s.Kind)
	d := node.Draft{ID: exampleID(mission, s.Kind, s.Ref), Kind: kind, Member: s.Member, Officer: t.officers[storyOfficer{s.Member, s.Officer}]}
	var err error
	if d.Body, err = bodyOf(kind, s.Body); err != nil {
		return nil, err
	}
	subject := func(role record.Role, id record.ID) {
		d.Subjects = append(d.Subjects, record.Subject{ID: id, Role: role})
	}
	if s.Account != "" {
		subject(record.RoleAccount, t.ids[s.Account])
	}
	if s.Incident != "" {
		subject(record.RoleIncident, t.ids[s.Incident])
	}
	now := t.versions[s.Account]
	var drafts []node.Draft
	if s.Document != nil {
		now.document = exampleID(mission, string(record.ReportFiled), s.Ref)
		d.Act = exampleID(mission, "act", s.Ref)
		doc := node.Draft{ID: now.document, Kind: record.ReportFiled, Member: s.Member, Officer: d.Officer, Act: d.Act}
		if doc.Body, err = bodyOf(doc.Kind, s.Document); err != nil {
			return nil, err
		}
		drafts = append(drafts, doc)
	}
	if kind == record.AccountFiled || kind == record.AccountAmended {
		first := s.Ref
		if kind == record.AccountAmended {
			first, d.Supersedes = s.Account, now.record
		}
		if !now.document.IsZero() {
			subject(record.RoleReport, now.document)
		}
		t.versions[first] = version{record: d.ID, document: now.document}
	}
	t.ids[s.Ref] = d.ID
	return append(drafts, d), nil
}

// bodyOf reads the body of a record as a story has it.
func bodyOf(kind record.Kind, raw json.RawMessage) (record.Body, error) {
	b, err := record.Canonical(raw)
	if err != nil {
		return nil, fmt.Errorf("body of %s: %w", kind, err)
	}
	return record.ParseBody(kind, b)
}

// needs lists the records that drafts are about and do not bring with them. What a member
// filed itself is on its node, since each of its steps waits for that: also the version
// that an amendment supersedes.
func needs(drafts []node.Draft) (out []record.ID) {
	var own []record.ID
	for _, d := range drafts {
		for _, s := range d.Subjects {
			if !slices.Contains(own, s.ID) {
				out = append(out, s.ID)
			}
		}
		own = append(own, d.ID)
	}
	return out
}

// lookAgain is how long to wait before looking again whether a record has come.
const lookAgain = 5 * time.Millisecond

// await waits until a node has a record and its tables show it.
func await(ctx context.Context, m Member, id record.ID) error {
	for {
		if _, ok, err := m.Find(ctx, id); err != nil {
			return err
		} else if ok {
			return m.Sync(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for record %s: %w; it is filed, and does not come to this node: see whether the node is cut off from the registry", id, ctx.Err())
		case <-time.After(lookAgain):
		}
	}
}
