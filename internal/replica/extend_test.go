// SPDX-License-Identifier: Apache-2.0

package replica_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"truceline/internal/ledgerstore"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// opening is a log of the opening records, and of whatever else is appended.
func opening(label string) *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission(label)}
	l.Append(l.Mission.Opening()...)
	return l
}

func tick(l *verifytest.Log) verifytest.Filing {
	return l.Mission.File("book", record.ClockTicked, nil)
}

// TestNothingIsTakenOver of what cannot be proved, or is not what was signed.
func TestNothingIsTakenOver(t *testing.T) {
	l := opening("replica")
	l.Append(l.Mission.File("OMB", record.AccountFiled, verifytest.Account(3)), tick(l), tick(l))
	log, n := logged(t, l), int64(len(l.Entries))
	other := opening("replica, another")
	other.Append(tick(other), tick(other), tick(other))
	elsewhere := logged(t, other)

	for _, have := range []int64{0, 4} {
		c := newMember(t)
		c.must(c.next(log, have))
		rest := log.lines[have:]
		prove := func(f func(ctx context.Context, c ledger.Checkpoint) error) func() error {
			return func() error {
				return c.Extend(t.Context(), replica.Extension{Lines: rest, Prove: f, Sign: c.sign})
			}
		}
		asked := 0
		c.unchanged("not proved", errInjected, prove(func(_ context.Context, got ledger.Checkpoint) error {
			asked++
			if got != (ledger.Checkpoint{Origin: verifytest.Origin, Size: n, Root: log.roots[n]}) {
				t.Errorf("asked to prove %+v", got)
			}
			return errInjected
		}))
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		ctx, cancel := context.WithCancel(t.Context())
		c.unchanged("ended while it was proved", context.Canceled, func() error {
			return c.Extend(ctx, replica.Extension{Lines: rest, Sign: c.sign, Prove: func(ctx context.Context, _ ledger.Checkpoint) error {
				cancel()
				return ctx.Err()
			}})
		})
		c.unchanged("not signed", errInjected, func() error {
			return c.Extend(t.Context(), replica.Extension{Lines: rest, Prove: log.prove, Sign: func(ledger.Checkpoint) ([]byte, error) { return nil, errInjected }})
		})
		c.unchanged("from elsewhere", replica.ErrUnlike, func() error { return c.extend(log, elsewhere.lines[have:]...) })

		swapped := slices.Clone(rest)
		swapped[1], swapped[2] = swapped[2], swapped[1]
		c.unchanged("out of order", replica.ErrUnlike, func() error { return c.extend(log, swapped...) })
		c.unchanged("one left out", replica.ErrUnlike, func() error { return c.extend(log, slices.Delete(slices.Clone(rest), 2, 3)...) })
		c.unchanged("one twice", replica.ErrUnlike, func() error { return c.extend(log, slices.Insert(slices.Clone(rest), 2, rest[1])...) })
		c.unchanged("the first left out", ledgerstore.ErrConflict, func() error { return c.extend(log, rest[1:]...) })
		if have > 0 {
			c.unchanged("from the start again", ledgerstore.ErrConflict, func() error { return c.extend(log, log.lines...) })
		}

		// Any record, altered in any way.
		for i, was := range rest {
			for what, alter := range map[string]func(l *record.Line){
				"another salt": func(l *record.Line) { l.LeafSalt[5] ^= 1 },
				"another time": func(l *record.Line) { l.LoggedAt++ },
				"another envelope": func(l *record.Line) {
					l.Envelope = slices.Clone(l.Envelope)
					l.Envelope[len(l.Envelope)-8] ^= 1
				},
				"no envelope to speak of": func(l *record.Line) { l.Envelope = json.RawMessage("{}") },
				// What the tree does not show.
				"another body": func(l *record.Line) { l.Body = json.RawMessage(`{"reason":"made up"}`) },
				"a body too long": func(l *record.Line) {
					l.Body = json.RawMessage(`"` + string(slices.Repeat([]byte("x"), record.MaxBody)) + `"`)
				},
				"another salt of its body": func(l *record.Line) {
					l.BodySalt[5] ^= 1
					if l.Body == nil {
						l.Body = json.RawMessage("{}")
					}
				},
				"its body left out": func(l *record.Line) {
					if l.Body == nil {
						l.LoggedAt++ // there is none
					}
					l.Body, l.BodySalt = nil, record.Digest{}
				},
			} {
				altered := *was
				alter(&altered)
				lines := slices.Clone(rest)
				lines[i] = &altered
				c.unchanged(what, replica.ErrUnlike, func() error { return c.extend(log, lines...) })
			}
			if i > 0 {
				altered := *was
				altered.Index += int64(i)
				lines := slices.Clone(rest)
				lines[i] = &altered
				c.unchanged("another index", replica.ErrUnlike, func() error { return c.extend(log, lines...) })
			}
		}
		c.must(c.next(log, n))
		if got := c.standing(); got.head != n || got.size != n || got.broken != "" {
			t.Errorf("%+v", got)
		}
	}
}

