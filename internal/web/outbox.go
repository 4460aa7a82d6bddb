// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/record"
)

const (
	// boxRows is how many acts one page of the outbox lists.
	boxRows = 50
	// boxRefresh is after how many seconds the page of an act that waits is loaded anew.
	boxRefresh = 10
)

// boxRoles are the roles that may set a refused act aside: those that file.
var boxRoles = []string{office.RoleDesk, office.RoleOperations, office.RoleAdministrator}

// outboxRoutes adds the pages of what was signed on this node.
func (s *server) outboxRoutes() {
	s.act("GET /outbox", s.outbox)
	s.act("GET /outbox/{id}", s.ofBox(s.boxed))
	s.act("POST /outbox/{id}/aside", s.ofBox(s.boxAside), boxRoles...)
	s.mux.HandleFunc("GET /outbox/{id}/refusal", s.refusal)
}

// boxStates are the states that the list can be narrowed to, by what the address calls
// them: what waits, what the registry refused, what is in the ledger.
var boxStates = map[string][]outbox.State{
	"waiting": {outbox.Queued, outbox.Sent},
	"refused": {outbox.Refused, outbox.SetAside},
	"filed":   {outbox.Receipted},
}

// boxFilters are the names of boxStates in the order of the page.
var boxFilters = []string{"waiting", "refused", "filed"}

// outboxPage is what was signed on this node, and what became of it.
type outboxPage struct {
	acts   []boxView // newest first
	only   string    // the name of boxStates that the list is narrowed to; empty: all
	counts map[string]int
	drafts []office.Draft
	older  int64 // what the page of older acts begins below; 0: none
	cut    bool
}

// boxView is one act with what its states are called.
type boxView struct {
	outbox.Act
	officer *office.Officer // who filed it; nil where that is not known here
}

// boxState is the word for where an act stands.
func boxState(a *outbox.Act) string {
	if a.State == outbox.Receipted && a.Witnessed() {
		return "witnessed"
	}
	return string(a.State)
}

func (s *server) outbox(v *view, r *http.Request) error {
	ctx := r.Context()
	p := outboxPage{only: v.query.Get("only"), counts: map[string]int{}, cut: v.standing != nil && v.standing.Cut}
	f := outbox.Filter{States: boxStates[p.only], Limit: boxRows + 1}
	if f.States == nil {
		p.only = ""
	}
	if t := v.query.Get("before"); t != "" {
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil || n < 1 {
			return filterError("filter.bad_page", "value", t)
		}
		f.Before = n
	}
	list, err := s.Outbox.List(ctx, f)
	if err != nil {
		return err
	}
	if len(list) > boxRows {
		list = list[:boxRows]
		p.older = list[boxRows-1].Seq
	}
	for _, a := range list {
		if a.Member != v.who.Member {
			continue
		}
		one, err := s.boxView(ctx, a)
		if err != nil {
			return err
		}
		p.acts = append(p.acts, one)
	}
	counts, err := s.Outbox.Counts(ctx)
	if err != nil {
		return err
	}
	for name, states := range boxStates {
		for _, st := range states {
			p.counts[name] += counts[st]
		}
	}
	if p.drafts, _, err = s.draftsNow(ctx, v); err != nil {
		return err
	}
	v.section, v.title, v.body = "outbox", v.T("outbox.title"), outboxBody(v, p)
	return nil
}

func (s *server) boxView(ctx context.Context, a outbox.Act) (boxView, error) {
	out := boxView{Act: a}
	if a.Officer.IsZero() {
		return out, nil
	}
	o, err := s.Office.Officer(ctx, a.Officer)
	if err == nil {
		out.officer = &o
	}
	return out, ignoreAbsent(err)
}

// ofBox finds the act that the address names, by its own id or that of one of its records,
// among those of the officer's member.
func (s *server) ofBox(h func(*view, *http.Request, boxView) error) func(*view, *http.Request) error {
	return func(v *view, r *http.Request) error {
		id, err := record.ParseID(r.PathValue("id"))
		if err != nil {
			return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
		}
		a, ok, err := s.Outbox.Find(r.Context(), id)
		if err != nil {
			return err
		}
		if !ok || a.Member != v.who.Member {
			return fault{status: http.StatusNotFound, key: "outbox.none_such", args: []any{"id", id.String()}}
		}
		one, err := s.boxView(r.Context(), a)
		if err != nil {
			return err
		}
		return h(v, r, one)
	}
}

