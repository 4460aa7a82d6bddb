// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// opened makes an incident of items, all linked as being about it.
func opened(name, on string, items ...reconcile.Item) reconcile.Incident {
	in := reconcile.Incident{ID: accountID("incident " + name), When: when.Span{Start: when.Date(on)}}
	for _, it := range items {
		in.Said = append(in.Said, reconcile.Linked{Item: it, Role: record.LinkAbout})
	}
	return in
}

var (
	partyPK  = reconcile.Speaker{Party: "PK"}
	partyAF  = reconcile.Speaker{Party: "AF"}
	killedOf = func(group string) reconcile.TallyQuestion {
		return reconcile.TallyQuestion{A: partyPK, B: partyAF, Element: record.Harm, Measure: "killed", Groups: []string{group}}
	}
)

func officer(name, party string) reconcile.Speaker {
	return reconcile.Speaker{Claimant: record.Claimant{Kind: "party_official", Name: name, Party: party}}
}

func endsText(e reconcile.Ends) string {
	s := fmt.Sprintf("%d..%d", e.Low, e.High)
	if e.Low == e.High {
		s = fmt.Sprint(e.Low)
	}
	if e.Open != 0 {
		s += fmt.Sprintf(" open %d", e.Open)
	}
	return s
}

func sideText(s reconcile.Side) string {
	out := string(s.Gap)
	if s.Gap == reconcile.Counted {
		out = endsText(s.Ends)
	}
	for _, b := range s.Beside {
		out += " (" + string(b.Gap) + ")"
	}
	return out
}

