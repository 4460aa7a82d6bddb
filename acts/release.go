// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"truceline/record"
)

// EmbargoForm is how the moment of an embargo is written, in UTC.
const EmbargoForm = "2006-01-02 15:04"

// planProposal proposes to show some fields of some records. What is to be shown stands in
// the values of show, one for each field: the record's id, a space, and the field's path.
func planProposal(p *planner) error {
	id, err := p.formID(record.ReleaseProposed)
	if err != nil {
		return err
	}
	r := &record.Release{Audience: p.get("release_for"), BothReplied: p.get("both_replied") != "", Embargo: p.embargo(), Items: p.shown(), Replaces: p.id("replaces"), Title: p.get("release_title")}
	if r.Audience == "" {
		r.Audience = record.AudiencePublic
	}
	if len(p.problems) == 0 {
		if err := r.Validate(); err != nil {
			p.problem("show", "problem.invalid", "why", err.Error())
		}
	}
	if len(p.problems) > 0 {
		return nil
	}
	if err := p.notFiled(id); err != nil {
		return err
	}
	d := Draft{ID: id, Kind: record.ReleaseProposed, Body: r, Audience: record.AudienceMembers}
	if in := p.id("incident"); !in.IsZero() {
		d.Subjects = []record.Subject{about(record.RoleIncident, in)}
	}
	return p.one(d)
}

// embargo reads a day or a moment, in UTC; 0 where there is none.
func (p *planner) embargo() int64 {
	s := p.get("embargo")
	if s == "" {
		return 0
	}
	for _, form := range []string{EmbargoForm, "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UnixMilli()
		}
	}
	p.problem("embargo", "problem.invalid", "why", fmt.Sprintf("%.40q is not a day or a moment in UTC such as 2026-12-01 18:00", s))
	return 0
}

// shown reads what is to be shown, and looks that every field is there.
func (p *planner) shown() []record.ReleaseItem {
	var out []record.ReleaseItem
	for _, v := range p.list("show") {
		who, path, _ := strings.Cut(v, " ")
		id := p.parseID("show", who)
		if id.IsZero() {
			continue
		}
		i := slices.IndexFunc(out, func(x record.ReleaseItem) bool { return x.Record == id })
		if i < 0 {
			i = len(out)
			out = append(out, record.ReleaseItem{Record: id})
		}
		out[i].Fields = append(out[i].Fields, strings.TrimSpace(path))
	}
	for i := range out {
		slices.Sort(out[i].Fields)
		out[i].Fields = slices.Compact(out[i].Fields)
		p.areFields(out[i])
	}
	return out
}

// areFields notes a problem for what the record does not say.
func (p *planner) areFields(item record.ReleaseItem) {
	_, body, err := p.Read(item.Record)
	if err != nil || body == nil {
		p.problem("show", "problem.invalid", "why", fmt.Sprintf("record %s cannot be read here, so that nobody here can say what of it is shown", item.Record))
		return
	}
	paths, err := FieldPaths(body)
	if err != nil {
		p.problem("show", "problem.invalid", "why", err.Error())
		return
	}
	for _, f := range item.Fields {
		if !slices.Contains(paths, f) {
			p.problem("show", "problem.invalid", "why", fmt.Sprintf("record %s has no field %.80q", item.Record, f))
		}
	}
}

// FieldPaths lists the paths of all fields of a body, in the order in which they stand.
func FieldPaths(body record.Body) ([]string, error) {
	b, err := record.EncodeBody(body)
	if err != nil {
		return nil, err
	}
	leaves, err := record.Leaves(b)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(leaves))
	for i, l := range leaves {
		out[i] = l.Path
	}
	return out, nil
}

func (w World) releaseDraft(kind record.Kind, release record.ID, body record.Body) Draft {
	return Draft{Kind: kind, Body: body, Subjects: []record.Subject{about(record.RoleRelease, release)}, Audience: record.AudienceMembers}
}

func planConsent(p *planner) error {
	return p.one(p.releaseDraft(record.ReleaseConsented, p.id("release"), nil))
}

func planReply(p *planner) error {
	return p.one(p.releaseDraft(record.ReleaseAnswered, p.id("release"), &record.Reply{Text: p.get("text")}))
}

// planMaking shows what was proposed, and the replies to it.
func planMaking(p *planner) error {
	id := p.id("release")
	if len(p.problems) > 0 {
		return nil
	}
	if err := p.mayMake(id); err != nil {
		return err
	}
	x, _ := p.State.Proposal(id)
	items := slices.Clone(x.Items)
	for _, r := range x.Replies {
		items = append(items, record.ReleaseItem{Record: r.Record, Fields: []string{"/text"}})
	}
	out := &record.Released{Replaces: x.Replaces, Title: x.Title}
	for _, item := range items {
		d, err := p.Disclose(item.Record, item.Fields)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, *d)
	}
	if b, err := record.EncodeBody(out); err != nil || len(b) > record.MaxBody {
		return refuse("what is to be shown has no room in one record of at most %d bytes: propose it in parts", record.MaxBody)
	}
	d := p.releaseDraft(record.ReleaseMade, id, out)
	d.Audience = x.Audience
	p.add(d) // not by the time of the last entry: what it waited for may be over since
	return nil
}

// mayMake is nil where the officer's member may make a release now, as far as the time of
// the ledger's last entry tells.
func (w World) mayMake(id record.ID) error {
	if err := w.mayFile(record.ReleaseMade); err != nil {
		return err
	}
	if w.Disclose == nil {
		return refuse("what is proposed cannot be read here: make the release on the node of a member that may read it")
	}
	at := w.State.LoggedAt()
	if w.Now != nil {
		at = max(at, w.Now().UnixMilli())
	}
	return w.State.MayMake(w.Member, id, at)
}

// offerProposal asks the rules about a proposal of nothing that is here: whoever may not
// propose is told so first.
func offerProposal(o *offer) error {
	if err := o.mayFile(record.ReleaseProposed); err != nil {
		return err
	}
	return o.State.MayPropose(o.Member)
}

func offerConsent(o *offer) error {
	return o.check(o.releaseDraft(record.ReleaseConsented, o.subject, nil))
}

func offerReply(o *offer) error {
	return o.check(o.releaseDraft(record.ReleaseAnswered, o.subject, &record.Reply{Text: "?"}))
}

func offerMaking(o *offer) error { return o.mayMake(o.subject) }
