// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// chronicle writes a story by chance: every kind of act on accounts and incidents.
type chronicle struct {
	*story
	r                             *rapid.T
	reports, accounts, incidents  []record.ID
	links, merges, withdrawn, off []record.ID
	batches                       map[record.ID]string // open, closed, withdrawn
	alias                         map[record.ID]bool
}

var chronicleWords = []string{"fire", "firing", "boats", "پېښور", "پیشور", "شہداء", "ساحل", "nets", "1,200"}

func (c *chronicle) pick(what string, list []record.ID) (record.ID, bool) {
	if len(list) == 0 {
		return record.ID{}, false
	}
	return rapid.SampledFrom(list).Draw(c.r, what), true
}

// begin files what acts can be done on.
func (c *chronicle) begin() {
	for i := range 3 {
		a := c.says(record.Claimant{Kind: c.pack.ClaimantKinds[0].Code, Name: "Ada", Party: c.pack.Parties[0].Code}, chronicleWords[i], "nets")
		c.accounts = append(c.accounts, c.file(record.AccountFiled, a, nil))
		c.incidents = append(c.incidents, c.file(record.IncidentOpened, &record.Opening{Class: record.ClassIncident, Label: "begun", When: when.Span{Start: "2025-10-15"}}, nil))
		c.links = append(c.links, c.link(c.accounts[i], c.incidents[i]))
	}
}

// step files one record or none.
func (c *chronicle) step() {
	r := c.r
	word := func() string { return rapid.SampledFrom(chronicleWords).Draw(r, "word") }
	body := func() *record.Account {
		who := record.Claimant{Kind: c.pack.ClaimantKinds[0].Code, Name: rapid.SampledFrom([]string{"Ada", "Ben", "Cyd"}).Draw(r, "who")}
		if who.Name != "Cyd" {
			who.Party = c.pack.Parties[0].Code
		}
		a := c.says(who, word()+" "+word(), word())
		a.SaidOn = when.Date(rapid.SampledFrom([]string{"", "2025", "2025-10", "2025-10-15", "2024-02-29"}).Draw(r, "said"))
		a.Claims[1].Element, a.Claims[1].Places = record.Harm, []string{c.pack.Places[rapid.IntRange(0, 2).Draw(r, "place")].Code}
		a.Claims[1].When = when.Span{Start: when.Date(rapid.SampledFrom([]string{"2025-10", "2025-11-02"}).Draw(r, "when"))}
		if rapid.Bool().Draw(r, "own carrier") {
			a.Carrier = "The Gazette"
		}
		return a
	}
	batch := func() []record.Subject {
		for id, state := range c.batches {
			if state == "open" && rapid.Bool().Draw(r, "in batch") {
				return []record.Subject{about(record.RoleBatch, id)}
			}
		}
		return nil
	}
	switch rapid.IntRange(0, 15).Draw(r, "act") {
	case 0, 1:
		c.reports = append(c.reports, c.report(word()+" report"))
	case 2, 3, 4:
		subjects := batch()
		if rep, ok := c.pick("report", c.reports); ok {
			subjects = append(subjects, about(record.RoleReport, rep))
		}
		c.accounts = append(c.accounts, c.file(record.AccountFiled, body(), nil, subjects...))
	case 5, 6:
		o := &record.Opening{Class: rapid.SampledFrom(record.Classes).Draw(r, "class"), Label: word(), When: when.Span{Start: when.Date(rapid.SampledFrom([]string{"2025", "2025-10", "2025-10-15", "2024-12-31"}).Draw(r, "when"))},
			Types: []string{c.pack.IncidentTypes[rapid.IntRange(0, 2).Draw(r, "type")].Code}, Places: []string{c.pack.Places[rapid.IntRange(0, 2).Draw(r, "place")].Code}}
		if rapid.Bool().Draw(r, "long") {
			o.When = when.Span{Start: "2025-09-20", End: "2025-11"}
			o.Places = append(o.Places, c.pack.Places[4].Code)
		}
		c.incidents = append(c.incidents, c.file(record.IncidentOpened, o, nil, batch()...))
	case 7, 8, 9:
		a, ok := c.pick("account", c.accounts)
		in, ok2 := c.pick("incident", c.incidents)
		if ok && ok2 {
			c.links = append(c.links, c.link(a, in))
		}
	case 10:
		if l, ok := c.pick("link", c.links); ok {
			c.off = append(c.off, c.because(record.IncidentUnlinked, about(record.RoleLink, l)))
		}
	case 11:
		a, ok := c.pick("account", c.accounts)
		if !ok {
			return
		}
		latest := a
		for _, e := range c.entries {
			if env, _ := record.ParseEnvelope(e.Envelope); env != nil {
				if st, _ := env.Statement(); st.Kind == record.AccountAmended && st.Subjects[0].ID == a {
					latest = st.ID
				}
			}
		}
		c.withdrawn = append(c.withdrawn, c.file(record.AccountAmended, body(), func(st *record.Statement) { st.Supersedes = latest }, about(record.RoleAccount, a)))
	case 12:
		if a, ok := c.pick("account", c.accounts); ok {
			kind := rapid.SampledFrom([]record.Kind{record.AccountWithdrawn, record.AccountSetAside}).Draw(r, "kind")
			c.withdrawn = append(c.withdrawn, c.because(kind, about(record.RoleAccount, a)))
		}
	case 13:
		from, ok := c.pick("from", c.incidents)
		into, ok2 := c.pick("into", c.incidents)
		if ok && ok2 && from != into && !c.alias[from] && !c.alias[into] {
			c.alias[from] = true
			c.merges = append(c.merges, c.because(record.IncidentAliased, about(record.RoleIncident, from), about(record.RoleInto, into)))
		}
	case 14:
		for id, state := range c.batches {
			switch state {
			case "open":
				c.file(record.BatchClosed, &record.BatchEnd{}, nil, about(record.RoleBatch, id))
				c.batches[id] = "closed"
			case "closed":
				c.because(record.BatchWithdrawn, about(record.RoleBatch, id))
				c.batches[id] = "withdrawn"
			}
			return
		}
		id := c.file(record.BatchOpened, &record.Batch{Name: "rows", FileSHA256: record.Digest{1}}, nil)
		c.batches[id] = "open"
	case 15:
		all := slices.Concat(c.withdrawn, c.off, c.incidents)
		if len(c.merges) > 0 {
			all = append(all, c.merges[len(c.merges)-1])
		}
		if id, ok := c.pick("act", all); ok {
			c.because(record.ActUndone, about(record.RoleAct, id))
			c.withdrawn, c.off = without(c.withdrawn, id), without(c.off, id)
			if n := len(c.merges); n > 0 && c.merges[n-1] == id {
				c.merges = nil // what it merged stays out of later merges
			}
		}
	}
}

