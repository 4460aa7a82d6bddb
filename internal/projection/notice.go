// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"encoding/json"
	"fmt"
	"strings"

	"truceline/agreement"
	"truceline/record"
)

// notice folds what opens an incident and tells nobody's version of it.
func (f *fold) notice(at around, b *record.Notice) error {
	label, err := f.noticeLabel(b)
	if err != nil {
		return err
	}
	return f.opening(at, &record.Opening{Class: record.ClassIncident, Label: label, Places: b.Places, Types: b.Types, When: b.When})
}

// noticeLabel names an incident by what its notice says: the types and the places, as the
// agreement in force calls them in English.
func (f *fold) noticeLabel(b *record.Notice) (string, error) {
	pack, err := f.agreement()
	if err != nil || pack == nil {
		return "", err
	}
	names := map[string]string{}
	for _, x := range pack.IncidentTypes {
		names["type "+x.Code] = x.Name.In("en")
	}
	for _, x := range pack.Places {
		names["place "+x.Code] = x.Name.In("en")
	}
	var types, places []string
	for _, c := range b.Types {
		types = append(types, names["type "+c])
	}
	for _, c := range b.Places {
		places = append(places, names["place "+c])
	}
	return strings.Join(types, ", ") + ": " + strings.Join(places, ", "), nil
}

// agreement is the one in force as far as is folded.
func (f *fold) agreement() (*agreement.Pack, error) {
	version, err := meta(f.ctx, f.tx, "agreement")
	if err != nil || version == "" {
		return nil, err
	}
	if f.pack != nil && f.packVersion == version {
		return f.pack, nil
	}
	bodies, err := column[string](f.ctx, f.tx, `SELECT body FROM adoptions WHERE version = ? ORDER BY part`, version)
	if err != nil {
		return nil, err
	}
	var parts []*record.Adoption
	for _, s := range bodies {
		b, err := record.ParseBody(record.AgreementAdopted, []byte(s))
		if err != nil {
			return nil, err
		}
		parts = append(parts, b.(*record.Adoption))
	}
	pack, err := agreement.Merge(parts)
	if err != nil {
		return nil, fmt.Errorf("the agreement in force: %w", err)
	}
	f.pack, f.packVersion = pack, version
	return pack, nil
}

// opened folds what was sealed: an account under the id of the sealed record, linked to the
// incident of its notice.
func (f *fold) opened(at around, b *record.Opened) error {
	id, _ := at.st.Subject(record.RoleAccount)
	var member string
	var subjects string
	if err := f.row(`SELECT member, subjects FROM records WHERE id = ?`, []any{blob(id)}, &member, &subjects); err != nil {
		return err
	}
	var about record.Statement
	if err := json.Unmarshal([]byte(subjects), &about.Subjects); err != nil {
		return err
	}
	incident, _ := about.Subject(record.RoleIncident)
	body, err := record.EncodeBody(&b.Account)
	if err != nil {
		return err
	}
	st := at.st
	if err := f.exec(`INSERT INTO versions VALUES (?,?,?,?,?,?,?,?,?,-1,?)`, blob(st.ID), blob(id), at.entry.Index, member, blob(st.Officer),
		at.entry.LoggedAt, st.ClaimedAt, blob(record.ID{}), blob(record.ID{}), string(body)); err != nil {
		return err
	}
	if err := f.exec(`INSERT INTO accounts VALUES (?,?,0,'','recorded','',0,'','','','','','',0,?,?,?)`, blob(id), blob(id), at.entry.Index, blob(at.batch), at.counted); err != nil {
		return err
	}
	f.index(at.entry.Index, accountWords(&b.Account, new(record.Report))...)
	if err := f.current(id, st.ID, &b.Account, new(record.Report)); err != nil {
		return err
	}
	if err := f.exec(`UPDATE accounts SET state = 'recorded' WHERE id = ?`, blob(id)); err != nil {
		return err
	}
	if err := f.exec(`INSERT INTO links VALUES (?,?,?,?,?,?,?,?,-1)`, blob(st.ID), blob(id), blob(incident), record.LinkAbout, "[]", "", member, at.entry.Index); err != nil {
		return err
	}
	return f.exec(`INSERT OR IGNORE INTO concerns SELECT ?, idx FROM versions WHERE account = ?`, blob(incident), blob(id))
}
