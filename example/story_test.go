// SPDX-License-Identifier: Apache-2.0

package example_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/mechanism"
	"truceline/record"
)

// told is one step of a story with its bodies read.
type told struct {
	example.Step
	body   record.Body
	report *record.Report // nil where it names no document
}

// tell reads the story of an example.
func tell(t *testing.T, name string) []told {
	t.Helper()
	steps, err := open(t, name).Steps()
	if err != nil {
		t.Fatal(name, err)
	}
	read := func(ref string, kind record.Kind, raw json.RawMessage) record.Body {
		b, err := record.Canonical(raw)
		if err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
		body, err := record.ParseBody(kind, b)
		if err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
		return body
	}
	var out []told
	for _, s := range steps {
		x := told{Step: s, body: read(s.Ref, record.Kind(s.Kind), s.Body)}
		if s.Document != nil {
			x.report = read(s.Ref, record.ReportFiled, s.Document).(*record.Report)
		}
		out = append(out, x)
	}
	return out
}

// eachStory runs f on every example that its members tell.
func eachStory(t *testing.T, f func(t *testing.T, p *agreement.Pack, story []told)) {
	for _, name := range example.Told() {
		t.Run(name, func(t *testing.T) { f(t, pack(t, name), tell(t, name)) })
	}
}

// Whoever files may file that kind, what a step is about is of the kind that it asks for,
// and nobody amends or withdraws another's account.
func TestStoryKeepsToTheRights(t *testing.T) {
	eachStory(t, func(t *testing.T, p *agreement.Pack, story []told) {
		role := map[string]record.MemberRole{}
		for _, m := range p.Members {
			role[m.Code] = m.Role
		}
		before := map[string]told{}
		for _, s := range story {
			kind := record.Kind(s.Kind)
			if !mechanism.MayFile(role[s.Member], kind) {
				t.Errorf("%s: %s, of the role %q, files %s", s.Ref, s.Member, role[s.Member], kind)
			}
			account, incident := before[s.Account], before[s.Incident]
			if s.Account != "" && record.Kind(account.Kind) != record.AccountFiled || s.Incident != "" && record.Kind(incident.Kind) != record.IncidentOpened {
				t.Errorf("%s: %q is not the filing of an account, or %q not the opening of an incident", s.Ref, s.Account, s.Incident)
			}
			switch kind {
			case record.AccountAmended, record.AccountWithdrawn:
				if s.Account == "" || account.Member != s.Member {
					t.Errorf("%s: %s changes %q, which %q filed", s.Ref, s.Member, s.Account, account.Member)
				}
			case record.IncidentLinked:
				if s.Account == "" || s.Incident == "" {
					t.Errorf("%s: a link needs an account and an incident", s.Ref)
				}
			}
			if kind == record.AccountAmended {
				was, is := account.body.(*record.Account), s.body.(*record.Account)
				if was.Claimant != is.Claimant || len(was.Claims) > len(is.Claims) {
					t.Errorf("%s: another claimant, or fewer claims", s.Ref)
				}
			}
			before[s.Ref] = s
		}
	})
}

