// SPDX-License-Identifier: Apache-2.0

package statistics_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

var everybody = []record.Claimant{quissen, ombrel, watch, {Kind: "warden_post", Name: "Quissen post", Party: "QUI"}, {Kind: "spokesperson", Name: "Drunnow spokesperson", Party: "DRN"}}

// told is an incident and what is said of it, before it is read.
type told struct {
	in   statistics.Incident
	said []statistics.Said
}

func genTold(t *rapid.T, i int) told {
	pick := func(label string, list ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(list), 0, 2, rapid.ID[string]).Draw(t, label)
	}
	out := told{in: statistics.Incident{ID: id(fmt.Sprintf("incident %d", i)),
		When:   when.Span{Start: rapid.SampledFrom([]when.Date{"2030", "2030-02", "2031-05-02", "2031-05-30", "2031-06"}).Draw(t, "start")},
		Types:  pick("types", "boat_chase", "shots", "fire_at_shore"),
		Places: pick("places", "tarskel-islet", "veskel-channel", "pellum-islet")}}
	for a := range rapid.IntRange(0, 5).Draw(t, "accounts") {
		account := id(fmt.Sprintf("%d.%d", i, a))
		who := rapid.SampledFrom(everybody).Draw(t, "claimant")
		on := rapid.SampledFrom([]when.Date{"", "2031-05", "2031-05-03", "2031-05-04", "2031-06-01"}).Draw(t, "said on")
		role := rapid.SampledFrom([]record.LinkRole{record.LinkAbout, record.LinkAbout, record.LinkAbout, record.LinkPartOf}).Draw(t, "role")
		for c := range rapid.IntRange(1, 3).Draw(t, "claims") {
			out.said = append(out.said, statistics.Said{Role: role, Shared: rapid.IntRange(0, 9).Draw(t, "shared") == 0,
				Item: reconcile.Item{Account: account, Claimant: who, SaidOn: on, Order: int64(10*i + a), Claim: genClaim(t, c+1)}})
		}
	}
	return out
}

func genClaim(t *rapid.T, number int) record.Claim {
	c := record.Claim{N: number, FirstHand: "unknown",
		Element: rapid.SampledFrom([]record.Element{record.Harm, record.Harm, record.Harm, record.Damage, record.Event, record.Attribution, record.Target, record.Initiation}).Draw(t, "element"),
		Group:   rapid.SampledFrom([]string{"fishers_QUI", "fishers_QUI", "fishers_OMB", "wardens_QUI", ""}).Draw(t, "group"),
		Scope:   rapid.SampledFrom([]record.Scope{record.ScopeIncident, record.ScopeIncident, record.ScopeIncident, record.ScopeIncident, record.ScopePart, record.ScopePeriodTotal}).Draw(t, "scope"),
		Stance:  rapid.SampledFrom([]string{"states", "states", "states", "states", "rejects_all", "rejects_detail", "rejects_harm_to_fishers", "rejects_first_act", "withholds"}).Draw(t, "stance"),
		Derived: rapid.IntRange(0, 9).Draw(t, "derived") == 0}
	if c.Element != record.Harm && c.Element != record.Damage {
		return c
	}
	c.Measure = rapid.SampledFrom([]string{"deaths", "deaths", "hurt", ""}).Draw(t, "measure")
	if rapid.IntRange(0, 9).Draw(t, "subset") == 0 {
		c.Subset = "minors"
	}
	lo := rapid.Int64Range(0, 9).Draw(t, "low")
	hi := lo + rapid.Int64Range(0, 5).Draw(t, "more")
	switch c.Bound = rapid.SampledFrom([]string{"", "exact", "exact", "exact", "at_least", "at_most", "range", "about"}).Draw(t, "bound"); c.Bound {
	case "exact", "about":
		c.Low, c.High = &lo, &lo
	case "at_least":
		c.Low = &lo
	case "at_most":
		c.High = &hi
	case "range":
		c.Low, c.High = &lo, &hi
	}
	return c
}

