// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
	"unicode"

	"truceline/record"
)

// InviteOptions are what an invitation may have besides.
type InviteOptions struct {
	Life     time.Duration // InvitationLife where zero
	Reusable bool          // for demonstrations: whoever has the link is the officer until it expires
}

// Invite makes an invitation and gives its token, which is shown once and kept nowhere.
// The officer's earlier invitations are void from then on; sign-ins go on. By is the
// officer who invites; zero for whoever runs the node. ErrLeft for one who has left.
func (d *DB) Invite(ctx context.Context, id, by record.ID, o InviteOptions) (token string, inv Invitation, err error) {
	if o.Life == 0 {
		o.Life = InvitationLife
	}
	err = d.update(ctx, "invite an officer", func(tx *sql.Tx, now time.Time) error {
		who, err := officer(ctx, tx, id)
		if err != nil {
			return err
		}
		if who.State == Left {
			return fmt.Errorf("officer %s: %w", id, ErrLeft)
		}
		if o.Life < time.Minute {
			return fmt.Errorf("an invitation that lasts %s is of no use; give it a minute at least", o.Life)
		}
		if err := voidInvitations(ctx, tx, id, now); err != nil {
			return err
		}
		var hash []byte
		if token, hash, err = d.newToken(); err != nil {
			return err
		}
		inv = Invitation{Officer: id, By: by, Created: now.UTC().Truncate(time.Millisecond), Expires: now.Add(o.Life).UTC().Truncate(time.Millisecond), Reusable: o.Reusable}
		if inv.ID, err = record.NewID(d.opts.Rand); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO invitations (hash, id, officer, invited_by, created, expires, reusable) VALUES (?, ?, ?, ?, ?, ?, ?)",
			hash, inv.ID[:], id[:], by[:], ms(inv.Created), ms(inv.Expires), o.Reusable)
		return err
	})
	if err != nil {
		return "", Invitation{}, err
	}
	return token, inv, nil
}

// voidInvitations ends what the officer could still use. Its hash is kept, so that the
// page can say why the link does not work.
func voidInvitations(ctx context.Context, tx *sql.Tx, id record.ID, now time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE invitations SET void = ? WHERE officer = ? AND used = 0 AND void = 0", ms(now), id[:])
	return err
}

// Invitation looks at an invitation without using it, so that a program that follows
// links uses none up. The error is ErrNotFound, ErrUsed, ErrVoid or ErrExpired.
func (d *DB) Invitation(ctx context.Context, token string) (Invitation, Officer, error) {
	inv, o, _, err := d.invitation(ctx, d.read, token, d.opts.Now())
	return inv, o, wrap("read an invitation", err)
}

func (d *DB) invitation(ctx context.Context, q querier, token string, now time.Time) (inv Invitation, o Officer, hash []byte, err error) {
	if hash, err = hashOf(token); err != nil {
		return
	}
	var used, void int64
	err = none(q.QueryRowContext(ctx, "SELECT id, officer, invited_by, created, expires, reusable, used, void FROM invitations WHERE hash = ?", hash).
		Scan(key{&inv.ID}, key{&inv.Officer}, key{&inv.By}, moment{&inv.Created}, moment{&inv.Expires}, &inv.Reusable, &used, &void))
	if err != nil {
		return
	}
	switch {
	case used != 0 && !inv.Reusable:
		err = ErrUsed
	case void != 0:
		err = ErrVoid
	case !now.Before(inv.Expires):
		err = fmt.Errorf("the invitation: %w", ErrExpired)
	default:
		o, err = officer(ctx, q, inv.Officer)
	}
	return
}

// Accept uses an invitation and begins a sign-in; of two at once one wins. Token is what
// the cookie holds. Agent is what the browser says it is. The errors are those of Invitation.
func (d *DB) Accept(ctx context.Context, invitation, agent string) (token string, s SignIn, err error) {
	err = d.update(ctx, "accept an invitation", func(tx *sql.Tx, now time.Time) error {
		inv, _, hash, err := d.invitation(ctx, tx, invitation, now)
		if err != nil {
			return err
		}
		if !inv.Reusable {
			if _, err := tx.ExecContext(ctx, "UPDATE invitations SET used = ? WHERE hash = ?", ms(now), hash); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, "UPDATE officers SET state = ?, changed = ? WHERE id = ? AND state = ?", Active, ms(now), inv.Officer[:], Invited); err != nil {
			return err
		}
		if err := forget(ctx, tx, now); err != nil {
			return err
		}
		token, s, err = d.begin(ctx, tx, inv.Officer, agent, now)
		return err
	})
	if err != nil {
		return "", SignIn{}, err
	}
	return token, s, nil
}

// forget deletes what no list shows any more.
func forget(ctx context.Context, tx *sql.Tx, now time.Time) error {
	before := ms(now.Add(-endedKept))
	if _, err := tx.ExecContext(ctx, "DELETE FROM sign_ins WHERE ended > 0 AND ended < ?1 OR expires < ?1", before); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM invitations WHERE expires < ?", before)
	return err
}

// begin writes a new sign-in.
func (d *DB) begin(ctx context.Context, tx *sql.Tx, id record.ID, agent string, now time.Time) (string, SignIn, error) {
	token, hash, err := d.newToken()
	if err != nil {
		return "", SignIn{}, err
	}
	now = now.UTC().Truncate(time.Millisecond)
	s := SignIn{Officer: id, Created: now, ConfirmedAt: now, Seen: now, Expires: now.Add(SignInLife), Agent: cut(agent, maxAgent)}
	if s.ID, err = record.NewID(d.opts.Rand); err != nil {
		return "", SignIn{}, err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO sign_ins (hash, id, officer, created, confirmed, seen, expires, agent) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		hash, s.ID[:], id[:], ms(s.Created), ms(s.ConfirmedAt), ms(s.Seen), ms(s.Expires), s.Agent)
	return token, s, err
}

// cut gives at most max runes of one line of s.
func cut(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > max {
		return string(r[:max])
	}
	return s
}
