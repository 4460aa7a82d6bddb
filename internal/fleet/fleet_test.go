// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/outbox"
	"truceline/mechanism"
	"truceline/record"
)

func hash(t *testing.T, f *fleet.Fleet, code string) (h record.Digest) {
	t.Helper()
	f.Nodes[code].Look(func(s *mechanism.State) { h = s.Hash() })
	return h
}

// Four members and a registry: what one files all have, and all cosign it.
func TestAMission(t *testing.T) {
	f := fleet.New(t, 1)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	id, err := f.File("NOR", f.Account("NOR", 3))
	if err != nil {
		t.Fatal(err)
	}
	act, ok, err := f.Nodes["NOR"].Box.Find(context.Background(), id)
	if err != nil || !ok || act.State != outbox.Queued {
		t.Fatalf("%+v, %t, %v", act, ok, err)
	}
	f.Settle()
	act, _, err = f.Nodes["NOR"].Box.Find(context.Background(), id)
	if err != nil || act.State != outbox.Receipted || !act.Witnessed() {
		t.Fatalf("%+v, %v", act, err)
	}
	want := hash(t, f, fleet.RegistryCode)
	for _, code := range fleet.Codes {
		if got := hash(t, f, code); got != want {
			t.Errorf("%s has the state %s, the registry %s", code, got, want)
		}
		if a := f.Nodes[code].Alarms(); len(a) > 0 {
			t.Errorf("%s has alarms: %+v", code, a)
		}
	}
	h, err := f.Registry().Witnessed(context.Background())
	if err != nil || h.Size != f.Registry().Head().Size {
		t.Errorf("witnessed %d, %v; the log has %d", h.Size, err, f.Registry().Head().Size)
	}
}
