// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"truceline/record"
)

const officerColumns = `o.id, o.member, o.roles, o.state, o.name_erased, o.created, o.changed,
	coalesce((SELECT name FROM names WHERE officer = o.id ORDER BY n DESC LIMIT 1), '')`

func scanOfficer(row scanner) (o Officer, err error) {
	var roles string
	err = row.Scan(key{&o.ID}, &o.Member, &roles, &o.State, moment{&o.NameErased}, moment{&o.Created}, moment{&o.Changed}, &o.Name)
	o.Roles = strings.Fields(roles)
	return o, none(err)
}

func officer(ctx context.Context, q querier, id record.ID) (Officer, error) {
	o, err := scanOfficer(q.QueryRowContext(ctx, "SELECT "+officerColumns+" FROM officers o WHERE id = ?", id[:]))
	if err != nil {
		return Officer{}, fmt.Errorf("officer %s: %w", id, err)
	}
	return o, nil
}

// AddOfficer puts an officer in the book, invited but without an invitation. ErrExists
// where the id is there already.
func (d *DB) AddOfficer(ctx context.Context, id record.ID, member string, roles []string) error {
	return d.update(ctx, "add an officer", func(tx *sql.Tx, now time.Time) error {
		if id.IsZero() || !record.ValidCode(member) {
			return fmt.Errorf("an id and the code of a member are needed, not %s and %.40q", id, member)
		}
		list, err := sortRoles(roles)
		if err != nil {
			return err
		}
		if _, err := officer(ctx, tx, id); !errors.Is(err, ErrNotFound) {
			return errors.Join(err, fmt.Errorf("officer %s: %w", id, ErrExists))
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO officers (id, member, roles, state, created, changed) VALUES (?, ?, ?, ?, ?, ?)",
			id[:], member, strings.Join(list, " "), Invited, ms(now), ms(now))
		return err
	})
}

// sortRoles gives known roles in their order, each once.
func sortRoles(roles []string) ([]string, error) {
	for _, r := range roles {
		if !slices.Contains(Roles, r) {
			return nil, fmt.Errorf("role %.40q is not one of %s", r, strings.Join(Roles, ", "))
		}
	}
	out := slices.DeleteFunc(slices.Clone(Roles), func(r string) bool { return !slices.Contains(roles, r) })
	if len(out) == 0 {
		return nil, fmt.Errorf("an officer needs at least one role of %s", strings.Join(Roles, ", "))
	}
	return out, nil
}

// SetRoles gives an officer other roles, from the next request on. ErrLeft for one who
// has left.
func (d *DB) SetRoles(ctx context.Context, id record.ID, roles []string) error {
	return d.update(ctx, "change an officer's roles", func(tx *sql.Tx, now time.Time) error {
		list, err := sortRoles(roles)
		if err != nil {
			return err
		}
		o, err := officer(ctx, tx, id)
		if err == nil && o.State == Left {
			err = fmt.Errorf("officer %s: %w", id, ErrLeft)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE officers SET roles = ?, changed = ? WHERE id = ?", strings.Join(list, " "), ms(now), id[:])
		return err
	})
}

// Leave marks an officer as gone for good: every sign-in ends, every invitation is void.
// Drafts and lists stay. Somebody who comes back is a new officer. Doing it again is no error.
func (d *DB) Leave(ctx context.Context, id record.ID) error {
	return d.update(ctx, "mark an officer as left", func(tx *sql.Tx, now time.Time) error {
		o, err := officer(ctx, tx, id)
		if err != nil || o.State == Left {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE officers SET state = ?, changed = ? WHERE id = ?", Left, ms(now), id[:]); err != nil {
			return err
		}
		if err := voidInvitations(ctx, tx, id, now); err != nil {
			return err
		}
		_, err = endAll(ctx, tx, id, now, ByAdministrator)
		return err
	})
}

// Officer finds one officer.
func (d *DB) Officer(ctx context.Context, id record.ID) (Officer, error) {
	o, err := officer(ctx, d.read, id)
	return o, wrap("read an officer", err)
}

// Officers lists a member's officers in the order they were added, those who left last;
// of every member, by member, where member is empty.
func (d *DB) Officers(ctx context.Context, member string) ([]Officer, error) {
	list, err := collect(ctx, d.read, scanOfficer, "SELECT "+officerColumns+` FROM officers o WHERE ? IN ('', member)
		ORDER BY member, state = ?, created, id`, member, Left)
	return list, wrap("list the officers", err)
}
