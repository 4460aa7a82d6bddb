// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"truceline/independence"
	"truceline/record"
)

// Texts of the tables. None is anybody's: they are written for these tests.
const (
	wire = "Shells fell on the market of the lower town shortly after the evening prayer and a fire went through nine shops before the river brigade reached the square, " +
		"the deputy head of the council told the agency by telephone late on Monday night"
	around = "Roads to the north were closed for a third day while the commission that oversees the truce prepared to meet. " + wire +
		". Traders who had come back only last week said that they would leave again. The commission has asked both sides for their logs of the hours before and after sunset, and has had an answer from neither. " +
		"In the upper valley the water works were said to run again after two weeks of repairs, and schools there were to open on Saturday if the quiet held until then."
	edited = "Shells fell on the market of the lower town soon after the evening prayer and a fire went through eleven shops before the river brigade reached the square, " +
		"the deputy head of the council told the agency by telephone late on Monday"
	first  = "I stood behind the mill when the first one came down and the glass of every window in our street broke, and my brother pulled the children into the cellar before the second"
	second = "We were loading flour at the bakery, heard a whistle, then two bangs maybe a minute apart, and afterwards nobody could see across the road for all that dust and smoke"
)

// Urdu and Pashto as two keyboards and two habits write them: the letters of yeh, kaf and
// heh differ, the words do not.
const (
	urduA   = "گولہ باری کے بعد بازار کی نو دکانیں جل گئیں اور کئی لوگ زخمی ہوئے مقامی کونسل کے نائب سربراہ نے پیر کی رات کو ٹیلی فون پر خبر رساں ادارے کو بتایا"
	pashtoA = "د مازدیګر له لمانځه وروسته په بازار کې ډزې وشوې او نهه دوکانونه وسوځېدل د ښار د شورا مرستیال د دوشنبې په شپه خبري اژانس ته په ټیلیفون کې وویل"
)

var (
	urduB   = strings.NewReplacer("ی", "ي", "ک", "ك", "ہ", "ه", "ں", "ن").Replace(urduA)
	pashtoB = strings.NewReplacer("ی", "ي", "ې", "ی", "ک", "ك", "ګ", "گ", "ښ", "ش").Replace(pashtoA)
)

func outlets(n int, change func(i int, t *independence.Telling)) []independence.Telling {
	out := make([]independence.Telling, n)
	for i := range out {
		out[i] = independence.Telling{Account: id(i + 1), Document: fmt.Sprint("document ", i), Carrier: fmt.Sprint("Outlet ", i),
			Claimant: record.Claimant{Kind: "witness", Name: fmt.Sprint("Witness number ", i)}}
		change(i, &out[i])
	}
	return out
}

