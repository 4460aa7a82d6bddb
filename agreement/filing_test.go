// SPDX-License-Identifier: Apache-2.0

package agreement_test

import (
	"reflect"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/verify/verifytest"
)

func TestFilingTerms(t *testing.T) {
	p := verifytest.Pack()
	want := agreement.Filing{Hours: 72, OpenHours: 24, SevereHours: 24}
	if got := p.FilingTerms(); !reflect.DeepEqual(got, want) {
		t.Errorf("an agreement without terms gives %+v, want %+v", got, want)
	}
	p.Filing = &agreement.Filing{Escrow: []string{"clerk", "scribe", "watch"}, EscrowNeed: 2, Hours: 48}
	want = agreement.Filing{Escrow: []string{"clerk", "scribe", "watch"}, EscrowNeed: 2, Hours: 48, OpenHours: 24, SevereHours: 24}
	if got := p.FilingTerms(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	if p.Filing.OpenHours != 0 {
		t.Error("asking for the terms changed the agreement")
	}
	roundTrip(t, p)
	parts, err := p.Parts(1)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := agreement.Merge(parts)
	if err != nil || !reflect.DeepEqual(merged.Filing, p.Filing) {
		t.Errorf("through the ledger the terms are %+v: %v", merged.Filing, err)
	}
	next := verifytest.Pack() // the terms may go, and come back
	if err := next.Continues(p); err != nil {
		t.Error(err)
	}
}

func TestFilingRefused(t *testing.T) {
	for what, f := range map[string]map[string]any{
		"no member":            {"escrow": []string{"clerk", "nobody"}, "escrow_need": 2},
		"a party":              {"escrow": []string{"OMB", "clerk", "scribe"}, "escrow_need": 2},
		"the registry":         {"escrow": []string{"book", "clerk", "scribe"}, "escrow_need": 2},
		"out of order":         {"escrow": []string{"scribe", "clerk", "watch"}, "escrow_need": 2},
		"given twice":          {"escrow": []string{"clerk", "clerk", "watch"}, "escrow_need": 2},
		"one reads alone":      {"escrow": []string{"clerk", "scribe"}, "escrow_need": 1},
		"more than there are":  {"escrow": []string{"clerk", "scribe"}, "escrow_need": 3},
		"no number":            {"escrow": []string{"clerk", "scribe"}},
		"a number of nobody":   {"escrow_need": 2},
		"before it began":      {"hours": -1},
		"longer than a year":   {"open_hours": 9000},
		"severe is longer":     {"severe_hours": 73},
		"severe is longer too": {"hours": 12},
		"an unknown field":     {"days": 3},
		"a fraction":           {"hours": 1.5},
	} {
		doc := file(t, func(p map[string]any) { p["filing"] = f })
		if _, err := agreement.Load(strings.NewReader(doc)); err == nil || !strings.Contains(err.Error(), "filing") && what != "an unknown field" {
			t.Errorf("%s: %v", what, err)
		}
	}
	p := verifytest.Pack()
	p.Filing = &agreement.Filing{Escrow: []string{"clerk", "scribe"}, EscrowNeed: 2}
	for i := range p.Members {
		p.Members[i].Former = p.Members[i].Code == "scribe"
	}
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "former") {
		t.Error("a former member in the escrow:", err)
	}
	var many []string
	for _, m := range p.Members {
		many = append(many, m.Code+"0", m.Code+"1")
	}
	p.Filing = &agreement.Filing{Escrow: many, EscrowNeed: 2}
	if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "more than 8") {
		t.Error("an escrow whose shares have no room:", err)
	}
}
