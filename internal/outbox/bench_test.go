// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"context"
	"testing"

	"truceline/internal/outbox"
	"truceline/record"
)

// BenchmarkPut is how long it takes until an act of one record is durable; with a file of
// its own, on the disk of the temporary folder.
func BenchmarkPut(b *testing.B) {
	ctx := context.Background()
	box, _, _ := fresh(b)
	d := newDesk(b, 1)
	for b.Loop() {
		b.StopTimer()
		act := d.act(1)
		b.StartTimer()
		if _, err := box.Put(ctx, act); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWaiting10k is one walk through 10,000 acts that wait, by their number.
func BenchmarkWaiting10k(b *testing.B) {
	ctx := context.Background()
	box, _, _ := fresh(b)
	must(b, box.WriterPragma(ctx, "synchronous = OFF"))
	d := newDesk(b, 1)
	for range 10_000 {
		_, err := box.Put(ctx, d.act(1))
		must(b, err)
	}
	n := 0
	for b.Loop() {
		for _, err := range box.Waiting(ctx) {
			must(b, err)
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/act")
}

// BenchmarkCarry is a file of 10,000 records of the ledger.
func BenchmarkCarry(b *testing.B) {
	d, reg := newDesk(b, 1), newRegistry(b, 1)
	s := d.report("EXERCISE, a report of some length, so that a line is about as long as that of an account with a few claims: " + string(bytes.Repeat([]byte("x "), 200)))
	receipt := reg.admit([]outbox.Submission{s})[0]
	lines := make([]*record.Line, 10_000)
	for i := range lines {
		receipt.Index = int64(i)
		lines[i] = line(s, receipt)
	}
	var file bytes.Buffer
	write := func() {
		file.Reset()
		w, err := outbox.NewCarryWriter(&file, header(int64(len(lines))))
		must(b, err)
		for _, l := range lines {
			must(b, w.Add(outbox.CarryItem{Kind: outbox.CarryRecord, Record: l}))
		}
		must(b, w.Close())
	}
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			write()
		}
		b.SetBytes(int64(file.Len()))
		b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "records/s")
	})
	b.Run("read", func(b *testing.B) {
		write()
		for b.Loop() {
			f, err := outbox.OpenCarry(bytes.NewReader(file.Bytes()))
			must(b, err)
			for _, err := range f.Items() {
				must(b, err)
			}
		}
		b.SetBytes(int64(file.Len()))
		b.ReportMetric(float64(len(lines)*b.N)/b.Elapsed().Seconds(), "records/s")
	})
}
