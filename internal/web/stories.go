// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"

	"truceline/reconcile"
	"truceline/record"
)

// story is one sign in one state.
type story struct {
	name    string
	axis    axis
	figure  figure
	earlier []figure
}

func (s *server) stories(v *view, _ *http.Request) error {
	v.title = v.T("stories.title")
	v.sheets = append(v.sheets, "analysis.css", "origins.css")
	v.body = storiesBody(v)
	v.sheets = append(v.sheets, "linkage.css")
	return nil
}

func amount(n int64) *int64 { return &n }

// glyphStories are the shapes an interval can take, on one axis. The figures are made up.
func glyphStories() []story {
	a := axis{max: 40}
	exact := func(n int64) figure { return figure{Kind: "claimed", Low: amount(n), High: amount(n), Bound: "exact"} }
	return []story{
		{"exact", a, exact(15), nil},
		{"at_least", a, figure{Kind: "claimed", Low: amount(12), Bound: "at_least"}, nil},
		{"at_most", a, figure{Kind: "claimed", High: amount(20), Bound: "at_most"}, nil},
		{"range", a, figure{Kind: "claimed", Low: amount(15), High: amount(20), Bound: "range"}, nil},
		{"about", a, figure{Kind: "claimed", Low: amount(25), High: amount(25), Bound: "about"}, nil},
		{"series", a, exact(40), []figure{{Low: amount(12), Bound: "at_least"}, exact(15)}},
		{"zero", a, figure{Kind: "zero", Low: amount(0), High: amount(0), Bound: "exact"}, nil},
		{"denied", a, figure{Kind: "denied"}, nil},
		{"silent", a, figure{Kind: "silent"}, nil},
		{"not_coded", a, figure{Kind: "not_coded"}, nil},
	}
}

// rowStates are the states in the order pages name them.
func rowStates() []string {
	var out []string
	for _, st := range reconcile.States {
		out = append(out, string(st))
	}
	return out
}

func storyClaimants(v *view) []record.Claimant {
	var out []record.Claimant
	for _, p := range v.pack.Parties {
		out = append(out, record.Claimant{Name: "Example speaker", Kind: "official", Party: p.Code})
	}
	return append(out, record.Claimant{Name: "Example observer <b>", Kind: "observer"})
}

// originStories are an origin of one claimant, one that two share, and the unknown.
func originStories() []*originGroup {
	return []*originGroup{{mark: "1", members: make([]originMember, 1)}, {mark: "2", members: make([]originMember, 2)}, {mark: "?", unknown: true, members: make([]originMember, 2)}}
}

// supportStory is the support of made-up figures: steps up to what is corroborated, a gap,
// and an open end.
func supportStory() supportChart {
	step := func(low, high int64, support int) reconcile.Stretch {
		return reconcile.Stretch{Range: reconcile.Range{Low: low, High: high}, Support: support}
	}
	said := []reconcile.Voice{{Range: reconcile.Range{Low: 10, High: 20}}, {Range: reconcile.Range{Low: 15, High: 20}}, {Range: reconcile.Range{Low: 18, High: 20}},
		{Range: reconcile.Range{Low: 31, High: reconcile.Unbounded}}}
	return newSupportChart(&reconcile.Spread{Voices: said, Groups: 4, Threshold: reconcile.DefaultThreshold, Envelope: reconcile.Range{Low: 10, High: reconcile.Unbounded},
		Steps: []reconcile.Stretch{step(10, 14, 1), step(15, 17, 2), step(18, 20, 3), step(21, 30, 0), step(31, reconcile.Unbounded, 1)}})
}
