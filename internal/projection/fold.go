// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"truceline/agreement"
	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Chunk is how many entries one transaction of CatchUp folds.
const Chunk = 1000

// CatchUp folds the ledger from where the projection stands up to size, in steps of
// Chunk, each durable on its own. progress, if not nil, hears of every step. Tables
// folded from another mission's ledger are emptied first; tables that have seen what
// this ledger does not have are left as they are, and the error is ErrAhead.
func (d *DB) CatchUp(ctx context.Context, store ledgerstore.Store, size int64, progress func(done, total int64)) error {
	for {
		from, err := d.step(ctx, store, size)
		if err != nil {
			return fmt.Errorf("bring the tables up to the ledger's %d records: %w", size, err)
		}
		if progress != nil {
			progress(from, size)
		}
		if from >= size {
			return nil
		}
	}
}

func (d *DB) step(ctx context.Context, store ledgerstore.Store, size int64) (int64, error) {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	from, err := applied(ctx, tx)
	if err != nil {
		return 0, err
	}
	times, err := refolded(ctx, tx)
	if err != nil {
		return 0, err
	}
	if times != d.times { // by this process or another
		d.times = times
		defer d.forget()
	}
	f := &fold{ctx: ctx, tx: tx, shows: d.shows, stmts: map[string]*sql.Stmt{}}
	if from > 0 {
		ours, err := continues(ctx, tx, store, from)
		if err != nil {
			return 0, err
		}
		if !ours {
			if err := f.empty(); err != nil {
				return 0, err
			}
			from = 0
			defer d.forgetPack()
		}
	}
	to := min(size, from+Chunk)
	if from >= to {
		return from, nil
	}
	next := from
	for e, err := range store.Entries(ctx, from, to) {
		if err == nil {
			err = f.entry(&e)
		}
		if err == nil && e.Index == to-1 {
			err = errors.Join(f.writeIndex(), f.stand(to, e.LeafHash))
		}
		if err != nil {
			return 0, err
		}
		next++
	}
	if next < to {
		return 0, fmt.Errorf("the ledger ends at %d records and had %d: %s", next, size, Ahead)
	}
	return to, tx.Commit()
}

// fold is one transaction's worth of folding.
type fold struct {
	ctx     context.Context
	tx      *sql.Tx
	shows   func(*record.Statement) bool // nil: all
	stmts   map[string]*sql.Stmt
	mission record.ID // of the record folded last

	pack        *agreement.Pack // of packVersion
	packVersion string
	texts       []indexed // of the records folded so far
}

func (f *fold) prepare(query string) (*sql.Stmt, error) {
	st, ok := f.stmts[query]
	if !ok {
		var err error
		if st, err = f.tx.PrepareContext(f.ctx, query); err != nil {
			return nil, fmt.Errorf("%w in %s", err, query)
		}
		f.stmts[query] = st
	}
	return st, nil
}

func (f *fold) exec(query string, args ...any) error {
	st, err := f.prepare(query)
	if err != nil {
		return err
	}
	if _, err := st.ExecContext(f.ctx, args...); err != nil {
		return fmt.Errorf("%w in %s", err, query)
	}
	return nil
}

func (f *fold) row(query string, args []any, dest ...any) error {
	st, err := f.prepare(query)
	if err != nil {
		return err
	}
	if err := st.QueryRowContext(f.ctx, args...).Scan(dest...); err != nil {
		return fmt.Errorf("%w in %s", err, query)
	}
	return nil
}

// list writes a list as a JSON array; never null.
func list[T any](l []T) string {
	if len(l) == 0 {
		return "[]"
	}
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // lists of strings, numbers and subjects always encode
	}
	return string(b)
}

func blob(id record.ID) []byte { return id[:] }

