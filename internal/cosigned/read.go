// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"context"
	"database/sql"
)

// Last gives, by public key, the newest head that each cosigner has signed as far as this
// store knows, whatever its times. Keys that have signed nothing are not in it.
func (s *Store) Last(ctx context.Context) (map[string]Seen, error) {
	out := make(map[string]Seen)
	err := s.view(ctx, "read who has cosigned", func(tx *sql.Tx, _ string) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var vkey string
			var seen Seen
			err := rows.Scan(&vkey, &seen.Size, fixed(seen.Root[:]), &seen.At, &seen.SeenAt)
			out[vkey] = seen
			return err
		}, `WITH last AS MATERIALIZED (SELECT id, vkey, (SELECT max(size) FROM marks WHERE cosigner = id) AS size FROM cosigners)
			SELECT vkey, last.size, root, at, seen_at FROM last
			CROSS JOIN marks ON marks.size = last.size AND marks.cosigner = last.id
			CROSS JOIN heads ON heads.size = last.size`)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// At gives the head of a size; false where there is none with a cosignature.
func (s *Store) At(ctx context.Context, size int64) (Head, bool, error) {
	return s.one(ctx, "WHERE size = ?", size)
}

// Newest gives the largest head that has any cosignature; false while there is none.
func (s *Store) Newest(ctx context.Context) (Head, bool, error) {
	return s.one(ctx, "ORDER BY size DESC")
}

// Witnessed gives the largest head that met the policy; false while there is none.
func (s *Store) Witnessed(ctx context.Context) (Head, bool, error) {
	return s.one(ctx, "WHERE met_at <> 0 ORDER BY size DESC")
}

func (s *Store) one(ctx context.Context, where string, args ...any) (out Head, ok bool, err error) {
	err = s.view(ctx, "read a cosigned head", func(tx *sql.Tx, origin string) error {
		h, err := load(ctx, tx, origin, where, args...)
		if ok = h != nil && err == nil; ok {
			out = h.show()
		}
		return err
	})
	return out, ok, err
}

// Bracket gives the witnessed heads next to a record: the last without it and the first
// with it. Index is the record's place, from 0; a head of size n has the records before n.
// Each is nil where there is none. After.MetAt is a time by which the record was logged;
// at before.SureAt, each of a quorum had signed no head with it.
func (s *Store) Bracket(ctx context.Context, index int64) (before, after *Head, err error) {
	err = s.view(ctx, "read the heads around a record", func(tx *sql.Tx, origin string) error {
		for _, side := range []struct {
			where string
			to    **Head
		}{
			{"WHERE met_at <> 0 AND size <= ? ORDER BY size DESC", &before},
			{"WHERE met_at <> 0 AND size > ? ORDER BY size", &after},
		} {
			h, err := load(ctx, tx, origin, side.where, index)
			if err != nil {
				return err
			}
			if h != nil {
				shown := h.show()
				*side.to = &shown
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return before, after, nil
}
