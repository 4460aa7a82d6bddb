// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"sync"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// memDoor is a node without a disk: real statements, really signed, admitted by the
// real rules. Only the transport is missing, and can be made to fail.
type memDoor struct {
	state   *mechanism.State
	signers map[string]*record.Signer
	mission record.ID
	exer    bool
	entries []memEntry
	lean    bool // keeps no bodies, for tests that measure memory
	filed   int  // calls of File that were admitted

	failAt    int  // File fails at this call, counted from 1; 0: never
	failLate  bool // ... after the record was admitted
	calls     int
	beforeHit func() // called before each File
}

type memEntry struct {
	st   *record.Statement
	body []byte
}

var errCrash = errors.New("the power failed")

var _ interface {
	intake.Door
	intake.Source
} = (*memDoor)(nil)

var packs sync.Map

func loadPack(t testing.TB, name string) *agreement.Pack {
	t.Helper()
	if p, ok := packs.Load(name); ok {
		return p.(*agreement.Pack)
	}
	set, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		t.Fatal(err)
	}
	packs.Store(name, f.Pack)
	return f.Pack
}

// newDoor opens a mission under an example's agreement, with keys for the registry and
// for every other member.
func newDoor(t testing.TB, example string) *memDoor {
	t.Helper()
	mission, err := record.NewID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newDoorOf(t, example, mission)
}

func newDoorOf(t testing.TB, example string, mission record.ID) *memDoor {
	t.Helper()
	p := loadPack(t, example)
	d := &memDoor{state: mechanism.New(), signers: map[string]*record.Signer{}, exer: p.Exercise, mission: mission}
	file := func(dr node.Draft) {
		t.Helper()
		if _, err := d.File(context.Background(), dr); err != nil {
			t.Fatal(err)
		}
	}
	var reg string
	admissions := map[string]*record.Admission{}
	for _, m := range p.Members {
		seed := make([]byte, 32)
		rand.Read(seed)
		s, err := record.NewSigner(seed)
		if err != nil {
			t.Fatal(err)
		}
		d.signers[m.Code] = s
		admissions[m.Code] = &record.Admission{Code: m.Code, Keys: []record.Key{s.Key()}, Name: m.Name.In("en"), Role: m.Role}
		if m.Role == record.RegistryRole {
			reg = m.Code
		}
	}
	file(node.Draft{Kind: record.MissionOpened, Member: reg, Body: &record.Mission{LogKey: "test", Registry: *admissions[reg], Title: "test"}})
	parts, err := p.Parts(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		file(node.Draft{Kind: record.AgreementAdopted, Member: reg, Body: part})
	}
	for _, m := range p.Members {
		if m.Code != reg {
			file(node.Draft{Kind: record.MemberAdmitted, Member: reg, Body: admissions[m.Code]})
		}
	}
	d.filed, d.calls = 0, 0
	return d
}

func (d *memDoor) Pack() *agreement.Pack                { return d.state.Pack() }
func (d *memDoor) CheckAccount(a *record.Account) error { return d.state.CheckAccount(a) }
func (d *memDoor) BatchState(id record.ID) string       { return d.state.BatchState(id) }
func (d *memDoor) Mission() record.ID                   { return d.mission }

func (d *memDoor) Find(ctx context.Context, id record.ID) (*node.Found, bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	i, ok := d.state.IndexOf(id)
	if !ok || d.lean {
		return nil, false, nil
	}
	return &node.Found{Index: i, Statement: d.entries[i].st, Body: d.entries[i].body}, true, nil
}

func (d *memDoor) File(ctx context.Context, dr node.Draft) (registry.Receipt, error) {
	if d.beforeHit != nil {
		d.beforeHit()
	}
	if err := ctx.Err(); err != nil {
		return registry.Receipt{}, err
	}
	d.calls++
	if d.calls == d.failAt && !d.failLate {
		return registry.Receipt{}, errCrash
	}
	r, err := d.admit(dr)
	if err == nil {
		d.filed++
		if d.calls == d.failAt {
			return registry.Receipt{}, errCrash
		}
	}
	return r, err
}

// groupDoor files several records at once: all or none.
type groupDoor struct {
	*memDoor
	groups int // that were admitted
}

