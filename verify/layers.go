// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"fmt"

	"truceline/record"
)

// outcome of one layer of one record: good if both texts are empty. asGiven tells of one
// that is unsure that it is good if no line that was left out is public.
type outcome struct {
	err     error
	unsure  string
	asGiven bool
	leftOut bool // the line was left out
	rests   bool // on lines that were left out, for no other reason: the members' word settles it
}

func (v *verifier) settle(index int64, layer Layer, path string, o outcome) string {
	t := v.report.Layers[layer]
	switch {
	case o.err != nil:
		t.Failed++
		v.report.problem(index, layer, path, "%v", o.err)
		return "FAILED: " + o.err.Error()
	case o.unsure != "":
		if o.asGiven {
			t.AsGiven++
		}
		if o.rests {
			t.rests++
		}
		v.report.unchecked(index, layer, o.unsure, o.asGiven || o.leftOut || o.rests)
		return "could not be checked: " + o.unsure
	}
	t.Good++
	return "good"
}

const notGiven = "the record was not given"

// missing passes over a record of which nothing more is known. It may be anything, also
// a change of keys, unless it was leftOut for its not being public.
func (v *verifier) missing(index int64, why string, leftOut bool) map[Layer]string {
	if leftOut {
		v.leaveOut(index)
	}
	found := map[Layer]string{Rule: "not checked"}
	for _, layer := range layers {
		if layer == Leaf && why != notGiven || layer == Rule && v.replay == nil {
			continue
		}
		found[layer] = v.settle(index, layer, "", outcome{unsure: why, leftOut: leftOut})
	}
	v.roster.lose("record %d is not known, and it may have changed the keys", index)
	if !leftOut && v.given != nil {
		v.given.lose("record %d is not known, and it may have changed the keys", index)
	}
	if v.replay != nil {
		v.replay.gap(index, leftOut)
	}
	return found
}

// record takes one record through its layers. entry is nil if the log's entry could
// not be had.
func (v *verifier) record(index int64, path string, it *item, entry []byte) {
	if it.entry != nil {
		it.entry.Index = index
	}
	d := v.detail(index, it) // before the record can change its own keys
	var before map[Layer]Tally
	if d != nil {
		before = v.tallies()
	}
	leaf, ours := v.leaf(it, entry)
	first := v.settle(index, Leaf, path, leaf)
	var found map[Layer]string
	switch {
	case !ours:
		found = v.missing(index, "the line is not the log's record", false)
	case it.later != "":
		v.report.update(index, it.later)
		found = v.missing(index, "update needed: "+it.later, false)
	default:
		found = v.known(index, path, it, leaf.err == nil)
	}
	found[Leaf] = first
	if d != nil {
		d.Layers, d.byWord = found, map[Layer]bool{}
		for l, t := range v.tallies() {
			d.byWord[l] = t.AsGiven+t.rests > before[l].AsGiven+before[l].rests
		}
		v.report.Detail = d
	}
}

// known checks a record that is the log's and of this version.
func (v *verifier) known(index int64, path string, it *item, inOrder bool) map[Layer]string {
	v.unknownKeys(index, it)
	env, body := v.envelope(index, it), v.body(index, it)
	if it.entry != nil && changesKeys(it.entry.Statement.Kind) {
		switch {
		case !inOrder || env.err != nil: // what is wrong changes nothing
		case !it.whole && !it.committed:
			v.roster.lose("record %d, which may change keys, could not be read whole", index)
			if v.given != nil {
				v.given.lose("record %d, which may change keys, could not be read whole", index)
			}
		case body.err == nil && env.unsure == "":
			env.err = v.roster.fold(it.entry)
		case body.err == nil && env.asGiven:
			if err := v.given.fold(it.entry); err != nil {
				env = outcome{unsure: v.unlessKeptBack(err)}
			}
		}
	}
	if inOrder && it.entry != nil {
		v.cosigner(index, it, env, body)
	}
	if env.err == nil {
		v.keyChanges(index, it, env)
	}
	found := map[Layer]string{Rule: "not checked"}
	found[Envelope] = v.settle(index, Envelope, path, env)
	found[Body] = v.settle(index, Body, path, body)
	if v.replay != nil {
		found[Rule] = v.settle(index, Rule, path, v.rule(index, it))
	}
	return found
}

