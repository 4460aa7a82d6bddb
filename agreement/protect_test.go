// SPDX-License-Identifier: Apache-2.0

package agreement_test

import (
	"bytes"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/record"
	"truceline/verify/verifytest"
)

func TestCoarse(t *testing.T) {
	var none *agreement.Pack
	if none.GridE6() != 0 || verifytest.Pack().GridE6() != 0 {
		t.Error("an agreement that says nothing of it has a grid")
	}
	for grid, ok := range map[int64]bool{0: false, 9_999: false, 10_000: true, 100_000: true, 10_000_000: true, 10_000_001: false} {
		p := verifytest.Pack()
		p.Coarse = &agreement.Coarse{GridE6: grid}
		if err := p.Validate(); ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "coarse: grid_e6") {
			t.Errorf("a grid of %d: %v", grid, err)
		}
		if !ok {
			continue
		}
		roundTrip(t, p)
		if p.GridE6() != grid {
			t.Error(p.GridE6())
		}
		if err := p.Continues(verifytest.Pack()); err != nil {
			t.Error("a grid cannot be agreed on later:", err)
		}
	}
	if b, err := record.Canonical(verifytest.Pack()); err != nil || bytes.Contains(b, []byte("coarse")) || bytes.Contains(b, []byte("small_numbers")) {
		t.Errorf("what is not said is written: %v %s", err, b)
	}
}

// guarded is an agreement that protects two groups, one of them with parts.
func guarded() *agreement.Pack {
	p := verifytest.Pack()
	name := agreement.Text{"en": "n"}
	p.Groups = append(p.Groups, agreement.Group{Code: "held", Name: name, Parts: []string{"held_a"}}, agreement.Group{Code: "held_a", Name: name, Parts: []string{"held_a1"}},
		agreement.Group{Code: "held_a1", Name: name}, agreement.Group{Code: "returned", Name: name}, agreement.Group{Code: "wide", Name: name, Parts: []string{"returned"}})
	p.ClaimantKinds = append(p.ClaimantKinds, agreement.Term{Code: "witness", Name: name})
	p.SmallNumbers = &agreement.SmallNumbers{ClaimantKinds: []string{"witness"}, Groups: []string{"held", "returned"}, K: 5}
	return p
}

func TestSmallNumbers(t *testing.T) {
	p := guarded()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, p)
	for _, tt := range []struct {
		element record.Element
		group   string
		want    int64
	}{
		{record.Capture, "held", 5}, {record.Capture, "held_a", 5}, {record.FollowUp, "held_a1", 5}, {record.Capture, "returned", 5},
		{record.Capture, "wide", 0}, {record.Capture, "", 0}, {record.Capture, "nobody", 0},
		// Deaths and injuries are told, whoever died.
		{record.Harm, "held", 0}, {record.Harm, "held_a1", 0}, {record.Harm, "returned", 0},
	} {
		if got := p.SmallestTold(tt.element, tt.group); got != tt.want {
			t.Errorf("%s of %q: %d", tt.element, tt.group, got)
		}
	}
	if !p.ProtectsKind("witness") || p.ProtectsKind("held") || verifytest.Pack().ProtectsKind("witness") || verifytest.Pack().SmallestTold(record.Capture, "held") != 0 {
		t.Error("others than those named are protected")
	}
	for name, edit := range map[string]func(s *agreement.SmallNumbers){
		"k is 1":         func(s *agreement.SmallNumbers) { s.K = 1 },
		"k is 101":       func(s *agreement.SmallNumbers) { s.K = 101 },
		"nobody":         func(s *agreement.SmallNumbers) { s.Groups, s.ClaimantKinds = nil, nil },
		`"nothing"`:      func(s *agreement.SmallNumbers) { s.Groups = []string{"nothing"} },
		`"held"`:         func(s *agreement.SmallNumbers) { s.Groups = []string{"returned", "held"} },
		`"returned"`:     func(s *agreement.SmallNumbers) { s.Groups = []string{"returned", "returned"} },
		"claimant_kinds": func(s *agreement.SmallNumbers) { s.ClaimantKinds = []string{"held"} },
	} {
		p := guarded()
		edit(p.SmallNumbers)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "small_numbers") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for k := int64(2); k <= 100; k += 98 {
		p := guarded()
		p.SmallNumbers.K = k
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := guarded().Continues(verifytest.Pack()); err != nil {
		t.Error(err)
	}
}
