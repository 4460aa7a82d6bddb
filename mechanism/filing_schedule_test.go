// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// TestEverySchedule draws schedules of everything that members do in a filing, in time and
// late, and holds what the state says to the words of the agreement: which entry closes it,
// who is sealed, declined, silent or late, what is opened and by whom, and what is refused.
func TestEverySchedule(t *testing.T) {
	base := openRoom(t, "clerk", "scribe", "watch")
	asked := []string{"OMB", "DRN", "guest"}
	rapid.Check(t, func(t *rapid.T) {
		r := openRoom(base.TB, "clerk", "scribe", "watch")
		in := r.notice("OMB", "DRN", "guest")
		deadline := r.at + window
		type event struct {
			what, member, of string
			at, index        int64
		}
		var log []event // what was admitted
		ids := map[string]record.ID{}
		find := func(what, member string) *event {
			for i := range log {
				if log[i].what == what && log[i].of == member {
					return &log[i]
				}
			}
			return nil
		}
		// closing is the first entry at which all have answered in time or the deadline is past.
		closing := func() *event {
			n := 0
			for i, e := range log {
				if e.at > deadline {
					return &log[i]
				}
				if e.what == "seal" || e.what == "decline" {
					if n++; n == len(asked) {
						return &log[i]
					}
				}
			}
			return nil
		}
		shares := func(of string) (n int) {
			for _, e := range log {
				if e.what == "share" && e.of == of {
					n++
				}
			}
			return n
		}
		steps := rapid.IntRange(1, 25).Draw(t, "steps")
		for range steps {
			what := rapid.SampledFrom([]string{"seal", "seal", "decline", "open", "open", "share", "share", "escrow", "tick"}).Draw(t, "what")
			of := rapid.SampledFrom(asked).Draw(t, "whose")
			by := of
			if what == "share" || what == "escrow" {
				by = rapid.SampledFrom([]string{"clerk", "scribe", "watch"}).Draw(t, "by")
			}
			if gap := rapid.SampledFrom([]int64{0, 0, 0, hour, own, window}).Draw(t, "gap"); gap > 0 {
				r.after(r.at + gap)
			}
			at := r.at + 1
			c := closing()
			over := c != nil || at > deadline
			sealed, declined, opened := find("seal", of), find("decline", of), find("open", of)
			if opened == nil {
				opened = find("escrow", of)
			}
			answeredAlready := sealed != nil || declined != nil
			sealedID := ids[of]
			if sealed == nil && what != "seal" && what != "decline" && what != "tick" {
				continue // there is nothing to open
			}
			var may bool
			var f verifytest.Filing
			switch what {
			case "tick":
				may, f = true, r.File("book", record.ClockTicked, nil)
			case "seal":
				may, f = !answeredAlready, r.sealed(in, of)
			case "decline":
				may, f = !answeredAlready && !over && of != "OMB", r.declined(in, of)
			case "open":
				may, f = c != nil && opened == nil, r.opened(sealedID, of)
			case "share":
				due := c != nil && at > max(c.at, sealed.at)+own
				again := slices.ContainsFunc(log, func(e event) bool { return e.what == "share" && e.of == of && e.member == by })
				may, f = due && opened == nil && !again, r.share(sealedID, by)
			case "escrow":
				may, f = opened == nil && shares(of) >= 2, r.opened(sealedID, by)
			}
			before := r.state.Hash()
			r.state.Begin()
			err := r.try(f)
			if (err == nil) != may {
				t.Fatalf("%s of %s by %s at %d: %v, want it admitted: %t", what, of, by, at, err, may)
			}
			if rapid.Bool().Draw(t, "give up first") {
				r.state.Rollback()
				if r.state.Hash() != before {
					t.Fatalf("%s was given up and left something behind", what)
				}
				r.at--
				if again := r.try(f); (again == nil) != may {
					t.Fatal("it was taken otherwise the second time:", again)
				}
			} else {
				r.state.Commit()
			}
			if !may {
				var refusal *mechanism.Refusal
				if !errors.As(err, &refusal) || r.state.Hash() != before {
					t.Fatalf("refused with %v, and changed: %t", err, r.state.Hash() != before)
				}
				continue
			}
			if what == "seal" {
				ids[of] = f.ID()
			}
			log = append(log, event{what, by, of, r.at, r.state.Size() - 1})

			got, _ := r.state.Filing(in)
			c = closing()
			if c == nil && got.Closing != -1 || c != nil && (got.Closing != c.index || got.ClosedAt != c.at) {
				t.Fatalf("closed at %d, want %+v", got.Closing, c)
			}
			if open := len(r.state.OpenFilings()) == 1; open != (c == nil) {
				t.Fatalf("listed as open: %t", open)
			}
			next := int64(-1)
			soon := func(ms int64) {
				if ms >= r.at && (next < 0 || ms < next) {
					next = ms
				}
			}
			if c == nil {
				soon(deadline)
			}
			for _, m := range asked {
				sealed, declined := find("seal", m), find("decline", m)
				state, opening := mechanism.Invited, ""
				switch {
				case sealed != nil && (c == nil || sealed.index <= c.index && sealed.at <= deadline):
					state = mechanism.Sealed
				case sealed != nil:
					state = mechanism.Late
				case declined != nil:
					state = mechanism.Declined
				case c != nil:
					state = mechanism.Silent
				}
				if sealed != nil {
					switch due := func() int64 { return max(c.at, sealed.at) + own }; {
					case find("open", m) != nil:
						opening = mechanism.Opened
					case find("escrow", m) != nil:
						opening = mechanism.OpenedByEscrow
					case c != nil && r.at > due():
						opening = mechanism.NotOpened
					default:
						if opening = mechanism.Unopened; c != nil {
							soon(due())
						}
					}
				}
				if a := r.answer(in, m); a.State != state || a.Opening != opening || len(a.Shares) != shares(m) {
					t.Fatalf("%s is %s %q with %d shares, want %s %q with %d\n%s", m, a.State, a.Opening, len(a.Shares), state, opening, shares(m), fmt.Sprint(log))
				}
			}
			if ms, ok := r.state.NextDeadline(); ok != (next >= 0) || ok && ms != next {
				t.Fatalf("the next deadline is %d %t, want %d", ms, ok, next)
			}
		}
	})
}