func tallyText(t *reconcile.Tally) string {
	out := []string{endsText(t.A.Ends) + " to " + endsText(t.B.Ends)}
	for _, r := range t.Rows {
		s := fmt.Sprintf("%s: %s | %s = %s", r.Kind, sideText(r.A), sideText(r.B), endsText(r.Difference))
		if r.Disjoint {
			s += " disjoint"
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

// TestTallyReasons has one incident a case: why one counts and the other does not.
func TestTallyReasons(t *testing.T) {
	const a = "x PK 2025-01-02 harm killed militants 12 incident asserts"
	for _, tt := range []struct {
		name string
		says []string
		want string // of the only row
	}{
		{"the same", []string{a, "y AF 2025-01-02 harm killed militants 12 incident asserts"}, "equal: 12 | 12 = 0"},
		{"another", []string{a, "y AF 2025-01-02 harm killed militants 31 incident asserts"}, "differ: 12 | 31 = -19 disjoint"},
		{"a range", []string{a, "y AF 2025-01-02 harm killed militants 10..20 incident asserts"}, "differ: 12 | 10..20 = 2..-8"},
		{"an open end", []string{a, "y AF 2025-01-02 harm killed militants 12+ incident asserts"}, "differ: 12 | 12 open 1 = 0 open -1"},
		{"an estimate", []string{a, "y AF 2025-01-02 harm killed militants ~12 incident asserts"}, "differ: 12 | 12 = 0"},
		{"none", []string{a, "y AF 2025-01-02 harm killed militants 0 incident asserts"}, "differ: 12 | 0 = 12 disjoint"},
		{"not coded", []string{a}, "only_a: 12 | not_coded = 12"},
		{"silent", []string{a, "y AF 2025-01-02 event - - - incident asserts"}, "only_a: 12 | silent = 12"},
		{"denies", []string{a, "y AF 2025-01-02 harm killed militants - incident denies_effect"}, "only_a: 12 | denied (denied) = 12"},
		{"denies the event", []string{a, "y AF 2025-01-02 event - - - incident denies_event"}, "only_a: 12 | denied (denied) = 12"},
		{"nobody at all", []string{a, "y AF 2025-01-02 harm killed - 0 incident asserts"}, "only_a: 12 | denied (denied) (other_group) = 12"},
		{"words", []string{a, "y AF 2025-01-02 harm killed militants - incident verifying"}, "only_a: 12 | words (words) = 12"},
		{"no number", []string{a, "y AF 2025-01-02 harm killed militants some incident asserts"}, "only_a: 12 | no_number (no_number) = 12"},
		{"a sum", []string{a, "y AF 2025-01-02 harm killed=sum militants 9 incident asserts"}, "only_a: 12 | derived (derived) = 12"},
		{"a part", []string{a, "y AF 2025-01-02 harm killed militants 5 part@kabul asserts"}, "only_a: 12 | part (part) = 12"},
		{"other places", []string{a, "y AF 2025-01-02 harm killed militants 5 several_places@khost asserts"}, "only_a: 12 | several_places (several_places) = 12"},
		{"another group", []string{a, "y AF 2025-01-02 harm killed civilians_AF 5 incident asserts"}, "only_a: 12 | other_group (other_group) = 12"},
		{"a subset", []string{a, "y AF 2025-01-02 harm killed militants:children 5 incident asserts"}, "only_a: 12 | subset (subset) = 12"},
		{"totals", []string{a, "y AF 2025-01-02 harm killed militants 5 period_total asserts", "y AF 2025-01-02 harm killed militants 6 running_total asserts"},
			"only_a: 12 | running_total (running_total) (period_total) = 12"},
		{"offices of a party", []string{a, "y AF 2025-01-02 harm killed militants 10 incident asserts", "z AF 2025-01-02 harm killed militants 14+ incident asserts"},
			"differ: 12 | 10..14 open 1 = 2..-2 open -1"},
		{"an office denies", []string{a, "y AF 2025-01-02 harm killed militants 10 incident asserts", "z AF 2025-01-02 harm killed militants - incident denies_effect"},
			"differ: 12 | 10 (denied) = 2 disjoint"},
		{"a part each", []string{"x PK 2025-01-02 harm killed militants 12 part@kabul asserts", "y AF 2025-01-02 harm killed militants 5 part@khost asserts"},
			"none: part (part) | part (part) = 0"},
		{"corrected", []string{"x PK 2025-01-01 harm killed militants 40 incident asserts", a}, "only_a: 12 | not_coded = 12"},
	} {
		in := opened("one", "2025-01-02", say(t, tt.says...)...)
		got, err := reconcile.Explain(loadPack(t), killedOf("militants"), []reconcile.Incident{in})
		if err != nil {
			t.Fatal(err)
		}
		if _, text, _ := strings.Cut(tallyText(got), "\n"); text != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, text, tt.want)
		}
	}
}

func dated(items []reconcile.Item, on when.Date) []reconcile.Item {
	for i := range items {
		items[i].Claim.When.Start = on
	}
	return items
}

// A counts 12 and B 31: one incident is the same, one only A's, one is B's by its date,
// one B told together with another, and B has a total of its own.
func TestTallyRowByRow(t *testing.T) {
	pack := loadPack(t)
	both := say(t, "y AF 2025-01-20 harm killed militants 7 incident asserts")[0]
	total := say(t, "y AF 2025-02-02 harm killed militants 31 period_total asserts")[0]
	part := opened("e", "2025-01-25", say(t, "y AF 2025-01-26 harm killed militants 3 incident asserts")...)
	part.Said[0].Role = record.LinkPartOf
	incidents := []reconcile.Incident{
		opened("a", "2025-01-02", say(t, "x PK 2025-01-03 harm killed militants 5 incident asserts", "y AF 2025-01-03 harm killed militants 5 incident asserts")...),
		opened("b", "2025-01-08", say(t, "x PK 2025-01-09 harm killed militants 7 incident asserts")...),
		opened("c", "2025-01-31", slices.Concat(
			dated(say(t, "x PK 2025-02-01 harm killed militants 6 incident asserts"), "2025-02-01"),
			dated(say(t, "y AF 2025-02-01 harm killed militants 9 incident asserts"), "2025-01-31"))...),
		opened("d1", "2025-01-19", both), opened("d2", "2025-01-20", both), part,
		{ID: accountID("aggregate"), Class: record.ClassAggregate, When: when.Span{Start: "2025-01"}, Said: []reconcile.Linked{{Item: total, Role: record.LinkAggregate}}},
	}
	q := killedOf("militants")
	q.Since, q.Until, q.TotalB = "2025-01-01", "2025-01-31", &total
	got, err := reconcile.Explain(pack, q, incidents)
	if err != nil {
		t.Fatal(err)
	}
	want := `12 to 31
none: not_coded | period_total (period_total) = 0
equal: 5 | 5 = 0
only_a: 7 | not_coded = 7
none: not_coded | shared (shared) = 0
none: not_coded | shared (shared) = 0
none: not_coded | role (role) = 0
only_b: outside_period (outside_period) | 9 = -9
own_total: 0 | 17 = -17`
	if text := tallyText(got); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if got.B.Sum != (reconcile.Ends{Low: 14, High: 14}) || got.B.Of != 2 || got.A.Of != 2 || *got.B.Total != (reconcile.Cite{Account: total.Account, Claim: 1}) {
		t.Errorf("counts %+v %+v", got.A, got.B)
	}
	if c := got.Rows[1].A.Cites; len(c) != 1 || c[0].Account != accountID("x2025-01-03") {
		t.Errorf("cites %v", c)
	}
	q.Places = []string{"kabul"}
	if got, err = reconcile.Explain(pack, q, incidents); err != nil || len(got.Rows) != 1 || got.Rows[0].Kind != reconcile.RowOwn {
		t.Errorf("in a place: %+v, %v", got, err)
	}
}

func TestTallyRefuses(t *testing.T) {
	pack := partedPack(t)
	total := say(t, "x PK 2025-01-01 harm killed militants 9 period_total asserts")[0]
	for _, tt := range []struct {
		edit func(q *reconcile.TallyQuestion)
		says string // "": taken
	}{
		{func(q *reconcile.TallyQuestion) {}, ""},
		{func(q *reconcile.TallyQuestion) { q.Groups = nil }, "a group is needed"},
		{func(q *reconcile.TallyQuestion) { q.Measure = "share_percent" }, "does not count"},
		{func(q *reconcile.TallyQuestion) { q.Measure = "" }, "does not count"},
		{func(q *reconcile.TallyQuestion) { q.Element = record.Target }, "does not count"},
		{func(q *reconcile.TallyQuestion) { q.Groups = []string{"civilians_AF", "militants"} }, ""},
		{func(q *reconcile.TallyQuestion) { q.Groups = []string{"civilians_AF", "AF_forces", "AF_forces"} }, ""},
		{func(q *reconcile.TallyQuestion) { q.Groups = []string{"civilians_AF", "all_AF"} }, "may overlap"},
		{func(q *reconcile.TallyQuestion) { q.Groups = []string{"civilians_AF", "civilians_PK"} }, "may overlap"},
		{func(q *reconcile.TallyQuestion) { q.Groups = []string{"civilians_AF", ""} }, "may overlap"},
		{func(q *reconcile.TallyQuestion) { q.TotalA = &total }, ""},
		{func(q *reconcile.TallyQuestion) { q.TotalB = &total }, "no total that its speaker gave"},
		{func(q *reconcile.TallyQuestion) { q.TotalA, q.Groups = &total, []string{"attackers"} }, "no total that its speaker gave"},
	} {
		q := killedOf("militants")
		tt.edit(&q)
		_, err := reconcile.Explain(pack, q, nil)
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%+v: %v, want %q", q, err, tt.says)
		}
	}
}

// By the matrices made by hand: 23 and 58 of one night (PA-2025-005), 1 and 1 (PA-2022-003),
// 0 then 2, and 55, for other sets of places (PA-2026-005).
func TestTallyOfRealClaims(t *testing.T) {
	var incidents []reconcile.Incident
	for ref, items := range loadItems(t) {
		day := items[0].Claim.When.Start
		incidents = append(incidents, opened(ref, string(day), items...))
	}
	got, err := reconcile.Explain(loadPack(t), killedOf("PK_forces"), incidents)
	if err != nil {
		t.Fatal(err)
	}
	want := `24 to 59
equal: 1 (other_group) | 1 = 0
differ: 23 (other_group) | 58 (other_group) = -35 disjoint
none: other_group (other_group) | no_number (no_number) (other_group) (other_group) (other_group) = 0
none: several_places (several_places) (several_places) (other_group) | several_places (several_places) = 0`
	if text := tallyText(got); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
