// SPDX-License-Identifier: Apache-2.0

package linkfile_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"truceline/internal/linkfile"
	"truceline/linkage"
	"truceline/linkage/linkagetest"
)

// million is a file of about n records. The lists of a small conflict are told again,
// shifted in time.
func million(tb testing.TB, n int) []byte {
	tb.Helper()
	s := linkagetest.Conflict(rand.New(rand.NewPCG(1, 2)), linkagetest.Default(3333))
	var whole linkagetest.Set
	for k := 0; len(whole.Records) < n; k++ {
		for i, r := range s.Records {
			r.ID += "-" + strconv.Itoa(k)
			r.Days = linkage.On(r.Days.First + int32(k*900))
			whole.Records, whole.Truth = append(whole.Records, r), append(whole.Truth, s.Truth[i])
		}
	}
	var out bytes.Buffer
	if err := whole.WriteCSV(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func BenchmarkReadMillion(b *testing.B) {
	file := million(b, 1_000_000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	var before, after runtime.MemStats
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		list, err := linkfile.Read(context.Background(), bytes.NewReader(file), linkfile.Options{Size: int64(len(file))})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(list.Records)), "B/record")
		runtime.KeepAlive(list)
		b.StartTimer()
	}
}

func BenchmarkWriteClusters(b *testing.B) {
	list, err := linkfile.Read(context.Background(), bytes.NewReader(million(b, 1_000_000)), linkfile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	cluster := make([]int, len(list.Records))
	for i := range cluster {
		cluster[i] = i / 2
	}
	for b.Loop() {
		if err := linkfile.EncodeClusters(io.Discard, list.Records, cluster); err != nil {
			b.Fatal(err)
		}
	}
}