func TestGroups(t *testing.T) {
	text := func(texts ...string) []independence.Telling {
		return outlets(len(texts), func(i int, t *independence.Telling) { t.Texts = []string{texts[i]} })
	}
	for _, tt := range []struct {
		name     string
		tellings []independence.Telling
		count    int
		apart    int // without channels
		kinds    []independence.Kind
	}{
		{"nobody", nil, 0, 0, nil},
		{"ten outlets carry one spokesman", outlets(10, func(i int, t *independence.Telling) {
			t.Claimant = record.Claimant{Kind: "official", Name: []string{"Council spokesman", "COUNCIL  Spokesman", "Council spokesmán"}[i%3]}
			t.Texts = []string{fmt.Sprint("said in other words each time, number ", i)}
		}), 1, 1, []independence.Kind{independence.SameClaimant}},
		{"two witnesses with words of their own", text(first, second), 2, 2, nil},
		{"wire copy inside a longer text", text(around, wire), 1, 1, []independence.Kind{independence.Contained}},
		{"wire copy edited", text(wire, edited), 1, 1, []independence.Kind{independence.NearDuplicate}},
		{"an article quotes a dispatch", outlets(2, func(i int, t *independence.Telling) {
			t.Claimant.Party, t.DocumentTexts = "AB"[i:i+1], []string{[]string{around, wire}[i]}
		}), 1, 2, []independence.Kind{independence.CopiedDocument}},
		{"two speak in one article", outlets(2, func(i int, t *independence.Telling) {
			t.Document, t.DocumentTexts = "the same", []string{around}
		}), 1, 2, []independence.Kind{independence.SameDocument}},
		{"the same few words", text("nine shops burned in the lower town", "nine shops burned in the lower town"), 2, 2, nil},
		{"keyboards of Urdu", text(urduA, urduB), 1, 1, []independence.Kind{independence.NearDuplicate}},
		{"keyboards of Pashto", text(pashtoA, pashtoB), 1, 1, []independence.Kind{independence.NearDuplicate}},
		{"Urdu and Pashto", text(urduA, pashtoA), 2, 2, nil},
		{"one agency", outlets(4, func(i int, t *independence.Telling) { t.Origins = []string{"River Press"} }), 1, 4, []independence.Kind{independence.SameOrigin}},
		{"an agency and who carries it", outlets(3, func(i int, t *independence.Telling) {
			if i == 2 {
				t.Origins = []string{"outlet 0"}
			}
		}), 2, 3, []independence.Kind{independence.SameOrigin}},
		{"an agency speaks for who is not named", outlets(2, func(i int, t *independence.Telling) {
			if t.Origins = []string{"River Press"}; i == 0 {
				t.Claimant, t.Origins = record.Claimant{Kind: "media", Name: "River Press"}, nil
			} else {
				t.Claimant, t.Unnamed = record.Claimant{Kind: "media", Name: "reports"}, true
			}
		}), 1, 1, []independence.Kind{independence.SameClaimant, independence.SameOrigin}},
		{"one document", outlets(3, func(i int, t *independence.Telling) { t.Document = "the same" }), 1, 3, []independence.Kind{independence.SameDocument}},
		{"one carrier, several documents", outlets(3, func(i int, t *independence.Telling) { t.Carrier = "the same" }), 3, 3, nil},
		{"offices of one party", outlets(3, func(i int, t *independence.Telling) { t.Claimant.Party = "A" }), 1, 1, []independence.Kind{independence.SameSide}},
		{"two parties", outlets(4, func(i int, t *independence.Telling) { t.Claimant.Party = "AABB"[i : i+1] }), 2, 2, []independence.Kind{independence.SameSide}},
		{"one name, two parties", outlets(2, func(i int, t *independence.Telling) {
			t.Claimant = record.Claimant{Kind: "official", Name: "Defence ministry", Party: "AB"[i : i+1]}
		}), 2, 2, nil},
		{"two rivals in one dispatch", outlets(2, func(i int, t *independence.Telling) {
			t.Claimant.Party, t.Document = "AB"[i:i+1], "dispatch"
		}), 1, 2, []independence.Kind{independence.SameDocument}},
		{"five of unknown origin", outlets(5, func(i int, t *independence.Telling) { t.Unnamed = true }), 1, 1, nil},
		{"three of unknown origin and two witnesses", outlets(5, func(i int, t *independence.Telling) { t.Unnamed = i > 1 }), 3, 3, nil},
		{"not named, with texts of their own", outlets(2, func(i int, t *independence.Telling) {
			t.Unnamed, t.Texts = true, []string{[]string{first, second}[i]}
		}), 2, 2, nil},
		{"not named, in the document of a witness", outlets(2, func(i int, t *independence.Telling) { t.Unnamed, t.Document = i == 1, "the same" }), 1, 2, []independence.Kind{independence.SameDocument}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := independence.Find(tt.tellings, nil)
			if r.Count != tt.count {
				t.Errorf("%d groups count, want %d: %+v", r.Count, tt.count, r.Groups)
			}
			if n := r.Without(independence.Channels...).Count; n != tt.apart {
				t.Errorf("without channels %d groups count, want %d", n, tt.apart)
			}
			var kinds []independence.Kind
			for _, g := range r.Groups {
				for _, e := range g.Edges {
					kinds = append(kinds, e.Kind)
				}
			}
			slices.Sort(kinds)
			if kinds = slices.Compact(kinds); !slices.Equal(kinds, tt.kinds) {
				t.Errorf("kinds of edges %v, want %v", kinds, tt.kinds)
			}
		})
	}
}

func TestEdgesSayWhatIsShared(t *testing.T) {
	ts := outlets(3, func(i int, t *independence.Telling) {
		t.Account, t.Texts = record.ID{byte(i + 1)}, []string{[]string{around, wire, edited}[i]}
	})
	edges := independence.Find(ts, nil).Groups[0].Edges
	words := len(strings.Fields(wire))
	if e := edges[0]; e.Kind != independence.Contained || e.A != ts[0].Account || e.B != ts[1].Account || e.Inside != e.B || e.Thousandths != 1000 || e.Words != words {
		t.Errorf("wire copy of %d words in a longer text: %+v", words, e)
	}
	// Two of 43 words were changed, which spoils at most ten runs, and two cut off.
	last := edges[len(edges)-1]
	if last.Kind != independence.NearDuplicate || last.A != ts[1].Account || last.B != ts[2].Account || last.Thousandths < 500 || last.Thousandths > 800 || last.Words < 15 {
		t.Errorf("edited wire copy: %+v", last)
	}
	ts = outlets(2, func(i int, t *independence.Telling) { t.Origins = []string{[]string{"River Press", "RIVER PRESS"}[i]} })
	if e := independence.Find(ts, nil).Groups[0].Edges[0]; e.Value != "River Press" {
		t.Errorf("the agency is called %q", e.Value)
	}
}