func genRecord(t *rapid.T) []told {
	var out []told
	for i := range rapid.IntRange(1, 6).Draw(t, "incidents") {
		out = append(out, genTold(t, i))
	}
	return out
}

func genQuery(t *rapid.T) statistics.Query {
	return statistics.Query{By: rapid.SampledFrom(statistics.Dimensions).Draw(t, "rows"), Measure: "deaths"}
}

func readAll(pack *agreement.Pack, list []told) []*statistics.Entry {
	r := statistics.NewReader(pack)
	var out []*statistics.Entry
	for _, x := range list {
		out = append(out, r.Read(x.in, x.said))
	}
	return out
}

// cells writes each line of a table under the place it stands in.
func cells(tab *statistics.Table) map[string]string {
	out := map[string]string{}
	for _, f := range tab.Facts {
		for _, l := range f.Lines {
			row := "all incidents"
			if l.Row != statistics.AllRows {
				row = "row " + tab.Rows[l.Row].Key
			}
			out[fmt.Sprint(row, " ", f.Fact, " ", l.Claimant)] = fmt.Sprintf("%s of %d, %d without a number, %d denied", text(l.Sum), l.Numbered, l.Unnumbered, l.Denied)
		}
	}
	return out
}

func TestOrderDoesNotMatter(t *testing.T) {
	pack := lakes(t)
	rapid.Check(t, func(t *rapid.T) {
		list, q := genRecord(t), genQuery(t)
		want := statistics.Tabulate(pack, readAll(pack, list), q)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		mixed := slices.Clone(list)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		for i := range mixed {
			// A claim that two links bring counts once.
			s := slices.Concat(mixed[i].said, mixed[i].said[:rapid.IntRange(0, len(mixed[i].said)).Draw(t, "twice")])
			r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
			mixed[i].said = s
		}
		if got := statistics.Tabulate(pack, readAll(pack, mixed), q); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	})
}

// TestClaimantsAreNeverAdded: what one claimant says changes nobody else's figures, and
// each figure can be added up from that claimant's own claims alone.
func TestClaimantsAreNeverAdded(t *testing.T) {
	pack := lakes(t)
	rapid.Check(t, func(t *rapid.T) {
		list, q := genRecord(t), genQuery(t)
		whole := cells(statistics.Tabulate(pack, readAll(pack, list), q))
		gone := rapid.SampledFrom(everybody).Draw(t, "gone")
		rest := slices.Clone(list)
		for i := range rest {
			rest[i].said = slices.DeleteFunc(slices.Clone(rest[i].said), func(s statistics.Said) bool { return s.Claimant == gone })
		}
		without := cells(statistics.Tabulate(pack, readAll(pack, rest), q))
		for at, is := range whole {
			if strings.Contains(at, fmt.Sprint(gone)) {
				delete(whole, at)
			} else if onlyDenied(is) {
				// A denial is heard of what somebody else says too.
				delete(whole, at)
				delete(without, at)
			}
		}
		if strip(whole); !reflect.DeepEqual(whole, strip(without)) {
			t.Fatalf("with %s:\n%v\nwithout:\n%v", gone.Name, whole, without)
		}
	})
}

// strip leaves out how many incidents a claimant denies the fact in.
func strip(m map[string]string) map[string]string {
	for k, v := range m {
		if m[k], _, _ = strings.Cut(v, ", "); onlyDenied(v) {
			delete(m, k)
		}
	}
	return m
}

func onlyDenied(s string) bool { return strings.Contains(s, "of 0, 0 without") }

