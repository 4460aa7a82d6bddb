// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"truceline/internal/node"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// refusal finds the rule that a record broke, if that is what the error is.
func refusal(err error) (*mechanism.Refusal, bool) {
	var signed *registry.Refused
	if errors.As(err, &signed) {
		return signed.Refusal, true
	}
	var plain *mechanism.Refusal
	ok := errors.As(err, &plain)
	return plain, ok
}

func refusalFault(err error) fault {
	if r, ok := refusal(err); ok {
		return fault{noColumn, r.Code, r.Reason}
	}
	return fault{noColumn, "", err.Error()}
}

// ErrLineLost: a member's node has no line to the registry. A file is taken in only while
// there is one: what becomes of each row is known from the ledger alone.
var ErrLineLost = errors.New("there is no line to the registry. What was signed before it was lost waits on this node and goes out by itself; run the same file again once nothing of it waits any more: it finds what was filed and goes on")

// lostLine is an ErrLineLost. It leaves out what the door says, not to file again: that
// holds for the records and not for the file.
type lostLine struct{ err error }

func (l *lostLine) Error() string   { return ErrLineLost.Error() }
func (l *lostLine) Unwrap() []error { return []error{ErrLineLost, l.err} }

func lineLost(err error) error {
	if errors.As(err, new(*node.Queued)) || errors.Is(err, outbox.ErrConflict) {
		return &lostLine{err}
	}
	return err
}

// file opens the batch, files what is new, and closes the batch. What was filed is
// durable before more is; whatever stops this in between, a run of the same
// file finds what was filed and goes on in the same batch.
func (im *importer) file(ctx context.Context) error {
	if im.report.Continued {
		im.report.Batch = im.batch
	}
	for after := int64(0); ; {
		page, err := im.spool.page(fateNew, after)
		if err != nil {
			return err
		}
		for group := range slices.Chunk(page, groupSize) {
			if group, err = im.fileTogether(ctx, group); err != nil {
				return err
			}
			for _, st := range group {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := im.fileStatement(ctx, st); err != nil {
					return fmt.Errorf("file statement %.60q (row %d): %w", st.name, st.first, err)
				}
				if im.rows[fateRejected]+im.lone > 0 && im.opts.OnBad == Stop {
					// The batch stays open, for a run that skips.
					return im.stop("not filed: the registry refused a statement before it")
				}
				im.count()
				im.progress(im.report.Total-im.report.NotReached, im.report.Total)
			}
		}
		if len(page) > 0 {
			after = page[len(page)-1].first
		}
		if len(page) < pageSize {
			if im.report.Batch.IsZero() {
				return nil
			}
			return im.closeBatch(ctx)
		}
	}
}

// together is a Door that can file several records in one commit: all or none.
type together interface {
	FileTogether(ctx context.Context, drafts []node.Draft) ([]registry.Receipt, error)
}

var _ together = (*node.Node)(nil)

// groupSize is how many statements are filed in one commit, where the door can. Each has
// at most two records; others who file meanwhile wait for no longer than one such commit.
const groupSize = 64