// entry folds one record. One without an envelope was not given to who keeps this ledger,
// and is to the tables like one that the viewer is not shown.
func (f *fold) entry(le *ledgerstore.Entry) error {
	if le.Envelope == nil {
		return nil
	}
	e, err := open(le)
	if err != nil {
		return fmt.Errorf("entry %d: %w", le.Index, err)
	}
	st := e.Statement
	f.mission = st.Mission
	if f.shows != nil && !f.shows(st) {
		return nil
	}
	batch, inBatch := st.Subject(record.RoleBatch)
	counted := !inBatch || st.Kind == record.BatchClosed || st.Kind == record.BatchWithdrawn
	if err := f.exec(`INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,-1,?)`, le.Index, blob(st.ID), st.Kind, st.Member, blob(st.Officer),
		st.Audience, st.ClaimedAt, le.LoggedAt, list(st.Subjects), st.Body != nil, blob(batch), counted, blob(actOf(st)), reasonOf(e.Body)); err != nil {
		return err
	}
	if st.Boxed() {
		if err := f.exec(`INSERT INTO boxes VALUES (?,?,?)`, le.Index, blob(st.ID), e.Body != nil); err != nil {
			return err
		}
	}
	if err := f.concern(le.Index, st); err != nil {
		return err
	}
	at := around{entry: le, st: st, batch: batch, counted: counted}
	switch b := e.Body.(type) {
	case *record.Adoption:
		return f.adoption(at, b)
	case *record.Report:
		return f.exec(`INSERT INTO reports VALUES (?,?,?,?,?,?,?)`, blob(st.ID), le.Index, st.Member, le.LoggedAt, blob(batch), counted, string(le.Body))
	case *record.Account:
		return f.account(at, b)
	case *record.Opening:
		return f.opening(at, b)
	case *record.Notice:
		return f.notice(at, b)
	case *record.Opened:
		return f.opened(at, b)
	case *record.Link:
		return f.link(at, b)
	case *record.Batch:
		return f.exec(`INSERT INTO batches VALUES (?,?,?,?,?,-1,0,0,'open','',?)`, blob(st.ID), st.Member, b.Name, b.Rows, b.FileSHA256.String(), le.Index)
	case *record.BatchEnd:
		if err := f.exec(`UPDATE batches SET accepted = ?, present = ?, rejected = ? WHERE id = ?`, b.Accepted, b.Present, b.Rejected, blob(batch)); err != nil {
			return err
		}
		return f.batch(batch, "closed", true)
	case *record.Grade:
		return f.exec(`INSERT INTO grades VALUES (?,?,?,?,?,?,-1)`, blob(st.ID), b.Source, b.Grade, b.Reason, st.Member, le.Index)
	case *record.Linkage:
		return f.exec(`INSERT INTO models VALUES (?,?,?,?,-1,?)`, blob(st.ID), le.Index, b.Schema, b.Prefix.Size, string(le.Body))
	case *record.Released:
		return f.released(at, b)
	case *record.Reason:
		return f.reason(at, b)
	}
	return nil
}

// open takes an entry apart. Of one that is not for everybody the body is there if it was
// taken out of its box, and is what it should be; else the record is shown without it.
func open(le *ledgerstore.Entry) (*mechanism.Entry, error) {
	e, err := mechanism.OpenEnvelope(le.Envelope)
	if err != nil {
		return nil, err
	}
	if !e.Statement.Boxed() {
		return e, e.AddBody(le.Body, le.BodySalt)
	}
	if le.Body != nil && le.BodySalt != (ledger.Salt{}) {
		_ = e.Reveal(le.Body, le.BodySalt) // a defect of the record, which stands all the same
	}
	return e, nil
}

// around is what the fold of a body needs of the record around it.
type around struct {
	entry   *ledgerstore.Entry
	st      *record.Statement
	batch   record.ID
	counted bool
}

func (f *fold) adoption(at around, b *record.Adoption) error {
	// A first part starts its version over.
	if err := f.exec(`DELETE FROM adoptions WHERE version = ? AND part >= ?`, b.Version, b.Part); err != nil {
		return err
	}
	if err := f.exec(`INSERT INTO adoptions VALUES (?,?,?)`, b.Version, b.Part, string(at.entry.Body)); err != nil {
		return err
	}
	if b.Part < b.Parts {
		return nil
	}
	return f.setMeta("agreement", fmt.Sprint(b.Version))
}

