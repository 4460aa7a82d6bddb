// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"truceline/internal/fleet"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/server"
)

// told has the registry of a mission on a real address, and a member's folder that several
// open. It counts what was handed in.
type told struct {
	*fleet.Fleet
	url      string
	handedIn atomic.Int64
	down     atomic.Bool
}

func tell(t *testing.T) *told {
	t.Helper()
	f := &told{Fleet: fleet.New(t, 3)}
	f.Join(fleet.Codes...)
	f.Settle()
	f.Stop("NOR")
	mux, stop := http.NewServeMux(), make(chan struct{})
	server.Peers(mux, f.Registry(), slog.New(slog.DiscardHandler), stop)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/peer/submit" {
			f.handedIn.Add(1)
		}
		if f.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { close(stop); s.Close() })
	f.url = s.URL
	return f
}

// open opens the member's folder as another process does, which talks by itself.
func (f *told) open(t *testing.T) *node.Node {
	t.Helper()
	f.Options = func(_ string, given *node.Options) {
		given.Manual = false
		given.Dial = func(string) node.Link { return peer.Dial(nil)(f.url) }
	}
	n := f.Start("NOR")
	f.Nodes["NOR"] = nil // the test closes it
	t.Cleanup(func() { n.Close() })
	return n
}

// A command beside a member's server files through it: one process talks.
func TestOneProcessOfAFolderTalks(t *testing.T) {
	f := tell(t)
	serving := f.open(t)
	before := f.handedIn.Load()
	beside := f.open(t)
	if err := beside.Enter(context.Background()); !errors.Is(err, local.ErrInUse) {
		t.Errorf("entering beside a server: %v", err)
	}
	for i := range 3 {
		r, err := beside.File(context.Background(), f.Account("NOR", int64(i)))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := beside.Find(context.Background(), r.ID); !ok || err != nil {
			t.Errorf("filed, and not here: %t, %v", ok, err)
		}
	}
	if got := f.handedIn.Load() - before; got != 3 {
		t.Errorf("3 acts were handed in %d times", got)
	}
	contact, why := beside.Line()
	if contact.IsZero() || why != nil {
		t.Errorf("the line, as told by the server: %s, %v", contact, why)
	}
	// When the server ends, the other goes on.
	if err := serving.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := beside.File(context.Background(), f.Account("NOR", 9)); err != nil {
		t.Fatal(err)
	}
	if a := beside.Alarms(); len(a) > 0 {
		t.Errorf("alarms: %+v", a)
	}
}

// Where the line is cut, a command beside the server hears so at once, and what it filed
// goes out once the line is back.
func TestACommandBesideAServerThatIsCutOff(t *testing.T) {
	f := tell(t)
	f.down.Store(true)
	serving := f.open(t)
	beside := f.open(t)
	var queued *node.Queued
	_, err := beside.File(context.Background(), f.Account("NOR", 1))
	if !errors.As(err, &queued) || queued.Err == nil {
		t.Fatalf("filing without a line: %v", err)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	f.down.Store(false)
	deadline := time.Now().Add(time.Minute) // so that a fault does not hang
	for {
		if _, ok, err := serving.Find(context.Background(), queued.IDs[0]); err != nil {
			t.Fatal(err)
		} else if ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it never went out")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Who waits for the log to grow hears as well when what it has is witnessed.
func TestWaitingHearsOfWitnesses(t *testing.T) {
	f := tell(t)
	f.Start("NOR")
	f.Adopt(3)
	f.Settle()
	before := f.Registry().Head().Size
	if _, err := f.File("NOR", f.Account("NOR", 1)); err != nil {
		t.Fatal(err)
	}
	if err := f.Round("NOR", "SUD"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute) // so that a fault does not hang
	defer stop()
	line := peer.Dial(nil)(f.url)
	heard := make(chan error, 1)
	go func() { heard <- line.Wait(ctx, before+1, before) }()
	select {
	case err := <-heard:
		t.Fatalf("heard before there was anything: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := f.Round("fac"); err != nil {
		t.Fatal(err)
	}
	if err := <-heard; err != nil {
		t.Fatal(err)
	}
	if h, err := f.Registry().Witnessed(ctx); err != nil || h.Size != before+1 {
		t.Errorf("witnessed %d of %d, %v", h.Size, before+1, err)
	}
	// What it knows already is no news.
	if err := line.Wait(ctx, before, before+1); err != nil {
		t.Fatal(err)
	}
	go func() { heard <- line.Wait(ctx, before+1, before+1) }()
	select {
	case err := <-heard:
		t.Errorf("the same was told again: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
}
