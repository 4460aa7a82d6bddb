// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"fmt"

	"truceline/record"
)

// outcome of one layer of one record: good if both are empty.
type outcome struct {
	err    error
	unsure string
}

func (v *verifier) settle(index int64, layer Layer, path string, o outcome) string {
	t := v.report.Layers[layer]
	switch {
	case o.err != nil:
		t.Failed++
		v.report.problem(index, layer, path, "%v", o.err)
		return "FAILED: " + o.err.Error()
	case o.unsure != "":
		v.report.unchecked(index, layer, o.unsure)
		return "could not be checked: " + o.unsure
	}
	t.Good++
	return "good"
}

const notGiven = "the record was not given"

// missing passes over a record that was left out of its bundle. It may have been
// anything, also a change of keys.
func (v *verifier) missing(index int64) {
	for _, layer := range layers {
		if layer != Rule || v.replay != nil {
			v.settle(index, layer, "", outcome{unsure: notGiven})
		}
	}
	if v.roster.unsure == "" {
		v.roster.unsure = fmt.Sprintf("record %d was not given, and it may have changed the keys", index)
	}
	if v.replay != nil {
		v.replay.gap(index)
	}
}

// record takes one record through its layers. entry is nil if the log's entry could
// not be had.
func (v *verifier) record(index int64, path string, it *item, entry []byte) {
	found := map[Layer]string{Rule: "not checked"}
	found[Leaf] = v.settle(index, Leaf, path, v.leaf(it, entry))
	if it.entry != nil {
		it.entry.Index = index
	}
	d := v.detail(index, it) // before the record can change its own keys

	changes := it.entry == nil || changesKeys(it.entry.Statement.Kind)
	if !it.whole && changes && v.roster.unsure == "" {
		v.roster.unsure = fmt.Sprintf("record %d, which may change keys, could not be read whole", index)
	}
	env := v.envelope(index, it)
	body := v.body(it)
	if env == (outcome{}) && it.whole && changes {
		env.err = v.roster.fold(it.entry)
	}
	if env.err != nil && changes && v.roster.unsure == "" {
		v.roster.unsure = fmt.Sprintf("record %d, which may change keys, does not verify", index)
	}
	found[Envelope] = v.settle(index, Envelope, path, env)
	found[Body] = v.settle(index, Body, path, body)
	if v.replay != nil {
		found[Rule] = v.settle(index, Rule, path, v.rule(index, it))
	}
	if d != nil {
		d.Layers = found
		v.report.Detail = d
	}
}

// leaf: the log committed to this envelope at this time, and time does not go back.
func (v *verifier) leaf(it *item, entry []byte) outcome {
	at := it.line.LoggedAt
	last := v.logged
	v.logged = max(last, at)
	if v.report.FirstLogged == 0 {
		v.report.FirstLogged = at
	}
	v.report.LastLogged = v.logged
	switch {
	case entry == nil:
		return outcome{unsure: "the log's entry could not be read"}
	case !bytes.Equal(entry, it.leaf):
		return outcome{err: fmt.Errorf("the log's entry is not the salted hash of this envelope, time and salt")}
	case at < last:
		return outcome{err: fmt.Errorf("logged_at goes back, from %d to %d", last, at)}
	}
	return outcome{}
}

// envelope: one spelling and schema, this mission, and every signature.
func (v *verifier) envelope(index int64, it *item) outcome {
	if it.envErr != nil {
		return outcome{err: it.envErr}
	}
	st := it.entry.Statement
	if index == 0 {
		if st.Kind != record.MissionOpened {
			return outcome{err: fmt.Errorf("the first record is a %s, not mission.opened", st.Kind)}
		}
		v.mission = st.Mission
		if m, ok := it.entry.Body.(*record.Mission); ok && m.LogKey != v.report.Key {
			return outcome{err: fmt.Errorf("mission.opened names the log's key %q, and the checkpoint was verified with %q", m.LogKey, v.report.Key)}
		}
	}
	switch {
	case st.Origin != v.report.Origin:
		return outcome{err: fmt.Errorf("the statement is for the log %s, this is %s", st.Origin, v.report.Origin)}
	case v.mission.IsZero():
		v.mission = st.Mission // record 0 was not given; all must agree at least
	case st.Mission != v.mission:
		return outcome{err: fmt.Errorf("the statement is for the mission %s, this is %s", st.Mission, v.mission)}
	}
	err, unsure := v.roster.check(it.entry)
	return outcome{err, unsure}
}

// body: the commitment and the kind's schema.
func (v *verifier) body(it *item) outcome {
	switch {
	case it.entry == nil:
		return outcome{unsure: "its envelope could not be read"}
	case it.bodyError != nil:
		return outcome{err: it.bodyError}
	case !it.whole:
		return outcome{unsure: "the body was not given"}
	}
	return outcome{}
}

func (v *verifier) rule(index int64, it *item) outcome {
	if it.entry == nil {
		v.replay.gap(index)
		return outcome{unsure: "its envelope could not be read"}
	}
	err, unsure := v.replay.admit(it.entry, it.line.LoggedAt, it.whole)
	return outcome{err, unsure}
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
			if k, ok := v.roster.signer(it.entry, sig.KeyID); ok {
				use.Member, use.Officer, use.From, use.Until = k.member, k.officer, k.from, k.until
			}
			d.Keys = append(d.Keys, use)
		}
	}
	return d
}
