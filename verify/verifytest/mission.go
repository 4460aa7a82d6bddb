// SPDX-License-Identifier: Apache-2.0

// Package verifytest makes missions and their logs for tests and test vectors: the
// same calls make the same bytes. It can also log what no registry would admit.
package verifytest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"golang.org/x/mod/sumdb/note"

	"truceline/agreement"
	"truceline/ledger"
	"truceline/record"
	"truceline/vault"
)

// Origin names every log made here.
const Origin = "ledger.example.org/lakes"

// Start is the time of the first record, Unix milliseconds: 2026-03-01 00:00 UTC.
const Start = int64(1_772_323_200_000)

// Mission makes statements of one mission. It is not safe for concurrent use.
type Mission struct {
	ID     record.ID
	Rand   *rand.ChaCha8
	Clock  int64 // Unix milliseconds; the next statement's claimed time
	Log    note.Signer
	LogKey string
	Pack   *agreement.Pack
	// Continues is what mission.opened says of a log before this one; nil mostly.
	Continues *record.Continued
	// Epoch is the audience.keyed under whose key bodies are boxed, and EpochKey the key.
	Epoch    record.ID
	EpochKey vault.EpochKey
	signers  map[string]*record.Signer // current key of a member's node
}

// NewMission is the mission that label names: other labels, other ids and keys.
func NewMission(label string) *Mission {
	m := &Mission{Rand: rand.NewChaCha8(sha256.Sum256([]byte(label))), Clock: Start, Pack: Pack(), signers: map[string]*record.Signer{}}
	m.ID = m.NewID()
	skey, vkey, err := ledger.GenerateKey(m.Rand, Origin)
	must(err)
	m.LogKey = vkey
	m.Log, err = ledger.NewSigner(skey)
	must(err)
	for _, member := range m.Pack.Members {
		m.signers[member.Code] = Signer(label + " " + member.Code)
	}
	return m
}

// Signer is the key that a label names. Its seed is SHA-256 of the label: published,
// and worth nothing.
func Signer(label string) *record.Signer {
	seed := sha256.Sum256([]byte(label))
	s, err := record.NewSigner(seed[:])
	must(err)
	return s
}

func must(err error) {
	if err != nil {
		panic(fmt.Sprintf("verifytest: %v", err))
	}
}

// NewID draws the mission's next id.
func (m *Mission) NewID() record.ID {
	id, err := record.NewID(m.Rand)
	must(err)
	return id
}

// Salt draws the mission's next salt.
func (m *Mission) Salt() (s ledger.Salt) {
	for i := range 4 {
		binary.BigEndian.PutUint64(s[8*i:], m.Rand.Uint64())
	}
	return s
}

// Signer is the key that signs for a member now.
func (m *Mission) Signer(member string) *record.Signer { return m.signers[member] }

// SetSigner makes the member sign with another key from now on.
func (m *Mission) SetSigner(member string, s *record.Signer) { m.signers[member] = s }

// Filing is a record ready to be handed in.
type Filing struct {
	Statement *record.Statement
	Envelope  []byte
	Body      []byte // nil for kinds without one
	BodySalt  ledger.Salt
	Box       []byte // the body encrypted, where it is not for everybody
}

// ID is the statement's.
func (f Filing) ID() record.ID { return f.Statement.ID }

// Public is the filing as it leaves its member's node: without a body that is the
// member's own.
func (f Filing) Public() Filing {
	if f.Statement.Kind.Own() {
		f.Body, f.BodySalt = nil, ledger.Salt{}
	}
	return f
}

// Option changes a statement before it is signed.
type Option func(*draft)

type draft struct {
	*record.Statement
	signers []*record.Signer
	body    []byte // instead of the kind's
	members func(map[string]json.RawMessage)
}

// About adds a subject.
func About(role record.Role, id record.ID) Option {
	return func(d *draft) { d.Subjects = append(d.Subjects, record.Subject{ID: id, Role: role}) }
}

// Supersedes names the statement that this one takes the place of.
func Supersedes(id record.ID) Option { return func(d *draft) { d.Statement.Supersedes = id } }

// For says who may read it.
func For(audience string, readers ...string) Option {
	return func(d *draft) { d.Audience, d.Readers = audience, readers }
}

// By names the officer who files.
func By(officer record.ID) Option { return func(d *draft) { d.Officer = officer } }

// SignedBy replaces the signers.
func SignedBy(s ...*record.Signer) Option { return func(d *draft) { d.signers = s } }

// Edit changes anything else.
func Edit(f func(*record.Statement)) Option { return func(d *draft) { f(d.Statement) } }

// Bytes puts another body under the commitment, which nobody checks.
func Bytes(body string) Option { return func(d *draft) { d.body = []byte(body) } }

// Members changes the members of the statement that is signed, to what nobody checks.
func Members(f func(map[string]json.RawMessage)) Option { return func(d *draft) { d.members = f } }

