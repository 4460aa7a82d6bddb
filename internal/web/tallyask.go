// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
)

// speaker is one of the two whose figures are set side by side: a party with all who
// speak for it, or one claimant.
type speaker struct {
	reconcile.Speaker
	key string // in addresses
}

// speakerKey writes a claimant as addresses do. Codes hold no colon.
func speakerKey(c record.Claimant) string {
	return byClaimant + c.Kind + ":" + c.Party + ":" + c.Name
}

// speakerOf finds who is meant by a key.
func (v *view) speakerOf(key string, claimants []record.Claimant) (speaker, error) {
	if v.names.parties[key] != nil {
		return speaker{reconcile.Speaker{Party: key}, key}, nil
	}
	for _, c := range claimants {
		if speakerKey(c) == key {
			return speaker{reconcile.Speaker{Claimant: c}, key}, nil
		}
	}
	return speaker{}, fault{status: http.StatusNotFound, key: "tally.no_speaker", args: []any{"value", strings.TrimPrefix(key, byClaimant)}}
}

// side is the party that the speaker is or speaks for; empty for the others.
func (v *view) sideOf(s speaker) string {
	if s.Party != "" {
		return s.Party
	}
	return v.names.speaks(s.Claimant)
}

// speakerText names a speaker without markup.
func (v *view) speakerText(s speaker) string {
	if s.Party != "" {
		return v.names.party(s.Party)
	}
	return s.Claimant.Name
}

// factChoice is a fact with how many incidents each of two speakers gives figures of.
type factChoice struct {
	statistics.Fact
	a, b int
}

// tallyAsk is what the address asks to have compared.
type tallyAsk struct {
	filter
	a, b      speaker
	fact      statistics.Fact // without a group
	groups    []string        // several: parts of one group
	totals    [2]*reconcile.Cite
	q         reconcile.TallyQuestion
	claimants []record.Claimant
	facts     []factChoice // all that there are figures of, by the agreement's order
}

// none tells that there is nothing in the record that could be compared.
func (a *tallyAsk) none() bool { return a.fact.Measure == "" }

// tallyAsked reads the form. What is not said is chosen: the first two parties, and the
// fact of which both give most figures.
func (s *server) tallyAsked(ctx context.Context, v *view) (tallyAsk, error) {
	f, pf, err := parseFilter(v)
	f.Text, f.What, f.Who = "", nil, nil
	ask := tallyAsk{filter: f}
	if err != nil {
		return ask, err
	}
	if ask.claimants, err = s.tabled(ctx, v); err != nil {
		return ask, err
	}
	if err := v.askSpeakers(&ask); err != nil {
		return ask, err
	}
	entries, err := s.Source.Statistics(ctx)
	if err != nil {
		return ask, err
	}
	ask.facts = v.factChoices(entries, ask.a, ask.b)
	if err := v.askFact(&ask); err != nil {
		return ask, err
	}
	for i, name := range []string{"total_a", "total_b"} {
		if t := first(v.query, name); t != "" {
			if ask.totals[i], err = parseCite(t); err != nil {
				return ask, err
			}
		}
	}
	ask.q = reconcile.TallyQuestion{A: ask.a.Speaker, B: ask.b.Speaker, Element: ask.fact.Element, Measure: ask.fact.Measure, Groups: ask.groups,
		Since: pf.Since, Until: pf.Until, Places: pf.Place}
	if ask.none() {
		return ask, nil
	}
	return ask, v.askable(ask.q)
}

// askable refuses what could not be added up, in words of the page.
func (v *view) askable(q reconcile.TallyQuestion) error {
	one := q
	one.Groups = q.Groups[:1]
	if _, err := reconcile.Explain(v.pack, one, nil); err != nil {
		return fault{status: http.StatusBadRequest, key: "tally.not_addable", args: []any{"measure", v.names.measure(q.Measure)}, err: err}
	}
	if _, err := reconcile.Explain(v.pack, q, nil); err != nil {
		return fault{status: http.StatusBadRequest, key: "tally.groups_overlap", err: err}
	}
	return nil
}

func (v *view) askSpeakers(ask *tallyAsk) (err error) {
	a, b := first(v.query, "a"), first(v.query, "b")
	if a != "" {
		if ask.a, err = v.speakerOf(a, ask.claimants); err != nil {
			return err
		}
	}
	if b != "" {
		if ask.b, err = v.speakerOf(b, ask.claimants); err != nil {
			return err
		}
	}
	for _, p := range v.pack.Parties {
		free := v.sideOf(ask.a) != p.Code && v.sideOf(ask.b) != p.Code
		switch party := (speaker{reconcile.Speaker{Party: p.Code}, p.Code}); {
		case free && ask.a.key == "":
			ask.a = party
		case free && ask.b.key == "":
			ask.b = party
		}
	}
	if ask.a.key == ask.b.key {
		return filterError("tally.same_twice", "who", v.speakerText(ask.a))
	}
	return nil
}

