// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/independence"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// figured is an account with an exact number and a place in words.
func (s *story) figured(who record.Claimant, n int64, place string) *record.Account {
	a := s.says(who, "told")
	c := &a.Claims[0]
	c.Element, c.Measure, c.Bound, c.Low, c.High, c.PlaceText = record.Harm, s.pack.Measures[0].Code, "exact", &n, &n, place
	return a
}

func (s *story) origins(d *projection.DB, incident record.ID, accounts ...record.ID) *projection.Origins {
	s.t.Helper()
	o, err := d.Origins(context.Background(), incident, accounts)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// Ten outlets that carry one spokesman are one origin; so are two offices of one party.
func TestTenOutletsOneSpokesman(t *testing.T) {
	s := newStory(t, "lakes")
	in := s.file(record.IncidentOpened, &record.Opening{Class: record.ClassIncident, Label: "x", When: when.Span{Start: "2031-04-12"}}, nil)
	kinds := s.pack.ClaimantKinds
	var ids []record.ID
	for i := range 10 {
		a := s.figured(record.Claimant{Kind: kinds[0].Code, Name: "A spokesman", Party: s.pack.Parties[0].Code}, 12, "")
		a.Carrier = fmt.Sprintf("Outlet %d", i)
		ids = append(ids, s.file(record.AccountFiled, a, nil, about(record.RoleReport, s.report(fmt.Sprintf("Paper %d", i)))))
	}
	d := s.folded(t.TempDir())
	if o := s.origins(d, in, ids...); o.Count != 1 || len(o.Groups) != 1 || len(o.Groups[0].Accounts) != 10 || o.Without(independence.Channels...).Count != 1 {
		t.Errorf("ten outlets are %d origins", o.Count)
	}
	office := s.file(record.AccountFiled, s.figured(record.Claimant{Kind: kinds[1].Code, Name: "An office", Party: s.pack.Parties[0].Code}, 12, ""), nil)
	rival := s.file(record.AccountFiled, s.figured(record.Claimant{Kind: kinds[0].Code, Name: "A rival", Party: s.pack.Parties[1].Code}, 12, ""), nil)
	s.follow(d)
	o := s.origins(d, in, append(ids, office, rival)...)
	if o.Count != 2 || !o.Joined(ids[0], office) || o.Joined(office, rival) {
		t.Errorf("an office of the same party and one of another: %d origins", o.Count)
	}
	if o.Audience != record.AudiencePublic || o.Last != int64(len(s.entries))-1 {
		t.Errorf("computed from %q up to %d of %d", o.Audience, o.Last, len(s.entries))
	}
	// Withdrawn accounts, and ids of nothing, have no origin.
	s.because(record.AccountWithdrawn, about(record.RoleAccount, rival))
	s.follow(d)
	if o := s.origins(d, in, office, rival, record.ID{9}); o.Count != 1 || len(o.Groups[0].Accounts) != 1 {
		t.Errorf("what is withdrawn or not there counts: %+v", o.Groups)
	}
}

// What a recorder wrote of two claimants joins nobody; what they said does.
func TestOnlyQuotedWordsAreCompared(t *testing.T) {
	const words = "the boats were burned at the landing before dawn and nobody of the watch was near when the first shots fell"
	s := newStory(t, "lakes")
	who := func(name string) record.Claimant {
		return record.Claimant{Kind: s.pack.ClaimantKinds[2].Code, Name: name}
	}
	var told, quoted []record.ID
	for _, name := range []string{"one", "two"} {
		told = append(told, s.account(record.ID{}, who("told "+name), words))
		a := s.says(who("quoted "+name), "short")
		a.Quote = &record.Quote{Text: words}
		quoted = append(quoted, s.file(record.AccountFiled, a, nil))
	}
	o := s.origins(s.folded(t.TempDir()), record.ID{}, append(told, quoted...)...)
	if o.Joined(told[0], told[1]) || !o.Joined(quoted[0], quoted[1]) {
		t.Errorf("groups %+v", o.Groups)
	}
}

// Of an incident only the claims that are linked to it take part.
func TestOtherIncidentsFiguresStayOut(t *testing.T) {
	s := newStory(t, "lakes")
	in := s.file(record.IncidentOpened, &record.Opening{Class: record.ClassIncident, Label: "x", When: when.Span{Start: "2031-04-12"}}, nil)
	var ids []record.ID
	for _, name := range []string{"one", "two"} {
		a := s.figured(record.Claimant{Kind: s.pack.ClaimantKinds[2].Code, Name: name}, 137, "Ferry Head")
		second := a.Claims[0]
		n := int64(246)
		second.N, second.Low, second.High = 2, &n, &n
		a.Claims = append(a.Claims, second)
		id := s.file(record.AccountFiled, a, nil)
		s.file(record.IncidentLinked, &record.Link{Claims: []int{1}, Reason: "same day", Role: record.LinkAbout}, nil, about(record.RoleAccount, id), about(record.RoleIncident, in))
		ids = append(ids, id)
	}
	for i := range 150 { // others give other numbers, so that these are rare
		s.file(record.AccountFiled, s.figured(record.Claimant{Kind: s.pack.ClaimantKinds[2].Code, Name: fmt.Sprint("other ", i)}, int64(301+2*i), ""), nil)
	}
	d := s.folded(t.TempDir())
	if !s.origins(d, record.ID{}, ids...).Joined(ids[0], ids[1]) {
		t.Error("two odd figures do not join")
	}
	if s.origins(d, in, ids...).Joined(ids[0], ids[1]) {
		t.Error("a figure that is about another incident joins")
	}
}

// Whatever becomes of accounts, the frequencies are those of a fresh reading.
func TestRarityFollows(t *testing.T) {
	s := newStory(t, "lakes")
	who := record.Claimant{Kind: s.pack.ClaimantKinds[2].Code, Name: "somebody"}
	a := s.file(record.AccountFiled, s.figured(who, 137, "Ferry Head"), nil)
	d := s.folded(t.TempDir())
	s.origins(d, record.ID{}, a)
	amend := func(n int64, place string, before record.ID) record.ID {
		return s.file(record.AccountAmended, s.figured(who, n, place), func(st *record.Statement) { st.Supersedes = before }, about(record.RoleAccount, a))
	}
	var amendment, batch, b record.ID
	for i, step := range []func(){
		func() { b = s.file(record.AccountFiled, s.figured(who, 246, "Ferri Head"), nil) },
		func() { amendment = amend(246, "Ferri Head", a) },
		func() {
			in := s.file(record.IncidentOpened, &record.Opening{Class: record.ClassIncident, Label: "x", When: when.Span{Start: "2031"}}, nil)
			s.link(b, in)
		},
		func() { s.because(record.ActUndone, about(record.RoleAct, amendment)) },
		func() { s.because(record.AccountWithdrawn, about(record.RoleAccount, b)) },
		func() {
			batch = s.file(record.BatchOpened, &record.Batch{Name: "rows", FileSHA256: record.Digest{1}}, nil)
		},
		func() {
			for i := range 600 { // more than are read one by one
				s.file(record.AccountFiled, s.figured(who, int64(21+i), fmt.Sprint("landing ", i%7)), nil, about(record.RoleBatch, batch))
			}
		},
		func() {
			s.file(record.BatchClosed, &record.BatchEnd{Accepted: 600}, nil, about(record.RoleBatch, batch))
		},
		func() { s.because(record.BatchWithdrawn, about(record.RoleBatch, batch)) },
	} {
		step()
		s.follow(d)
		s.origins(d, record.ID{}, a)
		fresh := s.folded(t.TempDir())
		s.origins(fresh, record.ID{}, a)
		if got, want := d.RarityForTest(), fresh.RarityForTest(); got != want || got == "" {
			t.Fatalf("step %d: followed\n%.400s\nfresh\n%.400s", i, got, want)
		}
	}
	if err := d.Reset(context.Background()); err != nil || d.RarityForTest() != "" {
		t.Errorf("after a reset: %v, %.100s", err, d.RarityForTest())
	}
	s.follow(d)
	s.origins(d, record.ID{}, a)
}

func TestOriginsStop(t *testing.T) {
	s := newStory(t, "lakes")
	d := s.folded(t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.Origins(ctx, record.ID{}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestUnnamed(t *testing.T) {
	pack := &agreement.Pack{ClaimantKinds: []agreement.Term{
		{Code: "people", Name: agreement.Text{"en": "People of the shore", "ps": "د ساحل خلک"}}, {Code: "unnamed", Name: agreement.Text{"en": "Not named"}},
		{Code: "side_unnamed", Name: agreement.Text{"en": "Side, not named"}}, {Code: "press", Name: agreement.Text{"en": "Press"}},
	}}
	for _, c := range []struct {
		kind, name string
		want       bool
	}{
		{"people", "People of the Shore", true}, {"people", "people of the shore (in The Herald)", true}, {"people", "د ساحل خلک", true},
		{"people", "People of the north shore", false}, {"press", "People of the shore", false}, {"press", "The Herald", false}, {"press", "Press", true},
		{"unnamed", "A watcher", true}, {"side_unnamed", "An officer", true}, {"notunnamed", "An officer", false}, {"press", "…", true}, {"press", "(…)", true},
	} {
		for _, party := range []string{"", "A"} {
			if got := projection.Unnamed(pack, record.Claimant{Kind: c.kind, Name: c.name, Party: party}); got != c.want {
				t.Errorf("%s of kind %s: %t", c.name, c.kind, got)
			}
		}
	}
}

// One document filed twice is one.
func TestDocumentKey(t *testing.T) {
	a := projection.DocumentKey(record.ID{1}, &record.Report{URL: "https://www.herald.example/a/?utm_source=x"})
	b := projection.DocumentKey(record.ID{2}, &record.Report{URL: "http://herald.example/a"})
	if a != b || a == "" {
		t.Errorf("%q and %q", a, b)
	}
	if k := projection.DocumentKey(record.ID{1}, &record.Report{}); !strings.HasPrefix(k, "01") {
		t.Errorf("without an address: %q", k)
	}
}

// BenchmarkOrigins100k asks for the origins of ten accounts among 100,000: the first time,
// after a new account, and as it usually is.
func BenchmarkOrigins100k(b *testing.B) {
	ctx := context.Background()
	f := newTableFiller(b, gridPack(4))
	var ids []record.ID
	for i := range 100_000 {
		n := int64(i*7919%400 + 1)
		a := sayingOf(dayClaim(1, "2030-03-31", "town-0-0"), dayClaim(2, "2030-03-31", "town-0-0"), dayClaim(3, "2030-03-31", "town-0-0"))
		for j := range a.Claims {
			c := &a.Claims[j]
			c.Element, c.Measure, c.Bound, c.Low, c.High, c.PlaceText = record.Harm, "killed", "exact", &n, &n, fmt.Sprintf("village %c%c%c of the eastern valley", 'a'+i%26, 'a'+i/26%26, 'a'+i/676%26)
		}
		id := fillerID('a', i)
		f.account(id, a, map[string]any{"claimant": fmt.Sprint("speaker ", i%300), "kind": "k"})
		if i%10_000 == 0 {
			ids = append(ids, id)
		}
	}
	d := f.open()
	ask := func(b *testing.B) {
		if _, err := d.Origins(ctx, record.ID{}, ids); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			d.ForgetRarityForTest()
			ask(b)
		}
	})
	b.Run("usual", func(b *testing.B) {
		for b.Loop() {
			ask(b)
		}
	})
}
