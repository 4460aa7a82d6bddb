// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"slices"
	"testing"
	"time"

	"truceline/evidence"
	"truceline/internal/fleet"
	"truceline/internal/node"
)

// clockOff gives one node a clock that is off, from its next start. A registry's then lets
// nothing count as heard after it, so that it must be told not to wait.
func clockOff(f *fleet.Fleet, whose string, by time.Duration) {
	f.Options = func(code string, o *node.Options) {
		if code == whose {
			o.Now = func() time.Time { return f.Clock.Now().Add(by) }
			o.Alone = true
		}
	}
	f.Stop(whose)
	f.Start(whose)
}

// falseTimeNoticed wants all members to have noticed that the record at an index has a false
// time: none says any more that all kept the rules, all say what is still true.
func falseTimeNoticed(t *testing.T, f *fleet.Fleet, index int64, accused bool) {
	t.Helper()
	size := f.Registry().Head().Size
	for _, code := range fleet.Codes {
		a := alarm(t, f, code, node.FalseTime)
		if a.Index != index || a.Member != "" {
			t.Errorf("%s: %+v", code, a)
		}
		found := proof(t, f, code, a)
		if found.Kind != evidence.FalseTime || found.Index != index || accusesLog(found) != accused || len(found.About)+len(found.Accused) != 1 {
			t.Errorf("%s: %+v", code, found)
		}
		if got := cosigned(t, f, fleet.RegistryCode, code, size); !slices.Equal(got, []string{"mirror", "witness"}) {
			t.Errorf("%s has cosigned the head of %d as %q", code, size, got)
		}
		if got := cosigned(t, f, fleet.RegistryCode, code, index); !slices.Equal(got, []string{"mirror", "rules", "witness"}) {
			t.Errorf("%s has cosigned what was before as %q", code, got)
		}
		if got := witnessed(t, f, code); got != size {
			t.Errorf("%s takes %d records for witnessed, of %d", code, got, size)
		}
	}
}

// A registry whose clock is ahead dates records forward: a quorum of witnesses has seen them
// before they were logged, as it says.
func TestDatedForward(t *testing.T) {
	f := begin(t, 9)
	index := f.Registry().Head().Size
	clockOff(f, fleet.RegistryCode, time.Hour)
	f.Settle()
	says(t, f, "NOR", 3)
	f.Settle()
	falseTimeNoticed(t, f, index, true)
	// One false time is enough for all heads that hold it, whatever comes after.
	clockOff(f, fleet.RegistryCode, 0)
	f.Clock.Advance(2 * time.Hour)
	f.Settle()
	says(t, f, "SUD", 4)
	f.Settle()
	size := f.Registry().Head().Size
	for _, code := range fleet.Codes {
		if got := cosigned(t, f, fleet.RegistryCode, code, size); !slices.Equal(got, []string{"mirror", "witness"}) {
			t.Errorf("%s has cosigned the head of %d as %q", code, size, got)
		}
	}
}

// A registry that dates records back is noticed by those to whom it has shown, later than
// that, a log without them. That is no proof to others, and says so.
func TestDatedBack(t *testing.T) {
	f := begin(t, 10)
	rounds(f, 4, 15*time.Minute)
	index := f.Registry().Head().Size
	clockOff(f, fleet.RegistryCode, -40*time.Minute)
	f.Settle()
	says(t, f, "NOR", 3)
	f.Settle()
	falseTimeNoticed(t, f, index, false)
}

// Clocks that differ by less than the bound, an officer who files late, a line that was cut
// for long, a node that was off: none of this is held against anybody.
func TestHonestClocks(t *testing.T) {
	f := begin(t, 11)
	for _, off := range []time.Duration{100 * time.Second, -100 * time.Second} {
		clockOff(f, fleet.RegistryCode, off)
		rounds(f, 3, time.Hour)
		says(t, f, "NOR", 3)
		rounds(f, 3, time.Second)
	}
	clockOff(f, fleet.RegistryCode, 0)
	f.Clock.Advance(time.Hour)
	f.Net.Lose = without("mon")
	f.Stop("SUD")
	late := says(t, f, "mon", 4)
	for range 5 {
		f.Clock.Advance(24 * time.Hour)
		says(t, f, "fac", 5)
		rounds(f, 2, time.Second)
	}
	f.Net.Lose = nil
	f.Start("SUD")
	rounds(f, 3, 20*time.Second)
	f.Settle()
	settled(t, f)
	if is := act(t, f, "mon", late); !is.Witnessed() {
		t.Errorf("%+v", is)
	}
}

// An old head is shown to a member's witness while the member's line is cut: it cosigns it
// again, and that must not make the registry look as if it had dated records back.
func TestOldHeadShownLate(t *testing.T) {
	f := begin(t, 12)
	f.Settle()
	old := f.Registry().Head()
	f.Net.Lose = without("NOR")
	says(t, f, "SUD", 3)
	rounds(f, 3, time.Second)
	f.Clock.Advance(time.Hour)
	if _, err := f.Nodes["NOR"].Witness().AddCheckpoint(t.Context(), old.Size, nil, old.Checkpoint); err != nil {
		t.Fatal(err)
	}
	f.Net.Lose = nil
	rounds(f, 3, 20*time.Second)
	settled(t, f)
}

// A member whose clock is far off is noticed by all, and the record stands beside when
// witnesses had seen it. It is no lie of anybody, and keeps nobody from cosigning.
func TestMemberClockFarOff(t *testing.T) {
	for what, off := range map[string]time.Duration{"ahead": time.Hour, "behind": -8 * 24 * time.Hour} {
		t.Run(what, func(t *testing.T) {
			f := begin(t, 13)
			index := f.Registry().Head().Size
			clockOff(f, "SUD", off)
			f.Settle()
			id := says(t, f, "SUD", 3)
			rounds(f, 3, time.Second)
			size := f.Registry().Head().Size
			for _, code := range []string{"NOR", "fac", "mon"} {
				a := alarm(t, f, code, node.FarOffClock)
				if a.Index != index || a.Member != "SUD" {
					t.Errorf("%s: %+v", code, a)
				}
				found := proof(t, f, code, a)
				if found.Kind != evidence.FarOffClock || found.Statement != id || len(found.Accused) > 0 || len(found.About) != 1 || found.About[0].Name != "SUD" {
					t.Errorf("%s: %+v", code, found)
				}
				if got := cosigned(t, f, fleet.RegistryCode, code, size); !slices.Equal(got, []string{"mirror", "rules", "witness"}) {
					t.Errorf("%s has cosigned the head of %d as %q", code, size, got)
				}
				before, after, err := f.Nodes[code].Cosigned.Bracket(t.Context(), index)
				if err != nil || before == nil || after == nil || before.SureAt > after.MetAt {
					t.Errorf("%s: %+v, %+v, %v", code, before, after, err)
				}
			}
			says(t, f, "SUD", 4) // one alarm says all of a clock
			rounds(f, 3, time.Second)
			alarm(t, f, "NOR", node.FarOffClock)
			calm(t, f, fleet.RegistryCode)
		})
	}
}
