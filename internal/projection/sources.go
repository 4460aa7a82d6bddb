// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"fmt"
	"strings"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// As says as what accounts name a source.
type As string

// Parts that a source may have in an account.
const (
	AsClaimant As = "claimant" // who says it
	AsCarrier  As = "carrier"  // the outlet that carries it
	AsOrigin   As = "origin"   // the agency it came from
)

// SourceQuery names a source, as accounts that count do.
type SourceQuery struct {
	As    As
	Name  string
	Kind  string // of a claimant, a code of the pack; empty: any
	State string // of the accounts: amended, withdrawn; empty: any
}

// Tally is a name and of how many accounts it is.
type Tally struct {
	Name     string
	Accounts int
}

// SourceSummary is what the record holds of a source. Withdrawn accounts are counted in
// Accounts and in Withdrawn, and nowhere else.
type SourceSummary struct {
	Accounts  int
	Amended   int
	Withdrawn int
	First     when.Date // first and last day on which it said something; empty where no day is known
	Last      when.Date
	Incidents int               // of any class, that accounts are linked to
	Claimants []record.Claimant // under that name: of several kinds, or for several parties
	Speakers  []Tally           // claimants of the accounts, of a carrier or an origin
	Carriers  []Tally
	Origins   []Tally
	Grades    int // gradings of that name, those undone among them
}

// where turns the query into SQL over accounts a. No index holds origins: the accounts
// that name one are looked for in all, once for each call.
func (d *DB) sourceWhere(ctx context.Context, q *SourceQuery) (string, []any, error) {
	cond, args := "a.counted", []any{q.Name}
	switch q.As {
	case AsCarrier:
		cond += " AND a.carrier = ? AND a.carrier <> ''"
	case AsOrigin:
		ids, err := column[string](ctx, d.read, `SELECT hex(a.id) FROM accounts a JOIN versions v ON v.statement = a.current
			WHERE instr(v.body, '"origins"') > 0 AND EXISTS (SELECT 1 FROM json_each(v.body, '$.origins') o WHERE o.value = ?)`, q.Name)
		if err != nil {
			return "", nil, err
		}
		cond, args = cond+" AND a.id IN (SELECT unhex(value) FROM json_each(?))", []any{list(ids)}
	default:
		cond += " AND a.claimant = ?"
	}
	if q.Kind != "" {
		cond, args = cond+" AND a.kind = ?", append(args, q.Kind)
	}
	if q.State != "" {
		cond, args = cond+" AND a.state = ?", append(args, q.State)
	}
	return cond, args, nil
}

const fromSources = ` FROM accounts a JOIN versions v ON v.statement = a.current WHERE `

// linkedTo are the incidents, of any class, that accounts selected before are linked to.
const linkedTo = ` FROM links l JOIN incidents i ON i.id = l.incident JOIN incidents t ON t.id = i.root
	WHERE l.undone = -1 AND t.counted AND l.account IN (SELECT a.id FROM accounts a WHERE `

// SourceOf tells what the record holds of a source; ErrNotFound where no account names it.
func (d *DB) SourceOf(ctx context.Context, q SourceQuery) (SourceSummary, error) {
	var s SourceSummary
	what := "find source " + q.Name
	cond, args, err := d.sourceWhere(ctx, &q)
	if err != nil {
		return s, wrap(what, err)
	}
	err = d.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(a.state = 'amended'), 0), coalesce(sum(a.state = 'withdrawn'), 0),
		coalesce(min(nullif(a.said_on, '')), ''), coalesce(max(a.said_on), '') FROM accounts a WHERE `+cond, args...).Scan(&s.Accounts, &s.Amended, &s.Withdrawn, &s.First, &s.Last)
	if err != nil {
		return s, wrap(what, err)
	}
	if s.Accounts == 0 {
		return s, fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	standing := cond + " AND a.state <> 'withdrawn'"
	for _, count := range []struct {
		into  *int
		query string
		args  []any
	}{
		{&s.Incidents, `SELECT count(DISTINCT t.id)` + linkedTo + standing + `)`, args},
		{&s.Grades, `SELECT count(*) FROM grades g WHERE g.source = ?`, []any{q.Name}},
	} {
		if err := d.read.QueryRowContext(ctx, count.query, count.args...).Scan(count.into); err != nil {
			return s, wrap(what, err)
		}
	}
	untold, err := d.untoldKinds(ctx)
	if err != nil {
		return s, wrap(what, err)
	}
	for _, list := range []struct {
		into  *[]Tally
		query string
	}{
		{&s.Speakers, `SELECT a.claimant, count(*) FROM accounts a WHERE ` + standing + untold + ` GROUP BY 1 ORDER BY 1`},
		{&s.Carriers, `SELECT a.carrier, count(*) FROM accounts a WHERE ` + standing + ` AND a.carrier <> '' GROUP BY 1 ORDER BY 1`},
		{&s.Origins, `SELECT o.value, count(*) FROM accounts a JOIN versions v ON v.statement = a.current, json_each(v.body, '$.origins') o WHERE ` + standing + ` GROUP BY 1 ORDER BY 1`},
	} {
		if *list.into, err = d.tallies(ctx, list.query, args...); err != nil {
			return s, wrap(what, err)
		}
	}
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT a.claimant, a.kind, a.party FROM accounts a WHERE a.counted AND a.claimant = ? ORDER BY 2, 3`, q.Name)
	if err != nil {
		return s, wrap(what, err)
	}
	defer rows.Close()
	for rows.Next() {
		var c record.Claimant
		if err := rows.Scan(&c.Name, &c.Kind, &c.Party); err != nil {
			return s, wrap(what, err)
		}
		s.Claimants = append(s.Claimants, c)
	}
	return s, wrap(what, rows.Err())
}

