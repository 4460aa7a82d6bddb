// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/independence"
	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/record"
)

// teller adds accounts of one incident of an example to which nobody else speaks.
type teller struct {
	*webtest.Source
	t   *testing.T
	in  record.ID
	log int64
}

func newTeller(t *testing.T, name string) *teller {
	s := newSource(t, name)
	w := &teller{Source: s, t: t, in: record.ID{0xee}, log: s.Log[len(s.Log)-1].Index}
	in := s.List[0]
	in.ID, in.Label, in.Class, in.State = w.in, "a landing", record.ClassIncident, "open"
	s.List = append([]projection.Incident{in}, s.List...)
	return w
}

// tell adds an account with a figure for each group.
func (w *teller) tell(n byte, who record.Claimant, figures map[string][2]int64, edit func(*projection.Account, *record.Report)) record.ID {
	a := projection.Account{ID: record.ID{0xaa, n}, Current: record.ID{0xaa, n}, Index: w.log, Recorder: "desk", State: "recorded", Report: record.ID{0xbb, n}}
	a.Body.Claimant, a.Body.SaidOn = who, "2031-04-12"
	measure := w.TheAgreement.Measures[0].Code
	for _, g := range w.TheAgreement.Groups {
		if f, ok := figures[g.Code]; ok {
			c := record.Claim{N: len(a.Body.Claims) + 1, Element: record.Harm, Measure: measure, Group: g.Code, Bound: "range", FirstHand: "unknown", Scope: record.ScopeIncident,
				Stance: w.TheAgreement.Stances[0].Code, Words: "so many", Low: &f[0], High: &f[1]}
			if f[0] == f[1] {
				c.Bound = "exact"
			}
			a.Body.Claims = append(a.Body.Claims, c)
		}
	}
	a.Links = []projection.Link{{ID: record.ID{0xcc, n}, Account: a.ID, Incident: w.in, Root: w.in, Role: record.LinkAbout, Reason: "same day"}}
	body := record.Report{Title: fmt.Sprint("Paper ", n), Carrier: fmt.Sprint("Outlet ", n)}
	if edit != nil {
		edit(&a, &body)
	}
	w.Reports[a.Report] = projection.Report{ID: a.Report, Body: body}
	w.All = append(w.All, a)
	return a.ID
}

func (w *teller) page(lang string) *node {
	w.t.Helper()
	return parse(w.t, get(newHandler(w.t, w.Source), in(lang, "/incident/"+w.in.String())).Body.String())
}

func withClass(page *node, class string) (out []*node) {
	page.walk(func(n *node) {
		if slices.Contains(strings.Fields(n.attrs["class"]), class) {
			out = append(out, n)
		}
	})
	return out
}

func one(t *testing.T, page *node, class string) *node {
	t.Helper()
	list := withClass(page, class)
	if len(list) != 1 {
		t.Fatalf("%d elements of class %s", len(list), class)
	}
	return list[0]
}