func without(list []record.ID, id record.ID) []record.ID {
	return slices.DeleteFunc(slices.Clone(list), func(x record.ID) bool { return x == id })
}

// TestBoardFollows: tables that are read between records, and whose board follows, say the
// same as tables that were folded and looked through at once; and both what plain SQL says.
func TestBoardFollows(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		c := &chronicle{story: newStory(t, "lakes"), r: r, batches: map[record.ID]string{}, alias: map[record.ID]bool{}}
		path := filepath.Join(dir, fmt.Sprintf("run-%d.db", runs))
		d, err := projection.Open(ctx, path)
		if err != nil {
			r.Fatal(err)
		}
		defer d.Close()
		c.begin()
		for range rapid.IntRange(1, 3).Draw(r, "rounds") {
			for range rapid.IntRange(1, 12).Draw(r, "steps") {
				c.step()
			}
			c.follow(d)
			answers(r, d) // so that the board is there and has to follow
		}
		whole, err := projection.Open(ctx, path+".whole")
		if err != nil {
			r.Fatal(err)
		}
		defer whole.Close()
		c.follow(whole)
		if a, b := answers(r, d), answers(r, whole); !reflect.DeepEqual(a, b) {
			for k := range a {
				if !reflect.DeepEqual(a[k], b[k]) {
					r.Errorf("%s: followed %+v, at once %+v", k, a[k], b[k])
				}
			}
		}
		if a, b := dump(t, d), dump(t, whole); a != b {
			r.Errorf("the dumps differ:\n%s\n---\n%s", a, b)
		}
		plainSQL(r, path, d)
		plainSearch(r, d)
		plainIncidents(r, d)
	})
}