// untoldKinds is the condition that leaves out claimants whom the agreement keeps out of
// tables; their kinds are codes of it.
func (d *DB) untoldKinds(ctx context.Context) (string, error) {
	pack, err := d.Pack(ctx)
	if err != nil || pack == nil || pack.SmallNumbers == nil || len(pack.SmallNumbers.ClaimantKinds) == 0 {
		return "", err
	}
	return ` AND a.kind NOT IN ('` + strings.Join(pack.SmallNumbers.ClaimantKinds, "', '") + `')`, nil
}

func (d *DB) tallies(ctx context.Context, query string, args ...any) ([]Tally, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Tally
	for rows.Next() {
		var t Tally
		if err := rows.Scan(&t.Name, &t.Accounts); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// SourceAccounts lists accounts of a source, withdrawn ones too, in the order in which
// they were told, those of unknown day last. A limit of 0 means all.
func (d *DB) SourceAccounts(ctx context.Context, q SourceQuery, limit, offset int) (out []Account, total int, err error) {
	cond, args, err := d.sourceWhere(ctx, &q)
	if err != nil {
		return nil, 0, wrap("list the accounts of source "+q.Name, err)
	}
	if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM accounts a WHERE `+cond, args...).Scan(&total); err != nil {
		return nil, 0, wrap("list the accounts of source "+q.Name, err)
	}
	if limit <= 0 {
		limit = -1
	}
	out, err = accounts(ctx, d.read, `SELECT `+accountColumns+fromSources+cond+` ORDER BY a.said_on = '', a.said_on, v.idx LIMIT ? OFFSET ?`, append(args, limit, offset)...)
	return out, total, wrap("list the accounts of source "+q.Name, err)
}

// SourceIncidents lists what the accounts of a source are linked to, of any class,
// newest first. A limit of 0 means all.
func (d *DB) SourceIncidents(ctx context.Context, q SourceQuery, limit, offset int) (out []record.ID, total int, err error) {
	cond, args, err := d.sourceWhere(ctx, &q)
	if err != nil {
		return nil, 0, wrap("list the incidents of source "+q.Name, err)
	}
	cond += " AND a.state <> 'withdrawn'"
	if err := d.read.QueryRowContext(ctx, `SELECT count(DISTINCT t.id)`+linkedTo+cond+`)`, args...).Scan(&total); err != nil {
		return nil, 0, wrap("list the incidents of source "+q.Name, err)
	}
	if limit <= 0 {
		limit = -1
	}
	ids, err := column[[]byte](ctx, d.read, `SELECT t.id`+linkedTo+cond+`) GROUP BY t.id ORDER BY t.first_day DESC, t.id LIMIT ? OFFSET ?`, append(args, limit, offset)...)
	for _, id := range ids {
		out = append(out, record.ID(id))
	}
	return out, total, wrap("list the incidents of source "+q.Name, err)
}

// ClaimRef cites a claim.
type ClaimRef struct {
	Account record.ID
	Claim   int
}

// SourceTotals lists the running and period totals with a measure that a source told, in
// the order in which they were told, at most limit; total counts them all.
func (d *DB) SourceTotals(ctx context.Context, q SourceQuery, limit int) (out []ClaimRef, total int, err error) {
	cond, args, err := d.sourceWhere(ctx, &q)
	if err != nil {
		return nil, 0, wrap("list the totals of source "+q.Name, err)
	}
	from := ` FROM accounts a JOIN claims c ON c.account = a.id
		WHERE c.scope IN ('` + string(record.ScopeRunningTotal) + `', '` + string(record.ScopePeriodTotal) + `') AND c.measure <> '' AND a.state <> 'withdrawn' AND ` + cond
	if err := d.read.QueryRowContext(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, wrap("list the totals of source "+q.Name, err)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT a.id, c.n`+from+` ORDER BY a.said_on = '', a.said_on, a.idx, c.n LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, 0, wrap("list the totals of source "+q.Name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var ref ClaimRef
		if err := rows.Scan(&id, &ref.Claim); err != nil {
			return nil, 0, wrap("list the totals of source "+q.Name, err)
		}
		ref.Account = record.ID(id)
		out = append(out, ref)
	}
	return out, total, wrap("list the totals of source "+q.Name, rows.Err())
}

// Adoptions lists the records that brought the agreement, part by part, in order.
func (d *DB) Adoptions(ctx context.Context) ([]Record, error) {
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE r.kind = 'agreement.adopted' ORDER BY r.idx`)
}

// PackVersion is one version of the agreement, in force or not any more. ErrNotFound
// where there is none that is whole.
func (d *DB) PackVersion(ctx context.Context, version int) (*agreement.Pack, error) {
	what := fmt.Sprintf("read version %d of the agreement", version)
	bodies, err := column[[]byte](ctx, d.read, "SELECT body FROM adoptions WHERE version = ? ORDER BY part", version)
	if err != nil {
		return nil, wrap(what, err)
	}
	var parts []*record.Adoption
	for _, b := range bodies {
		p, err := record.ParseBody(record.AgreementAdopted, b)
		if err != nil {
			return nil, wrap(what, err)
		}
		parts = append(parts, p.(*record.Adoption))
	}
	if len(parts) == 0 || len(parts) != parts[0].Parts {
		return nil, fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	p, err := agreement.Merge(parts)
	return p, wrap(what, err)
}
