// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/ledgerstore"
	"truceline/internal/projection"
	"truceline/ledger"
	"truceline/record"
)

// story is a ledger in memory that a test writes record by record. No rule is asked.
type story struct {
	ledgerstore.Store
	t       testing.TB
	mission record.ID
	pack    *agreement.Pack
	entries []ledgerstore.Entry
}

func newStory(t testing.TB, name string) *story {
	t.Helper()
	set, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	file, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t, mission: record.ID{1}, pack: file.Pack}
	s.adopt()
	return s
}

func (s *story) adopt() {
	s.t.Helper()
	parts, err := s.pack.Parts(1)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range parts {
		s.file(record.AgreementAdopted, p, nil)
	}
}

// file appends a record; edit, if not nil, changes its statement.
func (s *story) file(kind record.Kind, body record.Body, edit func(*record.Statement), subjects ...record.Subject) record.ID {
	s.t.Helper()
	n := len(s.entries)
	var id record.ID
	binary.BigEndian.PutUint32(id[:], uint32(n+1)*2654435761) // spread, so that order of ids is not order of records
	salt := ledger.Salt{1}
	b, err := record.EncodeBody(body)
	if err != nil {
		s.t.Fatal(err)
	}
	st := record.Statement{Audience: record.AudiencePublic, Body: &record.BodyRef{Alg: record.BodyAlg, Commitment: ledger.BodyCommitment(salt, b)},
		ClaimedAt: 1e12, Exercise: s.pack.Exercise, ID: id, Kind: kind, KindVersion: 1, Member: s.pack.MembersWith(record.DeskRole)[0], Mission: s.mission,
		Origin: "log.example/story", Rules: 1, Subjects: subjects, V: 1}
	if edit != nil {
		edit(&st)
	}
	payload, err := st.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	e := record.Envelope{Payload: payload, Type: record.StatementType, Signatures: []record.Signature{{Sig: make([]byte, 64)}}}
	envelope, err := e.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	s.entries = append(s.entries, ledgerstore.Entry{Index: int64(n), ID: id, LoggedAt: 1e12 + int64(n), Envelope: envelope, Body: b, BodySalt: salt,
		LeafHash: tlog.RecordHash(envelope)})
	return id
}

func about(role record.Role, id record.ID) record.Subject { return record.Subject{ID: id, Role: role} }

func (s *story) Entries(_ context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		for _, e := range s.entries[from:min(to, int64(len(s.entries)))] {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (s *story) LeafHashes(_ context.Context, from, to int64) ([]tlog.Hash, error) {
	if to > int64(len(s.entries)) {
		return nil, ledgerstore.ErrNotFound
	}
	var out []tlog.Hash
	for _, e := range s.entries[from:to] {
		out = append(out, e.LeafHash)
	}
	return out, nil
}

// follow folds what was written since.
func (s *story) follow(d *projection.DB) {
	s.t.Helper()
	if err := d.CatchUp(context.Background(), s, int64(len(s.entries)), nil); err != nil {
		s.t.Fatal(err)
	}
}

// folded opens new tables and folds all that was written.
func (s *story) folded(dir string) *projection.DB {
	s.t.Helper()
	d, err := projection.Open(context.Background(), filepath.Join(dir, fmt.Sprintf("story-%d-%p.db", len(s.entries), &dir)))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { d.Close() })
	s.follow(d)
	return d
}

func (s *story) report(title string) record.ID {
	return s.file(record.ReportFiled, &record.Report{Title: title, Carrier: "The Herald", Language: "en"}, nil)
}

// account files an account by one claimant, with a claim for each of the words.
func (s *story) account(report record.ID, who record.Claimant, words ...string) record.ID {
	if report.IsZero() {
		return s.file(record.AccountFiled, s.says(who, words...), nil)
	}
	return s.file(record.AccountFiled, s.says(who, words...), nil, about(record.RoleReport, report))
}

func (s *story) says(who record.Claimant, words ...string) *record.Account {
	a := &record.Account{Claimant: who}
	for i, w := range words {
		a.Claims = append(a.Claims, record.Claim{N: i + 1, Element: record.Event, FirstHand: "unknown", Scope: record.ScopeIncident, Stance: s.pack.Stances[0].Code, Words: w})
	}
	return a
}

func (s *story) link(account, incident record.ID) record.ID {
	return s.file(record.IncidentLinked, &record.Link{Reason: "same day", Role: record.LinkAbout}, nil, about(record.RoleAccount, account), about(record.RoleIncident, incident))
}

func (s *story) because(kind record.Kind, subjects ...record.Subject) record.ID {
	return s.file(kind, &record.Reason{Reason: "because"}, nil, subjects...)
}

func dump(t testing.TB, d *projection.DB) string {
	t.Helper()
	var b strings.Builder
	if err := d.Dump(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