// TestSumIsTheSumOfItsCell: what a cell opens adds up to what it shows.
func TestSumIsTheSumOfItsCell(t *testing.T) {
	pack := lakes(t)
	rapid.Check(t, func(t *rapid.T) {
		q := genQuery(t)
		entries := readAll(pack, genRecord(t))
		tab := statistics.Tabulate(pack, entries, q)
		for _, f := range tab.Facts {
			for _, l := range f.Lines {
				at := statistics.Place{All: l.Row == statistics.AllRows, Claimant: &l.Claimant, Fact: &f.Fact}
				if !at.All {
					at.Key = tab.Rows[l.Row].Key
				}
				counted := q.Counted(entries, at)
				again := statistics.LineOf(counted)
				again.Row = l.Row
				if !reflect.DeepEqual(again, l) {
					t.Fatalf("%+v: the list gives %+v, the table %+v", at, again, l)
				}
				var low, high int64
				for _, c := range counted {
					if c.Value == nil || c.Value.Kind != statistics.Numbered {
						continue
					}
					if c.Value.Claimant != l.Claimant || c.Value.Fact != f.Fact {
						t.Fatalf("%+v holds %+v", at, c.Value)
					}
					if p := c.Value.Figure.Low; p != nil {
						low += *p
					}
					if p := c.Value.Figure.High; p != nil {
						high += *p
					}
				}
				if l.Sum.Low != nil && *l.Sum.Low != low || l.Sum.High != nil && *l.Sum.High != high {
					t.Fatalf("%s is not %d to %d", text(l.Sum), low, high)
				}
			}
		}
		for i, r := range tab.Rows {
			at := statistics.Place{Key: r.Key}
			if q.By == statistics.ByClaimant {
				at.Claimant = &tab.Rows[i].Claimant
			}
			if n := len(q.Counted(entries, at)); n != r.Incidents {
				t.Fatalf("row %s counts %d and lists %d", r.Key, r.Incidents, n)
			}
		}
	})
}

// TestIncidentsElsewhereChangeNothing: one more incident changes the cells of the rows
// that it stands in, and no other.
func TestIncidentsElsewhereChangeNothing(t *testing.T) {
	pack := lakes(t)
	rapid.Check(t, func(t *rapid.T) {
		list, q := genRecord(t), genQuery(t)
		more := genTold(t, 99)
		entries := readAll(pack, list)
		was := cells(statistics.Tabulate(pack, entries, q))
		added := readAll(pack, []told{more})[0]
		is := cells(statistics.Tabulate(pack, append(entries, added), q))
		touched := []string{"all incidents"}
		for _, k := range statistics.Keys(q.By, &more.in) {
			touched = append(touched, "row "+k+" ")
		}
		for _, v := range added.Voices {
			touched = append(touched, "row "+v.Name)
		}
		for _, at := range slices.Concat(keys(was), keys(is)) {
			if slices.ContainsFunc(touched, func(p string) bool { return strings.HasPrefix(at, p) }) {
				continue
			}
			if was[at] != is[at] {
				t.Fatalf("%s: %q, and with an incident elsewhere %q", at, was[at], is[at])
			}
		}
	})
}

func keys(m map[string]string) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

// TestPartiesExchanged: exchanging two parties exchanges their labels and nothing else.
func TestPartiesExchanged(t *testing.T) {
	pack := lakes(t)
	swap := strings.NewReplacer("QUI", "OMB", "OMB", "QUI", "Quissen", "Ombrel", "Ombrel", "Quissen")
	rapid.Check(t, func(t *rapid.T) {
		list, q := genRecord(t), genQuery(t)
		want := map[string]string{}
		for at, is := range cells(statistics.Tabulate(pack, readAll(pack, list), q)) {
			want[swap.Replace(at)] = is
		}
		other := slices.Clone(list)
		for i := range other {
			other[i].said = slices.Clone(other[i].said)
			for j := range other[i].said {
				s := &other[i].said[j]
				s.Claimant.Name, s.Claimant.Party = swap.Replace(s.Claimant.Name), swap.Replace(s.Claimant.Party)
				s.Claim.Group = swap.Replace(s.Claim.Group)
			}
		}
		got := cells(statistics.Tabulate(pack, readAll(pack, other), q))
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("exchanged:\n%v\nwant:\n%v", got, want)
		}
	})
}

