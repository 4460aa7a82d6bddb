// SPDX-License-Identifier: Apache-2.0

package agreement_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/verify/verifytest"
)

// A later version may correct names and add codes; what a code means it keeps.
func TestContinues(t *testing.T) {
	load := func() *agreement.Pack {
		b, err := os.ReadFile("../example/lakes/agreement.json")
		if err != nil {
			t.Fatal(err)
		}
		f, err := agreement.Load(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return f.Pack
	}
	old := load()
	for name, tt := range map[string]struct {
		change func(p *agreement.Pack)
		want   string // in the error; empty: none
	}{
		"nothing": {func(p *agreement.Pack) {}, ""},
		"a name":  {func(p *agreement.Pack) { p.Measures[0].Name = agreement.Text{"en": "another word"} }, ""},
		"a new group": {func(p *agreement.Pack) {
			p.Groups = append(p.Groups, agreement.Group{Code: "new", Name: agreement.Text{"en": "n"}})
		}, ""},
		"a policy":                {func(p *agreement.Pack) { p.Policy = "quorum none\n" }, ""},
		"another bound on clocks": {func(p *agreement.Pack) { p.ClockBoundS = old.ClockBoundS + 1 }, ""},
		"a member that is to go":  {func(p *agreement.Pack) { p.Members[0].Former = true }, ""},
		"a measure is gone":       {func(p *agreement.Pack) { p.Measures = p.Measures[1:] }, "measures: code " + old.Measures[0].Code},
		"a place is gone":         {func(p *agreement.Pack) { p.Places = p.Places[1:] }, "places: code " + old.Places[0].Code},
		"a letter":                {func(p *agreement.Pack) { p.Parties[0].Letter = "Z" }, "parties: code " + old.Parties[0].Code},
		"a group's side":          {func(p *agreement.Pack) { p.Groups[0].Side = old.Parties[2].Code + "x" }, "groups: code " + old.Groups[0].Code},
		"a civilian group":        {func(p *agreement.Pack) { p.Groups[0].Civilian = !p.Groups[0].Civilian }, "groups: code " + old.Groups[0].Code},
		"parts where there were none": {func(p *agreement.Pack) {
			p.Groups = append(p.Groups, agreement.Group{Code: "all", Name: agreement.Text{"en": "n"}, Parts: []string{old.Groups[0].Code}})
		}, ""},
		"a stance's effect": {func(p *agreement.Pack) {
			p.Stances[0].Effect, p.Stances[0].Covers = agreement.Denies, agreement.CoversEvent
		}, "stances: code " + old.Stances[0].Code},
		"a unit":          {func(p *agreement.Pack) { p.Measures[0].Unit = "hours" }, "measures: code " + old.Measures[0].Code},
		"a role":          {func(p *agreement.Pack) { p.Members[0].Role = "observer" }, "members: code " + old.Members[0].Code},
		"a claimant kind": {func(p *agreement.Pack) { p.ClaimantKinds = p.ClaimantKinds[1:] }, "claimant_kinds: code " + old.ClaimantKinds[0].Code},
	} {
		p := load()
		tt.change(p)
		err := p.Continues(old)
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// Who is trusted, how far clocks may differ and who is to leave may change, and change back.
func TestTrustContinues(t *testing.T) {
	plain, other := verifytest.Pack(), verifytest.Pack()
	other.Policy, other.ClockBoundS, other.Members[1].Former = "quorum none\n", 30, true
	for _, p := range [][2]*agreement.Pack{{plain, other}, {other, plain}} {
		if err := p[1].Continues(p[0]); err != nil {
			t.Error(err)
		}
	}
	other.Members[1].Role = "observer"
	if other.Continues(plain) == nil {
		t.Error("a former member has another role")
	}
}

// What a group is made of may be said later, and stays once it is said.
func TestPartsContinue(t *testing.T) {
	pack := func(complete bool, parts ...string) *agreement.Pack {
		return &agreement.Pack{Groups: []agreement.Group{{Code: "all", Parts: parts, Complete: complete}, {Code: "a"}, {Code: "b"}}}
	}
	for _, tt := range []struct {
		name    string
		was, is *agreement.Pack
		ok      bool
	}{
		{"said later", pack(false), pack(true, "a", "b"), true},
		{"in another order", pack(true, "a", "b"), pack(true, "b", "a"), true},
		{"another part", pack(false, "a"), pack(false, "a", "b"), false},
		{"no part", pack(false, "a"), pack(false), false},
		{"complete", pack(false, "a", "b"), pack(true, "a", "b"), false},
	} {
		err := tt.is.Continues(tt.was)
		if tt.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "groups: code all") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
