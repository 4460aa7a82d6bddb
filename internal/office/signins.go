// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"truceline/record"
)

const signInColumns = "id, officer, created, confirmed, seen, expires, agent, ended, ended_by"

func scanSignIn(row scanner) (s SignIn, err error) {
	err = row.Scan(key{&s.ID}, key{&s.Officer}, moment{&s.Created}, moment{&s.ConfirmedAt}, moment{&s.Seen}, moment{&s.Expires}, &s.Agent, moment{&s.Ended}, &s.EndedBy)
	return s, none(err)
}

// lapsed is when the sign-in ends if it is not used again.
func (s SignIn) lapsed() time.Time {
	if idle := s.Seen.Add(SignInIdle); idle.Before(s.Expires) {
		return idle
	}
	return s.Expires
}

// asOf is the sign-in as it stands at a time: one that lapsed has ended, written or not.
func (s SignIn) asOf(now time.Time) SignIn {
	if at := s.lapsed(); s.Ended.IsZero() && !now.Before(at) {
		s.Ended, s.EndedBy = at, ByExpiry
	}
	return s
}

// SignIn finds what a cookie's token stands for, and whose it is. That it was used is
// written at most once a minute. The error is ErrNotFound, ErrEnded or ErrExpired where
// nobody is signed in with it.
func (d *DB) SignIn(ctx context.Context, token string) (SignIn, Officer, error) {
	s, o, err := d.signIn(ctx, token)
	return s, o, wrap("read a sign-in", err)
}

func (d *DB) signIn(ctx context.Context, token string) (SignIn, Officer, error) {
	hash, err := hashOf(token)
	if err != nil {
		return SignIn{}, Officer{}, err
	}
	now := d.opts.Now()
	s, err := scanSignIn(d.read.QueryRowContext(ctx, "SELECT "+signInColumns+" FROM sign_ins WHERE hash = ?", hash))
	if err != nil {
		return SignIn{}, Officer{}, err
	}
	if s = s.asOf(now); !s.Ended.IsZero() {
		err := ErrEnded
		if s.EndedBy == ByExpiry {
			err = fmt.Errorf("the sign-in: %w", ErrExpired)
		}
		return SignIn{}, Officer{}, err
	}
	o, err := officer(ctx, d.read, s.Officer)
	if err != nil {
		return SignIn{}, Officer{}, err
	}
	if o.State == Left {
		return SignIn{}, Officer{}, ErrEnded
	}
	if now.Sub(s.Seen) >= seenStep {
		// A clock that went back writes nothing, so that it lengthens no sign-in.
		if err := d.saw(ctx, s.ID, now); err != nil {
			return SignIn{}, Officer{}, err
		}
		s.Seen = now.UTC().Truncate(time.Millisecond)
	}
	return s, o, nil
}

// saw notes that a sign-in was used, unless it has ended meanwhile.
func (d *DB) saw(ctx context.Context, id record.ID, now time.Time) error {
	res, err := d.write.ExecContext(ctx, "UPDATE sign_ins SET seen = max(seen, ?) WHERE id = ? AND ended = 0", ms(now), id[:])
	if any, err := deleted(res, err); err != nil || any {
		return err
	}
	return ErrEnded
}

// SignIns lists an officer's sign-ins, newest first, with those that ended in the last
// thirty days.
func (d *DB) SignIns(ctx context.Context, id record.ID) ([]SignIn, error) {
	now := d.opts.Now()
	list, err := collect(ctx, d.read, scanSignIn, "SELECT "+signInColumns+" FROM sign_ins WHERE officer = ? ORDER BY created DESC, id", id[:])
	out := list[:0]
	for _, s := range list {
		if s = s.asOf(now); s.Ended.IsZero() || now.Sub(s.Ended) < endedKept {
			out = append(out, s)
		}
	}
	return out, wrap("list the sign-ins", err)
}

// End ends a sign-in at once. One that has ended stays as it is; ErrNotFound for one that
// never was.
func (d *DB) End(ctx context.Context, id record.ID, by By) error {
	return d.update(ctx, "end a sign-in", func(tx *sql.Tx, now time.Time) error {
		s, err := scanSignIn(tx.QueryRowContext(ctx, "SELECT "+signInColumns+" FROM sign_ins WHERE id = ?", id[:]))
		if err != nil {
			return err
		}
		return end(ctx, tx, s, now, by)
	})
}

func end(ctx context.Context, tx *sql.Tx, s SignIn, now time.Time, by By) error {
	if by != ByOfficer && by != ByAdministrator {
		return fmt.Errorf("%.20q does not end sign-ins", by)
	}
	was := s.Ended
	if s = s.asOf(now); s.Ended.IsZero() {
		s.Ended, s.EndedBy = now, by
	}
	if !was.IsZero() {
		return nil
	}
	_, err := tx.ExecContext(ctx, "UPDATE sign_ins SET ended = ?, ended_by = ? WHERE id = ?", ms(s.Ended), s.EndedBy, s.ID[:])
	return err
}

// EndAll ends every sign-in of an officer and tells how many there were.
func (d *DB) EndAll(ctx context.Context, id record.ID, by By) (n int, err error) {
	err = d.update(ctx, "end an officer's sign-ins", func(tx *sql.Tx, now time.Time) error {
		if _, err := officer(ctx, tx, id); err != nil {
			return err
		}
		var err error
		n, err = endAll(ctx, tx, id, now, by)
		return err
	})
	return n, err
}

func endAll(ctx context.Context, tx *sql.Tx, id record.ID, now time.Time, by By) (int, error) {
	list, err := collect(ctx, tx, scanSignIn, "SELECT "+signInColumns+" FROM sign_ins WHERE officer = ? AND ended = 0", id[:])
	if err != nil {
		return 0, err
	}
	n := 0
	for _, s := range list {
		if s.asOf(now).Ended.IsZero() {
			n++
		}
		if err := end(ctx, tx, s, now, by); err != nil {
			return 0, err
		}
	}
	return n, nil
}