// broken are logs with a record in them that is not admitted, at the index 9.
func broken(t *testing.T) map[string]struct {
	log   *source
	wants func(b *replica.Broken) bool
} {
	refused := func(code mechanism.Code, later bool) func(b *replica.Broken) bool {
		return func(b *replica.Broken) bool {
			var r *mechanism.Refusal
			return errors.As(b, &r) && r.Code == code && b.UpdateNeeded() == later
		}
	}
	type made = struct {
		log   *source
		wants func(b *replica.Broken) bool
	}
	out := map[string]made{}
	add := func(name string, wants func(b *replica.Broken) bool, file func(m *verifytest.Mission) verifytest.Filing) {
		l := opening("replica " + name)
		bad := file(l.Mission)
		l.Append(bad, l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1)),
			l.Mission.File("OMB", record.IncidentOpened, verifytest.Incident("refused too")), tick(l), tick(l))
		out[name] = made{logged(t, l), func(b *replica.Broken) bool {
			if b.ID != bad.ID() && bad.Statement != nil {
				return false
			}
			return wants(b)
		}}
	}
	account := func(o ...verifytest.Option) func(m *verifytest.Mission) verifytest.Filing {
		return func(m *verifytest.Mission) verifytest.Filing {
			return m.File("OMB", record.AccountFiled, verifytest.Account(2), o...)
		}
	}
	add("no right", refused(mechanism.NoRight, false), func(m *verifytest.Mission) verifytest.Filing {
		return m.File("OMB", record.IncidentOpened, verifytest.Incident("x"))
	})
	add("a stranger's key", refused(mechanism.KeyNotValid, false), account(verifytest.SignedBy(verifytest.Signer("nobody"))))
	add("a body that is none", refused(mechanism.Malformed, false), account(verifytest.Bytes(`{"x":1}`)))
	add("later rules", refused(mechanism.UnknownRules, true), account(verifytest.Edit(func(s *record.Statement) { s.Rules = 2 })))
	add("a later audience", refused(mechanism.UnknownAudience, true), account(verifytest.Edit(func(s *record.Statement) { s.Audience = "court" })))
	unread := func(later bool, o verifytest.Option) {
		name := "no statement"
		if later {
			name = "a later kind"
		}
		l := opening("replica " + name)
		l.Append(account(o)(l.Mission), tick(l), account(o)(l.Mission), tick(l), tick(l))
		out[name] = made{logged(t, l), refused(mechanism.Malformed, later)}
	}
	member := func(name, value string) verifytest.Option {
		return verifytest.Members(func(m map[string]json.RawMessage) { m[name] = json.RawMessage(value) })
	}
	unread(true, member("kind", `"hotline.sent"`))
	unread(false, member("member", `"-"`))
	return out
}

// TestBroken: a record that is not admitted is kept with those after it, in whatever run it
// comes, the state stands still before it, and a restart changes nothing of that.
func TestBroken(t *testing.T) {
	for name, tt := range broken(t) {
		t.Run(name, func(t *testing.T) {
			const at = 9
			log := tt.log
			whole, halves, single := newMember(t), newMember(t), newMember(t)
			whole.must(whole.next(log, log.size()))
			halves.must(halves.next(log, at))
			before := halves.standing()
			if before.broken != "" || before.size != at {
				t.Fatalf("%+v", before)
			}
			halves.unchanged("not proved", errInjected, func() error {
				return halves.Extend(t.Context(), replica.Extension{Lines: log.lines[at:], Sign: halves.sign, Prove: func(context.Context, ledger.Checkpoint) error { return errInjected }})
			})
			halves.store.before = true
			halves.unchanged("not stored", errInjected, func() error { return halves.next(log, 3) })
			halves.store.before = false
			halves.must(halves.next(log, log.size()))
			for single.Head().Size < log.size() {
				single.must(single.next(log, 1))
				if b := single.Broken(); (b == nil) != (single.Head().Size <= at) {
					t.Fatalf("with %d records: %v", single.Head().Size, b)
				}
			}
			want := standing{head: log.size(), stored: log.size(), root: log.roots[log.size()], size: at, hash: before.hash, broken: whole.standing().broken}
			for _, c := range []*member{whole, halves, single} {
				b := c.Broken()
				if got := c.standing(); got != want || b == nil || b.Index != at || !tt.wants(b) {
					t.Errorf("%+v, want %+v", got, want)
				}
				c.reopen()
				if got := c.standing(); got != want {
					t.Errorf("after a restart %+v, want %+v", got, want)
				}
				c.must(ledgerstore.FullCheck(t.Context(), c.store.Store, c.key, ledgerstore.FullCheckOptions{}))
				if i, ok, err := c.store.IndexOf(t.Context(), c.Broken().ID); err != nil || !ok || i != at {
					t.Errorf("under its id stands record %d, %t, %v", i, ok, err)
				}
			}
			// Who puts the records in order has no such ledger.
			whole.copied = false
			if _, err := whole.openIt(); !errors.Is(err, ledgerstore.ErrDamaged) {
				t.Errorf("as a registry's: %v", err)
			}
		})
	}
}