// Every code of a story is in the pack, and every code that claims can have is told of.
func TestStoryIsInCodesOfThePack(t *testing.T) {
	eachStory(t, func(t *testing.T, p *agreement.Pack, story []told) {
		known := map[string]map[string]bool{"element": {}, "measure": {}, "group": {}, "subset": {}, "stance": {}, "kind": {}, "place": {}, "type": {}, "party": {}, "member": {}}
		add := func(list, code string) { known[list][code] = false }
		for _, x := range record.Elements {
			add("element", string(x))
		}
		for _, x := range p.Measures {
			add("measure", x.Code)
		}
		for _, x := range p.Groups {
			add("group", x.Code)
		}
		for _, x := range p.Stances {
			add("stance", x.Code)
		}
		for _, x := range p.Places {
			add("place", x.Code)
		}
		for _, x := range p.Parties {
			add("party", x.Code)
		}
		for _, x := range p.Members {
			if x.Role != record.RegistryRole {
				add("member", x.Code)
			}
		}
		for _, x := range p.Subsets {
			add("subset", x.Code)
		}
		for _, x := range p.ClaimantKinds {
			add("kind", x.Code)
		}
		for _, x := range p.IncidentTypes {
			add("type", x.Code)
		}
		// Those whose small numbers are not told, and what they are counted by, wait for whoever
		// goes on with the exercise.
		waiting := []string{"held", "returned"}
		if n := p.SmallNumbers; n != nil {
			waiting = append(append(waiting, n.Groups...), n.ClaimantKinds...)
		}
		texts := map[string][]string{"": nil} // the source's own words for places
		for _, x := range p.Places {
			texts[x.Name["en"]] = []string{x.Code}
		}
		for _, x := range p.PlaceStrings {
			texts[x.Text] = x.Places
		}
		for _, s := range story {
			use := func(list string, codes ...string) {
				for _, c := range codes {
					if _, ok := known[list][c]; !ok && c != "" {
						t.Errorf("%s: %s %q is not in the pack", s.Ref, list, c)
					} else if c != "" {
						known[list][c] = true
					}
				}
			}
			use("member", s.Member)
			where := func(text string, places []string) {
				use("place", places...)
				if !slices.Equal(texts[text], places) {
					t.Errorf("%s: %q stands for %v, and the pack has %v", s.Ref, text, places, texts[text])
				}
			}
			switch b := s.body.(type) {
			case *record.Account:
				use("kind", b.Claimant.Kind)
				use("party", b.Claimant.Party)
				for _, c := range b.Claims {
					use("element", string(c.Element))
					use("measure", c.Measure)
					use("group", c.Group)
					use("subset", c.Subset)
					use("stance", c.Stance)
					where(c.PlaceText, c.Places)
				}
			case *record.Opening:
				use("type", b.Types...)
				where(b.PlaceText, b.Places)
			}
		}
		for list, codes := range known {
			for c, used := range codes {
				if !used && !slices.Contains([]string{"element", "place", "type"}, list) && !slices.Contains(waiting, c) {
					t.Errorf("%s %s is in the pack and nobody uses it", list, c)
				}
			}
		}
	})
}

// The story has what a demonstration is to show: one night in rival figures with the
// monitor's between them, a denial, a correction, a withdrawal, and work left in the queue.
func TestStoryShowsADispute(t *testing.T) {
	eachStory(t, func(t *testing.T, p *agreement.Pack, story []told) {
		if len(story) < 12 || len(story) > 30 {
			t.Errorf("%d steps", len(story))
		}
		effect := map[string]agreement.Effect{}
		for _, s := range p.Stances {
			effect[s.Code] = s.Effect
		}
		monitor := p.MembersWith(record.MonitorRole)
		days, kinds, linked := map[string]bool{}, map[record.Kind]int{}, map[string]bool{}
		last, denied := "", 0
		figures := map[string]map[string]record.Claim{} // incident, measure and group; then member: what it said first
		incident := map[string]string{}
		for _, s := range story {
			if record.Kind(s.Kind) == record.IncidentLinked {
				incident[s.Account], linked[s.Account] = s.Incident, true
			}
		}
		unlinked := 0
		for _, s := range story {
			if s.On < last {
				t.Errorf("%s: %s is before %s", s.Ref, s.On, last)
			}
			last, days[s.On] = s.On, true
			kinds[record.Kind(s.Kind)]++
			acc, ok := s.body.(*record.Account)
			if !ok || record.Kind(s.Kind) != record.AccountFiled {
				continue
			}
			if string(acc.SaidOn) != s.On {
				t.Errorf("%s: said on %s and filed on %s", s.Ref, acc.SaidOn, s.On)
			}
			if !linked[s.Ref] {
				unlinked++
			}
			for _, c := range acc.Claims {
				if effect[c.Stance] == agreement.Denies && acc.Claimant.Party != "" {
					denied++
				}
				if c.Subset != "" || c.Low == nil && c.High == nil || incident[s.Ref] == "" {
					continue
				}
				key := incident[s.Ref] + " " + c.Measure + " " + c.Group
				if figures[key] == nil {
					figures[key] = map[string]record.Claim{}
				}
				if _, ok := figures[key][s.Member]; !ok {
					figures[key][s.Member] = c
				}
			}
		}
		between := 0
		for _, by := range figures {
			a, okA := by[p.Parties[0].Code]
			b, okB := by[p.Parties[1].Code]
			m, okM := by[monitor[0]]
			if !okA || !okB || !okM {
				continue
			}
			if least(a) > most(b) {
				a, b = b, a
			}
			if most(a) < least(m) && most(m) < least(b) {
				between++
			}
		}
		if len(days) != 6 || between == 0 || denied == 0 || unlinked < 2 || len(monitor) != 1 {
			t.Errorf("%d days, %d facts with the monitor between the parties, %d denials, %d accounts unlinked", len(days), between, denied, unlinked)
		}
		for _, k := range []record.Kind{record.AccountFiled, record.AccountAmended, record.AccountWithdrawn, record.IncidentOpened, record.IncidentLinked} {
			if kinds[k] == 0 {
				t.Errorf("no %s", k)
			}
		}
	})
}

