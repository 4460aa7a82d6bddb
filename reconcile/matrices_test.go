// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"maps"
	"slices"
	"testing"

	"truceline/reconcile"
	"truceline/record"
)

// wantRow is a row of a matrix as the product computes it, beside a page of ten
// matrices made by hand. A cell is its kind or figure and the claims behind it,
// oldest first: ~ before a claim that reaches the row from elsewhere or implies it.
// Where the page says otherwise, page is what it says and why tells who is wrong.
// The page's rulings go before its tables: what it prints as contested between a
// party and one who is no party, it rules to be questioned.
type wantRow struct {
	key, pk, af, others string
	state               reconcile.State
	page, why           string
}

func TestMatricesMadeByHand(t *testing.T) {
	pack, items := loadPack(t), loadItems(t)
	matrices := maps.Clone(matricesEarly)
	maps.Copy(matrices, matricesLate)
	if len(items) != len(matrices) {
		t.Errorf("%d incidents in the test data, %d in the table", len(items), len(matrices))
	}
	for ref, want := range matrices {
		t.Run(ref, func(t *testing.T) {
			m := reconcile.Build(pack, items[ref])
			var keys []string
			for i := range m.Rows {
				r := &m.Rows[i]
				key := keyText(r.Key)
				keys = append(keys, key)
				n := slices.IndexFunc(want, func(w wantRow) bool { return w.key == key })
				if n < 0 {
					t.Errorf("row %q is not in the table", key)
					continue
				}
				w := want[n]
				for c, cell := range []string{w.pk, w.af, w.others} {
					if got := columnText(r.Columns[c]); got != cell {
						t.Errorf("%s, column %d:\n got %s\nwant %s", key, c, got, cell)
					}
				}
				if r.State != w.state {
					t.Errorf("%s: %s, want %s", key, r.State, w.state)
				}
				if (w.page == "") != (w.why == "") {
					t.Errorf("%s: a difference needs what the page says and why", key)
				}
			}
			for _, w := range want {
				if !slices.Contains(keys, w.key) {
					t.Errorf("row %q is missing", w.key)
				}
			}
		})
	}
}

// TestRecoded shows that where the table blames the coding, the rules give what
// the page says once the claim is coded as its words read.
func TestRecoded(t *testing.T) {
	for _, tt := range []struct {
		ref, claim string
		recode     func(*record.Claim)
		key        string
		want       reconcile.State // "": no such row
	}{
		{"PA-2022-003", "a-C036", func(c *record.Claim) { c.Element = record.Initiation }, "initiation", reconcile.Agreed},
		{"PA-2025-004", "a-C173", func(c *record.Claim) { c.Measure = "" },
			"damage vehicles_hit militants @part kabul (abdul haq square, district 8)", reconcile.Questioned},
		{"PA-2025-005", "b-C012", func(c *record.Claim) { c.Element = record.FollowUp }, "event", ""},
		{"PA-2026-017", "c-C107", func(c *record.Claim) { c.Group = "civilians_AF" }, "target", reconcile.Contested},
		{"PA-2026-017", "c-C113", func(c *record.Claim) { c.Element = record.Harm }, "harm killed civilians_AF", reconcile.Contested},
		{"PA-2026-017", "c-C113", func(c *record.Claim) { c.Element = record.Harm }, "harm injured civilians_AF", reconcile.Contested},
	} {
		items := loadItems(t)[tt.ref]
		for i := range items {
			if items[i].Claim.External == tt.claim {
				tt.recode(&items[i].Claim)
			}
		}
		var got reconcile.State
		m := reconcile.Build(loadPack(t), items)
		for _, r := range m.Rows {
			if keyText(r.Key) == tt.key {
				got = r.State
			}
		}
		if got != tt.want {
			t.Errorf("%s with %s recoded: %s is %q, want %q", tt.ref, tt.claim, tt.key, got, tt.want)
		}
	}
}
