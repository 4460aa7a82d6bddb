// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	mrand "math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// everything reads all incidents with all that is linked, account by account.
func everything(t *testing.T, db *projection.DB) []reconcile.Incident {
	t.Helper()
	ctx := context.Background()
	list, _, err := db.Incidents(ctx, projection.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var out []reconcile.Incident
	for _, in := range list {
		told := reconcile.Incident{ID: in.ID, Class: in.Class, When: in.When, Places: in.Places}
		accounts, err := db.AccountsOf(ctx, in.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range accounts {
			for _, l := range a.Links {
				if a.State == "withdrawn" || l.Root != in.ID {
					continue
				}
				for _, c := range a.Body.Claims {
					if len(l.Claims) == 0 || slices.Contains(l.Claims, c.N) {
						c.Words, c.FirstHand = "", ""
						told.Said = append(told.Said, reconcile.Linked{Role: l.Role, Item: reconcile.Item{Account: a.ID, Recorder: a.Recorder, Claimant: a.Body.Claimant,
							SaidOn: a.Body.SaidOn, Order: a.Index, Claim: c}})
					}
				}
			}
		}
		out = append(out, told)
	}
	return out
}

// filled is a projection of a made-up record.
func filled(t testing.TB, accounts, incidents int) *projection.DB {
	t.Helper()
	ctx := context.Background()
	db, err := projection.Open(ctx, filepath.Join(t.TempDir(), "tables.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	m, err := webtest.NewMany(accounts, incidents)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for n := m.Ahead(projection.Chunk); n > size; n = m.Ahead(projection.Chunk) {
		if err := db.CatchUp(ctx, m, n, nil); err != nil {
			t.Fatal(err)
		}
		size = n
	}
	return db
}

// TestTalliedLeavesOutNothingThatCounts: from the part that is read come the same rows,
// series and checks as from everything, and a claimant's sum is that of the statistics.
func TestTalliedLeavesOutNothingThatCounts(t *testing.T) {
	ctx := context.Background()
	db := filled(t, 600, 200)
	pack, err := db.Pack(ctx)
	if err != nil {
		t.Fatal(err)
	}
	claimants, err := db.Claimants(ctx)
	if err != nil {
		t.Fatal(err)
	}
	all := everything(t, db)
	r := mrand.New(mrand.NewPCG(5, 6))
	speaker := func() reconcile.Speaker {
		if r.IntN(2) == 0 {
			return reconcile.Speaker{Party: pack.Parties[r.IntN(len(pack.Parties))].Code}
		}
		return reconcile.Speaker{Claimant: claimants[r.IntN(len(claimants))]}
	}
	rows, figures, points, inside := 0, 0, 0, 0
	for range 40 {
		q := reconcile.TallyQuestion{A: speaker(), B: speaker(), Element: record.Harm, Measure: pack.Measures[r.IntN(2)].Code, Groups: []string{pack.Groups[r.IntN(len(pack.Groups))].Code}}
		if r.IntN(2) == 0 {
			q.Since, q.Until = "2020-03", []when.Date{"", "2021-06-15", "2023"}[r.IntN(3)]
		}
		if r.IntN(4) == 0 {
			q.Places = []string{pack.Places[r.IntN(len(pack.Places))].Code, pack.Places[r.IntN(len(pack.Places))].Code}
		}
		told, err := db.Tallied(ctx, projection.TallyQuery{Speakers: []reconcile.Speaker{q.A, q.B}, Element: q.Element, Measure: q.Measure, Groups: q.Groups, Since: q.Since, Until: q.Until, Places: q.Places})
		if err != nil {
			t.Fatal(err)
		}
		got, err := reconcile.Explain(pack, q, told.Incidents)
		if err != nil {
			t.Fatal(err)
		}
		want, err := reconcile.Explain(pack, q, all)
		if err != nil {
			t.Fatal(err)
		}
		figures += got.A.Of + got.B.Of
		if q.Since != "" { // of another time on both sides: nothing that counts
			want.Rows = slices.DeleteFunc(want.Rows, func(row reconcile.TallyRow) bool {
				return row.Kind == reconcile.RowNone && !slices.ContainsFunc(got.Rows, func(x reconcile.TallyRow) bool { return x.Incident == row.Incident && x.Group == row.Group })
			})
		}
		if len(want.Rows) == 0 {
			want.Rows = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v:\n%+v\nof everything\n%+v", q, got, want)
		}
		rows += len(got.Rows)
		for _, in := range got.Rows {
			if told.Labels[in.Incident].Number == "" {
				t.Fatal("an incident without a label")
			}
		}
		checkSum(t, db, pack, q, got.A)
		fact := reconcile.Fact{Element: q.Element, Measure: q.Measure, Group: q.Groups[0]}
		told, err = db.Tallied(ctx, projection.TallyQuery{Speakers: []reconcile.Speaker{q.A}, Element: q.Element, Measure: q.Measure, Groups: q.Groups})
		if err != nil {
			t.Fatal(err)
		}
		series := func(list []reconcile.Incident) (out []reconcile.Series) {
			for _, s := range reconcile.SeriesOf(pack, list, fact) {
				if q.A.Is(s.Claimant) {
					points += len(s.Points)
					out = append(out, s)
				}
			}
			return out
		}
		if a, b := series(told.Incidents), series(all); !reflect.DeepEqual(a, b) {
			t.Fatalf("series of %+v: %+v, of everything %+v", q.A, a, b)
		}
		n := int64(r.IntN(400))
		total := reconcile.TotalQuestion{By: q.A, Total: reconcile.Item{SaidOn: "2023-05", Claimant: q.A.Claimant, Claim: record.Claim{N: 1, Element: q.Element, Measure: q.Measure, Group: q.Groups[0],
			Scope: record.ScopePeriodTotal, Stance: pack.Stances[0].Code, Low: &n, High: &n, Bound: "exact", When: when.Span{Start: "2019-02", End: "2022-11-20"}}}}
		told, err = db.Tallied(ctx, projection.TallyQuery{Speakers: []reconcile.Speaker{q.A}, Element: q.Element, Measure: q.Measure, Groups: q.Groups, Since: "2019-02", Until: "2022-11-20", Opened: true})
		if err != nil {
			t.Fatal(err)
		}
		check, err := reconcile.CheckTotal(pack, total, told.Incidents)
		if err != nil {
			t.Fatal(err)
		}
		if full, err := reconcile.CheckTotal(pack, total, all); err != nil || !reflect.DeepEqual(check, full) {
			t.Fatalf("%d in, %d without, %d edge, %d edge without, %d later\nof everything %d in, %d without, %d edge, %d edge without, %d later, %v",
				len(check.Inside), len(check.Without), len(check.Edge), check.EdgeWithout, len(check.Later), len(full.Inside), len(full.Without), len(full.Edge), full.EdgeWithout, len(full.Later), err)
		}
		inside += len(check.Inside)
	}
	if rows < 200 || figures < 200 || points < 500 || inside < 100 {
		t.Errorf("only %d rows, %d figures, %d points, %d incidents in totals: the record is too thin", rows, figures, points, inside)
	}
}

// checkSum compares a claimant's count with its line in the statistics. They count by the
// day that an incident was opened for, so that it is asked only where there are no bounds.
func checkSum(t *testing.T, db *projection.DB, pack *agreement.Pack, q reconcile.TallyQuestion, c reconcile.Count) {
	t.Helper()
	if c.Speaker.Party != "" || q.Since != "" {
		return
	}
	entries, err := db.Statistics(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	at := statistics.Place{All: true, Claimant: &c.Speaker.Claimant, Fact: &statistics.Fact{Element: q.Element, Measure: q.Measure, Group: q.Groups[0]}}
	sq := statistics.Query{By: statistics.ByYear, Filter: statistics.Filter{Places: q.Places}}
	line := statistics.LineOf(sq.Counted(entries, at))
	if line.Numbered != c.Of || c.Of > 0 && (*line.Sum.Low != c.Ends.Low || *line.Sum.High != c.Ends.High) {
		t.Fatalf("%+v: %+v, in the statistics %+v", q, c, line)
	}
}

func TestTalliedOfNothing(t *testing.T) {
	db := filled(t, 20, 10)
	told, err := db.Tallied(context.Background(), projection.TallyQuery{Speakers: []reconcile.Speaker{{Party: "nobody"}}, Element: record.Harm, Measure: "nothing"})
	if err != nil || len(told.Incidents) != 0 || told.Last < 20 {
		t.Errorf("%+v, %v", told, err)
	}
}
