// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"truceline/agreement"
	"truceline/linkage"
	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

// leastToLearn is how many accounts there must be before a model is learnt from them. Of
// fewer it would be little else than what is expected beforehand.
const leastToLearn = 30

// tooLittle says that there is nothing to learn a model from.
type tooLittle int

func (e tooLittle) Error() string {
	return fmt.Sprintf("%d accounts count, and a model needs at least %d: record more and try again", int(e), leastToLearn)
}

// NotEnough tells that this is a state of the record, and no fault.
func (tooLittle) NotEnough() bool { return true }

// mostToLearn is from how many accounts, and how many openings, a model is learnt: the
// newest. More would take minutes while an officer waits, and change little; and what was
// told years ago says less of how today's accounts agree.
const mostToLearn = 20_000

// FitLinkage learns the model by which accounts are compared from the accounts that count
// and are not withdrawn, in their latest version, and from what was opened and stands; of
// more than mostToLearn of each from those filed last. Which account is linked to what is
// not looked at. It reads one state of the tables; size is of how many records of the
// ledger that was folded. Whoever has those records learns the same numbers.
func (d *DB) FitLinkage(ctx context.Context) (*linkage.Params, int64, error) {
	return d.fitLinkage(ctx, mostToLearn)
}

func (d *DB) fitLinkage(ctx context.Context, most int) (*linkage.Params, int64, error) {
	fail := func(err error) (*linkage.Params, int64, error) { return nil, 0, wrap("learn a model", err) }
	tx, pack, rule, err := d.readUnder(ctx)
	if err != nil {
		return fail(err)
	}
	defer tx.Rollback()
	if rule == nil {
		return nil, 0, tooLittle(0)
	}
	size, err := applied(ctx, tx)
	if err != nil {
		return fail(err)
	}
	records, n, err := mentionRecords(ctx, tx, rule, most)
	if err != nil {
		return fail(err)
	}
	if n < leastToLearn {
		return nil, 0, tooLittle(n)
	}
	s := &candidateSearch{ctx: ctx, tx: tx, rule: rule, seen: map[record.ID]int{}, stmts: map[string]*sql.Stmt{}}
	opened, err := s.newest(most)
	if err != nil {
		return fail(err)
	}
	for i := range opened {
		if err := s.name(&opened[i]); err != nil {
			return fail(err)
		}
		records = append(records, rule.OpeningRecord(&opened[i]))
	}
	p, err := linkage.Fit(ctx, records, linkage.Options{Measures: suggest.Measures(pack)})
	if err != nil {
		return fail(err)
	}
	return p, size, nil
}

// readUnder begins a reading whose agreement is the one that the pack and the rule are of,
// also while another is adopted: numbers learnt under another could not be learnt again
// from the records that they name.
func (d *DB) readUnder(ctx context.Context) (*sql.Tx, *agreement.Pack, *suggest.Rule, error) {
	for {
		pack, err := d.Pack(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		rule, err := d.suggestRule(ctx)
		if err != nil {
			return nil, nil, nil, err
		}
		tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			return nil, nil, nil, err
		}
		var version int
		if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(value + 0), 0) FROM meta WHERE key = 'agreement'").Scan(&version); err != nil {
			tx.Rollback()
			return nil, nil, nil, err
		}
		d.mu.Lock()
		same := d.pack == pack && (pack == nil || d.packVersion == version) && (rule == nil || d.rulePack == pack)
		d.mu.Unlock()
		if same {
			return tx, pack, rule, nil
		}
		tx.Rollback()
	}
}

// newest gathers what was opened last and stands.
func (s *candidateSearch) newest(most int) ([]suggest.Candidate, error) {
	rows, _, err := s.query(most, candidates+`1 ORDER BY i.idx DESC`)
	if err != nil {
		return nil, err
	}
	if err := s.add(rows); err != nil {
		return nil, err
	}
	return s.found, nil
}

// accountsTold joins accounts with the documents they were told in.
const accountsTold = `SELECT a.id, v.statement, v.body, coalesce(json_extract(r.body, '$.title'), ''), coalesce(json_extract(r.body, '$.published_on'), '')
	FROM accounts a JOIN versions v ON v.statement = a.current LEFT JOIN reports r ON r.id = v.report AND r.counted
	WHERE a.counted AND a.state <> 'withdrawn' AND v.undone = -1`

// mentionRecords reads what the accounts filed last tell, as it is compared, and how many
// they are.
func mentionRecords(ctx context.Context, q querier, rule *suggest.Rule, most int) (out []linkage.Record, accounts int, err error) {
	err = eachTold(ctx, q, rule, func(_ record.ID, t *takenApart) {
		out = append(out, t.records...)
		accounts++
	}, accountsTold+` ORDER BY a.first_idx DESC LIMIT ?`, most)
	return out, accounts, err
}

// takenApart is what an account tells, taken apart.
type takenApart struct {
	claims  [][]int // by mention
	records []linkage.Record
}