// leaf: the log committed to this envelope at this time, and time does not go back. It
// tells whether the line is the log's record, as far as can be seen.
func (v *verifier) leaf(it *item, entry []byte) (o outcome, ours bool) {
	at, last := it.line.LoggedAt, v.logged
	switch {
	case entry == nil:
		return outcome{unsure: "the log's entry could not be read"}, true
	case !bytes.Equal(entry, it.leaf):
		return outcome{err: fmt.Errorf("the log's entry is not the salted hash of this envelope, time and salt")}, false
	}
	v.logged = at
	if v.report.FirstLogged == 0 {
		v.report.FirstLogged = at
	}
	v.report.LastLogged = at
	if at < last {
		return outcome{err: fmt.Errorf("logged_at goes back, from %d to %d", last, at)}, true
	}
	return outcome{}, true
}

// envelope: one spelling and schema, an id of its own, this mission, and every signature.
func (v *verifier) envelope(index int64, it *item) outcome {
	if it.envErr != nil {
		return outcome{err: it.envErr}
	}
	st := it.entry.Statement
	first, again := v.ids[st.ID]
	if !again {
		v.ids[st.ID] = index
	}
	if v.mission.IsZero() {
		v.mission = st.Mission // where record 0 was not given, all must agree at least
	}
	switch {
	case again:
		return outcome{err: fmt.Errorf("its id stands for a record already, at index %d", first)}
	case index == 0 && st.Kind != record.MissionOpened:
		return outcome{err: fmt.Errorf("the first record is a %s, not mission.opened", st.Kind)}
	case index > 0 && st.Kind == record.MissionOpened:
		return outcome{err: fmt.Errorf("mission.opened at index %d does not open the mission", index)}
	case st.Origin != v.report.Origin:
		return outcome{err: fmt.Errorf("the statement is for the log %s, this is %s", st.Origin, v.report.Origin)}
	case st.Mission != v.mission:
		return outcome{err: fmt.Errorf("the statement is for the mission %s, this is %s", st.Mission, v.mission)}
	}
	err, unsure := v.roster.check(it.entry)
	if err == nil && unsure != "" && v.given != nil {
		return v.envelopeAsGiven(it.entry)
	}
	return outcome{err: err, unsure: unsure}
}

// body: the commitment and the kind's schema, and in the first record the log's key.
func (v *verifier) body(index int64, it *item) outcome {
	switch {
	case it.entry == nil:
		return outcome{unsure: "its envelope could not be read"}
	case it.bodyError != nil:
		return outcome{err: it.bodyError}
	case !it.whole:
		return outcome{unsure: "the body was not given"}
	case it.entry.Statement.Kind.Own():
		v.report.Own++
	case it.entry.Statement.Boxed():
		v.report.Boxed++
	}
	if m, ok := it.entry.Body.(*record.Mission); ok && index == 0 && m.LogKey != v.report.Key {
		return outcome{err: fmt.Errorf("mission.opened names the log's key %q, and the checkpoint was verified with %q", m.LogKey, v.report.Key)}
	}
	return outcome{}
}

func (v *verifier) rule(index int64, it *item) outcome {
	if it.entry == nil {
		v.replay.gap(index, false)
		return outcome{unsure: "its envelope could not be read"}
	}
	return v.replay.admit(it.entry, it.line.LoggedAt, it.whole)
}

// detail begins the report on a record that was asked for.
func (v *verifier) detail(index int64, it *item) *Detail {
	d := &Detail{Index: index, LoggedAt: it.line.LoggedAt, Body: it.line.Body}
	id := ""
	if it.entry != nil {
		d.Statement = it.entry.Statement
		id = d.Statement.ID.String()
	}
	if !v.options.wanted(index, id) {
		return nil
	}
	if it.entry != nil {
		for _, sig := range it.entry.Envelope.Signatures {
			use := KeyUse{ID: sig.KeyID}
			if k, ok := v.current().signer(it.entry, sig.KeyID); ok {
				use.Member, use.Officer, use.From, use.Until = k.member, k.officer, k.from, k.until
			}
			d.Keys = append(d.Keys, use)
		}
	}
	return d
}
