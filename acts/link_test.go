// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"truceline/acts"
	"truceline/internal/node/nodetest"
	"truceline/mechanism"
	"truceline/record"
)

// One act links an account to several incidents, each in its own way.
func TestLinksOfOneAct(t *testing.T) {
	n, who := lakes(t)
	ctx := context.Background()
	acc := nodetest.MustFile(t, n, nodetest.Account(n, "Somebody", 12))
	var in []string
	for _, label := range []string{"a", "b"} {
		in = append(in, nodetest.MustFile(t, n, nodetest.Incident(n, label)).String())
	}
	link := find(t, "account.link")
	plan := func(v acts.Values) (string, error) {
		v["account"], v["incident"] = []string{acc.String()}, in
		drafts, err := n.Plan(ctx, who, link, v)
		out := ""
		for _, d := range drafts {
			b := d.Body.(*record.Link)
			out += fmt.Sprintf("%s %v %s; ", b.Role, b.Claims, b.Reason)
		}
		return out, err
	}
	for _, tt := range []struct {
		v    acts.Values
		want string
	}{
		{acts.Values{"reason": {"why"}}, "about [] why; about [] why; "},
		{acts.Values{"reason": {"why"}, "role": {"part_of"}, "claims": {"1"}}, "part_of [1] why; part_of [1] why; "},
		{acts.Values{"reason": {"one", " two "}, "role": {"", "aggregate_over"}, "claims": {"", "۱"}}, "about [] one; aggregate_over [1] two; "},
		{acts.Values{"reason": {"one", "two", "three"}, "claims": {"1", "1", "1"}}, "about [1] one; about [1] one; "}, // not one for each
	} {
		if got, err := plan(tt.v); err != nil || got != tt.want {
			t.Errorf("%v: %q, %v; want %q", tt.v, got, err, tt.want)
		}
	}
	for _, v := range []acts.Values{{"reason": {"one", ""}}, {"reason": {"", "two"}}, {"reason": {"a", "b"}, "claims": {"1", "x"}}, {"reason": {"a"}, "role": {"about", "above"}}} {
		_, err := plan(v)
		var invalid *acts.Invalid
		if !errors.As(err, &invalid) || len(invalid.Problems) != 1 {
			t.Errorf("%v: %v, want one problem", v, err)
		}
	}
	if _, err := plan(acts.Values{"reason": {"a"}, "claims": {"", "2"}}); !isRefusal(err) {
		t.Errorf("a claim that is not there: %v", err)
	}
}

// What an incident was merged into holds its accounts: it is not linked to them twice.
func TestLinkedThroughAMerge(t *testing.T) {
	n, who := lakes(t)
	ctx := context.Background()
	acc := nodetest.MustFile(t, n, nodetest.Account(n, "Somebody", 12))
	from, into := nodetest.MustFile(t, n, nodetest.Incident(n, "a")), nodetest.MustFile(t, n, nodetest.Incident(n, "b"))
	do := func(act string, v acts.Values) error {
		v["reason"] = []string{"why"}
		_, err := n.Do(ctx, who, find(t, act), v)
		return err
	}
	link := func(in record.ID) error {
		return do("account.link", acts.Values{"account": {acc.String()}, "incident": {in.String()}})
	}
	if err := errors.Join(link(from), do("incident.merge", acts.Values{"incident": {from.String()}, "into": {into.String()}})); err != nil {
		t.Fatal(err)
	}
	var invalid *acts.Invalid
	if err := link(into); !errors.As(err, &invalid) || invalid.Problems[0].Key != "problem.linked_already" {
		t.Errorf("linked twice: %v", err)
	}
	if err := link(from); err == nil {
		t.Error("linked to what is merged")
	}
}

func isRefusal(err error) bool {
	var r *mechanism.Refusal
	return errors.As(err, &r)
}

// A form sent twice opens one incident.
func TestFormOpensOnce(t *testing.T) {
	m := open(t)
	w := m.world("clerk", acts.Operations)
	v := acts.Values{"label": {"x"}, "start": {"2031"}, "form": {"abababababababababababababababab"}}
	m.do(w, "incident.open", v)
	var refusal *mechanism.Refusal
	if _, err := act(t, "incident.open").Plan(w, v); !errors.As(err, &refusal) || refusal.Code != mechanism.DuplicateID {
		t.Errorf("the same form again: %v", err)
	}
	v["form"] = []string{"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"}
	m.do(w, "incident.open", v)
}
