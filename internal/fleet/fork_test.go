// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/outbox"
)

// otherFace is a second registry with the log's key and another history.
const otherFace = "face"

// forked gives the registry two faces: the members named see the other one.
func forked(t *testing.T, f *fleet.Fleet, others ...string) {
	t.Helper()
	f.Stop(fleet.RegistryCode)
	f.Copy(fleet.RegistryCode, otherFace)
	f.Start(fleet.RegistryCode)
	f.Start(otherFace)
	to := map[string]string{}
	for _, code := range others {
		to[code] = otherFace
	}
	f.Net.Faces = routes(to)
}

// betweenMembers tells whether a request does not concern the registry.
func betweenMembers(from, to string) bool {
	return from != fleet.RegistryCode && to != fleet.RegistryCode
}

func cutBetweenMembers(from, to string, _ *http.Request) (arrives, answers bool) {
	return !betweenMembers(from, to), true
}

// rounds lets members exchange so often, whatever comes of it, some time apart.
func rounds(f *fleet.Fleet, times int, apart time.Duration) {
	for range times {
		f.Clock.Advance(apart)
		_ = f.Round(fleet.Codes...)
	}
}

// A registry that shows two members one history and two another gets neither witnessed by
// three of four, and is found out when members compare.
func TestTwoHistories(t *testing.T) {
	for _, more := range []int{1, 3} {
		t.Run(fmt.Sprintf("1 record and %d", more), func(t *testing.T) {
			f := begin(t, 2)
			before := f.Registry().Head().Size
			forked(t, f, "SUD", "mon")
			f.Net.Lose = cutBetweenMembers
			f.Settle()
			a := says(t, f, "NOR", 3)
			var b []string
			for i := range more {
				b = append(b, says(t, f, "SUD", int64(i)).String())
			}
			f.Settle()
			for code, size := range map[string]int64{"NOR": 1, "fac": 1, "SUD": int64(more), "mon": int64(more)} {
				if got := f.Nodes[code].Head().Size; got != before+size {
					t.Fatalf("%s follows to %d, not to %d", code, got, before+size)
				}
				if got := witnessed(t, f, code); got != before {
					t.Errorf("%s takes %d records for witnessed, and %d were before the fork", code, got, before)
				}
			}
			if is := act(t, f, "NOR", a); is.State != outbox.Receipted || is.Witnessed() {
				t.Errorf("%+v", is)
			}
			calm(t, f, fleet.Codes...)

			f.Net.Lose = nil
			rounds(f, 1, time.Minute)
			for _, code := range fleet.Codes {
				found := proof(t, f, code, alarm(t, f, code, node.TwoHistories))
				if found.Kind != evidence.TwoHistories || !accusesLog(found) || len(found.Unchecked) > 0 {
					t.Errorf("%s: %+v", code, found)
				}
			}
			calm(t, f, fleet.RegistryCode, otherFace) // each has one history itself

			// Each goes on holding what it can, and says no more than that.
			says(t, f, "NOR", 4)
			rounds(f, 3, time.Second)
			size := f.Registry().Head().Size
			for _, code := range []string{"NOR", "fac"} {
				if got := cosigned(t, f, code, code, size); !slices.Equal(got, []string{"mirror"}) {
					t.Errorf("%s has cosigned the head of %d as %q", code, size, got)
				}
				if got := witnessed(t, f, code); got != before {
					t.Errorf("%s takes %d records for witnessed after the fork was known", code, got)
				}
			}
		})
	}
}

