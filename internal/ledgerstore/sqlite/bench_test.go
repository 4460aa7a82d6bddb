// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
	"truceline/internal/ledgerstore/sqlite"
)

// BenchmarkAppend measures durable appends of 1 KiB envelopes, with tree and signature, at
// several entries per transaction, next to bare inserts into a table of one blob column. One
// operation is one entry. "store" is the store alone, "signed" includes hashing and signing.
func BenchmarkAppend(b *testing.B) {
	for _, group := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("bare/group=%d", group), func(b *testing.B) { benchmarkBare(b, group) })
		b.Run(fmt.Sprintf("store/group=%d", group), func(b *testing.B) { benchmarkStore(b, group, false) })
		b.Run(fmt.Sprintf("signed/group=%d", group), func(b *testing.B) { benchmarkStore(b, group, true) })
	}
}

func benchmarkBare(b *testing.B, group int) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE bare (idx INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO bare (data) VALUES (?)")
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 1024)
	b.ResetTimer()
	for done := 0; done < b.N; done += group {
		if group == 1 {
			if _, err := insert.Exec(data); err != nil {
				b.Fatal(err)
			}
			continue
		}
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		own := tx.Stmt(insert)
		for range group {
			if _, err := own.Exec(data); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

func benchmarkStore(b *testing.B, group int, all bool) {
	store, err := sqlite.Create(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	log := ledgerstoretest.NewLog(b)
	envelope := make([]byte, 1024)
	b.ResetTimer()
	for done := 0; done < b.N; done += group {
		if !all {
			b.StopTimer()
		}
		batch := log.PrepareSized(b, group, envelope)
		if !all {
			b.StartTimer()
		}
		if err := batch.AppendTo(b.Context(), store); err != nil {
			b.Fatal(err)
		}
		log.Commit(batch)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkCheck measures the check at every start, where the edge is widest, and the full
// check, on a ledger of 65,535 entries. The full check counts one operation per run.
func BenchmarkCheck(b *testing.B) {
	store, err := sqlite.Create(b.Context(), filepath.Join(b.TempDir(), "ledger.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	log := ledgerstoretest.NewLog(b)
	head := log.Grow(b, store, 65_535)
	b.Run("self", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := ledgerstore.SelfCheck(b.Context(), store, log.Verifier); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("full", func(b *testing.B) {
		for b.Loop() {
			if err := ledgerstore.FullCheck(b.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(head.Size)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	})
}
