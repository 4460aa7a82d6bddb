// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"truceline/internal/cosigned"
	"truceline/quorum"
)

// filled is a store of n witnessed heads of five cosigners each, of every tenth size. Their
// signatures are not true: who reads does not look at them.
func filled(b *testing.B, n int) (*world, *cosigned.Store, *quorum.Policy) {
	b.Helper()
	w := newWorld(b, 5)
	path := filepath.Join(b.TempDir(), "cosigned.db")
	s, p := w.open(b, path), w.policy(b, 3, 5)
	w.add(b, s, p, 1, by{0, start}, by{1, start}, by{2, start}, by{3, start}, by{4, start})
	execute(b, path, fmt.Sprintf(`PRAGMA synchronous = OFF; BEGIN;
		WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO heads SELECT 10 * i, root, log_signature, policy, met_at + i, sure_at + i FROM n, heads WHERE size = 1;
		INSERT INTO marks SELECT heads.size, cosigner, at + heads.size / 10, seen_at, signature, NULL, NULL, NULL FROM heads, marks WHERE heads.size > 1 AND marks.size = 1;
		COMMIT; PRAGMA wal_checkpoint(TRUNCATE)`, n))
	return w, s, p
}

// BenchmarkAdd keeps the cosignatures of new heads, five for each: by one call, as a member's
// node learns them, and by five, as they come in at the registry.
func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		for _, calls := range []int{1, 5} {
			b.Run(fmt.Sprintf("heads=%d/calls=%d", n, calls), func(b *testing.B) {
				w, s, p := filled(b, n)
				size := int64(10*n + 10)
				all := []by{{0, start}, {1, start}, {2, start}, {3, start}, {4, start}}
				for b.Loop() {
					b.StopTimer()
					var notes [][]byte
					for i := range calls {
						notes = append(notes, w.head(b, size, 0, all[i*5/calls:(i+1)*5/calls]...))
					}
					size++
					b.StartTimer()
					for _, signed := range notes {
						if _, err := s.Add(ctx, signed, w.log, w.vkeys, p); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

func BenchmarkBracket(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		b.Run(fmt.Sprintf("heads=%d", n), func(b *testing.B) {
			_, s, _ := filled(b, n)
			index := int64(0)
			for b.Loop() {
				before, after, err := s.Bracket(ctx, index)
				if err != nil || index > 10 && (before == nil || after == nil) {
					b.Fatal(before, after, err)
				}
				index = (index + 7919) % int64(10*n)
			}
		})
	}
}

func BenchmarkLast(b *testing.B) {
	_, s, _ := filled(b, 100_000)
	for b.Loop() {
		if last, err := s.Last(ctx); err != nil || len(last) != 5 {
			b.Fatal(len(last), err)
		}
	}
}

// BenchmarkCheck checks 1,000 heads with three true signatures each.
func BenchmarkCheck(b *testing.B) {
	w := newWorld(b, 3)
	s, p := w.fresh(b), w.policy(b, 2, 3)
	for size := range int64(1000) {
		w.add(b, s, p, size+1, by{0, start}, by{1, start}, by{2, start})
	}
	for b.Loop() {
		if err := s.Check(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
