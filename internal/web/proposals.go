// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
)

// Releasing is what a Desk also is where something can be released: it tells what was
// proposed, and what can be. Its methods are safe for concurrent use.
type Releasing interface {
	// Proposals lists all, the oldest first.
	Proposals() []mechanism.Proposal
	// Proposal looks one up; waits is the refusal that says why it cannot be made yet.
	Proposal(id record.ID) (p mechanism.Proposal, waits error, ok bool)
	// Showables looks records up, and all that is known of an incident, with their fields
	// where this node can read them.
	Showables(ctx context.Context, incident record.ID, ids ...record.ID) ([]node.Showable, error)
}

var _ Releasing = (*node.Node)(nil)

func (s *server) releasing() (Releasing, bool) {
	r, ok := s.Desk.(Releasing)
	return r, ok
}

// proposalRoutes are the pages of what is proposed to be released, for officers alone.
func (s *server) proposalRoutes() {
	s.act("GET /releases", s.proposals)
	s.act("GET /release/{id}", s.proposal)
	s.act("GET /release/new", s.proposalForm)
	s.act("POST /release/new", s.proposalDo)
}

// proposalView is a proposal as its page shows it.
type proposalView struct {
	mechanism.Proposal
	waits    error
	items    []proposedView
	replies  []proposedView
	acts     []*acts.Act
	links    []string
	consents map[string]bool // of Bodies
	instead  bool            // the officer may propose one in its place
	areas    []record.Area   // that it is to show, as far as they can be read here
}

// proposedView is a record of which something is to be shown.
type proposedView struct {
	node.Showable
	rec    *projection.Record // nil where the tables have not come so far
	fields []record.Leaf      // those that are to be shown; no value where it cannot be read here
}

func (s *server) proposals(v *view, r *http.Request) error {
	from, ok := s.releasing()
	if !ok {
		return ErrNotFound
	}
	list := from.Proposals()
	slices.Reverse(list)
	v.title = v.T("releases.title")
	v.body = proposalsBody(v, list, v.mayDo(r.Context(), "release.propose", record.ID{}), s.lately(v, r))
	return nil
}

func (s *server) proposal(v *view, r *http.Request) error {
	from, ok := s.releasing()
	id, err := record.ParseID(r.PathValue("id"))
	if err != nil || !ok {
		return ErrNotFound
	}
	p := proposalView{consents: map[string]bool{}}
	if p.Proposal, p.waits, ok = from.Proposal(id); !ok {
		return ErrNotFound
	}
	for _, c := range p.Consents {
		p.consents[c.Member] = true
	}
	for _, item := range p.Items {
		x, err := s.proposed(r.Context(), from, item)
		if err != nil {
			return err
		}
		p.items = append(p.items, x...)
		for _, one := range x {
			parts := areasIn{}
			for _, l := range one.fields {
				parts.take(l.Path, string(l.Value))
			}
			p.areas = append(p.areas, parts.whole()...)
		}
	}
	p.areas = distinct(p.areas)
	v.withMap = len(p.areas) > 0
	for _, reply := range p.Replies {
		x, err := s.proposed(r.Context(), from, record.ReleaseItem{Record: reply.Record, Fields: []string{"/text"}})
		if err != nil {
			return err
		}
		p.replies = append(p.replies, x...)
	}
	p.acts = v.offered(r.Context(), acts.OnRelease, id)
	for _, a := range p.acts {
		p.links = append(p.links, v.actLink(a, id))
	}
	p.instead = v.mayDo(r.Context(), "release.propose", record.ID{})
	v.title, v.sheets = attr(p.Title), []string{"public.css"}
	v.body = proposalBody(v, p, s.lately(v, r))
	return nil
}