// answers asks much of a projection.
func answers(t interface{ Fatal(...any) }, d *projection.DB) map[string]any {
	ctx := context.Background()
	out := map[string]any{}
	keep := func(what string, v any, err error) {
		if err != nil {
			t.Fatal(what, err)
		}
		out[what] = v
	}
	counts, err := d.Counts(ctx)
	keep("counts", counts, err)
	claimants, err := d.Claimants(ctx)
	keep("claimants", claimants, err)
	heard, err := d.Heard(ctx)
	keep("heard", heard, err)
	list, n, err := d.Unlinked(ctx, 0, 0)
	keep("unlinked", []any{list, n}, err)
	var ids []record.ID
	for name, f := range filters {
		list, n, err := d.Incidents(ctx, f)
		keep("incidents "+name, []any{list, n}, err)
		o, err := d.Overview(ctx, f)
		keep("overview "+name, o, err)
		if name == "all" {
			for _, in := range list {
				ids = append(ids, in.ID)
			}
		}
	}
	told, err := d.AccountsOfAll(ctx, ids, 1000)
	keep("accounts of all", told, err)
	for _, id := range ids {
		list, err := d.AccountsOf(ctx, id)
		if err != nil || len(list)+len(told[id]) > 0 && !reflect.DeepEqual(list, told[id]) {
			t.Fatal("accounts of", id, err, list, told[id])
		}
	}
	for name, s := range searches {
		found, err := d.Search(ctx, s)
		keep("search "+name, found, err)
	}
	return out
}

var filters = map[string]projection.Filter{
	"all": {}, "fire": {Text: "fire"}, "two words": {Text: "fire boats"}, "Pashto": {Text: "پيښور"}, "phrase": {Text: `"fire boats"`},
	"class": {Class: []record.Class{record.ClassIncident}}, "page": {Limit: 2, Offset: 1}, "others": {Party: []string{"other"}},
	"Ada since": {Claimant: "Ada", Since: "2025-10"}, "until": {Until: "2025-09"}, "October, nets": {Text: "nets", Since: "2025-10", Until: "2025-10"},
}

var searches = map[string]projection.Search{
	"all": {}, "fire": {Text: "fire"}, "old": {Text: "fire", Old: true}, "Urdu": {Text: "شہدا"}, "number": {Text: "1200 nets"}, "title": {Text: "fire report"},
	"claim": {Element: []string{"harm"}, Until: "2025-10-31"}, "claim and word": {Element: []string{"harm"}, Text: "boats"},
	"withdrawn": {State: []projection.AccountState{projection.AccountWithdrawn}}, "unlinked": {State: []projection.AccountState{projection.AccountUnlinked, projection.AccountAside}},
	"linked": {State: []projection.AccountState{projection.AccountLinked}}, "amended": {State: []projection.AccountState{projection.AccountAmended}},
	"carrier": {Carrier: "The Gazette"}, "other": {Party: []string{"other"}}, "Ada": {Claimant: "Ada"}, "said": {SaidSince: "2025-10-15", SaidUntil: "2025-10-15"}, "page": {Limit: 2, Offset: 1},
}

// plainSQL counts once more, by queries that read row by row.
func plainSQL(r *rapid.T, path string, d *projection.DB) {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close()
	const unlinked = `a.counted AND a.state <> 'withdrawn' AND NOT a.aside AND NOT EXISTS (
		SELECT 1 FROM links l JOIN incidents i ON i.id = l.incident JOIN incidents t ON t.id = i.root WHERE l.account = a.id AND l.undone = -1 AND t.counted)`
	var want projection.Counts
	if err := db.QueryRow(`
		SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM reports WHERE counted),
		  (SELECT count(*) FROM accounts WHERE counted AND state <> 'withdrawn'),
		  (SELECT coalesce(sum(claims), 0) FROM accounts WHERE counted AND state <> 'withdrawn'),
		  (SELECT count(*) FROM incidents WHERE counted AND class = 'incident' AND id = root AND undone = -1),
		  (SELECT count(*) FROM incidents WHERE counted AND class <> 'incident' AND id = root AND undone = -1),
		  (SELECT count(*) FROM accounts a WHERE `+unlinked+`),
		  (SELECT coalesce(max(idx), -1) FROM records), (SELECT coalesce(max(logged_at), 0) FROM records)`).
		Scan(&want.Records, &want.Reports, &want.Accounts, &want.Claims, &want.Incidents, &want.Others, &want.Unlinked, &want.LastIndex, &want.LastLogged); err != nil {
		r.Fatal(err)
	}
	if got, err := d.Counts(context.Background()); err != nil || got != want {
		r.Errorf("counts %+v, %v; plain SQL %+v", got, err, want)
	}
}