// TestTwice: a statement's id stands once in a ledger. A log that has one twice is not taken
// over, in one run or in two.
func TestTwice(t *testing.T) {
	l := opening("replica twice")
	l.Append(tick(l), tick(l))
	l.Append(l.Entries[5].Filing)
	log := logged(t, l)
	c := newMember(t)
	c.unchanged("in one run", ledgerstore.ErrDuplicateID, func() error { return c.next(log, log.size()) })
	c.must(c.next(log, 8))
	c.unchanged("in two", ledgerstore.ErrDuplicateID, func() error { return c.next(log, log.size()) })
	c.must(c.next(log, 3))
	if got := c.standing(); got.head != 11 || got.size != 11 || got.broken != "" {
		t.Errorf("%+v", got)
	}
}

// TestTheClockGoesBack: a log whose times go back is not taken over from there.
func TestTheClockGoesBack(t *testing.T) {
	l := opening("replica clock")
	l.Append(tick(l), tick(l))
	l.Entries[10].LoggedAt = l.Entries[9].LoggedAt - 1
	log := logged(t, l)
	c := newMember(t)
	before := c.standing()
	if err := c.next(log, log.size()); err == nil || c.standing() != before {
		t.Errorf("%v, %+v", err, c.standing())
	}
	c.must(c.next(log, 10))
	before = c.standing()
	if err := c.next(log, 1); err == nil || c.standing() != before {
		t.Errorf("%v, %+v", err, c.standing())
	}
}

// TestTheStoreFails: when nothing was stored all is as before, and when it was stored and
// nobody was told, the copy has what the store has. Either way it goes on.
func TestTheStoreFails(t *testing.T) {
	l := opening("replica store")
	l.Append(tick(l), tick(l), tick(l))
	log := logged(t, l)
	c := newMember(t)
	c.must(c.next(log, 4))
	c.store.before = true
	c.unchanged("before", errInjected, func() error { return c.next(log, 3) })
	c.store.before = false
	c.must(c.next(log, 1))
	c.store.after = true
	if err := c.next(log, 3); !errors.Is(err, errInjected) {
		t.Error(err)
	}
	c.store.after = false
	if got := c.standing(); got.head != 8 || got.stored != 8 || got.size != 8 || got.root != log.roots[8] {
		t.Errorf("%+v", got)
	}
	c.must(c.next(log, log.size()))
	want := newMember(t)
	want.must(want.next(log, log.size()))
	if got := c.standing(); got != want.standing() {
		t.Errorf("%+v, want %+v", got, want.standing())
	}
	c.must(c.Healthy())
}

// TestTwoFollow: another process on the same folder may be ahead.
func TestTwoFollow(t *testing.T) {
	for name, log := range map[string]*source{"good": logged(t, func() *verifytest.Log {
		l := opening("replica two")
		l.Append(tick(l), tick(l), tick(l), tick(l), tick(l))
		return l
	}()), "broken": broken(t)["no right"].log} {
		c := newMember(t)
		second, err := c.openIt()
		if err != nil {
			t.Fatal(err)
		}
		copied := *c
		copied.Replica = second
		first, other := c, &copied
		for _, n := range []int64{5, 5, 1} { // past the broken record, and on from there
			first.must(first.next(log, n))
			if err := other.next(log, n); !errors.Is(err, ledgerstore.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
			if got := other.standing(); got != first.standing() {
				t.Errorf("%s: %+v, the other has %+v", name, got, first.standing())
			}
			changed := first.Changed()
			other.must(other.next(log, 1))
			first.must(first.Refresh(t.Context()))
			select {
			case <-changed:
			default:
				t.Errorf("%s: who waits for the head is not woken", name)
			}
			if got := first.standing(); got != other.standing() {
				t.Errorf("%s: %+v, the other has %+v", name, got, other.standing())
			}
			first, other = other, first
		}
		if c.Head().Size != log.size() {
			t.Errorf("%s: %d records of %d", name, c.Head().Size, log.size())
		}
	}
}
