// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"truceline/internal/node"
	"truceline/record"
)

// verdict is what is to become of a statement, and why if it is rejected.
type verdict struct {
	fate  fate
	fault fault
	row   *claimRow // the row at fault; nil when it is the whole statement
}

func rejected(format string, a ...any) verdict {
	return verdict{fateRejected, fault{noColumn, "", fmt.Sprintf(format, a...)}, nil}
}

// judge decides, for every statement and without filing anything, whether it can be
// filed, is in the ledger, or is rejected.
func (im *importer) judge(ctx context.Context) error {
	for after := int64(0); ; {
		page, err := im.spool.page(fateUnknown, after)
		if err != nil {
			return err
		}
		for _, st := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			v, _, err := im.decide(ctx, st)
			if err != nil {
				return err
			}
			if err := im.settle(st, v); err != nil {
				return err
			}
			after = st.first
		}
		if len(page) < pageSize {
			return nil
		}
		im.progress(im.report.Total, 0)
	}
}

// settle writes a verdict down and counts its rows.
func (im *importer) settle(st *statement, v verdict) error {
	if v.fate == fateRejected {
		rest, first := v.fault, causeReal
		if st.because != "" || v.row != nil {
			first = causeHeld
		}
		if v.row != nil {
			if err := im.spool.fault(v.row.row, v.row.line, st.name, v.row.name, v.fault, causeReal); err != nil {
				return err
			}
			rest = fault{column: noColumn, reason: fmt.Sprintf("row %d (line %d) of the same statement is bad", v.row.row, v.row.line)}
		}
		if err := im.spool.faultRest(st, rest, first); err != nil {
			return err
		}
	}
	im.rows[v.fate] += st.rows
	return im.spool.settle(st, v.fate)
}

// decide looks at one statement. It fills in the ids of its account and document, and
// gives the account if that can be filed.
func (im *importer) decide(ctx context.Context, st *statement) (verdict, *record.Account, error) {
	if st.because != "" {
		return rejected("%s", st.because), nil, nil
	}
	if st.size > 2*record.MaxBody { // as JSON, at most twice its canonical bytes
		if im.form.single {
			return rejected("the row says more than fits a record of %d bytes: shorten its texts", record.MaxBody), nil, nil
		}
		return rejected("statement %.60q has %d claims, more than fit a record of %d bytes: divide it", st.name, st.rows, record.MaxBody), nil, nil
	}
	rows, err := im.spool.claims(st.name)
	if err != nil {
		return verdict{}, nil, err
	}
	acc := st.head.account(st.name)
	seen := map[string]int64{}
	for i, c := range rows {
		if first, again := seen[c.name]; again && c.name != "" {
			return verdict{fateRejected, fault{colClaim, "", fmt.Sprintf("claim_id %.60q stands on row %d already", c.name, first)}, &rows[i]}, nil, nil
		}
		seen[c.name] = c.row
		for _, claim := range c.claims {
			claim.N = len(acc.Claims) + 1
			acc.Claims = append(acc.Claims, claim)
		}
	}
	body, err := record.EncodeBody(acc)
	if err != nil {
		return rejected("statement %.60q: %v", st.name, err), nil, nil
	}
	doc, err := record.EncodeBody(st.head.document())
	if err != nil {
		return rejected("source of statement %.60q: %v", st.name, err), nil, nil
	}
	if v, bad := im.checkCodes(acc, rows); bad {
		return v, nil, nil
	}
	v, err := im.compare(ctx, st, body, doc)
	return v, acc, err
}

// checkCodes asks the door, and finds the row it objects to.
func (im *importer) checkCodes(acc *record.Account, rows []claimRow) (verdict, bool) {
	whole := im.door.CheckAccount(acc)
	if whole == nil {
		return verdict{}, false
	}
	part := *acc
	n := 0
	for i := range rows {
		n += len(rows[i].claims)
		part.Claims = acc.Claims[:n]
		if err := im.door.CheckAccount(&part); err != nil {
			return verdict{fateRejected, refusalFault(err), &rows[i]}, true
		}
	}
	return verdict{fate: fateRejected, fault: refusalFault(whole)}, true
}