// TestAsInTheMatrix: a value is what the incident's own matrix shows of it, for random
// records and for the claims of ten real ones.
func TestAsInTheMatrix(t *testing.T) {
	compare := func(t interface {
		Fatalf(string, ...any)
	}, pack *agreement.Pack, said []statistics.Said) (values int) {
		for i := range said {
			said[i].Role, said[i].Shared = record.LinkAbout, false
		}
		got := map[string]string{}
		for _, v := range statistics.NewReader(pack).Read(statistics.Incident{When: when.Span{Start: "2031"}}, said).Values {
			got[fmt.Sprint(v.Fact, v.Claimant)] = fmt.Sprint(v.Kind, bounds(v.Figure), v.Several)
		}
		var items []reconcile.Item
		for _, s := range said {
			items = append(items, s.Item)
		}
		want := map[string]string{}
		m := reconcile.Build(pack, items)
		for _, r := range m.Rows {
			k := r.Key
			if k.Scope != record.ScopeIncident || k.Subset != "" || k.Measure == "" || !slices.Contains(statistics.Elements, k.Element) {
				continue
			}
			for _, col := range r.Columns {
				for _, c := range col.Cells {
					f := statistics.Fact{Element: k.Element, Measure: k.Measure, Group: k.Group}
					switch {
					case c.Derived || !slices.Contains([]reconcile.Kind{reconcile.Claimed, reconcile.Zero, reconcile.Denied}, c.Kind):
						continue
					case c.Kind == reconcile.Denied, c.Latest.Via == reconcile.ViaReach:
						want[fmt.Sprint(f, c.Claimant)] = fmt.Sprint(statistics.Denied, bounds(reconcile.Figure{}), false)
					case c.Figure.Low == nil && c.Figure.High == nil:
						want[fmt.Sprint(f, c.Claimant)] = fmt.Sprint(statistics.Unnumbered, bounds(reconcile.Figure{}), c.Several)
					default:
						want[fmt.Sprint(f, c.Claimant)] = fmt.Sprint(statistics.Numbered, bounds(c.Figure), c.Several)
					}
				}
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("values:\n%v\nthe matrix:\n%v", got, want)
		}
		return len(want)
	}
	pack := lakes(t)
	rapid.Check(t, func(t *rapid.T) {
		compare(t, pack, genTold(t, 0).said)
	})
	pack, byIncident := real(t)
	n := 0
	for _, said := range byIncident {
		n += compare(t, pack, said)
	}
	if n < 40 {
		t.Errorf("only %d values compared", n)
	}
}

func bounds(f reconcile.Figure) string {
	var s statistics.Sum
	if f.Low == nil && f.High == nil {
		return ""
	}
	s.Add(f)
	return text(s)
}

// real reads the test data of package reconcile.
func real(t *testing.T) (*agreement.Pack, map[string][]statistics.Said) {
	t.Helper()
	b, err := os.ReadFile("../reconcile/testdata/pack.json")
	if err != nil {
		t.Fatal(err)
	}
	pack := new(agreement.Pack)
	if err := json.Unmarshal(b, pack); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("../reconcile/testdata/claims.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]statistics.Said{}
	numbers := map[string]int{}
	for i, row := range rows[1:] {
		at := func(name string) string { return row[slices.Index(rows[0], name)] }
		count := func(name string) *int64 {
			v, err := strconv.ParseInt(at(name), 10, 64)
			if err != nil {
				return nil
			}
			return &v
		}
		account := at("statement_id")
		numbers[account]++
		out[at("ref")] = append(out[at("ref")], statistics.Said{Item: reconcile.Item{Account: id(account), Order: int64(i), SaidOn: when.Date(at("said_on")),
			Claimant: record.Claimant{Kind: at("claimant_kind"), Name: at("claimant"), Party: at("speaks_for")},
			Claim: record.Claim{N: numbers[account], Element: record.Element(at("element")), Measure: at("measure"), Group: at("group"),
				Subset: at("subset"), Low: count("low"), High: count("high"), Bound: at("bound"), Scope: record.Scope(at("scope")),
				Stance: at("stance"), Derived: at("derived") == "yes"}}})
	}
	return pack, out
}