func (f *fold) account(at around, b *record.Account) error {
	st := at.st
	id, amends := st.Subject(record.RoleAccount)
	if !amends {
		id = st.ID
	}
	report, _ := st.Subject(record.RoleReport)
	if amends && report.IsZero() {
		// An amendment that names no document was told in the one before it.
		var prev []byte
		err := f.row(`SELECT report FROM versions WHERE statement = ?`, []any{blob(st.Supersedes)}, &prev)
		if err != nil && !errors.Is(err, sql.ErrNoRows) { // none: the version before it cannot be read here
			return err
		}
		copy(report[:], prev)
	}
	told, err := f.document(report)
	if err != nil {
		return err
	}
	if err := f.exec(`INSERT INTO versions VALUES (?,?,?,?,?,?,?,?,?,-1,?)`, blob(st.ID), blob(id), at.entry.Index, st.Member, blob(st.Officer),
		at.entry.LoggedAt, st.ClaimedAt, blob(report), blob(st.Supersedes), string(at.entry.Body)); err != nil {
		return err
	}
	first := !amends
	if amends {
		var known int
		if err := f.row(`SELECT count(*) FROM accounts WHERE id = ?`, []any{blob(id)}, &known); err != nil {
			return err
		}
		first = known == 0 // the versions before it cannot be read here
	}
	if first {
		if err := f.exec(`INSERT INTO accounts VALUES (?,?,0,'','recorded','',0,'','','','','','',0,?,?,?)`, blob(id), blob(id), at.entry.Index, blob(at.batch), at.counted); err != nil {
			return err
		}
	}
	f.index(at.entry.Index, accountWords(b, told)...)
	return f.current(id, st.ID, b, told)
}

// current makes a version, as told in a document, the one that stands.
func (f *fold) current(id, version record.ID, b *record.Account, told *record.Report) error {
	carrier, language := cmp.Or(b.Carrier, told.Carrier), told.Language
	if b.Quote != nil {
		language = cmp.Or(b.Quote.Language, language)
	}
	state := "recorded"
	if version != id {
		state = "amended"
	}
	if err := f.exec(`UPDATE accounts SET current=?1, (idx, recorder) = (SELECT idx, recorder FROM versions WHERE statement=?1), state=?, said_on=?, claimant=?, kind=?, party=?, carrier=?, language=?, claims=? WHERE id=?`,
		blob(version), state, b.SaidOn, b.Claimant.Name, b.Claimant.Kind, b.Claimant.Party, carrier, language, len(b.Claims), blob(id)); err != nil {
		return err
	}
	if err := f.exec(`DELETE FROM claims WHERE account = ?`, blob(id)); err != nil {
		return err
	}
	for _, c := range b.Claims {
		if err := f.exec(`INSERT INTO claims VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`, blob(id), c.N, c.Element, c.Measure, c.Group, c.Subset, c.Scope, c.Stance,
			c.Bound, c.Low, c.High, c.Derived, c.When.Start, c.When.End, list(c.Places), c.Words, c.PlaceText); err != nil {
			return err
		}
	}
	return nil
}

func (f *fold) opening(at around, b *record.Opening) error {
	id := blob(at.st.ID)
	year := b.When.First().Year()
	var n int
	// What is not for everybody has numbers of its own: those of the rest tell nothing of it.
	series := ""
	if at.st.Audience != record.AudiencePublic {
		series = "M"
	}
	if err := f.row(`SELECT coalesce((SELECT substr(number, 1 + length(?1)) + 0 FROM incidents WHERE class = ?2 AND year = ?3 AND (substr(number, 1, 1) = 'M') = (?1 = 'M') ORDER BY idx DESC LIMIT 1), 0) + 1`,
		[]any{series, b.Class, year}, &n); err != nil {
		return err
	}
	number := fmt.Sprintf("%s%03d/%04d", series, n, year)
	if err := f.exec(`INSERT INTO incidents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,-1,?,?,?,?,?)`, id, id, number, b.Class,
		b.Label, b.PlaceText, b.When.Start, b.When.End, b.When.Note, b.When.First().Format("2006-01-02"), b.When.Last().Format("2006-01-02"), year,
		list(b.Types), list(b.Places), b.External, blob(record.ID{}), at.st.Member, at.entry.LoggedAt, at.entry.Index, blob(at.batch), at.counted); err != nil {
		return err
	}
	f.index(at.entry.Index, b.Label, b.PlaceText, number, b.External)
	for name, codes := range map[string][]string{"type": b.Types, "place": b.Places} {
		for _, c := range codes {
			if err := f.exec(`INSERT OR IGNORE INTO incident_codes VALUES (?,?,?)`, id, name, c); err != nil {
				return err
			}
		}
	}
	return f.exec(`INSERT OR IGNORE INTO concerns VALUES (?,?)`, id, at.entry.Index)
}

