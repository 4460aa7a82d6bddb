// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	mrand "math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// rows fills tables directly. A column that a row does not name is empty, so that this
// goes on working as tables gain columns.
type rows struct {
	t     testing.TB
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
}

func (r *rows) insert(table string, values map[string]any) {
	r.t.Helper()
	st := r.stmts[table]
	if st == nil {
		cols, err := r.tx.Query("SELECT name, type FROM pragma_table_info(?)", table)
		if err != nil {
			r.t.Fatal(err)
		}
		var names, marks []string
		for cols.Next() {
			var name, kind string
			if err := cols.Scan(&name, &kind); err != nil {
				r.t.Fatal(err)
			}
			if table == "claims" && (name == "low" || name == "high") {
				names, marks = append(names, name), append(marks, "@"+name) // may be absent
				continue
			}
			empty := map[string]string{"TEXT": "''", "INTEGER": "0", "BLOB": "x'00000000000000000000000000000000'"}[kind]
			names, marks = append(names, name), append(marks, fmt.Sprintf("coalesce(@%s, %s)", name, empty))
		}
		cols.Close()
		if st, err = r.tx.Prepare(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ","), strings.Join(marks, ","))); err != nil {
			r.t.Fatal(err)
		}
		r.stmts[table] = st
		columns[table] = names
	}
	var args []any
	for _, name := range columns[table] {
		args = append(args, sql.Named(name, values[name]))
	}
	if _, err := st.Exec(args...); err != nil {
		r.t.Fatal(table, err)
	}
}

var columns = map[string][]string{}

