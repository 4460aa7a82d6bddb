// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"errors"
	"fmt"
	"slices"

	"truceline/mechanism"
	"truceline/record"
)

func refuse(format string, a ...any) error {
	return &mechanism.Refusal{Code: mechanism.StateForbids, Reason: fmt.Sprintf(format, a...)}
}

// mayFile asks for the right of the officer's member.
func (w World) mayFile(kind record.Kind) error {
	m, _ := w.State.Member(w.Member)
	if !mechanism.MayFile(m.Role, kind) {
		return &mechanism.Refusal{Code: mechanism.NoRight, Reason: fmt.Sprintf("%s has the role %s, which may not file %s", w.Member, m.Role, kind)}
	}
	if w.State.Pack() == nil {
		return refuse("no agreement is adopted yet")
	}
	return nil
}

// inverse is the record that takes one back; none for a document, which says nothing
// by itself, and for what is taken back already.
func (w World) inverse(id record.ID, why record.Body) (d Draft, ok bool, err error) {
	kind, _ := w.State.KindOf(id)
	switch kind {
	case record.ReportFiled:
		return Draft{}, false, nil
	case record.ActUndone:
		d, err = w.again(id)
		return d, err == nil, err
	case record.AccountFiled:
		if a, _ := w.State.Account(id); a.Withdrawn {
			return Draft{}, false, nil
		}
		return Draft{Kind: record.AccountWithdrawn, Body: why, Subjects: []record.Subject{about(record.RoleAccount, id)}}, true, nil
	case record.IncidentLinked:
		if l, _ := w.State.Link(id); l.Undone {
			return Draft{}, false, nil
		}
		return Draft{Kind: record.IncidentUnlinked, Body: why, Subjects: []record.Subject{about(record.RoleLink, id)}}, true, nil
	}
	if w.State.IsUndone(id) {
		return Draft{}, false, nil
	}
	if kind == record.IncidentUnlinked {
		was, _ := w.State.Link(w.State.ActedOn(id))
		for _, l := range w.State.LinksOf(was.Account) {
			if l.Incident == was.Incident {
				return Draft{}, false, refuse("account %s was linked to incident %s again: undo link %s first", l.Account, l.Incident, l.ID)
			}
		}
	}
	return Draft{Kind: record.ActUndone, Body: why, Subjects: []record.Subject{about(record.RoleAct, id)}}, true, nil
}

// again is the way back from an undoing: what was undone is done once more, by a new
// record that says the same.
func (w World) again(undoing record.ID) (Draft, error) {
	target, err := w.undone(undoing)
	if err != nil {
		return Draft{}, err
	}
	st, body, err := w.Read(target)
	if err != nil {
		return Draft{}, err
	}
	switch {
	case st.Kind == record.IncidentOpened:
		return Draft{}, refuse("the opening of incident %s was undone: open another", target)
	case !w.State.IsUndone(target):
		return Draft{}, refuse("what the record undid stands again already")
	}
	return Draft{Kind: st.Kind, Body: body, Subjects: st.Subjects, Supersedes: st.Supersedes}, nil
}

// undone is the act that an act.undone took back.
func (w World) undone(undoing record.ID) (record.ID, error) {
	if w.Read == nil {
		return record.ID{}, errors.New("no way to read records")
	}
	st, _, err := w.Read(undoing)
	if err != nil {
		return record.ID{}, err
	}
	id, _ := st.Subject(record.RoleAct)
	return id, nil
}

// planUndo takes back a record and all that was filed with it as one act, the last
// first. The first of them is asked of the rules here, the others build on it.
func planUndo(p *planner) error {
	id := p.id("record")
	if len(p.problems) > 0 {
		return nil
	}
	if _, ok := p.State.KindOf(id); !ok {
		return p.mayUndo(id, nil)
	}
	group, err := p.Together(id)
	if err != nil {
		return err
	}
	if err := p.mayUndo(id, group); err != nil {
		return err
	}
	why := &record.Reason{Reason: p.get("reason")}
	for _, id := range slices.Backward(group) {
		d, ok, err := p.inverse(id, why)
		if err != nil {
			return err
		}
		if ok {
			p.add(d)
		}
	}
	if len(p.drafts) == 0 {
		return refuse("the act is undone already, or there is nothing in it to undo")
	}
	return p.check(p.drafts[0])
}

// mayUndo looks that the officer's roles allow the act that is to be undone: of records
// that were filed as one, all of them. What a withdrawn file took with it is undone with
// it, so that there the role for files is enough.
func (w World) mayUndo(id record.ID, group []record.ID) error {
	var kinds []record.Kind
	for _, id := range append([]record.ID{id}, group...) {
		kind, err := w.undoneKind(id)
		if err != nil {
			return err
		}
		kinds = append(kinds, kind)
	}
	if slices.Contains(kinds, record.BatchWithdrawn) {
		kinds = []record.Kind{record.BatchWithdrawn}
	}
	for _, kind := range kinds {
		need := rolesFor[kind]
		if len(need) == 0 {
			return refuse("a %s is not undone here", kind)
		}
		if !slices.ContainsFunc(need, func(r string) bool { return slices.Contains(w.Roles, r) }) {
			return &Denied{"act.undo", need}
		}
	}
	return nil
}

