// SPDX-License-Identifier: Apache-2.0

package agreement_test

import (
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/verify/verifytest"
)

func TestReleaseTerms(t *testing.T) {
	p := verifytest.Pack()
	if _, ok := p.ReleaseTerms(); ok {
		t.Error("an agreement that names nobody lets somebody release")
	}
	p.Release = &agreement.Release{Bodies: []string{"DRN", "OMB", "scribe"}, Need: 2}
	if r, ok := p.ReleaseTerms(); !ok || r.ReplyHours != agreement.DefaultReplyHours || p.Release.ReplyHours != 0 {
		t.Errorf("%+v", r)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, p)
	if err := verifytest.Pack().Continues(p); err != nil {
		t.Error("the terms may go:", err)
	}
	for what, r := range map[string]agreement.Release{
		"nobody":              {Need: 1},
		"no member":           {Bodies: []string{"OMB", "nobody"}, Need: 1},
		"the registry":        {Bodies: []string{"book"}, Need: 1},
		"out of order":        {Bodies: []string{"OMB", "DRN"}, Need: 1},
		"twice":               {Bodies: []string{"DRN", "DRN"}, Need: 1},
		"no consent needed":   {Bodies: []string{"DRN"}},
		"more than there are": {Bodies: []string{"DRN"}, Need: 2},
		"before it began":     {Bodies: []string{"DRN"}, Need: 1, ReplyHours: -1},
		"longer than a year":  {Bodies: []string{"DRN"}, Need: 1, ReplyHours: 9000},
	} {
		p := verifytest.Pack()
		p.Release = &r
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "release") {
			t.Errorf("%s: %v", what, err)
		}
	}
	p.Release.Bodies = []string{"DRN"}
	p.Release.Need = 1
	for i := range p.Members {
		if p.Members[i].Code == "DRN" {
			p.Members[i].Former = true
		}
	}
	if p.Validate() == nil {
		t.Error("a former member consents")
	}
}