func numbered(kind byte, n int) []byte {
	var id record.ID
	id[0] = kind
	// Ids are random in a ledger: spread them.
	binary.BigEndian.PutUint64(id[1:], uint64(n+1)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint32(id[12:], uint32(n))
	return id[:]
}

// fill makes tables of so many accounts of the invented mission, about two incidents for
// five accounts.
func fill(t testing.TB, path string, accounts int) {
	t.Helper()
	d, err := projection.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	w := &rows{t, tx, map[string]*sql.Stmt{}}
	set, err := example.Open("lakes")
	if err != nil {
		t.Fatal(err)
	}
	f, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		t.Fatal(err)
	}
	parts, err := f.Pack.Parts(1)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range parts {
		b, err := record.Canonical(p)
		if err != nil {
			t.Fatal(err)
		}
		w.insert("adoptions", map[string]any{"version": 1, "part": i + 1, "body": string(b)})
	}
	w.insert("meta", map[string]any{"key": "agreement", "value": "1"})
	r := mrand.New(mrand.NewPCG(1, 2))
	incidents := accounts * 2 / 5
	for i := range incidents {
		start := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, r.IntN(4000)).Format("2006-01-02")
		id := numbered(1, i)
		w.insert("incidents", map[string]any{"id": id, "root": id, "class": "incident", "number": fmt.Sprint(i), "label": "somewhere", "span_start": start, "first_day": start,
			"last_day": start, "types": jsonList(f.Pack.IncidentTypes[r.IntN(4)].Code), "places": jsonList(f.Pack.Places[r.IntN(len(f.Pack.Places))].Code), "undone": -1, "counted": 1})
		w.insert("concerns", map[string]any{"what": id, "idx": i})
	}
	for i := range accounts {
		b := synthetic(r, f.Pack, i)
		body, err := record.Canonical(b)
		if err != nil {
			t.Fatal(err)
		}
		id := numbered(2, i)
		w.insert("records", map[string]any{"idx": i, "id": id, "kind": "account.filed", "counted": 1, "subjects": "[]", "undone": -1})
		w.insert("accounts", map[string]any{"id": id, "current": id, "state": "recorded", "said_on": string(b.SaidOn), "claimant": b.Claimant.Name, "kind": b.Claimant.Kind,
			"party": b.Claimant.Party, "claims": len(b.Claims), "idx": i, "first_idx": i, "counted": 1})
		for _, c := range b.Claims {
			v := map[string]any{"account": id, "n": c.N, "element": string(c.Element), "measure": c.Measure, "grp": c.Group, "scope": string(c.Scope), "stance": c.Stance,
				"bound": c.Bound, "low": sql.NullInt64{}, "high": sql.NullInt64{}, "words": c.Words, "place_text": c.PlaceText}
			if c.Low != nil {
				v["low"] = *c.Low
			}
			if c.High != nil {
				v["high"] = *c.High
			}
			w.insert("claims", v)
		}
		w.insert("versions", map[string]any{"statement": id, "account": id, "idx": i, "undone": -1, "body": string(body)})
		w.insert("links", map[string]any{"id": numbered(3, i), "account": id, "incident": numbered(1, r.IntN(incidents)), "role": "about", "claims": "[]", "reason": "x", "undone": -1})
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func jsonList(s ...string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// synthetic is an account as long as those of the worked example: three claims, 1.5 KB.
func synthetic(r *mrand.Rand, pack *agreement.Pack, n int) *record.Account {
	who := r.IntN(2000)
	b := &record.Account{Carrier: "Lake Bulletin", SaidOn: when.Date(fmt.Sprintf("20%d-%02d-%02d", 20+r.IntN(10), 1+r.IntN(12), 1+r.IntN(28))),
		Claimant: record.Claimant{Kind: pack.ClaimantKinds[who%len(pack.ClaimantKinds)].Code, Name: fmt.Sprintf("Claimant number %d", who)}, External: fmt.Sprint("S", n)}
	if who < 600 {
		b.Claimant.Party = pack.Parties[who%3].Code
	}
	for i := range 3 {
		c := record.Claim{N: i + 1, Element: record.Event, FirstHand: "unknown", Scope: record.ScopeIncident, Stance: "states", Words: strings.Repeat("what was said of it, ", 15), PlaceText: "off Tarskel"}
		if i > 0 {
			v := r.Int64N(50)
			c.Element, c.Measure, c.Group = record.Harm, pack.Measures[r.IntN(3)].Code, pack.Groups[r.IntN(len(pack.Groups))].Code
			c.Bound, c.Low, c.High = "exact", &v, &v
			switch r.IntN(8) {
			case 0:
				c.Bound, c.High = "at_least", nil
			case 1:
				c.Scope = record.ScopePart
			case 2:
				if r.IntN(4) == 0 {
					c.Stance, c.Bound, c.Low, c.High = "rejects_detail", "", nil, nil
				}
			}
		}
		b.Claims = append(b.Claims, c)
	}
	return b
}

// BenchmarkStatistics100k reads 100,000 accounts from the start, then after one incident
// has changed, and makes the tables of every dimension from what was read.
func BenchmarkStatistics100k(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "projection.db")
	fill(b, path, 100_000)
	d, err := projection.Open(ctx, path)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	entries, err := d.Statistics(ctx)
	if err != nil || len(entries) != 40_000 {
		b.Fatal(len(entries), err)
	}
	cold := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	pack, _ := d.Pack(ctx)
	for _, by := range statistics.Dimensions {
		b.Run(string(by), func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Statistics(ctx); err != nil {
					b.Fatal(err)
				}
				statistics.Tabulate(pack, entries, statistics.Query{By: by, Measure: "deaths"})
			}
		})
	}
	changed := 0
	b.Run("one changed", func(b *testing.B) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		for b.Loop() {
			b.StopTimer()
			idx := 200_000 + changed
			w := &rows{b, nil, map[string]*sql.Stmt{}}
			if w.tx, err = db.Begin(); err != nil {
				b.Fatal(err)
			}
			w.insert("concerns", map[string]any{"what": numbered(1, changed), "idx": idx})
			w.insert("records", map[string]any{"idx": idx, "id": numbered(4, changed), "kind": "account.filed", "counted": 1, "subjects": "[]", "undone": -1})
			if err := w.tx.Commit(); err != nil {
				b.Fatal(err)
			}
			changed++
			b.StartTimer()
			if _, err := d.Statistics(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Logf("the first call: %.2f s; held in memory: %d MB", cold.Seconds(), (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>20)
}