// Ten outlets that carry one spokesman are one bracket, one origin and one voice, and
// corroborate nothing; whichever party the spokesman speaks for.
func TestTenOutletsAreOneBracket(t *testing.T) {
	for party := range 2 {
		w := newTeller(t, "lakes")
		spokesman := record.Claimant{Kind: w.TheAgreement.ClaimantKinds[0].Code, Name: "A spokesman", Party: w.TheAgreement.Parties[party].Code}
		group := w.TheAgreement.Groups[0].Code
		for n := range byte(10) {
			w.tell(n, spokesman, map[string][2]int64{group: {12, 12}}, nil)
		}
		w.tell(10, record.Claimant{Kind: w.TheAgreement.ClaimantKinds[1].Code, Name: "An office", Party: spokesman.Party}, map[string][2]int64{group: {12, 12}}, nil)
		page := w.page("en")
		if words := one(t, page, "origin-line").words(); !strings.Contains(words, "11 accounts") || !strings.Contains(words, "1 independent origin ") || !strings.Contains(words, "1 voice ") {
			t.Errorf("party %d: %s", party, words)
		}
		item := one(t, page, "origin-item").words()
		for _, want := range []string{"10 accounts are by one claimant, A spokesman.", "11 accounts speak for one party", "never corroborate each other"} {
			if !strings.Contains(item, want) {
				t.Errorf("party %d: the origin does not say %q: %s", party, want, item)
			}
		}
		if strings.Contains(item, "First told by") {
			t.Errorf("party %d: one of eleven of one day is first: %s", party, item)
		}
		if n := len(withClass(page, "cell-bracket")); n != 2 {
			t.Errorf("party %d: %d cells in brackets", party, n)
		}
		if row := one(t, page, "matrix-range").words(); !strings.Contains(row, "Not corroborated: no count has more than 1 origin, 3 are needed") {
			t.Errorf("party %d: %s", party, row)
		}
		if len(withClass(page, "support-full")) != 0 {
			t.Errorf("party %d: drawn as corroborated", party)
		}
	}
}

// Three origins corroborate what all three admit, and every number opens its claims.
func TestCorroborated(t *testing.T) {
	w := newTeller(t, "lakes")
	group := w.TheAgreement.Groups[0].Code
	watch := w.TheAgreement.ClaimantKinds[2].Code
	for i, f := range [][2]int64{{10, 20}, {15, 30}, {18, 25}} {
		w.tell(byte(i), record.Claimant{Kind: watch, Name: fmt.Sprint("Watch ", i)}, map[string][2]int64{group: f}, nil)
	}
	page := w.page("en")
	row := one(t, page, "matrix-range")
	for _, want := range []string{"Range 10–30", "Corroborated by 3 origins or more: 18–20", "Most agreed: 18–20, by 3 of its 3 origins", "Disagreement 86 %: of the counts that any claimant admits, the share that not all admit.", "3 independent origins"} {
		if !strings.Contains(strip(row.words()), want) {
			t.Errorf("does not say %q: %s", want, row.words())
		}
	}
	row.walk(func(n *node) {
		if strings.Contains(n.text, "Disagreement") && !n.within(func(x *node) bool { return x.name == "details" }) {
			t.Errorf("the disagreement stands in the headline: %s", n.text)
		}
	})
	if n := len(withClass(row, "support-full")); n != 1 {
		t.Errorf("%d steps drawn as corroborated", n)
	}
	table := one(t, row, "support-table")
	if n := len(table.all("tbody")[0].all("tr")); n != 5 {
		t.Errorf("%d steps", n)
	}
	for _, tr := range table.all("tbody")[0].all("tr") {
		if len(tr.all("a")) == 0 {
			t.Errorf("step %s names no claim", tr.words())
		}
	}
}

// What is not corroborated says how many origins meet and how many are needed; a row with
// one figure says it in short, and one in words alone says nothing.
func TestNotCorroborated(t *testing.T) {
	w := newTeller(t, "lakes")
	one, two := w.TheAgreement.Groups[0].Code, w.TheAgreement.Groups[1].Code
	watch := w.TheAgreement.ClaimantKinds[2].Code
	for i, f := range []map[string][2]int64{{one: {10, 20}}, {one: {15, 30}}, {one: {40, 40}, two: {7, 7}}} {
		w.tell(byte(i), record.Claimant{Kind: watch, Name: fmt.Sprint("Watch ", i)}, f, nil)
	}
	said := strip(w.page("en").words())
	for _, want := range []string{"Not corroborated: 2 origins meet, 3 are needed", "Most agreed: 15–20, by 2 of its 3 origins", "1 origin; 3 are needed"} {
		if !strings.Contains(said, want) {
			t.Errorf("does not say %q", want)
		}
	}
	last := &w.All[len(w.All)-1]
	for i := range last.Body.Claims {
		if c := &last.Body.Claims[i]; c.Group == two {
			c.Low, c.High, c.Bound, c.Words = nil, nil, "at_least", "some"
		}
	}
	if said := strip(w.page("en").words()); strings.Contains(said, "1 origin; 3 are needed") || !strings.Contains(said, "2 origins meet") {
		t.Error("a row in words says that it is not corroborated")
	}
}

