// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"truceline/example"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/record"
)

func export(t testing.TB, src intake.Source, rows int) string {
	t.Helper()
	var b bytes.Buffer
	n, err := intake.Export(context.Background(), src, &b)
	if err != nil {
		t.Fatal(err)
	}
	if n != rows {
		t.Errorf("%d rows exported, want %d", n, rows)
	}
	return b.String()
}

// roundTrip exports d, imports that into an empty mission, and exports again.
func roundTrip(t testing.TB, d *memDoor, pack string, rows int) {
	t.Helper()
	first := export(t, d, rows)
	other := newDoor(t, pack)
	r := mustRun(t, other, first, intake.Options{})
	want(t, r, int64(rows), int64(rows), 0, 0, 0)
	sameAccounts(t, accounts(t, other), accounts(t, d))
	if second := export(t, other, rows); second != first {
		t.Errorf("the second export differs:\n%s\n\n%s", first, second)
	}
	// And into the mission it came from: nothing is new.
	again := mustRun(t, d, first, intake.Options{})
	want(t, again, int64(rows), 0, int64(rows), 0, 0)
}

func TestRoundTrip(t *testing.T) {
	pack := loadPack(t, "lakes")
	text := rapid.OneOf(
		rapid.StringMatching(`[=+@'", ;.\-]{0,3}[A-Za-zآ-ی،' ]{0,8}[=+@'", ;]{0,3}`),
		rapid.SampledFrom([]string{"", "=1+1", "-5", "@x", "a;b,c\t", `"`, `\.`, "\ufeffbom", "Tarskel", "café", "x\u2028y", "<a&b>"}),
	)
	trimmed := rapid.Map(text, func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\t", " ")) })
	long := rapid.Map(rapid.SliceOfN(text, 0, 3), func(p []string) string { return strings.TrimSpace(strings.Join(p, "\r\n")) })
	seen := rapid.Map(trimmed, func(s string) string { return strings.ReplaceAll(s, "\ufeff", "") }) // names hold nothing that is not seen
	nonEmpty := rapid.Map(trimmed, func(s string) string { return "t" + s })
	rapid.Check(t, func(rt *rapid.T) {
		pick := func(list []string, label string) string { return rapid.SampledFrom(list).Draw(rt, label) }
		var kinds, groups, stances, measures, parties []string
		for _, x := range pack.ClaimantKinds {
			kinds = append(kinds, x.Code)
		}
		for _, x := range pack.Groups {
			groups = append(groups, x.Code)
		}
		for _, x := range pack.Stances {
			stances = append(stances, x.Code)
		}
		for _, x := range pack.Measures {
			measures = append(measures, x.Code)
		}
		for _, x := range pack.Parties {
			parties = append(parties, x.Code)
		}
		var rows [][]string
		for s := range rapid.IntRange(1, 6).Draw(rt, "statements") {
			top := []string{fmt.Sprintf("s%d%s", s, seen.Draw(rt, "name")), "t" + seen.Draw(rt, "claimant"), pick(kinds, "kind"), pick(append(parties, ""), "party"), trimmed.Draw(rt, "carrier"),
				trimmed.Draw(rt, "origin"), pick([]string{"", "2031", "2031-02", "2031-02-03"}, "said")}
			source := []string{nonEmpty.Draw(rt, "title"), pick([]string{"", "https://x.example/a?b=c,d;e"}, "url")}
			for c := range rapid.IntRange(1, 4).Draw(rt, "claims") {
				span := rapid.SampledFrom([][]string{{"", ""}, {"2031", ""}, {"2031-02", "2031-02-03"}}).Draw(rt, "span")
				fig := rapid.SampledFrom([][]string{{"", "", ""}, {"", "", "about"}, {"0", "0", "exact"}, {"3", "", "at_least"}, {"", "9007199254740991", "at_most"}, {"1", "2", "range"}}).Draw(rt, "figure")
				row := append([]string{pick([]string{"", fmt.Sprintf("%d-%d", s, c)}, "claim")}, top...)
				row = append(row, span[0], span[1], trimmed.Draw(rt, "time note"), trimmed.Draw(rt, "place"), string(rapid.SampledFrom(record.Elements).Draw(rt, "element")),
					pick(append(measures, ""), "measure"), pick(append(groups, parties...), "group"), "", fig[0], fig[1], fig[2],
					string(rapid.SampledFrom(record.Scopes).Draw(rt, "scope")), pick(stances, "stance"), pick([]string{"yes", "no", ""}, "derived"), pick([]string{"yes", "no", "unknown", ""}, "first hand"),
					long.Draw(rt, "words"), long.Draw(rt, "note"))
				rows = append(rows, append(row, source...))
			}
		}
		file := head
		for _, r := range rows {
			for i, cell := range r {
				if i > 0 {
					file += ","
				}
				file += `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			file += "\n"
		}
		d := newDoor(t, "lakes")
		want(t, mustRun(t, d, file, intake.Options{}), int64(len(rows)), int64(len(rows)), 0, 0, 0)
		roundTrip(t, d, "lakes", len(rows))
		if t.Failed() {
			rt.Fatalf("file:\n%s", file)
		}
	})
}

// What was not imported gets a name of its own, and withdrawn accounts stay out.
func TestExportNames(t *testing.T) {
	src := &fixed{}
	for i, name := range []string{"S1", "", "S1", " S2", "S\x002", fmt.Sprintf("%032x", 1), "gone"} {
		a := projection.Account{ID: record.ID{15: byte(i)}, State: "recorded"}
		a.Body = record.Account{External: name, Claimant: record.Claimant{Kind: "watch_team", Name: "W"}, Claims: []record.Claim{{N: 1, Element: record.Event, Scope: record.ScopeIncident, Stance: "states", FirstHand: "no"}}}
		if name == "gone" {
			a.State = "withdrawn"
		}
		src.accounts = append(src.accounts, a)
	}
	file := export(t, src, 6)
	d := newDoor(t, "lakes")
	file = strings.ReplaceAll(file, ",,,\n", ",,a title,\n")
	want(t, mustRun(t, d, file, intake.Options{}), 6, 6, 0, 0, 0)
	got := accounts(t, d)
	for _, name := range []string{"S1", fmt.Sprintf("%032x", 1), fmt.Sprintf("%032x", 2), fmt.Sprintf("%032x", 3), fmt.Sprintf("%032x", 4), fmt.Sprintf("%032x", 5)} {
		if _, ok := got[name]; !ok {
			t.Errorf("no account %s in %v", name, file)
		}
	}
}

// The same over a node with its ledger, registry and tables.
func TestOverNode(t *testing.T) {
	set, err := example.Open("lakes")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "node")
	if err := node.Create(t.Context(), dir, node.Creation{Agreement: set.Agreement, Origin: "lakes.example/{mission}", Now: time.Now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(t.Context(), dir, node.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	want(t, mustRun(t, n, string(set.Accounts), intake.Options{}), 35, 35, 0, 0, 0)
	want(t, mustRun(t, n, string(set.Accounts), intake.Options{}), 35, 0, 35, 0, 0)
	if err := n.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := export(t, n.Projection, 35)
	want(t, mustRun(t, n, file, intake.Options{}), 35, 0, 35, 0, 0)
	d := newDoor(t, "lakes")
	want(t, mustRun(t, d, file, intake.Options{}), 35, 35, 0, 0, 0)
	if again := export(t, d, 35); again != file {
		t.Error("the export of the import differs")
	}
}
