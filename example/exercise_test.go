// SPDX-License-Identifier: Apache-2.0

package example_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/example"
)

// Each set has codes of its own, so that no code of one can hide in the software, and all
// but the worked example say that they are exercises.
func TestSetsShareNoCode(t *testing.T) {
	of := map[string]string{} // code to the set that has it
	for _, name := range example.Names() {
		p := pack(t, name)
		if p.Exercise != (name != "durand") {
			t.Errorf("%s: exercise is %t", name, p.Exercise)
		}
		if p.Exercise && (!strings.Contains(p.Title["en"], "EXERCISE") || !strings.Contains(p.Notice["en"], "EXERCISE")) {
			t.Errorf("%s: title or notice does not say EXERCISE", name)
		}
		codes := map[string]bool{}
		for _, x := range p.Measures {
			codes[x.Code] = true
		}
		for _, x := range p.Groups {
			codes[x.Code] = true
		}
		for _, x := range p.Stances {
			codes[x.Code] = true
		}
		for _, x := range p.Parties {
			codes[x.Code] = true
		}
		for _, x := range p.Places {
			codes[x.Code] = true
		}
		for _, x := range p.Lines {
			codes[x.Code] = true
		}
		for _, x := range slices.Concat(p.ClaimantKinds, p.Grades, p.IncidentTypes, p.PlaceKinds, p.Subsets) {
			codes[x.Code] = true
		}
		for c := range codes {
			if of[c] != "" {
				t.Errorf("code %s is in %s and in %s", c, of[c], name)
			}
			of[c] = name
		}
	}
}

// texts gives every text of a value of JSON, by where it stands.
func texts(t *testing.T, b []byte) map[string]string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				walk(at+"/"+k, x)
			}
		case []any:
			for i, x := range v {
				walk(at+"/"+strconv.Itoa(i), x)
			}
		case string:
			out[at] = v
		}
	}
	walk("", v)
	return out
}

// Every name of the pack is there in all four languages.
func TestStoryPacksSpeakEveryLanguage(t *testing.T) {
	for _, name := range example.Told() {
		langs := pack(t, name).Languages
		all := texts(t, open(t, name).Agreement)
		seen := 0
		for at := range all {
			base, ok := strings.CutSuffix(at, "/en")
			if !ok {
				continue
			}
			seen++
			for _, l := range langs {
				if all[base+"/"+l] == "" {
					t.Errorf("%s: %s has no text in %s", name, base, l)
				}
			}
		}
		if seen < 70 {
			t.Errorf("%s: only %d texts found", name, seen)
		}
	}
}

// No name of a place, line or party of the worked example is in an exercise.
func TestExercisesNameNothingReal(t *testing.T) {
	real := pack(t, "durand")
	ordinary := []string{"Line", "The", "Upper", "Lower", "Gate", "District", "Square", "North", "South", "Government", "Corps", "Federal", "Friendship"}
	capitalised := regexp.MustCompile(`\p{Lu}[\pL'-]+`)
	names := map[string]*regexp.Regexp{}
	add := func(list ...agreement.Text) {
		for _, text := range list {
			for _, s := range text {
				for _, word := range append(capitalised.FindAllString(s, -1), s) {
					if len(word) >= 3 && !slices.Contains(ordinary, word) && names[word] == nil {
						names[word] = regexp.MustCompile(`(?i)(^|[^\pL])` + regexp.QuoteMeta(word) + `($|[^\pL])`)
					}
				}
			}
		}
	}
	for _, x := range real.Places {
		add(x.Name)
		for _, n := range x.PartyNames {
			add(n)
		}
	}
	for _, x := range real.Lines {
		add(x.Name)
		for _, n := range x.PartyNames {
			add(n)
		}
	}
	for _, x := range real.Parties {
		add(x.Name, x.OwnName, x.Short)
	}
	if len(names) < 200 {
		t.Fatalf("only %d names", len(names))
	}
	for _, set := range example.Names() {
		if !pack(t, set).Exercise {
			continue
		}
		s := open(t, set)
		for what, b := range map[string][]byte{"agreement": s.Agreement, "accounts": s.Accounts, "incidents": s.Incidents, "story": s.Story, "acts": s.Acts} {
			for name, re := range names {
				if re.Match(b) {
					t.Errorf("%s: its %s holds %q, a name of the worked example", set, what, name)
				}
			}
		}
	}
}

// Every place and line of an exercise lies where no land is near: south of 35 degrees and
// between 95 and 135 degrees west, in the widest part of the ocean.
func TestExercisesLieInOpenOcean(t *testing.T) {
	for _, name := range example.Names() {
		p := pack(t, name)
		if !p.Exercise {
			continue
		}
		at := func(code string, lat, lon int64) {
			if lat > -35e6 || lat < -60e6 || lon < -135e6 || lon > -95e6 {
				t.Errorf("%s: %s lies at %d, %d", name, code, lat, lon)
			}
			if v := p.View; v == nil || lat < v.South || lat > v.North || lon < v.West || lon > v.East {
				t.Errorf("%s: %s lies outside the view", name, code)
			}
		}
		points := 0
		for _, x := range p.Places {
			if x.LatE6 != nil {
				at(x.Code, *x.LatE6, *x.LonE6)
				points++
			}
		}
		for _, l := range p.Lines {
			for _, pt := range l.Path {
				at(l.Code, pt[0], pt[1])
			}
			if len(l.PartyNames) < 2 {
				t.Errorf("%s: line %s has no two names", name, l.Code)
			}
		}
		if points < 5 || len(p.Contested) > 0 {
			t.Errorf("%s: %d points, boundaries %v", name, points, p.Contested)
		}
	}
}