// Those who speak for no party share no side.
func TestOthersShareNoSide(t *testing.T) {
	for party, want := range map[bool]string{false: "Watch 0 and Watch 1, among the others, exclude each other.", true: "Watch 0 and Watch 1, on the same side, exclude each other."} {
		w := newTeller(t, "lakes")
		for i, f := range [][2]int64{{3, 3}, {9, 9}} {
			who := record.Claimant{Kind: w.TheAgreement.ClaimantKinds[2].Code, Name: fmt.Sprint("Watch ", i)}
			if party {
				who.Party = w.TheAgreement.Parties[0].Code
			}
			w.tell(byte(i), who, map[string][2]int64{w.TheAgreement.Groups[0].Code: f}, nil)
		}
		if words := strip(w.page("en").words()); !strings.Contains(words, want) {
			t.Errorf("does not say %q", want)
		}
	}
}

// Who says that there were none gives the figure 0, also where the stance denies.
func TestStatedNoneIsCitedAsZero(t *testing.T) {
	w := newTeller(t, "lakes")
	group := w.TheAgreement.Groups[0].Code
	for i, f := range [][2]int64{{0, 0}, {3, 5}} {
		w.tell(byte(i), record.Claimant{Kind: w.TheAgreement.ClaimantKinds[2].Code, Name: fmt.Sprint("Watch ", i)}, map[string][2]int64{group: f}, nil)
	}
	at := slices.IndexFunc(w.TheAgreement.Stances, func(s agreement.Stance) bool { return s.Effect == agreement.Denies })
	for i := range w.All {
		for j := range w.All[i].Body.Claims {
			if c := &w.All[i].Body.Claims[j]; c.Low != nil && *c.Low == 0 && c.High != nil && *c.High == 0 {
				c.Stance = w.TheAgreement.Stances[at].Code
			}
		}
	}
	row := one(t, w.page("en"), "matrix-range")
	zero := 0
	for _, ul := range withClass(row, "cited") {
		for _, li := range ul.all("li") {
			if words := strip(li.words()); strings.Contains(words, "Watch 0") {
				if zero++; strings.Contains(words, "denied") || !strings.HasPrefix(words, "Watch 00 ") {
					t.Errorf("a stated none is cited as %q", words)
				}
			}
		}
	}
	if zero == 0 {
		t.Error("no stated none is cited: this test shows nothing")
	}
}

// What is computed opens its claims, on every incident of the example; and says of whose
// records it was computed.
func TestComputedOpensItsClaims(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	claim := regexp.MustCompile(`^/account/[0-9a-f]{32}(\?lang=en)?#claim-\d+`)
	n := 0
	for _, inc := range s.List {
		page := parse(t, get(h, "/incident/"+inc.ID.String()).Body.String())
		for _, b := range withClass(page, "basis") {
			cites := slices.ContainsFunc(b.all("a"), func(a *node) bool { return claim.MatchString(a.attrs["href"]) })
			if n++; !cites {
				t.Errorf("%s: %q opens no claim", inc.Label, b.all("summary")[0].words())
			}
		}
		digits := regexp.MustCompile(`\d`)
		for _, row := range append(withClass(page, "range-facts"), withClass(page, "balances")...) {
			row.walk(func(x *node) {
				if digits.MatchString(x.text) && !x.within(func(p *node) bool {
					return p.name == "details" || p.name == "svg" || p.name == "time" || p.attrs["class"] == "scope" || p.attrs["class"] == "chip"
				}) {
					if !strings.Contains(x.parent.attrs["class"], "quiet") && !x.within(func(p *node) bool { return p.attrs["class"] == "quiet" }) {
						t.Errorf("%s: the number %q opens nothing", inc.Label, x.text)
					}
				}
			})
		}
		if inc.Accounts == 0 {
			continue
		}
		basis := one(t, page, "origin-basis")
		last := fmt.Sprintf("#%d", len(s.Log)-1)
		if words := basis.words(); !strings.Contains(words, "public record") || !strings.Contains(words, last) {
			t.Errorf("%s: computed from %q", inc.Label, words)
		}
	}
	if n < 100 {
		t.Errorf("only %d things are computed", n)
	}
}

