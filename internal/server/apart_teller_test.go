// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/registry"
	"truceline/record"
	"truceline/when"
)

// Classes of what is said beside the audiences.
const (
	sealedClass = "sealed" // in an account that stays sealed
	// toldClass is for members, and the same in every history: some of it is released to
	// everybody later.
	toldClass = "told"
)

// hidden tells whether what is said in a class is not for everybody, ever.
func hidden(class string) bool { return class != record.AudiencePublic && class != toldClass }

func audienceOf(class string) string {
	if class == toldClass {
		return record.AudienceMembers
	}
	return class
}

// telling is one of several histories that somebody cannot tell apart.
type telling struct {
	name string
	// other are the classes of records that say something else than in the first history:
	// audiences, and sealedClass.
	other []string
	// away says that what is not for everybody has other ids, times, places and links, too.
	away bool
	// silent says that nothing of what is not for everybody happens; records of one kind
	// for members stand in the log in its place.
	silent bool
}

// teller files a history in a mission.
type teller struct {
	t     testing.TB
	f     *fleet.Fleet
	how   telling
	like  *teller // whose sizes a silent history keeps to
	sizes []int64 // of the log after each step
	apart []bool  // whether what came with the step is not for everybody
	ids   map[string]record.ID
	pairs map[string]bool // "kind audience" of what is in the log
	links map[string]string
	step  int
	pads  int
	ahead time.Duration // by which the clocks of who files are wrong
}

func newTeller(t testing.TB, f *fleet.Fleet, how telling, like *teller) *teller {
	return &teller{t: t, f: f, how: how, like: like, ids: map[string]record.ID{}, pairs: map[string]bool{}, links: map[string]string{}}
}

func (s *teller) must(err error) {
	if err != nil {
		s.t.Helper()
		s.t.Fatalf("%s: %v", s.how.name, err)
	}
}

func (s *teller) varies(class string) bool { return slices.Contains(s.how.other, class) }

// say is what is said in a class of records.
func (s *teller) say(class, one, other string) string {
	if s.varies(class) {
		return other
	}
	return one
}

func (s *teller) count(class string, one, other int64) int64 {
	if s.varies(class) {
		return other
	}
	return one
}

func number(words ...string) uint64 {
	sum := sha256.Sum256([]byte(strings.Join(words, "/")))
	return binary.BigEndian.Uint64(sum[:]) | 1
}

// id names a record by its label. Where a history is away, so are the ids of what not
// everybody reads.
func (s *teller) id(label, class string) record.ID {
	if id, ok := s.ids[label]; ok {
		return id
	}
	words := "apart/" + label
	if s.how.away && hidden(class) {
		words += "/away"
	}
	sum := sha256.Sum256([]byte(words))
	s.ids[label] = record.ID(sum[:16])
	return s.ids[label]
}

func (s *teller) of(label string) record.ID {
	id, ok := s.ids[label]
	if !ok {
		s.t.Helper()
		s.t.Fatalf("nothing was told under the label %s", label)
	}
	return id
}

// node is where a member's records are signed.
func (s *teller) node(code string) *node.Node {
	if code == deskCode {
		return s.f.Registry()
	}
	return s.f.Nodes[code]
}

// next is the beginning of a step: its time and its chance are the same in every history.
func (s *teller) next(label, class string) {
	s.step++
	s.f.Clock.Set(time.Date(2031, 3, 1, 6, 0, 0, 0, time.UTC).Add(time.Duration(s.step) * time.Minute))
	if s.how.away && hidden(class) {
		label += "/away"
	}
	s.f.Reseed(number("step", label))
}

// later lets hours pass, in every history the same.
func (s *teller) later(hours int) { s.step += hours * 60 }

// file files a record of a class under a label, and sends it.
func (s *teller) file(label, class string, d node.Draft) {
	s.t.Helper()
	d.ID = s.id(label, class)
	d.Audience = audienceOf(class)
	if class == record.AudienceNamed && d.Readers == nil {
		d.Readers = []string{"mon"}
	}
	s.next(label, class)
	if !s.how.silent || !hidden(class) {
		late := time.Duration(0) // when it was said is no more for everybody than what
		if s.how.away && hidden(class) && d.Member != deskCode {
			late = 7 * time.Second
		}
		s.f.Clock.Advance(late + s.ahead)
		_, err := s.node(d.Member).File(context.Background(), d)
		s.f.Clock.Advance(-late - s.ahead)
		s.must(queuedIsDone(err))
	}
	s.round(d.Member, hidden(class))
}

func queuedIsDone(err error) error {
	if errors.As(err, new(*node.Queued)) {
		return nil
	}
	return err
}

