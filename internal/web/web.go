// SPDX-License-Identifier: Apache-2.0

// Package web is the pages: what people see of the record in a browser.
//
// The whole state of a page stands in its address, so that a link shows another
// reader the same thing. Pages are complete without scripts; the two small modules
// that are served add comfort only. Nothing comes from another host.
//
// Pages never decide and never write. Names of parties and places are data like any
// other: the agreement brings them, each isolated from the words around it.
package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"truceline/internal/assets"
	"truceline/text"
)

// Config is what the pages need. Source, Ledger and BaseURL are needed; the rest
// may be left out.
type Config struct {
	Source Source
	Ledger Ledger
	// BaseURL is where people reach the pages, without a slash at the end; links to
	// share are made with it.
	BaseURL string
	// LogURL is the address of the log's resources, LogVKey the verifier key of its
	// checkpoints, Origin its name. Commands to verify are written with them.
	LogURL  string
	LogVKey string
	Origin  string
	Clock   func() time.Time // default time.Now
	Log     *slog.Logger     // default slog.Default()
	// Dev adds the page of all signs, and the pseudo language to the choice of languages.
	Dev bool
}

// server holds what requests share; nothing in it changes after New.
type server struct {
	Config
	texts  *text.Set
	static *assets.Set
	bases  bases
	mux    *http.ServeMux
}

// New makes the handler of all pages.
func New(cfg Config) (http.Handler, error) {
	if cfg.Source == nil || cfg.Ledger == nil {
		return nil, errors.New("web: a source and a ledger are needed")
	}
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("web: base address %q is not like https://record.example: a scheme and a host, nothing after it", cfg.BaseURL)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	st, err := newStatic()
	if err != nil {
		return nil, err
	}
	s := &server{Config: cfg, texts: text.All(), static: st, mux: http.NewServeMux()}
	s.routes()
	protect := http.NewCrossOriginProtection()
	return secure(compress(protect.Handler(http.HandlerFunc(s.serve)))), nil
}

func (s *server) routes() {
	page := func(pattern string, h func(*view, *http.Request) error) {
		s.mux.HandleFunc("GET "+pattern, s.page(h))
	}
	page("/{$}", s.situation)
	page("/incident/{id}", s.incident)
	page("/accounts", s.accounts)
	page("/account/{id}", s.account)
	page("/record/{id}", s.record)
	page("/ledger", s.ledger)
	page("/about", s.about)
	if s.Dev {
		page("/dev/stories", s.stories)
	}
	s.mux.HandleFunc("GET /map/base.json", s.mapBase)
	s.mux.HandleFunc("GET /map/places.json", s.mapPlaces)
	s.mux.Handle("GET "+assets.Prefix, s.static)
}

// serve sends what the mux has no page for to the error pages.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.mux.Handler(r); pattern != "" {
		s.mux.ServeHTTP(w, r)
		return
	}
	// Ask the mux whether another method would do; its own answer is plain text.
	probe := r.Clone(r.Context())
	probe.Method = http.MethodGet
	if _, pattern := s.mux.Handler(probe); pattern != "" {
		w.Header().Set("Allow", "GET, HEAD")
		s.fail(w, r, fault{status: http.StatusMethodNotAllowed})
		return
	}
	s.fail(w, r, ErrNotFound)
}