func (s *server) boxed(v *view, _ *http.Request, a boxView) error {
	if a.State.Waiting() || a.State == outbox.Receipted && !a.Witnessed() {
		v.refresh = boxRefresh
	}
	p := boxPage{boxView: a, just: v.query.Get("kept") == "1", aside: a.State == outbox.Refused && v.hasAny(boxRoles)}
	v.section, v.title, v.body = "outbox", v.boxName(&a.Act), boxBody(v, p)
	return nil
}

// boxPage is one act of the outbox.
type boxPage struct {
	boxView
	just  bool // it was filed a moment ago
	aside bool // the officer may set it aside
}

// boxName says what an act is, by its records: by the first that is no document, for that
// is only where the rest was told.
func (v *view) boxName(a *outbox.Act) string {
	first := max(0, slices.IndexFunc(a.Records, func(x outbox.Submission) bool { return x.Kind != record.ReportFiled }))
	name := v.code("record_kind", string(a.Records[first].Kind))
	if n := len(a.Records) - 1; n > 0 {
		return v.T("outbox.several", "what", name, "n", n)
	}
	return name
}

func (s *server) boxAside(v *view, r *http.Request, a boxView) error {
	if _, err := s.Outbox.Forget(r.Context(), a.Seq); err != nil {
		if errors.As(err, new(*outbox.Impossible)) {
			return fault{status: http.StatusConflict, key: "outbox.not_refused", err: err}
		}
		return err
	}
	v.redirect("/outbox/" + a.ID.String())
	return nil
}

// refusal sends the registry's signed refusal of an act, to show to others.
func (s *server) refusal(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r)
	if err == nil {
		err = v.may(nil)
	}
	var signed []byte
	if err == nil {
		err = s.ofBox(func(_ *view, _ *http.Request, a boxView) error {
			if signed = a.Refusal; signed == nil {
				return fault{status: http.StatusNotFound, key: "outbox.not_refused"}
			}
			return nil
		})(v, r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	attach(w, "refusal-"+r.PathValue("id")+".dsse.json", "application/json")
	w.Header().Add("Vary", "Cookie")
	sendPrivate(w, http.StatusOK, signed)
}

// filed is what became of an act of the catalogue.
type filed struct {
	node.Done
	// waits is the act in this node's box where it is not in the ledger yet: it goes out
	// once by itself. Zero: it is in the ledger.
	waits record.ID
}

// leadToBox leads to what was signed and waits.
func (v *view) leadToBox(act record.ID) { v.redirect("/outbox/"+act.String(), "kept", "1") }

// pendingAbout notes what waits in the outbox and is about what the page shows, so that
// nobody files it again.
func (s *server) pendingAbout(ctx context.Context, v *view, subject record.ID) error {
	if s.Outbox == nil || v.waiting == 0 {
		return nil
	}
	for a, err := range s.Outbox.Waiting(ctx) {
		if err != nil {
			return err
		}
		if a.Member == v.who.Member && slices.ContainsFunc(a.Records, func(x outbox.Submission) bool { return isAbout(x, subject) }) {
			v.pending = append(v.pending, a)
		}
	}
	return nil
}

// isAbout tells whether a signed record names something as its subject.
func isAbout(x outbox.Submission, subject record.ID) bool {
	env, err := record.ParseEnvelope(x.Envelope)
	if err != nil {
		return false
	}
	st, err := env.Statement()
	return err == nil && slices.ContainsFunc(st.Subjects, func(sub record.Subject) bool { return sub.ID == subject })
}

// signedStatement is what a record in the box says, for reading.
func signedStatement(x outbox.Submission) []byte {
	env, err := record.ParseEnvelope(x.Envelope)
	if err != nil {
		return x.Envelope
	}
	return env.Payload
}

// refusedFor is why the registry refused an act, by the code that it gave.
func (v *view) refusedFor(a *outbox.Act) string {
	if !v.Has("refusal." + a.RefusalCode) {
		return v.T("refusal.other")
	}
	return v.T("refusal." + a.RefusalCode)
}

// witnesses are the names that a policy gives to witnesses, in words where they are codes
// of members.
func (v *view) witnesses(list []string) (out []string) {
	for _, name := range list {
		out = append(out, v.memberName(name))
	}
	return out
}
