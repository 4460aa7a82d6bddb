// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"encoding/json"
	"fmt"

	"truceline/record"
)

// actOf is the act that a statement is part of; zero where it stands alone.
func actOf(st *record.Statement) record.ID {
	id, err := record.ParseID(st.Ext[record.ExtAct])
	if err != nil {
		return record.ID{}
	}
	return id
}

// reasonOf is the reason that a body gives for its record.
func reasonOf(b record.Body) string {
	switch b := b.(type) {
	case *record.Reason:
		return b.Reason
	case *record.Link:
		return b.Reason
	case *record.Grade:
		return b.Reason
	case *record.Linkage:
		return b.Reason
	}
	return ""
}

// undo takes back what the fold of one record did.
func (f *fold) undo(at around) error {
	id, _ := at.st.Subject(record.RoleAct)
	var kind record.Kind
	var subjects string
	if err := f.row(`SELECT kind, subjects FROM records WHERE id = ?`, []any{blob(id)}, &kind, &subjects); err != nil {
		return err
	}
	if err := f.exec(`UPDATE records SET undone = ? WHERE id = ?`, at.entry.Index, blob(id)); err != nil {
		return err
	}
	st := &record.Statement{}
	if err := json.Unmarshal([]byte(subjects), &st.Subjects); err != nil {
		return fmt.Errorf("subjects of %s: %w", id, err)
	}
	switch kind {
	case record.AccountAmended:
		account, _ := st.Subject(record.RoleAccount)
		return f.undoAmendment(at.entry.Index, account, id)
	case record.AccountWithdrawn:
		account, _ := st.Subject(record.RoleAccount)
		return f.exec(`UPDATE accounts SET state = iif(current = id, 'recorded', 'amended'), reason = '' WHERE id = ?`, blob(account))
	case record.AccountSetAside:
		account, _ := st.Subject(record.RoleAccount)
		return f.exec(`UPDATE accounts SET aside = 0 WHERE id = ?`, blob(account))
	case record.BatchWithdrawn:
		batch, _ := st.Subject(record.RoleBatch)
		return f.undoBatchWithdrawal(batch)
	case record.IncidentOpened:
		return f.exec(`UPDATE incidents SET undone = ? WHERE id = ?`, at.entry.Index, blob(id))
	case record.IncidentUnlinked:
		link, _ := st.Subject(record.RoleLink)
		if err := f.exec(`UPDATE records SET undone = -1 WHERE id = ?`, blob(link)); err != nil {
			return err
		}
		return f.exec(`UPDATE links SET undone = -1 WHERE id = ?`, blob(link))
	case record.IncidentAliased:
		from, _ := st.Subject(record.RoleIncident)
		return f.undoMerge(from)
	case record.SourceGraded:
		return f.exec(`UPDATE grades SET undone = ? WHERE id = ?`, at.entry.Index, blob(id))
	case record.LinkageFitted:
		return f.exec(`UPDATE models SET undone = ? WHERE id = ?`, at.entry.Index, blob(id))
	}
	return fmt.Errorf("a %s was undone, and the tables do not know how", kind)
}

// undoAmendment makes the version before it the one that stands.
func (f *fold) undoAmendment(index int64, account, version record.ID) error {
	if err := f.exec(`UPDATE versions SET undone = ? WHERE statement = ?`, index, blob(version)); err != nil {
		return err
	}
	var before, report, body []byte
	if err := f.row(`SELECT b.statement, b.report, b.body FROM versions v JOIN versions b ON b.statement = v.before WHERE v.statement = ?`, []any{blob(version)}, &before, &report, &body); err != nil {
		return err
	}
	told, err := f.document(record.ID(report))
	if err != nil {
		return err
	}
	var b record.Account
	if err := json.Unmarshal(body, &b); err != nil {
		return fmt.Errorf("version %x: %w", before, err)
	}
	return f.current(account, record.ID(before), &b, told)
}

// undoMerge makes an incident its own again, with all that was merged into it.
func (f *fold) undoMerge(from record.ID) error {
	if err := f.exec(`UPDATE incidents SET alias = ? WHERE id = ?`, blob(record.ID{}), blob(from)); err != nil {
		return err
	}
	return f.exec(`UPDATE incidents SET root = ?1 WHERE id IN (
		WITH RECURSIVE under(id) AS (SELECT ?1 UNION SELECT i.id FROM incidents i JOIN under u ON i.alias = u.id) SELECT id FROM under)`, blob(from))
}

// undoBatchWithdrawal makes a batch what it was: closed, or still open.
func (f *fold) undoBatchWithdrawal(batch record.ID) error {
	var accepted int64
	if err := f.row(`SELECT accepted FROM batches WHERE id = ?`, []any{blob(batch)}, &accepted); err != nil {
		return err
	}
	if err := f.exec(`UPDATE batches SET reason = '' WHERE id = ?`, blob(batch)); err != nil {
		return err
	}
	if accepted < 0 {
		return f.batch(batch, "open", false)
	}
	return f.batch(batch, "closed", true)
}
