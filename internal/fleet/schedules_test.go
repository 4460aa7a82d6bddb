// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/outbox"
	"truceline/mechanism"
	"truceline/record"
)

// schedule runs one random order of filing, losing, cutting off, dying and starting again,
// lets the line heal, and then wants what must hold whatever happened.
func schedule(t *testing.T, frozen *fleet.Fleet, seed uint64) {
	f := frozen.Thaw(t, seed)
	r := rand.New(rand.NewPCG(seed, 1))
	all := append([]string{fleet.RegistryCode}, fleet.Codes...)
	cut := map[string]bool{}
	loss := r.Float64() * 0.5
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		if cut[from] || cut[to] {
			return false, false
		}
		return r.Float64() >= loss, r.Float64() >= loss
	}
	type filing struct {
		by string
		id record.ID
	}
	var filed []filing
	for range 25 {
		code := fleet.Codes[r.IntN(len(fleet.Codes))]
		switch r.IntN(10) {
		case 0, 1, 2:
			if f.Nodes[code] == nil {
				continue
			}
			id, err := f.File(code, f.Account(code, int64(r.IntN(9))))
			if err != nil {
				t.Fatalf("seed %d: file: %v", seed, err)
			}
			filed = append(filed, filing{code, id})
		case 3, 4, 5, 6:
			_ = f.Round(code)
		case 7:
			cut[code] = !cut[code]
		case 8:
			who := all[r.IntN(len(all))]
			if f.Nodes[who] != nil {
				f.Stop(who)
			} else {
				f.Start(who)
			}
		case 9:
			f.Clock.Advance(time.Duration(r.IntN(120)) * time.Second)
		}
	}
	// All is well again.
	f.Net.Lose = nil
	for _, code := range all {
		if f.Nodes[code] == nil {
			f.Start(code)
		}
	}
	for range 4 {
		f.Clock.Advance(15 * time.Second)
		_ = f.Round(fleet.Codes...)
	}
	if err := f.Round(fleet.Codes...); err != nil {
		t.Fatalf("seed %d: the line is good, and: %v", seed, err)
	}
	var want record.Digest
	f.Registry().Look(func(s *mechanism.State) { want = s.Hash() })
	for _, code := range fleet.Codes {
		if got := hash(t, f, code); got != want {
			t.Errorf("seed %d: %s has another state than the registry", seed, code)
		}
		if a := f.Nodes[code].Alarms(); len(a) > 0 {
			t.Errorf("seed %d: %s has alarms: %+v", seed, code, a)
		}
	}
	for _, x := range filed {
		act, ok, err := f.Nodes[x.by].Box.Find(context.Background(), x.id)
		if err != nil || !ok || act.State != outbox.Receipted || !act.Witnessed() {
			t.Errorf("seed %d: what %s filed is lost or not witnessed: %+v, %v", seed, x.by, act, err)
			continue
		}
		var at int64
		f.Registry().Look(func(s *mechanism.State) { at, ok = s.IndexOf(x.id) })
		if !ok || at != act.Receipts[0].Index {
			t.Errorf("seed %d: the receipt says %d, the ledger %d, %t", seed, act.Receipts[0].Index, at, ok)
		}
	}
	// The ledger has what was filed and nothing else: ids stand once.
	f.Registry().Look(func(s *mechanism.State) {
		if got, had := s.Size(), frozenSize; got != had+int64(len(filed)) {
			t.Errorf("seed %d: %d records were filed, and the ledger has %d more", seed, len(filed), got-had)
		}
	})
	for code := range f.Nodes {
		f.Stop(code)
	}
}

// frozenSize is how many records the frozen mission has.
var frozenSize int64

func frozenMission(t *testing.T) *fleet.Fleet {
	f := signedMission(t, 90)
	frozenSize = f.Registry().Head().Size
	f.Freeze()
	return f
}

// TestSchedules runs as many random schedules as fit; under the build tag long, thousands.
func TestSchedules(t *testing.T) {
	frozen := frozenMission(t)
	start := time.Now()
	n := 0
	for seed := uint64(1); seed <= uint64(schedules); seed++ {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { schedule(t, frozen, seed) }) {
			t.Fatalf("seed %d fails: run it alone with -run 'TestSchedules/^%d$'", seed, seed)
		}
		n++
	}
	t.Logf("%d schedules of five nodes in %s", n, time.Since(start).Round(time.Second))
}
