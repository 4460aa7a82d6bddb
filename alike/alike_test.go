// SPDX-License-Identifier: Apache-2.0

package alike_test

import (
	"fmt"
	"slices"
	"testing"

	"truceline/alike"
	"truceline/record"
	"truceline/when"
)

func id(n byte) record.ID { return record.ID{15: n} }

const (
	words   = "Twelve people were killed and more than a hundred hurt when shells fell on the market, the spokesman said."
	shorter = "Twelve people were killed and more than a hundred hurt"
	other   = "The talks will go on next week, and nobody has left the hall."
)

func TestWhatIsListed(t *testing.T) {
	base := alike.Statement{Claimant: "Lake spokesman", SaidOn: "2031-05-03", Document: "https://lakes.example/7", Words: words}
	for _, c := range []struct {
		what   string
		other  alike.Statement
		listed bool
	}{
		{"the same again", base, true},
		{"shorter, next day, elsewhere", alike.Statement{Claimant: "Lake spokesman", SaidOn: "2031-05-04", Document: "b", Words: shorter}, true},
		{"the month alone", alike.Statement{Claimant: "Lake spokesman", SaidOn: "2031-05", Words: shorter}, true},
		{"without a day", alike.Statement{Claimant: "Lake spokesman", Words: shorter}, true},
		{"the name in capitals", alike.Statement{Claimant: "LAKE  SPOKESMAN", SaidOn: "2031-05-03", Words: shorter}, true},
		{"another name, the same words", alike.Statement{Claimant: "spokesman of the lakes", SaidOn: "2031-05-04", Words: shorter}, true},
		{"one document, one claimant, other words", alike.Statement{Claimant: "Lake spokesman", SaidOn: "2031-05-03", Document: "https://lakes.example/7", Words: other}, true},
		{"a month later", alike.Statement{Claimant: "Lake spokesman", SaidOn: "2031-06-03", Words: words}, false},
		{"other words", alike.Statement{Claimant: "Lake spokesman", SaidOn: "2031-05-03", Words: other}, false},
		{"one document, another claimant", alike.Statement{Claimant: "Hill spokesman", SaidOn: "2031-05-03", Document: "https://lakes.example/7", Words: other}, false},
		{"nothing in common", alike.Statement{Claimant: "Hill spokesman", SaidOn: "2031-05-03", Words: other}, false},
	} {
		if got := alike.Find(base, []alike.Statement{c.other}); (len(got) == 1) != c.listed {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
	// Before anything is typed but who and when.
	base.Words, base.Document = "", ""
	if got := alike.Find(base, []alike.Statement{{ID: id(1), Claimant: "Lake spokesman", SaidOn: "2031-05-03", Words: other}, {ID: id(2), Claimant: "Lake spokesman", SaidOn: "2031-05-04", Words: other}}); len(got) != 1 || got[0].ID != id(1) {
		t.Errorf("without words: %+v", got)
	}
	// An empty form is like nothing.
	if got := alike.Find(alike.Statement{}, []alike.Statement{{}, {Words: words}}); len(got) != 0 {
		t.Errorf("an empty form: %+v", got)
	}
}

func TestScriptsAndKeyboards(t *testing.T) {
	a := alike.Statement{Claimant: "ترجمان وزارت", SaidOn: "2031-05-03", Words: "در این حمله ۱۲ غیرنظامی کشته شدند و بیش از صد تن زخمی"}
	b := alike.Statement{Claimant: "ترجمان وزارت", SaidOn: "2031-05-03", Words: "در این حمله 12 غیرنظامي كشته شدند"}
	got := alike.Find(a, []alike.Statement{b})
	if len(got) != 1 || !got[0].SameClaimant || got[0].Words < 0.99 {
		t.Errorf("%+v", got)
	}
}

func TestOrder(t *testing.T) {
	base := alike.Statement{Claimant: "A", SaidOn: "2031-05-03", Document: "d", Words: words}
	list := []alike.Statement{
		{ID: id(1), Claimant: "A", SaidOn: "2031-05-05", Words: shorter + ", but that is all that is known of it so far today"},
		{ID: id(2), Claimant: "A", SaidOn: "2031-05-03", Document: "d", Words: words},
		{ID: id(3), Claimant: "A", SaidOn: "2031-05-03", Words: words},
		{ID: id(4), Claimant: "B", SaidOn: "2031-05-03", Words: words},
		{ID: id(5), Claimant: "B", SaidOn: "2031-05-03", Words: words},
	}
	want := []record.ID{id(2), id(3), id(4), id(5), id(1)}
	for range 5 {
		var got []record.ID
		for _, m := range alike.Find(base, list) {
			got = append(got, m.ID)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		list = append(list[1:], list[0]) // the order they come in does not matter
	}
}

func TestDays(t *testing.T) {
	for _, c := range []struct {
		a, b when.Date
		want int
	}{{"2031-05-03", "2031-05-03", 0}, {"2031-05-03", "2031-05-04", 1}, {"2031-05-03", "2031-05", 0}, {"2031", "2031-12-31", 0}, {"2031-12-31", "2032", 1}, {"2031-04", "2031-05-08", 8}, {"", "2031", -1}, {"", "", -1}} {
		for _, pair := range [][2]when.Date{{c.a, c.b}, {c.b, c.a}} {
			m := alike.Find(alike.Statement{Claimant: "A", Document: "d", SaidOn: pair[0]}, []alike.Statement{{Claimant: "A", Document: "d", SaidOn: pair[1]}})
			if len(m) != 1 || m[0].Days != c.want {
				t.Errorf("%v: %+v, want %d days", pair, m, c.want)
			}
		}
	}
}

func TestContainment(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"a b c d", "a b c d", 1}, {"a b c", "x a b c y", 1}, {"a b c d", "a b c x", 0.5}, {"a b", "a b", 1}, {"a b", "a b c", 0}, {"", "a b c", 0}, {"", "", 0}, {"a b c", "c b a", 0}} {
		x, y := alike.Shingles(c.a), alike.Shingles(c.b)
		if got, back := alike.Containment(x, y), alike.Containment(y, x); got != c.want || back != c.want {
			t.Errorf("%q in %q: %v and %v, want %v", c.a, c.b, got, back, c.want)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	var list []alike.Statement
	for i := range 300 {
		list = append(list, alike.Statement{ID: id(byte(i)), Claimant: fmt.Sprint("A", i%3), SaidOn: "2031-05-03", Words: words + other + fmt.Sprint(i)})
	}
	for b.Loop() {
		alike.Find(list[0], list)
	}
}