func (f *fold) link(at around, b *record.Link) error {
	acc, _ := at.st.Subject(record.RoleAccount)
	in, _ := at.st.Subject(record.RoleIncident)
	if err := f.exec(`INSERT INTO links VALUES (?,?,?,?,?,?,?,?,-1)`, blob(at.st.ID), blob(acc), blob(in), b.Role, list(b.Claims), b.Reason, at.st.Member, at.entry.Index); err != nil {
		return err
	}
	// What was filed and changed before the link concerns the incident too.
	return f.exec(`INSERT OR IGNORE INTO concerns SELECT ?, idx FROM versions WHERE account = ?`, blob(in), blob(acc))
}

func (f *fold) reason(at around, b *record.Reason) error {
	st := at.st
	switch st.Kind {
	case record.AccountWithdrawn:
		id, _ := st.Subject(record.RoleAccount)
		return f.exec(`UPDATE accounts SET state = 'withdrawn', reason = ? WHERE id = ?`, b.Reason, blob(id))
	case record.BatchWithdrawn:
		if err := f.exec(`UPDATE batches SET reason = ? WHERE id = ?`, b.Reason, blob(at.batch)); err != nil {
			return err
		}
		return f.batch(at.batch, "withdrawn", false)
	case record.AccountSetAside:
		id, _ := st.Subject(record.RoleAccount)
		return f.exec(`UPDATE accounts SET aside = 1 WHERE id = ?`, blob(id))
	case record.ActUndone:
		return f.undo(at)
	case record.IncidentUnlinked:
		id, _ := st.Subject(record.RoleLink)
		if err := f.exec(`UPDATE records SET undone = ? WHERE id = ?`, at.entry.Index, blob(id)); err != nil {
			return err
		}
		return f.exec(`UPDATE links SET undone = ? WHERE id = ?`, at.entry.Index, blob(id))
	case record.IncidentAliased:
		from, _ := st.Subject(record.RoleIncident)
		into, _ := st.Subject(record.RoleInto)
		if err := f.exec(`UPDATE incidents SET alias = ? WHERE id = ?`, blob(into), blob(from)); err != nil {
			return err
		}
		return f.exec(`UPDATE incidents SET root = (SELECT root FROM incidents WHERE id = ?) WHERE root = ?`, blob(into), blob(from))
	}
	return nil
}

// batch makes the records of a batch count, or not.
func (f *fold) batch(id record.ID, state string, counted bool) error {
	if err := f.exec(`UPDATE batches SET state = ? WHERE id = ?`, state, blob(id)); err != nil {
		return err
	}
	for _, table := range []string{"reports", "accounts", "incidents"} {
		if err := f.exec(`UPDATE `+table+` SET counted = ? WHERE batch = ?`, counted, blob(id)); err != nil {
			return err
		}
	}
	return f.exec(`UPDATE records SET counted = ? WHERE batch = ? AND kind NOT IN ('batch.closed', 'batch.withdrawn')`, counted, blob(id))
}

// concern notes which incidents and accounts a record is about, for their histories. That of
// an account does not tell whether there is an identity for it.
func (f *fold) concern(index int64, st *record.Statement) error {
	if st.Kind.Apart() {
		return nil
	}
	for _, sub := range st.Subjects {
		var err error
		switch sub.Role {
		case record.RoleIncident, record.RoleInto:
			err = f.exec(`INSERT OR IGNORE INTO concerns VALUES (?,?)`, blob(sub.ID), index)
		case record.RoleAccount:
			if err = f.exec(`INSERT OR IGNORE INTO concerns VALUES (?,?)`, blob(sub.ID), index); err == nil {
				err = f.exec(`INSERT OR IGNORE INTO concerns SELECT incident, ? FROM links WHERE account = ? AND undone = -1`, index, blob(sub.ID))
			}
		case record.RoleLink:
			if err = f.exec(`INSERT OR IGNORE INTO concerns SELECT incident, ? FROM links WHERE id = ?`, index, blob(sub.ID)); err == nil {
				err = f.exec(`INSERT OR IGNORE INTO concerns SELECT account, ? FROM links WHERE id = ?`, index, blob(sub.ID))
			}
		case record.RoleAct:
			err = f.exec(`INSERT OR IGNORE INTO concerns SELECT c.what, ? FROM concerns c JOIN records r ON r.idx = c.idx WHERE r.id = ?`, index, blob(sub.ID))
		}
		if err != nil {
			return err
		}
	}
	if st.Kind == record.AccountFiled {
		return f.exec(`INSERT OR IGNORE INTO concerns VALUES (?,?)`, blob(st.ID), index)
	}
	return nil
}
