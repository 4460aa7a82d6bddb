// SPDX-License-Identifier: Apache-2.0

// Package fleet runs a whole mission in one process, for tests: a registry and members,
// each a real node with a folder of its own, joined by a network that loses what it is
// told to lose, under one clock that moves only when it is told to.
package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/server"
	"truceline/record"
)

// RegistryCode and Codes are who is in the mission that New makes: two parties, a
// facilitator and a fourth member.
const RegistryCode = "book"

// Codes of the members with a node, in the order of the agreement.
var Codes = []string{"NOR", "SUD", "fac", "mon"}

// Pack is the agreement of the mission: small, invented, an exercise.
func Pack() *agreement.Pack {
	en := func(s string) agreement.Text { return agreement.Text{"en": s} }
	return &agreement.Pack{
		Format: 1, Exercise: true, Languages: []string{"en"}, Title: en("EXERCISE: two shores"), Notice: en("EXERCISE. Everything here is invented."),
		Parties: []agreement.Party{
			{Code: "NOR", Letter: "A", Name: en("North shore"), Short: en("North"), Pattern: "solid"},
			{Code: "SUD", Letter: "B", Name: en("South shore"), Short: en("South"), Pattern: "hatched"},
		},
		Members: []agreement.Member{
			{Code: "NOR", Name: en("North shore"), Role: record.PartyRole}, {Code: "SUD", Name: en("South shore"), Role: record.PartyRole},
			{Code: "fac", Name: en("Facilitator"), Role: record.ThirdPartyRole}, {Code: "mon", Name: en("Monitors"), Role: record.MonitorRole},
			{Code: RegistryCode, Name: en("Registry"), Role: record.RegistryRole},
		},
		ClaimantKinds: []agreement.Term{{Code: "spokesperson", Name: en("Spokesperson")}},
		IncidentTypes: []agreement.Term{{Code: "shots", Name: en("Shots")}},
		PlaceKinds:    []agreement.Term{{Code: "town", Name: en("Town")}},
		Places:        []agreement.Place{{Code: "ford", Kind: "town", Name: en("The ford")}},
		Measures:      []agreement.Measure{{Code: "killed", Name: en("Killed"), Unit: "people"}},
		Groups:        []agreement.Group{{Code: "people", Name: en("People")}},
		Stances:       []agreement.Stance{{Code: "claims", Name: en("Claims"), Effect: agreement.Asserts}, {Code: "denies", Name: en("Denies"), Effect: agreement.Denies, Covers: agreement.CoversEvent}},
	}
}

// Clock is a clock that moves only when told to. It is safe for concurrent use.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock starts in a fictional spring.
func NewClock() *Clock { return &Clock{at: time.Date(2031, 3, 1, 6, 0, 0, 0, time.UTC)} }

// Now is the time it shows.
func (c *Clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

// Advance moves it on.
func (c *Clock) Advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

// Set puts it to a time that is not before the one it shows.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at.After(c.at) {
		c.at = at
	}
}

// Fleet is a mission. Its methods are for one goroutine, the test's.
type Fleet struct {
	t       testing.TB
	Dir     string
	Clock   *Clock
	Net     *Net
	rand    io.Reader
	Nodes   map[string]*node.Node // by member code; nil where one is stopped
	Seen    map[string][]byte     // recovery keys, by member code
	Options func(code string, o *node.Options)
}

// seeded is a source of bytes that a seed decides, safe for concurrent use.
type seeded struct {
	mu sync.Mutex
	r  *mathrand.ChaCha8
}

func (s *seeded) Read(b []byte) (int, error) { s.mu.Lock(); defer s.mu.Unlock(); return s.r.Read(b) }

// New makes the mission's registry in a folder of the test, and nobody else yet. All that
// is random follows from seed; 0 draws truly.
func New(t testing.TB, seed uint64) *Fleet { return NewOf(t, seed, Pack()) }

// NewOf is New with an agreement of the test's own, which names RegistryCode and Codes.
func NewOf(t testing.TB, seed uint64, pack *agreement.Pack) *Fleet {
	f := empty(t, seed)
	file, err := record.Canonical(agreement.File{Agreement: 1, Pack: pack})
	f.must(err)
	f.must(node.Create(context.Background(), f.Path(RegistryCode), node.Creation{Agreement: file, Origin: "fleet.invalid/shores", Invited: Codes, Now: f.Clock.Now, Rand: f.rand}))
	f.Start(RegistryCode)
	return f
}

func (f *Fleet) must(err error) {
	if err != nil {
		f.t.Helper()
		f.t.Fatal(err)
	}
}

// Path is the folder of a member's node.
func (f *Fleet) Path(code string) string { return filepath.Join(f.Dir, code) }

// URL is the address of a member's node on the network.
func URL(code string) string { return "http://" + code + ".fleet.invalid" }

func (f *Fleet) options(code string) node.Options {
	o := node.Options{Now: f.Clock.Now, Rand: f.rand, Log: slog.New(slog.DiscardHandler), Manual: true, Dial: peer.Dial(&http.Client{Transport: f.Net.From(code)}), Feed: peer.Feed(&http.Client{Transport: f.Net.From(code)})}
	if f.Options != nil {
		f.Options(code, &o)
	}
	return o
}

// Start opens a node and puts it on the network.
func (f *Fleet) Start(code string) *node.Node {
	f.t.Helper()
	n, err := node.Open(context.Background(), f.Path(code), f.options(code))
	f.must(err)
	f.Nodes[code] = n
	return n
}

// Stop closes a node and takes it off the network.
func (f *Fleet) Stop(code string) {
	if n := f.Nodes[code]; n != nil {
		f.Nodes[code] = nil
		f.must(n.Close())
	}
}

