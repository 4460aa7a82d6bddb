// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"truceline/internal/outbox"
)

// model is what a box must hold, kept in memory by the simplest means.
type model struct {
	acts []outbox.Act // by Seq-1; without the times, which the box gives
	reg  *registry
	desk *desk
}

// put gives what Put must answer.
func (m *model) put(a outbox.Act) (seq int, ok bool) {
	for i, first := range m.acts {
		if first.ID == a.ID && reflect.DeepEqual(first.Records, a.Records) {
			return i + 1, true
		}
		for _, s := range first.Records {
			if slices.ContainsFunc(a.Records, func(o outbox.Submission) bool { return o.ID == s.ID || o.ID == first.ID || s.ID == a.ID }) {
				return 0, false
			}
		}
	}
	a.State = outbox.Queued
	m.acts = append(m.acts, a)
	return len(m.acts), true
}

// step gives the detail of an event, and whether Step must succeed.
func (m *model) step(a *outbox.Act, e outbox.Event, proofs bool) (d outbox.Detail, ok bool) {
	next, err := outbox.Next(a.State, e)
	switch e {
	case outbox.LineFailed:
		d.Error = "no answer"
	case outbox.ReceiptVerified, outbox.Found:
		if d.Receipts = m.reg.admit(a.Records); proofs {
			d.Receipts = m.reg.prove(d.Receipts)
		}
	case outbox.RefusalVerified:
		d.Refusal = m.reg.refuse(a.Records[len(a.Records)-1], fmt.Sprintf("reason %d", a.Tries))
	}
	if err != nil {
		return d, false
	}
	switch e {
	case outbox.Hand, outbox.Carried:
		a.Tries++
	case outbox.LineFailed:
		if a.State == outbox.Sent {
			a.LastError = d.Error
		}
	case outbox.ReceiptVerified, outbox.Found:
		a.LastError = ""
		if a.Receipts == nil {
			a.Receipts = slices.Clone(d.Receipts)
		}
		for i, r := range d.Receipts {
			if a.Receipts[i].Proof == nil {
				a.Receipts[i].Proof = r.Proof
			}
		}
	case outbox.RefusalVerified:
		a.LastError = ""
		if a.Refusal == nil {
			a.Refusal, a.RefusalCode, a.RefusalReason = d.Refusal, "right", fmt.Sprintf("reason %d", a.Tries)
		}
	}
	a.State = next
	return d, true
}

// compare wants the box to hold exactly what the model does.
func (m *model) compare(t tb, b *outbox.Box) {
	t.Helper()
	ctx := context.Background()
	got := all(t, b)
	if len(got) != len(m.acts) {
		t.Fatalf("the box holds %d acts, want %d", len(got), len(m.acts))
	}
	counts := map[outbox.State]int{}
	var waiting []int64
	for i, a := range got {
		want := m.acts[i]
		counts[want.State]++
		if want.State == outbox.Queued || want.State == outbox.Sent {
			waiting = append(waiting, int64(i+1))
		}
		if a.Seq != int64(i+1) || a.QueuedAt == 0 || a.ChangedAt < a.QueuedAt || (a.TriedAt > 0) != (a.Tries > 0) {
			t.Fatalf("times and place of act %d: %+v", i+1, a)
		}
		want.Seq, want.QueuedAt, want.ChangedAt, want.TriedAt = a.Seq, a.QueuedAt, a.ChangedAt, a.TriedAt
		if !reflect.DeepEqual(a, want) {
			t.Fatalf("act %d is\n%+v, want\n%+v", i+1, a, want)
		}
	}
	have, err := b.Counts(ctx)
	must(t, err)
	for _, s := range outbox.States {
		if have[s] != counts[s] {
			t.Fatalf("%d acts are counted as %s, want %d", have[s], s, counts[s])
		}
	}
	var walked []int64
	for a, err := range b.Waiting(ctx) {
		must(t, err)
		walked = append(walked, a.Seq)
	}
	if !slices.Equal(walked, waiting) {
		t.Fatalf("acts %v wait, want %v", walked, waiting)
	}
	must(t, b.Check(ctx))
}