func (d *groupDoor) FileTogether(ctx context.Context, drafts []node.Draft) ([]registry.Receipt, error) {
	if d.beforeHit != nil {
		d.beforeHit()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.calls++
	if d.calls == d.failAt && !d.failLate {
		return nil, errCrash
	}
	var out []registry.Receipt
	d.state.Begin()
	before := len(d.entries)
	for _, dr := range drafts {
		r, err := d.admit(dr)
		if err != nil {
			d.state.Rollback()
			d.entries = d.entries[:before]
			return nil, err
		}
		out = append(out, r)
	}
	d.state.Commit()
	d.filed, d.groups = d.filed+len(drafts), d.groups+1
	if d.calls == d.failAt {
		return nil, errCrash
	}
	return out, nil
}

func (d *memDoor) admit(dr node.Draft) (registry.Receipt, error) {
	st := &record.Statement{
		Audience: record.AudiencePublic, ClaimedAt: 1, Exercise: d.exer, ID: dr.ID, Kind: dr.Kind, KindVersion: 1, Member: dr.Member,
		Mission: d.mission, Officer: dr.Officer, Origin: "test.example/log", Rules: mechanism.RulesVersion, Subjects: dr.Subjects, Supersedes: dr.Supersedes, V: record.FormatVersion,
	}
	if st.ID.IsZero() {
		st.ID, _ = record.NewID(rand.Reader)
	}
	body, err := record.EncodeBody(dr.Body)
	if err != nil {
		return registry.Receipt{}, err
	}
	var salt ledger.Salt
	io.ReadFull(rand.Reader, salt[:])
	st.Body = &record.BodyRef{Alg: record.BodyAlg, Commitment: ledger.BodyCommitment(salt, body)}
	payload, err := st.Encode()
	if err != nil {
		return registry.Receipt{}, err
	}
	env, err := record.Seal(record.StatementType, payload, d.signers[dr.Member])
	if err != nil {
		return registry.Receipt{}, err
	}
	if d.lean {
		return registry.Receipt{ID: st.ID}, nil
	}
	e, err := mechanism.Open(env, body, salt)
	if err == nil {
		err = d.state.Admit(e, 1)
	}
	var refusal *mechanism.Refusal
	if errors.As(err, &refusal) {
		return registry.Receipt{}, &registry.Refused{Refusal: refusal}
	}
	if err != nil {
		return registry.Receipt{}, err
	}
	d.entries = append(d.entries, memEntry{st, body})
	return registry.Receipt{ID: st.ID, Index: e.Index}, nil
}

// counts tells whether an entry is part of what readers see.
func (d *memDoor) counts(e memEntry) bool {
	batch, in := e.st.Subject(record.RoleBatch)
	return !in || d.state.BatchState(batch) == "closed"
}

func (d *memDoor) Accounts(context.Context) iter.Seq2[projection.Account, error] {
	return func(yield func(projection.Account, error) bool) {
		for _, e := range d.entries {
			if e.st.Kind != record.AccountFiled || !d.counts(e) {
				continue
			}
			a := projection.Account{ID: e.st.ID, State: "recorded"}
			a.Report, _ = e.st.Subject(record.RoleReport)
			if err := json.Unmarshal(e.body, &a.Body); err != nil {
				yield(a, err)
				return
			}
			if !yield(a, nil) {
				return
			}
		}
	}
}

func (d *memDoor) Report(ctx context.Context, id record.ID) (projection.Report, error) {
	for _, e := range d.entries {
		if e.st.ID == id && d.counts(e) {
			r := projection.Report{ID: id}
			return r, json.Unmarshal(e.body, &r.Body)
		}
	}
	return projection.Report{}, projection.ErrNotFound
}

// kinds counts the entries of each kind.
func (d *memDoor) kinds() map[record.Kind]int {
	out := map[record.Kind]int{}
	for _, e := range d.entries {
		out[e.st.Kind]++
	}
	return out
}

func run(t testing.TB, d intake.Door, file string, opts intake.Options) (*intake.Report, error) {
	t.Helper()
	if opts.Member == "" {
		for _, m := range d.Pack().Members {
			if m.Role == record.DeskRole {
				opts.Member = m.Code
			}
		}
	}
	if opts.Name == "" {
		opts.Name = "test.csv"
	}
	r, err := intake.Import(context.Background(), d, bytes.NewReader([]byte(file)), opts)
	checkSum(t, r)
	t.Cleanup(func() { r.Close() })
	return r, err
}

func mustRun(t testing.TB, d intake.Door, file string, opts intake.Options) *intake.Report {
	t.Helper()
	r, err := run(t, d, file, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// checkSum checks what holds whatever happens.
func checkSum(t testing.TB, r *intake.Report) {
	t.Helper()
	if r.Accepted+r.Present+r.Rejected+r.NotReached != r.Total || min(r.Accepted, r.Present, r.Rejected, r.NotReached) < 0 {
		t.Errorf("the sum does not hold: %v", r)
	}
}

// want checks total, accepted, present, rejected, not reached.
func want(t testing.TB, r *intake.Report, n ...int64) {
	t.Helper()
	got := []int64{r.Total, r.Accepted, r.Present, r.Rejected, r.NotReached}
	for i := range got {
		if got[i] != n[i] {
			t.Errorf("total, accepted, present, rejected, not reached = %v, want %v\n%v", got, n, r)
			return
		}
	}
}

// fixed is a source of given accounts.
type fixed struct{ accounts []projection.Account }

func (f *fixed) Accounts(context.Context) iter.Seq2[projection.Account, error] {
	return func(yield func(projection.Account, error) bool) {
		for _, a := range f.accounts {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func (f *fixed) Report(context.Context, record.ID) (projection.Report, error) {
	return projection.Report{}, projection.ErrNotFound
}

type registryReceipt = registry.Receipt
