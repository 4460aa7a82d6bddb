// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"errors"
	"slices"
	"testing"

	"truceline/acts"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// TestReach: what is done on something that is not for everybody is for no more than those
// who read it, without anybody's saying so.
func TestReach(t *testing.T) {
	m := open(t)
	m.Epoch, m.EpochKey = record.ID{7}, vault.EpochKey{7}
	members := verifytest.For(record.AudienceMembers)
	in := m.file("scribe", record.IncidentOpened, verifytest.Incident("x"), members)
	told := m.file("clerk", record.AccountFiled, verifytest.Account(1), members)
	named := m.file("clerk", record.AccountFiled, verifytest.Account(1), verifytest.For(record.AudienceNamed, "OMB", "watch"))
	public := m.account()
	operations, desk := m.world("clerk", acts.Operations), m.world("clerk", acts.Desk)
	amendment := func(account record.ID, more ...string) acts.Values {
		v := version("Spokesman of the Council", "9")
		delete(v, "form")
		v["account"], v["claim.2.element"], v["claim.2.stance"] = []string{account.String()}, []string{"event"}, []string{"asserts"}
		for i := 0; i < len(more); i += 2 {
			v[more[i]] = []string{more[i+1]}
		}
		return v
	}
	statement := func(more ...string) acts.Values {
		v := version("Spokesman of the Council", "9")
		delete(v, "form")
		for i := 0; i < len(more); i += 2 {
			v[more[i]] = append(v[more[i]], more[i+1])
		}
		return v
	}
	opening := func(account record.ID) acts.Values {
		return acts.Values{"account": {account.String()}, "label": {"x"}, "start": {"2026-03-01"}, "reason": {"r"}}
	}
	type who struct {
		audience string
		readers  []string
	}
	all, us, few := who{}, who{record.AudienceMembers, nil}, who{record.AudienceNamed, []string{"OMB", "watch"}}
	spelt := who{record.AudiencePublic, nil} // said, and the same as all
	for _, tt := range []struct {
		what, act string
		w         acts.World
		v         acts.Values
		want      []who
	}{
		{"a link to a members' incident", "account.link", operations, acts.Values{"account": {public.String()}, "incident": {in.String()}, "reason": {"r"}}, []who{us}},
		{"a link of a members' account", "account.link", operations, acts.Values{"account": {told.String()}, "incident": {in.String()}, "reason": {"r"}}, []who{us}},
		{"an incident for a members' account", "account.open", operations, opening(told), []who{us, us}},
		{"an incident for a public account", "account.open", operations, opening(public), []who{all, all}},
		{"a withdrawal", "account.withdraw", desk, acts.Values{"account": {told.String()}, "reason": {"r"}}, []who{us}},
		{"the undoing of an opening", "act.undo", m.world("scribe", acts.Operations), acts.Values{"record": {in.String()}, "reason": {"r"}}, []who{us}},
		{"an amendment", "account.amend", desk, amendment(told), []who{us}},
		{"an amendment with a document", "account.amend", desk, amendment(named, "title", "The minutes"), []who{few, few}},
		{"a statement for everybody", "statement.record", desk, statement("audience", "public"), []who{all}},
		{"a statement for members", "statement.record", desk, statement("audience", "members"), []who{us}},
		{"a statement for named members", "statement.record", desk, statement("audience", "named", "readers", "watch", "readers", "clerk", "readers", "OMB", "title", "The minutes"), []who{few, few}},
		{"a public one", "account.amend", desk, amendment(public, "title", "The minutes"), []who{spelt, spelt}},
	} {
		drafts, err := act(t, tt.act).Plan(tt.w, tt.v)
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		var got []who
		for _, d := range drafts {
			got = append(got, who{d.Audience, d.Readers})
		}
		if !slices.EqualFunc(got, tt.want, func(a, b who) bool { return a.audience == b.audience && slices.Equal(a.readers, b.readers) }) {
			t.Errorf("%s: %v, want %v", tt.what, got, tt.want)
		}
	}
	// What is planned is admitted, and keeps the claimant that no rule reads.
	id := m.do(desk, "account.amend", amendment(told, "claimant", "Somebody else"))[0]
	if a := m.read[id].body.(*record.Account); a.Claimant != verifytest.Account(1).Claimant || a.Claims[0].Measure != "hurt" {
		t.Errorf("%+v", a)
	}
	var refusal *mechanism.Refusal
	if _, err := act(t, "account.amend").Plan(desk, amendment(told, "claim.2.measure", "x")); !errors.As(err, &refusal) || refusal.Code != mechanism.NotInAgreement {
		t.Errorf("a measure of no pack, where no rule reads it: %v", err)
	}
	var invalid *acts.Invalid
	for _, tt := range []struct {
		v          acts.Values
		field, key string
	}{
		{statement("audience", "named"), "readers", "problem.needed"},
		{statement("audience", "named", "readers", "clerk"), "readers", "problem.needed"},
		{statement("readers", "watch"), "readers", "problem.not_named"},
		{statement("audience", "members", "readers", "watch"), "readers", "problem.not_named"},
		{statement("audience", "own"), "audience", "problem.invalid"},
	} {
		var invalid *acts.Invalid
		if _, err := act(t, "statement.record").Plan(desk, tt.v); !errors.As(err, &invalid) || invalid.Problems[0].Field != tt.field || invalid.Problems[0].Key != tt.key {
			t.Errorf("%v, %v: %v, want %s at %s", tt.v["audience"], tt.v["readers"], err, tt.key, tt.field)
		}
	}
	if _, err := act(t, "account.amend").Plan(desk, amendment(named, "claim.2.element", "", "claim.2.stance", "", "claim.3.element", "event", "claim.3.stance", "asserts")); !errors.As(err, &invalid) || invalid.Problems[0].Key != "problem.claim_gap" {
		t.Errorf("a claim of a members' account loses its number: %v", err)
	}
}
