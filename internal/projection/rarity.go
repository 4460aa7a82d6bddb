// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"sync"

	"truceline/independence"
	"truceline/record"
)

// rarity is how often figures and spellings occur in all accounts that count, in their
// latest form: with it the rare ones are told. It is read from the tables once and then
// follows them, account by account, as the board does. It holds about 60 bytes for each
// account beside the figures and words themselves, each once.
type rarity struct {
	mu      sync.RWMutex
	applied int64  // entries of the ledger that it knows of
	mission string // whose ledger that is
	context *independence.Context
	held    map[record.ID]int64 // the version of each account that is counted in it, by its index
}

func (r *rarity) forget() {
	r.mu.Lock()
	r.context, r.held = nil, nil
	r.mu.Unlock()
}

// follow brings the frequencies up to the state that tx sees. The caller holds the lock.
func (r *rarity) follow(ctx context.Context, tx *sql.Tx, n int64, mission string) error {
	known := r.context != nil && r.mission == mission
	if known && r.applied >= n {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // half of it would be of no use to the next reader
	all := !known
	if known {
		// Where much has changed, reading all is quicker.
		changed, err := column[[]byte](ctx, tx, `SELECT c.id FROM changes c JOIN accounts a ON a.id = c.id WHERE c.idx >= ? LIMIT ?`, r.applied, manyChanged+1)
		if err != nil {
			return err
		}
		if all = len(changed) > manyChanged; !all {
			for _, id := range changed {
				if err := r.change(ctx, tx, record.ID(id)); err != nil {
					r.context = nil
					return err
				}
			}
		}
	}
	if all {
		r.context = nil
		c, held, err := readRarity(ctx, tx)
		if err != nil {
			return err
		}
		r.context, r.held = c, held
	}
	r.applied, r.mission = n, mission
	return nil
}

// change counts an account as it stands now, and no more as it stood.
func (r *rarity) change(ctx context.Context, tx *sql.Tx, id record.ID) error {
	now := int64(-1) // none that counts
	current, err := column[int64](ctx, tx, `SELECT idx FROM accounts WHERE id = ? AND counted AND state <> 'withdrawn'`, blob(id))
	if err != nil {
		return err
	}
	if len(current) > 0 {
		now = current[0]
	}
	was, ok := r.held[id]
	if ok && was == now {
		return nil // only its links changed
	}
	if ok {
		if err := r.version(ctx, tx, id, was, r.context.Remove); err != nil {
			return err
		}
		delete(r.held, id)
	}
	if now >= 0 {
		if err := r.version(ctx, tx, id, now, r.context.Add); err != nil {
			return err
		}
		r.held[id] = now
	}
	return nil
}

func (r *rarity) version(ctx context.Context, tx *sql.Tx, id record.ID, index int64, count func(*independence.Telling)) error {
	var raw []byte
	if err := tx.QueryRowContext(ctx, `SELECT body FROM versions WHERE account = ? AND idx = ?`, blob(id), index).Scan(&raw); err != nil {
		return err
	}
	var body record.Account
	if err := json.Unmarshal(raw, &body); err != nil {
		return err
	}
	var t independence.Telling
	for i := range body.Claims {
		t.Figures = append(t.Figures, independence.FigureOf(&body.Claims[i]))
		t.PlaceTexts = append(t.PlaceTexts, body.Claims[i].PlaceText)
	}
	count(&t)
	return nil
}

// readRarity counts every account. Each table is read once, in its own order, and put
// together here: looking up the claims of each account takes several times as long.
func readRarity(ctx context.Context, q querier) (*independence.Context, map[record.ID]int64, error) {
	held := map[record.ID]int64{}
	rows, err := q.QueryContext(ctx, `SELECT id, idx FROM accounts WHERE counted AND state <> 'withdrawn'`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id sql.RawBytes
		var index int64
		if err := rows.Scan(&id, &index); err != nil {
			return nil, nil, err
		}
		held[record.ID(id)] = index
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	c := new(independence.Context)
	names := book{names: map[string]string{}} // one copy of each text
	var t independence.Telling
	var last record.ID
	add := func() {
		if _, counts := held[last]; counts {
			c.Add(&t)
		}
		t.Figures, t.PlaceTexts = t.Figures[:0], t.PlaceTexts[:0]
	}
	// Of figures only those with one exact number are ever counted.
	claims, err := q.QueryContext(ctx, `SELECT account, element, measure, bound, low, high, derived, place_text FROM claims
		WHERE low = high OR place_text <> '' ORDER BY account, n`)
	if err != nil {
		return nil, nil, err
	}
	defer claims.Close()
	for claims.Next() {
		var account, element, measure, bound, place sql.RawBytes
		var low, high sql.NullInt64
		var derived bool
		if err := claims.Scan(&account, &element, &measure, &bound, &low, &high, &derived, &place); err != nil {
			return nil, nil, err
		}
		if id := record.ID(account); id != last {
			add()
			last = id
		}
		if low.Valid && high.Valid {
			t.Figures = append(t.Figures, independence.Figure{Element: record.Element(names.name(element)), Measure: names.name(measure),
				Low: &low.Int64, High: &high.Int64, Bound: names.name(bound), Derived: derived})
		}
		if len(place) > 0 {
			if s := names.name(place); !slices.Contains(t.PlaceTexts, s) {
				t.PlaceTexts = append(t.PlaceTexts, s)
			}
		}
	}
	if err := claims.Err(); err != nil {
		return nil, nil, err
	}
	add()
	return c, held, nil
}