// Every kind of reason has words, with what it rests on; in every language.
func TestOriginReasonsInWords(t *testing.T) {
	const long = "the boats were burned at the landing before dawn and nobody of the watch was near when the first shots fell over the water that night"
	w := newTeller(t, "lakes")
	watch, folk := w.TheAgreement.ClaimantKinds[2].Code, w.TheAgreement.ClaimantKinds[3].Code
	party := w.TheAgreement.Parties[0].Code
	a, b := w.TheAgreement.Groups[0].Code, w.TheAgreement.Groups[1].Code
	who := func(name string) record.Claimant { return record.Claimant{Kind: watch, Name: name} }
	few := map[string][2]int64{a: {3, 3}}
	quote := func(words string) func(*projection.Account, *record.Report) {
		return func(x *projection.Account, _ *record.Report) { x.Body.Quote = &record.Quote{Text: words} }
	}
	w.tell(1, who("near one"), few, quote(long))
	w.tell(2, who("near two"), few, quote(long+" and then"))
	w.tell(3, who("inside"), few, quote(long))
	w.tell(4, who("outside"), few, quote(long+" "+strings.Join(numbered(70), " ")))
	title := func(words string) func(*projection.Account, *record.Report) {
		return func(_ *projection.Account, r *record.Report) { r.Title = words }
	}
	w.tell(5, who("copy one"), few, title("dispatch: "+strings.Join(numbered(20), " ")))
	w.tell(6, who("copy two"), few, title("dispatch: "+strings.Join(numbered(20), " ")))
	agency := func(x *projection.Account, _ *record.Report) { x.Body.Origins = []string{"THE AGENCY"} }
	w.tell(7, who("by agency one"), few, agency)
	w.tell(8, who("by agency two"), few, agency)
	same := func(x *projection.Account, r *record.Report) {
		x.Report, *r = record.ID{0xbd}, record.Report{Title: "One paper"}
	}
	w.tell(9, who("paper one"), few, same)
	w.tell(10, who("paper two"), few, same)
	w.tell(11, record.Claimant{Kind: watch, Name: "office one", Party: party}, few, nil)
	w.tell(12, record.Claimant{Kind: watch, Name: "office two", Party: party}, few, nil)
	w.tell(13, who("twice"), few, nil)
	w.tell(14, who("twice"), few, nil)
	rare := map[string][2]int64{a: {137, 137}, b: {246, 246}}
	w.tell(15, who("rare one"), rare, nil)
	w.tell(16, who("rare two"), rare, nil)
	w.tell(17, record.Claimant{Kind: folk, Name: "People of the shore"}, few, nil)
	w.tell(18, record.Claimant{Kind: folk, Name: "people of the shore (elsewhere)"}, few, nil)
	for i := range 150 { // so that the figures are rare
		n := int64(301 + 2*i)
		w.tell(byte(30+i), who(fmt.Sprint("other ", i)), map[string][2]int64{a: {n, n}}, nil)
		w.All[len(w.All)-1].Links = nil
	}
	page := w.page("en")
	kinds := map[independence.Kind]int{}
	for _, k := range independence.Kinds {
		for _, item := range withClass(page, "origin-reason-"+string(k)) {
			if kinds[k]++; len(strings.Fields(item.words())) < 6 {
				t.Errorf("%s: %q", k, item.words())
			}
		}
		if kinds[k] == 0 {
			t.Errorf("no reason %s: %s", k, page.words())
		}
	}
	words := strip(page.words())
	for _, want := range []string{
		"2 accounts come from the agency THE AGENCY or cite it.", "2 accounts stand in one document: One paper", "2 accounts are by one claimant, twice.",
		"137 , given by 2 of", "10 are needed", "They count once together, because they may be one.", "% of what", "The documents of",
	} {
		if !strings.Contains(strings.ReplaceAll(words, "137,", "137 ,"), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := len(withClass(page, "origin-sign-unknown")); n < 2 || page.words() == "" {
		t.Errorf("%d signs of unknown origin", n)
	}
	for _, lang := range []string{"ur", "ps", "prs", "en-XB"} {
		p := w.page(lang)
		if got := len(withClass(p, "origin-reason")); got != len(withClass(page, "origin-reason")) {
			t.Errorf("%s: %d reasons", lang, got)
		}
		checkStructure(t, lang, p)
	}
	checkWords(t, "all reasons", get(newHandler(t, w.Source), in("en-XB", "/incident/"+w.in.String())).Body.String())
}

func numbered(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("word", i))
	}
	return out
}