// Copy copies the folder of a node that is stopped, as that of another name: what a node
// can be put back to, or its other face.
func (f *Fleet) Copy(code, as string) {
	f.t.Helper()
	if f.Nodes[code] != nil || f.Nodes[as] != nil {
		f.t.Fatalf("%s or %s runs: stop it before its folder is copied", code, as)
	}
	f.must(os.RemoveAll(f.Path(as)))
	f.must(os.CopyFS(f.Path(as), os.DirFS(f.Path(code))))
}

// Join makes nodes of members and brings them into the mission.
func (f *Fleet) Join(codes ...string) {
	f.t.Helper()
	for _, code := range codes {
		inv, err := f.Registry().InviteMember(code, URL(RegistryCode))
		f.must(err)
		var recovery bytes.Buffer
		_, err = node.PrepareMember(context.Background(), f.Path(code), node.Joining{Invitation: inv, URL: URL(code), Recovery: &recovery, Options: f.options(code)})
		f.must(err)
		f.Seen[code] = recovery.Bytes()
		n := f.Start(code)
		for try := 0; ; try++ {
			if err = n.Enter(context.Background()); err == nil {
				break
			}
			if try == 10 {
				f.t.Fatal(err)
			}
			f.Round(code)
		}
	}
}

// Registry is the registry's node.
func (f *Fleet) Registry() *node.Node { return f.Nodes[RegistryCode] }

// Adopt puts a policy in force: so many of the members' witnesses must cosign.
func (f *Fleet) Adopt(quorum int) {
	f.t.Helper()
	f.must(f.Registry().AdoptPolicy(context.Background(), quorum))
}

// Round lets members exchange once with the others. Errors of the line are given.
func (f *Fleet) Round(codes ...string) (err error) {
	for _, code := range codes {
		if n := f.Nodes[code]; n != nil {
			err = errors.Join(err, n.Round(context.Background()))
		}
	}
	return err
}

// Settle lets everybody exchange until nothing is left to do.
func (f *Fleet) Settle() {
	f.t.Helper()
	if r := f.Nodes[RegistryCode]; r != nil {
		f.must(errors.Join(r.Tick(context.Background()), r.Due(context.Background())))
	}
	for range 3 {
		f.must(f.Round(Codes...))
	}
}

// Account is a small account by a member, of so many killed.
func (f *Fleet) Account(code string, killed int64) node.Draft {
	return node.Draft{Kind: record.AccountFiled, Member: code, Body: &record.Account{
		Claimant: record.Claimant{Kind: "spokesperson", Name: "EXERCISE " + code},
		Claims:   []record.Claim{{N: 1, Element: record.Harm, Measure: "killed", Group: "people", Bound: "exact", Low: &killed, High: &killed, Stance: "claims", Scope: record.ScopeIncident, FirstHand: "no"}},
	}}
}

// File files a draft from a member's own node; it waits until the next round.
func (f *Fleet) File(code string, d node.Draft) (record.ID, error) {
	id, err := record.NewID(f.rand)
	f.must(err)
	d.ID = id
	_, err = f.Nodes[code].File(context.Background(), d)
	if errors.As(err, new(*node.Queued)) {
		err = nil
	}
	return id, err
}

// Net is the network between the nodes.
type Net struct {
	fleet *Fleet
	// Lose decides what becomes of a request: whether it arrives, and whether its answer
	// comes back. Nil: all does.
	Lose func(from, to string, r *http.Request) (arrives, answers bool)
	// Faces decides who answers one for another, for tests in which a node has two faces.
	// Nil: each for itself.
	Faces func(from, to string) string
	// Handler takes the place of a node's own, for tests in which one lies.
	Handler map[string]http.Handler
	// Route, if it gives one, answers one node's requests to another in the place of both: a
	// registry can show each something else.
	Route func(from, to string) http.Handler
	// Line takes the place of the whole line to a node, answers that never end among them.
	Line map[string]http.RoundTripper
}

// ErrLost is what a lost request or answer gives.
var ErrLost = errors.New("fleet: the line is cut")

// From is the network as one node sees it.
func (n *Net) From(code string) http.RoundTripper { return from{n, code} }

type from struct {
	net  *Net
	code string
}

// RoundTrip implements http.RoundTripper.
func (f from) RoundTrip(r *http.Request) (*http.Response, error) {
	to := r.URL.Hostname()
	to = to[:max(0, len(to)-len(".fleet.invalid"))]
	arrives, answers := true, true
	if f.net.Lose != nil {
		arrives, answers = f.net.Lose(f.code, to, r)
	}
	if !arrives {
		return nil, ErrLost
	}
	if line := f.net.Line[to]; line != nil {
		return line.RoundTrip(r)
	}
	if f.net.Faces != nil {
		to = f.net.Faces(f.code, to)
	}
	h := f.net.Handler[to]
	if f.net.Route != nil {
		if other := f.net.Route(f.code, to); other != nil {
			h = other
		}
	}
	if h == nil {
		n := f.net.fleet.Nodes[to]
		if n == nil {
			return nil, fmt.Errorf("%w: %s is not there", ErrLost, to)
		}
		mux := http.NewServeMux()
		closed := make(chan struct{})
		close(closed) // nobody waits
		server.Peers(mux, n, slog.New(slog.DiscardHandler), closed)
		h = mux
	}
	w := httptest.NewRecorder()
	if !serve(h, w, r) || !answers {
		return nil, ErrLost
	}
	return w.Result(), nil
}

// serve tells whether there is an answer: a handler may break the line off, as on a server.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (answered bool) {
	defer func() {
		if why := recover(); why == http.ErrAbortHandler {
			answered = false
		} else if why != nil {
			panic(why)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}
