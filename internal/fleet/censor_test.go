// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/record"
)

// The registry does not answer one member: another member's node hands in for it.
func TestADoorIsClosedToOneMember(t *testing.T) {
	f := signedMission(t, 100)
	f.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) {
		return !(from == "NOR" && to == fleet.RegistryCode), true
	}
	id, err := f.File("NOR", f.Account("NOR", 1))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Round(fleet.Codes...)
	if act, _, _ := f.Nodes["NOR"].Box.Find(context.Background(), id); !act.State.Waiting() {
		t.Fatalf("it did not wait: %s", act.State)
	}
	f.Clock.Advance(11 * time.Minute)
	_ = f.Round("NOR")
	act, _, err := f.Nodes["NOR"].Box.Find(context.Background(), id)
	if err != nil || act.State != outbox.Receipted {
		t.Fatalf("%+v, %v: others have not handed it in", act, err)
	}
	f.Net.Lose = nil
	f.Settle()
	noAlarms(t, f, fleet.Codes...)
}

// The registry answers and logs the records of others, and never those of one member: two
// others attest it, and the log goes on. Where the registry is down for all, or the line of
// one alone, nobody is accused.
func TestAMemberIsCensored(t *testing.T) {
	ctx := context.Background()
	f := signedMission(t, 101)
	l := newLiar(t, f) // takes nothing of anybody, and goes on
	l.show(fleet.Codes...)
	if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
		t.Fatal(err)
	}
	round := func() {
		f.Clock.Advance(11 * time.Minute)
		_ = f.Round("NOR", "fac", "mon")
	}
	round()
	round()
	noAlarms(t, f, "NOR") // the log stands still: it may be down
	for range 4 {
		// Others' records come in, and three witnesses cosign what they are shown.
		l.log(l.submission("SUD", 3), f.Clock.Now().UnixMilli())
		round()
		l.witnessed(ctx, "NOR", "fac", "mon")
		round()
	}
	noticed(t, f, "NOR", node.Withheld, true)
	noAlarms(t, f, "fac", "mon")
}

// A member signs with a time that is far ahead of when its record was logged.
func TestAFarOffClock(t *testing.T) {
	f := signedMission(t, 102)
	n := f.Nodes["SUD"]
	f.Clock.Advance(5 * time.Hour)
	s, err := n.Sign(node.Draft{Kind: record.AccountFiled, Member: "SUD", Body: f.Account("SUD", 4).Body}, true)
	if err != nil {
		t.Fatal(err)
	}
	l := newLiar(t, f)
	index := l.log(s, f.Clock.Now().Add(-5*time.Hour).UnixMilli())
	f.Clock.Advance(-5 * time.Hour)
	l.show("NOR")
	_ = f.Round("NOR")
	if a := noticed(t, f, "NOR", node.FarOffClock, true); a.Index != index || a.Member != "SUD" {
		t.Errorf("%+v, want record %d of SUD", a, index)
	}
	if got := marks(t, f, "NOR", index+1); !got[record.RulesCosigner] {
		t.Errorf("cosigned as %v: a member's clock is no rule of the log", got)
	}
}
