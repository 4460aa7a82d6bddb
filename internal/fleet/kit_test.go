// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"crypto/sha256"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"truceline/evidence"
	cosignedstore "truceline/internal/cosigned"
	"truceline/internal/fleet"
	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/mechanism"
	"truceline/record"
)

// kept is the mission with which most tests begin; its folder goes with the process.
var kept struct {
	once   sync.Once
	frozen *fleet.Fleet
}

func TestMain(m *testing.M) {
	code := m.Run()
	if kept.frozen != nil {
		os.RemoveAll(kept.frozen.Dir)
	}
	os.Exit(code)
}

// staying leaves the cleaning up to TestMain.
type staying struct{ *testing.T }

func (staying) Cleanup(func()) {}

// begin is a mission of a registry and four members, of whose witnesses three must cosign;
// some accounts are filed, and everybody has all.
func begin(t *testing.T, seed uint64) *fleet.Fleet {
	t.Helper()
	kept.once.Do(func() {
		f := fleet.New(staying{t}, 1<<40) // no test thaws it with this seed, and so draws its ids again
		defer f.Freeze()
		f.Join(fleet.Codes...)
		f.Settle()
		f.Adopt(3)
		f.Settle()
		for i, code := range fleet.Codes {
			f.Clock.Advance(time.Second)
			says(t, f, code, int64(i))
		}
		f.Settle()
		settled(t, f)
		kept.frozen = f
	})
	if kept.frozen == nil {
		t.Fatal("the mission could not be made")
	}
	f := kept.frozen.Thaw(t, seed)
	f.Settle() // the registry hears its witnesses
	return f
}

func says(t *testing.T, f *fleet.Fleet, code string, killed int64) record.ID {
	t.Helper()
	id, err := f.File(code, f.Account(code, killed))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func act(t *testing.T, f *fleet.Fleet, code string, id record.ID) outbox.Act {
	t.Helper()
	a, ok, err := f.Nodes[code].Box.Find(context.Background(), id)
	if err != nil || !ok {
		t.Fatalf("the act %s of %s: %t, %v", id, code, ok, err)
	}
	return a
}

// settled wants one state everywhere, all of it witnessed, and nothing wrong with anybody.
func settled(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	size, want := f.Registry().Head().Size, hash(t, f, fleet.RegistryCode)
	for _, code := range fleet.Codes {
		if got := f.Nodes[code].Head().Size; got != size {
			t.Errorf("%s has %d records, the registry %d", code, got, size)
		}
		if got := hash(t, f, code); got != want {
			t.Errorf("%s has the state %s, the registry %s", code, got, want)
		}
		if w := witnessed(t, f, code); w != size {
			t.Errorf("%s knows that %d records are witnessed, of %d", code, w, size)
		}
	}
	calm(t, f, append(slices.Clone(fleet.Codes), fleet.RegistryCode)...)
}

// witnessed is the size of the newest head that a node knows to be witnessed.
func witnessed(t *testing.T, f *fleet.Fleet, code string) int64 {
	t.Helper()
	h, err := f.Nodes[code].Witnessed(context.Background())
	if err != nil && !node.IsNotFound(err) {
		t.Fatal(err)
	}
	return h.Size
}

func calm(t *testing.T, f *fleet.Fleet, codes ...string) {
	t.Helper()
	for _, code := range codes {
		if n := f.Nodes[code]; n != nil {
			for _, a := range n.Alarms() {
				t.Errorf("%s has the alarm %+v", code, a)
			}
		}
	}
}

// alarm wants a node to have one alarm, of a kind, and no other.
func alarm(t *testing.T, f *fleet.Fleet, code string, kind node.AlarmKind) node.Alarm {
	t.Helper()
	list := f.Nodes[code].Alarms()
	if len(list) != 1 || list[0].Kind != kind {
		t.Fatalf("%s has the alarms %+v, and should have one of the kind %s", code, list, kind)
	}
	return list[0]
}

// proof wants the alarm to have a file that shows it to somebody who knows the log's key,
// the policy and the bound on clocks from elsewhere.
func proof(t *testing.T, f *fleet.Fleet, code string, a node.Alarm) *evidence.Finding {
	t.Helper()
	n := f.Nodes[code]
	b, err := n.Evidence(a.Evidence)
	if err != nil {
		t.Fatalf("%s: %+v: %v", code, a, err)
	}
	o := evidence.Options{LogKey: n.Config.LogKey}
	n.Look(func(s *mechanism.State) { o.Policy, o.ClockBoundMS = s.Policy(), s.Pack().ClockBoundMS() })
	found, err := evidence.Check(b, o)
	if err != nil {
		t.Fatalf("%s: %+v: the evidence does not hold: %v", code, a, err)
	}
	if _, err := evidence.Check(b, evidence.Options{LogKey: otherLogKey}); err == nil {
		t.Fatalf("%s: the evidence holds against another log", code)
	}
	return found
}

// otherLogKey is of a log that has nothing to do with any here.
const otherLogKey = "other.invalid+9860319e+ARVUjZ9KbdCv9DeMr8uWjsSkt1IqLEIwUEZHLsK1vMUc"

// accusesLog tells whether a finding accuses the log, and nobody else.
func accusesLog(found *evidence.Finding) bool {
	return len(found.Accused) == 1 && found.Accused[0].Role == evidence.RoleLog
}

// cosigned are the roles under which a member has cosigned the head of a size, as far as a
// node knows.
func cosigned(t *testing.T, f *fleet.Fleet, at, member string, size int64) (roles []string) {
	t.Helper()
	n := f.Nodes[at]
	h, ok, err := n.Cosigned.At(context.Background(), size)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range n.Cosigners() {
		if ok && c.Member == member && slices.ContainsFunc(h.Marks, func(m cosignedstore.Mark) bool { return m.VKey == c.VKey }) {
			roles = append(roles, string(c.Role))
		}
	}
	slices.Sort(roles)
	return roles
}

// entries are all records of a node.
func entries(t *testing.T, n *node.Node) (out []ledgerstore.Entry) {
	t.Helper()
	for e, err := range n.Store().Entries(context.Background(), 0, n.Head().Size) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// routes sends some members' requests for the registry to other nodes.
func routes(to map[string]string) func(from, to string) string {
	to = maps.Clone(to)
	return func(from, code string) string {
		if other, ok := to[from]; ok && code == fleet.RegistryCode {
			return other
		}
		return code
	}
}

func digest(b []byte) record.Digest { return sha256.Sum256(b) }
