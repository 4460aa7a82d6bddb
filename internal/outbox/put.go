// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode"

	"truceline/ledger"
	"truceline/record"
)

// Put keeps an act: when it returns, the act is durable and Queued. The caller gives ID,
// Member, Officer, Summary and Records; the rest is the box's. An act without an ID gets that
// of its first record.
//
// Putting the same records again, with the same bytes in the same order, gives the first act
// as it stands by now and changes nothing, so that a caller who does not know whether an
// earlier call succeeded calls again. ErrConflict, if a record or the act is in the box with
// other bytes or in other company; ErrLimit for an act that is too large.
func (b *Box) Put(ctx context.Context, act Act) (Act, error) {
	if len(act.Records) > 0 && act.ID.IsZero() {
		act.ID = act.Records[0].ID
	}
	what := fmt.Sprintf("put act %s into the outbox", act.ID)
	if err := act.check(); err != nil {
		return Act{}, wrap(what, err)
	}
	act.Summary = plain(act.Summary, MaxSummary)
	err := b.update(ctx, what, func(tx *sql.Tx, now int64) (bool, error) {
		first, ok, err := sameAct(ctx, tx, &act)
		if err != nil || ok {
			act = first
			return false, err
		}
		act.State, act.QueuedAt, act.ChangedAt = Queued, now, now
		return true, insert(ctx, tx, &act)
	})
	if err != nil {
		return Act{}, err
	}
	return act, nil
}

// check refuses what the door would refuse without looking at its state.
func (a *Act) check() error {
	switch {
	case len(a.Records) == 0:
		return fmt.Errorf("it has no records")
	case len(a.Records) > MaxRecords:
		return fmt.Errorf("it has %d records, more than %d: %w; divide it", len(a.Records), MaxRecords, ErrLimit)
	case !record.ValidCode(a.Member):
		return fmt.Errorf("member %.80q is not a code", a.Member)
	case a.Seq != 0 || a.State != "" || a.Tries != 0 || a.QueuedAt != 0 || a.ChangedAt != 0 || a.TriedAt != 0 || a.LastError != "" || a.Receipts != nil || a.Refusal != nil || a.RefusalCode != "" || a.RefusalReason != "":
		return fmt.Errorf("its place, state, times and answers are the box's to give: leave them out")
	}
	seen := make(map[record.ID]bool, len(a.Records))
	size := 0
	for i, s := range a.Records {
		st, err := s.open()
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if st.ID != s.ID || st.Kind != s.Kind {
			return fmt.Errorf("record %d is handed in as %s %s, its envelope holds %s %s", i, s.Kind, s.ID, st.Kind, st.ID)
		}
		if st.Member != a.Member {
			return fmt.Errorf("record %d is filed by %s, the act by %s", i, st.Member, a.Member)
		}
		if seen[s.ID] {
			return fmt.Errorf("record %s is in it twice", s.ID)
		}
		seen[s.ID] = true
		if size += len(s.Envelope) + len(s.Body); size > MaxActBytes {
			return fmt.Errorf("it has more than %d bytes: %w; divide it", MaxActBytes, ErrLimit)
		}
	}
	return nil
}

// sameAct looks for the act, which must then be the same.
func sameAct(ctx context.Context, tx *sql.Tx, act *Act) (first Act, ok bool, err error) {
	seq, ok, err := seqOf(ctx, tx, act.ID)
	for i := 0; i < len(act.Records) && !ok && err == nil; i++ {
		seq, ok, err = seqOf(ctx, tx, act.Records[i].ID)
	}
	if err != nil || !ok {
		return Act{}, false, err
	}
	if first, err = one(ctx, tx, true, "WHERE seq = ?", seq); err != nil {
		return Act{}, false, err
	}
	same := first.ID == act.ID && first.Member == act.Member && len(first.Records) == len(act.Records)
	for i := 0; same && i < len(act.Records); i++ {
		a, b := &first.Records[i], &act.Records[i]
		same = a.ID == b.ID && a.BodySalt == b.BodySalt && bytes.Equal(a.Envelope, b.Envelope) && bytes.Equal(a.Body, b.Body)
	}
	if !same {
		return Act{}, false, fmt.Errorf("act %s, the %d. put in, shares an id with it and is not the same: %w; draw new ids, or put in exactly what was put in first", first.ID, first.Seq, ErrConflict)
	}
	return first, true, nil
}

func insert(ctx context.Context, tx *sql.Tx, act *Act) error {
	result, err := tx.ExecContext(ctx, "INSERT INTO acts (id, member, officer, summary, state, queued_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		act.ID[:], act.Member, act.Officer[:], act.Summary, act.State, act.QueuedAt, act.ChangedAt)
	if err != nil {
		return err
	}
	if act.Seq, err = result.LastInsertId(); err != nil {
		return err
	}
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO records (act, n, id, kind, body_salt, envelope, body) VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i, s := range act.Records {
		var salt, body any // NULL
		if s.BodySalt != (ledger.Salt{}) {
			salt = s.BodySalt[:]
		}
		if s.Body != nil {
			body = s.Body
		}
		if _, err := stmt.ExecContext(ctx, act.Seq, i, s.ID[:], s.Kind, salt, s.Envelope, body); err != nil {
			return fmt.Errorf("record %s: %w", s.ID, err)
		}
	}
	return nil
}

// plain makes one line of at most max characters that no screen takes for a command.
func plain(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > max {
		s = string(r[:max-1]) + "…"
	}
	return strings.TrimSpace(s)
}