func least(c record.Claim) int64 {
	if c.Low == nil {
		return 0
	}
	return *c.Low
}

func most(c record.Claim) int64 {
	if c.High == nil {
		return record.MaxInt
	}
	return *c.High
}

// The sizes that README.md tells.
func TestStoryCounts(t *testing.T) {
	got := map[string]int{}
	for _, s := range tell(t, "passes") {
		got[s.Kind]++
		if a, ok := s.body.(*record.Account); ok && s.Kind == string(record.AccountFiled) {
			got["claims"] += len(a.Claims)
		}
	}
	want := map[string]int{"account.filed": 11, "claims": 53, "account.amended": 1, "account.withdrawn": 1, "incident.opened": 2, "incident.linked": 9}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Nothing of an exercise can be taken for a report: every body says EXERCISE, its title
// and notice in every language, and its officers are nobody.
func TestStorySaysExercise(t *testing.T) {
	officer := regexp.MustCompile(`^Example .* officer$`)
	eachStory(t, func(t *testing.T, p *agreement.Pack, story []told) {
		if !slices.Equal(p.Languages, []string{"en", "ur", "ps", "prs"}) {
			t.Errorf("languages %v", p.Languages)
		}
		for _, lang := range p.Languages {
			if !strings.Contains(p.Title[lang], "EXERCISE") || !strings.Contains(p.Notice[lang], "EXERCISE") {
				t.Errorf("%s: the title %q or the notice %q does not say EXERCISE", lang, p.Title[lang], p.Notice[lang])
			}
		}
		for _, s := range story {
			if !officer.MatchString(s.Officer) {
				t.Errorf("%s: officer %q", s.Ref, s.Officer)
			}
			if !bytes.Contains(s.Body, []byte("EXERCISE")) || s.Document != nil && !bytes.Contains(s.Document, []byte("EXERCISE")) {
				t.Errorf("%s: a body does not say EXERCISE", s.Ref)
			}
			if a, ok := s.body.(*record.Account); ok {
				for _, c := range a.Claims {
					if c.Note != "EXERCISE" {
						t.Errorf("%s: claim %d does not say EXERCISE", s.Ref, c.N)
					}
				}
			}
		}
	})
}

func TestStepsRefuse(t *testing.T) {
	good := `{"story": 1, "steps": [
		{"ref": "a", "on": "2032-04-04", "member": "VAL", "officer": "o", "kind": "account.filed", "body": {}},
		{"ref": "b", "on": "2032-04-04", "member": "VAL", "officer": "o", "kind": "account.withdrawn", "account": "a", "body": {}}]}`
	if steps, err := (&example.Set{Story: []byte(good)}).Steps(); err != nil || len(steps) != 2 {
		t.Fatal(steps, err)
	}
	for want, change := range map[string][2]string{
		"has none":              {good, ""},
		"unknown field":         {`"on"`, `"at"`},
		"are needed":            {`"officer": "o", "kind": "account.filed"`, `"kind": "account.filed"`},
		"there is a step":       {`"ref": "b"`, `"ref": "a"`},
		"no step before":        {`"account": "a"`, `"account": "b"`},
		"something follows":     {`}]}`, `}]} {}`},
		`it needs "story": 1`:   {`"story": 1`, `"story": 2`},
		"unexpected EOF":        {`}]}`, `}]`},
		`"steps"`:               {good, `{"story": 1, "steps": []}`},
		"which no step before ": {`"account": "a"`, `"incident": "c"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s: nothing changed", want)
		}
		if _, err := (&example.Set{Story: []byte(bad)}).Steps(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}
