// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// The model that was learnt is filed as it is, with the officer's reason; undone, it is
// filed again with the same numbers.
func TestFit(t *testing.T) {
	m := open(t)
	w := m.world("clerk", acts.Operations)
	learnt := verifytest.Linkage(m.state.Size(), record.Digest{9})
	learnt.Reason = ""
	w.Fitted = func() (*record.Linkage, error) { return learnt, nil }
	first := m.do(w, "linkage.fit", acts.Values{"reason": {" two months of accounts \n"}})
	if len(first) != 1 {
		t.Fatalf("%d records", len(first))
	}
	want := *learnt
	want.Reason = "two months of accounts"
	if got := m.read[first[0]].body; !reflect.DeepEqual(got, &want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if learnt.Reason != "" {
		t.Error("what was learnt was changed")
	}
	undone := m.do(w, "act.undo", acts.Values{"record": {first[0].String()}, "reason": {"too few"}})
	if !m.state.IsUndone(first[0]) {
		t.Error("not undone")
	}
	again := m.do(w, "act.undo", acts.Values{"record": {undone[0].String()}, "reason": {"enough after all"}})
	if kind, _ := m.state.KindOf(again[0]); kind != record.LinkageFitted || !reflect.DeepEqual(m.read[again[0]].body, &want) {
		t.Errorf("done again: %s %+v", kind, m.read[again[0]].body)
	}
}

// Nothing is learnt for an act that cannot be.
func TestFitIsNotLearntInVain(t *testing.T) {
	m := open(t)
	fit := act(t, "linkage.fit")
	why := acts.Values{"reason": {"because"}}
	asked := 0
	world := func(member string, roles ...string) acts.World {
		w := m.world(member, roles...)
		w.Fitted = func() (*record.Linkage, error) {
			asked++
			return verifytest.Linkage(m.state.Size(), record.Digest{1}), nil
		}
		return w
	}
	var denied *acts.Denied
	if _, err := fit.Plan(world("clerk", acts.Desk), why); !errors.As(err, &denied) {
		t.Errorf("by the desk: %v", err)
	}
	var refusal *mechanism.Refusal
	if _, err := fit.Plan(world("OMB", acts.Operations), why); !errors.As(err, &refusal) || refusal.Code != mechanism.NoRight {
		t.Errorf("by a party: %v", err)
	}
	var invalid *acts.Invalid
	for _, bad := range []string{"", " ", strings.Repeat("x", 501)} {
		if _, err := fit.Plan(world("clerk", acts.Operations), acts.Values{"reason": {bad}}); !errors.As(err, &invalid) || invalid.Problems[0].Field != "reason" {
			t.Errorf("reason %.10q: %v", bad, err)
		}
	}
	if err := fit.Offer(world("clerk", acts.Operations), record.ID{}); err != nil || asked > 0 {
		t.Errorf("asked for %d models, %v", asked, err)
	}
	if _, err := fit.Plan(world("clerk", acts.Operations), why); err != nil || asked != 1 {
		t.Errorf("asked for %d models, %v", asked, err)
	}
}

// Where nothing learns a model, or what was learnt cannot be filed, the act says so.
func TestFitOfNothing(t *testing.T) {
	m := open(t)
	fit := act(t, "linkage.fit")
	why := acts.Values{"reason": {"because"}}
	w := m.world("clerk", acts.Operations)
	w.Fitted = nil
	var refusal *mechanism.Refusal
	for what, err := range map[string]error{"offered": fit.Offer(w, record.ID{}), "planned": planOf(fit, w, why)} {
		if !errors.As(err, &refusal) || refusal.Code != mechanism.StateForbids || len(refusal.Reason) < 30 {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := fit.Offer(m.world("OMB", acts.Operations), record.ID{}); verdict(t, err) != "r" {
		t.Errorf("a party's officer is told of his right first: %v", err)
	}
	failed := errors.New("the tables are locked")
	w.Fitted = func() (*record.Linkage, error) { return nil, failed }
	if err := planOf(fit, w, why); !errors.Is(err, failed) {
		t.Error(err)
	}
	for what, spoil := range map[string]func(b *record.Linkage){
		"of what is not here": func(b *record.Linkage) { b.Prefix.Size = m.state.Size() + 1 },
		"without numbers":     func(b *record.Linkage) { b.Params = record.LinkageParams{} },
		"too long": func(b *record.Linkage) {
			b.Params.Common = nil
			for i := range 4000 {
				b.Params.Common = append(b.Params.Common, fmt.Sprintf("word%010d", i))
			}
		},
	} {
		b := verifytest.Linkage(m.state.Size(), record.Digest{1})
		spoil(b)
		w.Fitted = func() (*record.Linkage, error) { return b, nil }
		if err := planOf(fit, w, why); !errors.As(err, &refusal) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func planOf(a *acts.Act, w acts.World, v acts.Values) error {
	_, err := a.Plan(w, v)
	return err
}
