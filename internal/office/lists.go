// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"truceline/record"
)

// SaveList keeps a search under a name; the officer's list of the same name is replaced,
// and keeps its id. It gives the list as kept.
func (d *DB) SaveList(ctx context.Context, in List) (List, error) {
	err := d.update(ctx, "save a list", func(tx *sql.Tx, now time.Time) error {
		if err := in.check(); err != nil {
			return err
		}
		in.Created = now.UTC().Truncate(time.Millisecond)
		err := none(tx.QueryRowContext(ctx, "SELECT id FROM lists WHERE officer = ? AND name = ?", in.Officer[:], in.Name).Scan(key{&in.ID}))
		if errors.Is(err, ErrNotFound) {
			err = d.newList(ctx, tx, &in)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO lists (id, officer, name, page, query, created) VALUES (?, ?, ?, ?, ?, ?)",
			in.ID[:], in.Officer[:], in.Name, in.Page, in.Query, ms(in.Created))
		return err
	})
	if err != nil {
		return List{}, err
	}
	return in, nil
}

// newList makes room for one more list.
func (d *DB) newList(ctx context.Context, tx *sql.Tx, in *List) (err error) {
	if _, err := officer(ctx, tx, in.Officer); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM lists WHERE officer = ?", in.Officer[:]).Scan(&n); err != nil {
		return err
	}
	if n >= MaxLists {
		return fmt.Errorf("the officer has %d lists, as many as there may be: %w; delete one first", n, ErrLimit)
	}
	in.ID, err = record.NewID(d.opts.Rand)
	return err
}

func (in *List) check() error {
	in.Name = strings.Join(strings.Fields(in.Name), " ")
	n := utf8.RuneCountInString(in.Name)
	switch {
	case n == 0:
		return errors.New("a name is needed")
	case n > MaxName:
		return fmt.Errorf("the name has %d letters, more than %d: %w", n, MaxName, ErrLimit)
	case len(in.Query) > MaxQuery:
		return fmt.Errorf("the search has %d bytes, more than %d: %w", len(in.Query), MaxQuery, ErrLimit)
	case !strings.HasPrefix(in.Page, "/") || strings.HasPrefix(in.Page, "//") || strings.ContainsAny(in.Page, "?#\\"):
		return fmt.Errorf("%.80q is not the path of a page", in.Page)
	}
	if _, err := url.ParseQuery(in.Query); err != nil {
		return fmt.Errorf("the search cannot be read: %w", err)
	}
	return nil
}

// Lists gives an officer's lists by name.
func (d *DB) Lists(ctx context.Context, officer record.ID) ([]List, error) {
	list, err := collect(ctx, d.read, func(row scanner) (List, error) {
		out := List{Officer: officer}
		err := row.Scan(key{&out.ID}, &out.Name, &out.Page, &out.Query, moment{&out.Created})
		return out, err
	}, "SELECT id, name, page, query, created FROM lists WHERE officer = ? ORDER BY name", officer[:])
	return list, wrap("read the lists", err)
}

// DeleteList deletes one of the officer's lists; ErrNotFound where there is none.
func (d *DB) DeleteList(ctx context.Context, officer, id record.ID) error {
	return d.update(ctx, "delete a list", func(tx *sql.Tx, _ time.Time) error {
		return found(tx.ExecContext(ctx, "DELETE FROM lists WHERE id = ? AND officer = ?", id[:], officer[:]))
	})
}