// factChoices counts, for each fact of which anybody gives a figure that can be added, the
// incidents of which the two do.
func (v *view) factChoices(entries []*statistics.Entry, a, b speaker) []factChoice {
	type count struct{ a, b, seenA, seenB int }
	found := map[statistics.Fact]*count{}
	for i, e := range entries {
		for j := range e.Values {
			x := &e.Values[j]
			if x.Kind != statistics.Numbered || !v.addable(x.Fact.Measure) {
				continue
			}
			c := found[x.Fact]
			if c == nil {
				c = &count{}
				found[x.Fact] = c
			}
			if a.Is(x.Claimant) && c.seenA != i+1 {
				c.a, c.seenA = c.a+1, i+1
			}
			if b.Is(x.Claimant) && c.seenB != i+1 {
				c.b, c.seenB = c.b+1, i+1
			}
		}
	}
	measures, groups := map[string]int{}, map[string]int{}
	for i, m := range v.pack.Measures {
		measures[m.Code] = i
	}
	for i, g := range v.pack.Groups {
		groups[g.Code] = i + 1
	}
	var out []factChoice
	for f, c := range found {
		out = append(out, factChoice{f, c.a, c.b})
	}
	slices.SortFunc(out, func(x, y factChoice) int {
		return cmp.Or(cmp.Compare(measures[x.Measure], measures[y.Measure]), cmp.Compare(slices.Index(statistics.Elements, x.Element), slices.Index(statistics.Elements, y.Element)),
			cmp.Compare(groups[x.Group], groups[y.Group]), cmp.Compare(x.Group, y.Group))
	})
	return out
}

// addable tells whether figures of the measure count people or things one by one.
func (v *view) addable(measure string) bool {
	m := v.names.measures[measure]
	return m != nil && (m.Unit == "people" || m.Unit == "objects")
}

// askFact reads or chooses what is counted.
func (v *view) askFact(ask *tallyAsk) error {
	asked := first(v.query, "fact")
	if asked != "" {
		element, measure, ok := strings.Cut(asked, ":")
		if !ok { // of whichever element there are most figures
			element, measure = "", asked
		}
		ask.fact = statistics.Fact{Element: record.Element(element), Measure: measure}
		if ok && !slices.Contains(statistics.Elements, ask.fact.Element) || v.names.measures[measure] == nil {
			return filterError("statistics.bad_measure", "value", asked)
		}
	}
	for _, list := range values(v.query, "group") {
		for _, code := range strings.Split(list, ",") {
			if code != notSaid && v.names.groups[code] == nil && v.names.parties[code] == nil {
				return filterError("statistics.bad_group", "value", code)
			}
			if code = undashed(code); !slices.Contains(ask.groups, code) {
				ask.groups = append(ask.groups, code)
			}
		}
	}
	best := -1
	for i, c := range ask.facts {
		switch {
		case asked != "" && (c.Measure != ask.fact.Measure || ask.fact.Element != "" && c.Element != ask.fact.Element), len(ask.groups) > 0 && !slices.Contains(ask.groups, c.Group):
		case best < 0 || cmp.Or(cmp.Compare(min(c.a, c.b), min(ask.facts[best].a, ask.facts[best].b)), cmp.Compare(c.a+c.b, ask.facts[best].a+ask.facts[best].b)) > 0:
			best = i
		}
	}
	switch {
	case best >= 0:
		ask.fact = statistics.Fact{Element: ask.facts[best].Element, Measure: ask.facts[best].Measure}
		if len(ask.groups) == 0 {
			ask.groups = []string{ask.facts[best].Group}
		}
	case asked == "" && len(ask.facts) > 0:
		ask.fact = statistics.Fact{Element: ask.facts[0].Element, Measure: ask.facts[0].Measure}
	}
	if ask.fact.Measure != "" && ask.fact.Element == "" {
		ask.fact.Element = record.Harm
	}
	if len(ask.groups) == 0 && ask.fact.Measure != "" {
		ask.groups = []string{""}
		if len(v.pack.Groups) > 0 {
			ask.groups[0] = v.pack.Groups[0].Code
		}
	}
	return nil
}

// parseCite reads a claim of an address: the account's id and the claim's number.
func parseCite(s string) (*reconcile.Cite, error) {
	account, number, _ := strings.Cut(s, ":")
	id, err := record.ParseID(account)
	n, err2 := strconv.Atoi(number)
	if err != nil || err2 != nil || n < 1 || citeText(reconcile.Cite{Account: id, Claim: n}) != s {
		return nil, filterError("tally.bad_claim", "value", s)
	}
	return &reconcile.Cite{Account: id, Claim: n}, nil
}

func citeText(c reconcile.Cite) string { return c.Account.String() + ":" + itoa(c.Claim) }

func factText(f statistics.Fact) string { return string(f.Element) + ":" + f.Measure }

// groupsText writes groups as addresses do.
func groupsText(groups []string) string {
	var out []string
	for _, g := range groups {
		out = append(out, dashed(g))
	}
	return strings.Join(out, ",")
}

// address writes what is compared as an address does, the page left out.
func (a tallyAsk) address() url.Values {
	q := a.filter.query()
	q.Set("a", a.a.key)
	q.Set("b", a.b.key)
	if !a.none() {
		q.Set("fact", factText(a.fact))
		q.Set("group", groupsText(a.groups))
	}
	for i, name := range []string{"total_a", "total_b"} {
		if a.totals[i] != nil {
			q.Set(name, citeText(*a.totals[i]))
		}
	}
	return q
}

// exchanged asks the same with the two in each other's place.
func (a tallyAsk) exchanged() url.Values {
	a.a, a.b = a.b, a.a
	a.totals[0], a.totals[1] = a.totals[1], a.totals[0]
	return a.address()
}
