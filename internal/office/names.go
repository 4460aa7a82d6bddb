// SPDX-License-Identifier: Apache-2.0

package office

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"

	"truceline/record"
)

// KeepBody keeps the body and the body salt of a record of kind officer.named, of which
// the ledger holds only a commitment, under the id of its statement. From then on the
// officer has the name in it. Keep it before the record is filed: a record whose body is
// lost names nobody. The same again is no error; another body under the same id is.
func (d *DB) KeepBody(ctx context.Context, statement record.ID, body []byte, salt [32]byte) error {
	return d.update(ctx, "keep an officer's name", func(tx *sql.Tx, now time.Time) error {
		parsed, err := record.ParseBody(record.OfficerNamed, body)
		if err != nil {
			return err
		}
		b := parsed.(*record.Naming)
		if statement.IsZero() {
			return fmt.Errorf("the id of the statement is needed")
		}
		if _, err := officer(ctx, tx, b.Officer); err != nil {
			return err
		}
		oldBody, oldSalt, err := keptBody(ctx, tx, statement)
		switch {
		case err == nil && bytes.Equal(oldBody, body) && oldSalt == salt:
			return nil
		case err == nil:
			return fmt.Errorf("statement %s: %w, with another body", statement, ErrExists)
		case err != ErrNotFound:
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO names (statement, officer, n, name, body, salt)
			VALUES (?1, ?2, (SELECT coalesce(max(n), 0) + 1 FROM names WHERE officer = ?2), ?3, ?4, ?5)`,
			statement[:], b.Officer[:], b.Name, body, salt[:]); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE officers SET name_erased = 0, changed = ? WHERE id = ?", ms(now), b.Officer[:])
		return err
	})
}

func keptBody(ctx context.Context, q querier, statement record.ID) (body []byte, salt [32]byte, err error) {
	var s []byte
	err = q.QueryRowContext(ctx, "SELECT body, salt FROM names WHERE statement = ?", statement[:]).Scan(&body, &s)
	copy(salt[:], s)
	return body, salt, none(err)
}

// Body gives what KeepBody kept; ErrNotFound once it is erased.
func (d *DB) Body(ctx context.Context, statement record.ID) (body []byte, salt [32]byte, err error) {
	body, salt, err = keptBody(ctx, d.read, statement)
	return body, salt, wrap("read an officer's name", err)
}

// DropBody takes back a KeepBody whose record was refused: the name before it, if there
// was one, is in use again.
func (d *DB) DropBody(ctx context.Context, statement record.ID) error {
	return d.erase(ctx, "take an officer's name back", func(tx *sql.Tx, _ time.Time) (bool, error) {
		return deleted(tx.ExecContext(ctx, "DELETE FROM names WHERE statement = ?", statement[:]))
	})
}

// EraseName destroys every name the officer had, with the bodies and salts of the records
// that said it. When it returns nil, no file of the office holds them any more. ErrBusy
// says that the name is gone from the tables, but that another process kept the files from
// being cleaned; it is done when that process closes, and when an office is next opened or
// a name next erased.
func (d *DB) EraseName(ctx context.Context, id record.ID) error {
	return d.erase(ctx, "erase an officer's name", func(tx *sql.Tx, now time.Time) (bool, error) {
		o, err := officer(ctx, tx, id)
		if err != nil {
			return false, err
		}
		any, err := deleted(tx.ExecContext(ctx, "DELETE FROM names WHERE officer = ?", id[:]))
		if err != nil || !any && !o.NameErased.IsZero() {
			return any, err
		}
		_, err = tx.ExecContext(ctx, "UPDATE officers SET name_erased = ?1, changed = ?1 WHERE id = ?2", ms(now), id[:])
		return any, err
	})
}

func deleted(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// erase runs f, and cleans the files if f deleted anything or an earlier cleaning is due.
func (d *DB) erase(ctx context.Context, what string, f func(tx *sql.Tx, now time.Time) (bool, error)) error {
	err := d.update(ctx, what, func(tx *sql.Tx, now time.Time) error {
		any, err := f(tx, now)
		if err == nil && any {
			_, err = tx.ExecContext(ctx, "INSERT OR IGNORE INTO purge (due) VALUES (?)", ms(now))
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := d.purgeIfDue(ctx); err != nil {
		return fmt.Errorf("%s: it is gone from the tables; clean the files: %w; stop other commands on this node and do it again", what, err)
	}
	return nil
}

// purgeIfDue overwrites what was erased. SQLite zeroes a row where it stood, but moving
// rows between pages can leave copies in their gaps, and the write-ahead log holds pages
// as they were; so the file is written anew and the log cut to nothing.
func (d *DB) purgeIfDue(ctx context.Context) error {
	var due int64
	if err := d.write.QueryRowContext(ctx, "SELECT coalesce(max(due), 0) FROM purge").Scan(&due); err != nil || due == 0 {
		return err
	}
	if _, err := d.write.ExecContext(ctx, "VACUUM"); err != nil {
		return wrap("write the file anew", err)
	}
	if err := d.cutLog(ctx); err != nil {
		return err
	}
	_, err := d.write.ExecContext(ctx, "DELETE FROM purge WHERE due <= ?", due)
	return wrap("note that the files are clean", err)
}

// cutLog copies the write-ahead log into the file and cuts it to nothing. It waits for
// who reads an older state, at most as long as any connection waits.
func (d *DB) cutLog(ctx context.Context) error {
	var busy, frames, moved int
	if err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return wrap("cut the log", err)
	}
	if busy != 0 {
		return fmt.Errorf("cut the log: %w", ErrBusy)
	}
	return nil
}