// File makes and signs a statement of member. body is nil for kinds without one.
func (m *Mission) File(member string, kind record.Kind, body record.Body, options ...Option) Filing {
	m.Clock += 1000
	f := Filing{Statement: &record.Statement{
		Audience: "public", ClaimedAt: m.Clock, Exercise: true, ID: m.NewID(), Kind: kind, KindVersion: 1,
		Member: member, Mission: m.ID, Origin: Origin, Rules: 1, V: 1,
	}}
	if kind.Own() {
		f.Statement.Audience = record.AudienceOwn
	}
	commit := func(b []byte) {
		sum, err := ledger.Commitment(record.AlgFor(f.Statement.Audience), f.BodySalt, b)
		must(err)
		f.Body, f.Statement.Body = b, &record.BodyRef{Alg: record.AlgFor(f.Statement.Audience), Commitment: sum}
	}
	if body != nil {
		b, err := record.EncodeBody(body)
		must(err)
		f.BodySalt = m.Salt()
		commit(b)
	}
	var first record.Digest // that nobody changed
	if f.Statement.Body != nil {
		first = f.Statement.Body.Commitment
	}
	d := &draft{Statement: f.Statement, signers: []*record.Signer{m.signers[member]}}
	for _, o := range options {
		o(d)
	}
	switch was := f.Statement.Body; {
	case d.body != nil:
		commit(d.body)
	case was != nil && was.Alg == record.BodyAlg && was.Commitment == first && f.Body != nil: // the audience may be another now
		commit(f.Body)
	}
	payload, err := f.Statement.Encode()
	must(err)
	if d.members != nil {
		var members map[string]json.RawMessage
		must(json.Unmarshal(payload, &members))
		was := string(members["body"])
		d.members(members)
		var audience string
		if json.Unmarshal(members["audience"], &audience) == nil && record.AlgFor(audience) == record.FieldsAlg && f.Body != nil && string(members["body"]) == was {
			sum, err := ledger.Commitment(record.FieldsAlg, f.BodySalt, f.Body)
			must(err)
			members["body"], err = record.Canonical(record.BodyRef{Alg: record.FieldsAlg, Commitment: sum})
			must(err)
		}
		payload, err = record.Canonical(members)
		must(err)
	}
	f.Envelope, err = record.Seal(record.StatementType, payload, d.signers...)
	must(err)
	if f.Statement.Boxed() {
		box, err := vault.Box(m.Rand, f.Statement.ID, f.Body, f.BodySalt, m.Epoch, m.EpochKey)
		must(err)
		f.Box, err = box.Encode()
		must(err)
	}
	return f
}

// Pack is a small agreement of an exercise.
func Pack() *agreement.Pack {
	name := func(s string) agreement.Text { return agreement.Text{"en": s} }
	term := func(code string) agreement.Term { return agreement.Term{Code: code, Name: name(code)} }
	lat, lon := int64(-41_000_000), int64(-122_500_000)
	return &agreement.Pack{
		ClaimantKinds: []agreement.Term{term("spokesperson"), term("watch_team")},
		Exercise:      true,
		Format:        1,
		Grades:        []agreement.Term{term("B2")},
		Groups:        []agreement.Group{{Code: "OMB_guards", Name: name("Guards of Ombrel"), Side: "OMB"}, {Civilian: true, Code: "shore_people", Name: name("People of the shore")}},
		IncidentTypes: []agreement.Term{term("shots"), term("boat_chase")},
		Languages:     []string{"en"},
		Lines:         []agreement.Line{{Code: "buoys", Name: name("Line of buoys"), PartyNames: map[string]agreement.Text{"DRN": name("the Old Line")}, Path: [][2]int64{{lat, lon}, {lat + 100, lon}}}},
		Measures:      []agreement.Measure{{Code: "hurt", Name: name("Hurt"), Unit: "people"}},
		Members: []agreement.Member{
			{Code: "book", Name: name("Exercise registry"), Role: record.RegistryRole},
			{Code: "clerk", Name: name("Exercise clerks"), Role: record.DeskRole},
			{Code: "DRN", Name: name("Drunnow Commons"), Role: record.PartyRole},
			{Code: "OMB", Name: name("Ombrel Council"), Role: record.PartyRole},
			{Code: "scribe", Name: name("Secretariat"), Role: record.ThirdPartyRole},
			{Code: "watch", Name: name("Lake Watch"), Role: record.MonitorRole},
			{Code: "guest", Name: name("Guest observers"), Role: record.ObserverRole},
		},
		Parties: []agreement.Party{
			{Code: "DRN", Letter: "A", Name: name("Drunnow Commons"), Pattern: "solid", Short: name("Drunnow")},
			{Code: "OMB", Letter: "B", Name: name("Ombrel Council"), Pattern: "hatched", Short: name("Ombrel")},
		},
		PlaceKinds:   []agreement.Term{term("landing")},
		PlaceStrings: []agreement.PlaceString{{Places: []string{"ferry_head"}, Text: "the ferry"}},
		Places: []agreement.Place{
			{Code: "ferry_head", Kind: "landing", LatE6: &lat, LonE6: &lon, Name: name("Ferry Head"), PrecisionM: 500},
			{Code: "reed_bay", Kind: "landing", Name: name("Reed Bay")},
		},
		Stances: []agreement.Stance{
			{Code: "asserts", Effect: agreement.Asserts, Name: name("says so")},
			{Code: "denies", Covers: agreement.CoversEvent, Effect: agreement.Denies, Name: name("says not")},
		},
		Subsets: []agreement.Term{term("officers")},
		Title:   name("EXERCISE: the Three Lakes arrangement"),
	}
}
