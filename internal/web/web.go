// SPDX-License-Identifier: Apache-2.0

// Package web is the pages: what people see of the record in a browser.
//
// The whole state of a page stands in its address, so that a link shows another
// reader the same thing. Pages are complete without scripts; the two small modules
// that are served add comfort only. Nothing comes from another host.
//
// Pages never decide: what officers do is filed through the doors that Config brings,
// which know the rules, and who has not signed in can only read. Names of parties and
// places are data like any other: the agreement brings them, each isolated from the
// words around it.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"truceline/internal/assets"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/routes"
	"truceline/record"
	"truceline/text"
)

// Config is what the pages need. Source, Ledger and BaseURL are needed; the rest
// may be left out.
type Config struct {
	// Source and Ledger hold all that this node's officers may read.
	Source Source
	Ledger Ledger
	// Public, where set, gives the source of what everybody may read, and PublicLedger is
	// the ledger to that: who has not signed in is shown nothing else. Both are Source and
	// Ledger where they are not set.
	Public       func() Source
	PublicLedger Ledger
	// BaseURL is where people reach the pages, without a slash at the end; links to
	// share are made with it.
	BaseURL string
	// LogURL is the address of the log's resources, LogVKey the verifier key of its
	// checkpoints, Origin its name. Commands to verify are written with them.
	LogURL  string
	LogVKey string
	Origin  string
	// Office is the node's book of officers. Without it nobody can sign in and every
	// page is for reading alone.
	Office Office
	// Desk does officers' acts. Without it nothing can be filed here.
	Desk Desk
	// Roster files what becomes of officers. Without it there are no forms for that.
	Roster Roster
	// Imports takes files in. Without it no file can be brought here.
	Imports Imports
	// Filings tell how filings of versions stand by the rules, for officers and for
	// everybody. Without them pages show the incident of a notice like any other.
	Filings, PublicFilings Filings
	// Nodes tells how this node stands with the others of the mission, to officers, and
	// PublicNodes to everybody. Without it the pages show a record and nothing of who keeps it.
	Nodes, PublicNodes Nodes
	// Erasure tells how it stands with the body of a record, for officers; nil: not told.
	Erasure func(ctx context.Context, id record.ID) (node.Erasure, bool, error)
	// Outbox is the box of a member's node; nil in the registry's.
	Outbox Outbox
	// Cookie is the name of the cookie of a sign-in, default truceline_signin. Cookies do
	// not know ports: nodes on one host need names of their own.
	Cookie string
	// Reprint, where set, tells that the pages are of a copy and not of a node.
	Reprint *Reprint
	// Bundle makes the bundle of a record that everybody may read. Without it releases cannot
	// be taken along and checked here.
	Bundle func(ctx context.Context, index int64) ([]byte, error)
	// Copies keeps archived copies of documents. Without it no file is taken.
	Copies Copies
	// StepUp is asked before a sensitive act whether the officer has lately shown well
	// enough who they are; an error stops the act. Nil lets every act pass.
	StepUp func(ctx context.Context, in office.SignIn, act string) error
	Clock  func() time.Time // default time.Now
	Log    *slog.Logger     // default slog.Default()
	// Dev adds the page of all signs.
	Dev bool
}

// server holds what requests share; nothing in it changes after New.
type server struct {
	Config
	texts  *text.Set
	static *assets.Set
	bases  bases
	mux    *routes.Mux
	links  links // to show once
	turns  turns

	verifiers sync.Map // by language, the verifier as one file

	publicMu sync.Mutex
	public   *server // the pages of everybody, of publicOf; guarded by publicMu
	publicOf Source
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
	if cfg.Cookie == "" {
		cfg.Cookie = "truceline_signin"
	}
	st, err := newStatic()
	if err != nil {
		return nil, err
	}
	s := &server{Config: cfg, texts: text.All(), static: st, mux: routes.New()}
	s.routes()
	// Cookies are not sent with what another site's page posts (SameSite), and such a
	// request is refused besides.
	protect := http.NewCrossOriginProtection()
	protect.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, fault{status: http.StatusForbidden, key: "error.cross_site"})
	}))
	return routes.Of(secure(compress(protect.Handler(http.HandlerFunc(s.dispatch)))), s.mux), nil
}

// dispatch shows the pages of everybody to who has not signed in. They are another server's,
// which has never seen anything else.
func (s *server) dispatch(w http.ResponseWriter, r *http.Request) {
	if fromElsewhere(r) && s.signedInNow(r) {
		s.page(s.askFirst)(w, r)
		return
	}
	if s.Public == nil {
		s.serve(w, r)
		return
	}
	source := s.Public()
	if s.signedInNow(r) {
		s.serve(w, r)
		return
	}
	s.forEverybody(source).serve(w, r)
}

// signedInNow tells whether an officer of this node asks.
func (s *server) signedInNow(r *http.Request) bool {
	if s.Office == nil {
		return false
	}
	c, err := r.Cookie(s.Cookie)
	if err != nil {
		return false
	}
	_, _, err = s.Office.SignIn(r.Context(), c.Value)
	return err == nil
}

func (s *server) forEverybody(source Source) *server {
	s.publicMu.Lock()
	defer s.publicMu.Unlock()
	if s.public == nil || s.publicOf != source {
		cfg := s.Config
		cfg.Source, cfg.Ledger, cfg.Public, cfg.PublicLedger, cfg.Filings, cfg.Erasure = source, s.PublicLedger, nil, nil, s.PublicFilings, nil
		cfg.Nodes, cfg.PublicNodes = s.PublicNodes, nil
		p := &server{Config: cfg, texts: s.texts, static: s.static, mux: routes.New()}
		p.routes()
		s.public, s.publicOf = p, source
	}
	return s.public
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
	page("/search", s.search)
	page("/linkage", s.linkage)
	if s.Nodes != nil {
		page("/alarms", s.alarms)
		s.mux.HandleFunc("GET /alarms/{name}", s.evidence)
	}
	s.analysisRoutes(page)
	s.batchRoutes(page)
	s.publicRoutes(page)
	if s.Dev {
		page("/dev/stories", s.stories)
	}
	if s.Office != nil {
		s.signInRoutes()
		s.officerRoutes()
		s.listRoutes()
		s.actRoutes()
		s.identityRoutes()
		if s.Imports != nil {
			s.importRoutes()
		}
		s.queueRoutes()
		s.incidentActRoutes()
		s.proposalRoutes()
		s.statementRoutes()
		if s.Outbox != nil {
			s.outboxRoutes()
		}
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
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := s.mux.Handler(probe); pattern != "" {
			if allow = append(allow, method); method == http.MethodGet {
				allow = append(allow, http.MethodHead)
			}
		}
	}
	if len(allow) > 0 {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		s.fail(w, r, fault{status: http.StatusMethodNotAllowed})
		return
	}
	s.fail(w, r, ErrNotFound)
}
