// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/record"
)

// without leaves members off the net.
func without(codes ...string) func(from, to string, _ *http.Request) (arrives, answers bool) {
	return func(from, to string, _ *http.Request) (bool, bool) {
		return !slices.Contains(codes, from) && !slices.Contains(codes, to), true
	}
}

// filedAndPutBack files a record that some members never see, and then puts the registry's
// folder back to what it was before. The folder as it was stays under the name "right".
func filedAndPutBack(t *testing.T, f *fleet.Fleet, unseenBy ...string) record.ID {
	t.Helper()
	f.Stop(fleet.RegistryCode)
	f.Copy(fleet.RegistryCode, "backup")
	f.Start(fleet.RegistryCode)
	f.Settle()
	f.Net.Lose = without(unseenBy...)
	id := says(t, f, "NOR", 3)
	for range 3 {
		for _, code := range fleet.Codes {
			if err := f.Round(code); err != nil && !slices.Contains(unseenBy, code) {
				t.Fatal(err)
			}
		}
	}
	if is := act(t, f, "NOR", id); is.State != outbox.Receipted {
		t.Fatalf("%+v", is)
	}
	f.Stop(fleet.RegistryCode)
	f.Copy(fleet.RegistryCode, "right")
	f.Copy("backup", fleet.RegistryCode)
	return id
}

// A registry that goes back to before a record for which it gave a receipt, and goes on from
// there, has signed two histories: at one size, or at several.
func TestDropsWhatItGaveAReceiptFor(t *testing.T) {
	for _, more := range []int{1, 2} {
		t.Run(fmt.Sprintf("and logs %d others", more), func(t *testing.T) {
			f := begin(t, 6)
			before := f.Registry().Head().Size
			filedAndPutBack(t, f, "mon")
			f.Options = func(code string, o *node.Options) { o.Alone = code == fleet.RegistryCode } // it waits for nobody
			f.Start(fleet.RegistryCode)
			f.Net.Lose = without("NOR", "SUD", "fac")
			for i := range more {
				says(t, f, "mon", int64(i))
			}
			if err := f.Round("mon", "mon"); err != nil {
				t.Fatal(err)
			}
			if size := f.Registry().Head().Size; size != before+int64(more) {
				t.Fatalf("the registry has %d records", size)
			}
			f.Net.Lose = nil
			_ = f.Round("NOR", "SUD", "fac")
			for _, code := range []string{"NOR", "SUD", "fac"} {
				found := proof(t, f, code, alarm(t, f, code, node.TwoHistories))
				if found.Kind != evidence.TwoHistories || !accusesLog(found) {
					t.Errorf("%s: %+v", code, found)
				}
				if got := f.Nodes[code].Head().Size; got != before+1 {
					t.Errorf("%s has taken over %d records", code, got)
				}
			}
			rounds(f, 1, time.Minute) // and mon hears of it from the others
			alarm(t, f, "mon", node.TwoHistories)
			alarm(t, f, fleet.RegistryCode, node.BehindWitness)
			if w := witnessed(t, f, "mon"); w != before {
				t.Errorf("mon takes %d records of the second history for witnessed", w)
			}
		})
	}
}

// A registry whose folder was put back by accident hears from its witnesses that it is
// behind before it admits anything, says so, and goes on once its ledger is back.
func TestPutBackByAccident(t *testing.T) {
	f := begin(t, 7)
	id := filedAndPutBack(t, f, "mon")
	f.Start(fleet.RegistryCode)
	f.Net.Lose = without("NOR", "SUD", "fac")
	later := says(t, f, "mon", 4)
	_ = f.Round("mon", "mon")
	if err := f.Registry().Waiting(); !errors.Is(err, node.ErrWaiting) {
		t.Fatalf("one witness of three has told what it holds, and the registry says %v", err)
	}
	if is := act(t, f, "mon", later); !is.State.Waiting() {
		t.Fatalf("%+v", is)
	}
	f.Net.Lose = nil
	rounds(f, 2, time.Second)
	alarm(t, f, fleet.RegistryCode, node.BehindWitness)
	if err := f.Registry().Waiting(); !errors.Is(err, node.ErrBehind) {
		t.Fatalf("the registry says %v", err)
	}
	calm(t, f, fleet.Codes...) // for a moment it may lag
	rounds(f, 3, time.Minute)
	for _, code := range []string{"NOR", "SUD", "fac"} {
		alarm(t, f, code, node.OlderHead)
	}
	if is := act(t, f, "mon", later); !is.State.Waiting() {
		t.Fatalf("a registry that knows it is behind has taken a record: %+v", is)
	}

	f.Stop(fleet.RegistryCode)
	f.Copy("right", fleet.RegistryCode)
	f.Start(fleet.RegistryCode)
	rounds(f, 3, time.Second)
	for code, id := range map[string]record.ID{"NOR": id, "mon": later} {
		if is := act(t, f, code, id); !is.Witnessed() {
			t.Errorf("%s: %+v", code, is)
		}
	}
	if want := hash(t, f, fleet.RegistryCode); hash(t, f, "mon") != want || hash(t, f, "NOR") != want {
		t.Error("they have not one state")
	}
}

// A receipt that no other member has seen is enough for who has it.
func TestDropsWhatOneHasSeen(t *testing.T) {
	f := begin(t, 8)
	filedAndPutBack(t, f, "SUD", "fac", "mon")
	f.Start(fleet.RegistryCode)
	f.Net.Lose = without("NOR")
	says(t, f, "SUD", 4)
	rounds(f, 2, time.Second)
	if f.Registry().Waiting() != nil {
		t.Fatal("three of four witnesses have told what they hold, and the registry waits")
	}
	f.Net.Lose = nil
	_ = f.Round("NOR")
	if found := proof(t, f, "NOR", alarm(t, f, "NOR", node.TwoHistories)); !accusesLog(found) {
		t.Errorf("%+v", found)
	}
	rounds(f, 1, time.Minute)
	for _, code := range []string{"SUD", "fac", "mon"} {
		if found := proof(t, f, code, alarm(t, f, code, node.TwoHistories)); !accusesLog(found) {
			t.Errorf("%s: %+v", code, found)
		}
	}
	if err := f.Registry().Waiting(); !errors.Is(err, node.ErrBehind) {
		t.Errorf("the registry says %v", err)
	}
}