func TestFirstIsToldFirst(t *testing.T) {
	ts := outlets(4, func(i int, t *independence.Telling) { t.Account, t.Claimant.Party = record.ID{byte(i + 1)}, "A" })
	ts[1].Told, ts[2].Published, ts[3].Told = "2030-05", "2030-05-30", "2030-06-01"
	g := independence.Find(ts, nil).Groups[0]
	if g.First != ts[2].Account || g.ID != ts[0].Account || len(g.Accounts) != 4 || !slices.Equal(g.Kinds, []string{"witness"}) {
		t.Errorf("group %+v", g)
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{20, 1000} {
		g := newGenerator(9, latin)
		ts := outlets(n, func(i int, t *independence.Telling) {
			t.Texts = []string{strings.Join(g.text(40), " ")}
			t.DocumentTexts = []string{strings.Join(g.text(300), " ")}
			t.Figures = []independence.Figure{exact("killed", int64(40+i%7)), exact("injured", int64(121+i%7))}
		})
		c := background()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				independence.Find(ts, c)
			}
		})
	}
}

// One side's offices are asked for comment by three papers, each of which has a witness of
// its own. That the side declines thrice does not make the witnesses one.
func TestBeingAskedJoinsNobody(t *testing.T) {
	witness := func(n int, kind, name string) independence.Telling {
		return independence.Telling{Account: id(n), Document: fmt.Sprint("paper ", n), Carrier: fmt.Sprint("outlet ", n), Claimant: record.Claimant{Kind: kind, Name: name}}
	}
	ts := []independence.Telling{witness(1, "hospital", "The hospital"), witness(2, "ngo", "An organisation"), witness(3, "un", "A mission")}
	if r := independence.Find(ts, nil); r.Count != 3 {
		t.Fatalf("three witnesses are %d origins", r.Count)
	}
	for n, office := range []string{"Foreign office", "Defence office", "Information office"} {
		for who, name := range map[string]string{"another office each": office, "one spokesman": "The spokesman"} {
			_ = who
			x := witness(n+1, "party_official", name)
			x.Account, x.Claimant.Party = id(10*(n+1)+len(name)), "A"
			ts = append(ts, x)
		}
	}
	r := independence.Find(ts, nil)
	if r.Count != 3 || r.Independent([]record.ID{id(1), id(2), id(3)}) != 3 {
		t.Errorf("asked for comment, three witnesses are %d origins", r.Count)
	}
	if r.Joined(id(1), id(2)) || r.Joined(id(2), id(3)) {
		t.Error("two witnesses are joined by what a third party declined to say to each")
	}
	var asked []record.ID
	for _, x := range ts[3:] {
		asked = append(asked, x.Account)
	}
	if n := r.Independent(asked); n != 1 {
		t.Errorf("the offices of one side are %d origins", n)
	}
	// In a paper of its own the side is an origin of its own, and once.
	for n := range 2 {
		x := witness(50+n, "party_official", fmt.Sprint("Office ", n))
		x.Claimant.Party = "A"
		ts = append(ts, x)
	}
	if r := independence.Find(ts, nil); r.Count != 4 {
		t.Errorf("with the side's own two papers there are %d origins", r.Count)
	}
}

// Two rivals quoted by one agency without their names are two speakers, and one channel.
func TestAnAgencyIsNoVoiceOfAParty(t *testing.T) {
	office := func(n int, party string) independence.Telling {
		return independence.Telling{Account: id(n), Document: fmt.Sprint("paper ", n), Unnamed: true, Origins: []string{"Agency"}, Claimant: record.Claimant{Kind: "party_unnamed", Name: party + " (office not said)", Party: party}}
	}
	r := independence.Find([]independence.Telling{office(1, "A"), office(2, "B")}, nil)
	if voices := r.Without(independence.Channels...); r.Count != 1 || voices.Count != 2 {
		t.Errorf("%d origins and %d voices", r.Count, voices.Count)
	}
}

// Two rivals in one dispatch who also spoke for themselves are counted once each.
func TestCountedElsewhere(t *testing.T) {
	said := func(n int, document, party string) independence.Telling {
		return independence.Telling{Account: id(n), Document: document, Claimant: record.Claimant{Kind: "party_official", Name: "Office of " + party, Party: party}}
	}
	r := independence.Find([]independence.Telling{said(1, "dispatch", "A"), said(2, "dispatch", "B"), said(3, "own page", "A"), said(4, "other page", "B")}, nil)
	if r.Count != 2 || len(r.Groups) != 3 {
		t.Fatalf("%d origins in %d groups", r.Count, len(r.Groups))
	}
	for _, g := range r.Groups {
		if mixed := len(g.Accounts) == 2; g.Beside != mixed {
			t.Errorf("group of %v stands beside: %v", g.Accounts, g.Beside)
		}
	}
}