// What follows from a claimant's own figures is marked, and where they cannot all hold the
// page says by how much.
func TestBalances(t *testing.T) {
	w := newTeller(t, "lakes")
	g := w.TheAgreement.Groups
	g[0].Side, g[0].Civilian = "", false // everybody
	g[0].Parts, g[0].Complete = []string{g[1].Code, g[2].Code}, true
	who := func(name string) record.Claimant {
		return record.Claimant{Kind: w.TheAgreement.ClaimantKinds[2].Code, Name: name}
	}
	w.tell(1, who("adds up"), map[string][2]int64{g[1].Code: {4, 4}, g[2].Code: {1, 1}}, nil)
	w.tell(2, who("does not"), map[string][2]int64{g[0].Code: {10, 10}, g[1].Code: {8, 8}, g[2].Code: {5, 5}}, nil)
	list := one(t, w.page("en"), "balances")
	if n := len(withClass(list, "computed")); n != 2 {
		t.Errorf("%d lines are marked as computed", n)
	}
	words := strip(list.words())
	for _, want := range []string{"5 follows for", "are together 3 more than", "cannot all hold"} {
		if !strings.Contains(words, want) {
			t.Errorf("does not say %q: %s", want, words)
		}
	}
}

// A running total has no range, and the page says why.
func TestRunningTotalsHaveNoRange(t *testing.T) {
	w := newTeller(t, "lakes")
	for n := range byte(2) {
		w.tell(n, record.Claimant{Kind: w.TheAgreement.ClaimantKinds[2].Code, Name: fmt.Sprint("Watch ", n)}, map[string][2]int64{w.TheAgreement.Groups[0].Code: {30, 30}},
			func(a *projection.Account, _ *record.Report) {
				a.Body.Claims[0].Scope, a.Body.Claims[0].When.Start, a.Body.Claims[0].When.End = record.ScopeRunningTotal, "2031-01-01", "2031-04-12"
			})
	}
	page := w.page("en")
	if said := one(t, page, "range-none").words(); !strings.Contains(said, "running totals count up to different days") || len(withClass(page, "matrix-range")) > 0 {
		t.Errorf("%q", said)
	}
}

// The agreement's page says what groups are made of.
func TestPartsOfGroups(t *testing.T) {
	s := newSource(t, "durand")
	words := parse(t, get(newHandler(t, s), "/agreement").Body.String()).words()
	if !strings.Contains(words, "Made of") || !strings.Contains(words, "nobody else") {
		t.Error("no group has parts")
	}
}