// do lets an officer of a member do an act.
func (s *teller) do(label, class, code, name string, v acts.Values) {
	s.t.Helper()
	s.round(code, true) // it is planned on what is known there
	s.next(label, class)
	if !s.how.silent || !hidden(class) {
		act, ok := acts.Find(name)
		if !ok {
			s.t.Fatalf("there is no act %s", name)
		}
		n := s.node(code)
		_, err := n.Do(context.Background(), node.Officer{ID: n.Config.Officers[code], Member: code, Roles: office.Roles}, act, v)
		s.must(queuedIsDone(err))
	}
	s.round(code, hidden(class))
}

// round lets one member exchange, in every history with the same size of the log.
func (s *teller) round(code string, skipped bool) {
	s.t.Helper()
	i := len(s.sizes)
	if s.how.silent {
		if i >= len(s.like.sizes) {
			s.t.Fatalf("%s has more steps than the first history", s.how.name)
		}
		if skipped && s.like.apart[i] {
			s.pad(s.like.sizes[i])
		}
	}
	s.f.Reseed(number("round", fmt.Sprint(i)))
	if code != deskCode && code != fleet.RegistryCode {
		s.must(s.f.Round(code))
	}
	before := int64(0)
	if i > 0 {
		before = s.sizes[i-1]
	}
	size := s.f.Registry().Head().Size
	s.sizes = append(s.sizes, size)
	if s.how.silent && size != s.like.sizes[i] {
		s.t.Fatalf("%s: after step %d the log has %d records, and %d in the first history", s.how.name, i, size, s.like.sizes[i])
	}
	open, apart := s.came(before, size)
	if open && apart && i > 0 {
		s.t.Fatalf("%s: step %d brings records for everybody and others", s.how.name, i)
	}
	s.apart = append(s.apart, apart)
}

// came tells whether there are records for everybody, and others, in a part of the log.
func (s *teller) came(from, to int64) (open, apart bool) {
	for e, err := range s.f.Registry().Store().Entries(context.Background(), from, to) {
		s.must(err)
		switch statementOf(s.t, e.Envelope).Audience {
		case record.AudiencePublic, record.AudienceOwn:
			open = true
		default:
			apart = true
		}
	}
	return open, apart
}

func (s *teller) settle() {
	s.t.Helper()
	s.next("tick", record.AudiencePublic)
	s.must(s.f.Registry().Tick(context.Background()))
	for range 2 {
		for _, code := range fleet.Codes {
			s.round(code, true)
		}
	}
}

// pad brings the log to a size by records for members that say nothing.
func (s *teller) pad(size int64) {
	s.t.Helper()
	reg := s.f.Registry()
	for reg.Head().Size < size {
		s.pads++
		s.f.Reseed(number("pad", fmt.Sprint(s.pads)))
		id, err := record.NewID(fleet.Source(number("pad id", fmt.Sprint(s.pads))))
		s.must(err)
		sub, err := s.node("mon").Sign(node.Draft{ID: id, Kind: record.IncidentOpened, Member: "mon", Audience: record.AudienceMembers,
			Body: &record.Opening{Class: record.ClassIncident, Label: "EXERCISE nothing", When: when.Span{Start: "2031-02-01"}}}, true)
		s.must(err)
		_, err = reg.Registry.SubmitTogether(context.Background(), []registry.Submission{sub})
		s.must(err)
	}
	if got := reg.Head().Size; got != size {
		s.t.Fatalf("%s: the log has %d records, and %d in the first history", s.how.name, got, size)
	}
}

// enrol makes an officer of a member.
func (s *teller) enrol(code, name string, roles ...string) {
	s.t.Helper()
	label := "officer " + code + " " + strings.Join(roles, " ")
	s.next(label, record.AudiencePublic)
	id, err := s.node(code).Enrol(context.Background(), record.ID{}, code, name, roles)
	s.must(queuedIsDone(err))
	s.ids[label] = id
	s.round(code, false)
}

// signer is a member's key, from the folder of its node.
func (s *teller) signer(code string) *record.Signer {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.f.Path(code), "keys", "member-"+code+".key"))
	s.must(err)
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	s.must(err)
	k, err := record.NewSigner(seed)
	s.must(err)
	return k
}

// tally notes of which kinds, for whom, there are records in the log.
func (s *teller) tally() {
	s.t.Helper()
	reg := s.f.Registry()
	for e, err := range reg.Store().Entries(context.Background(), 0, reg.Head().Size) {
		s.must(err)
		s.pairs[pair(statementOf(s.t, e.Envelope))] = true
	}
}

func pair(st *record.Statement) string { return string(st.Kind) + " for " + st.Audience }

func statementOf(t testing.TB, envelope []byte) *record.Statement {
	t.Helper()
	env, err := record.ParseEnvelope(envelope)
	if err == nil {
		var st *record.Statement
		if st, err = env.Statement(); err == nil {
			return st
		}
	}
	t.Fatal(err)
	return nil
}