// Three on one side are enough to be witnessed there, never on the other; and nothing more
// is witnessed once it is known.
func TestTwoHistoriesThreeAndOne(t *testing.T) {
	f := begin(t, 3)
	before := f.Registry().Head().Size
	// The face that one member sees hears too few witnesses to admit anything, unless its
	// operator lies to it, too.
	f.Options = func(code string, o *node.Options) { o.Alone = code == otherFace }
	forked(t, f, "mon")
	f.Net.Lose = cutBetweenMembers
	f.Settle()
	says(t, f, "NOR", 3)
	says(t, f, "mon", 4)
	says(t, f, "mon", 5)
	f.Settle()
	for code, want := range map[string]int64{"NOR": before + 1, "SUD": before + 1, "fac": before + 1, "mon": before} {
		if got := witnessed(t, f, code); got != want {
			t.Errorf("%s takes %d records for witnessed, not %d", code, got, want)
		}
	}
	calm(t, f, fleet.Codes...)
	f.Net.Lose = nil
	rounds(f, 1, time.Minute)
	for _, code := range fleet.Codes {
		if found := proof(t, f, code, alarm(t, f, code, node.TwoHistories)); !accusesLog(found) {
			t.Errorf("%s: %+v", code, found)
		}
	}
	says(t, f, "NOR", 6)
	rounds(f, 3, time.Second)
	for _, code := range []string{"NOR", "SUD", "fac"} {
		if got := witnessed(t, f, code); got != before+1 {
			t.Errorf("%s takes %d records for witnessed after the fork was known", code, got)
		}
	}
}

// Where members reach nobody but the registry, it is found out when one of them is shown
// the other history; and a registry that means well stops when it hears of it.
func TestTwoHistoriesThroughTheRegistryAlone(t *testing.T) {
	f := begin(t, 4)
	forked(t, f, "SUD", "mon")
	f.Net.Lose = cutBetweenMembers
	f.Settle()
	says(t, f, "NOR", 3)
	says(t, f, "SUD", 4)
	says(t, f, "SUD", 5)
	f.Settle()
	rounds(f, 3, time.Hour)
	calm(t, f, fleet.Codes...)

	f.Net.Faces = routes(map[string]string{"mon": otherFace})
	rounds(f, 1, time.Minute)
	if found := proof(t, f, "SUD", alarm(t, f, "SUD", node.TwoHistories)); !accusesLog(found) {
		t.Errorf("%+v", found)
	}
	calm(t, f, "NOR", "fac", "mon")
	alarm(t, f, fleet.RegistryCode, node.BehindWitness)
	if err := f.Registry().Waiting(); err == nil || !strings.Contains(err.Error(), "Nothing is admitted") {
		t.Errorf("the registry that was told says %v", err)
	}
	id := says(t, f, "NOR", 6)
	rounds(f, 2, time.Second)
	if is := act(t, f, "NOR", id); !is.State.Waiting() {
		t.Errorf("a registry that knows of another history of its own has taken a record: %+v", is)
	}
}

// Somebody shows a member's witness the other history, before its node has seen anything.
func TestTwoHistoriesShownToTheWitness(t *testing.T) {
	f := begin(t, 5)
	forked(t, f, "SUD", "mon")
	f.Net.Lose = cutBetweenMembers
	f.Settle()
	says(t, f, "NOR", 3)
	says(t, f, "SUD", 4)
	if err := f.Round("SUD", "mon", "NOR"); err != nil { // not fac
		t.Fatal(err)
	}
	ctx := t.Context()
	other := f.Nodes[otherFace]
	held, err := f.Nodes["fac"].Witness().Held(ctx, other.Config.Origin)
	if err != nil {
		t.Fatal(err)
	}
	way, err := other.Log().Consistency(ctx, held.Size, other.Head().Size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Nodes["fac"].Witness().AddCheckpoint(ctx, held.Size, way, other.Head().Checkpoint); err != nil {
		t.Fatal(err)
	}
	rounds(f, 2, time.Second)
	if found := proof(t, f, "fac", alarm(t, f, "fac", node.TwoHistories)); !accusesLog(found) {
		t.Errorf("%+v", found)
	}
	if _, err := f.Nodes["fac"].Witness().AddCheckpoint(ctx, other.Head().Size, nil, other.Head().Checkpoint); err == nil {
		t.Error("the witness of a member that knows of two histories cosigns when it is asked over the net")
	}
	// It knows it when it starts again, too.
	f.Stop("fac")
	f.Start("fac")
	if _, err := f.Nodes["fac"].Witness().AddCheckpoint(ctx, other.Head().Size, nil, other.Head().Checkpoint); err == nil {
		t.Error("the witness cosigns after a restart")
	}
}