// undoneKind is the kind of a record, or of what it undid.
func (w World) undoneKind(id record.ID) (record.Kind, error) {
	kind, ok := w.State.KindOf(id)
	if !ok {
		return "", &mechanism.Refusal{Code: mechanism.UnknownSubject, Reason: fmt.Sprintf("there is no record %s", id)}
	}
	if kind != record.ActUndone {
		return kind, nil
	}
	target, err := w.undone(id)
	if err != nil {
		return "", err
	}
	kind, _ = w.State.KindOf(target)
	return kind, nil
}

// rolesFor are the officers' roles that may take back a record of a kind.
var rolesFor = map[record.Kind][]string{
	record.ReportFiled:      {Desk},
	record.AccountFiled:     {Desk},
	record.AccountAmended:   {Desk},
	record.AccountWithdrawn: {Desk},
	record.BatchWithdrawn:   {Desk},
	record.AccountSetAside:  {Operations},
	record.IncidentOpened:   {Operations},
	record.IncidentLinked:   {Operations},
	record.IncidentUnlinked: {Operations},
	record.IncidentAliased:  {Operations},
	record.SourceGraded:     {Operations},
	record.LinkageFitted:    {Operations},
}

func offerUndo(o *offer) error {
	group := []record.ID{o.subject}
	if _, ok := o.State.KindOf(o.subject); ok && o.Together != nil {
		var err error
		if group, err = o.Together(o.subject); err != nil {
			return err
		}
	}
	if err := o.mayUndo(o.subject, group); err != nil {
		return err
	}
	for _, id := range slices.Backward(group) {
		d, ok, err := o.inverse(id, because)
		if err != nil {
			return err
		}
		if ok {
			return o.check(d) // the others build on it
		}
	}
	return refuse("the act is undone already, or there is nothing in it to undo")
}

// planBatchWithdrawal undoes what rests on a batch, the links and merges, and then
// withdraws it. An account that another member has told in one of its documents is not
// ours to take back, and stands against it.
func planBatchWithdrawal(p *planner) error {
	id, why := p.id("batch"), &record.Reason{Reason: p.get("reason")}
	b, ok := p.State.Batch(id)
	if !ok || b.Member != p.Member || b.State == "withdrawn" {
		return p.refused(p.check(Draft{Kind: record.BatchWithdrawn, Body: why, Subjects: []record.Subject{about(record.RoleBatch, id)}}))
	}
	rests := 0
	merges := p.State.Merges(func(from, into record.ID) bool {
		a, _ := p.State.Incident(from)
		c, _ := p.State.Incident(into)
		n := count(a.Batch == id) + count(c.Batch == id)
		rests += n
		return n > 0
	})
	// Links first: they may lead to what is merged.
	for _, l := range p.State.Links(func(l mechanism.Link) bool {
		a, _ := p.State.Account(l.Account)
		in, _ := p.State.Incident(l.Incident)
		n := count(a.Batch == id) + count(in.Batch == id)
		rests += n
		return n > 0
	}) {
		p.add(Draft{Kind: record.IncidentUnlinked, Body: why, Subjects: []record.Subject{about(record.RoleLink, l.ID)}})
	}
	for _, m := range slices.Backward(merges) {
		p.add(Draft{Kind: record.ActUndone, Body: why, Subjects: []record.Subject{about(record.RoleAct, m)}})
	}
	if left := b.Rests - rests; left > 0 {
		return refuse("%d accounts outside batch %s are told in its documents: have who filed them withdraw them, or withdraw the batch's own accounts one by one", left, id)
	}
	if n := len(p.drafts) + 1; n > maxTogether {
		return refuse("%d links and merges rest on batch %s, more than one act takes (%d): undo some of the links first", n-1, id, maxTogether-1)
	}
	p.add(Draft{Kind: record.BatchWithdrawn, Body: why, Subjects: []record.Subject{about(record.RoleBatch, id)}})
	return p.refused(p.check(p.drafts[0]))
}

// maxTogether is how many records one act may have; the registry admits no more at once.
const maxTogether = 1 << 14

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func offerBatchWithdrawal(o *offer) error {
	b, ok := o.State.Batch(o.subject)
	switch {
	case !ok || b.Member != o.Member:
		return &mechanism.Refusal{Code: mechanism.NoRight, Reason: fmt.Sprintf("batch %s is not one of %s", o.subject, o.Member)}
	case b.State == "withdrawn":
		return refuse("batch %s is withdrawn already", o.subject)
	}
	return o.mayFile(record.BatchWithdrawn)
}
