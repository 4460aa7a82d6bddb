// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"truceline/internal/fleet"
	"truceline/internal/node"
)

// A command beside the registry's server files once the server has heard the witnesses,
// and not before, nor once the server is gone.
func TestACommandBesideTheRegistryKnowsWhatTheServerKnows(t *testing.T) {
	f := fleet.New(t, 7)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	var options node.Options
	f.Options = func(_ string, o *node.Options) { options = *o }
	restart := func() {
		f.Stop(fleet.RegistryCode)
		f.Start(fleet.RegistryCode)
	}
	restart()
	beside := func() error {
		t.Helper()
		n, err := node.Open(context.Background(), f.Path(fleet.RegistryCode), options)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		return n.Waiting()
	}
	if err := beside(); !errors.Is(err, node.ErrWaiting) {
		t.Errorf("before the witnesses have told: %v", err)
	}
	f.Settle()
	for range 3 {
		if err := beside(); err != nil {
			t.Errorf("after they have told the server: %v", err)
		}
	}
	restart()
	if err := beside(); !errors.Is(err, node.ErrWaiting) {
		t.Errorf("a new start knows what the one before knew: %v", err)
	}
}

// Invitations that a command writes beside the server lose none of the server's.
func TestInvitingBesideTheServer(t *testing.T) {
	f := fleet.New(t, 8)
	beside, err := node.Open(context.Background(), f.Path(fleet.RegistryCode), node.Options{Now: f.Clock.Now, Rand: rand.Reader, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	for range 5 {
		var wg sync.WaitGroup
		for i, code := range fleet.Codes {
			n := f.Registry()
			if i%2 == 1 {
				n = beside
			}
			wg.Go(func() {
				if _, err := n.InviteMember(code, "http://registry.invalid"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b, err := os.ReadFile(f.Path(fleet.RegistryCode) + "/invitations.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range fleet.Codes {
			if strings.Count(string(b), `"`+code+`"`) != 1 {
				t.Fatalf("the invitation of %s is not there once:\n%s", code, b)
			}
		}
	}
}
