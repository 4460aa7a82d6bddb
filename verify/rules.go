// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"

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
	// lost holds the statements whose state is not known, and why.
	lost    map[record.ID]string
	batchOf map[record.ID]record.ID
	skipped int64
}

func newReplay() *replay {
	return &replay{state: mechanism.New(), lost: map[record.ID]string{}, batchOf: map[record.ID]record.ID{}}
}

// gap passes over a record of which not even the envelope is known.
func (p *replay) gap(index int64) {
	p.state.Skip(nil, 0)
	p.skipped++
	if p.unsure == "" {
		p.unsure = fmt.Sprintf("record %d is not known, and anything after it may rest on it", index)
	}
}

// admit puts a record through the door. unsure is set when that cannot be judged.
func (p *replay) admit(e *mechanism.Entry, loggedAt int64, whole bool) (err error, unsure string) {
	st := e.Statement
	if id, ok := st.Subject(record.RoleBatch); ok {
		p.batchOf[st.ID] = id
	}
	switch {
	case p.unsure != "":
		unsure = p.unsure
	case !whole:
		unsure = "its body was not given, or is not the right one"
	default:
		unsure = p.dependsOnLost(st)
	}
	if unsure == "" {
		if err = p.state.Admit(e, loggedAt); err == nil {
			return nil, ""
		}
	}
	p.pass(e, loggedAt)
	return err, unsure
}

// dependsOnLost tells whether e acts on something whose state is not known.
func (p *replay) dependsOnLost(st *record.Statement) string {
	for _, sub := range st.Subjects {
		for _, id := range []record.ID{sub.ID, p.batchOf[sub.ID]} {
			if why, ok := p.lost[id]; ok {
				return why
			}
		}
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
	if changesKeys(st.Kind) || st.Kind == record.AgreementAdopted {
		if p.unsure == "" {
			p.unsure = fmt.Sprintf("record %d could not be folded, and as a %s it may bear on everything after it", e.Index, st.Kind)
		}
		return
	}
	for _, sub := range st.Subjects {
		// A report and a batch are not changed by what is filed under them.
		if sub.Role == record.RoleReport || sub.Role == record.RoleBatch && st.Kind != record.BatchClosed && st.Kind != record.BatchWithdrawn {
			continue
		}
		p.lost[sub.ID] = why
	}
}

// hash is the state's, where every record was folded.
func (p *replay) hash() (record.Digest, bool) {
	return p.state.Hash(), p.skipped == 0
}
