// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

func TestWords(t *testing.T) {
	for in, want := range map[string][]string{
		" Two  two THREE ":             {"two", "three"},
		`"Spin Boldak" gate`:           {"spin boldak", "gate"},
		`«Spin Boldak» “the gate”`:     {"spin boldak", "the gate"},
		`open "never closed`:           {"open", "never closed"},
		`"" " , "`:                     nil,
		"007/2026":                     {"007", "2026"},
		"شہداء شهدا":                   {"شهدا"},
		`quote " OR search:x NEAR(*`:   {"quote", "or search x near"},
		"a\x00b; DROP TABLE search --": {"a", "b", "drop", "table", "search"},
	} {
		if got := projection.Words(in); !slices.Equal(got, want) {
			t.Errorf("Words(%q) = %q, want %q", in, got, want)
		}
	}
}

// searched is a small record in four languages.
type searched struct {
	*story
	d                                         *projection.DB
	english, urdu, pashto, dari, gone, unsaid record.ID
	incident                                  record.ID
}

func newSearched(t *testing.T) *searched {
	s := &searched{story: newStory(t, "durand")}
	p := s.pack
	who := func(name, party string) record.Claimant {
		return record.Claimant{Kind: p.ClaimantKinds[0].Code, Name: name, Party: party}
	}
	file := func(report record.ID, a *record.Account) record.ID {
		return s.file(record.AccountFiled, a, nil, about(record.RoleReport, report))
	}
	place := p.Places[slices.IndexFunc(p.Places, func(x agreement.Place) bool { return len(x.Name) > 1 })]
	rep := s.report("Firing across the line")
	a := s.says(who("A spokesman", p.Parties[0].Code), "The firing began from the other side", "Twelve soldiers were killed")
	a.SaidOn, a.Carrier, a.External = "2025-10-15", "The Gazette", "row-17"
	a.Claims[1].Element, a.Claims[1].Measure, a.Claims[1].Group = record.Harm, p.Measures[0].Code, p.Groups[0].Code
	a.Claims[1].Places, a.Claims[1].When = []string{place.Code}, when.Span{Start: "2025-10-14", End: "2025-10-15"}
	a.Claims[0].When = when.Span{Start: "2025-09"}
	s.english = file(rep, a)
	a = s.says(who("ترجمان", p.Parties[1].Code), "شہداء کی تعداد ۱۲ ہے")
	a.SaidOn, a.Quote = "2025-10", &record.Quote{Language: "ur", Text: "فائرنگ دوسری طرف سے شروع ہوئی"}
	s.urdu = file(rep, a)
	a = s.says(who("ویاند", ""), "ډزې له لښکرګاه څخه پیل شوې")
	a.SaidOn = "2025-10-16"
	s.pashto = file(rep, a)
	a = s.says(who("سخنگو", ""), "نیرو های مسلح در لشکرگاه", "می‌شود")
	a.SaidOn = "2025"
	s.dari = file(rep, a)
	s.gone = file(rep, s.says(who("Withdrawn Man", ""), "gunfire was heard"))
	s.because(record.AccountWithdrawn, about(record.RoleAccount, s.gone))
	s.unsaid = file(rep, s.says(who("Nobody", ""), "nothing to say"))
	s.because(record.AccountSetAside, about(record.RoleAccount, s.unsaid))
	s.incident = s.file(record.IncidentOpened, &record.Opening{Class: record.ClassIncident, Label: "Clash by the gate", Types: []string{p.IncidentTypes[0].Code},
		Places: []string{place.Code}, When: when.Span{Start: "2025-10-14"}}, nil)
	s.link(s.english, s.incident)
	s.d = s.folded(t.TempDir())
	return s
}

func (s *searched) name(id record.ID) string {
	for name, x := range map[string]record.ID{"english": s.english, "urdu": s.urdu, "pashto": s.pashto, "dari": s.dari, "gone": s.gone, "unsaid": s.unsaid} {
		if x == id {
			return name
		}
	}
	return id.String()
}

// ask gives what a search finds as names, each with the claims that were looked for.
func (s *searched) ask(q projection.Search) string {
	s.t.Helper()
	f, err := s.d.Search(context.Background(), q)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, h := range f.Hits {
		n := s.name(h.ID)
		if len(h.Claims) > 0 {
			n += fmt.Sprint(h.Claims)
		}
		if h.Past {
			n += " past"
		}
		out = append(out, n)
	}
	if q.Limit == 0 && f.Matched != len(f.Hits) || f.Total != 6 {
		s.t.Errorf("%+v: %d of %d", q, f.Matched, f.Total)
	}
	return strings.Join(out, ", ")
}