// plainSearch looks for words in loops.
func plainSearch(r *rapid.T, d *projection.DB) {
	ctx := context.Background()
	all, err := d.Search(ctx, projection.Search{})
	if err != nil {
		r.Fatal(err)
	}
	for i := 1; i < len(all.Hits); i++ {
		before, h := all.Hits[i-1], all.Hits[i]
		p, q := before.Body.SaidOn, h.Body.SaidOn
		if p.First().Before(q.First()) || p == q && before.State == "recorded" && h.State == "recorded" && before.Index < h.Index {
			r.Errorf("%s of %s stands before %s of %s", before.ID, p, h.ID, q)
		}
	}
	for name, s := range searches {
		if s.Text == "" || s.Old || len(s.Element) > 0 {
			continue
		}
		var want []record.ID
		for _, h := range all.Hits {
			said := []string{h.Body.Claimant.Name, h.Body.Carrier}
			if rep, err := d.Report(ctx, h.Report); err == nil {
				said = append(said, rep.Body.Title, rep.Body.Carrier)
			}
			for _, c := range h.Body.Claims {
				said = append(said, c.Words)
			}
			words := " " + text.Fold(strings.Join(said, "\n"))
			if !slices.ContainsFunc(projection.Words(s.Text), func(w string) bool { return !strings.Contains(words, " "+w) }) {
				want = append(want, h.ID)
			}
		}
		found, err := d.Search(ctx, s)
		if err != nil {
			r.Fatal(err)
		}
		var got []record.ID
		for _, h := range found.Hits {
			got = append(got, h.ID)
			if len(h.Claims) == 0 && name == "number" {
				r.Errorf("%s: no claim of %s is named", name, h.ID)
			}
		}
		if !slices.Equal(got, want) || found.Matched != len(want) || found.Total != len(all.Hits) {
			r.Errorf("%s: found %v, want %v; %d of %d", name, got, want, found.Matched, found.Total)
		}
	}
}

// plainIncidents narrows the list of incidents in loops.
func plainIncidents(r *rapid.T, d *projection.DB) {
	ctx := context.Background()
	all, _, err := d.Incidents(ctx, projection.Filter{})
	if err != nil {
		r.Fatal(err)
	}
	for i := 1; i < len(all); i++ {
		if p, q := all[i-1].When.First(), all[i].When.First(); p.Before(q) || p.Equal(q) && all[i-1].Index < all[i].Index {
			r.Errorf("%s stands before %s", all[i-1].Label, all[i].Label)
		}
	}
	type heard struct {
		parties, names []string
		said           string
	}
	told := map[record.ID]heard{}
	for _, in := range all {
		words := []string{in.Label, in.PlaceText, in.Number}
		var h heard
		list, err := d.AccountsOf(ctx, in.ID)
		if err != nil {
			r.Fatal(err)
		}
		for _, a := range list {
			if a.State == "withdrawn" {
				continue
			}
			h.parties, h.names = append(h.parties, a.Body.Claimant.Party), append(h.names, a.Body.Claimant.Name)
			words = append(words, a.Body.Claimant.Name, a.Body.Carrier)
			if rep, err := d.Report(ctx, a.Report); err == nil {
				words = append(words, rep.Body.Title, rep.Body.Carrier)
			}
			for _, c := range a.Body.Claims {
				words = append(words, c.Words)
			}
		}
		h.said = " " + text.Fold(strings.Join(words, "\n"))
		told[in.ID] = h
	}
	for name, f := range filters {
		var want []record.ID
		matched, months := map[record.Class]int{}, map[when.Date]int{}
		for _, in := range all {
			parties, names, said := told[in.ID].parties, told[in.ID].names, told[in.ID].said
			if len(f.Party) > 0 && !slices.Contains(parties, "") || f.Claimant != "" && !slices.Contains(names, f.Claimant) ||
				slices.ContainsFunc(projection.Words(f.Text), func(w string) bool { return !strings.Contains(said, " "+w) }) {
				continue
			}
			if in.Class == record.ClassIncident {
				for t := in.When.First(); !t.After(in.When.Last()); t = t.AddDate(0, 0, 1) {
					if t.Equal(in.When.First()) || t.Day() == 1 {
						months[when.Date(t.Format("2006-01"))]++
					}
				}
			}
			if f.Since != "" && in.When.Last().Before(f.Since.First()) || f.Until != "" && f.Until.Last().Before(in.When.First()) {
				continue
			}
			matched[in.Class]++
			if len(f.Class) == 0 || slices.Contains(f.Class, in.Class) {
				want = append(want, in.ID)
			}
		}
		list, n, err := d.Incidents(ctx, f)
		if err != nil {
			r.Fatal(err)
		}
		var got []record.ID
		for _, in := range list {
			got = append(got, in.ID)
		}
		o, err := d.Overview(ctx, f)
		if err != nil || n != len(want) || f.Limit == 0 && !slices.Equal(got, want) || !maps.Equal(o.Matched, matched) || !maps.Equal(o.Months, months) {
			r.Errorf("%s: found %v, want %v, %d in all; overview %+v, want %v and %v; %v", name, got, want, n, o, matched, months, err)
		}
	}
}
