// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"
	"slices"

	"truceline/mechanism"
	"truceline/record"
)

// replay runs the rules again. Where a record cannot be folded, because it or its
// body is missing or because it broke a rule, what depends on it can no longer be
// judged; replay keeps account of that, so that one fault is reported once.
type replay struct {
	state *mechanism.State
	// unsure says why nothing later can be judged; empty while something can.
	unsure string
	// leftOut is the index of the first record whose line was left out; 0: none was.
	leftOut int64
	// lost holds the statements whose state is not known, and why; lostBatch says the same
	// of the last batch among them, lostCosigner of the last cosigner, lostRecipient of the
	// last to whom something is encrypted.
	lost          map[record.ID]string
	lostBatch     string
	lostCosigner  string
	lostRecipient string
	about         map[record.ID][]record.ID // the subjects of each statement that has any
	skipped       int64
	// other tells that something could not be folded that is not owed to lines left out.
	other bool
}

func newReplay() *replay {
	return &replay{state: mechanism.New(), lost: map[record.ID]string{}, about: map[record.ID][]record.ID{}}
}

// gap passes over a record of which not even the envelope is known. What is for everybody
// rests, but for a filing's closing, on nothing that was leftOut for its not being so.
func (p *replay) gap(index int64, leftOut bool) {
	p.state.Skip(nil, 0)
	p.skipped++
	switch {
	case leftOut && index > 0:
		if p.leftOut == 0 {
			p.leftOut = index
		}
		return
	case p.unsure == "":
		p.unsure = fmt.Sprintf("record %d is not known, and anything after it may rest on it", index)
	}
	p.other = true
}

// admit puts a record through the door. After a line that was left out, what the door says
// is not sure: the line may have been kept back.
func (p *replay) admit(e *mechanism.Entry, loggedAt int64, whole bool) outcome {
	st, unsure := e.Statement, ""
	if _, again := p.state.IndexOf(st.ID); !again {
		for _, sub := range st.Subjects {
			p.about[st.ID] = append(p.about[st.ID], sub.ID)
		}
		if b, ok := e.Body.(*record.Release); ok {
			for _, item := range b.Items {
				p.about[st.ID] = append(p.about[st.ID], item.Record)
			}
		}
	}
	switch {
	case p.unsure != "":
		unsure = p.unsure
	case !whole:
		unsure = "its body was not given, or is not the right one"
	default:
		unsure = p.dependsOnLost(st)
	}
	p.other = p.other || !whole
	if unsure != "" {
		p.pass(e, loggedAt)
		return outcome{unsure: unsure, rests: p.rests()}
	}
	err := p.state.Admit(e, loggedAt)
	switch {
	case err == nil && p.leftOut == 0:
		return outcome{}
	case err == nil:
		return outcome{unsure: fmt.Sprintf("good, if what was left out from record %d on is not for everybody", p.leftOut), asGiven: true}
	}
	p.pass(e, loggedAt)
	if p.leftOut > 0 {
		return outcome{unsure: fmt.Sprintf("refused, unless it rests on what was left out from record %d on: %v", p.leftOut, err), rests: p.rests()}
	}
	p.other = true
	return outcome{err: err}
}

// rests tells that what cannot be judged is owed to lines left out and to nothing else.
func (p *replay) rests() bool { return p.leftOut > 0 && !p.other }

// reach gives id and all that it is about, directly or through others.
func (p *replay) reach(id record.ID) []record.ID {
	all := []record.ID{id}
	for i := 0; i < len(all); i++ {
		for _, next := range p.about[all[i]] {
			if !slices.Contains(all, next) {
				all = append(all, next)
			}
		}
	}
	return all
}

// dependsOnLost tells whether e acts on something whose state is not known.
func (p *replay) dependsOnLost(st *record.Statement) string {
	for _, sub := range st.Subjects {
		for _, id := range p.reach(sub.ID) {
			if why, ok := p.lost[id]; ok {
				return why
			}
		}
	}
	switch st.Kind {
	case record.ActUndone:
		return p.lostBatch // a withdrawal is undone only if the file was not taken in again
	case record.CosignerNamed, record.AgreementAdopted:
		return p.lostCosigner // a key is one cosigner's, and a policy names those that are known
	case record.RecipientNamed, record.AudienceKeyed, record.AudienceShared, record.NoticeFiled,
		record.IdentityFiled, record.IdentityAsked, record.IdentityReleased, record.IdentityRead:
		return p.lostRecipient // a key goes to all that have named a recipient, and an escrow's members and custodians all have
	}
	return ""
}

// pass gives e its place without folding it.
func (p *replay) pass(e *mechanism.Entry, loggedAt int64) {
	st := e.Statement
	p.state.Skip(e, loggedAt)
	p.skipped++
	why := fmt.Sprintf("it rests on record %d, which could not be folded", e.Index)
	if first, _ := p.state.IndexOf(st.ID); first == e.Index { // not a second use of the id
		p.lost[st.ID] = why
	}
	if st.Kind == record.CosignerNamed {
		p.lostCosigner = why
	}
	if st.Kind == record.RecipientNamed || st.Kind == record.AudienceKeyed || st.Kind == record.AudienceShared {
		p.lostRecipient = why
	}
	if changesKeys(st.Kind) || st.Kind == record.AgreementAdopted {
		if p.unsure == "" {
			p.unsure = fmt.Sprintf("record %d could not be folded, and as a %s it may bear on everything after it", e.Index, st.Kind)
		}
		return
	}
	for _, sub := range st.Subjects {
		ids := p.reach(sub.ID)
		// A report and a batch are not changed by what is filed under them.
		if sub.Role == record.RoleReport || sub.Role == record.RoleBatch && st.Kind != record.BatchClosed && st.Kind != record.BatchWithdrawn {
			ids = ids[1:]
		}
		for _, id := range ids {
			p.lost[id] = why
			if kind, _ := p.state.KindOf(id); kind == record.BatchOpened {
				p.lostBatch = why
			}
		}
	}
}

// hash is the state's, where every record was folded.
func (p *replay) hash() (record.Digest, bool) {
	return p.state.Hash(), p.skipped == 0
}
