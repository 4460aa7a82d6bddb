// SPDX-License-Identifier: Apache-2.0

// Package server puts what one node shows to the world behind one address: pages,
// the log, and the answer to whether the node is well.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/projection"
	"truceline/internal/routes"
	"truceline/internal/web"
	"truceline/mechanism"
	"truceline/record"
)

// Server is one node's listening address. Make it with Listen, then Serve.
type Server struct {
	node     *node.Node     // nil for a copy
	tables   *projection.DB // that the pages read
	key      string         // what opens the pages of a copy; empty: they are open
	log      *slog.Logger
	listener net.Listener
	http     *http.Server
	stop     chan struct{} // closed when the server is to end
}

// Options are how a server is reached.
type Options struct {
	// Addr is HOST:PORT to listen on; port 0 takes any free one.
	Addr string
	// Listener, if set, is the address, taken already.
	Listener net.Listener
	// BaseURL is where readers reach the pages, without a slash at the end; empty means
	// http:// and the address listened on.
	BaseURL string
	Dev     bool        // adds the page that shows every sign
	Imports web.Imports // takes files in; nil: no page for that
	Log     *slog.Logger
}

// Listen takes the address, so that the pages can name it, without answering yet.
func Listen(n *node.Node, o Options) (*Server, error) {
	s, err := take(&o)
	if err != nil {
		return nil, err
	}
	s.node, s.tables = n, n.Projection
	pages, err := Pages(n, o)
	if err != nil {
		s.Close()
		return nil, err
	}
	mux := routes.New()
	mux.Handle("/", pages)
	s.stop = make(chan struct{})
	Peers(mux, n, o.Log, s.stop)
	mux.HandleFunc("GET /healthz", s.health)
	s.answer(mux)
	return s, nil
}

// take takes the address, and completes the options with it.
func take(o *Options) (*Server, error) {
	l := o.Listener
	if l == nil {
		var err error
		if l, err = net.Listen("tcp", o.Addr); err != nil {
			return nil, fmt.Errorf("listen on %s: %w; stop what uses the port, or choose another with --listen HOST:PORT", o.Addr, err)
		}
	}
	if o.BaseURL == "" {
		o.BaseURL = "http://" + l.Addr().String()
	}
	return &Server{log: o.Log, listener: l}, nil
}

// answer makes what answers at the address.
func (s *Server) answer(h http.Handler) {
	s.http = &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute, // a slow line takes long for a large bundle
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	unused := &unusedConns{conns: map[net.Conn]bool{}}
	s.http.ConnState = unused.note
	s.http.RegisterOnShutdown(unused.close)
}

// Mux is what addresses are added to.
type Mux interface {
	Handle(pattern string, h http.Handler)
}

// Peers adds what other nodes ask: the log, what members hand in and, in a member's node,
// its witness. Answers that are held back end when stop is closed.
func Peers(mux Mux, n *node.Node, log *slog.Logger, stop <-chan struct{}) {
	h := &peer.Handing{Stop: stop}
	if n.Registry == nil {
		h.Relay = n.HandOn
	}
	mux.Handle(peer.Prefix+"/", peer.Handler(n, log))
	mux.Handle("/peer/", peer.MemberHandler(n, h))
	witnessed(mux, n, log)
}

// Pages makes the handler of a node's pages. Addr is not used.
func Pages(n *node.Node, o Options) (http.Handler, error) {
	cfg := web.Config{
		Source: n.Projection, Ledger: proofs{n, true}, Public: func() web.Source { return n.Public() }, PublicLedger: proofs{n, false}, BaseURL: o.BaseURL, LogURL: o.BaseURL + peer.Prefix,
		LogVKey: n.Config.LogKey, Origin: n.Config.Origin, Clock: n.Now, Log: o.Log, Dev: o.Dev,
		Office: n.Office, Copies: n.Copies, Desk: n, Roster: Roster{n, o.BaseURL}, Imports: o.Imports,
		Bundle: func(ctx context.Context, index int64) ([]byte, error) {
			b, _, err := n.Bundle(ctx, index)
			return b, err
		},
		Nodes: others{n, o.BaseURL, true}, PublicNodes: others{n, o.BaseURL, false}, Cookie: Cookie(n), Filings: filings{n, true}, PublicFilings: filings{n, false}, Erasure: n.Erasure,
	}
	if n.Box != nil {
		cfg.Outbox = n.Box
	}
	return web.New(cfg)
}

// URL is the address listened on, without a slash at the end.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close gives the address back, for a server that is not to answer after all.
func (s *Server) Close() error { return s.listener.Close() }

// Serve answers until ctx ends, then lets requests under way finish, for up to five
// seconds.
func (s *Server) Serve(ctx context.Context) error {
	// The first look at a large record takes seconds: it is taken before anybody asks.
	var looking sync.WaitGroup
	defer looking.Wait()
	looking.Go(func() {
		if _, err := s.tables.Counts(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("the tables could not be looked through beforehand", "err", err)
		}
	})
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	close(s.stop)
	stop, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil {
		s.http.Close()
	}
	if err := <-failed; err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// health tells the truth: 200 only while records can be admitted and the tables that
// pages read follow the ledger.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	type answer struct {
		OK      bool   `json:"ok"`
		Error   string `json:"error,omitempty"`
		Size    int64  `json:"size"`    // records in the ledger
		Applied int64  `json:"applied"` // of these, in the tables
		Origin  string `json:"origin"`
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	a := answer{Origin: s.node.Config.Origin}
	err := s.node.Healthy(ctx)
	if err == nil {
		a.Applied, err = s.node.Projection.Applied(ctx)
	}
	// The ledger's own head, read last: another process may append and fold meanwhile.
	if head, headErr := s.node.Store().Head(ctx); headErr == nil {
		a.Size = head.Size
	} else if err == nil {
		err = headErr
	}
	status := http.StatusOK
	if a.OK = err == nil; !a.OK {
		s.log.Error("the node is not well", "err", err)
		a.Error = "the node is not well; its operator runs: truceline doctor"
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(a)
}

// filings shows the pages how filings stand.
type filings struct {
	node    *node.Node
	members bool // who asks may read what members read
}

func (f filings) Filing(ctx context.Context, incident record.ID) (mechanism.Filing, bool, error) {
	if !f.members {
		return f.node.PublicFiling(ctx, incident)
	}
	out, ok := f.node.Filing(incident)
	return out, ok, nil
}

func (f filings) Asks(_ context.Context, member string) []mechanism.Filing {
	if !f.members {
		return nil
	}
	return f.node.Asks(member)
}

// proofs shows a node's log to the pages.
type proofs struct {
	node    *node.Node
	members bool // who asks may read what members read
}

func (p proofs) log() *node.Log {
	if p.members {
		return p.node.MembersLog()
	}
	return p.node.Log()
}

func (p proofs) Checkpoint(context.Context) (signed []byte, size int64, root string, loggedAt int64, err error) {
	h := p.node.Head()
	return h.Checkpoint, h.Size, h.Root.String(), h.LoggedAt, nil
}

func (p proofs) Line(ctx context.Context, index int64) ([]byte, error) {
	b, err := p.log().Line(ctx, index)
	return b, pageError(err)
}

func (p proofs) Proof(ctx context.Context, index int64) ([]byte, error) {
	b, err := p.log().Proof(ctx, index)
	return b, pageError(err)
}

func pageError(err error) error {
	if errors.Is(err, ledgerstore.ErrNotFound) {
		return errors.Join(web.ErrNotFound, err)
	}
	return err
}