func TestSearch(t *testing.T) {
	s := newSearched(t)
	p := s.pack
	place := p.Places[slices.IndexFunc(p.Places, func(x agreement.Place) bool { return len(x.Name) > 1 })]
	const all = "pashto, english, urdu, dari, unsaid, gone"
	for name, c := range map[string]struct {
		q    projection.Search
		want string
	}{
		"all":                     {projection.Search{}, all},
		"a page":                  {projection.Search{Limit: 2, Offset: 1}, "english, urdu"},
		"beyond the last page":    {projection.Search{Limit: 2, Offset: 10}, ""},
		"begins a word":           {projection.Search{Text: "fir"}, "pashto, english[1], urdu, dari, unsaid, gone"},
		"in the words":            {projection.Search{Text: "soldier"}, "english[2]"},
		"two claims":              {projection.Search{Text: "soldiers began"}, "english[1 2]"},
		"a phrase":                {projection.Search{Text: `"began from"`}, "english[1]"},
		"no such phrase":          {projection.Search{Text: `"from began"`}, ""},
		"inside a word":           {projection.Search{Text: "oldier"}, ""},
		"withdrawn":               {projection.Search{Text: "gunfire"}, "gone[1]"},
		"the title":               {projection.Search{Text: `"across the line"`}, all},
		"claimant":                {projection.Search{Text: "spokesman"}, "english"},
		"own name of the row":     {projection.Search{Text: "row-17"}, "english"},
		"own carrier":             {projection.Search{Carrier: "The Gazette"}, "english"},
		"the document's carrier":  {projection.Search{Carrier: "The Herald"}, "pashto, urdu, dari, unsaid, gone"},
		"Urdu, other keyboard":    {projection.Search{Text: "شهدا 12"}, "urdu[1]"},
		"the quote":               {projection.Search{Text: "فائرنگ"}, "urdu"},
		"one town, two spellings": {projection.Search{Text: "لشكرگاہ"}, "pashto[1], dari[1]"},
		"plural, joined":          {projection.Search{Text: "نیروهای"}, "dari[1]"},
		"verb without its joiner": {projection.Search{Text: "میشود"}, "dari[2]"},
		"no transliteration":      {projection.Search{Text: "lashkargah"}, ""},
		"language of the quote":   {projection.Search{Language: "ur"}, "urdu"},
		"language of the report":  {projection.Search{Language: "en", Text: "soldiers"}, "english[2]"},
		"party":                   {projection.Search{Party: []string{p.Parties[0].Code}}, "english"},
		"two parties":             {projection.Search{Party: []string{p.Parties[0].Code, p.Parties[1].Code}}, "english, urdu"},
		"no party":                {projection.Search{Party: []string{"other"}}, "pashto, dari, unsaid, gone"},
		"claimant by name":        {projection.Search{Claimant: "ویاند"}, "pashto"},
		"claimant, other party":   {projection.Search{Claimant: "ویاند", Party: []string{p.Parties[0].Code}}, ""},
		"recorder":                {projection.Search{Recorder: []string{p.MembersWith(record.DeskRole)[0]}}, all},
		"another recorder":        {projection.Search{Recorder: []string{p.Parties[0].Code}}, ""},
		"linked":                  {projection.Search{State: []projection.AccountState{projection.AccountLinked}}, "english"},
		"unlinked":                {projection.Search{State: []projection.AccountState{projection.AccountUnlinked}}, "pashto, urdu, dari"},
		"aside or withdrawn":      {projection.Search{State: []projection.AccountState{projection.AccountAside, projection.AccountWithdrawn}}, "unsaid, gone"},
		"type":                    {projection.Search{Type: []string{p.IncidentTypes[0].Code}}, "english"},
		"another type":            {projection.Search{Type: []string{p.IncidentTypes[1].Code}}, ""},
		"said that day":           {projection.Search{SaidSince: "2025-10-15", SaidUntil: "2025-10-15"}, "english, urdu, dari"},
		"said before":             {projection.Search{SaidUntil: "2025-09-30"}, "dari"},
		"element":                 {projection.Search{Element: []string{"harm"}}, "english[2]"},
		"measure and group":       {projection.Search{Measure: []string{p.Measures[0].Code}, Group: []string{p.Groups[0].Code}}, "english[2]"},
		"stance":                  {projection.Search{Stance: []string{p.Stances[1].Code}}, ""},
		"place":                   {projection.Search{Place: []string{place.Code}}, "english[2]"},
		"it happened":             {projection.Search{Since: "2025-10-15", Until: "2025-10-15"}, "english[2]"},
		"one claim, not two":      {projection.Search{Element: []string{"event"}, Place: []string{place.Code}}, ""},
		"claim and word":          {projection.Search{Element: []string{"event"}, Text: "firing"}, "pashto[1], english[1], urdu[1], dari[1 2], unsaid[1], gone[1]"},
		"unknown everything":      {projection.Search{Claimant: "x", Carrier: "y", Language: "z", Element: []string{"w"}}, ""},
	} {
		if got := s.ask(c.q); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	// A place is found by any name that the agreement gives it.
	for lang, name := range place.Name {
		if got := s.ask(projection.Search{Text: `"` + name + `"`, Element: []string{"harm"}}); got != "english[2]" {
			t.Errorf("%s in %s finds %s", name, lang, got)
		}
		list, n, err := s.d.Incidents(context.Background(), projection.Filter{Text: name})
		if err != nil || n != 1 || list[0].ID != s.incident {
			t.Errorf("%s in %s finds %d incidents, %v", name, lang, n, err)
		}
	}
	for _, words := range []string{"clash", "gate clash", "soldiers", "clash soldiers", "001/2025"} {
		if _, n, err := s.d.Incidents(context.Background(), projection.Filter{Text: words}); err != nil || n != 1 {
			t.Errorf("%q finds %d incidents, %v", words, n, err)
		}
	}
	h, err := s.d.Heard(context.Background())
	if err != nil || !slices.Equal(h.Carriers, []string{"The Gazette", "The Herald"}) || !slices.Equal(h.Languages, []string{"en", "ur"}) || len(h.Claimants) != 5 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestSearchOfEarlierVersions(t *testing.T) {
	s := newSearched(t)
	a := s.says(record.Claimant{Kind: s.pack.ClaimantKinds[0].Code, Name: "A spokesman"}, "The shelling began", "Nine soldiers")
	first := s.file(record.AccountAmended, a, func(st *record.Statement) { st.Supersedes = s.english }, about(record.RoleAccount, s.english))
	s.follow(s.d)
	for name, c := range map[string]struct {
		q    projection.Search
		want string
	}{
		"new words":            {projection.Search{Text: "shelling"}, "english[1]"},
		"old words":            {projection.Search{Text: "twelve"}, ""},
		"old words, asked for": {projection.Search{Text: "twelve", Old: true}, "english past"},
		"both":                 {projection.Search{Text: "shelling twelve", Old: true}, "english[1] past"},
		"amended":              {projection.Search{State: []projection.AccountState{projection.AccountAmended}}, "english"},
		"the carrier of then":  {projection.Search{Carrier: "The Gazette"}, ""},
	} {
		if got := s.ask(c.q); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	s.because(record.ActUndone, about(record.RoleAct, first))
	s.follow(s.d)
	if a, b := s.ask(projection.Search{Text: "twelve"}), s.ask(projection.Search{Carrier: "The Gazette"}); a != "english[2]" || b != "english" {
		t.Errorf("after it was undone: %s; %s", a, b)
	}
	if got := s.ask(projection.Search{Text: "shelling"}); got != "" {
		t.Errorf("what was undone is found: %s", got)
	}
}

// TestSearchStartsOver: tables that are emptied for another ledger forget its words too.
func TestSearchStartsOver(t *testing.T) {
	ctx := context.Background()
	s := newSearched(t)
	other := newStory(t, "lakes")
	other.pack.Title["en"] += " again" // another first record
	other.entries = nil
	other.mission = record.ID{2}
	other.adopt()
	id := other.account(other.report("Nets were cut"), record.Claimant{Kind: other.pack.ClaimantKinds[0].Code, Name: "A fisher"}, "nets")
	if err := s.d.CatchUp(ctx, other, int64(len(other.entries)), nil); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]int{"firing": 0, "nets": 1} {
		f, err := s.d.Search(ctx, projection.Search{Text: words})
		if err != nil || f.Matched != want || f.Total != 1 || want == 1 && f.Hits[0].ID != id {
			t.Errorf("%s: %+v, %v", words, f, err)
		}
	}
	if a, b := dump(t, s.d), dump(t, other.folded(t.TempDir())); a != b {
		t.Error("emptied tables are not like new ones")
	}
}

// TestReadersWhileItGrows: what a reader sees is one state, whatever is folded meanwhile.
func TestReadersWhileItGrows(t *testing.T) {
	ctx := context.Background()
	s := newStory(t, "lakes")
	d, err := projection.Open(ctx, filepath.Join(t.TempDir(), "projection.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s.follow(d)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			last := 0
			for {
				select {
				case <-done:
					return
				default:
				}
				f, err := d.Search(ctx, projection.Search{Text: "nets"})
				if err != nil || f.Matched < last || f.Matched != f.Total || len(f.Hits) != f.Matched {
					t.Errorf("%d of %d, %d before, %v", f.Matched, f.Total, last, err)
					return
				}
				last = f.Matched
				list, n, err := d.Unlinked(ctx, 0, 0)
				if err != nil || len(list) != n || n < last {
					t.Errorf("%d unlinked of %d, %v", len(list), n, err)
					return
				}
			}
		})
	}
	for i := range 150 {
		s.account(record.ID{}, record.Claimant{Kind: s.pack.ClaimantKinds[0].Code, Name: fmt.Sprint("fisher ", i)}, "nets")
		s.follow(d)
	}
	close(done)
	readers.Wait()
	if f, err := d.Search(ctx, projection.Search{Text: "nets"}); err != nil || f.Matched != 150 {
		t.Errorf("%d, %v", f.Matched, err)
	}
}