// eachTold runs a query over the columns of accountsTold. The id that do is given is of
// the version that stands.
func eachTold(ctx context.Context, q querier, rule *suggest.Rule, do func(version record.ID, t *takenApart), query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, version, body []byte
		var told suggest.Told
		var on string
		if err := rows.Scan(&id, &version, &body, &told.Title, &on); err != nil {
			return err
		}
		var a record.Account
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		told.On = when.Date(on)
		t := takeApart(rule, &a, told, record.ID(id))
		do(record.ID(version), &t)
	}
	return rows.Err()
}

func takeApart(rule *suggest.Rule, a *record.Account, told suggest.Told, id record.ID) (t takenApart) {
	mentions := rule.Mentions(a, told)
	for i := range mentions {
		t.claims = append(t.claims, mentions[i].Claims)
		t.records = append(t.records, rule.Record(&mentions[i], a, id, i))
	}
	return t
}

// Bounds of weighing: of the suggestions that the rule puts first, so many are weighed by
// the model, beside the newest accounts linked to each.
const (
	weighFrom = 30
	weighEach = 8
)

// modelCache keeps the model in force, and what accounts tell.
type modelCache struct {
	mu    sync.Mutex
	id    record.ID // of the record that the model is of
	model *linkage.Model
	rule  *suggest.Rule
	told  map[record.ID]*takenApart // by version
}

// maxTold is of how many accounts the cache keeps what they tell.
const maxTold = 20_000

// inForce is the model in force, nil where none was fitted. It is made once.
func (c *modelCache) inForce(ctx context.Context, d *DB) (*linkage.Model, record.ID, error) {
	f, ok, err := d.LinkageInForce(ctx)
	if err != nil || !ok {
		return nil, record.ID{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.model == nil || c.id != f.ID {
		m, err := linkage.NewModel(f.Params)
		if err != nil {
			return nil, record.ID{}, err
		}
		c.id, c.model = f.ID, m
	}
	return c.model, c.id, nil
}

// forget drops what accounts tell where the rule is another one.
func (c *modelCache) under(rule *suggest.Rule) {
	if c.rule != rule || len(c.told) > maxTold {
		c.rule, c.told = rule, map[record.ID]*takenApart{}
	}
}

// weigh puts suggestions in the order of the model in force, if there is one.
func (s *candidateSearch) weigh(d *DB, list []suggest.Suggestion, mentions []suggest.Mention, body *record.Account, self record.ID) (record.ID, error) {
	model, id, err := d.models.inForce(s.ctx, d)
	if model == nil || err != nil {
		return record.ID{}, err
	}
	best := list[:min(weighFrom, len(list))]
	pool := s.rule.NewPool(model)
	for i := range best {
		c := &s.found[s.seen[best[i].ID]]
		if err := s.name(c); err != nil {
			return record.ID{}, err
		}
		linked, err := s.linkedTo(d, c.ID, self)
		if err != nil {
			return record.ID{}, err
		}
		if err := pool.Add(c, linked); err != nil {
			return record.ID{}, err
		}
	}
	var records []linkage.Record
	for i := range mentions {
		records = append(records, s.rule.Record(&mentions[i], body, self, i))
	}
	return id, pool.Reorder(best, mentions, records)
}

// linkedTo are the newest accounts linked to what was opened, but for one, with the
// mentions that their links are about.
func (s *candidateSearch) linkedTo(d *DB, id, self record.ID) ([]suggest.Linked, error) {
	rows, err := s.prepared(`SELECT l.account, l.claims, a.current FROM incidents i JOIN links l ON l.incident = i.id AND l.undone = -1 JOIN accounts a ON a.id = l.account
		WHERE i.root = ? AND a.counted AND a.state <> 'withdrawn' AND a.id <> ? ORDER BY l.idx DESC LIMIT ?`, blob(id), blob(self), weighEach)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type link struct {
		account, version record.ID
		claims           []int
	}
	var links []link
	for rows.Next() {
		var account, version, claims []byte
		if err := rows.Scan(&account, &claims, &version); err != nil {
			return nil, err
		}
		l := link{account: record.ID(account), version: record.ID(version)}
		if err := json.Unmarshal(claims, &l.claims); err != nil {
			return nil, err
		}
		links = append(links, l)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var out []suggest.Linked
	for _, l := range links {
		t, err := s.toldBy(d, l.account, l.version)
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		a := suggest.Linked{ID: l.account}
		for i := range t.records {
			if len(l.claims) == 0 || slices.ContainsFunc(t.claims[i], func(n int) bool { return slices.Contains(l.claims, n) }) {
				a.Records = append(a.Records, t.records[i])
			}
		}
		out = append(out, a)
	}
	return out, nil
}

// toldBy is what the version of an account tells, from the cache or the tables.
func (s *candidateSearch) toldBy(d *DB, account, version record.ID) (*takenApart, error) {
	c := &d.models
	c.mu.Lock()
	c.under(s.rule)
	t := c.told[version]
	c.mu.Unlock()
	if t != nil {
		return t, nil
	}
	err := eachTold(s.ctx, s.tx, s.rule, func(_ record.ID, x *takenApart) { t = x }, accountsTold+` AND a.id = ?`, blob(account))
	if err != nil || t == nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under(s.rule); c.rule == s.rule {
		c.told[version] = t
	}
	return t, nil
}