// proposed are the fields of an item that are to be shown, as far as they can be read here.
func (s *server) proposed(ctx context.Context, from Releasing, item record.ReleaseItem) (out []proposedView, err error) {
	list, err := from.Showables(ctx, record.ID{}, item.Record)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		view := proposedView{Showable: x}
		if rec, err := s.Source.Record(ctx, x.ID); err == nil {
			view.rec = &rec
		} else if !notFound(err) {
			return nil, err
		}
		for _, path := range item.Fields {
			leaf := record.Leaf{Path: path}
			if i := slices.IndexFunc(x.Leaves, func(l record.Leaf) bool { return l.Path == path }); i >= 0 {
				leaf = x.Leaves[i]
			}
			view.fields = append(view.fields, leaf)
		}
		sortLeaves(view.fields)
		out = append(out, view)
	}
	return out, nil
}

// proposalPage is the form of a proposal.
type proposalPage struct {
	form
	incident *projection.Incident
	records  []node.Showable
}

func (s *server) proposalForm(v *view, r *http.Request) error {
	a, _ := acts.Find("release.propose")
	if err := v.allowed(a); err != nil {
		return err
	}
	f := form{act: a, values: valuesOf(a, v.query), next: "/releases"}
	token, err := record.NewID(rand.Reader)
	if err != nil {
		return err
	}
	f.values["form"] = []string{token.String()}
	if err := s.Desk.Offer(r.Context(), v.acting(), a, record.ID{}); err != nil {
		f.refusal = err
	}
	return s.showProposalForm(v, r, f)
}

func (s *server) showProposalForm(v *view, r *http.Request, f form) error {
	from, ok := s.releasing()
	if !ok {
		return ErrNotFound
	}
	if err := s.resolve(r.Context(), &f); err != nil {
		return err
	}
	p := proposalPage{form: f}
	if id, err := record.ParseID(f.get("incident")); err == nil {
		in, err := s.Source.Incident(r.Context(), id)
		if err != nil {
			return err
		}
		p.incident = &in
		if p.records, err = from.Showables(r.Context(), id); err != nil {
			return err
		}
		for i := range p.records {
			p.records[i].Leaves = slices.Clone(p.records[i].Leaves)
			sortLeaves(p.records[i].Leaves)
		}
	}
	v.title = v.T("act.release.propose")
	v.body = proposalFormBody(v, p)
	return nil
}

func (s *server) proposalDo(v *view, r *http.Request) error {
	a, _ := acts.Find("release.propose")
	f := form{act: a, values: valuesOf(a, r.PostForm), next: "/releases"}
	if r.PostForm.Get("look") != "" { // which incident
		return s.showProposalForm(v, r, f)
	}
	done, err := s.perform(v, r, &f)
	if err != nil {
		return err
	}
	if len(f.problems) > 0 || f.refusal != nil {
		v.status = http.StatusUnprocessableEntity
		return s.showProposalForm(v, r, f)
	}
	if done.waits.IsZero() {
		f.next = "/release/" + done.First(record.ReleaseProposed).String()
	}
	v.leadOn(f.next, done)
	return nil
}

// sortLeaves puts fields in the order in which people read them.
func sortLeaves(list []record.Leaf) {
	slices.SortStableFunc(list, func(a, b record.Leaf) int { return byReading(a.Path, b.Path) })
}

// offeredRecord is a record that the form offers.
type offeredRecord = node.Showable

// known tells whether anything is known of an incident that not everybody reads.
func (s *server) known(ctx context.Context, incident record.ID) bool {
	from, ok := s.releasing()
	if !ok {
		return false
	}
	list, err := from.Showables(ctx, incident)
	return err == nil && len(list) > 0
}

// picks tells whether a field of a record is ticked.
func (p proposalPage) picks(id record.ID, path string) bool {
	return p.checked("show", id.String()+" "+path)
}

// waitsFor says in words what a proposal waits for.
func (v *view) waitsFor(p proposalView) (code, why string) {
	if p.waits == nil {
		return "", ""
	}
	return v.reasonOf(p.waits)
}

// fieldOf puts a field into words.
func (v *view) fieldOf(l record.Leaf) releasedField {
	f := v.releasedField(record.DisclosedField{Path: l.Path, Value: string(l.Value)})
	if f.label == "" {
		f.label = l.Path
	}
	return f
}
