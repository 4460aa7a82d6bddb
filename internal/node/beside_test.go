// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"errors"
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
