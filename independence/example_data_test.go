// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"slices"
	"testing"

	"truceline/independence"
	"truceline/record"
)

// TestWorkedExample prints how many origins each incident of the worked example has, and
// checks some of them against what a reader of accounts.csv finds.
func TestWorkedExample(t *testing.T) {
	m := load(t, "durand")
	byHand := map[string]struct {
		joined []string // with all reasons
		apart  int      // voices, where documents and agencies are trusted
	}{
		// One dispatch tells what the officials and the military said; another what UNAMA
		// and residents did. UNICEF and an NGO stand alone. That the NGO's figures are those of
		// the officials (41, 22, 6, 47) is not enough to join them.
		"PA-2022-002": {[]string{"a-S002 a-S003 a-S004 a-S005", "a-S007", "a-S008 a-S009", "a-S010"}, 6},
		// A party and an armed group, in two papers.
		"PA-2023-003": {[]string{"a-S022", "a-S023"}, 2},
		// One spokesman in two papers, and the other party, and a UN mission.
		"PA-2025-005": {[]string{"b-S001", "b-S002 b-S003", "b-S004"}, 3},
		// A board and an official of one party, a minister in two papers, sources of a
		// broadcaster, a UN mission.
		"PA-2025-011": {[]string{"b-S009", "b-S020 b-S021", "b-S022", "b-S023 b-S024"}, 4},
		// One article has offices of a party and a hospital, one agency that party's spokesman
		// and the other party's: two hands, though one party is heard through both.
		"PA-2025-020": {[]string{"b-S047 b-S050", "b-S048 b-S049 b-S051"}, 3},
		// Four words of one party, two of them in an agency's dispatch with the other party's
		// and what the agency saw; another office of the UN in another paper.
		"PA-2026-017": {[]string{"c-S039 c-S040", "c-S041 c-S042 c-S043 c-S044", "c-S045"}, 4},
		// A UN mission in two papers, one of which has a party too; and a commentator. The
		// mission's own paper keeps the party from being counted with it.
		"PA-AGG-001": {[]string{"c-S055 c-S057", "c-S056", "c-S058"}, 3},
	}
	var accounts, together, apart int
	kinds := map[independence.Kind]int{}
	for _, ref := range m.incidents {
		ts := m.tellings(ref)
		if len(ts) == 0 {
			continue
		}
		r := independence.Find(ts, m.context)
		voices := r.Without(independence.Channels...)
		t.Logf("%s: %d accounts, %d origins, %d voices", ref, len(ts), r.Count, voices.Count)
		accounts, together, apart = accounts+len(ts), together+r.Count, apart+voices.Count
		for _, g := range r.Groups {
			for _, e := range g.Edges {
				kinds[e.Kind]++
			}
		}
		if want, ok := byHand[ref]; ok {
			delete(byHand, ref)
			if got := m.names(r); !slices.Equal(got, want.joined) || voices.Count != want.apart {
				t.Errorf("%s: groups %q and %d voices, want %q and %d", ref, got, voices.Count, want.joined, want.apart)
			}
		}
	}
	t.Logf("in all %d accounts, %d origins, %d voices; edges %v", accounts, together, apart, kinds)
	if len(byHand) > 0 {
		t.Errorf("%d incidents were not found", len(byHand))
	}
}

// Everything that was told as one crowd: no text and no rare value joins what has nothing
// to do with each other.
func TestWorkedExampleHasNoFalseTextEdges(t *testing.T) {
	m := load(t, "durand")
	var ts []independence.Telling
	incidents := map[record.ID]map[string]bool{}
	for name, a := range m.accounts {
		ts = append(ts, *a)
		incidents[a.Account] = map[string]bool{}
		for _, l := range m.links {
			if l.Account == name {
				incidents[a.Account][l.Ref] = true
			}
		}
	}
	r := independence.Find(ts, m.context)
	t.Logf("%d accounts, %d groups", len(ts), len(r.Groups))
	called := map[record.ID]*independence.Telling{}
	for i := range ts {
		called[ts[i].Account] = &ts[i]
	}
	for _, g := range r.Groups {
		for _, e := range g.Edges {
			if e.Kind != independence.NearDuplicate && e.Kind != independence.Contained && e.Kind != independence.CopiedDocument && e.Kind != independence.RareValues {
				continue
			}
			if a, b := called[e.A], called[e.B]; a.Document != b.Document {
				t.Logf("%s %d: %q, %q %+v", e.Kind, e.Thousandths, a.DocumentTexts, b.DocumentTexts, e.Shared)
				t.Errorf("%s and %s are joined by %s", a.Claimant.Name, b.Claimant.Name, e.Kind)
			}
		}
	}
}
