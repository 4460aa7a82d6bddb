// SPDX-License-Identifier: Apache-2.0

package agreement_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/agreement"
	"truceline/example"
	"truceline/record"
	"truceline/verify/verifytest"
)

// file is a small agreement as people write it, with an edit.
func file(tb testing.TB, edit func(pack map[string]any)) string {
	tb.Helper()
	b, err := json.Marshal(verifytest.Pack())
	if err != nil {
		tb.Fatal(err)
	}
	var pack map[string]any
	if err := json.Unmarshal(b, &pack); err != nil {
		tb.Fatal(err)
	}
	if edit != nil {
		edit(pack)
	}
	b, err = json.MarshalIndent(map[string]any{"agreement": 1, "pack": pack, "terms": []string{"kept as it is"}}, "", "  ")
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestLoad(t *testing.T) {
	f, err := agreement.Load(strings.NewReader("\xef\xbb\xbf" + file(t, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.Pack, verifytest.Pack()) || !strings.Contains(string(f.Terms), "kept as it is") {
		t.Errorf("%+v", f)
	}
	if s := f.Pack.Title.In("prs"); s != f.Pack.Title["en"] {
		t.Error("a language that is not there is not shown in English")
	}
	for _, name := range example.Names() {
		set, err := example.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := agreement.Load(bytes.NewReader(set.Agreement))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		roundTrip(t, f.Pack)
	}
	// Lists that may be empty may be missing, and are the same as empty ones.
	var digests []record.Digest
	for _, edit := range []func(p map[string]any){
		func(p map[string]any) { delete(p, "grades"); delete(p, "groups"); delete(p, "measures") },
		func(p map[string]any) { p["grades"], p["groups"], p["measures"] = []any{}, []any{}, []any{} },
	} {
		f, err := agreement.Load(strings.NewReader(file(t, edit)))
		if err != nil {
			t.Fatal(err)
		}
		d, err := f.Pack.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, d)
		roundTrip(t, f.Pack)
	}
	if digests[0] != digests[1] {
		t.Error("an empty list and none make two packs")
	}
}

// A policy, a bound on clocks and former members come through adoption as they are, and a
// pack without them is the pack that it was before there were any.
func TestTrust(t *testing.T) {
	plain, err := agreement.Load(strings.NewReader(file(t, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := record.Canonical(plain.Pack); err != nil || bytes.Contains(b, []byte("policy")) || bytes.Contains(b, []byte("clock_bound_s")) || bytes.Contains(b, []byte("former")) {
		t.Errorf("what is not said is written: %v %s", err, b)
	}
	policy := strings.Repeat("# as agreed\n", (agreement.MaxPolicy-12)/12) + "quorum none\n"
	for _, bound := range []int64{0, 1, 86_400} {
		f, err := agreement.Load(strings.NewReader(file(t, func(p map[string]any) {
			p["policy"], p["clock_bound_s"] = policy, bound
			at(p, "members", 6)["former"] = true
		})))
		if err != nil {
			t.Fatal(err)
		}
		merged, err := agreement.Merge(roundTrip(t, f.Pack))
		if err != nil || merged.Policy != policy || merged.ClockBoundS != bound || !merged.Members[6].Former || merged.Members[5].Former {
			t.Errorf("%v, %+v", err, merged)
		}
		want := bound * 1000
		if bound == 0 {
			want = 120_000
		}
		if got := merged.ClockBoundMS(); got != want {
			t.Errorf("a bound of %d seconds is %d milliseconds", bound, got)
		}
		same, _ := plain.Pack.Digest()
		if other, err := f.Pack.Digest(); err != nil || other == same {
			t.Error("the digest does not cover them:", err)
		}
	}
	var none *agreement.Pack
	if none.ClockBoundMS() != 120_000 {
		t.Error("before there is an agreement there is another bound than where it gives none")
	}
}

// at walks into maps and lists.
func at(v any, path ...any) map[string]any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(map[string]any)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v.(map[string]any)
}

func TestLoadErrors(t *testing.T) {
	type pack = map[string]any
	set := func(key string, v any, path ...any) func(pack) {
		return func(p pack) { at(p, path...)[key] = v }
	}
	twice := func(list string) func(pack) {
		return func(p pack) { p[list] = append(p[list].([]any), p[list].([]any)[0]) }
	}
	for _, tt := range []struct {
		name string
		edit func(pack)
		says string
	}{
		{"unknown field", set("colour", "red"), "unknown field"},
		{"unknown field below", set("colour", "red", "parties", 0), "unknown field"},
		{"number for a text", set("code", 5, "parties", 0), "cannot unmarshal"},
		{"format", set("format", 2), "update needed"},
		{"no English title", set("title", pack{"ur": "x"}), "title: the English text is missing"},
		{"empty notice", set("notice", pack{}), "notice: the English text is missing"},
		{"language first", set("languages", []string{"ur", "en"}), "the first is en"},
		{"no bound on clocks", set("clock_bound_s", -1), "clock_bound_s: -1"},
		{"a bound above a day", set("clock_bound_s", 86_401), "clock_bound_s: 86401"},
		{"half a second", set("clock_bound_s", 0.5), "cannot unmarshal"},
		{"a policy too long", set("policy", strings.Repeat("#", agreement.MaxPolicy+1)), "policy: it has 16385 bytes"},
		{"a policy with a carriage return", set("policy", "quorum none\r\n"), "control character"},
		{"a policy in pieces", set("policy", []string{"quorum none"}), "cannot unmarshal"},
		{"former in words", set("former", "yes", "members", 0), "cannot unmarshal"},
		{"no language", set("languages", []string{}), "the first is en"},
		{"language tag", set("languages", []string{"en", "Urdu "}), "not a language tag"},
		{"control character", set("name", pack{"en": "x\x1b[2J"}, "places", 0), "control character"},
		{"text's tag", set("name", pack{"en": "x", "EN": "y"}, "places", 0), "language tag"},
		{"text empty", set("name", pack{"en": "x", "ur": ""}, "places", 0), "its text is empty"},
		{"one party", func(p pack) { p["parties"] = p["parties"].([]any)[:1] }, "at least two parties"},
		{"party twice", twice("parties"), "given twice"},
		{"party code", set("code", "a b", "parties", 0), "is not a code"},
		{"letter", set("letter", "AB", "parties", 0), "not one capital letter"},
		{"same letter", set("letter", "B", "parties", 0), "code B is given twice"},
		{"pattern", set("pattern", "pink", "parties", 0), "is not one of"},
		{"own name", set("own_name", pack{}, "parties", 0), "own_name: the English text"},
		{"no short name", func(p pack) { delete(at(p, "parties", 0), "short") }, "short: the English text"},
		{"party no member", func(p pack) { p["members"] = slices.Delete(p["members"].([]any), 2, 3) }, "party DRN is missing"},
		{"member no party", set("role", "party", "members", 1), "is not in parties"},
		{"member role", set("role", "king", "members", 1), "is not known"},
		{"two registries", set("role", "registry", "members", 1), "2 have the role registry"},
		{"member twice", twice("members"), "given twice"},
		{"term twice", twice("claimant_kinds"), "given twice"},
		{"measure unit", set("unit", "kg", "measures", 0), "is not one of"},
		{"group's side", set("side", "watch", "groups", 0), "is not a party"},
		{"part of a group", set("parts", []string{"nobody"}, "groups", 0), "is not a group"},
		{"part of itself", set("parts", []string{"OMB_guards"}, "groups", 0), "part of itself"},
		{"parts in a ring", func(p pack) {
			delete(at(p, "groups", 0), "side")
			delete(at(p, "groups", 1), "civilian")
			at(p, "groups", 0)["parts"], at(p, "groups", 1)["parts"] = []string{"shore_people"}, []string{"OMB_guards"}
		}, "part of itself"},
		{"part twice", func(p pack) {
			p["groups"] = append(p["groups"].([]any), pack{"code": "all", "name": pack{"en": "x"}, "parts": []string{"OMB_guards", "OMB_guards"}})
		}, "OMB_guards lies in two"},
		{"part in a part", func(p pack) {
			p["groups"] = append(p["groups"].([]any), pack{"code": "some", "name": pack{"en": "x"}, "parts": []string{"OMB_guards"}},
				pack{"code": "all", "name": pack{"en": "x"}, "parts": []string{"some", "OMB_guards"}})
		}, "OMB_guards lies in two"},
		{"part of another side", set("parts", []string{"shore_people"}, "groups", 0), "does not belong to its side"},
		{"civilian whole", set("parts", []string{"OMB_guards"}, "groups", 1), "is not civilian"},
		{"complete without parts", set("complete", true, "groups", 0), "there are none"},
		{"stance effect", set("effect", "shouts", "stances", 0), "is not one of"},
		{"denial covers nothing", func(p pack) { delete(at(p, "stances", 1), "covers") }, "is not one of"},
		{"assertion covers", set("covers", "event", "stances", 0), "is not one of"},
		{"place kind", set("kind", "x", "places", 0), "not in place_kinds"},
		{"place twice", twice("places"), "given twice"},
		{"half a position", func(p pack) { delete(at(p, "places", 0), "lon_e6") }, "belong together"},
		{"no precision", func(p pack) { delete(at(p, "places", 0), "precision_m") }, "belong together"},
		{"precision alone", set("precision_m", 5, "places", 1), "belong together"},
		{"negative precision", set("precision_m", -5, "places", 0), "belong together"},
		{"latitude", set("lat_e6", 90_000_001, "places", 0), "micro-degrees"},
		{"fraction", set("lat_e6", 34.5, "places", 0), "cannot unmarshal"},
		{"names of a stranger", set("party_names", pack{"watch": pack{"en": "x"}}, "places", 0), "not a party"},
		{"place string of no place", set("places", []string{"x"}, "place_strings", 0), "is not a place"},
		{"place string twice", twice("place_strings"), "given twice"},
		{"place string empty", set("text", "", "place_strings", 0), "is empty"},
		{"line without names", set("party_names", pack{}, "lines", 0), "names are missing"},
		{"line without course", func(p pack) { delete(at(p, "lines", 0), "path") }, "needs a boundary"},
		{"line with both", set("boundary", []string{"004", "586"}, "lines", 0), "needs a boundary"},
		{"line's countries", func(p pack) {
			l := at(p, "lines", 0)
			delete(l, "path")
			l["boundary"] = []string{"AF", "PK"}
		}, "ISO 3166-1"},
		{"line's position", set("path", [][2]int{{91_000_000, 0}, {0, 0}}, "lines", 0), "micro-degrees"},
		{"contested", set("contested_boundaries", [][2]string{{"004", "x"}}), "ISO 3166-1"},
		{"view upside down", set("view", pack{"north": 1, "south": 2, "east": 2, "west": 1}), "not below"},
		{"view outside", set("view", pack{"north": 99_000_000, "south": 2, "east": 2, "west": 1}), "micro-degrees"},
	} {
		if _, err := agreement.Load(strings.NewReader(file(t, tt.edit))); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
	for name, s := range map[string]string{
		"nothing": "", "not JSON": "agreement: 1", "no pack": `{"agreement":1}`, "later format": strings.Replace(file(t, nil), `"agreement": 1`, `"agreement": 2`, 1),
		"something after": file(t, nil) + "{}", "unknown beside": `{"agreement":1,"packs":{}}`, "too large": strings.Repeat(" ", agreement.MaxFile+1),
	} {
		if _, err := agreement.Load(strings.NewReader(s)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// roundTrip divides and merges, through the bodies' bytes.
func roundTrip(t interface {
	Fatal(...any)
	Helper()
}, p *agreement.Pack) []*record.Adoption {
	t.Helper()
	parts, err := p.Parts(3)
	if err != nil {
		t.Fatal(err)
	}
	var read []*record.Adoption
	for i, part := range parts {
		b, err := record.EncodeBody(part)
		if err != nil {
			t.Fatal(err)
		}
		body, err := record.ParseBody(record.AgreementAdopted, b)
		if err != nil {
			t.Fatal(err)
		}
		a := body.(*record.Adoption)
		if a.Part != i+1 || a.Parts != len(parts) || a.Version != 3 {
			t.Fatal("part", a.Part, "of", a.Parts)
		}
		read = append(read, a)
	}
	merged, err := agreement.Merge(read)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := p.Digest()
	if got, err := merged.Digest(); err != nil || got != want {
		t.Fatal("the merged pack is another", err)
	}
	return read
}

func TestPartsAndMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := verifytest.Pack()
		filler := strings.Repeat("x", rapid.IntRange(0, 3000).Draw(t, "size"))
		for i := range rapid.IntRange(0, 120).Draw(t, "places") {
			p.Places = append(p.Places, agreement.Place{Code: fmt.Sprint("p", i), Kind: "landing", Name: agreement.Text{"en": "x" + filler}})
		}
		for i := range rapid.IntRange(0, 120).Draw(t, "strings") {
			p.PlaceStrings = append(p.PlaceStrings, agreement.PlaceString{Text: fmt.Sprint(i, filler), Places: []string{"reed_bay"}})
		}
		if rapid.Bool().Draw(t, "no places") {
			p.Places, p.PlaceStrings = nil, nil
		}
		parts := roundTrip(t, p)
		// Any part missing, twice, or in another place is found.
		i, j := rapid.IntRange(0, len(parts)-1).Draw(t, "i"), rapid.IntRange(0, len(parts)-1).Draw(t, "j")
		if _, err := agreement.Merge(slices.Delete(slices.Clone(parts), i, i+1)); err == nil {
			t.Fatal("a missing part is not found")
		}
		if i != j {
			other := slices.Clone(parts)
			other[i], other[j] = other[j], other[i]
			if _, err := agreement.Merge(other); err == nil {
				t.Fatal("parts out of order are not found")
			}
		}
	})
	p := verifytest.Pack()
	p.Title["en"] = strings.Repeat("x", record.MaxBody)
	if _, err := p.Parts(1); err == nil || !strings.Contains(err.Error(), "shorten its texts") {
		t.Error("a pack whose texts fit no record:", err)
	}
	p = verifytest.Pack()
	p.Places[0].Note = strings.Repeat("x", record.MaxBody)
	if _, err := p.Parts(1); err == nil || !strings.Contains(err.Error(), "place ferry_head") {
		t.Error("a place that fits no record:", err)
	}
}

func TestMergeRefuses(t *testing.T) {
	parts := roundTrip(t, verifytest.Pack())
	if len(parts) != 2 {
		t.Fatal(len(parts))
	}
	for name, edit := range map[string]func(a *record.Adoption){
		"another digest":   func(a *record.Adoption) { a.SHA256[0]++ },
		"another version":  func(a *record.Adoption) { a.Version++ },
		"another count":    func(a *record.Adoption) { a.Parts++ },
		"another name":     func(a *record.Adoption) { a.Pack = bytes.Replace(a.Pack, []byte("Reed Bay"), []byte("Weed Bay"), 1) },
		"unknown field":    func(a *record.Adoption) { a.Pack = []byte(`{"colour":1}`) },
		"capital letters":  func(a *record.Adoption) { a.Pack = bytes.Replace(a.Pack, []byte(`"places"`), []byte(`"Places"`), 1) },
		"an empty list":    func(a *record.Adoption) { a.Pack = []byte(`{"places":[]}`) },
		"something after":  func(a *record.Adoption) { a.Pack = append(slices.Clone(a.Pack), '{', '}') },
		"not JSON":         func(a *record.Adoption) { a.Pack = []byte(`{`) },
		"places of part 1": func(a *record.Adoption) { a.Pack = parts[0].Pack },
	} {
		other := *parts[1]
		edit(&other)
		if _, err := agreement.Merge([]*record.Adoption{parts[0], &other}); err == nil {
			t.Errorf("%s: merged", name)
		}
	}
	if _, err := agreement.Merge(nil); err == nil {
		t.Error("nothing was merged")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(file(f, nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := agreement.Load(bytes.NewReader(b))
		if err != nil {
			return
		}
		if a.Pack.Validate() != nil {
			t.Fatal("a pack that is not valid was loaded")
		}
		if _, err := a.Pack.Digest(); err != nil {
			t.Fatalf("a pack was loaded that cannot be adopted: %v", err)
		}
	})
}

func FuzzMerge(f *testing.F) {
	parts, err := verifytest.Pack().Parts(1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(parts[0].Pack), []byte(parts[1].Pack))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		a, b := *parts[0], *parts[1]
		same := bytes.Equal(first, a.Pack) && bytes.Equal(second, b.Pack)
		a.Pack, b.Pack = first, second
		if _, err := agreement.Merge([]*record.Adoption{&a, &b}); err == nil && !same && len(first)+len(second) < len(parts[0].Pack)+len(parts[1].Pack) {
			t.Fatalf("shorter parts make the same pack: %q %q", first, second)
		}
	})
}
