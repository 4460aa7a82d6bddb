// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// The test data are public claims, coded by hand: testdata/claims.csv, one row a
// claim, statement_id for the account. They are claims, not findings.

func loadPack(t testing.TB) *agreement.Pack {
	t.Helper()
	b, err := os.ReadFile("testdata/pack.json")
	if err != nil {
		t.Fatal(err)
	}
	p := new(agreement.Pack)
	if err := json.Unmarshal(b, p); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

// loadItems gives the items of each incident, in the order of the file.
func loadItems(t testing.TB) map[string][]reconcile.Item {
	t.Helper()
	f, err := os.Open("testdata/claims.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	items := map[string][]reconcile.Item{}
	n := map[string]int{}       // claims by statement
	order := map[string]int64{} // statements in order
	for _, line := range lines[1:] {
		get := func(col string) string { return line[slices.Index(lines[0], col)] }
		st := get("statement_id")
		if _, ok := order[st]; !ok {
			order[st] = int64(len(order))
		}
		n[st]++
		it := reconcile.Item{
			Account:  accountID(st),
			Recorder: "REG",
			Claimant: record.Claimant{Kind: get("claimant_kind"), Name: get("claimant"), Party: get("speaks_for")},
			Carrier:  get("carrier"),
			Origins:  split(get("origin")),
			SaidOn:   when.Date(get("said_on")),
			Order:    order[st],
			Claim: record.Claim{
				N: n[st], External: get("claim_id"), Element: record.Element(get("element")),
				Measure: get("measure"), Group: get("group"), Subset: get("subset"),
				Low: number(t, get("low")), High: number(t, get("high")), Bound: get("bound"),
				Scope: record.Scope(get("scope")), Stance: get("stance"), Derived: get("derived") == "yes",
				FirstHand: get("first_hand"), Words: get("words"),
				PlaceText: get("place_text"), Places: split(get("places")),
				When: when.Span{Start: when.Date(get("event_start")), End: when.Date(get("event_end"))},
			},
		}
		if err := it.Claim.Validate(); err != nil {
			t.Fatalf("%s: %v", it.Claim.External, err)
		}
		items[get("ref")] = append(items[get("ref")], it)
	}
	return items
}

func accountID(s string) (id record.ID) {
	sum := sha256.Sum256([]byte(s))
	copy(id[:], sum[:])
	return id
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func number(t testing.TB, s string) *int64 {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

// keyText writes a key as the tables of matrices_test.go have it.
func keyText(k reconcile.Key) string {
	parts := []string{string(k.Element)}
	for _, s := range []string{k.Measure, k.Group, k.Subset} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	s := strings.Join(parts, " ")
	if k.Scope != record.ScopeIncident {
		place := k.Place // the source's words where there are any
		if _, words, ok := strings.Cut(place, "~"); ok {
			place = words
		}
		s += " @" + string(k.Scope) + " " + place
	}
	if k.Since != "" || k.Until != "" {
		s += fmt.Sprintf(" %s/%s", k.Since, k.Until)
	}
	return s
}

// columnText writes a column of a row: each cell with its kind, figure and the
// claims behind it, oldest first.
func columnText(c reconcile.RowColumn) string {
	var cells []string
	for _, x := range c.Cells {
		var ids []string
		for _, v := range x.Series {
			id := v.Item.Claim.External
			switch {
			case v.Via != reconcile.ViaClaim:
				id = "~" + id // reached or implied
			case v.Kind == reconcile.Worded && x.Kind != reconcile.Worded:
				id = "\"" + id
			}
			ids = append(ids, id)
		}
		cells = append(cells, cellText(x)+" ["+strings.Join(ids, " ")+"]")
	}
	return strings.Join(cells, "; ")
}

func cellText(c reconcile.Cell) string {
	s := string(c.Kind)
	if c.Kind == reconcile.Claimed && len(c.Names)+len(c.Denies) == 0 {
		s = figureText(c.Figure)
	}
	for _, n := range c.Names {
		s += " " + nameText(n)
	}
	for _, n := range c.Denies {
		s += " not:" + nameText(n)
	}
	for _, f := range []struct {
		on   bool
		word string
	}{{c.Own, "own"}, {c.FirstHand, "first-hand"}, {c.Derived, "sum"}, {c.Several, "several"}} {
		if f.on {
			s += " " + f.word
		}
	}
	return s
}

func nameText(n reconcile.Name) string {
	switch {
	case n.Group != "":
		return n.Group
	case n.Side != "":
		return "side " + n.Side
	}
	return "*"
}

func figureText(f reconcile.Figure) string {
	switch {
	case f.Low == nil && f.High == nil:
		return "some"
	case f.High == nil:
		return fmt.Sprintf("%d+", *f.Low)
	case f.Low == nil:
		return fmt.Sprintf("up to %d", *f.High)
	case *f.Low != *f.High:
		return fmt.Sprintf("%d-%d", *f.Low, *f.High)
	case f.Bound == "about":
		return fmt.Sprintf("~%d", *f.Low)
	}
	return fmt.Sprint(*f.Low)
}

func reasonText(r *reconcile.Row, why reconcile.Reason) string {
	id := func(ref reconcile.Ref) string { return r.At(ref).Latest.Item.Claim.External }
	if why.A == why.B {
		return fmt.Sprintf("%s %s", why.Code, id(why.A))
	}
	return fmt.Sprintf("%s %s %s", why.Code, id(why.A), id(why.B))
}
