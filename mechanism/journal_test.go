// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// TestJournal folds stories with retries between, in any grouping, with groups given up,
// whole and in part, and filed again: the same hash, and after Rollback and Back the one
// before.
func TestJournal(t *testing.T) {
	t.Run("story", func(t *testing.T) { journal(t, verifytest.NewMission("journal").Story()) })
	t.Run("turnover", func(t *testing.T) { journal(t, verifytest.NewMission("journal").Turnover()) })
	t.Run("blind", func(t *testing.T) {
		l := &verifytest.Log{Mission: verifytest.NewMission("journal")}
		l.Blind()
		logged(t, l.Entries)
	})
}

// journal logs the story a millisecond apart.
func journal(t *testing.T, story []verifytest.Filing) {
	var entries []verifytest.Entry
	for i, f := range story {
		entries = append(entries, verifytest.Entry{Filing: f, LoggedAt: verifytest.Start + int64(i)})
	}
	logged(t, entries)
}

func logged(t *testing.T, story []verifytest.Entry) {
	straight := mechanism.New()
	hashes := []record.Digest{straight.Hash()}
	admit := func(s *mechanism.State, i int) error {
		e, err := mechanism.Open(story[i].Envelope, story[i].Body, story[i].BodySalt)
		if err != nil {
			return err
		}
		return s.Admit(e, story[i].LoggedAt)
	}
	for i := range story {
		if err := admit(straight, i); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		hashes = append(hashes, straight.Hash())
	}
	for i, h := range hashes {
		if slices.Contains(hashes[:i], h) {
			t.Fatalf("record %d does not show in the hash", i-1)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := mechanism.New()
		for at := 0; at < len(story); {
			n := rapid.IntRange(1, 9).Draw(t, "group")
			drop := rapid.Bool().Draw(t, "give up")
			s.Begin()
			end := min(len(story), at+n)
			var marks []int // before each record
			for i := at; i < end; i++ {
				marks = append(marks, s.Mark())
				if rapid.Bool().Draw(t, "retry") && i > 0 {
					var dup *mechanism.Duplicate
					if err := admit(s, rapid.IntRange(0, i-1).Draw(t, "which")); !errors.As(err, &dup) && !strings.Contains(fmt.Sprint(err), "goes back") {
						t.Fatal(err)
					}
				}
				if err := admit(s, i); err != nil {
					t.Fatal(err)
				}
			}
			if s.Hash() != hashes[end] {
				t.Fatal("another hash within the group")
			}
			if back := rapid.IntRange(at, end).Draw(t, "back to"); back < end {
				if s.Back(marks[back-at]); s.Hash() != hashes[back] {
					t.Fatal("going back does not bring the state there back")
				}
				for i := back; i < end; i++ {
					if err := admit(s, i); err != nil {
						t.Fatal(err)
					}
				}
			}
			if drop {
				s.Rollback()
				if s.Hash() != hashes[at] || s.Size() != int64(at) {
					t.Fatal("giving a group up does not bring the state before it back")
				}
				continue
			}
			s.Commit()
			at = end
		}
		if s.Hash() != hashes[len(story)] {
			t.Fatal("another hash")
		}
	})
}

func TestSkip(t *testing.T) {
	d := open(t)
	before := d.state.Size()
	f := d.File("OMB", record.AccountFiled, verifytest.Account(1))
	e, err := mechanism.OpenEnvelope(f.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	var r *mechanism.Refusal
	if err := d.state.Admit(e, d.at); !errors.As(err, &r) || r.Code != mechanism.BodyMismatch {
		t.Error("admitted without its body:", err)
	}
	d.state.Skip(e, d.at)
	d.state.Skip(nil, 0)
	if i, ok := d.state.IndexOf(f.ID()); !ok || i != before || d.state.Size() != before+2 || d.state.LoggedAt() != d.at {
		t.Error(i, ok, d.state.Size(), d.state.LoggedAt())
	}
	f = d.Opening()[0] // a body that Admit looks into must not be missing
	if e, err = mechanism.OpenEnvelope(f.Envelope); err != nil {
		t.Fatal(err)
	}
	if err := mechanism.New().Admit(e, 1); !errors.As(err, &r) || r.Code != mechanism.BodyMismatch {
		t.Error(err)
	}
}