// compare looks for the statement and its document in the ledger.
func (im *importer) compare(ctx context.Context, st *statement, body, doc []byte) (verdict, error) {
	report, foundReport, err := im.locate(ctx, record.ReportFiled, string(doc))
	if err != nil {
		return verdict{}, err
	}
	id, found, err := im.locate(ctx, record.AccountFiled, st.name)
	if err != nil {
		return verdict{}, err
	}
	st.id, st.report = id, report
	if found == nil {
		return im.compareReport(ctx, st, foundReport, doc)
	}
	if v, wait, err := im.waits(ctx, "statement "+clip(st.name), found); wait || err != nil {
		return v, err
	}
	same, err := im.sameReport(ctx, found, report, doc)
	if err != nil {
		return verdict{}, err
	}
	if !bytes.Equal(found.Body, body) || !same {
		next := "amend it at the desk, or give the changed one a statement_id of its own"
		if im.form.single {
			next = "amend it at the desk"
		}
		return rejected("statement %.60q is in the ledger with other content: the recorded account stays; %s", st.name, next), nil
	}
	if batch, in := found.Statement.Subject(record.RoleBatch); in && batch == im.batch {
		return verdict{fate: fateResumed}, nil
	}
	return verdict{fate: fatePresent}, nil
}

// compareReport finishes the verdict on a statement that is new.
func (im *importer) compareReport(ctx context.Context, st *statement, found *node.Found, doc []byte) (verdict, error) {
	if found == nil {
		return verdict{fate: fateNew}, im.spool.exec("INSERT INTO reports (id, filed) VALUES (?, 0) ON CONFLICT DO NOTHING", st.report[:])
	}
	if v, wait, err := im.waits(ctx, "the source of statement "+clip(st.name), found); wait || err != nil {
		return v, err
	}
	if !bytes.Equal(found.Body, doc) {
		return rejected("the source of statement %.60q cannot be filed: its id %s stands for another record", st.name, st.report), nil
	}
	return verdict{fate: fateNew}, im.spool.exec("INSERT INTO reports (id, filed) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET filed = 1", st.report[:])
}

// waits tells whether a record belongs to another import that is not finished.
func (im *importer) waits(ctx context.Context, what string, found *node.Found) (verdict, bool, error) {
	batch, in := found.Statement.Subject(record.RoleBatch)
	if !in || batch == im.batch || im.door.BatchState(batch) != batchOpen {
		return verdict{}, false, nil
	}
	file := "its file"
	if f, ok, err := im.door.Find(ctx, batch); err != nil {
		return verdict{}, false, fmt.Errorf("look for batch %s: %w", batch, err)
	} else if ok {
		if b, err := record.ParseBody(record.BatchOpened, f.Body); err == nil {
			file = fmt.Sprintf("%.80q", b.(*record.Batch).Name)
		}
	}
	return rejected("%s belongs to an import that is not finished: finish it by importing %s again, then import this file", what, file), true, nil
}

// sameReport tells whether the account found was told in the document.
func (im *importer) sameReport(ctx context.Context, found *node.Found, report record.ID, doc []byte) (bool, error) {
	id, ok := found.Statement.Subject(record.RoleReport)
	if !ok || id == report {
		return ok, nil
	}
	f, ok, err := im.door.Find(ctx, id)
	if err != nil {
		return false, fmt.Errorf("look for document %s: %w", id, err)
	}
	return ok && slices.Equal(f.Body, doc), nil
}

// countNew counts what a dry run would file.
func (im *importer) countNew() error {
	return im.spool.query("SELECT count(*) FROM statements WHERE fate = ?", func(r *sql.Rows) error { return r.Scan(&im.report.Accounts) }, string(fateNew))
}