// TestRandomEvents does what comes, in any order, closes the box and opens it again after
// each, and wants it to hold what the model does.
func TestRandomEvents(t *testing.T) {
	ctx := context.Background()
	_, empty, c := fresh(t)
	path := filepath.Join(t.TempDir(), "outbox.db")
	rapid.Check(t, func(r *rapid.T) {
		m := &model{reg: newRegistry(r, 1), desk: newDesk(r, 1)}
		data, err := os.ReadFile(empty)
		must(r, err)
		must(r, os.WriteFile(path, data, 0o600))
		var b *outbox.Box
		reopen := func() {
			b, err = outbox.Open(ctx, path, outbox.Options{Now: c.now})
			must(r, err)
			// Whether what was written lasts is for other tests; this one need not wait for the disk.
			must(r, b.WriterPragma(ctx, "synchronous = OFF"))
		}
		reopen()
		defer func() { b.Close() }()
		old := m.desk.act(2)
		for range rapid.IntRange(1, 8).Draw(r, "events") {
			switch what := rapid.IntRange(0, 9).Draw(r, "what"); {
			case what == 0 || len(m.acts) == 0:
				a := m.desk.act(rapid.IntRange(1, 3).Draw(r, "records"))
				if rapid.IntRange(0, 3).Draw(r, "mixed") == 0 {
					a.Records[0] = old.Records[0] // perhaps in the box in other company
				}
				old = a
				seq, ok := m.put(a)
				got, err := b.Put(ctx, a)
				if ok != (err == nil) || ok && got.Seq != int64(seq) || !ok && !errors.Is(err, outbox.ErrConflict) {
					r.Fatalf("put: %d, %v; want %d, %t", got.Seq, err, seq, ok)
				}
			case what == 1:
				i := rapid.IntRange(0, len(m.acts)-1).Draw(r, "again")
				a := m.acts[i]
				got, err := b.Put(ctx, outbox.Act{ID: a.ID, Member: a.Member, Records: a.Records})
				if err != nil || got.Seq != int64(i+1) || got.State != a.State {
					r.Fatalf("put again: %+v, %v; want act %d", got, err, i+1)
				}
			case what == 2:
				upTo := rapid.Int64Range(0, m.reg.edge.Size()).Draw(r, "up to")
				n := 0
				for _, a := range m.acts {
					for j := range a.Receipts {
						if have := &a.Receipts[j]; have.Index < upTo && have.WitnessedAt == 0 {
							have.WitnessedAt, have.Witnesses = 1_772_323_300_000+upTo, []string{fmt.Sprint("w", upTo)}
							n++
						}
					}
				}
				got, err := b.Witness(ctx, upTo, 1_772_323_300_000+upTo, []string{fmt.Sprint("w", upTo)})
				if err != nil || got != n {
					r.Fatalf("witnessed %d, %v; want %d", got, err, n)
				}
			default:
				i := rapid.IntRange(0, len(m.acts)-1).Draw(r, "act")
				e := rapid.SampledFrom(outbox.Events).Draw(r, "event")
				d, ok := m.step(&m.acts[i], e, rapid.Bool().Draw(r, "proofs"))
				got, err := b.Step(ctx, int64(i+1), e, d)
				var impossible *outbox.Impossible
				if ok != (err == nil) || ok && got.State != m.acts[i].State || !ok && !errors.As(err, &impossible) {
					r.Fatalf("%s: %s, %v; want %s, %t", e, got.State, err, m.acts[i].State, ok)
				}
			}
			must(r, b.Close())
			reopen()
			m.compare(r, b)
		}
	})
}

// TestCopyTakenWhileRunning: the file and its log, copied between two calls as a backup does,
// open as a whole box with all that was acknowledged.
func TestCopyTakenWhileRunning(t *testing.T) {
	b, path, c := fresh(t)
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	ctx := context.Background()
	for i := range 6 {
		for range 5 {
			a, err := b.Put(ctx, d.act(1+i%2))
			must(t, err)
			if i%3 > 0 {
				_, err = b.Step(ctx, a.Seq, outbox.Found, outbox.Detail{Receipts: reg.admit(a.Records)})
				must(t, err)
			}
		}
		to := filepath.Join(t.TempDir(), "outbox.db")
		for _, suffix := range []string{"", "-wal"} {
			data, err := os.ReadFile(path + suffix)
			must(t, err)
			must(t, os.WriteFile(to+suffix, bytes.Clone(data), 0o600))
		}
		restored := open(t, to, c)
		must(t, restored.Check(ctx))
		if got, want := all(t, restored), all(t, b); !reflect.DeepEqual(got, want) {
			t.Fatalf("the copy holds %d acts, the box %d, or they differ", len(got), len(want))
		}
	}
}