// fileTogether files a group in one commit and settles it, and gives back what is to be
// filed one by one: everything where the door cannot, or where a record of the group was
// refused and none went in. An error leaves the outcome of the group open.
func (im *importer) fileTogether(ctx context.Context, group []*statement) ([]*statement, error) {
	door, ok := im.door.(together)
	if !ok {
		return group, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var drafts []node.Draft
	var filing, rest []*statement
	pending := map[record.ID]bool{} // documents that stand in drafts
	for _, st := range group {
		v, acc, err := im.decide(ctx, st)
		if err != nil {
			return nil, fmt.Errorf("look for statement %.60q (row %d): %w", st.name, st.first, err)
		}
		if v.fate != fateNew { // it was new a moment ago: another run is at it too
			rest = append(rest, st)
			continue
		}
		filed, err := im.spool.number("SELECT filed FROM reports WHERE id = ?", st.report[:])
		if err != nil {
			return nil, err
		}
		if filed == 0 && !pending[st.report] {
			pending[st.report] = true
			drafts = append(drafts, im.reportDraft(st))
		}
		drafts = append(drafts, im.accountDraft(st, acc))
		filing = append(filing, st)
	}
	if len(filing) == 0 {
		return rest, nil
	}
	if again, err := im.openBatch(ctx); again || err != nil {
		return group, err
	}
	if _, err := door.FileTogether(ctx, drafts); err != nil {
		if _, refused := refusal(err); refused {
			return group, nil
		}
		return nil, fmt.Errorf("file %d statements from %.60q (row %d) on: %w", len(filing), filing[0].name, filing[0].first, err)
	}
	for _, st := range filing {
		if err := im.spool.exec("UPDATE reports SET filed = 1 WHERE id = ?", st.report[:]); err != nil {
			return nil, err
		}
		im.rows[fateNew] -= st.rows
		if err := im.settle(st, verdict{fate: fateAccepted}); err != nil {
			return nil, err
		}
	}
	im.report.Accounts += int64(len(filing))
	im.report.Documents += int64(len(pending))
	im.count()
	im.progress(im.report.Total-im.report.NotReached, im.report.Total)
	return rest, nil
}

func (im *importer) reportDraft(st *statement) node.Draft {
	return node.Draft{
		ID: st.report, Kind: record.ReportFiled, Member: im.opts.Member, Officer: im.opts.Officer, Body: st.head.document(),
		Subjects: []record.Subject{{ID: im.batch, Role: record.RoleBatch}},
	}
}

func (im *importer) accountDraft(st *statement, acc *record.Account) node.Draft {
	return node.Draft{
		ID: st.id, Kind: record.AccountFiled, Member: im.opts.Member, Officer: im.opts.Officer, Body: acc,
		Subjects: []record.Subject{{ID: st.report, Role: record.RoleReport}, {ID: im.batch, Role: record.RoleBatch}},
	}
}

// openBatch opens the batch before the first record that goes into it. again tells
// that another run of the file was faster, so that everything is to be looked for again.
func (im *importer) openBatch(ctx context.Context) (again bool, err error) {
	if !im.report.Batch.IsZero() {
		return false, nil
	}
	_, err = im.door.File(ctx, node.Draft{
		ID: im.batch, Kind: record.BatchOpened, Member: im.opts.Member, Officer: im.opts.Officer,
		Body: &record.Batch{FileSHA256: im.report.FileSHA256, Name: im.report.Name, Rows: int(im.report.Total)},
	})
	if r, refused := refusal(err); refused && r.Code == mechanism.DuplicateID {
		if err := im.findBatch(ctx); err != nil {
			return false, err
		}
		if im.report.Continued {
			im.report.Batch = im.batch
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the batch: %w", err)
	}
	im.report.Batch = im.batch
	return false, nil
}

// closeBatch files the batch's end, which counts what earlier runs filed into it too.
func (im *importer) closeBatch(ctx context.Context) error {
	if im.door.BatchState(im.batch) == batchClosed {
		return nil // another run of the same file closed it
	}
	id, err := im.free(ctx, record.BatchClosed, im.batchKey(), im.try)
	if err != nil {
		return err
	}
	_, err = im.door.File(ctx, node.Draft{
		ID: id, Kind: record.BatchClosed, Member: im.opts.Member, Officer: im.opts.Officer,
		Body: &record.BatchEnd{
			Accepted: int(im.rows[fateAccepted] + im.rows[fateResumed]),
			Present:  int(im.rows[fatePresent]),
			Rejected: int(im.rows[fateRejected] + im.lone),
		},
		Subjects: []record.Subject{{ID: im.batch, Role: record.RoleBatch}},
	})
	if _, refused := refusal(err); refused && im.door.BatchState(im.batch) == batchClosed {
		return nil // so it did just now
	}
	if err != nil {
		return fmt.Errorf("close the batch: %w; run the same file again", err)
	}
	return nil
}

// maxLooks bounds how often a statement is looked for again while others file.
const maxLooks = 10

// fileStatement files one statement and the document it was told in, and settles what
// became of it. An error leaves the outcome open.
func (im *importer) fileStatement(ctx context.Context, st *statement) error {
	var v verdict
	for looks := 1; ; looks++ {
		var acc *record.Account
		var err error
		if v, acc, err = im.decide(ctx, st); err != nil {
			return err
		}
		if v.fate != fateNew {
			break
		}
		if again, err := im.openBatch(ctx); err != nil {
			return err
		} else if again && looks < maxLooks {
			continue
		}
		if err = im.fileReport(ctx, st); err == nil {
			_, err = im.door.File(ctx, im.accountDraft(st, acc))
		}
		if err == nil {
			v = verdict{fate: fateAccepted}
			im.report.Accounts++
			break
		}
		r, refused := refusal(err)
		if !refused {
			return err
		}
		// Another run of the file may have filed it since it was looked for, or closed the
		// batch: look again.
		if ours := im.door.BatchState(im.batch) == batchOpen; (r.Code == mechanism.DuplicateID || !ours) && looks < maxLooks {
			if !ours {
				if im.door.BatchState(im.batch) == batchWithdrawn {
					// What this run has filed no longer counts, and whoever withdrew it does not
					// want the rest: to go on in a new batch would count as accepted what is gone.
					return fmt.Errorf("batch %s was withdrawn while its file was taken in: nothing of it counts; run the same file again to take it in anew", im.batch)
				}
				im.report.Batch, im.report.Continued = record.ID{}, false
				if err := im.findBatch(ctx); err != nil {
					return err
				}
				if im.report.Continued {
					im.report.Batch = im.batch
				}
			}
			continue
		}
		v = verdict{fate: fateRejected, fault: refusalFault(err)}
		break
	}
	im.rows[fateNew] -= st.rows
	return im.settle(st, v)
}

// fileReport files the document of a statement, once.
func (im *importer) fileReport(ctx context.Context, st *statement) error {
	filed, err := im.spool.number("SELECT filed FROM reports WHERE id = ?", st.report[:])
	if err != nil || filed == 1 {
		return err
	}
	if _, err = im.door.File(ctx, im.reportDraft(st)); err != nil {
		return fmt.Errorf("file its source: %w", err)
	}
	im.report.Documents++
	return im.spool.exec("UPDATE reports SET filed = 1 WHERE id = ?", st.report[:])
}
